import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.dynamics import integration
from toymodels.dynamics.integration import integrate


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(-1, 8), min_size=1, max_size=3),
    st.integers(1, 4),
    st.lists(st.floats(0, 4), min_size=1, max_size=6).map(sorted),
    st.integers(-200, 100),
)
def test_exponentials(rates, runs, times, power):
    rates, times = np.array(rates), np.array(times)
    start = 10.0**power * np.random.default_rng(0).standard_normal((runs, len(rates)))
    theta, error, ends = integrate(lambda theta: -rates * theta, start, times)
    exact = start * np.exp(-np.multiply.outer(times, rates))[:, None, :]
    # The reference has a few units of rounding of its own.
    own = 1e-15 * (1 + np.abs(rates).max() * times[:, None]) * np.abs(exact).max(-1)
    assert (np.abs(theta - exact).max(-1) <= error + own).all()
    assert (error <= 1e-8 * np.abs(start).max()).all() and np.isinf(ends).all()


def test_many_steps_are_thinned_and_the_error_stays_measured():
    rates, times = np.array([200.0, 0.1]), np.array([0.001, 50.0])
    theta, error, _ = integrate(lambda theta: 1 - rates * theta, np.ones((1, 2)), times)
    exact = 1 / rates + (1 - 1 / rates) * np.exp(-np.multiply.outer(times, rates))
    gap = np.linalg.norm(theta[:, 0] - exact, axis=-1)
    assert (gap <= error[:, 0]).all() and error.max() < 1e-7
    loose = integration._solve(
        lambda theta: 1 - rates * theta, np.ones((1, 2)), times, integration.Tolerance(1, 100.0, 50.0)
    )
    assert loose.steps[-1] > 2 * integration.CHECKPOINTS >= 2 * (len(loose.checkpoint_times) - 1)


@pytest.mark.parametrize("end", [1e-300, 1e-9, 1.0, 1e6])
def test_units_of_time(end):
    theta, error, _ = integrate(lambda theta: -theta / end, np.ones((1, 1)), np.array([end]))
    assert abs(theta[0, 0, 0] - np.exp(-1)) <= error[0, 0] < 1e-10


def test_a_run_that_ends_does_not_end_the_others():
    start, times = np.array([[1.0], [0.5], [-0.25]]), np.array([0.5, 1.5, 3.0])
    theta, error, ends = integrate(lambda theta: theta**2, start, times)
    assert ends == pytest.approx([1.0, 2.0, np.inf], rel=1e-6)
    exact = start[None, :, 0] / (1 - start[None, :, 0] * times[:, None])
    alive = times[:, None] < ends
    assert (abs(theta[..., 0] - exact) <= error + 1e-15)[alive].all()
    assert np.isnan(theta[..., 0][~alive]).all() and np.isinf(error[~alive]).all()


def test_nothing_happens_in_no_time():
    theta, error, _ = integrate(lambda theta: theta * np.nan, np.ones((2, 1)), np.zeros(3))
    np.testing.assert_array_equal(theta, np.ones((3, 2, 1)))
    assert (error == 0).all()
