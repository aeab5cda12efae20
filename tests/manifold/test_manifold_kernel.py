import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.dynamics import kernel_descent

few = settings(max_examples=30, deadline=None)
NOISES = [None, 0.4, ("rademacher", 0.4), lambda rng, shape: rng.uniform(-1, 1, shape)]


def problem_of(d, seed):
    rng = np.random.default_rng(seed)
    return tm.MinimaManifold(rng.standard_normal((1, d)), rng.standard_normal(1))


def step_by_step(problem, theta, **options):
    """The same descent without a kernel: a companion run asks for single steps."""
    return tm.descend(problem, theta, measure_error=True, **options)


@few
@given(
    st.integers(1, 4),
    st.sampled_from([(), (1,), (3,), (2, 2)]),
    st.sampled_from(NOISES),
    st.sampled_from([None, 1]),
    st.integers(0, 40),
    st.integers(1, 7),
    st.integers(0, 999),
)
def test_kernel_takes_the_steps_of_the_gradient(d, runs, noise, batch, steps, every, seed):
    problem = problem_of(d, seed)
    theta = 0.7 * np.random.default_rng(seed).standard_normal((*runs, problem.size))
    options = {"lr": 0.05, "steps": steps, "noise": noise, "batch": batch, "every": every, "rng": seed}
    fast = tm.descend(problem, theta, measure_error=False, **options)
    slow = step_by_step(problem, theta, **options)
    assert fast.theta.shape == slow.theta.shape
    bound = slow.error + 1e-13 * (1 + steps) * (1 + np.abs(slow.theta).max())
    assert (np.linalg.norm(fast.theta - slow.theta, axis=-1) <= bound).all()
    np.testing.assert_array_equal(fast.step, slow.step)
    np.testing.assert_array_equal(fast.t, slow.t)


@pytest.mark.parametrize(
    "lr", [[0.02, 0.05], tm.schedules.cosine(0.1, 30), lambda step: [0.02, 0.1 / (1 + step)]]
)
def test_kernel_follows_rates_of_runs_and_steps(lr):
    problem, theta = problem_of(2, 0), np.array([[1.0, 0.5], [0.3, -1.0]])
    options = {"lr": lr, "steps": 30, "noise": ("rademacher", 0.3), "every": 7}
    fast = tm.descend(problem, theta, measure_error=False, **options)
    np.testing.assert_allclose(fast.theta, step_by_step(problem, theta, **options).theta, atol=1e-13)


@pytest.mark.parametrize("most", [1, 5, 1000])
def test_kernel_finds_the_step_of_divergence(monkeypatch, most):
    monkeypatch.setattr(kernel_descent, "BLOCK", most)
    monkeypatch.setattr(kernel_descent, "LEAST", most)
    problem = tm.MinimaManifold([[1.0, 0.0]], [1.0])
    theta = np.array([[1.2, 1.0], [40.0, 20.0], [1.0, 1.5], [9.0, 9.0]])
    options = {"lr": 0.1, "steps": 40, "every": 10}
    fast = tm.descend(problem, theta, measure_error=False, **options)
    slow = step_by_step(problem, theta, **options)
    assert fast.status == slow.status == "diverged"
    assert [event["runs"] for event in fast.events] == [event["runs"] for event in slow.events]
    for mine, other in zip(fast.events, slow.events, strict=True):
        assert abs(mine["step"] - other["step"]) <= 1
    np.testing.assert_array_equal(np.isnan(fast.theta), np.isnan(slow.theta))
    np.testing.assert_allclose(fast.theta[:, [0, 2]], slow.theta[:, [0, 2]], rtol=1e-12)


def test_kernel_keeps_what_the_data_do_not_see_at_the_edges():
    flat = tm.MinimaManifold([[0.0, 0.0]], [1.0])
    run = tm.descend(flat, [1.0, 2.0], lr=0.1, steps=5, measure_error=False)
    np.testing.assert_array_equal(run.theta[-1], [1.0, 2.0])
    problem = tm.MinimaManifold([[1.0, 0.0]], [1.0])
    for theta in ([0.0, 0.0], [1.0, 1.0], [1.5, 1.5], [1.5, -1.5]):
        options = {"lr": 0.1, "steps": 20}
        fast = tm.descend(problem, theta, measure_error=False, **options)
        np.testing.assert_allclose(fast.theta, step_by_step(problem, theta, **options).theta, atol=1e-13)
