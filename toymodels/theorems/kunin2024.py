"""One neuron with layerwise learning rates: conserved imbalance, phases, and the kernel that moves its map.

After Kunin, Raventós, Dominé, Chen, Klindt, Saxe, Ganguli 2024; what is marked
as our own is not stated there. The loss is |X a w - y|²/2, with no 1/n. Their
implicit bias is in `kunin2024_bias`, the distance of kernels in `kunin2024_kernel`.
"""

import numpy as np

from toymodels.arithmetic import dot, frobenius, identity_like, mT, outer
from toymodels.arithmetic.extension import adjoin_root
from toymodels.arithmetic.jets import Jet, derivative
from toymodels.claims import Paper, identity
from toymodels.linear import formulas
from toymodels.solutions import one_neuron_bias, one_neuron_phase, one_neuron_relatives
from toymodels.spaces import matrix, positive, real, symmetric, unit_vector, vector

FAMILY = "linear"
PAPER = Paper("after Kunin, Raventós, Dominé, Chen, Klindt, Saxe, Ganguli 2024", arxiv="2406.06158")
SMALL = dict(d=(1, 3))


def as_matrix(x):
    """A number as a matrix (1, 1)."""
    out = np.empty((1, 1), dtype=object)
    out[0, 0] = x
    return out


def as_row(x):
    """A number as an array (1,)."""
    return as_matrix(x)[0]


@identity(
    "linear_nets S6.2",
    w=matrix("1 d"),
    a=matrix("1 1"),
    Sxx=symmetric("d"),
    Syx=matrix("1 d"),
    eta_w=positive,
    eta_a=positive,
    broken={"a² - |w|² with unequal rates": dict(weighted=0)},
)
def imbalance_is_conserved(w, a, Sxx, Syx, eta_w, eta_a, *, weighted=1):
    r"""$\delta = \eta_w a^2 - \eta_a|w|^2$ is conserved, for any data."""
    g_w, g_a = formulas.gradient(w, a, Sxx, Syx)
    first, second = weighted * eta_w + (1 - weighted), weighted * eta_a + (1 - weighted)
    return first * eta_a * frobenius(a, g_a), second * eta_w * frobenius(w, g_w)


@identity(
    "linear_nets S6.3a",
    a=real,
    r=positive,
    n=unit_vector("d"),
    e=unit_vector("d"),
    s=positive,
    eta_w=positive,
    eta_a=positive,
    sizes=SMALL,
    broken={"delta with the other sign": dict(sign=-1)},
)
def phase_equations(a, r, n, e, s, eta_w, eta_a, *, sign=1):
    r"""$\mu' = S(\varphi s - \mu)$, $\varphi' = \frac{2\eta_a\eta_w\mu s}{S-\delta}(1-\varphi^2)$ with
    $S = \sqrt{\delta^2 + 4\eta_a\eta_w\mu^2}$.
    """
    w = r * n
    inner = s * e - a * w
    dw, da = eta_w * a * inner, eta_a * dot(w, inner)
    dr = dot(n, dw)
    spread, delta = eta_w * a * a + eta_a * r * r, eta_w * a * a - eta_a * r * r
    stated = one_neuron_phase.phase_velocity(a * r, dot(n, e), s, spread, sign * delta, eta_a * eta_w)
    return (da * r + a * dr, dot(dw - n * dr, e) / r), stated


@identity(
    "linear_nets S6.3b",
    w=vector("d"),
    b=vector("d"),
    a=real,
    sizes=SMALL,
    broken={"delta halved": dict(half=1)},
)
def ratio_equation(w, b, a, *, half=0):
    r"""$\nu = w\cdot b/a$ solves $\nu' = s^2 - \delta\nu - \nu^2$."""
    inner, delta = b - a * w, a * a - dot(w, w)
    nu = Jet(dot(w, b), dot(a * inner, b)) / Jet(a, dot(w, inner))
    # s enters as s²: adjoin its root
    s = adjoin_root(dot(b, b))
    return nu.first, one_neuron_phase.ratio_velocity(nu.value, s, delta * (2 - half) / 2)


