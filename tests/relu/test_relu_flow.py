import numpy as np
import pytest
from flow_cases import euler, logged, random_problem, seeds
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.relu import formulas, gates_along, modes_along

few = settings(max_examples=10, deadline=None)


def gap(a, b):
    return np.linalg.norm(np.asarray(a) - b, axis=-1)


@few
@given(seeds)
def test_what_the_flow_conserves_and_lowers(seed):
    problem, start, end = random_problem(seed, largest=(5, 6))
    run = tm.flow(problem, start, np.linspace(0, end, 9))
    known = np.isfinite(run.error)
    theta, loss = run.theta[known], run["loss"][known]
    assert (np.diff(loss) <= 1e-12 * (1 + loss[:-1])).all()
    if problem.trains_output:
        assert np.abs(problem.imbalance(theta) - problem.imbalance(start)).max() < 1e-11
    sliding = modes_along(problem, run)[known] == 0
    assert np.abs(problem.preactivations(theta)[sliding]).max(initial=0) < 1e-11


@few
@given(seeds)
def test_velocity_is_the_gradient_with_the_gates_of_the_flow(seed):
    problem, start, end = random_problem(seed, largest=(5, 6))
    h = 1e-4 * end
    run = tm.flow(problem, start, [end / 2 - h, end / 2, end / 2 + h])
    assume(run.status == "finished" and all(abs(e["time"] - end / 2) > h for e in run.events))
    theta = run.theta[1]
    W, a = problem.layers(theta)
    gates = gates_along(problem, run)[1]
    cotangent = problem.weights * problem.output_loss.slope(problem.outputs(theta), problem.targets)
    velocity = -problem.pack(*formulas.vjp(W, a, problem.inputs, gates, cotangent)[: len(problem.blocks)])
    measured = (run.theta[2] - run.theta[0]) / (2 * h)
    assert gap(measured, velocity) < 1e-4 * (1 + np.linalg.norm(velocity))
    sliding = modes_along(problem, run)[1] == 0
    assert (gates[sliding] > 0).all() and (gates[sliding] < 1).all()


@few
@given(seeds, st.floats(0.2, 0.8))
def test_semigroup(seed, part):
    problem, start, end = random_problem(seed, largest=(5, 6))
    through = tm.flow(problem, start, [part * end, end])
    assume(through.status == "finished")
    again = tm.flow(problem, through.theta[0], (1 - part) * end)
    assert gap(again.theta, through.theta[1]) < 1e-8


@few
@given(seeds, st.integers(1, 3))
def test_batch_equals_its_members(seed, runs):
    problem, _, end = random_problem(seed, largest=(4, 4))
    starts = problem.init(runs=runs, rng=seed)
    batch = tm.flow(problem, starts, [0.0, end / 4])
    for k, start in enumerate(starts):
        alone = tm.flow(problem, start, [0.0, end / 4])
        np.testing.assert_array_equal(batch.theta[:, k], alone.theta)
        np.testing.assert_array_equal(batch.error[:, k], alone.error)
        mine = [event for event in batch.events if event["runs"] == [[k]]]
        assert [{**event, "runs": [[]]} for event in mine] == alone.events


@few
@given(seeds, st.sampled_from([0.25, 0.5, 2.0]))
def test_rates_rescale_time_and_units_rescale_weights(seed, c):
    problem, start, end = random_problem(seed, largest=(4, 4))
    t = end / 4
    plain = tm.flow(problem, start, t)
    assume(plain.status == "finished")
    faster = tm.flow(problem, start, t / c, rates=[c] * len(problem.blocks))
    assert gap(faster.theta, plain.theta) < 1e-9
    assert [event[1:] for event in logged(faster)] == [event[1:] for event in logged(plain)]


@few
@given(seeds)
def test_neurons_may_be_permuted(seed):
    problem, start, end = random_problem(seed, largest=(4, 5))
    assume(problem.trains_output)
    W, a = problem.layers(start)
    order = np.random.default_rng(seed).permutation(len(a))
    plain, other = tm.flow(problem, start, end), tm.flow(problem, problem.pack(W[order], a[order]), end)
    if plain.status == "finished":
        W, a = problem.layers(plain.theta)
        assert gap(other.theta, problem.pack(W[order], a[order])) < 1e-9


def test_error_of_explicit_euler_shrinks_with_slope_one():
    """Its phase of chatter around kinks is noise of a single run, so several are added up."""
    steps = 2 ** np.arange(9, 14)
    errors = np.zeros(len(steps))
    for seed in (0, 3, 10, 11, 14, 15):
        problem, start, end = random_problem(seed)
        theta = tm.flow(problem, start, end).theta
        errors += [gap(euler(problem, start, end, count), theta) for count in steps]
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert abs(slope - 1) < 0.1


def test_descent_converges_to_the_flow():
    problem, start, end = random_problem(11)
    flow = tm.flow(problem, start, end)
    run = tm.descend(problem, start, lr=end / 8_000, steps=8_000, record=())
    assert gap(run.theta[-1], flow.theta) < 5e-3


@pytest.mark.parametrize("hidden", [True, False])
def test_times_may_repeat_start_late_or_be_events(hidden):
    layer = {"output": [-1.0]} if hidden else {"width": 1}
    problem = tm.TwoLayerReLU([[1.0, 0.0]], [1.0], **layer)
    start = [0.5, 1.0] if hidden else [0.5, 1.0, -1.0]
    death = tm.flow(problem, start, 5.0).events[0]["time"]
    run = tm.flow(problem, start, [0.0, 0.0, death, death, 5.0])
    np.testing.assert_array_equal(run.theta[0], run.theta[1])
    np.testing.assert_array_equal(run.theta[2], run.theta[3])
    assert abs(run.theta[2][0]) < 1e-12
    np.testing.assert_array_equal(modes_along(problem, run)[-1], [[-1]])
    np.testing.assert_allclose(run.theta[4], run.theta[3], atol=1e-12)
