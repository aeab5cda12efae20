"""Counts and moves over a run are those of the states that it recorded."""

import numpy as np
import pytest
from flow_cases import logged, random_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from relu_cases import problems, seeds

import toymodels as tm
from toymodels import InputError, Trajectory, TwoLayerReLU
from toymodels.relu import KINDS, census, modes_along


def recorded(problem, thetas, t=None):
    thetas = np.asarray(thetas)
    t = np.arange(len(thetas), dtype=float) if t is None else t
    return Trajectory(t=t, theta=thetas, error=np.zeros(thetas.shape[:-1]))


@given(case=problems(runs=True), seed=seeds, length=st.integers(1, 4), batched=st.booleans())
@settings(max_examples=60)
def test_moves_lead_from_each_record_to_the_next(case, seed, length, batched):
    problem, _ = case
    rng = np.random.default_rng(seed)
    thetas = rng.standard_normal((length, *((2,) if batched else ()), problem.size))
    found = census(problem, recorded(problem, thetas))
    kinds = problem.partition(thetas[0]).kinds
    for index in range(length):
        assert (found.counts[index] == problem.census(thetas[index])).all()
        for move in found.moves:
            if move.by == index:
                place = (*move.run, move.neuron, move.sample)
                assert move.after == index - 1 and KINDS[kinds[place]] == move.source
                kinds[place] = KINDS.index(move.target)
        assert (kinds == problem.partition(thetas[index]).kinds).all()
    assert found.table().sum() == len(found.moves) == len(list(found.moves))
    assert np.trace(found.table()) == 0


@given(case=problems(), seed=seeds)
@settings(max_examples=40)
def test_moves_change_the_counts(case, seed):
    problem, _ = case
    thetas = np.random.default_rng(seed).standard_normal((3, problem.size))
    found = census(problem, recorded(problem, thetas))
    table = found.table()
    change = (found.counts[-1] - found.counts[0]).sum(0)
    assert (change == (table.sum(0) - table.sum(1))[:4]).all()


def test_a_false_neuron_dies_when_descent_takes_it_across():
    problem = TwoLayerReLU(np.eye(2), [1.0, -1.0], output=[1.0, -1.0], loss="exponential")
    theta = problem.pack([[1.0, 0.25], [-1.0, 1.0]])
    run = tm.descend(problem, theta, lr=0.2, steps=10, every=1)
    found = census(problem, run)
    (move,) = found.moves
    # z_21' = -g_2/2 with g_2 near e^{0.25 - 1}: about 0.047 a step
    assert (move.neuron, move.sample, move.source, move.target) == (0, 1, "FL", "FD")
    z = run.theta[:, 1]
    assert z[run.t == move.after] > 0 >= z[run.t == move.by]
    assert found.counts[:, 1, 2].tolist() == (z > 0).astype(float).tolist()


def test_runs_with_their_own_times():
    problem = TwoLayerReLU([[1.0]], [1.0], output=[-1.0], loss="exponential")
    run = tm.descend(problem, [0.15], lr=[0.1, 0.01], steps=3)
    (move,) = census(problem, run).moves
    assert move.run == (0,) and move.by == pytest.approx(0.2) and move.after == pytest.approx(0.1)


def test_moves_can_be_filtered():
    problem = TwoLayerReLU([[1.0], [-1.0]], [1.0, 1.0], output=[1.0, 1.0])
    found = census(problem, recorded(problem, [[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]]))
    assert len(found.moves) == 4
    mine = found.moves.where(found.moves.neuron == 1)
    assert [(m.sample, m.source, m.target, m.by) for m in mine] == [
        (0, "TL", "TD", 2.0),
        (1, "TD", "TL", 2.0),
    ]


def test_a_diverged_run_is_counted_up_to_its_end():
    problem = TwoLayerReLU([[1.0]], [1.0], output=[1.0])
    found = census(problem, recorded(problem, [[[1.0], [1.0]], [[np.nan], [-1.0]], [[np.nan], [1.0]]]))
    assert np.isnan(found.counts[:, 0, 0, 0]).tolist() == [False, True, True]
    assert {move.run for move in found.moves} == {(1,)}


@pytest.mark.parametrize(
    "problem, theta, message",
    [
        (tm.TwoLayerLinear([[1.0]], [1.0], width=1), np.ones((2, 2)), "problem: expected a TwoLayerReLU"),
        (TwoLayerReLU([[1.0]], [1.0], width=1), np.ones((2, 3)), r"trajectory: .* theta \(T, ..., 2\)"),
    ],
)
def test_bad_trajectories(problem, theta, message):
    with pytest.raises(InputError, match=message):
        census(problem, recorded(problem, theta))


