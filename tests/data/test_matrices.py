"""Frames are orthonormal and uniform; spectra are the ones asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.data import matrix_of_spectrum, orthonormal_columns
from toymodels.errors import InputError

sizes = st.integers(1, 9)
seeds = st.integers(0, 2**32)


@given(n=sizes, k=sizes, seed=seeds)
def test_columns_are_orthonormal(n, k, seed):
    n, k = max(n, k), min(n, k)
    Q = orthonormal_columns(n, k, rng=seed)
    assert Q.shape == (n, k)
    np.testing.assert_allclose(Q.T @ Q, np.eye(k), rtol=0, atol=1e-13)


@given(rows=sizes, columns=sizes, seed=seeds, data=st.data())
def test_singular_values_are_the_given_ones_and_zeros(rows, columns, seed, data):
    full = min(rows, columns)
    wanted = data.draw(st.lists(st.floats(0, 10), min_size=1, max_size=full))
    A = matrix_of_spectrum(rows, columns, wanted, rng=seed)
    expected = np.zeros(full)
    expected[: len(wanted)] = np.sort(wanted)[::-1]
    np.testing.assert_allclose(np.linalg.svd(A, compute_uv=False), expected, rtol=0, atol=1e-12)


def test_frames_are_uniform_over_signs_and_axes():
    """Haar entries have mean 0 and square 1/n; QR without the sign correction fixes signs."""
    n, draws = 3, 4000
    first = np.array([orthonormal_columns(n, n, rng=seed) for seed in range(draws)])
    deviation = first.mean(0) * np.sqrt(n * draws)
    assert np.abs(deviation).max() < 5
    # An entry's square is Beta(1/2, 1), of variance 4/45.
    assert np.abs((first**2).mean(0) - 1 / n).max() < 5 * np.sqrt(4 / 45 / draws)
    # One sphere in three dimensions has uniform coordinates: the fourth moment is 1/5.
    assert abs((first[:, 0, 0] ** 4).mean() - 1 / 5) < 5 * np.sqrt(1 / 9 / draws)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: orthonormal_columns(2, 3), "k: expected at most n = 2"),
        (lambda: orthonormal_columns(0, 1), "n: expected an integer"),
        (lambda: orthonormal_columns(2, 1, rng="seed"), "rng: expected a seed"),
        (lambda: orthonormal_columns(2, 1, rng=-1), "rng: expected a seed"),
        (lambda: matrix_of_spectrum(2, 3, (1, 1, 1)), "singular_values: expected at most 2"),
        (lambda: matrix_of_spectrum(2, 3, (1, -1)), "singular_values: expected at most 2 numbers >= 0"),
        (lambda: matrix_of_spectrum(2, 3, (1, np.nan)), "singular_values: expected finite"),
        (lambda: matrix_of_spectrum(2, 3, []), "singular_values"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
