"""Compressed data carry the whole loss; impossible statistics are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_cases import EPS, seeds, sizes

from toymodels import InputError, TwoLayerLinear
from toymodels.linear.statistics import Statistics, check_statistics, compress, compress_statistics


@st.composite
def samples(draw):
    """Samples with any shapes and an input spectrum over up to 16 decades."""
    n, d, c = draw(st.integers(1, 8)), draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    spectrum = 10.0 ** (-draw(st.integers(0, 16)) * rng.random(d))
    X = rng.standard_normal((n, d)) * spectrum @ np.linalg.qr(rng.standard_normal((d, d)))[0]
    Y = (
        X @ rng.standard_normal((d, c)) / spectrum.min()
        if draw(st.booleans())
        else rng.standard_normal((n, c))
    )
    return X, Y, np.full(n, 1 / n)


def statistics_of(X, Y, weights):
    heavy = weights[:, None] * X
    return Statistics(X.T @ heavy, Y.T @ heavy, float(np.sum(weights[:, None] * Y * Y)))


def assert_same(rows, targets, statistics, least, rounding):
    Sxx, Syx, tyy = statistics
    assert np.abs(rows.T @ rows - Sxx).max() <= rounding * np.abs(Sxx).max()
    assert np.abs(targets.T @ rows - Syx).max() <= rounding * np.sqrt(tyy * np.abs(Sxx).max())
    assert least >= 0
    assert rows.shape[1] == len(Sxx) and targets.shape[1] == len(Syx)


@given(case=samples())
@settings(max_examples=100)
def test_compressed_samples_have_the_statistics_of_the_samples(case):
    X, Y, weights = case
    rows, targets, least, _ = compress(X, Y, weights)
    statistics = statistics_of(X, Y, weights)
    assert len(rows) == min(X.shape)
    assert_same(rows, targets, statistics, least, 64 * (len(X) + X.shape[1]) * EPS)
    total = np.sum(targets * targets) + 2 * least
    assert abs(total - statistics.tyy) <= 64 * len(X) * EPS * statistics.tyy


@given(case=samples())
@settings(max_examples=200)
def test_statistics_of_samples_are_accepted_however_ill_conditioned(case):
    statistics = statistics_of(*case)
    rows, targets, least, _ = compress_statistics(check_statistics(*statistics))
    assert_same(rows, targets, statistics, least, 64 * (len(case[0]) + len(statistics.Sxx)) * EPS)


@given(n=st.integers(1, 40), d=sizes, c=sizes, seed=seeds)
@settings(max_examples=100)
def test_statistics_of_interpolated_samples_leave_nothing_unexplained(n, d, c, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    Y = X @ rng.standard_normal((d, c))
    statistics = statistics_of(X, Y, np.full(n, 1 / n))
    problem = TwoLayerLinear.from_statistics(*statistics, width=min(c, d))
    values = np.linalg.svd(X, compute_uv=False)
    condition = values[0] / values[values > 1e-7 * values[0]][-1]
    allowed = 64 * (n + d) * EPS * condition**2 * statistics.tyy
    assert 0 <= problem.least_loss <= allowed
    assert abs(problem.loss(np.zeros(problem.size)) - statistics.tyy / 2) <= allowed


@given(case=samples(), share=st.floats(0.0, 0.9))
@settings(max_examples=100)
def test_too_small_a_target_norm_is_refused(case, share):
    Sxx, Syx, _ = statistics_of(*case)
    Sxx = Sxx + np.trace(Sxx) * np.eye(len(Sxx))
    least = np.sum(Syx.T * np.linalg.solve(Sxx, Syx.T))
    with pytest.raises(InputError, match="tyy: expected at least"):
        TwoLayerLinear.from_statistics(Sxx, Syx, share * least, width=2)
    assert TwoLayerLinear.from_statistics(Sxx, Syx, 1.01 * least, width=2).least_loss > 0


def test_least_loss_by_hand():
    # y = 1, 2, 4 on x = 1, 1, 1: the best constant is 7/3
    problem = TwoLayerLinear(np.ones((3, 1)), [1.0, 2.0, 4.0], width=1)
    expected = ((4 / 3) ** 2 + (1 / 3) ** 2 + (5 / 3) ** 2) / 6
    assert problem.least_loss == pytest.approx(expected, rel=16 * EPS)
    assert problem.loss([7.0, 1 / 3]) == pytest.approx(expected, rel=16 * EPS)


def test_inputs_that_vanish():
    problem = TwoLayerLinear.from_statistics(np.zeros((2, 2)), np.zeros((3, 2)), 5.0, width=1)
    assert problem.loss(np.ones(5)) == 2.5
    assert problem.gradient(np.ones(5)).tolist() == [0.0] * 5
    samples = TwoLayerLinear(np.zeros((4, 2)), np.full(4, 3.0), width=1)
    assert samples.loss(np.ones(3)) == pytest.approx(4.5, rel=8 * EPS)


@pytest.mark.parametrize(
    "Sxx, Syx, tyy, message",
    [
        ([[1.0, 0.0]], [1.0, 0.0], 1.0, "Sxx: expected a square matrix"),
        ([[1.0, 0.1], [0.0, 1.0]], [1.0, 0.0], 2.0, "Sxx: expected a symmetric matrix"),
        ([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.0], 2.0, "Sxx: expected positive semidefinite"),
        (np.eye(2), [1.0], 2.0, "Syx: expected 2 columns"),
        (np.eye(2), np.ones((1, 1, 2)), 2.0, "Syx: expected 1 or 2 dimension"),
        (np.eye(2), [1.0, 0.0], -1.0, "tyy: expected a number >= 0"),
        (np.eye(2), [1.0, 0.0], np.nan, "tyy: expected finite"),
        (np.eye(2), [1.0, 0.0], [1.0], "tyy: expected 0 dimension"),
        (np.eye(2), [2.0, 0.0], 3.9, "tyy: expected at least 4"),
        (np.diag([1.0, 0.0]), [1.0, 0.5], 3.0, "tyy: expected at least"),
        (np.zeros((2, 2)), [1.0, 0.0], 3.0, "Syx: expected zero where Sxx is zero"),
        (-np.eye(2), [0.0, 0.0], 3.0, "Sxx: expected positive semidefinite"),
    ],
)
def test_statistics_of_no_data(Sxx, Syx, tyy, message):
    with pytest.raises(InputError, match=message):
        TwoLayerLinear.from_statistics(Sxx, Syx, tyy, width=2)


def test_width_of_statistics():
    with pytest.raises(InputError, match="width: expected an integer >= 1"):
        TwoLayerLinear.from_statistics(np.eye(2), [1.0, 0.0], 2.0, width=0)
