"""Flows where something is not in general position."""

import numpy as np
import pytest
from flow_cases import euler, logged, random_problem, seeds
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.relu import modes_along

few = settings(max_examples=10, deadline=None)
losses = st.sampled_from(["square", "logistic", "exponential"])
S = np.sqrt(0.5)


def both_or_hidden(problem, X, y, weights=None):
    """The same network on other data."""
    layer = {"width": problem.width} if problem.trains_output else {"output": problem.output}
    return tm.TwoLayerReLU(X, y, loss=problem.output_loss.name, weights=weights, **layer)


def close(a, b, tolerance=1e-9):
    return np.linalg.norm(a - b) < tolerance


@few
@given(seeds)
def test_duplicated_samples_are_one_of_their_weight(seed):
    problem, start, end = random_problem(seed, largest=(3, 4))
    X, y = problem.inputs, problem.targets
    twice = both_or_hidden(
        problem, np.vstack([X, X[:1]]), np.append(y, y[0]), np.append(problem.weights, 0.5)
    )
    once = both_or_hidden(problem, X, y, problem.weights + 0.5 * (np.arange(len(X)) == 0))
    run, same = tm.flow(once, start, end), tm.flow(twice, start, end)
    assert run.status == same.status
    if run.status == "finished":
        assert close(run.theta, same.theta)
    modes = modes_along(twice, same)
    np.testing.assert_array_equal(modes[:, 0], modes[:, -1])
    np.testing.assert_array_equal(modes[:, :-1], modes_along(once, run))


@few
@given(seeds, st.sampled_from([-2.0, -0.5, 0.5, 3.0]))
def test_parallel_samples_are_the_limit_of_nearly_parallel_ones(seed, factor):
    problem, start, end = random_problem(seed, largest=(3, 4))
    rng = np.random.default_rng(seed)
    X = np.vstack([problem.inputs, factor * problem.inputs[:1]])
    y = np.append(problem.targets, rng.choice([-1.0, 1.0]))
    nearly = X.copy()
    nearly[-1] += 1e-10 * rng.standard_normal(X.shape[1])
    run = tm.flow(both_or_hidden(problem, X, y), start, end / 2)
    near = tm.flow(both_or_hidden(problem, nearly, y), start, end / 2)
    assume(run.status == near.status == "finished")
    # Where a neuron would cross the plane, it may be caught in the wedge between two planes: slide, or die.
    first, last = [{e["neuron"] for e in r.events if e["kind"] == "sliding"} for r in (run, near)]
    modes = modes_along(both_or_hidden(problem, nearly, y), near)
    assume(first == last and (factor > 0 or (modes[:, [0, -1]] >= 0).any(-1).all()))
    assert close(run.theta, near.theta, 1e-6)
    modes = modes_along(both_or_hidden(problem, X, y), run)
    np.testing.assert_array_equal(modes[:, -1], modes[:, 0] * np.sign(factor))


def test_a_neuron_dies_in_the_wedge_between_nearly_opposite_samples_and_crosses_a_plane():
    X, y = np.array([[1.0, 0.0], [-2.0, 0.0]]), [-1.0, 1.0]
    wedge = X + 1e-9 * np.array([[0.0, 0.0], [0.0, -1.0]])
    for rows, kinds in ((X, ["inactive", "active"]), (wedge, ["inactive"])):
        problem = tm.TwoLayerReLU(rows, y, output=[1.0], loss="exponential")
        run = tm.flow(problem, [0.1, 1.0], [0.0, 2.0])
        assert [event["kind"] for event in run.events] == kinds


@few
@given(seeds, st.integers(3, 15), st.sampled_from([-2.0, 0.5, 1.0]))
def test_nearly_parallel_samples_do_not_throw_neurons_about(seed, digits, factor):
    """Near one kink is near the other, far from where the two meet."""
    problem, start, end = random_problem(seed, largest=(3, 4))
    rng = np.random.default_rng(seed)
    row = factor * problem.inputs[:1] + 10.0**-digits * rng.standard_normal(problem.inputs[:1].shape)
    X, y = np.vstack([problem.inputs, row]), np.append(problem.targets, rng.choice([-1.0, 1.0]))
    problem = both_or_hidden(problem, X, y)
    run = tm.flow(problem, start, np.linspace(0, end, 5))
    known = np.isfinite(run.error)
    assert (np.diff(run["loss"][known]) <= 1e-12).all()
    assert run.error[known].max() < 1e-7
    if problem.trains_output:
        assert np.abs(problem.imbalance(run.theta[known]) - problem.imbalance(start)).max() < 1e-11


