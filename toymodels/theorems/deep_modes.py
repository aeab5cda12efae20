"""Deep linear modes: how long a product of L layers takes to learn, at every depth and at infinite depth.

The equation is that of Saxe, McClelland and Ganguli 2014; what they do not state is our own. A balanced mode
is written in the size y of one of its layers, u = y^L, with limit k, s = k^L.
"""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic.jets import Jet, derivative
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import Paper, bound, identity, limit, rate
from toymodels.linear import DeepLinear
from toymodels.solutions import deep_mode, deep_times, infinite_depth, unequal_layers
from toymodels.spaces import between, choice, integer, log_uniform, positive, real, vector
from toymodels.spaces.source import Domain

FAMILY = "linear"
PAPER = Paper("after Saxe, McClelland, Ganguli 2014", arxiv="1312.6120")
EPS = np.finfo(float).eps
ROUNDING = 256 * EPS
"""Of the shipped times and products: a series of 64 terms, and Newton's method for its inverse."""


def plain(*numbers):
    """Floats, for claims on algorithms."""
    return tuple(float(value_of(x)) for x in numbers)


@identity("linear_nets S4.1a", share=between(0, 1), k=positive, broken={"exponent 2 - 1/L": dict(extra=1)})
def elementary_times(share, k, *, extra=0):
    r"""The elementary times of depths 1, 2, 3, 4 have $dt/du = 1/(L u^{2-2/L}(s-u))$."""
    y = share * k
    moving = Jet(y, 0 * y + 1)
    square = moving * moving
    times = [
        deep_times.time_1(moving, k),
        deep_times.time_2(square, k * k),
        deep_times.time_3(moving, k),
        deep_times.time_4(square, k * k),
    ]
    slopes = [
        time.first * deep_times.velocity(y, k**depth, depth) * y**extra for depth, time in enumerate(times, 1)
    ]
    return tuple(slopes), tuple(depth * y ** (depth - 1) for depth in range(1, 5))


def measured_time(u0, u, s, depth):
    """The shipped time, with its rounding and that of the differences u - u0, s - u."""
    t = deep_mode.time_to_product(u0, u, s, depth=depth)
    return Measured(t, ROUNDING * t)


@identity(
    "linear_nets S4.1b",
    depth=choice([3, 4, 5, 7, 16]),
    first=log_uniform(1e-6, 0.5),
    last=between(0.5, 1),
    s=log_uniform(0.1, 10),
    broken={"exponent 2 - 1/L": dict(exponent=1)},
)
def hypergeometric_time(depth, first, last, s, *, exponent=2):
    r"""At every depth $L \ge 3$, $t = F(u) - F(u_0)$ with $F = \frac{s^{2/L-2}}{L} \frac{(u/s)^q}{q}
    {}_2F_1(1, q; 1+q; u/s)$, $q = 2/L - 1$: the shipped time.
    """
    import mpmath

    context = mpmath.MPContext()
    context.dps = 40
    first, last, s = plain(first, last, s)
    power = context.mpf(exponent) / depth

    def antiderivative(x):
        q = power - 1
        return context.mpf(s) ** (power - 2) / depth * x**q / q * context.hyp2f1(1, q, 1 + q, x)

    u0, u = s * first, s * last
    t = antiderivative(context.mpf(u) / s) - antiderivative(context.mpf(u0) / s)
    return measured_time(u0, u, s, depth), Measured(float(t))


@identity(
    "linear_nets S4.1c",
    depth=choice([2, 3, 4, 5, 7]),
    first=between(0.1, 0.4),
    last=between(0.4, 0.9),
    s=between(0.5, 1.5),
    cost="trajectory",
    broken={"exponent 2 - 1/L": dict(double=2)},
)
def flow_lands_on_the_product(depth, first, last, s, *, double=1):
    """Gradient flow of L scalar layers, integrated for the shipped time t(u), lands on u."""
    first, last, s = plain(first, last, s)
    net = DeepLinear([[1.0]], [s], widths=(1,) * (depth - 1))
    # depth 2L has the exponent 2 - 1/L, and moves twice as fast
    t = double * deep_mode.time_to_product(first * s, last * s, s, depth=double * depth)
    run = dynamics.flow(net, net.balanced([[first * s]]), [t], record=())
    layers = Measured(run.theta[0], run.error[0])
    u = layers[0]
    for j in range(1, depth):
        u = u * layers[j]
    speed = depth * (last * s) ** (2 - 2 / depth) * (1 - last) * s
    return u, Measured(last * s, ROUNDING * (last * s + speed * t))