def test_a_single_time_has_no_moves():
    problem = TwoLayerReLU([[1.0]], [1.0], width=1)
    with pytest.raises(InputError, match="trajectory: expected times"):
        census(problem, Trajectory(t=np.array(1.0), theta=np.ones(2), error=np.array(0.0)))


@given(seed=seeds)
@settings(max_examples=12, deadline=None)
def test_moves_of_a_flow_are_its_events_and_lead_to_its_modes(seed):
    problem, start, end = random_problem(seed, largest=(5, 6))
    run = tm.flow(problem, start, np.linspace(0.1 * end, end, 6))
    found, modes = census(problem, run), modes_along(problem, run)
    known = np.isfinite(run.error)
    assert (found.sliding[known] == (modes[known] == 0).sum(-2)).all()
    assert np.isnan(found.counts[~known]).all() and np.isnan(found.sliding[~known]).all()
    living = (modes == 1)[known].sum(-2)
    assert (found.counts[known][..., [0, 2]].sum(-1) <= living).all()
    exact = [move for move in found.moves if move.after == move.by]
    events = [(time, k, i) for time, k, i, _ in logged(run)]
    if not problem.trains_output:
        assert len(exact) == len(found.moves)
        assert (found.counts.sum(-1) + found.sliding)[known].min(initial=problem.width) == problem.width
    assert {(move.by, move.neuron, move.sample) for move in exact} <= set(events)
    for move in exact:
        assert {move.source[-1], move.target[-1]} != {"L"} and move.source != move.target


def test_moves_of_a_flow_have_exact_times_between_records():
    """A false neuron dies at 2 (1 - e^{-0.15}), under l = e^{-f} of half weight, whatever the records are."""
    problem = TwoLayerReLU(np.eye(2), [1.0, 1.0], output=[-1.0, 1.0], loss="exponential")
    start = problem.pack([[0.15, -1.0], [-1.0, 1.0]])
    expected = 2 * (1 - np.exp(-0.15))
    for times in ([0.0, 1.0], [3.0], [0.0, expected / 2, 4.0, 9.0]):
        (move,) = census(problem, tm.flow(problem, start, times)).moves
        assert move.after == move.by == pytest.approx(expected, abs=1e-12)
        assert (move.neuron, move.sample, move.source, move.target) == (0, 0, "FL", "FD")
        (closed,) = census(problem, tm.exact(problem, start).trajectory(times)).moves
        assert closed.by == pytest.approx(expected, abs=1e-15)


def test_sliding_neurons_are_neither_living_nor_dead():
    problem = TwoLayerReLU([[1.0, 0.0], [1.0, 2.0]], [-1.0, 1.0], output=[1.0], loss="exponential")
    run = tm.flow(problem, [0.1, 0.5], [0.0, 2.0])
    found = census(problem, run)
    (move,) = found.moves
    assert (move.sample, move.source, move.target) == (0, "FL", "sliding")
    assert move.by == run.events[0]["time"]
    assert found.sliding.tolist() == [[0, 0], [1, 0]]
    assert found.counts[1].tolist() == [[0, 0, 0, 0], [1, 0, 0, 0]]
    assert found.table()[2, 5] == found.table().sum() == 1


def test_a_sign_that_changes_along_a_flow_is_seen_between_records():
    """The output weight of one neuron passes zero (card A5): true and false change places."""
    problem = TwoLayerReLU([[1.0]], [-1.0], width=1)
    times = np.linspace(0, 4, 9)
    run = tm.flow(problem, [1.0, 0.5], times)
    (move,) = census(problem, run).moves
    a = run.theta[:, 1]
    assert (move.source, move.target) == ("FL", "TL")
    assert a[times == move.after] > 0 > a[times == move.by]


def test_moves_of_several_flows_and_of_one_that_ends():
    X = [[1.0, 0.0], [-np.sqrt(0.5), np.sqrt(0.5)]]
    problem = TwoLayerReLU(X, [1.0, 1.0], output=[1.0], loss="exponential", weights=[5.0, 1.0])
    run = tm.flow(problem, [[0.0, 1.0], [0.2, 1.0], [-1.0, 0.1]], [0.0, 1.0, 2.0])
    found = census(problem, run)
    assert np.isnan(found.counts[:, 0, 0, 0]).tolist() == [False, True, True]
    assert np.isfinite(found.counts[:, 1:]).all()
    assert {move.run for move in found.moves} == {tuple(e["runs"][0]) for e in run.events if "sample" in e}
