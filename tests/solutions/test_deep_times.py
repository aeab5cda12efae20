"""Formulas of the deep mode against the net that they describe."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.linear import DeepLinear
from toymodels.solutions import deep_mode, deep_times

EPS = np.finfo(float).eps
layers = st.lists(st.floats(0.3, 2), min_size=2, max_size=5)


@given(a=layers)
@settings(max_examples=30)
def test_minimum_eigenvalue_is_the_sharpness(a):
    a = np.array(a)
    s = a.prod()
    net = DeepLinear([[1.0]], [s], widths=(1,) * (len(a) - 1))
    spectrum = np.linalg.eigvalsh(net.hessian(a))
    eigenvalue = deep_times.minimum_eigenvalue(a, s)
    assert spectrum[-1] == pytest.approx(eigenvalue, rel=64 * EPS)
    np.testing.assert_allclose(spectrum[:-1], 0, atol=64 * EPS * eigenvalue)
    assert eigenvalue >= len(a) * s ** (2 - 2 / len(a)) * (1 - 16 * EPS)


@given(x=st.floats(0.1, 2), s=st.floats(-2, 2), depth=st.integers(2, 5))
@settings(max_examples=30)
def test_velocity_is_that_of_the_net(x, s, depth):
    net = DeepLinear([[1.0]], [s], widths=(1,) * (depth - 1))
    a = np.full(depth, x)
    moved = (-net.gradient(a) * x ** (depth - 1)).sum()
    scale = depth * x ** (2 * depth - 2) * (abs(s) + x**depth)
    assert abs(deep_times.velocity(x, s, depth) - moved) <= 64 * EPS * scale


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_escape_time_is_the_leading_order(depth):
    ratios = [
        deep_times.escape_time(u0, 2.0, depth=depth) / deep_mode.time_to_product(u0, 1.0, 2.0, depth=depth)
        for u0 in (1e-6, 1e-12, 1e-24)
    ]
    errors = np.abs(np.array(ratios) - 1)
    assert errors[2] < 1e-6
    assert (np.diff(errors) < 0).all() or errors[0] < 1e-6


def test_layers_in_batches():
    a = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_allclose(deep_times.layer_product(a), a.prod(-1), rtol=4 * EPS)
    s = np.arange(1.0, 5.0)
    expected = [deep_times.minimum_eigenvalue(a[i], s[i]) for i in range(4)]
    np.testing.assert_allclose(deep_times.minimum_eigenvalue(a, s), expected, rtol=8 * EPS)
