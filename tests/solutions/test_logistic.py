import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from toymodels.errors import InputError
from toymodels.solutions import scalar_mode
from toymodels.solutions.logistic import half_time, logistic, logistic_time

positive = st.one_of(st.floats(1e-3, 1e3), st.floats(-280, 3).map(lambda e: 10.0**e))
targets = st.one_of(st.sampled_from((0.0, 1.0, -1.0)), st.floats(-1e3, 1e3), st.floats(-1e-8, 1e-8))


@settings(max_examples=300, deadline=None)
@given(positive, targets, st.one_of(st.floats(0, 1e3), st.sampled_from((0.0, 1e-9, np.inf))))
def test_it_is_the_balanced_scalar_mode(u0, s, t):
    a0 = np.sqrt(u0)
    # The start of the mode is a rounded root: compare from the product that it has.
    expected = scalar_mode.product(a0, a0, s, t)
    assert logistic(a0 * a0, s, t) == pytest.approx(expected, rel=2e-12, abs=1e-290)


@pytest.mark.parametrize("s, decay", [(1.0, 0.0), (2.0, 0.5), (0.5, 0.5), (0.3, 1.0), (-0.7, 0.2)])
def test_against_an_integrator_of_both_layers(s, decay):
    path = solve_ivp(
        lambda t, q: [q[1] * (s - q[0] * q[1]) - decay * q[0], q[0] * (s - q[0] * q[1]) - decay * q[1]],
        (0, 4), (0.3, 0.3), method="DOP853", rtol=1e-12, atol=1e-14, t_eval=[0, 1, 4],
    )  # fmt: skip
    np.testing.assert_allclose(logistic(0.09, s, [0, 1, 4], decay), path.y[0] * path.y[1], rtol=1e-10)


@pytest.mark.parametrize("u0", [1e-300, 0.2, 50.0])
def test_limits(u0):
    assert logistic(u0, 2.0, np.inf) == pytest.approx(2.0, rel=1e-15)
    assert logistic(u0, 2.0, np.inf, 0.5) == pytest.approx(1.5, rel=1e-15)
    assert logistic(u0, 1.0, np.inf, 1.0) == logistic(u0, -1.0, np.inf) == 0
    assert logistic(0.0, 2.0, np.inf) == logistic(0.0, 0.0, np.inf) == 0
    assert logistic(u0, 2.0, 0.0) == u0


def test_continuous_at_target_zero():
    t = np.array([0.0, 1e-9, 1.0, 1e3])
    np.testing.assert_allclose(logistic(0.5, 1e-18, t), 0.5 / (1 + t), rtol=1e-14)
    np.testing.assert_allclose(logistic(0.5, -1e-18, t), 0.5 / (1 + t), rtol=1e-14)


@settings(max_examples=300, deadline=None)
@given(st.floats(1e-6, 1e3), targets, st.floats(0, 50))
def test_the_time_is_the_inverse(u0, s, t):
    u = logistic(u0, s, t)
    # Where u hardly moves any more, its own rounding decides the time.
    speed = 2 * u * abs(s - u)
    assume(speed * 1e-3 > 1e-13 * u)
    assert logistic_time(u0, u, s) == pytest.approx(t, rel=1e-11, abs=1e-12 * u / speed)
    assert logistic_time(u, u0, s) == pytest.approx(-t, rel=1e-11, abs=1e-12 * u / speed)


def test_unreachable_products_take_forever():
    np.testing.assert_array_equal(logistic_time(0.5, [1.0, 1.5], 1.0), [np.inf, np.inf])
    assert logistic_time(2.0, 0.5, 1.0) == np.inf
    assert logistic_time(1.0, 1.0, 1.0) == 0
    assert logistic_time(0.5, 0.25, 0.0) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("u0, s", [(1e-3, 1.0), (1e-200, 3.0), (0.9, 1.0)])
def test_half_time(u0, s):
    assert half_time(u0, s) == pytest.approx(np.log(s / u0 - 1) / (2 * s), rel=1e-12)


def test_a_batch_equals_its_members():
    u0, s = np.array([[0.1], [2.0]]), np.array([1.0, 0.0, -1.0])
    batch = logistic(u0, s, 0.7)
    assert batch.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert batch[i, j] == logistic(u0[i, 0], s[j], 0.7)


@pytest.mark.parametrize(
    "arguments", [(-0.1, 1.0, 1.0), (0.1, np.nan, 1.0), (0.1, 1.0, -1.0), (0.1, 1.0, 1.0, -1.0)]
)
def test_bad_input_is_named(arguments):
    with pytest.raises(InputError):
        logistic(*arguments)
    with pytest.raises(InputError):
        logistic_time(0.0, 1.0, 1.0)
    with pytest.raises(InputError):
        half_time(0.1, 0.0)
