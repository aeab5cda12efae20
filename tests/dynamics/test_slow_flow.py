import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_problems import Product

import toymodels as tm
from toymodels import AssumptionError, InputError
from toymodels.dynamics import GradientNoise, Minimum, noise_drift

few = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def model(n, d, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    problem = tm.MinimaManifold(X, X @ rng.standard_normal(d))
    return problem, rng.standard_normal(problem.size)


@few
@given(st.integers(1, 2), st.integers(0, 2), st.sampled_from([None, 1]), st.floats(0.1, 1.0), seeds)
def test_label_noise_shrinks_what_the_data_do_not_see(n, more, batch, sigma, seed):
    problem, theta = model(n, n + more, seed)
    rate = sigma**2 * np.trace(problem.inputs.T @ problem.inputs) / n / (batch or n)
    tau = np.array([0.0, 0.5, 2.0]) / rate
    run = tm.slow_flow(problem, theta, tau, noise=sigma, batch=batch)
    start = problem.limit(theta)
    for unseen in (problem.unseen, problem.imbalance):
        expected = np.multiply.outer(np.exp(-rate * tau), unseen(start))
        scale = np.linalg.norm(run.theta, axis=-1) * run.error
        gap = np.abs(unseen(run.theta) - expected).T
        assert (gap <= 4 * scale + 1e-13).all()
    assert (run["loss"] < 1e-20).all()
    assert run.error.max() < 1e-8


@few
@given(st.floats(0.3, 2.0), st.lists(st.floats(0.3, 2.0), min_size=3, max_size=3), seeds)
def test_diagonal_nets_lose_scale_by_the_second_moment(sigma, x, seed):
    problem = tm.DiagonalLinear([x], [1.0])
    rng = np.random.default_rng(seed)
    theta = problem.pack(rng.uniform(1, 2, 3), rng.uniform(0.1, 0.9, 3))
    tau = np.array([0.0, 0.3, 1.0]) / sigma**2
    run = tm.slow_flow(problem, theta, tau, noise=sigma)
    u, v = problem.unpack(run.theta)
    alpha = np.abs(u**2 - v**2) / 2
    expected = alpha[0] * np.exp(-(sigma**2) * tau[:, None] * np.square(x))
    assert (
        np.abs(alpha - expected)
        <= 1e-12 + 4 * np.linalg.norm(run.theta, axis=-1)[:, None] * run.error[:, None]
    ).all()


@few
@given(st.floats(0.1, 0.9), seeds)
def test_semigroup(part, seed):
    problem, theta = model(1, 3, seed)
    through = tm.slow_flow(problem, theta, [part, 1.0], noise=0.8)
    again = tm.slow_flow(problem, through.theta[0], 1 - part, noise=0.8)
    bound = 8 * (through.error[-1] + again.error + 1e-13)
    assert np.linalg.norm(again.theta - through.theta[1]) <= bound


@pytest.mark.parametrize("form", ["product", "difference"])
def test_noise_along_the_normals_is_label_noise(form):
    problem = tm.DiagonalLinear([[1.0, 0.5, -2.0], [0.0, 1.0, 1.0]], [1.0, 0.4], form=form)
    theta, tau = problem.pack([1.0, 1.2, 0.8], [0.5, 0.3, 0.2]), [0.5, 1.0]
    labels = tm.slow_flow(problem, theta, tau, noise=0.6)
    kicks = GradientNoise(lambda problem, theta: 0.6 * problem.jacobian(theta).mT / problem.n)
    for steps in (32, 128):
        run = tm.slow_flow(problem, theta, tau, noise=kicks, steps=steps)
        assert (np.linalg.norm(run.theta - labels.theta, axis=-1) <= run.error).all()
        assert run.error.max() < 2 / steps
        assert (run["loss"] < 1e-20).all()


def test_one_step_of_the_diffusion_has_its_mean_and_covariance():
    problem, tau, runs = tm.MinimaManifold([[1.0, 0.0]], [1.0]), 1e-3, 10_000
    theta = problem.limit(np.array([2.0, 0.3]))
    factor = np.array([[0.7, 0.0], [0.4, 0.5]])
    run = tm.slow_flow(problem, np.tile(theta, (runs, 1)), tau, noise=GradientNoise(factor), steps=2)
    moved, point = run.theta - theta, Minimum(problem, theta)
    covariance = point.tangent_projector @ factor @ factor.T @ point.tangent_projector
    drift = noise_drift(point, factor @ factor.T)
    spread = np.sqrt(tau * np.diag(covariance) / runs)
    assert (np.abs(moved.mean(0) - tau * drift) < 5 * spread + 10 * tau**2).all()
    np.testing.assert_allclose(moved.T @ moved / runs, tau * covariance, atol=0.1 * tau)


def test_finite_steps_drift_faster():
    problem = tm.MinimaManifold([[1.0, 0.0]], [1.0])
    theta = problem.limit(np.array([2.4, 0.2]))
    slow, fast = (
        problem.total_imbalance(tm.slow_flow(problem, theta, 1.0, noise=0.5, lr=lr).theta)
        for lr in (0.0, 0.1)
    )
    assert fast < slow

    # one sample of length 1: tau sigma² = F(om0) - F(om), F(u) = log u - lr (hypot(b, u) - b asinh(b/u))
    def F(u, lr):
        return np.log(u) - lr * (np.hypot(1, u) - np.arcsinh(1 / u))

    om = problem.total_imbalance(theta)
    for found, lr in ((slow, 0.0), (fast, 0.1)):
        assert abs(F(om, lr) - F(found, lr) - 0.25) < 1e-9


def test_batch_equals_its_members_and_starts_are_moved_to_the_minima():
    problem, _ = model(1, 2, 3)
    theta = np.random.default_rng(0).standard_normal((3, 2))
    noise = GradientNoise(0.2)
    batch = tm.slow_flow(problem, theta, [0.0, 0.4], noise=noise, steps=8, rng=5)
    alone = tm.slow_flow(problem, theta[0], [0.0, 0.4], noise=noise, steps=8, rng=5)
    np.testing.assert_allclose(batch.theta[:, 0], alone.theta, atol=1e-13)
    np.testing.assert_allclose(batch.theta[0], problem.limit(theta), atol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau": np.inf}, "tau: expected finite slow times"),
        ({"noise": None}, "noise: expected a number"),
        ({"noise": lambda rng, shape: 0}, "noise: expected a number"),
        ({"noise": ("uniform", 1.0)}, "noise: unknown 'uniform'"),
        ({"batch": 2}, "batch: expected at most the 1 samples, got 2"),
        ({"noise": GradientNoise(1.0), "batch": 1}, "noise: expected label noise where batch or lr is given"),
        ({"steps": 0}, "steps"),
        ({"lr": -1.0}, "lr: expected a finite number >= 0"),
    ],
)
def test_bad_arguments_are_named(options, message):
    arguments = {"tau": 1.0, "noise": 0.5} | options
    with pytest.raises(InputError, match=message):
        tm.slow_flow(Product(1.0), [1.5, 0.2], **arguments)


def test_hypotheses_are_measured():
    with pytest.raises(AssumptionError, match="lr: expected lr times the sharpness below 2"):
        tm.slow_flow(Product(1.0), [1.5, 0.2], 1.0, noise=0.5, lr=2.0)
    weighted = tm.TwoLayerLinear(np.eye(2), [1.0, 2.0], width=2, weights=[0.3, 0.7])
    with pytest.raises(AssumptionError, match="weights: expected equal ones"):
        tm.slow_flow(weighted, weighted.init(rng=0), 1.0, noise=0.5)
    labelled = tm.TwoLayerReLU([[1.0]], [1.0], loss="logistic", width=1)
    with pytest.raises(InputError, match="noise: expected the square loss"):
        tm.slow_flow(labelled, [1.0, 1.0], 1.0, noise=0.5)
