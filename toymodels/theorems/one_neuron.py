"""One linear neuron w' = a(b - aw), a' = w.(b - aw): one exact solution for every imbalance, its limits.

The loss is |X a w - y|²/2 with XᵀX = I, b = Xᵀy. Exponentials are adjoined: h
stands for e^{-kappa t} and g for e^{-delta t/2}, differentiated by their own
rates, so the shipped formulas are decided for all times at once.
"""

from typing import NamedTuple

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import dot
from toymodels.arithmetic.extension import adjoin_root
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import identity
from toymodels.linear import TwoLayerLinear
from toymodels.linear.neuron_cases import NeuronStart, neuron_start, only_start
from toymodels.solutions import one_neuron, one_neuron_limits, scalar_mode
from toymodels.solutions.one_neuron_start import unstable_coordinate
from toymodels.spaces import Rejected, between, positive, real, unit_vector, vector

FAMILY = "linear"
EPS = np.finfo(float).eps
SMALL = dict(d=(1, 3))

ONE_START = only_start(NeuronStart(np.array([1.0, 0.0]), 0.5, np.array([0.0, 1.0]), (1.0, 1.0)))


class Solution(NamedTuple):
    """The formulas at one time, as jets: layers over the root of `square`."""

    w0: object
    a0: object
    target: object
    top_w: Jet
    top_a: Jet
    square: Jet
    residual: Jet


def solution(tangent, c_plus, c_minus, e, v, h, g, scale, weight, keep=1):
    """Run the shipped formulas; v holds the start's part across e, `scale` and `weight` are free."""
    x, y = 2 * tangent / (1 + tangent**2), (1 - tangent**2) / (1 + tangent**2)
    a0, w1 = y * c_plus - x * c_minus, x * c_plus + y * c_minus
    sideways = v - e * dot(e, v)
    wide = dot(sideways, sideways)
    delta = a0 * a0 - w1 * w1 - wide
    kappa = delta / (2 * (y * y - x * x))
    s = 2 * kappa * x * y
    fast, shrinking = Jet(h, -kappa * h), Jet(g, -delta * g / 2)
    D, P, H = 1 - fast * fast, scale * c_plus, scale * fast
    J = weight * D / (2 * kappa)
    spill = weight * wide * H * H * (1 - shrinking * shrinking) / delta
    top_a, along = scalar_mode.numerators(x, y, a0, w1, P, H, fast, D)
    square = one_neuron.common_square(P, H, c_minus, weight, J, spill)
    residual = one_neuron.residual_along(s - a0 * w1, keep * s, H, weight, spill, square)
    # w = top_w sqrt(K) / sqrt(square): the weight under the root goes to the square
    top_w = along * e + H * shrinking * sideways
    return Solution(w1 * e + sideways, a0, s * e, top_w, top_a, square / weight, residual)


START = dict(tangent=real, c_plus=real, c_minus=real, e=unit_vector("d"), v=vector("d"))
TIME = dict(h=real, g=real, scale=positive, weight=positive)


@identity(
    "linear_nets S6.1a", **START, **TIME, sizes=SMALL, source="own", broken={"half the speed": dict(speed=2)}
)
def formula_solves_the_flow(tangent, c_plus, c_minus, e, v, h, g, scale, weight, *, speed=1):
    r"""The shipped formula solves $w' = a(b-aw)$, $a' = w\cdot(b-aw)$ for every start, all times."""
    run = solution(tangent, c_plus, c_minus, e, v, h, g, scale, weight)
    W, A, N = run.top_w.value, run.top_a.value, run.square.value
    # with a = A/sqrt(N): a' sqrt(N) = A' - A N'/(2N)
    moved = [top.first - top.value * (run.square.first / (2 * N)) for top in (run.top_w, run.top_a)]
    inner = run.target - W * (A / N)
    return (speed * moved[0], speed * moved[1]), (A * inner, dot(W, inner))


@identity(
    "linear_nets S6.1b",
    **START,
    scale=positive,
    weight=positive,
    sizes=SMALL,
    source="own",
    broken={"a part across that doubles": dict(factor=2)},
)
def formula_starts_right(tangent, c_plus, c_minus, e, v, scale, weight, *, factor=1):
    """At t = 0 the formula gives w0 and a0 (numerators over the root scale)."""
    one = 0 * scale + 1
    run = solution(tangent, c_plus, c_minus, e, v, one, one, scale, weight)
    w0 = dot(run.w0, e) * e + factor * (run.w0 - dot(run.w0, e) * e)
    return (run.top_w.value, run.top_a.value, run.square.value), (scale * w0, scale * run.a0, scale * scale)


