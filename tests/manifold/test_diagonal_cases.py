"""What statements about diagonal networks range over: projectors, third derivatives, flat directions."""

import numpy as np
import pytest
from diagonal_cases import EPS, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import DiagonalLinear
from toymodels.arithmetic import systems
from toymodels.dynamics import Minimum
from toymodels.dynamics.third_derivatives import contract
from toymodels.manifold.diagonal_cases import flat_directions, one_direction, points, signs, trainings
from toymodels.spaces import Refused, Rejected, Source
from toymodels.spaces.source import RandomFloats, UniformRationals


def source_of(seed, n, d, exact=False):
    rng = np.random.default_rng(seed)
    drawer = UniformRationals(rng) if exact else RandomFloats(rng)
    return Source(drawer, systems.FRACTIONS if exact else systems.FLOATS, dict(n=(n, n), d=(d, d)))


@given(seeds, st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=25)
def test_a_point_agrees_with_the_minimum_of_its_problem(seed, n, extra):
    point = points().draw(source_of(seed, n, n + extra), "point")
    problem, theta = DiagonalLinear(point.X, point.outputs), point.W.reshape(-1)
    there = Minimum(problem, theta, codimension=n)
    condition = np.linalg.cond(point.kernel)
    budget = dict(rtol=0, atol=256 * EPS * condition**2)
    np.testing.assert_allclose(
        point.hessian, problem.hessian(theta), atol=1e-12 * np.abs(point.hessian).max()
    )
    np.testing.assert_allclose(point.normal_projector, there.normal_projector, **budget)
    np.testing.assert_allclose(point.tangent_projector, there.tangent_projector, **budget)
    flat = there.spectral(there.inverse_values)
    scale = np.abs(flat).max()
    np.testing.assert_allclose(point.pseudo_inverse / scale, flat / scale, **budget)


@given(seeds, st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=25)
def test_third_derivatives_are_those_of_the_problem(seed, n, extra):
    point = points().draw(source_of(seed, n, n + extra), "point")
    problem, theta = DiagonalLinear(point.X, point.outputs), point.W.reshape(-1)
    M = np.random.default_rng(seed).standard_normal((problem.size,) * 2)
    M = M + M.T
    size = np.abs(point.second_moment).max() * np.abs(theta).max() * np.abs(M).max()
    atol = 256 * EPS * problem.size**2 * size
    np.testing.assert_allclose(point.third(M), contract(problem, theta, M), rtol=0, atol=atol)


@given(seeds, st.integers(1, 3), st.integers(2, 4))
@settings(max_examples=20)
def test_flat_directions_are_flat_exactly(seed, n, d):
    data = flat_directions().draw(source_of(seed, n, d, exact=True), "data")
    assert not (data.X @ data.move).any() and data.move.any()
    assert data.q @ data.move == 0


@given(seeds, st.integers(1, 4))
@settings(max_examples=20)
def test_one_direction_has_entries_of_one_size(seed, d):
    point = one_direction().draw(source_of(seed, 1, d, exact=True), "point")
    assert point.X.shape == (1, d)
    assert len({abs(entry) for entry in point.X[0]}) == 1
    drawn = signs("d").draw(source_of(seed, 1, d), "side")
    assert set(drawn) <= {-1, 1} and drawn.shape == (d,)


@given(seeds, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=25)
def test_trainings_interpolate_and_keep_their_ranges(seed, n, extra):
    try:
        X, y, alpha, rho = trainings(0.3, 0.9).draw(source_of(seed, n, n + extra), "training")
    except Rejected:
        return
    assert ((alpha > 0.3) & (alpha < 0.9)).all() and np.abs(rho).max() < 1
    assert np.linalg.svd(X)[1][-1] > 0.7
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    np.testing.assert_allclose(X @ beta, y, atol=1e-12 * (1 + np.abs(y).max()))


def test_trainings_are_floats():
    with pytest.raises(Refused, match="floats"):
        trainings().draw(source_of(0, 1, 2, exact=True), "training")


def test_more_rows_than_inputs_are_rejected():
    with pytest.raises(Rejected):
        points().draw(source_of(0, 3, 2), "point")