def test_a_kink_that_is_reached_more_slowly_than_can_be_resolved():
    """The neuron starts on the kink, with no speed across it: the symmetry of the others breaks slowly."""
    X = [[0.0, -1.0], [-1.0, 0.0], [1.0, -1.0], [0.0, 1.0], [1.0, 0.0]]
    problem = tm.TwoLayerReLU(X, [1.0, -1.0, 1.0, -1.0, -1.0], width=6, loss="logistic")
    W = [[0.5, -1.0], [0.5, 0.5], [1.0, -1.0], [1.0, 0.5], [0.0, -0.5], [0.0, -0.5]]
    start = problem.pack(W, [1.0, -0.5, 0.0, -1.0, -1.0, -0.5])
    run = tm.flow(problem, start, np.linspace(0, 6, 4))
    assert run.status == "finished" and run.error.max() < 1e-9
    assert [event[3] for event in logged(run) if event[1:3] == (1, 2)] == ["sliding"]
    assert np.linalg.norm(euler(problem, start, 6.0, 40_000) - run.theta[-1]) < 2e-3


@pytest.mark.parametrize("push, kinds", [(-1.0, ["inactive"]), (1.0, ["active"])])
def test_a_neuron_that_starts_on_a_boundary_is_carried_off(push, kinds):
    """The second sample alone decides where the first one's preactivation goes, being heavier."""
    X, y = [[1.0, 0.0], [S, S]], [1.0, push]
    problem = tm.TwoLayerReLU(X, y, output=[1.0], loss="exponential", weights=[0.1, 1.0])
    run = tm.flow(problem, [0.0, 1.0], 0.01)
    assert [event["kind"] for event in run.events] == kinds[push < 0 :]
    assert np.sign(run.theta[0]) == push


def test_a_neuron_that_starts_on_an_attracting_boundary_slides():
    problem = tm.TwoLayerReLU(
        [[1.0, 0.0], [S, S]], [-1.0, 1.0], output=[1.0], loss="exponential", weights=[5.0, 1.0]
    )
    run = tm.flow(problem, [0.0, 1.0], [0.0, 0.1])
    assert [(e["time"], e["kind"]) for e in run.events] == [(0.0, "sliding")]
    assert abs(run.theta[1, 0]) < 1e-15 and run.theta[1, 1] > 1


def test_a_neuron_that_starts_on_a_repelling_boundary_has_no_unique_flow():
    problem = tm.TwoLayerReLU(
        [[1.0, 0.0], [-S, S]], [1.0, 1.0], output=[1.0], loss="exponential", weights=[5.0, 1.0]
    )
    run = tm.flow(problem, [0.0, 1.0], [0.0, 0.1])
    assert run.status == "not unique"
    assert run.message.startswith("the flow is not unique at time 0: neuron 0 on samples [0]")
    assert np.isnan(run.theta[1]).all() and run.error[1] == np.inf
    assert run.events == [
        {
            "kind": "not unique",
            "neuron": 0,
            "samples": [0],
            "why": "several directions are consistent",
            "time": 0.0,
            "runs": [[]],
        }
    ]


def test_two_neurons_cross_at_one_instant():
    """Mirror images: samples, and neurons."""
    X, y = [[1.0, 0.5], [1.0, -0.5], [-1.0, 2.0], [-1.0, -2.0]], [1.0, 1.0, -1.0, -1.0]
    problem = tm.TwoLayerReLU(X, y, width=2, loss="logistic")
    start = problem.pack([[-0.1, 0.9], [-0.1, -0.9]], [1.0, 1.0])
    run = tm.flow(problem, start, [1.0, 5.0])
    events = logged(run)
    assert len(events) >= 4 and len(events) % 2 == 0
    for first, second in zip(events[::2], events[1::2], strict=True):
        assert abs(first[0] - second[0]) < 1e-12
        assert {first[1], second[1]} == {0, 1} and first[3] == second[3]
    (W, a), mirrored = problem.layers(run.theta), problem.layers(run.theta)[0][:, ::-1] * [1.0, -1.0]
    np.testing.assert_allclose(W, mirrored, atol=1e-11)
    np.testing.assert_allclose(a[:, 0], a[:, 1], atol=1e-11)


