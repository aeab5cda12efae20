"""One neuron with layerwise learning rates: conserved imbalance, phases, mirror flow, kernel distance.

After Kunin, Raventós, Dominé, Chen, Klindt, Saxe, Ganguli 2024; what is marked
as our own is not stated there. The loss is |X a w - y|²/2, with no 1/n.
Hypotheses with roots are parametrised: with p = sqrt(spread + delta) and m =
sqrt(spread - delta) the map has length pm/2, and spread = (p² + m²)/2.
"""

import numpy as np

from toymodels.arithmetic import dot, frobenius, identity_like, mT, outer
from toymodels.arithmetic.extension import adjoin_root
from toymodels.arithmetic.jets import Jet, derivative
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import Paper, bound, identity, limit
from toymodels.linear import formulas
from toymodels.linear.one_neuron import interpolating_limit
from toymodels.solutions import one_neuron_bias, one_neuron_kernel, one_neuron_phase, one_neuron_relatives
from toymodels.solutions.one_neuron import flow
from toymodels.spaces import (
    Rejected,
    Space,
    between,
    choice,
    matrix,
    positive,
    real,
    symmetric,
    unit_vector,
    vector,
)

FAMILY = "linear"
PAPER = Paper("after Kunin, Raventós, Dominé, Chen, Klindt, Saxe, Ganguli 2024", arxiv="2406.06158")
EPS = np.finfo(float).eps
SMALL = dict(d=(1, 3))


def only(*entries):
    """The space of one vector."""
    return Space(lambda source, name: np.array(entries), "one vector")


TURNING = dict(
    w=only(2.0, 0.3, 0.1), a=between(-0.2, -0.1), row=only(1.0, 0.0, 0.0), shift=only(0.0, -0.3, -0.1)
)
"""Starts whose output weight changes sign, and a step that lowers the potential with the wrong sign."""


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
    "linear_nets S6.6a",
    w=vector("d"),
    X=matrix("n d"),
    multipliers=vector("n"),
    p=positive,
    q=positive,
    sign=choice([1, -1]),
    sizes=dict(d=(2, 4), n=(1, 2)),
    source="own, of the potential of Kunin et al. 2024 (arXiv 2406.06158)",
    broken={"linear term without the sign": dict(signed=0)},
)
def minimiser_of_the_potential(w, X, multipliers, p, q, sign, *, signed=1):
    r"""At the limit $\nabla\Phi(\beta) - \sigma\psi$ is orthogonal to the null space of X, $\sigma$ the sign
    of $a_\infty a_0$: the condition for the minimum of $\Phi(\beta) - \sigma\psi\cdot\beta$ over the
    interpolators.
    """
    two = adjoin_root(p * 0 + 2)
    end = w + multipliers @ X
    # a0 = p, a = sign q: the roots of spread + delta are sqrt(2)|a|
    psi = one_neuron_bias.mirror(p * w, as_row(two * p))
    gradient = one_neuron_bias.mirror(sign * q * end, as_row(two * q))
    side = sign if signed else 1
    return gradient - side * psi, two * sign * (multipliers @ X)


@bound(
    "linear_nets S6.6b",
    w=vector("3"),
    a=real,
    row=unit_vector("3"),
    fit=between(0.3, 2),
    shift=vector("3"),
    cost="trajectory",
    source="own, of the potential of Kunin et al. 2024 (arXiv 2406.06158)",
    broken={"linear term without the sign": dict(TURNING, signed=0)},
)
def no_interpolator_lies_lower(w, a, row, fit, shift, *, signed=1):
    r"""No interpolator has a smaller $\Phi(\beta) - \sigma\psi\cdot\beta$ than the limit of the flow."""
    w, a, row, fit, shift = (np.asarray(value_of(x), dtype=float) for x in (w, a, row, fit, shift))
    if abs(a) < 1e-3 or np.linalg.norm(w) < 1e-3:
        raise Rejected("no direction at the start")
    end = interpolating_limit(row[None], [fit], w, a)
    delta, sign = a * a - w @ w, np.sign(end.a) * np.sign(a)
    psi = one_neuron_bias.potential_gradient(a * w, delta)
    other = end.beta + shift - row * (shift @ row)

    def height(beta):
        linear = psi @ beta * (sign if signed else 1.0)
        value = one_neuron_bias.potential(beta, delta)
        size = abs(value) + abs(delta) ** 1.5 + np.linalg.norm(psi) * np.linalg.norm(beta)
        return Measured(value - linear, 64 * EPS * (size + 1))

    return height(end.beta), height(other)


