from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.solutions import hyperbola, scalar_mode

sizes = st.floats(0.1, 3)


@settings(max_examples=200, deadline=None)
@given(sizes, st.floats(-8, 8))
def test_angle_and_point_are_inverse(delta, theta):
    a, b = hyperbola.point(delta, theta)
    # Close to the asymptote the angle feels the rounding of a - |b|.
    assert hyperbola.angle(a, b) == pytest.approx(theta, abs=1e-14 * np.exp(abs(theta)))
    assert a * b == pytest.approx(delta * np.sinh(theta) / 2, rel=1e-13, abs=1e-300)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.5, 3), st.floats(-0.4, 0.4), st.floats(-2, 2), st.floats(0.01, 2))
def test_the_angle_moves_by_its_equation(a0, b0, s, t):
    delta, h = (a0 - b0) * (a0 + b0), 1e-4
    early, now, late = (hyperbola.angle(*scalar_mode.flow(a0, b0, s, t + shift)) for shift in (-h, 0.0, h))
    slope = (late - early) / (2 * h)
    velocity = hyperbola.angle_velocity(delta, s, now)
    # The central difference errs by h^2 / 6 times the third derivative of the angle.
    scale = (2 * abs(s) + delta * np.cosh(now)) ** 3 + abs(velocity)
    assert slope == pytest.approx(velocity, abs=h * h * scale + 1e-10)


@settings(max_examples=200, deadline=None)
@given(sizes, sizes, st.sampled_from((1, -1)), st.floats(0.1, 2), st.sampled_from((1, -1)), st.floats(0, 3))
def test_the_moebius_ratio_decays_exponentially(a0, b0, sign, s, turn, t):
    b0, s = sign * b0, turn * s
    fixed = hyperbola.ratio_fixed_points((a0 - b0) * (a0 + b0), s)
    assume(abs(b0 - fixed[1] * a0) > 1e-3)
    a, b = scalar_mode.flow(a0, b0, s, t)
    before = hyperbola.moebius(b0 / a0, *fixed)
    # In b and a in place of b / a: no pole where a crosses zero.
    decay = np.exp(-scalar_mode.tail_rate(a0, b0, s) * t)
    after = hyperbola.moebius(b, a * fixed[0], a * fixed[1])
    assert after == pytest.approx(
        before * decay, abs=1e-11 * (1 + abs(before)) / min(1, abs(b - fixed[1] * a))
    )


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e6, 1e6), st.one_of(st.floats(1e-6, 1e6), st.floats(-1e6, -1e-6)))
def test_fixed_points(delta, s):
    stable, unstable = hyperbola.ratio_fixed_points(delta, s)
    assert stable * unstable == pytest.approx(-1, rel=1e-14)
    assert stable + unstable == pytest.approx(
        -delta / s, rel=1e-12, abs=1e-12 * max(abs(stable), abs(unstable))
    )
    for point in (stable, unstable):
        scale = abs(s) + abs(delta * point) + abs(s) * point * point
        assert abs(hyperbola.ratio_velocity(delta, s, point)) < 1e-13 * scale
    assert hyperbola.ratio_velocity(delta, s, stable * (1 + 1e-6)) * stable < 0


def test_the_stable_ratio_is_that_of_the_limit():
    a, b = scalar_mode.limit(0.3, 1.1, -0.8)
    assert hyperbola.ratio_fixed_points(0.3**2 - 1.1**2, -0.8)[0] == pytest.approx(b / a, rel=1e-14)


def test_formulas_are_exact_on_rationals():
    assert hyperbola.ratio_velocity(Fraction(3, 2), Fraction(1), Fraction(1, 2)) == 0
    assert hyperbola.moebius(Fraction(1, 4), Fraction(1, 2), Fraction(-2)) == Fraction(-1, 9)


def test_bad_input_is_named():
    with pytest.raises(InputError, match=r"a > \|b\|"):
        hyperbola.angle(1.0, -1.0)
    with pytest.raises(InputError, match="s"):
        hyperbola.ratio_fixed_points(1.0, 0.0)
    with pytest.raises(InputError, match="broadcast"):
        hyperbola.angle([1.0, 2.0], [0.1, 0.2, 0.3])
