import itertools

import numpy as np
import pytest
from aligned_starts import KINDS, aligned, frame

from toymodels.linear.modes import aligned_modes, signed_permutation
from toymodels.linear.statistics import Statistics

SHAPES = list(itertools.product((1, 2, 3, 5), repeat=3))


@pytest.mark.parametrize("kind", KINDS)
def test_aligned_starts_are_recognised_at_every_shape(kind):
    rng = np.random.default_rng(KINDS.index(kind))
    for m, c, d in SHAPES:
        W1, W2, Sxx, Syx = aligned(kind, m, c, d, rng)
        modes = aligned_modes(W1, W2, Statistics(Sxx, Syx, 1.0))
        # A direction carried by a weight 1e-6 of the largest is known to 1e6 roundings.
        assert modes.residual < (1e-9 if kind == "many sizes" else 1e-12), (m, c, d)
        again = modes.weights(modes.a, modes.b)
        np.testing.assert_allclose(again[0], W1, atol=1e-14 * (1 + np.abs(W1).max()))
        np.testing.assert_allclose(again[1], W2, atol=1e-14 * (1 + np.abs(W2).max()))


@pytest.mark.parametrize("m, c, d", [(3, 3, 3), (2, 3, 4), (5, 2, 3), (1, 1, 1)])
def test_the_modes_are_the_sizes_that_went_in(m, c, d):
    rng = np.random.default_rng(5)
    k = min(m, c, d)
    W1, W2, Sxx, Syx = aligned("small and ordered", m, c, d, rng)
    modes = aligned_modes(W1, W2, Statistics(Sxx, Syx, 1.0))
    moving = np.abs(modes.O).max(0) > 0
    order = np.argsort(-np.abs(modes.s[moving]))
    np.testing.assert_allclose(np.abs(modes.s[moving][order])[:k], [2, 1.4, 1, 0.7, 0.4][:k], rtol=1e-12)
    singular = np.linalg.svd(W2 @ W1, compute_uv=False)[:k]
    np.testing.assert_allclose(np.sort(np.abs(modes.a * modes.b))[::-1][:k], singular, rtol=1e-9)


def test_diagonal_starts_of_any_size_are_read_exactly():
    a, b, s = np.array([1.0, 1e-20, 1e-200]), np.array([0.5, -1e-150, 1e-30]), np.array([1.0, 2.0, 0.25])
    modes = aligned_modes(np.diag(a), np.diag(b), Statistics(np.eye(3), np.diag(s), 10.0))
    assert modes.residual == 0
    assert all(signed_permutation(x) for x in (modes.O, modes.U, modes.V))
    order = np.argsort(-np.abs(modes.a))
    np.testing.assert_array_equal(np.abs(modes.a[order]), a)
    np.testing.assert_array_equal((modes.a * modes.b * modes.s)[order], a * b * s)


def test_a_departure_from_alignment_is_measured():
    rng = np.random.default_rng(1)
    W1, W2, Sxx, Syx = aligned("generic", 3, 3, 3, rng)
    push = rng.standard_normal((3, 3))
    measured = [
        float(aligned_modes(W1 + e * push, W2, Statistics(Sxx, Syx, 1.0)).residual)
        for e in (1e-8, 1e-4, 1e-1)
    ]
    assert measured == sorted(measured)
    assert 1e-9 < measured[0] < 1e-6 and measured[2] > 1e-3


@pytest.mark.parametrize("broken", ["W1", "W2", "Sxx", "Syx"])
def test_each_matrix_must_be_aligned(broken):
    rng = np.random.default_rng(2)
    parts = dict(zip(("W1", "W2", "Sxx", "Syx"), aligned("generic", 3, 3, 3, rng), strict=True))
    turn = frame(rng, 3)
    parts[broken] = turn @ parts[broken] @ turn.T
    modes = aligned_modes(parts["W1"], parts["W2"], Statistics(parts["Sxx"], parts["Syx"], 1.0))
    assert modes.residual > 1e-2


def test_a_batch_equals_its_members():
    rng = np.random.default_rng(4)
    W1, W2, Sxx, Syx = aligned("generic", 3, 2, 2, rng)
    first = np.stack([W1, 2 * W1, rng.standard_normal(W1.shape), 0 * W1])
    second = np.stack([W2, W2, W2, W2])
    statistics = Statistics(Sxx, Syx, 1.0)
    batch = aligned_modes(first, second, statistics)
    assert batch.residual.shape == (4,)
    for i in range(4):
        one = aligned_modes(first[i], second[i], statistics)
        assert (batch.residual[i] < 1e-12) == (one.residual < 1e-12)
        for whole, part in zip(batch.weights(batch.a, batch.b), one.weights(one.a, one.b), strict=True):
            np.testing.assert_allclose(whole[i], part, atol=1e-14)
    np.testing.assert_array_equal(batch.residual < 1e-12, [True, True, False, True])
