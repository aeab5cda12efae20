"""Infinite depth: the Wright omega solution against the general kernel and finite depths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels import InputError
from toymodels.solutions import deep_mode, infinite_depth

EPS = np.finfo(float).eps


@given(share=st.floats(-10, 0).map(lambda p: 10.0**p), s=st.floats(0.1, 10), turns=st.floats(0, 5))
def test_agrees_with_the_general_kernel(share, s, turns):
    u0 = share * s
    t = turns / (s * u0)
    u = deep_mode.product(u0, s, t, depth=np.inf)
    budget = 256 * EPS * (u + u * u * abs(s - u) * t)
    assert abs(infinite_depth.product(u0, s, t) - u) <= budget


def test_deep_nets_approach_it():
    t = np.linspace(0, 30, 7)
    limit = infinite_depth.product(0.1, 1.0, t)
    gaps = [np.abs(deep_mode.product(0.1, 1.0, t / L, depth=L) - limit).max() for L in (100, 200)]
    assert gaps[0] < 0.05
    assert gaps[0] / gaps[1] == pytest.approx(2, abs=0.1)


def test_ends():
    assert infinite_depth.product([1e-300, 1e-6, 1.0], 1.0, np.inf).tolist() == [1.0, 1.0, 1.0]
    assert infinite_depth.product([1e-300, 1e-6, 1.0], 1.0, 0.0).tolist() == [1e-300, 1e-6, 1.0]
    assert infinite_depth.product(1e-6, 1.0, 1e9) == 1.0


@pytest.mark.parametrize("u0", [0.0, -0.1, 1.5])
def test_the_door(u0):
    with pytest.raises(InputError, match=r"u0: expected initial products in \(0, s\]"):
        infinite_depth.product(u0, 1.0, 1.0)
