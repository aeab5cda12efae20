"""Lazy and active modes in one net: isotropic weights, after Tu, Aranguri, Jacot 2024.

They derive an equation for the product at large width; that it holds exactly at finite width on the
class M J M = gamma² J, and its closed form on whitened inputs, is our own.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import mT
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, svdvals
from toymodels.claims import Paper, bound, identity
from toymodels.linear import TwoLayerLinear, closure, riccati
from toymodels.linear.cases import isotropic_start
from toymodels.linear.forms import Units
from toymodels.solutions import scalar_mode
from toymodels.spaces import POSITIVE, integer, matrix, symmetric, vector

FAMILY = "linear"
PAPER = Paper("own, model of Tu, Aranguri, Jacot 2024", arxiv="2405.17580")
EPS = np.finfo(float).eps
TIMES = np.array([0.7])
SMALL = dict(d=(1, 2), c=(1, 1))


@identity(
    "linear_nets S5.9a; linear_nets D7",
    W=matrix("c d"),
    C2=symmetric("c"),
    C1=symmetric("d"),
    R=matrix("c d"),
    broken={"the layers' Gram matrices exchanged signs": dict(sign=-1)},
)
def isotropy_is_invariant(W, C2, C1, R, *, sign=1):
    r"""Any inputs, R = -G: $X = C_2^2 - WW^\top$, $Y = C_1^2 - W^\top W$, $Z = C_2W - WC_1$ move by $X' =
    ZR^\top + RZ^\top$, $Y' = -(Z^\top R + R^\top Z)$, $Z' = XR - RY$; so $X = Y = \gamma^2$, $Z = 0$ stays.
    """
    velocity = closure.product_velocity(-R, C2, C1)
    moving: Any = Jet(W, velocity), Jet(C2, R @ mT(W) + W @ mT(R)), Jet(C1, sign * (mT(R) @ W + mT(W) @ R))
    X, Y, Z = closure.isotropy(W, C2, C1)
    blocks: Any = closure.isotropy(*moving)
    moved = tuple(block.first for block in blocks)
    return moved, (Z @ mT(R) + R @ mT(Z), -(mT(Z) @ R + mT(R) @ Z), X @ R - R @ Y)


@identity(
    "linear_nets S5.9b",
    p=vector("3", POSITIVE),
    gamma=vector("1", POSITIVE),
    M=matrix("3 3"),
    broken={"gamma doubled": dict(factor=4)},
)
def shift_removes_the_source(p, gamma, M, *, factor=1):
    r"""$X = M + \Omega - F$, $\Omega = (F^2 + \gamma^2)^{1/2}$, turns $M' = FM + MF - M^2 + \gamma^2$ into
    $X' = \Omega X + X\Omega - X^2$ ($f = (p - \gamma^2/p)/2$ makes $\Omega$ rational).
    """
    unit, square = np.eye(3, dtype=int), gamma * gamma
    F, omega = unit * ((p - square / p) / 2), unit * ((p + square / p) / 2)
    X = M + omega - F
    return riccati.velocity(M, F) + factor * square * unit, riccati.velocity(X, omega)


@identity(
    "linear_nets S5.9c",
    start=isotropic_start(),
    sizes=SMALL,
    cost="trajectory",
    broken={"Gaussian start of width N": dict(start=isotropic_start(gaussian=True), pretend=1)},
)
def closed_form_is_the_flow(start, *, pretend=0):
    """Isotropic weights on whitened inputs: the closed Gram matrix is that of the flow."""
    return against_the_flow(start, pretend)


@identity(
    "linear_nets S5.9d",
    start=isotropic_start(coloured=True),
    sizes=SMALL,
    cost="trajectory",
    broken={
        "Gaussian start of width N": dict(start=isotropic_start(coloured=True, gaussian=True), pretend=1)
    },
)
def product_closes_on_any_inputs(start, *, pretend=0):
    r"""Isotropic weights, any inputs: $W' = -(C_2G + GC_1)$ with $C_2 = (WW^\top + \gamma^2)^{1/2}$, $C_1 =
    (W^\top W + \gamma^2)^{1/2}$ gives the flow.
    """
    return against_the_flow(start, pretend)


def against_the_flow(start, pretend):
    """Gram matrices of the closed form (pretending: of an isotropic start of that trace) and of the flow."""
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=len(start.W1))
    run = dynamics.flow(net, start.theta, TIMES, record=())
    moved = run.error * (2 * np.linalg.norm(run.theta, axis=-1) + run.error)
    gram = Measured(net.gram(run.theta), moved[..., None, None])
    form: Any
    if pretend:
        square = np.asarray(np.sum(start.theta**2) ** 2 / sum(start.Syx.shape) ** 2)
        units, pretended = Units.of(net, (1.0, 1.0)), closure.Closure(0 * square, square, 0.0)
        form = closure.Closed(net, start.W1, start.W2, units, pretended)
    else:
        form = net.closed_form(start.theta, np.ones(2))
    return Measured(form.gram(TIMES), form.gram_error(TIMES)[..., None, None]), gram


@identity(
    "linear_nets S5.9e",
    start=isotropic_start(empty=True),
    sizes=dict(d=(1, 3), c=(1, 3)),
    cost="trajectory",
    broken={"a0 = sqrt(gamma)": dict(share=1)},
)
def from_zero_each_mode_is_scalar(start, *, share=2):
    r"""From $W(0) = 0$ the singular values move like scalar modes from $(\sqrt{2\gamma}, 0)$: $u' =
    2(u^2 + \gamma^2)^{1/2}(s - u)$.
    """
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=len(start.W1))
    form, t = dynamics.exact(net, start.theta), TIMES[0]
    values = svdvals(Measured(form.product(t), form.gram_error(t)))
    s = np.linalg.svd(start.Syx, compute_uv=False)
    u = scalar_mode.product(np.sqrt(share * start.gamma), 0.0, s, t)
    return values, Measured(u, 64 * EPS * (1 + s[0]))


@bound(
    "linear_nets S5.9f",
    seed=integer(0, 2),
    cost="trajectory",
    broken={"width 50 only": dict(wide=50)},
)
def gaussian_starts_approach_it(seed, *, wide=3200):
    r"""Gaussian weights of variance $\gamma/m$: the distance of the flow from the isotropic one falls with
    the width, below 0.06 (relative) at m = 3200.
    """
    narrow, distance = mean_distance(seed, 50), mean_distance(seed, wide)
    return (distance, distance), (narrow / 2, 0.06)


@lru_cache
def mean_distance(seed, m, gamma=0.3, repeats=4):
    """Mean relative distance of the products at t = 0.7 from the isotropic one."""
    rng, s = np.random.default_rng(seed), np.array([1.5, 0.5])
    net = TwoLayerLinear.from_statistics(np.eye(2), np.diag(s), 1.0 + s @ s, width=4)
    u = scalar_mode.product(np.sqrt(2 * gamma), 0.0, s, TIMES[0])
    Q = np.sqrt(gamma / m) * rng.standard_normal((repeats, 4, m))
    # the product knows QQᵀ alone, so the hidden layer is turned into its first four units
    root = np.linalg.cholesky(Q @ Q.mT)
    run = dynamics.flow(net, net.pack(root[:, :2].mT, root[:, 2:]), TIMES, record=())
    distances = np.linalg.norm(net.product(run.theta[0]) - np.diag(u), axis=(1, 2))
    return float(distances.mean() / np.linalg.norm(u))