@identity(
    "linear_nets S4.1d",
    depth=choice([1, 2, 3, 4, 7, 50, np.inf]),
    first=log_uniform(1e-9, 1e3),
    share=between(0, 1),
    s=log_uniform(0.1, 10),
    source="own",
    broken={"half the time": dict(part=0.5)},
)
def shipped_inverse(depth, first, share, s, *, part=1.0):
    """The shipped product is the inverse of the shipped time, below and above the target."""
    first, share, s = plain(first, share, s)
    u0 = first * s
    u = u0 ** (1 - share) * s**share
    if not min(u0, s) < u < max(u0, s):
        return Measured(0.0), Measured(0.0)
    t = deep_mode.time_to_product(u0, u, s, depth=depth)
    factor, power = (1, 2) if depth == np.inf else (depth, 2 - 2 / depth)
    speed = factor * u**power * abs(s - u)
    # u0 and u are rounded: each moves the time, and the time moves u
    budget = ROUNDING * (u + speed * t) + 4 * EPS * u * speed / (factor * u0**power * abs(s - u0)) * u0 / u
    return Measured(deep_mode.product(u0, s, part * t, depth=depth)), Measured(u, budget)


@identity("linear_nets S4.2a", s=real, odds=real, source="own", broken={"u' = u (s - u)": dict(power=1)})
def infinite_depth_flow(s, odds, *, power=2):
    r"""$u = s/(1+v)$ with $v + \ln v$ falling at the speed $s^2$ solves $u' = u^2(s-u)$."""
    speed = infinite_depth.odds_velocity(s, odds)
    u = infinite_depth.product_of(s, Jet(odds, speed))
    return (u.first, speed * (1 + 1 / odds)), (u.value**power * (s - u.value), -s * s)


@identity(
    "linear_nets S4.2b",
    share=log_uniform(1e-6, 0.99),
    s=log_uniform(0.1, 10),
    steps=integer(0, 40),
    source="own",
    broken={"the time not rescaled": dict(depth=3)},
)
def wright_omega(share, s, steps, *, depth=np.inf):
    """The Wright omega solution is the shipped solution at infinite depth, from t = 0 to 1e9."""
    share, s = plain(share, s)
    u0 = share * s
    t = np.array([steps / 10 / (s * u0), 0.0, 1e9])
    u = deep_mode.product(u0, s, t, depth=depth)
    budget = ROUNDING * (u + u * u * np.abs(s - u) * t)
    return Measured(infinite_depth.product(u0, s, t)), Measured(u, budget)


@limit(
    "linear_nets S4.2c",
    share=between(0.05, 0.5),
    s=between(0.5, 2),
    order=1,
    source="own",
    broken={"t instead of L t": dict(rescaled=0)},
)
def deep_limit(share, s, *, rescaled=1):
    """At the time t'/L depth L tends to infinite depth at t', with error of order 1/L."""
    share, s = plain(share, s)
    depths = 2 ** np.arange(2, 12)
    t = 2 / (s * s)
    u = [deep_mode.product(share * s, s, t / L**rescaled, depth=int(L)) for L in depths]
    return 1 / depths, Measured(np.array(u), ROUNDING * s), infinite_depth.product(share * s, s, t)


@bound(
    "linear_nets S4.3a",
    depth=choice([2, 3, 4, 7]),
    s=between(0.5, 2),
    source="own",
    broken={"depth-3 escape time is logarithmic in u0": dict(logarithmic=1, depth=choice([3]))},
)
def escape_time(depth, s, *, logarithmic=0):
    r"""From $u_0 = 10^{-8}$ the time to s/2 is $\ln(s/u_0)/(2s)$ at depth 2, $u_0^{-(1-2/L)}/((L-2)s)$ from
    depth 3 on, within 2%.
    """
    (s,) = plain(s)
    exact = measured_time(1e-8, s / 2, s, depth)
    leading = deep_times.escape_time(1e-8, s, depth=2 if logarithmic else depth)
    return (leading - exact, exact - leading), (0.02 * exact, 0.02 * exact)


