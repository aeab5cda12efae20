import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from toymodels.relu.kinks import Kinks

seeds = st.integers(0, 2**32 - 1)


def draw(seed, n, d):
    """Rows among which there are parallel ones, on both sides, and zero rows."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((n, d))
    return directions[rng.integers(n, size=n)] * rng.choice([-2.0, -1.0, 0.0, 0.5, 3.0], (n, 1))


@given(seeds, st.integers(1, 6), st.integers(1, 4))
def test_every_sample_is_its_length_times_its_side_of_its_normal(seed, n, d):
    X = draw(seed, n, d)
    kinks = Kinks.of_samples(X)
    there = kinks.of >= 0
    np.testing.assert_array_equal(there, (X != 0).any(-1))
    rows = (kinks.lengths * kinks.signs)[there, None] * kinks.normals[kinks.of[there]]
    np.testing.assert_allclose(rows, X[there], atol=1e-14)
    assert len(kinks) == len(np.unique(kinks.of[there]))
    cosines = np.abs(kinks.normals @ kinks.normals.T) - np.eye(len(kinks))
    assert (cosines < 1 - 1e-12).all()


@given(seeds, st.integers(1, 6), st.integers(1, 4))
def test_gates_follow_the_side(seed, n, d):
    X = draw(seed, n, d)
    kinks, w = Kinks.of_samples(X), np.random.default_rng(seed + 1).standard_normal(d)
    sides = np.where(kinks.normals @ w > 0, 1, -1) if len(kinks) else np.zeros(0, dtype=int)
    np.testing.assert_array_equal(kinks.sample_modes(sides), np.where(X @ w > 0, 1, -1))


@given(seeds, st.integers(1, 6), st.integers(1, 4))
def test_pushes_are_what_the_samples_of_a_kink_add(seed, n, d):
    X = draw(seed, n, d)
    rng = np.random.default_rng(seed + 1)
    kinks, w, c = Kinks.of_samples(X), rng.standard_normal(d), rng.standard_normal(n)
    plus, minus = kinks.pushes(c)
    amounts = np.where(kinks.normals @ w > 0, plus, -minus) if len(kinks) else np.zeros(0)
    np.testing.assert_allclose(amounts @ kinks.normals, (c * (X @ w > 0)) @ X, atol=1e-13)


def test_still_kinks_are_orthogonal_to_all_that_moves():
    X = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 1.0, 1.0], [0.0, -1.0, -1.0]])
    kinks = Kinks.of_samples(X)
    assert len(kinks) == 3
    assert kinks.still(np.array([-1, 1, -1])).tolist() == [
        True,
        False,
        False,
    ]  # the opposite sample is active
    only = Kinks.of_samples(X[:2])
    assert only.still(np.array([-1, 1])).tolist() == [True, False]
    assert only.still(np.array([0, -1])).tolist() == [False, True]
    assert only.still(np.array([-1, -1])).tolist() == [True, True]


def test_orthogonality_is_up_to_rounding():
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    assert (Kinks.of_samples(Q).orthogonal == ~np.eye(5, dtype=bool)).all()
    assert not Kinks.of_samples(np.array([[1.0, 1e-12], [0.0, 1.0]])).orthogonal.any()
