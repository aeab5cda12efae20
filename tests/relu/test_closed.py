"""Which problems have a closed form, and what all of them answer."""

import numpy as np
import pytest
from flow_cases import seeds
from hypothesis import given, settings

import toymodels as tm
from toymodels.errors import AssumptionError
from toymodels.problem import ClosedForm

X = np.array([[1.0, 0.0], [1.0, 1.0]])


def test_what_is_not_closed_says_why():
    both = tm.TwoLayerReLU(X, [1.0, 2.0], width=2)
    with pytest.raises(AssumptionError, match="X: expected one sample, or fixed output weights"):
        tm.exact(both, both.init())
    hidden = tm.TwoLayerReLU(X, [1.0, 1.0], output=[1.0], loss="logistic")
    with pytest.raises(AssumptionError, match="expected orthogonal samples, or the square loss") as error:
        tm.exact(hidden, hidden.init())
    assert abs(error.value.residual - np.sqrt(0.5)) < 1e-15
    parallel = tm.TwoLayerReLU([[1.0, 0.0], [-2.0, 0.0]], [1.0, 1.0], output=[1.0], loss="logistic")
    with pytest.raises(AssumptionError, match="measured residual 1"):
        tm.exact(parallel, parallel.init())
    with pytest.raises(AssumptionError, match="rates: expected a positive factor for W"):
        tm.exact(tm.TwoLayerReLU([[1.0]], [1.0], width=1), [1.0, 1.0], rates=[0.0, 1.0])


def problems():
    rng = np.random.default_rng(0)
    yield tm.TwoLayerReLU(rng.standard_normal((3, 2)), rng.standard_normal(3), output=[1.0, -0.5, 0.3])
    yield tm.TwoLayerReLU(np.eye(3)[:2], [1.0, -1.0], output=[1.0, -1.0], loss="exponential")
    yield tm.TwoLayerReLU([[1.0, 2.0]], [0.7], width=3)


@pytest.mark.parametrize("problem", list(problems()))
def test_runs_and_times_take_their_shapes(problem):
    starts = problem.init(scale=0.5, runs=3)
    solution = tm.exact(problem, starts)
    times = np.array([0.0, 0.5, 2.0])
    theta, error = solution.at(times), solution.error(times)
    assert isinstance(solution._form, ClosedForm) and solution.determined == "parameters"
    assert theta.shape == (3, 3, problem.size) and error.shape == (3, 3)
    assert solution.at(0.5).shape == (3, problem.size) and solution.error(0.5).shape == (3,)
    np.testing.assert_array_equal(theta[0], starts)
    for k, start in enumerate(starts):
        alone = tm.exact(problem, start)
        np.testing.assert_array_equal(theta[:, k], alone.at(times))
        np.testing.assert_array_equal(error[:, k], alone.error(times))
        mine = [event for event in solution.events if event["runs"] == [[k]]]
        assert [event["time"] for event in mine] == [event["time"] for event in alone.events]
    run = solution.trajectory(times, record=("loss", "gates"))
    assert (np.diff(run["loss"], axis=0) <= 1e-15).all() and run["gates"].shape[:2] == (3, 3)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_error_bounds_what_a_rounding_of_the_start_does(seed):
    rng = np.random.default_rng(seed)
    for problem in problems():
        start = problem.init(scale=0.5, rng=seed)
        moved = start * (1 + 2.0**-52 * rng.integers(-1, 2, problem.size))
        times = [0.0, 1.0, 3.0]
        solution = tm.exact(problem, start)
        gap = np.linalg.norm(tm.exact(problem, moved).at(times) - solution.at(times), axis=-1)
        assert (gap <= solution.error(times)).all()
        assert (solution.error(times) < 1e-9).all()