@identity(
    "linear_nets S6.3c",
    nu0=real,
    s=real,
    tangent=real,
    E=real,
    weight=positive,
    source="own",
    broken={"rate kappa": dict(factor=2)},
)
def ratio_solution(nu0, s, tangent, E, weight, *, factor=1):
    """The shipped quotient solves the equation of nu through its pole, E = exp(-2 kappa t) adjoined."""
    # upper = s/t, lower = s t: upper lower = s², upper - lower = delta, upper + lower = 2 kappa
    upper, lower = s / tangent, s * tangent
    rate = upper + lower
    decaying = Jet(E, -rate * E)
    J = weight * (1 - decaying) / rate
    top, bottom = one_neuron_phase.ratio_parts(nu0, upper, lower, decaying, weight, J)
    nu = top / bottom
    return nu.first, factor * one_neuron_phase.ratio_velocity(nu.value, s, upper - lower)


@identity(
    "linear_nets S6.3d",
    W=matrix("m d"),
    a=matrix("1 m"),
    Sxx=symmetric("d"),
    Syx=matrix("1 d"),
    sizes=dict(m=(1, 3), d=(1, 4)),
    broken={"without the term of w": dict(keep=0)},
)
def map_moves_by_its_kernel(W, a, Sxx, Syx, *, keep=1):
    r"""$\beta' = -MX^\top(X\beta-y)$ with $M = |a|^2I + W^\top W$, for any data and any number of neurons."""
    g_W, g_a = formulas.gradient(W, a, Sxx, Syx)
    G = formulas.residual(W, a, Sxx, Syx)
    M = one_neuron_relatives.layer_mobility(keep * W, a)
    return -g_a @ W - a @ g_W, -G @ M


@identity(
    "linear_nets S6.3e",
    w=vector("d"),
    a=real,
    sizes=SMALL,
    broken={"spread - delta under the root": dict(sign=-1)},
)
def kernel_from_the_map(w, a, *, sign=1):
    r"""$M = \frac{S+\delta}2 I + \frac{S-\delta}2\frac{\beta\beta^\top}{|\beta|^2}$ is $a^2I + ww^\top$."""
    square, size = a * a, dot(w, w)
    spread, delta = square + size, sign * (square - size)
    shipped = one_neuron_bias.mobility(a * w, as_matrix(adjoin_root(2 * square)))
    spectral = (spread + delta) / 2 * identity_like(w) + (spread - delta) / 2 * outer(w, w) / size
    M = square * identity_like(w) + outer(w, w)
    return (shipped, spectral), (M, M)


@identity(
    "linear_nets S6.13a",
    X=matrix("n d"),
    y=matrix("n 1"),
    W=matrix("m d"),
    a=matrix("m 1"),
    D=matrix("m d"),
    c=matrix("m 1"),
    slopes=matrix("n m"),
    sizes=dict(n=(1, 2), m=(1, 2), d=(1, 2)),
    broken={"without 1/n": dict(power=1)},
)
def forces_of_piecewise_linear_neurons(X, y, W, a, D, c, slopes, *, power=0):
    r"""On fixed slopes $\sigma'(w_i\cdot x_k)$ the gradient is $-a_ig_i$ in $w_i$ and $-w_i\cdot g_i$ in
    $a_i$.
    """

    def residual(W, a):
        return (slopes * (X @ mT(W))) @ a - y

    loss = lambda W, a: frobenius(residual(W, a), residual(W, a)) / (2 * len(X))
    g = one_neuron_phase.piecewise_force(X, residual(W, a), slopes) * len(X) ** power
    slope = derivative(loss, (W, a), (D, c))
    return slope, -frobenius(a * D, g) - frobenius(c * W, g)


@identity(
    "linear_nets S6.13b",
    a=real,
    r=positive,
    n=unit_vector("d"),
    g=vector("d"),
    eta_w=positive,
    eta_a=positive,
    sizes=SMALL,
    broken={"delta with the other sign": dict(sign=-1)},
)
def polar_motion_under_a_force(a, r, n, g, eta_w, eta_a, *, sign=1):
    r"""$w' = \eta_wag$, $a' = \eta_aw\cdot g$ conserve $\delta$; $\mu' = S\,(\hat w\cdot g)$ and
    $\hat w' = \frac{2\eta_a\eta_w\mu}{S-\delta}(I-\hat w\hat w^\top)g$.
    """
    dw, da = eta_w * a * g, eta_a * r * dot(n, g)
    dr = dot(n, dw)
    spread, delta = eta_w * a * a + eta_a * r * r, eta_w * a * a - eta_a * r * r
    scalars = (as_row(x) for x in (spread, sign * delta, eta_a * eta_w))
    size, turn = one_neuron_phase.polar_velocity(as_row(a * r), n, g, *scalars)
    return (as_row(da * r + a * dr), (dw - n * dr) / r, eta_w * a * da), (size, turn, eta_a * r * dr)
