"""Neurons in a constant field (card D2)."""

import mpmath as mp
import numpy as np
import pytest
from flow_cases import seeds
from hypothesis import given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.relu import frozen

few = settings(max_examples=20, deadline=None)
turns = st.floats(0.05, 3.0)
speeds = st.floats(0.1, 3.0)


def draw(seed, m, d):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, d)), rng.standard_normal(m), rng.standard_normal((m, d))


def planar(phi, size=1.0):
    return size * np.array([np.cos(phi), np.sin(phi)])


@few
@given(seeds, st.integers(1, 3), st.integers(1, 4), st.floats(0, 8))
def test_flow_is_the_exponential_of_its_matrix(seed, m, d, t):
    W, a, U = draw(seed, m, d)
    moved, weights = frozen.flow(W, a, U, np.array([t]))
    for k in range(m):
        with mp.workdps(30):
            field = mp.zeros(d + 1)
            for j in range(d):
                field[j, d] = field[d, j] = mp.mpf(U[k, j])
            expected = mp.expm(t * field) * mp.matrix([*W[k], a[k]])
        expected = np.array([float(x) for x in expected])
        scale = np.exp(np.linalg.norm(U[k]) * t) * np.linalg.norm([*W[k], a[k]])
        assert np.abs(np.append(moved[k], weights[k]) - expected).max() < 1e-14 * (1 + t) * scale


@few
@given(seeds, st.integers(1, 3), st.integers(1, 4), st.floats(0, 3))
def test_flow_conserves_the_imbalance_and_moves_along_the_field(seed, m, d, t):
    W, a, U = draw(seed, m, d)
    moved, weights = frozen.flow(W, a, U, np.array([t]))
    before, after = a**2 - (W**2).sum(-1), weights**2 - (moved**2).sum(-1)
    np.testing.assert_allclose(after, before, atol=1e-13 * ((moved**2).sum() + (weights**2).sum()))
    shift = ((moved - W) * U).sum(-1) / (U**2).sum(-1)
    np.testing.assert_allclose(moved, W + shift[:, None] * U, atol=1e-13 * (1 + np.abs(moved).max()))
    np.testing.assert_allclose(
        frozen.hidden_flow(W, a, U, shift / a), moved, atol=1e-12 * np.abs(moved).max()
    )


def test_no_field_no_motion_and_a_small_one_without_cancellation():
    W, a, U = draw(0, 2, 3)
    still = frozen.flow(W, a, 0 * U, np.array([5.0]))
    np.testing.assert_array_equal(still[0], W)
    np.testing.assert_array_equal(still[1], a)
    moved, weights = frozen.flow(W, a, 1e-9 * U, np.array([1.0]))
    np.testing.assert_allclose(moved - W, 1e-9 * a[:, None] * U, rtol=1e-6)
    np.testing.assert_allclose(weights - a, 1e-9 * (W * U).sum(-1), rtol=1e-6)


@few
@given(turns, speeds, st.floats(0, 5), st.sampled_from([1.0, -1.0]), st.floats(0.1, 2))
def test_angle_and_norm_of_a_balanced_neuron(phi, speed, t, sign, size):
    """Sizes and directions of the linear flow, with the field along the first axis."""
    U = np.array([[speed, 0.0]])
    (w,), _ = frozen.flow(planar(phi, size)[None], np.array([sign * size]), U, np.array([t]))
    assert abs(frozen.angle(phi, sign * speed, t) - np.arctan2(w[1], w[0])) < 1e-12
    assert abs(frozen.norm(size, phi, sign * speed, t) / np.linalg.norm(w) - 1) < 1e-9


@few
@given(turns, st.floats(0.01, 0.99), speeds)
def test_passage_time_is_when_the_angle_is_reached(phi, part, speed):
    later = part * phi
    t = frozen.passage_time(phi, later, speed)
    assert t > 0 and abs(frozen.angle(phi, speed, t) - later) < 1e-12
    through = frozen.passage_time(phi, (phi + later) / 2, speed) + frozen.passage_time(
        (phi + later) / 2, later, speed
    )
    assert abs(through - t) < 1e-12 * (1 + t)


def test_the_tangent_of_the_whole_angle_does_not_decay_exponentially():
    phi, t = 1.0, 0.7
    assert abs(np.tan(frozen.angle(phi, 1.0, t)) / np.tan(phi) - np.exp(-t)) > 0.1


@pytest.mark.parametrize("loss", ["square", "logistic", "exponential"])
def test_small_networks_move_so_while_their_outputs_are_small(loss):
    X, y = np.array([[1.0, 0.2], [0.3, 1.0]]), np.array([1.0, 1.0])
    problem = tm.TwoLayerReLU(X, y, width=2, loss=loss)
    W, a = 1e-5 * np.array([[0.9, 0.1], [0.2, 0.7]]), 1e-5 * np.array([1.0, 0.4])
    pushes = -problem.weights * problem.output_loss.slope(np.zeros(2), y)
    U = np.broadcast_to(pushes @ X, W.shape)
    run = tm.flow(problem, problem.pack(W, a), 3.0)
    assert run.events == []
    expected = problem.pack(*frozen.flow(W, a, U, np.array([3.0])))
    assert np.linalg.norm(run.theta - expected) < 1e-7 * np.linalg.norm(expected)
