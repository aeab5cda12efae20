"""Conservation laws of linear layers: the imbalance with layer rates, how many laws there are, the rank.

The imbalance is that of Du, Hu and Lee 2018 (arXiv 1806.00900); counting laws is after Marcotte, Gribonval
and Peyre 2023, by our own argument.
"""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import frobenius
from toymodels.arithmetic.jets import derivative
from toymodels.arithmetic.measured import Measured, svdvals, value_of
from toymodels.claims import conserved, identity
from toymodels.linear import DeepLinear, TwoLayerLinear, conservation, formulas
from toymodels.spaces import choice, integer, matrix, positive

FAMILY = "linear"

DHL = "after Du, Hu, Lee 2018 (arXiv 1806.00900)"
MGP = "own, model of Marcotte, Gribonval, Peyre 2023 (arXiv 2307.00144)"
WEIGHTS = dict(W1=matrix("m d"), W2=matrix("c m"))


@identity(
    "linear_nets S7.1b",
    **WEIGHTS,
    G=matrix("c d"),
    rate1=positive,
    rate2=positive,
    source=DHL,
    broken={"unweighted with layerwise rates": dict(weighted=0)},
)
def layer_rates_weigh_the_imbalance(W1, W2, G, rate1, rate2, *, weighted=1):
    r"""With layer rates $\eta_1, \eta_2$ flow conserves $\eta_1 W_2^\top W_2 - \eta_2 W_1W_1^\top$, for any
    loss of $W_2W_1$ with gradient G.
    """
    g1, g2 = formulas.chain(W1, W2, G)
    weights = (rate1, rate2) if weighted else (1, 1)
    moved = derivative(
        lambda A, B: conservation.weighted_imbalance(A, B, *weights), (W1, W2), (-g1 * rate1, -g2 * rate2)
    )
    return moved, 0 * moved


def bounded(matrix):
    """A float matrix with entries below 2, so flows take few steps; diag(1, 1/2, ...) instead of zero."""
    matrix = np.asarray(value_of(matrix), dtype=float)
    return matrix / (1 + np.abs(matrix).max()) + np.eye(*matrix.shape) / np.arange(1, matrix.shape[1] + 1)


def layers_of(theta, m, d, c):
    """W1 and W2 of measured parameters, time first."""
    return theta[:, : m * d].reshape(-1, m, d), theta[:, m * d :].reshape(-1, c, m)


@conserved(
    "linear_nets S7.1c",
    X=matrix("5 3"),
    Y=matrix("5 2"),
    W1=matrix("4 3"),
    W2=matrix("2 4"),
    cost="trajectory",
    source=DHL,
    broken={"unweighted with layerwise rates": dict(rate=2.0)},
)
def imbalance_along_the_flow(X, Y, W1, W2, *, rate=1.0):
    """The imbalance stays along the integrated flow, random data, t up to 6."""
    X, Y, W1, W2 = (bounded(x) for x in (X, Y, W1, W2))
    net = TwoLayerLinear(X, Y, width=4)
    run = dynamics.flow(net, net.pack(W1, W2), [0.0, 2.0, 6.0], rates=[rate, 1.0], record=())
    return formulas.imbalance(*layers_of(Measured(run.theta, run.error[:, None]), 4, 3, 2))


@identity(
    "linear_nets S7.2a",
    **WEIGHTS,
    A=matrix("d d"),
    B=matrix("c d"),
    C=matrix("c c"),
    source=MGP,
    broken={"rotations of inputs with outputs": dict(boost=-1)},
)
def orbit_keeps_the_imbalance(W1, W2, A, B, C, *, boost=1):
    r"""Along $KQ$, $K \in so(d, c)$, the imbalance stays: at most $Nm - \dim\{KQ\}$ laws are independent."""
    D1, D2 = conservation.orbit_direction(W1, W2, A, 0 * B, C)
    E1, E2 = conservation.orbit_direction(W1, W2, 0 * A, B, 0 * C)
    moved = derivative(formulas.imbalance, (W1, W2), (D1 + boost * E1, D2 + E2))
    return moved, 0 * moved


SHAPES = [(2, 3, 2), (1, 1, 4), (2, 2, 6), (3, 2, 5), (2, 1, 1), (1, 2, 5)]
"""(d, c, m)."""


@identity(
    "linear_nets S7.2b",
    shape=choice(SHAPES),
    seed=integer(0, 10**9),
    cost="trajectory",
    source=MGP,
    broken={"m(m+1)/2 for all m": dict(naive=1, shape=choice([s for s in SHAPES if s[2] > s[0] + s[1]]))},
)
def number_of_laws(shape, seed, *, naive=0):
    r"""$m(m+1)/2$ independent laws for $m \le N = d + c$, $Nm - N(N-1)/2$ for $m \ge N$: the exact rank of
    the imbalance's differential at random integer weights, and Nm minus the orbit's dimension.
    """
    d, c, m = shape
    rng = np.random.default_rng(seed)
    W1, W2 = rng.integers(-(2**20), 2**20, (m, d)), rng.integers(-(2**20), 2**20, (c, m))
    ranks = conservation.law_rank(W1, W2), (d + c) * m - conservation.orbit_dimension(W1, W2)
    count = m * (m + 1) // 2 if naive else conservation.number_of_laws(d, c, m)
    # ranks are integers computed without rounding
    return tuple(Measured(float(rank)) for rank in ranks), (Measured(float(count)), Measured(float(count)))


@identity(
    "linear_nets 7.4a",
    **WEIGHTS,
    X=matrix("n d"),
    Y=matrix("n c"),
    source="own (well known)",
    broken={"half of it": dict(factor=2)},
)
def loss_decreases_by_the_gradient(W1, W2, X, Y, *, factor=1):
    r"""Along gradient flow $L' = -|\nabla L|^2$."""
    g1, g2 = formulas.chain(W1, W2, formulas.sum_residual(W1, W2, X, Y))
    slope = derivative(lambda A, B: formulas.sum_loss(A, B, X, Y), (W1, W2), (-g1, -g2))
    return factor * slope, -frobenius(g1, g1) - frobenius(g2, g2)


@identity(
    "linear_nets 7.4b",
    X=matrix("5 3"),
    Y=matrix("5 3"),
    u=matrix("3 1"),
    v=matrix("1 3"),
    depth=choice([2, 3]),
    cost="trajectory",
    source="after Arora, Cohen, Hazan 2018 (arXiv 1802.06509)",
    broken={"unbalanced start of rank one": dict(tilt=0.5)},
)
def balanced_flow_keeps_the_rank(X, Y, u, v, depth, *, tilt=0.0):
    """From balanced layers of a product of rank one the product keeps its rank, any data."""
    X, Y, u, v = (bounded(x) for x in (X, Y, u, v))
    net = DeepLinear(X, Y, widths=(3,) * (depth - 1))
    layers = list(net.unpack(net.balanced(u @ v)))
    layers[0] = layers[0] + tilt * (np.eye(3) - np.linalg.pinv(layers[1]) @ layers[1])
    run = dynamics.flow(net, net.pack(*layers), [0.0, 1.0], record=())
    theta = Measured(run.theta, run.error[:, None])
    blocks = [theta[:, 9 * j : 9 * j + 9].reshape(-1, 3, 3) for j in range(depth)]
    W = blocks[0]
    for block in blocks[1:]:
        W = block @ W
    return svdvals(W)[:, 1:], Measured(np.zeros((2, 2)))
