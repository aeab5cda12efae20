"""The gradient by classes of neurons and the gradient neuron by neuron are one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relu_cases import Sizes, assert_close, problems, seeds

from toymodels import TwoLayerReLU
from toymodels.relu import groups
from toymodels.relu.arcs import MARGIN, arcs, locate
from toymodels.relu.groups import Grouping, distinct


def by(kernel, problem):
    layer = {"width": problem.width} if problem.trains_output else {"output": problem.output}
    return TwoLayerReLU(
        problem.inputs, problem.targets, **layer, loss=problem.output_loss.name,
        weights=problem.weights, kernel=kernel,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["outputs", "loss", "gradient", "ntk", "hessian"])
@given(case=problems(runs=True))
@settings(max_examples=50)
def test_both_kernels_give_every_answer(name, case):
    problem, theta = case
    answers = [getattr(by(kernel, problem), name)(theta) for kernel in ("classes", "neurons")]
    assert_close(problem, *answers, getattr(Sizes(problem, theta), name))


@pytest.mark.parametrize("kind", ["generic", "lattice", "collinear", "wild", "underflow"])
@given(seed=seeds, d=st.integers(1, 2), n=st.integers(1, 80), m=st.integers(1, 300))
@settings(max_examples=30)
def test_every_neuron_is_in_the_group_of_its_gates(kind, seed, d, n, m):
    rng = np.random.default_rng(seed)
    X, W = PLANE[kind](rng, n, d), PLANE[kind](rng, m, d)
    found = Grouping(X)(W)
    assert (found.patterns[found.members] == (W @ X.T > 0)).all()


PLANE = {
    "generic": lambda rng, n, d: rng.standard_normal((n, d)),
    "lattice": lambda rng, n, d: rng.integers(-2, 3, (n, d)).astype(float),
    "collinear": lambda rng, n, d: rng.integers(-2, 3, (n, 1)) * np.eye(d)[rng.integers(0, d, n)],
    "wild": lambda rng, n, d: rng.standard_normal((n, d)) * 10.0 ** rng.integers(-150, 150, (n, 1)),
    "underflow": lambda rng, n, d: rng.standard_normal((n, d)) * 10.0 ** rng.choice([-100, -230], (n, 1)),
}


@given(seeds, st.integers(1, 200))
@settings(max_examples=40)
def test_neurons_that_rounding_puts_on_either_side_are_not_taken_for_certain(seed, n):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    on_the_boundary = np.concatenate([X @ quarter, X @ quarter.T])
    assert not locate(arcs(X), on_the_boundary)[1].any()
    turn = 4 * MARGIN * rng.choice([-1.0, 1.0], (len(on_the_boundary), 1))
    clear = on_the_boundary + turn * np.concatenate([X, X])
    arc, certain = locate(arcs(X), clear)
    assert (arcs(X).patterns[arc[certain]] == (clear[certain] @ X.T > 0)).all()
    assert n > 1 or certain.all()


@given(seeds, st.integers(1, 40), st.integers(1, 200))
@settings(max_examples=40)
def test_distinct_rows_are_found(seed, m, n):
    rng = np.random.default_rng(seed)
    rows = rng.random((4, n)) < 0.5
    gates = rows[rng.integers(0, 4, m)]
    first, members = distinct(gates)
    assert (gates[first][members] == gates).all()
    assert len(first) == len({row.tobytes() for row in gates})


def test_colliding_hashes_do_no_harm(monkeypatch):
    monkeypatch.setattr(groups, "_hash", lambda words: words[:, 0] & np.uint64(1))
    gates = np.random.default_rng(0).random((50, 70)) < 0.5
    first, members = distinct(gates)
    assert (gates[first][members] == gates).all() and len(first) == 50


@pytest.mark.parametrize("d", [1, 2, 3, 10])
def test_grouping_is_chosen_where_it_pays(d):
    rng = np.random.default_rng(d)
    n, m = 100, 5000
    few = rng.standard_normal((8, d))[rng.integers(0, 8, m)] * rng.random((m, 1))
    grouping = Grouping(rng.standard_normal((n, d)))
    assert grouping.pays(few)
    assert grouping.pays(rng.standard_normal((m, d))) == (d <= 2)
    assert not grouping.pays(few[:100])
    assert not Grouping(rng.standard_normal((5, d))).pays(few)


def test_runs_are_grouped_together():
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((70, 2)), rng.standard_normal((4, 3, 500, 2))
    found = Grouping(X)(W)
    assert found.members.shape == (4, 3, 500)
    values = rng.standard_normal((4, 3, 500, 5))
    sums = found.sums(values)
    one_hot = found.members[..., None, :] == np.arange(len(found.patterns))[:, None]
    np.testing.assert_allclose(
        sums, one_hot @ values, rtol=0, atol=500 * 2.0**-52 * np.abs(values).sum(-2).max()
    )


@pytest.mark.parametrize("theta", [np.nan, np.inf, 1e300])
def test_parameters_beyond_use_are_answered_as_neurons_are(theta):
    X = np.random.default_rng(0).standard_normal((4, 2))
    W = np.full((3, 2), theta)
    with np.errstate(invalid="ignore", over="ignore"):
        found = Grouping(X)(W)
        gates = W @ X.T > 0
    assert (found.patterns[found.members] == gates).all()


@pytest.mark.parametrize("layer", [{"width": 400}, {"output": np.linspace(-1, 2, 400)}])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_kernel_of_many_neurons_is_summed_over_classes(d, layer, monkeypatch):
    rng = np.random.default_rng(d)
    problem = TwoLayerReLU(rng.standard_normal((6, d)), np.ones(6), **layer, kernel="classes")
    theta = problem.init(runs=2, rng=0)
    J = problem.jacobian(theta)
    assert_close(problem, problem.ntk(theta), J @ J.mT, Sizes(problem, theta).ntk)
    monkeypatch.setattr("toymodels.relu.formulas.hidden_ntk", None)
    problem.ntk(theta)