@pytest.mark.parametrize("labels, kinds", [((1.0, 1.0), "active"), ((-1.0, -1.0), "sliding")])
def test_one_neuron_meets_two_kinks_at_one_instant(labels, kinds):
    """It moves in the plane of symmetry of two samples, which alone could not hold or stop it."""
    X = [[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [1.0, 0.0, 2.0]]
    problem = tm.TwoLayerReLU(X, [*labels, 1.0], output=[1.0], loss="exponential", weights=[1.0, 1.0, 1.5])
    run = tm.flow(problem, [-0.2, 0.0, 1.0], [0.0, 3.0])
    events = logged(run)
    assert run.status == "finished"
    assert [event[1:] for event in events[:2]] == [(0, 0, kinds), (0, 1, kinds)]
    assert events[0][0] == events[1][0]
    nearly = tm.flow(problem, [-0.2, 1e-9, 1.0], [0.0, 3.0])
    assert close(run.theta[1], nearly.theta[1], 1e-7)


def test_dead_neurons_never_move():
    problem, start, end = random_problem(2, largest=(5, 6))
    W, *a = problem.unpack(start)
    X = np.abs(problem.inputs)
    dead = W.copy()
    dead[0] = -np.abs(W[0])
    start = problem.pack(dead, *a)
    run = tm.flow(both_or_hidden(problem, X, problem.targets), start, [0.0, end, 10 * end])
    theta = problem.unpack(run.theta)
    np.testing.assert_array_equal(theta[0][:, 0], np.repeat(dead[:1], 3, axis=0))
    assert run.status == "finished" and not any(event["neuron"] == 0 for event in run.events)


@pytest.mark.parametrize("loss", ["square", "exponential"])
def test_zero_output_weights(loss):
    X, y = np.array([[1.0, 0.3], [-0.2, 1.0]]), np.array([1.0, -1.0])
    fixed = tm.TwoLayerReLU(X, y, output=[0.0, 1.0], loss=loss)
    run = tm.flow(fixed, [0.3, 0.4, 0.5, -0.2], [0.0, 2.0])
    np.testing.assert_array_equal(run.theta[1, :2], [0.3, 0.4])
    trained = tm.TwoLayerReLU(X, y, width=2, loss=loss)
    start = np.array([0.3, 0.4, 0.5, -0.2, 0.0, 0.0])
    run = tm.flow(trained, start, 2.0)
    near = tm.flow(trained, start + 1e-10 * (np.arange(6) == 4), 2.0)
    assert close(run.theta, near.theta, 1e-8)
    assert run.theta[4] != 0


@pytest.mark.parametrize("label, kind", [(1.0, "active"), (-1.0, "sliding")])
def test_a_zero_output_weight_on_a_boundary_is_decided_by_where_it_goes(label, kind):
    X, weights = [[1.0, 0.0], [1.0, 1.0]], [1.0 if label > 0 else 9.0, 1.0]
    problem = tm.TwoLayerReLU(X, [label, 1.0], width=1, loss="exponential", weights=weights)
    run = tm.flow(problem, [0.0, 1.0, 0.0], [0.0, 0.2])
    assert [event[1:] for event in logged(run)] == [(0, 0, kind)]
    near = tm.flow(problem, [0.0, 1.0, 1e-10], [0.0, 0.2])
    assert close(run.theta[1], near.theta[1], 1e-8)


@few
@given(seeds)
def test_a_zero_sample_changes_nothing(seed):
    problem, start, end = random_problem(seed, largest=(3, 4))
    X, y = np.vstack([problem.inputs, 0 * problem.inputs[:1]]), np.append(problem.targets, 1.0)
    more = both_or_hidden(problem, X, y, np.append(problem.weights, 1.0))
    run, plain = tm.flow(more, start, end), tm.flow(problem, start, end)
    assert run.status == plain.status
    assert run.status == "not unique" or close(run.theta, plain.theta)
    assert (modes_along(more, run)[:, -1] == -1).all()


def test_only_zero_samples():
    problem = tm.TwoLayerReLU([[0.0, 0.0]], [1.0], width=2)
    start = problem.init()
    run = tm.flow(problem, start, [0.0, 5.0])
    np.testing.assert_array_equal(run.theta, [start, start])


@few
@given(seeds, losses, st.integers(1, 3), st.floats(0.1, 5.0))
def test_one_sample_one_neuron(seed, loss, d, t):
    """A two-dimensional ODE: a' = g p, p' = g a up to units, until p is zero."""
    from scipy.integrate import solve_ivp

    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(d), float(rng.choice([-1.0, 1.0]))
    problem = tm.TwoLayerReLU([x], [y], width=1, loss=loss)
    start, size = problem.init(rng=seed), np.linalg.norm(x)
    p0, slope = start[:-1] @ x / size, problem.output_loss.slope

    def field(_, state):
        g = -size * slope(size * state[0] * state[1], y)
        return [g * state[1], g * state[0]]

    def death(_, state):
        return state[1]

    death.terminal = True
    run = tm.flow(problem, start, t)
    if p0 <= 0:
        np.testing.assert_array_equal(run.theta, start)
        return
    plain = solve_ivp(field, (0, t), [start[-1], p0], "DOP853", rtol=1e-13, atol=1e-15, events=death)
    a, p = plain.y[:, -1]
    expected = np.append(start[:-1] + (p - p0) * x / size, a)
    assert close(run.theta, expected, 1e-10)
    assert len(run.events) == len(plain.t_events[0])
    if run.events:
        assert abs(run.events[0]["time"] - plain.t_events[0][0]) < 1e-9


def test_orthogonal_deaths_are_logged_once():
    """The velocity of a dead preactivation is zero up to rounding, which must not wake it."""
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0][:4]
    problem = tm.TwoLayerReLU(
        Q, [1.0, -1.0, 1.0, -1.0], output=np.tile([1.0, -1.0], 10) / 4, loss="exponential"
    )
    start = problem.init(scale=0.5)
    run = tm.flow(problem, start, [1.0, 1e4])
    pairs = [event[1:3] for event in logged(run)]
    assert len(pairs) == len(set(pairs)) > 15
    assert {event[3] for event in logged(run)} == {"inactive"}


