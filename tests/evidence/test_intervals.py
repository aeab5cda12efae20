"""Confidence statements: coverage, and exponents with and without logarithms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.evidence.intervals import clopper_pearson, exponent_interval, mean_interval

exponents = st.floats(-3, 3)
grids = st.sampled_from(
    [2.0 ** -np.arange(3, 12), 10.0 ** -np.arange(1, 9), 10.0 ** np.arange(1, 8), 1.5 ** np.arange(8, 30)]
)


@given(exponents, grids, st.floats(0.1, 10))
def test_pure_powers_are_found_to_rounding(p, x, c):
    low, high = exponent_interval(x, c * x**p)
    assert low <= p <= high and high - low < 1e-11


@given(exponents, grids, st.floats(-0.9, 3), st.sampled_from([0.5, 1, 2]))
def test_corrections_by_powers(p, x, c, q):
    small = (x if x[-1] < 1 else 1 / x) / max(x[0], 1 / x[0]) ** 0
    low, high = exponent_interval(x, x**p * (1 + c * np.minimum(small, 1) ** q))
    assert low <= p <= high


@pytest.mark.parametrize("power", [-2, -1, 1, 2])
@pytest.mark.parametrize("scale", [1, 1e-3, 30])
@given(p=exponents, x=grids)
def test_logarithms_are_in_the_model(power, scale, p, x):
    inward = x if x[-1] < 1 else 1 / x
    logarithm = np.log(max(scale, 1.1) / inward) if scale >= 1 else np.log(1 / inward) + 7
    low, high = exponent_interval(x, x**p * logarithm**power)
    assert low <= p <= high


def test_a_logarithm_is_not_a_nearby_power():
    """x² log(1/x) has local slopes near 1.96 at 1e-12, and 2 stays inside all the same."""
    x = 10.0 ** -np.arange(1, 13)
    low, high = exponent_interval(x, x**2 * np.log(1 / x))
    assert low < 1.965 and high >= 2


def test_slopes_that_do_not_settle_say_little():
    x = 2.0 ** -np.arange(3, 12)
    for quantity in (np.exp(-1 / x / 100), x**2 * (2 + np.sin(3 * np.log(x))), x + 1e-3):
        low, high = exponent_interval(x, quantity)
        assert high - low > 0.5


@given(st.integers(0, 2**32))
def test_the_error_of_the_quantity_widens_the_interval(seed):
    x = 2.0 ** -np.arange(3, 12)
    error = 1e-4 * x
    moved = x + np.random.default_rng(seed).uniform(-1, 1, 9) * error
    low, high = exponent_interval(x, moved, error)
    assert low <= 1 <= high


@pytest.mark.parametrize(
    "x", [[1, 2, 4, 8], [1, 2, 3, 4, 5], [1, 2, 4, 2, 1], [1, 1, 1, 1, 1], [1, 10, 12, 13, 14]]
)
def test_other_grids_are_refused(x):
    with pytest.raises(InputError, match="geometric"), np.errstate(divide="ignore", invalid="ignore"):
        exponent_interval(np.array(x, dtype=float), np.ones(len(x)))


@given(st.integers(1, 300), st.data())
def test_clopper_pearson_inverts_the_binomial_tails(trials, data):
    from scipy.stats import binom

    successes = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(successes, trials, confidence=0.99)
    assert 0 <= low <= successes / trials <= high <= 1
    if successes:
        assert binom.sf(successes - 1, trials, low) == pytest.approx(0.005, rel=1e-6)
    if successes < trials:
        assert binom.cdf(successes, trials, high) == pytest.approx(0.005, rel=1e-6)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_student_intervals_cover(seed):
    """At 90 percent, 2000 intervals of 9 normal samples miss 200 times, within 5 standard deviations."""
    samples = np.random.default_rng(seed).standard_normal((9, 2000)) * 3 + 1
    low, high = mean_interval(samples, confidence=0.9)
    assert abs(((low > 1) | (high < 1)).sum() - 200) < 5 * np.sqrt(180)


@given(st.floats(-1e6, 1e6))
def test_constant_samples_have_their_mean(c):
    low, high = mean_interval(np.full(9, c))
    assert low <= c <= high and high - low <= 1e-14 * abs(c)
