from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_problems import Linear, Product, distance, fractions, regression, stable_lr

import toymodels as tm
from toymodels.dynamics.rounding import gradient_scale

few = settings(max_examples=15, deadline=None)


def replay(problem, theta, lr, rows, noise):
    """Stochastic descent on a regression in exact arithmetic, from the rows and the noise of each step."""
    X, y = fractions(problem.inputs), fractions(problem.targets)
    theta, lr, path = fractions(theta), Fraction(float(lr)), []
    for r, e in zip(rows, noise, strict=True):
        # The problem's own factor n/B is rounded once, as it is in the run.
        weights = fractions(problem.weights[r] * (problem.n / len(r)))
        theta = theta - lr * (X[r].T @ (weights * (X[r] @ theta - y[r] - fractions(e))))
        path.append(theta)
    return path


@few
@given(st.integers(1, 3), st.sampled_from([4, 40, 1000]), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_error_covers_noise_and_minibatches(p, n, seed, start_at_zero, small_batch):
    problem, theta0 = regression(n, p, seed)
    if start_at_zero:
        problem, theta0 = Linear(problem.inputs, np.zeros(n)), np.zeros(p)
    batch, lr, steps, draws, seen = (2 if small_batch else n), 0.3 * stable_lr(problem), 5, [], []

    def noise(rng, shape):
        draws.append(rng.standard_normal(shape))
        return draws[-1]

    class Watched(Linear):
        def gradient(self, theta, rows=None, targets=None):
            seen.append(rows)
            return super().gradient(theta, rows, targets)

    watched = Watched(problem.inputs, problem.targets)
    run = tm.descend(watched, theta0, lr=lr, steps=steps, batch=batch, noise=noise, rng=seed)
    # Every other gradient is the companion's, on the same rows.
    path = replay(problem, theta0, lr, seen[::2], draws)
    for theta, error, exact in zip(run.theta[1:], run.error[1:], path, strict=True):
        assert distance(theta, exact) <= error
        assert error <= 1e-10 * (1 + np.linalg.norm(theta))


@few
@given(st.integers(1, 3), st.integers(1, 6), st.integers(0, 2**32))
def test_error_covers_the_logistic_loss(p, n, seed):
    rng = np.random.default_rng(seed)
    problem = Linear(rng.standard_normal((n, p)), rng.choice([-1.0, 1.0], n), loss="logistic")
    theta0 = rng.standard_normal(p)
    run = tm.descend(problem, theta0, lr=0.5, steps=30)
    with mpmath.workdps(50):
        X, y = mpmath.matrix(problem.inputs.tolist()), problem.targets.tolist()
        theta, pi = mpmath.matrix(theta0.tolist()), problem.weights.tolist()
        for row in range(31):
            assert distance(run.theta[row], list(theta)) <= run.error[row] <= 1e-12
            margins = X * theta
            slope = [-y[i] * pi[i] / (1 + mpmath.exp(y[i] * margins[i])) for i in range(n)]
            theta = theta - mpmath.mpf(0.5) * (X.T * mpmath.matrix(slope))


@pytest.mark.parametrize("ratio", [1.5, 2.0, 1e3])
def test_error_grows_as_the_dynamics_do(ratio):
    """On curvature 1 a step of 1 + ratio multiplies every error by ratio."""
    run = tm.descend(Linear([[1.0]], [0.0]), [1.0], lr=1 + ratio, steps=20)
    growth = run.error[11:] / run.error[10:-1]
    assert (growth >= ratio).all() and growth[-1] <= ratio * 1.2


@given(st.integers(1, 3), st.integers(0, 2**32))
def test_gradient_scale_of_one_sample_is_twice_the_gradient(p, seed):
    problem, theta = regression(1, 1, seed, (p,))
    np.testing.assert_allclose(gradient_scale(problem, theta), 2 * abs(problem.gradient(theta)), rtol=1e-14)


def test_gradient_scale_does_not_cancel():
    problem = Linear([[1.0], [1.0]], [3.0, -3.0])
    assert problem.gradient(np.zeros(1)) == 0
    assert gradient_scale(problem, np.zeros(1))[0] >= 3


def test_a_perturbation_beyond_the_linear_range_is_not_trusted():
    """A start on the stable manifold of a saddle: rounding decides where the run goes."""
    run = tm.descend(Product(1.0), [0.3, -0.3], lr=0.1, steps=600)
    assert np.isfinite(run.error[:100]).all() and run.error[-1] == np.inf
    assert (np.diff(np.isinf(run.error).astype(int)) >= 0).all()
