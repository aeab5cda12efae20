"""Starts, ends and basins of the figures of one neuron."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toymodels.figures import _one_neuron, implicit_bias, opposite_basins

numbers = st.floats(-2, 2)


@given(x=numbers, y=numbers, deltas=st.lists(st.floats(-5, 5), min_size=1, max_size=5), d=st.integers(1, 3))
def test_starts_have_the_map_the_imbalance_and_a_positive_output_weight(x, y, deltas, d):
    beta = np.array([x, y, 0.5])[:d] + 0.01
    if d == 1 or np.abs(beta).max() < 1e-3:
        beta = beta + np.sign(beta[0] or 1.0)
    w, a = _one_neuron.starts(beta, np.array(deltas))
    assert (a > 0).all()
    np.testing.assert_allclose(a[:, None] * w, np.broadcast_to(beta, w.shape), rtol=0, atol=1e-13)
    np.testing.assert_allclose(a**2 - (w**2).sum(-1), deltas, rtol=0, atol=1e-12)


def test_looks_differ_in_grey_and_tell_the_sign_of_the_imbalance():
    looks = _one_neuron.looks(_one_neuron.DELTAS)
    assert len({look["color"] for look in looks}) == 7
    assert [str(look["linestyle"]) for look in looks].count("-") == 1
    assert len({str(look["linestyle"]) for look in looks}) == 3


@pytest.fixture(scope="module")
def bias():
    return implicit_bias.arrays(2000)


def test_the_ends_interpolate_and_turn_from_multiple_to_projection(bias):
    X, y = implicit_bias.X, implicit_bias.Y
    ends = bias["closed_form_map"][-1]
    np.testing.assert_allclose(X @ ends.T, np.broadcast_to(y[:, None], (1, 7)), rtol=1e-4)
    assert (np.diff(bias["end_curve"]) < 0).all()
    start = bias["start"]
    multiple, projection = bias["extreme_ends"]
    np.testing.assert_allclose(multiple, start * y / (X @ start), rtol=1e-5)
    np.testing.assert_allclose(projection, start + np.linalg.pinv(X) @ (y - X @ start), rtol=1e-5)


def test_the_line_of_solutions_interpolates(bias):
    np.testing.assert_allclose(implicit_bias.X @ bias["solutions"].T / implicit_bias.Y[0], 1, rtol=1e-12)


@pytest.fixture(scope="module")
def basins():
    return opposite_basins.arrays(120)


def test_integration_agrees_with_the_closed_form_within_its_error(basins):
    off = np.linalg.norm(basins["simulated_paths"] - basins["closed_form_paths"], axis=-1)
    # Rounding of the start, amplified along the saddle as far as a start at 1e-3 escapes.
    rounding = 64 * np.finfo(float).eps * 4 / np.abs(opposite_basins.OFFSETS[0])
    assert (off <= basins["error_of_paths"] + rounding).all()


def test_neighbours_part_to_opposite_minima_of_one_map(basins):
    above, below = np.moveaxis(basins["closed_form_paths"], 2, 0)
    assert np.abs(above[0] - below[0]).max() == pytest.approx(2e-3)
    np.testing.assert_allclose(above[-1], basins["minima"][:, 0], rtol=0, atol=1e-3)
    np.testing.assert_allclose(below[-1], basins["minima"][:, 1], rtol=0, atol=1e-3)
    np.testing.assert_allclose(basins["minima"][:, 0], -basins["minima"][:, 1], rtol=0, atol=1e-2)
    # Both pass close to the saddle, which is the origin of this plane.
    closest = np.linalg.norm(basins["closed_form_paths"], axis=-1).min(0)
    assert (closest < 0.2).all()