@identity(
    "linear_nets S6.1c",
    start=neuron_start(),
    cost="trajectory",
    sizes=SMALL,
    source="own",
    broken={"beta(t) depends on the start only through beta(0)": dict(start=ONE_START, factor=2.0)},
)
def closed_form_is_the_flow(start, *, factor=1.0):
    """The closed form agrees with the integrated flow: layerwise rates, balanced, a = 0, w = 0, no target."""
    d, times = len(start.w), np.array([0.0, 0.3, 1.0])
    net = TwoLayerLinear(np.eye(d), start.target, width=1, weights=np.ones(d))
    run = dynamics.flow(net, np.append(start.w, start.a), times, rates=start.rates, record=())
    w, a = one_neuron.flow(factor * start.w, start.a / factor, start.target, times, start.rates)
    beta, (W, A) = a[:, None] * w, (run.theta[:, :-1], run.theta[:, -1:])
    size = np.linalg.norm(run.theta, axis=-1) + np.linalg.norm(run.theta[0])
    error = (run.error + 1e-12 * size)[:, None]
    return Measured(beta, 1e-12 * size[:, None] ** 2), Measured(W, error) * Measured(A, error)


@identity(
    "linear_nets S6.1d",
    w=vector("d"),
    b=vector("d"),
    a=real,
    q=positive,
    r=positive,
    sizes=SMALL,
    source="own",
    broken={"w and a scaled alike": dict(power=-1)},
)
def unit_rates(w, b, a, q, r, *, power=1):
    r"""$\hat w = (\eta_a/\eta_w)^{1/4} w$, $\hat a = (\eta_w/\eta_a)^{1/4} a$ move at unit rates in the time
    $\sqrt{\eta_a\eta_w}\,t$.
    """
    eta_w, eta_a = r / (q * q), r * q * q
    W, A = q * w, a / q**power
    inner = b - a * w
    moved = (q * eta_w * a * inner, eta_a * dot(w, inner) / q**power)
    inner = b - A * W
    return moved, (r * A * inner, r * dot(W, inner))


@identity(
    "linear_nets S6.1e",
    **START,
    **TIME,
    sizes=SMALL,
    source="own",
    broken={"without what lies across": dict(keep=0)},
)
def residual_formula(tangent, c_plus, c_minus, e, v, h, g, scale, weight, *, keep=1):
    r"""The residual along the target is $(r_0 e^{-2\kappa t} + s|w_\perp|^2 I)/\tilde N$."""
    run = solution(tangent, c_plus, c_minus, e, v, h, g, scale, weight, keep)
    along = dot(run.target - run.top_w.value * (run.top_a.value / run.square.value), e)
    return run.residual.value, along


@identity(
    "linear_nets S6.1f",
    tangent=real,
    c_plus=real,
    c_minus=real,
    wide=real,
    source="own",
    broken={"without what lies across": dict(keep=0)},
)
def leading_coordinate(tangent, c_plus, c_minus, wide, *, keep=1):
    """The form of c+ that does not cancel for delta >= 0 is c+."""
    x, y = 2 * tangent / (1 + tangent**2), (1 - tangent**2) / (1 + tangent**2)
    a0, w1 = y * c_plus - x * c_minus, x * c_plus + y * c_minus
    delta = a0 * a0 - w1 * w1 - wide * wide
    kappa = delta / (2 * (y * y - x * x))
    return unstable_coordinate(x, y, a0, w1, kappa, delta, keep * wide * wide), c_plus


@identity(
    "linear_nets S6.4a",
    w=vector("d"),
    a=real,
    e=unit_vector("d"),
    s=between(0.5, 2),
    cost="trajectory",
    sizes=SMALL,
    source="own",
    broken={"sign(w.b) decides": dict(output=0)},
)
def basins(w, a, e, s, *, output=1):
    r"""$a_\infty = \sigma\sqrt{\kappa+\delta/2}$, $w_\infty = \sigma\sqrt{\kappa-\delta/2}\,e$ with
    $\sigma$ the sign of $w_0\cdot b + (\kappa+\delta/2)a_0$.
    """
    w, a, e, s = (value_of(x) for x in (w, a, e, s))
    delta = a * a - w @ w
    kappa = np.hypot(s, delta / 2)
    large = kappa + abs(delta) / 2
    upper, lower = (large, s * s / large) if delta >= 0 else (s * s / large, large)
    side = s * (w @ e) + output * upper * a
    if abs(s * (w @ e) + upper * a) < 1e-9 or abs(side) < 1e-9:
        raise Rejected("too near to the separatrix")
    ends = one_neuron.flow(w, a, s * e, 1e6)
    w_end, a_end = np.sign(side) * np.sqrt(lower) * e, np.sign(side) * np.sqrt(upper)
    # a rounding of delta or s moves the end by as much
    budget = 64 * EPS * (1 + abs(a) + w @ w + a * a)
    return (Measured(ends[0], budget), Measured(ends[1], budget)), (w_end, a_end)