ORIGIN = ([[1.0, 0.0], [0.0, 1.0], [S, S]], [-1.0, -1.0, 1.0], [2.0, 1.5, np.sqrt(2)])


def test_the_origin_where_every_direction_shrinks_is_the_end_of_a_neuron():
    """Slopes -2, -1.5, 1 on (1, 0), (0, 1), (1, 1): it slides along (0, 1) to the origin and rests there."""
    X, y, weights = ORIGIN
    problem = tm.TwoLayerReLU(X, y, output=[1e-3], loss="exponential", weights=weights)
    run = tm.flow(problem, [1e-3, 1.0], [0.0, 5e3])
    assert run.status == "finished"
    assert logged(run)[0][3] == "sliding"
    np.testing.assert_allclose(run.theta[1], 0.0, atol=1e-12)
    np.testing.assert_array_equal(modes_along(problem, run)[1], [[-1, -1, -1]])


def test_the_origin_where_a_direction_grows_ends_the_flow():
    X, y, weights = ORIGIN
    problem = tm.TwoLayerReLU(
        [*X, [-1.0, -1.0]], [*y, 1.0], output=[1e-3], loss="exponential", weights=[*weights, 1.0]
    )
    run = tm.flow(problem, [1e-3, 1.0], [1.0, 5e3])
    assert run.status == "not unique"
    assert run.events[-1]["samples"] == [0, 1, 2, 3]
    assert np.isfinite(run.theta[0]).all() and np.isnan(run.theta[1]).all()