def polar(p, m, u):
    """Map, spread, delta and the roots at sqrt(spread ± delta) = p, m and direction u."""
    return p * m / 2 * u, (p * p + m * m) / 2, (p * p - m * m) / 2


def moving(p, m, u, v):
    """The map, spread and root as jets along v, delta fixed."""
    beta, spread, delta = polar(p, m, u)
    slope = 2 * p * m * dot(u, v) / spread
    return Jet(beta, v), Jet(spread, slope), Jet(p, slope / (2 * p)), delta


@identity(
    "linear_nets S6.7a; linear_nets D8",
    p=positive,
    m=positive,
    u=unit_vector("d"),
    v=vector("d"),
    sizes=SMALL,
    broken={"S - delta in front": dict(fewer=1)},
)
def gradient_of_the_potential(p, m, u, v, *, fewer=0):
    r"""The gradient of $\Phi = \frac13(S-2\delta)\sqrt{S+\delta}$, $S = \sqrt{\delta^2+4|\beta|^2}$, is
    $\sqrt{S-\delta}\,\beta/|\beta|$.
    """
    beta, spread, root, delta = moving(p, m, u, v)
    value = one_neuron_bias.potential_value(spread, delta * (2 - fewer) / 2, root)
    gradient = one_neuron_bias.mirror(beta.value, as_row(p))
    return (value.first, gradient), (dot(gradient, v), m * u)


@identity(
    "linear_nets S6.7b",
    p=positive,
    m=positive,
    u=unit_vector("d"),
    v=vector("d"),
    sizes=SMALL,
    broken={"time warp sqrt(S - delta)": dict(other=1)},
)
def time_warped_mirror_flow(p, m, u, v, *, other=0):
    r"""$M\nabla^2\Phi = \sqrt{S+\delta}\,I$: the map follows a mirror flow of $\Phi$ in its own time."""
    beta, spread, root, _ = moving(p, m, u, v)
    along = one_neuron_bias.mirror(beta, root * as_row(p * 0 + 1)).first
    scalars = as_matrix(spread.value), as_matrix(p)
    hessian = one_neuron_bias.potential_curvature(u, *scalars)
    M = one_neuron_bias.mobility(beta.value, scalars[1])
    return (hessian @ v, M @ hessian), (along, (m if other else p) * identity_like(u))


def end_of(row, fit, beta, delta, frozen=1):
    """The interpolator that a start beta of imbalance delta > 0 or < 0 reaches, a0 > 0."""
    size = np.linalg.norm(beta)
    root = np.hypot(delta, 2 * size)
    large = np.sqrt((root + abs(delta)) / 2)
    a = large if delta >= 0 else size / large
    return interpolating_limit(row[None], [fit], beta / a, a, sign=1.0).beta


@limit(
    "linear_nets S6.8a",
    row=unit_vector("3"),
    beta=vector("3"),
    fit=between(0.3, 2),
    order=1,
    broken={"the least-norm interpolator": dict(projection=0)},
)
def upstream_limit(row, beta, fit, *, projection=1):
    r"""$\delta \to +\infty$: the limit is the Euclidean projection of $\beta_0$ on the interpolators."""
    row, beta = np.asarray(row), np.asarray(beta)
    deltas = 10.0 ** np.arange(1, 7)
    nearest = row * fit + projection * (beta - row * (row @ beta))
    gaps = [np.linalg.norm(end_of(row, fit, beta, x) - nearest) for x in deltas]
    return 1 / deltas, Measured(np.array(gaps), 64 * EPS * (1 + np.linalg.norm(beta))), 0.0


