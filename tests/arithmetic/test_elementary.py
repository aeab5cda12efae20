"""The root of a sum of squares, in every arithmetic."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.arithmetic import systems
from toymodels.arithmetic.elementary import hypot
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.errors import LeftArithmetic

sizes = st.builds(lambda m, k: m * 10.0**k, st.floats(-1, 1), st.integers(-320, 307))
triples = st.sampled_from([(3, 4, 5), (5, 12, 13), (0, 7, 7), (8, -15, 17), (0, 0, 0)])


@settings(max_examples=300, deadline=None)
@given(sizes, sizes)
def test_hypot_of_floats_of_any_size(x, y):
    with mpmath.workdps(700):
        exact = mpmath.sqrt(mpmath.mpf(x) ** 2 + mpmath.mpf(y) ** 2)
        assert abs(hypot(x, y) - exact) <= 4e-16 * exact + mpmath.mpf(5e-324)


@given(sizes, st.integers(-3, 3))
def test_an_integer_beside_a_float_is_a_float(x, k):
    assert hypot(x, k) == hypot(k, x) == hypot(x, float(k)) == hypot(np.array([x]), k)[0]


@given(triples, st.fractions(max_denominator=50))
def test_hypot_of_rationals_is_exact(triple, scale):
    x, y, z = triple
    assert hypot(x, y) == z and not isinstance(hypot(x, y), float)
    assert hypot(x * scale, y * scale) == abs(z * scale)
    entries = hypot(np.array([x * scale, Fraction(0)]), np.array([y * scale, Fraction(1)]))
    assert list(entries) == [abs(z * scale), 1]


def test_hypot_without_a_rational_value_leaves_the_ring():
    with pytest.raises(LeftArithmetic, match="not rational"):
        hypot(Fraction(1), Fraction(1))


@settings(deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_hypot_in_other_rings(x, y):
    value = np.hypot(x, y)
    measured = hypot(Measured(x), Measured(y))
    assert abs(measured.value - value) <= 2 * measured.error
    digits = systems.digits_context()
    assert float(hypot(digits.mpf(x), digits.mpf(y))) == pytest.approx(value, rel=1e-15)
    assert hypot(complex(x), complex(y)) == pytest.approx(value, rel=1e-14, abs=1e-150)
    if value > 1e-3:
        slope = hypot(Jet(x, 1.0), Jet(y, 0.0)).first
        assert slope == pytest.approx(x / value, rel=1e-14, abs=1e-15)
        assert hypot(x + 1e-200j, y + 0j).imag / 1e-200 == pytest.approx(x / value, rel=1e-14, abs=1e-15)


def test_hypot_in_symbols():
    import sympy

    x, y = sympy.symbols("x y", real=True)
    assert hypot(x, y) == sympy.sqrt(x**2 + y**2)
