"""Modes and gates along flows, replayed from their events."""

import numpy as np
import pytest
from flow_cases import logged, random_problem, seeds
from hypothesis import given, settings

import toymodels as tm
from toymodels.errors import InputError
from toymodels.relu import gates_along, modes_along

few = settings(max_examples=12, deadline=None)


@few
@given(seeds)
def test_modes_are_signs_of_preactivations_or_zero_preactivations(seed):
    problem, start, end = random_problem(seed, largest=(5, 6))
    run = tm.flow(problem, start, np.linspace(0, end, 7))
    known = np.isfinite(run.error)
    modes, z = modes_along(problem, run)[known], problem.preactivations(run.theta[known])
    size = 1e-9 * (1 + np.abs(z).max())
    assert ((modes == 1) <= (z > -size)).all() and ((modes == -1) <= (z < size)).all()
    assert ((modes == 0) <= (np.abs(z) < 1e-11)).all()


@few
@given(seeds)
def test_gates_are_those_of_the_modes(seed):
    problem, start, end = random_problem(seed, largest=(5, 6))
    run = tm.flow(problem, start, np.linspace(0, end, 7))
    modes, gates = modes_along(problem, run), gates_along(problem, run)
    np.testing.assert_array_equal(gates[modes == 1], 1.0)
    np.testing.assert_array_equal(gates[modes == -1], 0.0)
    between = gates[np.isfinite(run.error)][modes[np.isfinite(run.error)] == 0]
    assert (between > 0).all() and (between < 1).all()


@few
@given(seeds)
def test_runs_of_a_batch_are_told_apart(seed):
    problem, _, end = random_problem(seed, largest=(3, 3))
    starts, times = problem.init(runs=2, rng=seed), [0.0, end / 4]
    modes = modes_along(problem, tm.flow(problem, starts, times))
    assert modes.shape == (2, 2, problem.width, problem.n)
    for k, start in enumerate(starts):
        np.testing.assert_array_equal(modes[:, k], modes_along(problem, tm.flow(problem, start, times)))


def test_between_events_the_modes_are_what_the_last_ones_made():
    problem, start, end = random_problem(12)
    events = logged(tm.flow(problem, start, end))
    times = np.array([event[0] for event in events])
    apart = np.flatnonzero(np.diff(times) > 1e-6)
    between = (times[apart] + times[apart + 1]) / 2
    modes = modes_along(problem, tm.flow(problem, start, between))
    expected, done = np.where(problem.preactivations(start) > 0, 1, -1), 0
    assert len(between) > 10
    for last, seen in zip(apart, modes, strict=True):
        for _, k, i, kind in events[done : last + 1]:
            expected[k, i] = {"active": 1, "sliding": 0, "inactive": -1}[kind]
        done = last + 1
        np.testing.assert_array_equal(seen, expected)


def test_gates_of_opposite_samples_add_up_to_one_on_their_kink():
    X, weights = [[1.0, 0.0], [-1.0, 0.0], [0.5, 1.0]], [1.0, 1.0, 1.0]
    problem = tm.TwoLayerReLU(X, [-1.0, -1.0, 1.0], output=[1.0], loss="exponential", weights=weights)
    run = tm.flow(problem, [0.05, 1.0], [0.0, 1.0])
    gates = gates_along(problem, run)[1, 0]
    np.testing.assert_array_equal(modes_along(problem, run)[1], [[0, 0, 1]])
    assert abs(gates[0] + gates[1] - 1) < 1e-15 and 0 < gates[0] < 1


def test_after_its_end_a_run_keeps_its_modes_and_has_no_gates():
    problem = tm.TwoLayerReLU(
        [[1.0, 0.0], [-0.5, 1.0]], [-1.0, -1.0], width=1, loss="exponential", weights=[5.0, 1.0]
    )
    run = tm.flow(problem, [0.0, 1.0, 0.3], [0.1, 5.0])
    assert run.status == "not unique"
    modes, gates = modes_along(problem, run), gates_along(problem, run)
    np.testing.assert_array_equal(modes[1], modes[0])
    assert np.isnan(gates[1][modes[1] == 0]).all() and np.isfinite(gates[0]).all()


def test_a_closed_form_has_modes_too():
    problem = tm.TwoLayerReLU(np.eye(2), [1.0, -1.0], output=[1.0, -1.0], loss="logistic")
    start, times = [1.0, 0.3, 0.2, 1.0], np.linspace(0, 10, 6)
    closed = tm.exact(problem, start).trajectory(times)
    np.testing.assert_array_equal(
        modes_along(problem, closed), modes_along(problem, tm.flow(problem, start, times))
    )
    assert {event["kind"] for event in closed.events} == {"inactive"}
    assert tm.exact(problem, start).trajectory(0.0).events == []


def test_other_trajectories_are_refused():
    problem = tm.TwoLayerReLU([[1.0]], [1.0], width=1)
    descent = tm.descend(problem, [1.0, 1.0], lr=0.1, steps=2)
    other = tm.flow(tm.TwoLayerReLU([[1.0]], [1.0], width=2), np.ones(4), 1.0)
    for run in (descent, other, tm.Trajectory(t=np.zeros(1), theta=np.ones((1, 2)), error=np.zeros(1))):
        for along in (modes_along, gates_along):
            with pytest.raises(InputError, match=r"run: expected a trajectory of toymodels\.flow"):
                along(problem, run)
