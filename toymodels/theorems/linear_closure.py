"""What the product alone knows: its own equation on any inputs, where it ends, the rank that it keeps."""

from typing import Any

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import frobenius, identity_like, mT
from toymodels.arithmetic.measured import Measured, svdvals
from toymodels.claims import identity
from toymodels.linear import TwoLayerLinear, closure, formulas
from toymodels.linear.cases import balanced_start
from toymodels.linear.factors import balanced_factors
from toymodels.linear.forms import Units
from toymodels.spaces import frame, matrix, real, symmetric

FAMILY = "linear"
EPS = np.finfo(float).eps
TIMES = np.array([0.7])
SMALL = dict(d=(1, 2), m=(1, 2), c=(1, 2))
NARROW = dict(d=(1, 3), m=(1, 1), c=(2, 2))


@identity(
    "linear_nets S5.8a",
    W1=matrix("m d"),
    W2=matrix("c m"),
    G=matrix("c d"),
    broken={"C1 alone": dict(second=0)},
)
def product_velocity(W1, W2, G, *, second=1):
    r"""$W' = -(C_2G + GC_1)$ with $C_2 = W_2W_2^\top$, $C_1 = W_1^\top W_1$, for any weights."""
    moved = formulas.product_tangent(W1, W2, *formulas.chain(W1, W2, -G))
    return moved, closure.product_velocity(G, second * (W2 @ mT(W2)), mT(W1) @ W1)


@identity("linear_nets S5.8b", W1=matrix("m d"), W2=matrix("c m"), broken={"W for Wᵀ": dict(half=2)})
def layer_grams_square(W1, W2, *, half=1):
    r"""$C_2^2 - WW^\top = W_2\Lambda W_2^\top$ and $C_1^2 - W^\top W = -W_1^\top\Lambda W_1$: with $\Lambda =
    \lambda I$, $C_2^2 - \lambda C_2 = WW^\top$ and $C_1^2 + \lambda C_1 = W^\top W$.
    """
    W, imbalance = formulas.product(W1, W2), half * formulas.imbalance(W1, W2)
    C2, C1 = W2 @ mT(W2), mT(W1) @ W1
    return (C2 @ C2 - W @ mT(W), C1 @ C1 - mT(W) @ W), (W2 @ imbalance @ mT(W2), -(mT(W1) @ imbalance @ W1))


@identity(
    "linear_nets S5.8c",
    start=balanced_start(coloured=True, closed=True),
    sizes=dict(d=(1, 4), m=(1, 4), c=(1, 4)),
    cost="trajectory",
    broken={"m = 1 < c = 2, lam > 0": dict(start=balanced_start(coloured=True), sizes=NARROW)},
)
def layer_grams_from_the_product(start):
    r"""$C_2 = \lambda/2 + (\lambda^2/4 + WW^\top)^{1/2}$ and $C_1$ alike are functions of the product for
    $\lambda = 0$, or $\lambda > 0$ and m = c, or $\lambda < 0$ and m = d.
    """
    W = start.W2 @ start.W1
    rebuilt = closure.layer_grams(W, start.lam / 2, start.lam**2 / 4)
    # a root of a singular matrix, to rounding of its square
    error = 64 * sum(W.shape) * EPS * (np.linalg.norm(W) + abs(start.lam) + np.sum(start.theta**2))
    return tuple(Measured(C, error) for C in rebuilt), (
        Measured(start.W2 @ start.W2.T, error),
        Measured(start.W1.T @ start.W1, error),
    )


@identity(
    "linear_nets S5.8d",
    start=balanced_start(coloured=True, closed=True),
    sizes=SMALL,
    cost="trajectory",
    broken={"m = 1 < c = 2, lam > 0": dict(forced=1, start=balanced_start(coloured=True), sizes=NARROW)},
)
def product_closes_on_any_inputs(start, *, forced=0):
    """Any inputs: the product's own equation gives the Gram matrix of the flow."""
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=len(start.W1))
    form: Any = net.closed_form(start.theta, np.ones(2)) if not forced else None
    if forced:
        lam = np.asarray(start.lam)
        assumed = closure.Closure(lam / 2, lam**2 / 4, 0.0)
        form = closure.Closed(net, start.W1, start.W2, Units.of(net, (1.0, 1.0)), assumed)
    run = dynamics.flow(net, start.theta, TIMES, record=())
    moved = run.error * (2 * np.linalg.norm(run.theta, axis=-1) + run.error)
    left = Measured(form.gram(TIMES), form.gram_error(TIMES)[..., None, None])
    return left, Measured(net.gram(run.theta), moved[..., None, None])


@identity(
    "linear_nets 5.8 limit",
    G=matrix("c d"),
    B=matrix("c k"),
    A=matrix("d m"),
    lam=real,
    source="own",
    broken={"C2 without lam": dict(least=0)},
)
def driven_flow_stops_at_zero_gradient(G, B, A, lam, *, least=1):
    r"""With $C_2 = \lambda I + BB^\top$, $C_1 = AA^\top$ the loss falls at the rate $\lambda\|G\|^2 +
    \|B^\top G\|^2 + \|GA\|^2$: for $\lambda > 0$ the flow stops only where G = 0, whatever the inputs.
    """
    C2 = least * lam * identity_like(mT(G)) + B @ mT(B)
    fall = lam * frobenius(G, G) + frobenius(mT(B) @ G, mT(B) @ G) + frobenius(G @ A, G @ A)
    return frobenius(G, closure.product_velocity(G, C2, A @ mT(A))), -fall


@identity(
    "linear_nets S5.12a",
    U=frame("c r"),
    V=frame("d r"),
    H=symmetric("r"),
    K=symmetric("r"),
    G=matrix("c d"),
    L=matrix("c c"),
    sizes=dict(c=(1, 2), d=(1, 2), r=(1, 1)),
    broken={"a second layer of another range": dict(beyond=1)},
)
def balanced_flow_keeps_the_range(U, V, H, K, G, L, *, beyond=0):
    r"""Balanced layers have $C_2 = UHU^\top$, $C_1 = VKV^\top$ for $W = UAV^\top$: W' is tangent to the
    matrices of rank r, $(I - UU^\top)W'(I - VV^\top) = 0$ on any data.
    """
    C2, C1 = U @ H @ mT(U) + beyond * (L @ mT(L)), V @ K @ mT(V)
    moved = closure.product_velocity(G, C2, C1)
    inside = moved - U @ (mT(U) @ moved)
    return inside - (inside @ V) @ mT(V), 0 * moved


@identity(
    "linear_nets S5.12b",
    start=balanced_start(coloured=True),
    sizes=dict(d=(2, 3), m=(2, 2), c=(2, 3)),
    cost="trajectory",
    broken={"unbalanced start of rank one": dict(tilt=0.7)},
)
def rank_is_constant(start, *, tilt=0.0):
    """Balanced weights, any data: the rank of the product is that of its start (here one: the second
    singular value stays zero).
    """
    U, u, Vt = np.linalg.svd(start.W2 @ start.W1)
    W1, W2 = balanced_factors(u[0] * np.outer(U[:, 0], Vt[0]), 0.0, width=2)
    W1[1] += tilt * Vt[1]
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=2)
    run = dynamics.flow(net, net.pack(W1, W2), TIMES, record=())
    size = np.linalg.norm(run.theta, axis=-1)
    values = svdvals(Measured(net.product(run.theta), (size * run.error)[:, None, None]))
    return values[:, 1:], Measured(np.zeros(values.value[:, 1:].shape))