@limit(
    "linear_nets S6.8b",
    row=unit_vector("3"),
    beta=vector("3"),
    fit=between(0.3, 2),
    order=1,
    broken={"the Euclidean projection": dict(scaled=0)},
)
def downstream_limit(row, beta, fit, *, scaled=1):
    r"""$\delta \to -\infty$, one row, $\beta_0\cdot X^+y > 0$: the limit is the multiple of $\beta_0$ that
    interpolates.
    """
    row, beta = np.asarray(row), np.asarray(beta)
    row = row * np.sign(row @ beta)
    if row @ beta < 0.2 * np.linalg.norm(beta):
        raise Rejected("nearly orthogonal")
    deltas = 10.0 ** np.arange(1, 7)
    nearest = beta * fit / (row @ beta) if scaled else beta + row * (fit - row @ beta)
    gaps = [np.linalg.norm(end_of(row, fit, beta, -x) - nearest) for x in deltas]
    # w is as long as the root of |delta|, its frozen part rounded with it, a as short
    return 1 / deltas, Measured(np.array(gaps), 1e3 * EPS * (1 + np.linalg.norm(beta))), 0.0


@identity(
    "linear_nets S6.8c",
    row=unit_vector("3"),
    beta=vector("3"),
    fit=between(0.3, 2),
    source="own",
    broken={"delta = 0 selects the least-norm interpolator": dict(frozen=0)},
)
def balanced_limit(row, beta, fit, *, frozen=1):
    r"""$\delta = 0$: the limit is $X^+y + a_\infty w_\perp$, the least-norm one only if $w_\perp = 0$."""
    row, beta, fit = (np.asarray(value_of(x), dtype=float) for x in (row, beta, fit))
    size = np.linalg.norm(beta)
    if size < 1e-3:
        raise Rejected("no direction at the start")
    w = beta / np.sqrt(size)
    across = w - row * (row @ w)
    square = across @ across
    a = np.sqrt((square + np.hypot(square, 2 * fit)) / 2)
    ended = end_of(row, fit, beta, 0.0)
    return Measured(ended, 64 * EPS * (1 + size + fit)), row * fit + frozen * a * across


@identity(
    "linear_nets S6.9a",
    w=vector("d"),
    a=real,
    v=vector("d"),
    b=real,
    sizes=SMALL,
    broken={"a(0) in the second norm": dict(stale=1)},
)
def kernel_inner_products(w, a, v, b, *, stale=0):
    r"""$\langle M,M'\rangle = d\,a^2a'^2 + a^2|w'|^2 + a'^2|w|^2 + (w\cdot w')^2$, and both norms."""
    d = len(w)
    M, N = (x * x * identity_like(w) + outer(y, y) for x, y in ((a, w), (b, v)))
    A, B, C, D = a * a, dot(w, w), b * b, dot(v, v)
    second = A if stale else C
    inner = one_neuron_kernel.inner_product(A, B, C, D, dot(w, v) * dot(w, v), d)
    square = one_neuron_kernel.inner_product(second, D, second, D, D * D, d)
    return (frobenius(M, N), frobenius(N, N)), (inner, square)


@identity(
    "linear_nets S6.9b",
    w=vector("d"),
    a=real,
    v=vector("d"),
    b=real,
    sizes=SMALL,
    source="own",
    broken={"d for d - 1": dict(more=1)},
)
def kernel_angle(w, a, v, b, *, more=0):
    """The sum of positive terms for |M|²|M'|² - <M, M'>² that the shipped distance is made of."""
    d = len(w)
    A, B, C, D, overlap = a * a, dot(w, w), b * b, dot(v, v), dot(w, v) * dot(w, v)
    inner = one_neuron_kernel.inner_product
    sizes = inner(A, B, A, B, B * B, d) * inner(C, D, C, D, D * D, d)
    along = inner(A, B, C, D, overlap, d)
    return one_neuron_kernel.angle_square(A, B, C, D, B * D - overlap, d + more), sizes - along * along