@identity(
    "linear_nets S6.4b",
    a=between(0.1, 1),
    depth=between(1, 4),
    s=between(0.5, 2),
    cost="trajectory",
    source="own",
    broken={"a hundredth off the separatrix": dict(shift=0.01)},
)
def separatrix_leads_to_the_saddle(a, depth, s, *, shift=0.0):
    r"""A start with $w\cdot b + (\kappa+\delta/2)a = 0$, $\delta < 0$, goes to a = w.b = 0."""
    a, depth, s = (float(value_of(x)) for x in (a, depth, s))
    b, t = np.array([s, 0.0]), 8.0
    w0 = one_neuron_limits.separatrix_weights(a, b, -depth)
    w, a_end = one_neuron.flow(w0, a + shift, b, t)
    kappa = np.hypot(s, depth / 2)
    # a and w.e decay like e^{-(kappa + depth/2)t}; rounding leaves like e^{(kappa - depth/2)t}
    rounding = 64 * EPS * (1 + depth) * np.exp((kappa - depth / 2) * t)
    small = 2 * a * np.exp(-(kappa + depth / 2) * t) + rounding
    height = np.sqrt(depth)
    return (Measured(a_end, small), Measured(w, small)), (0.0, np.array([0.0, np.sign(w[1]) * height]))


@identity(
    "linear_nets S6.4c",
    w=vector("d"),
    e=unit_vector("d"),
    a=real,
    tau=real,
    sizes=SMALL,
    source="own",
    broken={"sign(w.b) is kept": dict(output=0)},
)
def separatrix_is_invariant(w, e, a, tau, *, output=1):
    r"""$G = w\cdot b + (\kappa+\delta/2)a$ moves by $G' = (\kappa - |q|^2/2)G$: no flow crosses G = 0."""
    delta = a * a - dot(w, w)
    # kappa - delta/2 = tau upper, so s² = tau upper²: s = upper root(tau)
    root = adjoin_root(tau)
    upper = delta / (1 - tau)
    kappa, s = upper - delta / 2, upper * root
    inner = s * e - a * w
    side = s * dot(w, e) + output * upper * a
    moved = s * dot(a * inner, e) + output * upper * dot(w, inner)
    return moved, (kappa - (a * a + dot(w, w)) / 2) * side


@identity(
    "linear_nets S6.4d",
    p=positive,
    r=positive,
    e=unit_vector("d"),
    v=vector("d"),
    sizes=dict(d=(2, 3)),
    source="own",
    broken={"rotation at the radial rate": dict(slow=0)},
)
def rates_at_the_minimum(p, r, e, v, *, slow=1):
    r"""Near the minimum the map approaches b at the rates $2\kappa$ along it and $\kappa+\delta/2$ across."""
    # a = p, |w| = r: kappa = (p² + r²)/2, delta = p² - r²
    across = v - e * dot(e, v)

    def moved(u):
        # the state moves along (a u, w.u), which moves the map by M u
        w, a = Jet(r * e, p * u), Jet(p, r * dot(e, u))
        inner = p * r * e - a * w
        dw, da = a * inner, dot(w, inner)
        return dw.first * p + da.first * r * e

    size = p * p + r * r
    rate = slow * p * p + (1 - slow) * size
    return (moved(e), moved(across)), (-size * size * e, -rate * (p * p) * across)


@identity(
    "linear_nets D1",
    w=vector("d"),
    b=vector("d"),
    a=real,
    sizes=SMALL,
    source="own",
    broken={"delta with the other sign": dict(sign=-1)},
)
def linear_flow_divided_by_its_growth(w, b, a, *, sign=1):
    r"""$a(b-aw) = ab - \frac\delta2 w - \frac{|q|^2}2 w$ and
    $w\cdot(b-aw) = b\cdot w + \frac\delta2 a - \frac{|q|^2}2 a$.
    """
    delta, square = sign * (a * a - dot(w, w)), a * a + dot(w, w)
    inner = b - a * w
    return (a * inner, dot(w, inner)), (
        a * b - delta / 2 * w - square / 2 * w,
        dot(b, w) + delta / 2 * a - square / 2 * a,
    )


@identity("linear_nets D10", s=real, tangent=real, source="own", broken={"kappa = s": dict(keep=0)})
def two_ways_to_the_slope(s, tangent, *, keep=1):
    r"""$(\kappa+\delta/2)/s = s/(\kappa-\delta/2)$."""
    # kappa = s (1 + t²)/(2t), delta/2 = s (1 - t²)/(2t): kappa² = s² + delta²/4
    half = s * (1 - tangent**2) / (2 * tangent)
    kappa = keep * s * (1 + tangent**2) / (2 * tangent) + (1 - keep) * s
    return (kappa + half) / s, s / (kappa - half)