@rate(
    "linear_nets S4.3b",
    depth=choice([3, 4, 5, 7]),
    rivals=(0.0,),
    source="own",
    broken={"logarithmic": dict(power=0)},
)
def escape_exponent(depth, *, power=1):
    r"""The escape time grows like $u_0^{-(1-2/L)}$ as $u_0 \to 0$."""
    u0 = 10.0 ** -np.arange(6.0, 16.0)
    return u0, deep_mode.time_to_product(u0, 0.5, 1.0, depth=depth), power * (2 / depth - 1)


@identity("linear_nets S4.4a", a=vector("L"), s=real, source="own", broken={"z' = g (s - g)": dict(factor=1)})
def squares_move_together(a, s, *, factor=2):
    r"""Unequal layers: every $(a_j^2)' = 2u(s-u)$, so all $a_j^2 - a_k^2$ are conserved and $z = a_1^2$ moves
    alone.
    """
    u = deep_times.layer_product(a)
    units = np.eye(a.shape[-1], dtype=int)
    slopes = [derivative(deep_times.layer_product, (a,), (unit,)) for unit in units]
    return tuple(2 * a[j] * slope * (s - u) for j, slope in enumerate(slopes)), tuple(
        factor * u * (s - u) for _ in slopes
    )


@identity(
    "linear_nets S4.4b",
    depth=choice([3, 4]),
    a=vector("4", Domain(0.3, 2)),
    s=between(0.5, 1.5),
    steps=integer(1, 20),
    cost="trajectory",
    source="own",
    broken={"the balanced mode of the same product": dict(balanced=1)},
)
def unequal_layers_flow(depth, a, s, steps, *, balanced=0):
    """The layers from one quadrature are those of the integrated flow, and their time is the time."""
    a, (s,) = np.asarray(value_of(a), dtype=float)[:depth], plain(s)
    net, t = DeepLinear([[1.0]], [s], widths=(1,) * (depth - 1)), steps / 20
    run = dynamics.flow(net, a, [t], record=())
    layers, speed = unequal_layers.flow(a, s, t), np.abs(net.gradient(run.theta[0]))
    if balanced:
        layers = np.full(depth, deep_mode.product(a.prod(), s, t, depth=depth) ** (1 / depth))
    budget = ROUNDING * (np.abs(layers) + speed * t)
    return Measured(run.theta[0], run.error[0]), Measured(layers, budget)


@identity("linear_nets S4.4c", a=vector("L"), v=vector("L"), source="own", broken={"twice": dict(factor=2)})
def minimum_hessian(a, v, *, factor=1):
    r"""At a minimum of $\frac12(s - \prod a)^2$ the Hessian has rank one: $\langle v, Hv\rangle = (\sum_j
    \frac{s}{a_j} v_j)^2$; its eigenvalue is $\sum_j (s/a_j)^2$.
    """
    s = deep_times.layer_product(a)

    def loss(layers):
        gap = s - deep_times.layer_product(layers)
        return gap * gap / 2

    along = (s / a * v).sum()
    steepest = s / a
    eigenvalue = factor * deep_times.minimum_eigenvalue(a, s)
    # at the eigenvector itself the quadratic form is the eigenvalue times its square
    top = derivative(loss, (a,), (steepest,), order=2)
    return (derivative(loss, (a,), (v,), order=2), top), (
        along * along,
        eigenvalue * (steepest * steepest).sum(),
    )


@bound(
    "linear_nets S4.4d",
    size=integer(1, 6),
    a=vector("6", Domain(0.3, 2)),
    source="own",
    broken={"L + 1": dict(more=1)},
)
def balanced_is_flattest(size, a, *, more=0):
    r"""The minimum's eigenvalue is at least $L s^{2-2/L}$, which balanced layers attain."""
    layers = np.asarray(value_of(a), dtype=float)[:size]
    s = layers.prod()
    eigenvalue = deep_times.minimum_eigenvalue(layers, s)
    return (size + more) * s ** (2 - 2 / size), Measured(eigenvalue, 64 * EPS * eigenvalue)
