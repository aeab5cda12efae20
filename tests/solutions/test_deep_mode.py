"""The balanced deep mode against quadrature in high precision, its symmetries, limits and the door."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import InputError
from toymodels.solutions import deep_mode, deep_times, logistic

EPS = np.finfo(float).eps
DEPTHS = (1, 2, 3, 4, 5, 7, 50, 1000, np.inf)
RELATIVE = 128 * EPS
"""Series of 64 terms of one sign, and a Newton iteration at rounding level."""

depths = st.sampled_from(DEPTHS)
targets = st.floats(0.05, 20)
shares = st.floats(1e-6, 1 - 1e-6)
below = st.floats(-8, -0.01).map(lambda p: 10.0**p)
above = st.floats(0.01, 8).map(lambda p: 10.0**p)


def factor_and_power(depth):
    return (1, 2.0) if depth == np.inf else (depth, 2 - 2 / depth)


def speed(u, s, depth):
    factor, power = factor_and_power(depth)
    return factor * np.abs(u) ** power * (s - u)


def quadrature(u0, u, s, depth):
    """The time from u0 to u by 40-digit quadrature over ln u."""
    context = mpmath.MPContext()
    context.dps = 40
    factor, power = (1, context.mpf(2)) if depth == np.inf else (depth, 2 - context.mpf(2) / depth)
    u0, u, s = map(context.mpf, (u0, u, s))
    first, last = context.log(u0), context.log(u)
    pieces = 2 + int(abs(last - first))
    points = [first + (last - first) * k / pieces for k in range(pieces + 1)]
    integrand = lambda x: context.exp(x * (1 - power)) / (factor * (s - context.exp(x)))
    return float(context.quad(integrand, points))


def between(u0, end, share):
    return u0 ** (1 - share) * end**share


CASES = [(1e-7, 1.3, 0.2), (0.9, 1.3, 0.7), (1.2, 1.3, 0.999), (1e-3, 1e-2, 0.9), (40.0, 0.7, 0.3),
         (0.8, 0.7, 0.5), (5.0, 0.7, 0.99), (1e5, 1e-3, 0.4)]  # fmt: skip


@pytest.mark.parametrize("depth", DEPTHS)
def test_time_against_quadrature(depth):
    for u0, s, share in CASES:
        u = between(u0, s, share)
        expected = quadrature(u0, u, s, depth)
        # u - u0 and s - u, formed from rounded numbers, carry no more error than they do in 40 digits
        assert deep_mode.time_to_product(u0, u, s, depth=depth) == pytest.approx(expected, rel=RELATIVE)


@pytest.mark.parametrize("depth", [L for L in DEPTHS if L != 1])
def test_time_against_quadrature_towards_zero(depth):
    for u0, s, u in [
        (0.5, -1.0, 1e-4),
        (30.0, -1.0, 2.0),
        (30.0, -1.0, 0.1),
        (2.0, 0.0, 0.01),
        (1.0, -1.0, 0.9),
    ]:
        expected = quadrature(u0, u, s, depth)
        assert deep_mode.time_to_product(u0, u, s, depth=depth) == pytest.approx(expected, rel=RELATIVE)


@settings(max_examples=150)
@given(depth=depths, s=targets, ratio=st.one_of(below, above), share=shares)
def test_product_inverts_time(depth, s, ratio, share):
    u0 = s * ratio
    u = between(u0, s, share)
    t = deep_mode.time_to_product(u0, u, s, depth=depth)
    sensitivity = abs(speed(u, s, depth)) * (t + 4 * EPS * u0 / (RELATIVE * abs(speed(u0, s, depth))))
    assert abs(deep_mode.product(u0, s, t, depth=depth) - u) <= RELATIVE * (u + sensitivity)


@settings(max_examples=60)
@given(depth=depths, s=targets, ratio=st.one_of(below, above), first=st.floats(0, 3), then=st.floats(0, 3))
def test_semigroup(depth, s, ratio, first, then):
    u0 = s * ratio
    middle = deep_mode.product(u0, s, first, depth=depth)
    later = deep_mode.product(middle, s, then, depth=depth)
    direct = deep_mode.product(u0, s, first + then, depth=depth)
    # the error of the middle is carried on by the ratio of the speeds
    middle_error = RELATIVE * (middle + abs(speed(middle, s, depth)) * first)
    carried = middle_error * abs(speed(direct, s, depth) / (speed(middle, s, depth) or 1.0))
    budget = RELATIVE * (direct + abs(speed(direct, s, depth)) * (first + then)) + carried + 4 * EPS * s
    assert abs(later - direct) <= 2 * budget


@settings(max_examples=60)
@given(depth=depths, s=st.floats(-3, 3), u0=st.floats(-3, 3), t=st.floats(0, 50), power=st.integers(-20, 20))
def test_units_and_signs(depth, s, u0, t, power):
    u = deep_mode.product(u0, s, t, depth=depth)
    assert deep_mode.product(-u0, -s, t, depth=depth) == -u
    _, exponent = factor_and_power(depth)
    scale = 2.0**power
    scaled = deep_mode.product(scale * u0, scale * s, t * scale**-exponent, depth=depth)
    assert abs(scaled / scale - u) <= RELATIVE * (
        abs(u) + abs(speed(u, s, depth)) * t + abs(u0 - u) * (s == 0)
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_product_and_residual_sum_to_the_target(depth):
    u0 = np.array([1e-300, 1e-9, 0.3, 0.5, 0.7, 1.0, 1.9, 2.0, 2.1, 1e9, 1e150])
    for s in (1.0, 1e-3, 0.0, -1.0):
        for t in (0.0, 1e-3, 1.0, 1e3, 1e300, np.inf):
            u, r = (f(u0, s, t, depth=depth) for f in (deep_mode.product, deep_mode.residual))
            assert np.isfinite(u).all()
            np.testing.assert_allclose(u + r, s, atol=4 * EPS * np.max(np.abs(u) + abs(s)))


@pytest.mark.parametrize("depth", DEPTHS)
def test_residual_keeps_its_digits_in_the_tail(depth):
    factor, power = factor_and_power(depth)
    s = 1.5
    rate = factor * s**power
    first = deep_mode.residual(0.7, s, 20 / rate, depth=depth)
    later = deep_mode.residual(0.7, s, 600 / rate, depth=depth)
    # beyond r/s = e^-20 the rate is rate (1 - (power) r/s ...): corrected to first order
    slope = -np.log(later / first) - 580
    assert abs(slope) <= 4 * power * first / s + 600 * 8 * EPS


def test_depth_two_is_the_logistic():
    u0, t = np.array([1e-12, 0.1, 1.0, 3.0])[:, None], np.array([0.0, 0.1, 1.0, 9.0, 15.0])
    expected = logistic.logistic(u0, 1.0, t)
    np.testing.assert_allclose(deep_mode.product(u0, 1.0, t, depth=2), expected, rtol=64 * 15 * EPS)


@pytest.mark.parametrize("depth, function, root", [
    (1, deep_times.time_1, 1), (2, deep_times.time_2, 1), (3, deep_times.time_3, 3),
    (4, deep_times.time_4, 2), (np.inf, deep_times.time_infinite, 1),
])  # fmt: skip
def test_elementary_times(depth, function, root):
    u0, u, s = 0.2, np.array([0.21, 0.7, 1.1, 1.499]), 1.5
    antiderivative = lambda x: function(x ** (1 / root), s ** (1 / root))
    expected = antiderivative(u) - antiderivative(u0)
    size = np.abs(antiderivative(u)) + np.abs(antiderivative(u0))
    # s - u and ln(k - x) lose what their differences cancel
    budget = 16 * EPS * (size + 1 / (s - u))
    assert (np.abs(deep_mode.time_to_product(u0, u, s, depth=depth) - expected) <= budget).all()


@pytest.mark.parametrize("depth", [2, 3, 7, np.inf])
def test_limits(depth):
    at_infinity = deep_mode.product(
        [0.1, -0.1, 0.0, 3.0, 3.0, 3.0, 1.0], [1, 1, 1, 1, 0, -1, 1], np.inf, depth=depth
    )
    assert at_infinity.tolist() == [1, 0, 0, 1, 0, 0, 1]
    assert deep_mode.time_to_product(0.1, 1.0, 1.0, depth=depth) == np.inf
    assert deep_mode.time_to_product(0.1, 0.0, -1.0, depth=depth) == np.inf
    assert deep_mode.time_to_product(1.0, 1.0, 1.0, depth=depth) == 0
    assert deep_mode.time_to_product(0.3, 0.3, -1.0, depth=depth) == 0
    start = np.array([1e-300, 0.3, 0.5, 1.0, 7.0])
    assert deep_mode.product(start, 1.0, 0.0, depth=depth).tolist() == start.tolist()


def test_continuous_in_the_target_at_zero():
    u = [deep_mode.product(2.0, s, 0.3, depth=3) for s in (-1e-13, 0.0, 1e-13)]
    assert np.ptp(u) <= 1e-12
    # u' = -3 u^{7/3}: u^{-4/3} grows by 4 per unit of time
    assert u[1] == pytest.approx((2 ** (-4 / 3) + 1.2) ** (-3 / 4), rel=8 * EPS)


def test_a_batch_equals_its_members():
    u0, s, t = np.array([1e-6, 0.4, 3.0, -0.2])[:, None], np.array([1.0, -2.0, 0.0]), 1.7
    together = deep_mode.product(u0, s, t, depth=3)
    alone = [[deep_mode.product(a, b, t, depth=3) for b in s] for a in u0[:, 0]]
    np.testing.assert_allclose(together, alone, rtol=8 * EPS)


@pytest.mark.parametrize("call, message", [
    (lambda: deep_mode.product(0.1, 1.0, 1.0, depth=0), "depth: expected an integer >= 1"),
    (lambda: deep_mode.product(0.1, 1.0, 1.0, depth=2.5), "depth: expected an integer >= 1"),
    (lambda: deep_mode.product(0.1, 1.0, 1.0, depth=-np.inf), "depth: expected an integer >= 1"),
    (lambda: deep_mode.product(np.nan, 1.0, 1.0, depth=3), "u0: expected finite"),
    (lambda: deep_mode.product(0.1, 1j, 1.0, depth=3), "s: expected real"),
    (lambda: deep_mode.product(0.1, 1.0, -1.0, depth=3), "t: expected times >= 0"),
    (lambda: deep_mode.product([0.1, 0.2], [1.0] * 3, 1.0, depth=3), "u0, s, t: expected shapes"),
    (lambda: deep_mode.time_to_product(0.1, 1.1, 1.0, depth=3), "u: expected products that the flow"),
    (lambda: deep_mode.time_to_product(0.1, 0.05, 1.0, depth=3), "u: expected products that the flow"),
    (lambda: deep_mode.time_to_product(0.1, -0.1, -1.0, depth=3), "u: expected products that the flow"),
    (lambda: deep_times.escape_time(1.0, 1.0, depth=3), "u0: expected initial products between 0 and s"),
    (lambda: deep_times.escape_time(0.1, 1.0, depth=1), "depth: expected an integer >= 2"),
])  # fmt: skip
def test_the_door(call, message):
    with pytest.raises(InputError, match=message):
        call()
