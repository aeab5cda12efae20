"""Imbalance guarantees a rate, after Min, Tarmoun, Vidal and Mallada 2021; the constants are our own."""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import frobenius, mT
from toymodels.arithmetic.elementary import exp
from toymodels.arithmetic.jets import derivative
from toymodels.arithmetic.measured import Measured, eigvalsh, value_of
from toymodels.claims import Paper, bound, identity
from toymodels.linear import TwoLayerLinear, conservation, formulas
from toymodels.spaces import choice, matrix

FAMILY = "linear"
PAPER = Paper("after Min, Tarmoun, Vidal, Mallada 2021; constants our own", arxiv="2105.06351")
EPS = np.finfo(float).eps
D, M, C = 3, 6, 2


def bounded(matrix):
    """A float matrix with entries below 2, so flows take few steps; diag(1, 1/2, ...) instead of zero."""
    matrix = np.asarray(value_of(matrix), dtype=float)
    return matrix / (1 + np.abs(matrix).max()) + np.eye(*matrix.shape) / np.arange(1, matrix.shape[1] + 1)


def unbalanced_start(W1, W2, larger):
    """Layers (6, 3) and (2, 6), the first or the second of them larger."""
    W1, W2 = bounded(W1), bounded(W2)
    return (W1 / 4, W2) if larger == "output" else (W1, W2 / 4)


@bound(
    "linear_nets S7.3a",
    W1=matrix("6 3"),
    W2=matrix("2 6"),
    X=matrix("5 3"),
    Y=matrix("5 2"),
    larger=choice(["output", "input"]),
    whitened=choice([True, False]),
    cost="trajectory",
    broken={"rate 2 lambda_max of the imbalance": dict(largest=1)},
)
def excess_loss_decays(W1, W2, X, Y, larger, whitened, *, largest=0):
    r"""Excess loss $\le$ its start times $e^{-2 c_0 \lambda_{\min}(S_{xx}) t}$ with $c_0 =
    [\lambda_c(\Lambda)]_+ + [\lambda_d(-\Lambda)]_+$.
    """
    W1, W2 = unbalanced_start(W1, W2, larger)
    X, Y = bounded(X), bounded(Y)
    if whitened:
        X = np.sqrt(len(X)) * np.linalg.qr(X + 4 * np.eye(5, 3))[0]
    net, times = TwoLayerLinear(X, Y, width=M), np.array([0.3])
    run = dynamics.flow(net, net.pack(W1, W2), times, record=())
    theta = Measured(run.theta, run.error[:, None])
    layers = theta[:, : M * D].reshape(-1, M, D), theta[:, M * D :].reshape(-1, C, M)
    best = np.linalg.lstsq(net.compressed.X, net.compressed.Y, rcond=None)[0].T
    excess = [excess_loss(formulas.product(*pair), best, net) for pair in (layers, (W1, W2))]
    rate = conservation.imbalance_rate(W1, W2)
    if largest:
        rate = np.abs(np.linalg.eigvalsh(formulas.imbalance(W1, W2))).max()
    least = max(np.linalg.eigvalsh(net.statistics.Sxx)[0] - 16 * EPS * np.trace(net.statistics.Sxx), 0.0)
    exponents = Measured(
        -2 * rate * least * times, 64 * EPS * (rate + np.sum(W1**2) + np.sum(W2**2)) * least * times
    )
    return excess[0], excess[1] * exp(exponents)


def excess_loss(W, best, net):
    """|X (W - best)ᵀ|²/2: the loss without the part that no map explains."""
    gap = net.compressed.X @ mT(Measured(1.0) * W - Measured(best, 64 * EPS * np.abs(best)))
    return frobenius(gap, gap) / 2


@identity(
    "linear_nets S7.3b",
    W1=matrix("m d"),
    W2=matrix("c m"),
    E=matrix("c d"),
    X=matrix("n d"),
    broken={"one layer only": dict(second=0)},
)
def excess_loss_rate(W1, W2, E, X, *, second=1):
    r"""With $E = W - W_*$ and $G = E S_{xx}$ the excess loss $\langle E S_{xx}, E\rangle/2$ falls at the rate
    $|W_2^\top G|^2 + |G W_1^\top|^2$.
    """
    Sxx = mT(X) @ X
    G = E @ Sxx
    g1, g2 = formulas.chain(W1, W2, G)
    velocity = formulas.product_tangent(W1, W2, -g1, -g2)
    slope = derivative(lambda gap: frobenius(gap @ Sxx, gap) / 2, (E,), (velocity,))
    return slope, -frobenius(g1, g1) - second * frobenius(g2, g2)


@bound(
    "linear_nets S7.3c",
    W1=matrix("6 3"),
    W2=matrix("2 6"),
    larger=choice(["output", "input"]),
    broken={"twice c0": dict(factor=2)},
)
def conserved_lower_bound(W1, W2, larger, *, factor=1):
    r"""$\lambda_{\min}(W_2W_2^\top) + \lambda_{\min}(W_1^\top W_1) \ge c_0$, which is conserved."""
    W1, W2 = unbalanced_start(W1, W2, larger)
    smallest = [eigvalsh(Measured(1.0) * A)[0] for A in (W2 @ W2.T, W1.T @ W1)]
    size = np.sum(W1**2) + np.sum(W2**2)
    return Measured(factor * conservation.imbalance_rate(W1, W2), 64 * EPS * size), smallest[0] + smallest[1]
