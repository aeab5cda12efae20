import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from toymodels.dynamics.crossings import DEGREE, first_crossing, fractions

NONE = np.zeros(1)


def polynomial(roots):
    """Samples of prod (root - x), positive before the first root."""
    x = fractions()[:, None]
    return np.prod(np.array(roots) - x, axis=-1)[:, None]


def apart(roots, distance=0.02):
    roots = np.sort(roots)
    return len(roots) < 2 or np.diff(roots).min() > distance


@given(st.lists(st.floats(0.01, 3.0), min_size=1, max_size=7).filter(apart))
def test_the_first_of_several_zeros(roots):
    """With two close zeros the margin ends the step where it began, above zero."""
    crossing = first_crossing(polynomial(roots), NONE)
    first = min(roots)
    if first >= 1:
        assert crossing is None
    else:
        assert abs(crossing.at - first) < 1e-7
        assert crossing.slope < 0 and crossing.at <= crossing.until <= 1


@given(st.floats(0.05, 0.95), st.floats(1e-6, 0.04))
def test_a_double_crossing_inside_a_step_is_found(middle, half):
    crossing = first_crossing(polynomial([middle - half, middle + half]), NONE)
    assert abs(crossing.at - (middle - half)) < 1e-8


@given(st.floats(0.05, 0.95), st.floats(1e-7, 1.0))
def test_a_margin_that_only_comes_near_is_not_a_crossing(middle, height):
    x = fractions()[:, None]
    assert first_crossing((x - middle) ** 2 + height, NONE) is None


@given(st.floats(0.05, 0.95), st.floats(1e-12, 1e-3))
def test_dips_above_the_floor_are_not_crossings(middle, depth):
    x = fractions()[:, None]
    samples = (x - middle) ** 2 - depth
    assert first_crossing(samples, np.array([1.1 * depth])) is None
    assert first_crossing(samples, np.array([0.5 * depth])) is not None


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6, unique=True))
def test_the_first_of_several_margins(roots):
    samples = np.concatenate([polynomial([root]) for root in roots], axis=-1)
    crossing = first_crossing(samples, np.zeros(len(roots)))
    assert abs(roots[crossing.margin] - min(roots)) < 1e-12
    assert abs(crossing.at - min(roots)) < 1e-12


@given(st.floats(0.1, 5.0), st.floats(-1e-15, 1e-15))
def test_a_margin_that_begins_at_zero(speed, noise):
    x = fractions()[:, None]
    assert first_crossing(speed * x + noise, np.array([1e-13])) is None
    assert first_crossing(-speed * x + noise, np.array([1e-13])).at < 1e-12


@given(st.floats(0.1, 5.0), st.floats(-1e-15, 1e-15))
def test_a_margin_that_drifts_away_from_zero_is_located_where_it_is_below_the_floor(bend, noise):
    """Its zero would be where it began, and events there would follow each other for ever."""
    x = fractions()[:, None]
    crossing = first_crossing(noise - bend * x * x, np.array([1e-13]))
    assert crossing.level == -1e-13
    assert abs(crossing.at - np.sqrt((1e-13 + noise) / bend)) < 1e-8


def test_polynomials_of_the_highest_degree_are_reproduced():
    x = fractions()[:, None]
    samples = 0.3**DEGREE - x**DEGREE
    assert abs(first_crossing(samples, NONE).at - 0.3) < 1e-8


def test_what_is_not_finite_is_no_crossing():
    assert first_crossing(np.full((DEGREE + 1, 1), np.nan), NONE) is None
    assert first_crossing(np.zeros((DEGREE + 1, 0)), np.zeros(0)) is None
