"""Balanced two-layer linear nets on whitened inputs solve a matrix Riccati equation, after Fukumizu 1998.

The idea is Fukumizu's; any widths, any imbalance lam and the form without inverses
are our own. The formulas shipped are proved to solve the equation: exponentials are
letters, or free variables, with their derivative.
"""

from typing import Any

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import identity_like, mT, trace
from toymodels.arithmetic.arrays import concatenate
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.claims import Paper, identity
from toymodels.linear import TwoLayerLinear, bracket, formulas, riccati
from toymodels.linear.balanced import Balanced, balance_of
from toymodels.linear.cases import balanced_start
from toymodels.linear.forms import Units
from toymodels.linear.generator import generator
from toymodels.linear.riccati import Propagator
from toymodels.spaces import POSITIVE, invertible, matrix, symmetric, vector

FAMILY = "linear"
PAPER = Paper("after Fukumizu 1998; any widths and imbalance are our own")
TIMES = np.array([0.7])
SMALL = dict(d=(1, 3), m=(1, 3), c=(1, 3))


@identity(
    "linear_nets S5.1a",
    W1=matrix("m d"),
    W2=matrix("c m"),
    S=matrix("c d"),
    broken={"wrong sign of the imbalance": dict(sign=-1)},
)
def flow_by_imbalance(W1, W2, S, *, sign=1):
    r"""Whitened inputs, any weights: $W_1' = W_2^\top S - \frac12(Q^\top Q + \Lambda) W_1$ and $W_2' = S
    W_1^\top - \frac12 W_2(Q^\top Q - \Lambda)$ with $Q^\top Q = W_1W_1^\top + W_2^\top W_2$; so
    $\Lambda = \lambda I$ gives $Q' = FQ - \frac12 QQ^\top Q$.
    """
    first, second = formulas.chain(W1, W2, S - formulas.product(W1, W2))
    square, imbalance = W1 @ mT(W1) + mT(W2) @ W2, sign * formulas.imbalance(W1, W2)
    right = mT(W2) @ S - (square + imbalance) @ W1 / 2, S @ mT(W1) - W2 @ (square - imbalance) / 2
    return (first, second), right


@identity("linear_nets S5.1b", Q=matrix("N m"), F=symmetric("N"), broken={"half the damping": dict(share=2)})
def gram_equation(Q, F, *, share=1):
    r"""$Q' = FQ - \frac12 QQ^\top Q$ makes $M = QQ^\top$ solve $M' = FM + MF - M^2$."""
    moving = Jet(Q, riccati.stacked_velocity(Q, F))
    gram = moving @ mT(moving)
    return gram.first, riccati.velocity(gram.value, F) + (share - 1) * gram.value @ gram.value


@identity(
    "linear_nets S5.1c; linear_nets D3",
    P=matrix("N m"),
    F=symmetric("N"),
    D=invertible("m"),
    broken={"D' = 2 PᵀP": dict(factor=2)},
)
def quotient_solves_riccati(P, F, D, *, factor=1):
    r"""$P' = FP$, $D' = P^\top P$ make the shipped $M = PD^{-1}P^\top$ solve $M' = FM + MF - M^2$."""
    inverse = Jet(D.inverse, -factor * D.inverse @ mT(P) @ P @ D.inverse)
    gram: Any = riccati.quotient(Jet(P, F @ P), inverse)
    return gram.first, riccati.velocity(gram.value, F)


@identity(
    "linear_nets S5.1d",
    Q0=matrix("N m"),
    J=symmetric("N"),
    E=symmetric("N"),
    broken={"the integral of e^{Fs}": dict(power=1)},
)
def bracket_grows(Q0, J, E, *, power=2):
    r"""The bracket $I + Q_0^\top J Q_0$, $J' = E^2$, $E = e^{Ft}$, grows by $P^\top P$, $P = E Q_0$."""
    speed = E @ E if power == 2 else E
    P = E @ Q0
    growth: Any = riccati.growth(Q0, Jet(J, speed))
    return growth.first, mT(P) @ P


PATTERN = np.array([[1, 0], [1, 1], [1, 1]])
"""Echelon form: pivots in the first two rows."""
UP, DOWN = np.array([1, 1, 0]), np.array([0, 0, 1])


@identity(
    "linear_nets S5.1e",
    h=vector("3", POSITIVE),
    f=vector("3", POSITIVE),
    L=matrix("3 2"),
    source="own",
    broken={"weights not halved": dict(halves=1)},
)
def scaled_columns_solve_riccati(h, f, L, *, halves=2):
    r"""The shipped scaled bracket (5.3) solves the Riccati equation: two columns in echelon form, rows of
    rates $f_1, f_2 > 0 > -f_3$, the exponentials of the rates times t adjoined.
    """
    rates = f * (UP - DOWN)
    e = Jet(h, rates * h)
    one = e * (1 / e)
    start = 1 / e[:2]
    grown = PATTERN * L * concatenate([e[:2], one[2:]], -1)[:, None] * start[None, :]
    decayed = concatenate([1 / (e * e)[:2], (e * e)[2:]], -1)
    D = bracket.bracket(start, (1 - decayed) / (halves * f), grown)
    determinant = D[0, 0] * D[1, 1] - D[0, 1] * D[1, 0]
    adjugate = trace(D) * identity_like(D) - D
    columns = bracket.fallen(concatenate([one[:2], e[2:]], -1), grown)
    M: Any = riccati.quotient(columns, adjugate / determinant)
    return M.first, riccati.velocity(M.value, rates * np.eye(3, dtype=int))


def measured_grams(net, theta, times):
    """Gram matrices along the integrated flow, with their error."""
    run = dynamics.flow(net, theta, times, record=())
    size = np.linalg.norm(run.theta, axis=-1)
    return Measured(net.gram(run.theta), (run.error * (2 * size + run.error))[..., None, None])


def pretend_balanced(start, lam, variance):
    """The closed form with an imbalance and a variance that the start does not have."""
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=len(start.W1))
    units = Units.of(net, (1.0, 1.0))
    Q0 = units.stacked(start.W1, start.W2)
    flow = Propagator(generator(start.Syx / variance, lam), Q0)
    return Measured(flow.gram(variance * TIMES), 1e-10)


@identity(
    "linear_nets S5.1f",
    start=balanced_start(),
    sizes=SMALL,
    cost="trajectory",
    source="own, model of Fukumizu 1998",
    broken={
        "coloured inputs": dict(start=balanced_start(coloured=True), pretend=1),
        "unbalanced start, lam = tr/m": dict(start=balanced_start(tilt=0.5), pretend=1),
        "wrong sign of lam in F": dict(pretend=-1),
    },
)
def closed_form_is_the_flow(start, *, pretend=0):
    """Whitened inputs, balanced start, any widths and imbalance: the closed Gram matrix is the flow's."""
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=len(start.W1))
    flow = measured_grams(net, start.theta, TIMES)
    if pretend:
        lam = np.trace(formulas.imbalance(start.W1, start.W2)) / len(start.W1)
        variance = float(np.trace(start.Sxx)) / len(start.Sxx)
        return pretend_balanced(start, pretend * float(lam), variance), flow
    units = Units.of(net, (1.0, 1.0))
    form = Balanced(net, start.W1, start.W2, units, balance_of(units, start.W1, start.W2))
    return Measured(form.gram(TIMES), form.gram_error(TIMES)[..., None, None]), flow