@identity(
    "linear_nets S6.9c",
    w=vector("d"),
    a=real,
    b=vector("d"),
    t=between(0, 5),
    cost="trajectory",
    sizes=SMALL,
    broken={"a(0) in the second norm": dict(stale=1)},
)
def kernel_distance_along_the_flow(w, a, b, t, *, stale=0):
    """The shipped S(0, t) is 1 minus the cosine between M(0) and M(t)."""
    w, a, b, t = (np.asarray(value_of(x), dtype=float) for x in (w, a, b, t))
    if np.hypot(np.linalg.norm(w), a) < 1e-3:
        raise Rejected("no kernel at the start")
    w_t, a_t = flow(w, a, b, t)
    M, N, stale_N = (x * x * np.eye(len(w)) + np.outer(y, y) for x, y in ((a, w), (a_t, w_t), (a, w_t)))
    norm = np.linalg.norm(M) * np.linalg.norm(stale_N if stale else N)
    return Measured(1 - (M * N).sum() / norm, 64 * len(w) * EPS), one_neuron_kernel.distance_along(w, a, b, t)


@identity(
    "linear_nets S6.9d",
    p=positive,
    q=positive,
    w=unit_vector("d"),
    e=unit_vector("d"),
    sizes=SMALL,
    broken={"d + 2": dict(more=-1)},
)
def balanced_kernel_distance(p, q, w, e, *, more=0):
    r"""At balance $S(0,\infty) = (1-\varphi_0^2)/(d+3)$."""
    d, A, C, phi = len(w), p * p, q * q, dot(w, e)
    sine = 1 - phi * phi
    along = one_neuron_kernel.inner_product(A, A, C, C, A * C * phi * phi, d)
    square = one_neuron_kernel.angle_square(A, A, C, C, A * C * sine, d)
    # |M| = A sqrt(d + 3) at balance
    return one_neuron_kernel.distance_share(square, along, A * C * (d + 3)), sine / (d + 3 + more)


@identity(
    "linear_nets S6.9e",
    w=vector("d"),
    a=real,
    b=vector("d"),
    cost="trajectory",
    sizes=SMALL,
    broken={"the start's imbalance forgotten at the end": dict(keep=0)},
)
def kernel_distance_at_the_end(w, a, b, *, keep=1):
    r"""$S(0,\infty)$ from $A, B = (S \pm \delta)/2$ at $|\beta_0|$ and at s, and the start's alignment."""
    w, a, b = (np.asarray(value_of(x), dtype=float) for x in (w, a, b))
    size, s, d = np.linalg.norm(w), np.linalg.norm(b), len(w)
    delta = a * a - w @ w
    if size < 1e-3 or s < 1e-3 or abs(a) < 1e-3:
        raise Rejected("no direction")
    spread, end = np.hypot(delta, 2 * abs(a) * size), np.hypot(keep * delta, 2 * s)
    A, B = (spread + delta) / 2, (spread - delta) / 2
    C, D = (end + keep * delta) / 2, (end - keep * delta) / 2
    phi = w @ b / (size * s)
    along = d * A * C + A * D + C * B + B * D * phi**2
    norms = np.sqrt((d * A * A + 2 * A * B + B * B) * (d * C * C + 2 * C * D + D * D))
    if abs(w @ b + (np.hypot(s, delta / 2) + delta / 2) * a) < 1e-9:
        raise Rejected("too near to the separatrix")
    budget = 256 * d * EPS * (1 + abs(delta) / min(spread, end))
    return Measured(1 - along / norms, budget), one_neuron_kernel.distance_at_end(w, a, b)


@limit(
    "linear_nets S6.9f",
    beta=unit_vector("3"),
    e=unit_vector("3"),
    side=choice([1.0, -1.0]),
    order=1,
    broken={"upstream is rich too": dict(side=choice([1.0]), rich=1)},
)
def kernel_distance_of_large_imbalance(beta, e, side, *, rich=0):
    r"""$S(0,\infty)$ tends to 0 for $\delta \to +\infty$ (lazy), to $1-\varphi_0^2$ for $-\infty$ (rich)."""
    beta, e = np.asarray(beta), np.asarray(e)
    deltas = 10.0 ** np.arange(1, 7)
    sequence = []
    for delta in side * deltas:
        large = np.sqrt((np.hypot(delta, 2.0) + abs(delta)) / 2)
        a = large if delta > 0 else 1 / large
        sequence.append(one_neuron_kernel.distance_at_end(beta / a, a, e))
    rich_end = 1 - (beta @ e) ** 2
    return 1 / deltas, Measured(np.array(sequence), 1e3 * EPS), rich_end if side < 0 or rich else 0.0


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
