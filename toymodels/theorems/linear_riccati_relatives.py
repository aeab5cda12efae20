"""Relatives of the balanced flow that its closed form solves too: symmetric targets, and weight decay."""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import identity_like, mT
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import bound, identity
from toymodels.linear import TwoLayerLinear, formulas, riccati, symmetric
from toymodels.linear.cases import balanced_start
from toymodels.linear.factors import balanced_factors
from toymodels.spaces import Rejected, between, choice, integer, matrix, real
from toymodels.spaces import symmetric as symmetric_matrix

FAMILY = "linear"
EPS = np.finfo(float).eps
TIMES = np.array([0.7])


@identity("linear_nets S5.10a", U=matrix("n m"), T=symmetric_matrix("n"), broken={"Q = U": dict(factor=1)})
def symmetric_is_balanced(U, T, *, factor=2):
    r"""$U' = (M_s - UU^\top)U$: twice $UU^\top$ solves the Riccati equation with $F = M_s$."""
    moving = Jet(U, symmetric.symmetric_velocity(U, T))
    gram = factor * (moving @ mT(moving))
    return gram.first, riccati.velocity(gram.value, T)


@identity(
    "linear_nets S5.10b",
    seed=integer(0, 999),
    n=integer(1, 3),
    m=integer(1, 3),
    cost="trajectory",
    broken={"positive part of the target": dict(cut=1)},
)
def symmetric_closed_form(seed, n, m, *, cut=0):
    """Symmetric targets of any signature: the closed form is the flow of the net W1 = Uᵀ, W2 = U."""
    rng = np.random.default_rng(seed)
    U0, half = rng.standard_normal((n, m)) / 2, rng.standard_normal((n, n)) / 2
    T = half + half.T
    net = TwoLayerLinear.from_statistics(np.eye(n), T, 1.0 + float((T * T).sum()), width=m)
    run = dynamics.flow(net, net.pack(U0.T, U0), TIMES, record=())
    if cut:
        rates, vectors = np.linalg.eigh(T)
        T = (vectors * np.maximum(rates, 0)) @ vectors.T
    size = np.linalg.norm(run.theta, axis=-1)
    moved = (size * run.error)[:, None, None] + 1e-11 * size[:, None, None] ** 2
    return Measured(symmetric.symmetric_flow(T, U0, TIMES), moved), Measured(net.product(run.theta))


@identity(
    "linear_nets S5.10c",
    W1=matrix("m d"),
    W2=matrix("c m"),
    S=matrix("c d"),
    decay=real,
    broken={"the imbalance conserved": dict(keeps=0)},
)
def weight_decay_shifts_the_generator(W1, W2, S, decay, *, keeps=1):
    r"""With weight decay $\gamma$ the product, the Gram matrices and the imbalance lose $2\gamma$ times
    themselves: $F \to F - \gamma I$ and $\Lambda' = -2\gamma\Lambda$, so $\Lambda = 0$ stays.
    """
    unit = identity_like(mT(W1))
    V1, V2 = symmetric.decaying_velocity(W1, W2, S, decay * unit)
    P1, P2 = symmetric.decaying_velocity(W1, W2, S, 0 * unit)
    decaying, plain = (Jet(W1, V1), Jet(W2, V2)), (Jet(W1, P1), Jet(W2, P2))
    product, imbalance = (
        formulas.product(*decaying).first - formulas.product(*plain).first,
        formulas.imbalance(*decaying).first,
    )
    return (product, imbalance), (
        -2 * decay * formulas.product(W1, W2),
        -2 * keeps * decay * formulas.imbalance(W1, W2),
    )


@identity(
    "linear_nets S5.10d",
    start=balanced_start(),
    decay=choice([0.1, 0.4, 1.0]),
    sizes=dict(d=(1, 4), m=(4, 4), c=(1, 4)),
    cost="trajectory",
    broken={"no threshold": dict(soft=0)},
)
def weight_decay_limit(start, decay, *, soft=1):
    r"""Balanced flow with weight decay ends at the soft threshold $\sum\max(s_j - \gamma, 0)u_jv_j^\top$."""
    W1, W2 = balanced_factors(start.Syx * 0.1, 0.0, width=4)
    d = W1.shape[1]
    s = np.linalg.svd(start.Syx, compute_uv=False)
    if np.abs(s - decay).min() < 1e-2:
        raise Rejected("a mode at the threshold")
    limit = symmetric.weight_decay_flow(start.Syx, W1, W2, decay, np.inf)[d:, :d]
    expected = symmetric.soft_threshold(start.Syx, decay * soft)
    rounding = 1e3 * sum(limit.shape) * EPS * (decay + s[0]) / np.abs(s - decay).min()
    return Measured(limit, rounding), Measured(expected)


@bound(
    "linear_nets S5.10e",
    S=matrix("3 2"),
    D=matrix("3 2"),
    decay=between(0.2, 1),
    broken={"hard threshold": dict(hard=1)},
)
def soft_threshold_is_best(S, D, decay, *, hard=0):
    r"""The soft threshold minimises $\frac12\|S - W\|^2 + \gamma\|W\|_*$: no step D away from it is lower."""
    S, D, decay = value_of(S), value_of(D), float(value_of(decay))
    S = S + 2 * np.eye(3, 2)

    def objective(W):
        return np.sum((S - W) ** 2) / 2 + decay * np.linalg.svd(W, compute_uv=False).sum()

    soft = best = symmetric.soft_threshold(S, decay)
    if hard:
        U, s, Vt = np.linalg.svd(S, full_matrices=False)
        best = (U * np.where(s > decay, s, 0.0)) @ Vt
    rounding = 64 * EPS * (1 + np.sum(S * S) + np.sum(D * D))
    return Measured(objective(best), rounding), Measured(objective(soft + D / 8), rounding)
