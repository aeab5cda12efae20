"""Drift along minima: the three noises are one formula, and descend what they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels import AssumptionError, DiagonalLinear, InputError
from toymodels.dynamics import Minimum, isotropic_drift, label_noise_drift, noise_drift
from toymodels.dynamics.third_derivatives import contract, third
from toymodels.manifold import Valley
from toymodels.problem import Problem

seeds = st.integers(0, 2**32 - 1)


def minimum_of(seed, kind, n, d):
    """A problem and a point of its minima."""
    rng = np.random.default_rng(seed)
    if kind == "linear":
        problem = tm.TwoLayerLinear(rng.standard_normal((n, d)), rng.standard_normal(n), width=2)
        W = np.linalg.lstsq(problem.inputs, problem.targets, rcond=None)[0]
        W1 = rng.standard_normal((2, d))
        W2 = 0.5 + rng.random(2)
        W1 += np.outer(W2, W - W2 @ W1) / (W2 @ W2)
        return problem, problem.pack(W1, W2[None])
    X = rng.standard_normal((n, d + n))
    problem = DiagonalLinear(X, X @ rng.standard_normal(d + n), form=kind)
    return problem, tm.exact(problem, problem.start(0.5 + rng.random(d + n))).at(np.inf)


cases = dict(
    seed=seeds,
    kind=st.sampled_from(["product", "difference", "linear"]),
    n=st.integers(1, 3),
    d=st.integers(1, 3),
)


@given(**cases)
@settings(max_examples=40)
def test_special_noises_are_the_general_formula(seed, kind, n, d):
    problem, theta = minimum_of(seed, kind, n, d)
    point = Minimum(problem, theta)
    size = 1 + np.linalg.norm(theta) / point.values[point.normal].min()
    allowed = dict(rtol=1e-8, atol=1e-9 * size**2)
    np.testing.assert_allclose(
        label_noise_drift(point, 0.7), noise_drift(point, 0.7 * problem.hessian(theta)), **allowed
    )
    np.testing.assert_allclose(
        isotropic_drift(point, 0.7), noise_drift(point, 0.7 * np.eye(problem.size)), **allowed
    )


@given(**cases)
@settings(max_examples=25)
def test_label_noise_descends_the_trace(seed, kind, n, d):
    problem, theta = minimum_of(seed, kind, n, d)
    point = Minimum(problem, theta)
    trace = lambda theta: np.trace(problem.hessian(theta))
    h = 1e-3
    slope = [
        (
            8 * (trace(theta + h * e) - trace(theta - h * e))
            - trace(theta + 2 * h * e)
            + trace(theta - 2 * h * e)
        )
        / (12 * h)
        for e in np.eye(problem.size)
    ]
    size = 1 + np.abs(slope).max()
    np.testing.assert_allclose(
        label_noise_drift(point), -point.tangent(np.array(slope)) / 4, atol=1e-8 * size
    )


@given(q=st.floats(-1, 1), share=st.floats(0, 0.9))
@settings(max_examples=30)
def test_finite_steps_drift_as_in_the_valley(q, share):
    valley = Valley((2.0, 1.0, 0.3))
    point = Minimum(valley, [0.0, q])
    lr = share * 2 / point.values.max() + 1e-6
    drift = label_noise_drift(point, 0.7, lr)
    np.testing.assert_allclose(drift, [0.0, valley.drift(q, lr, 0.7) / lr**2], rtol=1e-10, atol=1e-12)


@given(**cases, directions=st.integers(1, 4))
@settings(max_examples=30)
def test_third_derivatives_without_an_own_hvp(seed, kind, n, d, directions):
    problem, theta = minimum_of(seed, kind, n, d)
    v = np.random.default_rng(seed).standard_normal((directions, problem.size))
    found = third(problem, theta, v)

    class Plain(type(problem)):
        hvp = Problem.hvp

    problem.__class__ = Plain
    plain = third(problem, theta, v)
    size = np.linalg.norm(found, axis=-1).max() + np.abs(problem.hessian(theta)).max()
    np.testing.assert_allclose(found, plain, atol=1e-10 * size * (1 + np.abs(v).max() ** 2))


@given(seed=seeds, d=st.integers(1, 4))
@settings(max_examples=20)
def test_contraction_is_the_slope_of_a_trace(seed, d):
    rng = np.random.default_rng(seed)
    problem = DiagonalLinear(rng.standard_normal((2, d)), rng.standard_normal(2), depth=3)
    theta, M = problem.init(rng=rng), rng.standard_normal((3 * d, 3 * d))
    M = M + M.T
    step = 1e-6
    slope = [
        (np.sum(problem.hessian(theta + step * e) * M) - np.sum(problem.hessian(theta - step * e) * M))
        / (2 * step)
        for e in np.eye(3 * d)
    ]
    np.testing.assert_allclose(contract(problem, theta, M), slope, atol=1e-6 * (1 + np.abs(slope).max()))


def test_model_a_runs_through():
    problem = tm.MinimaManifold([[1.0, 0.0]], [1.0])
    theta = np.array([2.0, 0.5])
    a, b = theta
    # -(1/4) grad_Gamma (a² + b²): the tangent of ab = 1 is (a, -b)
    expected = -(a * a - b * b) / (2 * (a * a + b * b)) * np.array([a, -b])
    np.testing.assert_allclose(label_noise_drift(Minimum(problem, theta)), expected, atol=1e-13)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: label_noise_drift(x, -1.0), InputError, "variance: expected"),
        (lambda x: label_noise_drift(x, 1.0, lr=2.0), AssumptionError, "lr: expected lr times the sharpness"),
        (lambda x: isotropic_drift(x, np.nan), InputError, "variance: expected"),
        (lambda x: noise_drift(x, np.ones(2)), InputError, "covariance: expected shape"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(Minimum(DiagonalLinear([[1.0]], [1.0]), [1.0, 1.0]))
