"""One linear neuron on data with fewer rows than inputs: where it ends, and its path on orthonormal rows.

The loss is |X a w - y|²/2, with no 1/n.
"""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import frobenius, mT
from toymodels.arithmetic.measured import Measured
from toymodels.claims import identity
from toymodels.linear import TwoLayerLinear
from toymodels.linear.neuron_cases import FewRows, few_rows, only_start
from toymodels.linear.one_neuron import interpolating_limit, rows_of, whitened_flow
from toymodels.solutions import one_neuron
from toymodels.spaces import Rejected, frame, matrix

FAMILY = "linear"
EPS = np.finfo(float).eps
ROWS, TARGETS = np.eye(2, 4), np.array([1.4, 1.0])

ONE_LYING_ACROSS = only_start(FewRows(ROWS, TARGETS, np.array([0.0, 0.5, 0.5, 0.0]), 1.0, (1.0, 1.0)))
ONE_TURNING = only_start(FewRows(ROWS, TARGETS, np.array([-1.2, -0.6, 0.2, 0.0]), 0.15, (1.0, 1.0)))


@identity(
    "linear_nets S6.5a",
    w=matrix("1 d"),
    a=matrix("1 1"),
    V=frame("d n"),
    C=matrix("k n"),
    rho=matrix("k 1"),
    source="own",
    broken={"all of w frozen": dict(project=0)},
)
def frozen_part(w, a, V, C, rho, *, project=1):
    r"""On data X = C Vᵀ gradient flow leaves $(I - VV^\top)w$ alone and conserves $a^2 - |V^\top w|^2$."""
    X = C @ mT(V)
    dw = mT(a) @ mT(rho) @ X
    da = mT(rho) @ X @ mT(w)
    frozen = dw - project * (dw @ V @ mT(V))
    return (frozen, frobenius(a, da)), (0 * dw, frobenius(w @ V, dw @ V))


@identity(
    "linear_nets S6.5b",
    start=few_rows(),
    cost="trajectory",
    source="own",
    broken={"the least-norm interpolator": dict(start=ONE_LYING_ACROSS, frozen=0)},
)
def interpolating_limit_is_reached(start, *, frozen=1):
    r"""On fewer rows than inputs the flow ends at $\beta = X^+y + a_\infty w_\perp$, for any rates."""
    return _end_of_the_flow(start, frozen=frozen)


@identity(
    "linear_nets S6.5c",
    start=few_rows(turning=True),
    cost="trajectory",
    source="own",
    broken={"sign of a(0)": dict(start=ONE_TURNING, turned=0)},
)
def interpolating_limit_after_a_sign_change(start, *, turned=1):
    """The same for starts whose output weight crosses zero, with the sign of the end."""
    return _end_of_the_flow(start, turned=turned)


def _end_of_the_flow(start, *, frozen=1, turned=1):
    """Integrate until little is left, take the sign from the end of the run, compare with the limit."""
    X, y, w, a, rates = start
    eta_w, eta_a = rates
    data = rows_of(X, y)
    sure = interpolating_limit(X, y, w, a, rates, sign=np.sign(a))
    slowest = eta_w * sure.a**2 * data.strengths[-1] ** 2
    if slowest < 0.7 * np.sqrt(eta_w * eta_a):
        raise Rejected("a slow end")
    net = TwoLayerLinear(X, y, width=1, weights=np.ones(len(y)))
    run = dynamics.flow(net, np.append(w, a), [10 / slowest], rates=rates, record=())
    W, A = run.theta[0, :-1], run.theta[0, -1]
    end = interpolating_limit(X, y, w, a, rates, sign=np.sign(A)) if turned else sure
    # what remains: the residual, decaying at the slowest rate of M on the rows, moves the map at the fastest
    fast = eta_w * A * A + eta_a * (W @ W)
    left = np.linalg.norm(X @ (A * W) - y) * data.strengths[0] * fast / slowest
    size = np.linalg.norm(run.theta[0])
    error = Measured(A * W, 2 * left + 2 * size * run.error[0] + 64 * EPS * size**2)
    return error, frozen * end.beta + (1 - frozen) * data.fit


@identity(
    "linear_nets S6.10",
    start=few_rows(orthonormal=True),
    cost="trajectory",
    source="own",
    broken={"as if XᵀX = I": dict(start=ONE_LYING_ACROSS, rows=0)},
)
def orthonormal_rows(start, *, rows=1):
    """On orthonormal rows, n < d, the solution in the coordinates Xw is the flow, w across them frozen."""
    X, y, w, a, rates = start
    times = np.array([0.3, 1.0])
    net = TwoLayerLinear(X, y, width=1, weights=np.ones(len(y)))
    run = dynamics.flow(net, np.append(w, a), times, rates=rates, record=())
    solve = whitened_flow(X, y, w, a, times, rates) if rows else one_neuron.flow(w, a, X.T @ y, times, rates)
    theta = np.concatenate([solve[0], solve[1][:, None]], -1)
    # the drawn rows are orthonormal to rounding, which a unit of time hands on
    budget = 256 * EPS * (1 + times) * np.exp(2 * np.linalg.norm(y) * times)
    return Measured(theta, budget[:, None]), Measured(run.theta, run.error[:, None])
