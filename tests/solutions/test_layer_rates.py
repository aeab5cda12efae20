import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from toymodels.errors import InputError
from toymodels.solutions import layer_rates, scalar_mode, wide_scalar

rates = st.sampled_from(((1.0, 1.0), (1.0, 3.0), (0.2, 1.0), (0.0, 1.0), (2.0, 0.0), (0.0, 0.0)))
sizes = st.integers(-20, 20).map(lambda k: k / 10)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, sizes, st.floats(0.1, 3), rates)
def test_against_an_integrator(a0, b0, s, l, r):
    def velocity(t, q):
        residual = s - l * q[0] * q[1]
        return [r[0] * q[1] * residual, r[1] * q[0] * residual]

    path = solve_ivp(velocity, (0, 1.5), (a0, b0), method="DOP853", rtol=1e-12, atol=1e-13, t_eval=[0.5, 1.5])
    a, b = layer_rates.flow(a0, b0, s, [0.5, 1.5], l, r)
    np.testing.assert_allclose((a, b), path.y, atol=1e-9)
    residual = layer_rates.residual(a0, b0, s, [0.5, 1.5], l, r)
    np.testing.assert_allclose(residual, s - l * a * b, atol=1e-12 * (1 + abs(s) + l * np.abs(a * b).max()))


@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("r", [(1.0, 1.0), (0.5, 2.0), (0.0, 1.0), (3.0, 0.0)])
def test_wide_against_an_integrator(m, r):
    rng = np.random.default_rng(m)
    a0, b0 = rng.standard_normal((2, m))

    def velocity(t, theta):
        a, b = theta[:m], theta[m:]
        return np.concatenate([r[0] * b, r[1] * a]) * (0.8 - 1.7 * a @ b)

    times = np.array([0.3, 2.0])
    start = np.concatenate([a0, b0])
    path = solve_ivp(velocity, (0, 2), start, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times)
    a, b = layer_rates.wide_flow(a0, b0, 0.8, times, 1.7, r)
    np.testing.assert_allclose(np.concatenate([a, b], axis=-1), path.y.T, atol=1e-10)


@settings(max_examples=100, deadline=None)
@given(sizes, sizes, sizes, st.one_of(st.floats(0, 10), st.just(np.inf)))
def test_unit_variance_and_rates_change_nothing(a0, b0, s, t):
    np.testing.assert_array_equal(layer_rates.flow(a0, b0, s, t), scalar_mode.flow(a0, b0, s, t))
    np.testing.assert_array_equal(
        layer_rates.wide_flow([a0, 1.0], [b0, 0.5], s, t), wide_scalar.flow([a0, 1.0], [b0, 0.5], s, t)
    )


@pytest.mark.parametrize("r", [(1.0, 1.0), (0.5, 2.0), (0.0, 1.0), (1.0, 0.0)])
def test_the_limit_solves_the_mode(r):
    a, b = layer_rates.flow(0.6, -0.2, 1.5, np.inf, 2.5, r)
    assert 2.5 * a * b == pytest.approx(1.5, rel=1e-14)
    a, b = layer_rates.wide_flow([0.6, 0.1], [-0.2, 0.4], 1.5, np.inf, 2.5, r)
    assert 2.5 * a @ b == pytest.approx(1.5, rel=1e-14)


@pytest.mark.parametrize("t", [0.0, 3.0, np.inf])
def test_what_rests(t):
    assert layer_rates.flow(0.3, 0.4, 0.0, t, 0.0) == (0.3, 0.4)
    assert layer_rates.flow(0.3, 0.4, 1.0, t, 1.0, (0.0, 0.0)) == (0.3, 0.4)
    assert layer_rates.flow(0.0, 0.4, 1.0, t, 1.0, (0.0, 1.0)) == (0.0, 0.4)
    np.testing.assert_array_equal(
        layer_rates.wide_flow([0.0, 0.0], [0.4, 1.0], 1.0, t, 1.0, (0.0, 1.0))[1], [0.4, 1.0]
    )


def test_bad_input_is_named():
    with pytest.raises(InputError, match="variance"):
        layer_rates.flow(1.0, 1.0, 1.0, 1.0, -1.0)
    with pytest.raises(InputError, match="variance"):
        layer_rates.flow(1.0, 1.0, 1.0, 1.0, 0.0)
    for bad in ((1.0,), (1.0, -1.0), (1.0, 2.0, 3.0), 1.0, (1.0, np.nan)):
        with pytest.raises(InputError, match="rates"):
            layer_rates.flow(1.0, 1.0, 1.0, 1.0, 1.0, bad)
    with pytest.raises(InputError):
        layer_rates.wide_flow(1.0, [1.0], 1.0, 1.0)
    with pytest.raises(InputError):
        layer_rates.wide_flow([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0)