def test_a_lone_neuron_at_the_origin_is_known_by_the_size_that_it_had():
    """Nothing else is left to compare its rounding with; four lines of samples through zero, both ways."""
    X = [[1.0, 1.0], [-1.0, 1.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]]
    y, weights = [0.0, 2.0, 1.0, 2.0, 0.0], np.array([3.0, 1.0, 1.0, 1.0, 1.0]) / 7
    problem = tm.TwoLayerReLU(X, y, output=[-1.0], weights=weights)
    start, times = [0.5, -0.5], np.linspace(0, 8, 5)
    run, solution = tm.flow(problem, start, times), tm.exact(problem, start)
    assert run.status == "finished"
    theta, error = solution.at(times), solution.error(times)
    assert [event["kind"] for event in run.events] == [event["kind"] for event in solution.events]
    np.testing.assert_allclose(run.theta[-1], 0.0, atol=1e-14)
    assert (np.linalg.norm(run.theta - theta, axis=-1) <= run.error + error).all()
    assert np.linalg.norm(theta[-1]) <= error[-1]


def test_a_neuron_passes_through_the_origin_and_drifts_off_a_kink_there():
    """Opposite samples push it on; a third, weak at first, turns it off a kink that it leaves slowly."""
    X, y = [[-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [0.0, -1.0]], [2.0, 0.0, -2.0, 0.0]
    weights = np.array([2.0, 2.0, 1.0, 1.0]) / 7
    problem = tm.TwoLayerReLU(X, y, output=[4 / 3], weights=weights)
    start, times = [1.0, 1.0], np.linspace(0, 6, 5)
    run, solution = tm.flow(problem, start, times), tm.exact(problem, start)
    assert run.status == "finished" and run.error.max() < 1e-9
    assert len(run.events) < 10
    assert (
        np.linalg.norm(run.theta - solution.at(times), axis=-1) <= run.error + solution.error(times)
    ).all()
    assert np.linalg.norm(euler(problem, np.array(start), 6.0, 20_000) - run.theta[-1]) < 1e-3


def test_a_start_at_the_origin():
    problem = tm.TwoLayerReLU([[1.0, 0.0], [0.0, 1.0]], [2.0, 2.0], width=2)
    start = problem.pack([[0.0, 0.0], [1.0, 1.0]], [1.0, 1.0])
    assert tm.flow(problem, start, 1.0).status == "not unique"
    both_zero = problem.pack([[0.0, 0.0], [1.0, 1.0]], [0.0, 1.0])
    run = tm.flow(problem, both_zero, 1.0)
    assert run.status == "finished" and run.theta[0] == run.theta[1] == run.theta[4] == 0


def test_an_output_weight_that_passes_zero_while_it_slides_ends_the_flow():
    problem = tm.TwoLayerReLU(
        [[1.0, 0.0], [-0.5, 1.0]], [-1.0, -1.0], width=1, loss="exponential", weights=[5.0, 1.0]
    )
    run = tm.flow(problem, [0.0, 1.0, 0.3], [0.1, 5.0])
    assert run.status == "not unique"
    assert run.events[-1]["why"] == "its output weight passes zero while it slides"
    before = tm.flow(problem, [0.0, 1.0, 0.3], run.events[-1]["time"] - 1e-9)
    assert abs(before.theta[-1]) < 1e-8


def test_one_run_that_ends_does_not_cost_the_others_theirs():
    problem = tm.TwoLayerReLU([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], width=1)
    starts = np.array([[0.0, 0.0, 1.0], [0.5, 0.2, 1.0]])
    run = tm.flow(problem, starts, [0.0, 2.0])
    alone = tm.flow(problem, starts[1], [0.0, 2.0])
    np.testing.assert_array_equal(run.theta[:, 1], alone.theta)
    assert run.message.startswith("1 of 2 runs have ended; the first is not unique at time 0")
    assert run.error[1, 0] == np.inf and np.isfinite(run.error[:, 1]).all()


def test_overflow_is_divergence():
    problem = tm.TwoLayerReLU([[1.0]], [1.0], output=[-1.0], loss="exponential")
    run = tm.flow(problem, [1e3], [0.0, 1.0])
    assert run.status == "diverged"
