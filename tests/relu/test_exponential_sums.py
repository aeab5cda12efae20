import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.relu.exponential_sums import first_descent

seeds = st.integers(0, 2**32 - 1)


def value(start, moves, rates, t):
    return start + moves.T @ (-np.expm1(-rates * t) / rates)


@settings(max_examples=100)
@given(seeds, st.integers(1, 6), st.integers(1, 5), st.floats(-3, 3))
def test_nothing_is_below_zero_before_the_zero_found(seed, r, c, spread):
    rng = np.random.default_rng(seed)
    rates = 10 ** rng.uniform(-abs(spread), abs(spread), r)
    moves, start = rng.standard_normal((r, c)) * rates[:, None], rng.random(c)
    zero = first_descent(start, moves, rates, np.full(c, 1e-13))
    end = 60 / rates.min() if zero is None else zero.t
    times = np.concatenate([np.linspace(0, end, 400), end * np.geomspace(1e-9, 1, 400)])[:-1]
    lowest = min(value(start, moves, rates, t).min() for t in times)
    assert lowest > -1e-12
    if zero is not None:
        values = value(start, moves, rates, zero.t)
        assert abs(values[zero.which]) < 1e-13 and values.min() > -1e-12
        later = zero.t * (1 + 1e-6)
        assert value(start, moves, rates, later)[zero.which] < 0


@given(st.floats(0.05, 0.9), st.floats(1e-5, 0.04))
def test_two_zeros_close_to_each_other(first, apart):
    """(u - a)(u - b) in u = e^{-t} comes down at u = a and up again at u = b = a - apart."""
    a, b = first, first - apart
    if b <= 0:
        return
    start, rates = np.array([(1 - a) * (1 - b)]), np.array([1.0, 2.0])
    moves = np.array([[a + b], [-2.0]])
    zero = first_descent(start, moves, rates, np.full(1, 1e-15))
    assert abs(zero.t + np.log(a)) < 1e-7


@given(st.floats(0.05, 0.9), st.floats(1e-9, 1.0))
def test_what_only_comes_near_is_not_a_zero(middle, height):
    """(u - middle)² + height in u = e^{-t}."""
    start, rates = np.array([(1 - middle) ** 2 + height]), np.array([1.0, 2.0])
    moves = np.array([[2 * middle], [-2.0]])
    assert first_descent(start, moves, rates, np.full(1, 1e-15)) is None


def test_a_zero_at_the_start():
    rates = np.array([2.0])
    assert first_descent(np.zeros(1), np.array([[1.0]]), rates, np.full(1, 1e-15)) is None
    assert first_descent(np.zeros(1), np.array([[-1.0]]), rates, np.full(1, 1e-15)).t == 0


def test_nothing_to_watch_or_nothing_that_moves():
    assert first_descent(np.zeros(0), np.zeros((1, 0)), np.ones(1), np.zeros(0)) is None
    assert first_descent(np.ones(1), np.zeros((0, 1)), np.zeros(0), np.zeros(1)) is None


def test_a_function_that_drifts_away_from_zero_is_located_where_it_is_below_the_floor():
    """The function -(1 - e^{-t})², which is -2 (1 - e^{-t}) + (1 - e^{-2t})."""
    rates, floor = np.array([1.0, 2.0]), 1e-12
    zero = first_descent(np.zeros(1), np.array([[-2.0], [2.0]]), rates, np.full(1, floor))
    assert abs(zero.t - np.sqrt(floor)) < 1e-8
