import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_cases import seeds

import toymodels as tm
from toymodels.arithmetic import systems
from toymodels.manifold import formulas
from toymodels.manifold.cases import kicks_of, parameters, start
from toymodels.spaces import Refused, Rejected, Source
from toymodels.spaces.source import RandomFloats, UniformRationals


def source_of(seed, d, n=1, exact=False):
    rng = np.random.default_rng(seed)
    drawer = UniformRationals(rng) if exact else RandomFloats(rng)
    return Source(drawer, systems.FRACTIONS if exact else systems.FLOATS, dict(d=(d, d), n=(n, n)))


@given(seeds, st.integers(1, 4))
@settings(max_examples=20)
def test_parameters_anticommute_unless_asked_otherwise(seed, d):
    net = parameters().draw(source_of(seed, d, exact=True), "net")
    product = net.Q[:, None] @ net.Q[None, :]
    anticommutator = product + product.swapaxes(0, 1)
    expected = 2 * np.eye(d, dtype=int)[:, :, None, None] * np.eye(len(net.theta), dtype=int)
    np.testing.assert_array_equal(anticommutator, expected)
    free = parameters(anticommuting=False).draw(source_of(seed, d, exact=True), "net")
    assert free.Q.shape == net.Q.shape and (free.Q.mT == free.Q).all()
    square = formulas.combination(free.Q, np.ones(d, dtype=int))
    assert (square @ square != d * np.eye(len(net.theta), dtype=int)).any()
    assert net.imbalance_square == net.scale**2 / 4 - (net.beta * net.beta).sum()


@given(seeds, st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=30)
def test_starts_keep_their_distance(seed, d, n):
    try:
        problem, theta = drawn = start(0.2, 0.3).draw(source_of(seed, d, n), "start")
    except Rejected:
        return
    assert n <= d and theta.shape == (problem.size,)
    assert drawn.total_imbalance >= 0.2 and drawn.gap >= 0.3
    assert drawn.gap == pytest.approx(np.linalg.svd(problem.inputs)[1].min() ** 2 / n, rel=1e-12)
    fitted = problem.inputs @ problem.interpolator
    np.testing.assert_allclose(fitted, problem.targets, atol=1e-12 * (1 + np.abs(problem.targets).max()))


def test_starts_are_floats():
    with pytest.raises(Refused, match="floats"):
        start().draw(source_of(0, 2, exact=True), "start")


@given(seeds, st.integers(1, 4), st.sampled_from([(), (3,)]))
@settings(max_examples=20, deadline=None)
def test_kicks_of_a_path(seed, d, runs):
    rng = np.random.default_rng(seed)
    problem = tm.MinimaManifold(rng.standard_normal((2, d)), rng.standard_normal(2))
    theta = problem.init(runs=3 if runs else None, rng=rng)
    kicks = 0.3 * rng.standard_normal((5, *runs, d))
    path = [theta]
    for kick in kicks:
        path.append(formulas.step(path[-1], problem.Q, kick))
    np.testing.assert_allclose(kicks_of(problem, np.array(path)), kicks, atol=1e-12)
