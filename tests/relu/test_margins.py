"""Margins of a net and of its direction (card F1, F3, F6)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.errors import AssumptionError, InputError
from toymodels.relu import kkt_residual, max_margin_limit, normalised_margin, smoothed_margin
from toymodels.relu.margins import homogeneity, margins

EPS = np.finfo(float).eps
few = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def net_of(seed, runs=None):
    """A labelled problem, both layers or the hidden one trained, any weights, and a theta."""
    rng = np.random.default_rng(seed)
    n, d, m = rng.integers(1, 6, 3)
    X, y = rng.standard_normal((n, d)), rng.choice([-1.0, 1.0], n)
    layer = {"width": int(m)} if rng.random() < 0.5 else {"output": rng.standard_normal(m)}
    problem = tm.TwoLayerReLU(X, y, loss="exponential", weights=rng.uniform(0.1, 2, n), **layer)
    return problem, problem.init(scale=1.0, runs=runs, rng=rng)


def separable(seed):
    """Orthogonally separable data with both labels, all products within a class positive."""
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 6), rng.integers(1, 5)
    y = np.where(np.arange(n) < rng.integers(1, n), 1.0, -1.0)
    return rng.uniform(0.2, 1.3, (n, d)) * y[:, None], y


@few
@given(seeds, st.floats(0.01, 100))
def test_margin_of_the_direction_does_not_depend_on_scale(seed, scale):
    problem, theta = net_of(seed, runs=3)
    here = normalised_margin(problem, theta)
    assert here.shape == (3,)
    np.testing.assert_allclose(normalised_margin(problem, scale * theta), here, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        margins(problem, 2 * theta), 2 ** homogeneity(problem) * margins(problem, theta)
    )


@few
@given(seeds)
def test_smoothed_margin_brackets_the_margin(seed):
    problem, theta = net_of(seed)
    unit = np.linalg.norm(theta) ** homogeneity(problem)
    weights = problem.weights
    missing = (normalised_margin(problem, theta) - smoothed_margin(problem, theta)) * unit
    assert -1e-13 <= missing <= np.log(weights.sum() / weights.min()) + 1e-13
    expected = -np.log(problem.loss(theta) / weights.min()) / unit
    np.testing.assert_allclose(smoothed_margin(problem, theta), expected, rtol=1e-12, atol=1e-13)


@settings(max_examples=8, deadline=None)
@given(seeds, st.booleans())
def test_smoothed_margin_never_falls_along_flow(seed, both):
    X, y = separable(seed)
    rng = np.random.default_rng(seed)
    layer = {"width": 3} if both else {"output": np.array([1.0, -1.0, 0.5])}
    problem = tm.TwoLayerReLU(X, y, loss="exponential", weights=rng.uniform(0.2, 1, len(y)), **layer)
    W = np.array([X[y > 0].sum(0), X[y < 0].sum(0), rng.standard_normal(X.shape[1])])
    run = tm.flow(
        problem, problem.pack(*(W, np.array([1.0, -1.0, 0.5]))[: 1 + both]), np.geomspace(0.1, 300, 25)
    )
    level = smoothed_margin(problem, run.theta)
    level = level[level > 0]
    assert len(level) > 5
    slack = 1e2 * run.error.max() / np.linalg.norm(run.theta, axis=-1).min()
    assert (np.diff(level) >= -slack - 1e-12).all()


def test_smoothed_margin_where_the_loss_underflows_or_a_weight_is_zero():
    problem = tm.TwoLayerReLU(
        [[1.0], [-1.0]], [1.0, 1.0], output=[1.0], loss="exponential", weights=[0.5, 0.0]
    )
    assert problem.loss([1e4]) == 0
    assert smoothed_margin(problem, [1e4]) == 1.0
    assert normalised_margin(problem, [1e4]) == 0.0


@few
@given(seeds)
def test_the_limit_on_separable_data_is_a_kkt_point(seed):
    X, y = separable(seed)
    limit = max_margin_limit(X, y)
    W, a = limit.layers()
    problem = tm.TwoLayerReLU(X, y, width=len(a), loss="exponential")
    theta = problem.pack(W, a)
    np.testing.assert_allclose(normalised_margin(problem, theta), limit.margin, rtol=1e-12)
    residual = kkt_residual(problem, 3 * theta)
    assert residual.stationarity < 1e-10
    assert abs(residual.slackness) < 1e-10
    assert (residual.multipliers >= 0).all()
    np.testing.assert_allclose(residual.multipliers.sum(), 1 / (2 * limit.margin), rtol=1e-9)


@few
@given(seeds, st.floats(0.1, 10))
def test_residual_sees_directions_that_are_not_stationary(seed, scale):
    X, y = separable(seed)
    W, a = max_margin_limit(X, y).layers()
    problem = tm.TwoLayerReLU(X, y, width=len(a), loss="exponential")
    unbalanced = problem.pack(2 * W, a)
    residual = kkt_residual(problem, unbalanced)
    # with |w_k| = 2|a_k| no multipliers serve both layers
    assert residual.stationarity > 0.3
    again = kkt_residual(problem, scale * unbalanced)
    np.testing.assert_allclose(again[1:], residual[1:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(again.multipliers, residual.multipliers, rtol=1e-9, atol=1e-12)


@few
@given(st.floats(0.1, 1.5))
def test_a_neuron_on_a_kink_needs_its_gate(angle):
    c, s = np.cos(angle), np.sin(angle)
    problem = tm.TwoLayerReLU([[1.0, 0.0], [c, s]], [1.0, -1.0], width=2, loss="exponential")
    theta = problem.pack([[s, -c], [0.0, 1.0]], [1.0, -1.0])
    np.testing.assert_allclose(normalised_margin(problem, theta), s / 4, rtol=1e-9)
    assert kkt_residual(problem, theta, gates=[[1.0, c], [c, 1.0]]).stationarity < 1e-12
    assert kkt_residual(problem, theta, gates=np.eye(2)).stationarity > 0.4 * c


def test_a_sample_off_the_margin_counts_as_slack():
    # the second sample alone pushes along w, and it is not on the margin
    problem = tm.TwoLayerReLU([[1.0, 0.0], [1.0, 1.0]], [1.0, 1.0], output=[1.0], loss="exponential")
    residual = kkt_residual(problem, [1.0, 1.0])
    assert residual.stationarity > 0.05
    assert residual.slackness > 0.05
    assert kkt_residual(problem, [5.0, 0.0]).stationarity < 1e-14


def test_errors():
    problem = tm.TwoLayerReLU([[1.0], [-1.0]], [1.0, -1.0], width=1, loss="exponential")
    with pytest.raises(AssumptionError, match="positive margins"):
        kkt_residual(problem, [1.0, 1.0])
    with pytest.raises(InputError, match="not all zero"):
        normalised_margin(problem, [0.0, 0.0])
    one = tm.TwoLayerReLU([[1.0]], [1.0], width=1)
    with pytest.raises(InputError, match="gates"):
        kkt_residual(one, [1.0, 1.0], gates=[[2.0]])
    with pytest.raises(InputError, match="labels"):
        margins(tm.TwoLayerReLU([[1.0]], [0.5], width=1), [1.0, 1.0])
    with pytest.raises(InputError, match="theta"):
        normalised_margin(one, [1.0])
