"""Descent on log L (card F3, F6)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.errors import ConvergenceError, InputError
from toymodels.relu import normalised_descent, normalised_margin
from toymodels.relu.margins import margins

few = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)
LOSS = st.sampled_from(["logistic", "exponential"])


def separable(seed, loss, both=True):
    """Orthogonally separable data and a start that sees both classes."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    y = np.where(np.arange(n) < n // 2, 1.0, -1.0)
    X = rng.uniform(0.3, 1.2, (n, d)) * y[:, None]
    W, a = np.array([X[0], X[-1], rng.standard_normal(d)]), np.array([1.0, -1.0, 0.7])
    layer = {"width": 3} if both else {"output": a}
    problem = tm.TwoLayerReLU(X, y, loss=loss, weights=rng.uniform(0.2, 1, n), **layer)
    return problem, problem.pack(*(W, a)[: 1 + both])


@few
@given(seeds, LOSS, st.booleans())
def test_one_step_is_that_of_the_logarithm(seed, loss, both):
    problem, start = separable(seed, loss, both)
    level = margins(problem, start).min()
    here, there = normalised_descent(problem, start, [level, level + 1e-9], lr=1e-3)
    np.testing.assert_array_equal(here, start)
    expected = start - 1e-3 * problem.gradient(start) / problem.loss(start)
    np.testing.assert_allclose(there, expected, rtol=1e-12, atol=1e-15)


@few
@given(seeds, LOSS, st.booleans(), st.integers(1, 4))
def test_levels_are_reached_in_order(seed, loss, both, count):
    problem, start = separable(seed, loss, both)
    levels = np.linspace(1, 40, count)
    reached = normalised_descent(problem, start, levels)
    assert reached.shape == (count, problem.size)
    assert (margins(problem, reached).min(-1) >= levels).all()


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_goes_on_where_the_loss_underflows(loss):
    problem, start = separable(3, loss)
    far = normalised_descent(problem, start, [50.0, 2000.0])
    assert problem.loss(far)[1] == 0
    assert np.isfinite(far).all()
    # the direction improves with the margin
    assert np.diff(normalised_margin(problem, far)) > 0


def test_small_steps_follow_gradient_flow():
    problem, start = separable(5, "exponential")
    run = tm.flow(problem, start, [40.0])
    level = margins(problem, run.theta[-1]).min()
    errors = []
    for lr in (4e-3, 2e-3, 1e-3):
        (theta,) = normalised_descent(problem, start, [level], lr=lr)
        errors.append(np.linalg.norm(theta - run.theta[-1]))
    assert errors[2] < 0.7 * errors[1] < 0.7 * 0.7 * errors[0] < 0.05


def test_zero_output_weights_are_no_division_by_zero():
    problem = tm.TwoLayerReLU([[1.0]], [1.0], width=1, loss="exponential")
    (theta,) = normalised_descent(problem, problem.pack([[1.0]], [0.0]), [1.0])
    assert problem.outputs(theta)[0] >= 1


def test_errors():
    problem, start = separable(0, "exponential")
    with pytest.raises(InputError, match="levels"):
        normalised_descent(problem, start, [2.0, 1.0])
    with pytest.raises(InputError, match="lr"):
        normalised_descent(problem, start, [2.0], lr=0)
    with pytest.raises(InputError, match="loss"):
        normalised_descent(tm.TwoLayerReLU([[1.0]], [1.0], width=1), [1.0, 1.0], [2.0])
    opposed = tm.TwoLayerReLU([[1.0], [1.0]], [1.0, -1.0], width=1, loss="logistic")
    with pytest.raises(ConvergenceError, match="within 20 steps"):
        normalised_descent(opposed, [1.0, 1.0], [1.0], steps=20)
