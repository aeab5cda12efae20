"""Scalar layers of unequal size: against an integrator, their invariants, symmetries, limits and the door."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from toymodels import InputError
from toymodels.solutions import deep_mode, scalar_mode, unequal_layers

EPS = np.finfo(float).eps
sizes = st.lists(st.floats(0.05, 3), min_size=1, max_size=5)


def integrate(a, s, times):
    def field(t, a):
        return (s - a.prod()) * np.array([np.delete(a, j).prod() for j in range(len(a))])

    return solve_ivp(field, (0, times[-1]), a, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times).y.T


@settings(max_examples=25)
@given(a=sizes, signs=st.integers(0, 31), s=st.floats(0.1, 3))
def test_against_an_integrator(a, signs, s):
    a = np.array(a) * [1 - 2 * (signs >> j & 1) for j in range(len(a))]
    s = s * np.sign(a.prod())
    times = np.array([0.0, 0.05, 0.3, 1.0])
    np.testing.assert_allclose(
        unequal_layers.flow(a, s, times), integrate(a, s, times), rtol=1e-9, atol=1e-10
    )


@settings(max_examples=40)
@given(a=sizes, s=st.floats(0.1, 3), t=st.floats(0, 50))
def test_differences_of_squares_are_conserved_and_order_does_not_matter(a, s, t):
    a = np.array(a)
    later = unequal_layers.flow(a, s, t)
    squares = later**2
    assert np.abs(squares - squares[0] - a**2 + a[0] ** 2).max() <= 16 * EPS * (squares + a**2).max()
    np.testing.assert_allclose(unequal_layers.flow(a[::-1], s, t)[::-1], later, rtol=64 * EPS)


@settings(max_examples=40)
@given(a=sizes, s=st.floats(0.1, 3), share=st.floats(0.01, 0.99))
def test_flow_inverts_time(a, s, share):
    start = np.prod(a)
    u = start ** (1 - share) * s**share
    if not min(start, s) < u < max(start, s):
        return
    t = unequal_layers.time_to_product(a, u, s)
    layers = unequal_layers.flow(a, s, t)
    speed = u * u * (layers**-2.0).sum() * abs(s - u)
    start_speed = start * start * (np.array(a) ** -2.0).sum() * abs(s - start)
    budget = 256 * EPS * (u + speed * t + start * speed / start_speed)
    assert abs(layers.prod() - u) <= budget


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_equal_layers_are_the_balanced_mode(depth):
    t = np.array([0.0, 0.3, 3.0, 30.0, 1e5, np.inf])
    layers = unequal_layers.flow(np.full(depth, 0.6), 1.0, t)
    u = deep_mode.product(0.6**depth, 1.0, t, depth=depth)
    np.testing.assert_allclose(
        layers, np.broadcast_to(u[:, None] ** (1 / depth), layers.shape), rtol=256 * EPS
    )


def test_two_layers_are_the_scalar_mode():
    t = np.array([0.0, 0.2, 2.0, 20.0, np.inf])
    expected = np.stack(scalar_mode.flow(0.1, -1.5, -0.7, t), axis=-1)
    np.testing.assert_allclose(unequal_layers.flow([0.1, -1.5], -0.7, t), expected, rtol=1e-12)


def test_extreme_sizes_reach_the_target():
    for a in ([1e-50, 1e-100, 1e-3], [1e50, 1e10, 1e3], [1e-100, 1e100, 0.5]):
        path = unequal_layers.flow(a, 1.0, [0.0, 1.0, 1e300, np.inf])
        assert path[0].tolist() == a
        assert path[-1].prod() == pytest.approx(1.0, rel=64 * EPS)


@pytest.mark.parametrize("call, message", [
    (lambda: unequal_layers.flow([0.0, 1.0], 1.0, 1.0), "a, s: expected layers whose product is not zero"),
    (lambda: unequal_layers.flow([-1.0, 1.0], 1.0, 1.0), "a, s: expected layers whose product is not zero"),
    (lambda: unequal_layers.flow([[1.0]], 1.0, 1.0), "a: expected 1 dimension"),
    (lambda: unequal_layers.flow([1.0], [1.0], 1.0), "s: expected 0 dimension"),
    (lambda: unequal_layers.flow([1.0], 1.0, -1.0), "t: expected times >= 0"),
    (lambda: unequal_layers.time_to_product([0.5], 2.0, 1.0), "u: expected a product between"),
    (lambda: unequal_layers.time_to_product([0.5], -0.7, 1.0), "u: expected a product between"),
])  # fmt: skip
def test_the_door(call, message):
    with pytest.raises(InputError, match=message):
        call()
