"""The random wide network scatters around the closed form; the ReLU net is lazy at large scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toymodels.figures import lazy_and_active_modes, relu_rich_and_lazy

import toymodels as tm


def test_dots_scatter_around_the_lines_as_one_over_root_width():
    off = []
    for widen in (1, 16):
        data = lazy_and_active_modes.arrays(8, 0.8, 1200, widen)
        strong = data["singular_values"] > data["gamma"] / 2
        error = data["simulated_modes"] - data["closed_form_modes"]
        off.append(np.sqrt(np.mean(error[:, strong] ** 2)))
    assert 2.5 < off[0] / off[1] < 6
    assert off[1] < 0.03 * data["singular_values"][0]


def test_weak_modes_share_a_half_time_and_strong_ones_come_sooner():
    gamma, s = 2.0, np.array([1e-4, 1e-2, 4.0, 40.0])
    times = lazy_and_active_modes.half_times(gamma, s)
    np.testing.assert_allclose(times[:2], np.log(2) / (2 * gamma), rtol=1e-4)
    assert (np.diff(times[1:]) < 0).all()


@given(scale=st.floats(0.1, 2), delta=st.floats(-1, 1), m=st.integers(1, 3))
def test_starts_are_silent_and_have_scale_and_imbalance(scale, delta, m):
    w, a = relu_rich_and_lazy.layer_sizes(scale, delta)
    assert w * a == pytest.approx(scale**2)
    assert a**2 - w**2 == pytest.approx(delta, abs=1e-12)
    rows = relu_rich_and_lazy.unit_rows(np.random.default_rng(m), m, 3)
    W, signs = relu_rich_and_lazy.paired(rows, np.array([[w, a]]))
    net = tm.TwoLayerReLU(np.eye(3), np.ones(3), width=2 * m)
    np.testing.assert_allclose(net.outputs(net.pack(W, signs)), 0, atol=1e-12)
    np.testing.assert_allclose(signs**2 - (W**2).sum(-1), delta, rtol=0, atol=1e-12)


def test_large_scale_is_lazy_and_small_scale_generalises():
    data = relu_rich_and_lazy.arrays(8, 60, 8, 3, 600)
    distance, loss = data["kernel_distance"], data["test_loss"]
    assert (distance[:, -1] < 0.05).all()
    assert (distance[1:, 0] > 0.1).all()
    assert loss[-1, 0] < loss[-1, -1] / 2
    assert ((distance >= 0) & (distance <= 1)).all()
