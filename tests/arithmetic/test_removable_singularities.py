from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toymodels.arithmetic.elementary import decay_integral, growth_time, minus_dot, minus_product
from toymodels.errors import LeftArithmetic

rates = st.one_of(
    st.just(0.0), st.floats(1e-300, 1e3), st.floats(-30, 3).map(lambda e: 10.0**e), st.floats(-5, 0)
)
floats = st.one_of(st.floats(-1e6, 1e6), st.floats(-1e-100, 1e-100))


@settings(max_examples=300, deadline=None)
@given(rates, st.floats(0, 100))
def test_decay_integral_to_the_last_digits(rate, t):
    with mpmath.workdps(60):
        exact = mpmath.mpf(t) if rate * t == 0 else -mpmath.expm1(-mpmath.mpf(rate) * t) / rate
        assert (
            float(abs(decay_integral(rate, t) - exact))
            <= 8e-16 * float(exact) * (1 + max(0, -rate * t)) + 1e-320
        )


def test_decay_integral_at_infinity_and_at_rate_zero():
    assert decay_integral(2.0, np.inf) == 0.5
    assert decay_integral(0.0, np.inf) == np.inf
    assert decay_integral(0.0, 3.0) == 3.0
    np.testing.assert_array_equal(
        decay_integral(np.array([[0.0], [1e-30]]), np.array([1.0, 2.0])), [[1, 2], [1, 2]]
    )


def test_decay_integral_in_other_rings():
    assert decay_integral(Fraction(0), Fraction(3, 2)) == Fraction(3, 2)
    with pytest.raises(LeftArithmetic):
        decay_integral(Fraction(1), Fraction(1))
    assert decay_integral(mpmath.mpf(1) / 10**20, mpmath.mpf(1)) == pytest.approx(1, rel=1e-14)
    derivative = decay_integral(0.5 + 1e-30j, 2.0 + 0j).imag / 1e-30
    assert derivative == pytest.approx((np.exp(-1) * (1 + 1) - 1) / 0.25, rel=1e-14)
    objects = decay_integral(np.array([Fraction(0), Fraction(5)]), Fraction(0))
    assert list(objects) == [0, 0]


def test_decay_integral_in_symbols():
    import sympy

    rate, t = sympy.symbols("r t", positive=True)
    assert sympy.simplify(sympy.diff(decay_integral(rate, t), t) - sympy.exp(-rate * t)) == 0
    assert decay_integral(sympy.Integer(0), t) == t


@settings(max_examples=300, deadline=None)
@given(floats, floats, st.one_of(st.just(0.0), st.integers(-60, 60).map(lambda k: k * 2.0**-53), floats))
def test_minus_product_keeps_its_digits(a, b, shift):
    s = a * b * (1 + shift) if abs(shift) < 1 else shift
    exact = Fraction(s) - Fraction(a) * Fraction(b)
    assert abs(Fraction(float(minus_product(s, a, b))) - exact) <= abs(exact) * Fraction(1, 2**51) + Fraction(
        1, 2**1070
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=6))
def test_minus_dot_is_accurate_under_cancellation(pairs):
    a, b = np.array(pairs).T
    s = float(a @ b)
    exact = Fraction(s) - sum(Fraction(x) * Fraction(y) for x, y in pairs)
    size = sum(abs(Fraction(x) * Fraction(y)) for x, y in pairs) + abs(Fraction(s))
    got = Fraction(float(minus_dot(s, a, b)))
    assert abs(got - exact) <= abs(exact) / 2**50 + size * 64 / Fraction(2) ** 105 + Fraction(1, 2**1060)


def test_minus_product_and_dot_in_other_rings():
    assert minus_product(Fraction(1, 3), Fraction(1, 2), Fraction(2, 3)) == 0
    assert minus_product(1 + 1j, 1j, 1j) == 2 + 1j
    vector = np.array([Fraction(1, 2), Fraction(1, 3)])
    assert minus_dot(Fraction(13, 36), vector, vector) == 0


@settings(max_examples=200, deadline=None)
@given(rates, st.floats(0, 100))
def test_growth_time_inverts_the_integral(rate, t):
    assume(-3 < rate * t < 500)
    growth = decay_integral(-rate, t)
    assert growth_time(rate, growth) == pytest.approx(t, rel=1e-13, abs=1e-320)


def test_growth_time_in_other_rings():
    assert growth_time(Fraction(0), Fraction(3)) == 3
    assert growth_time(mpmath.mpf(2), mpmath.mpf(3)) == pytest.approx(np.log(7) / 2, rel=1e-14)
    np.testing.assert_array_equal(growth_time(np.array([0.0, 5e-324]), np.array([2.5, 2.5])), 2.5)
