"""Covariances, ranks and teachers are the ones asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.data import Data, correlated, rank_deficient, teacher_student, whitened
from toymodels.errors import InputError

sizes = st.integers(1, 8)
outputs = st.none() | st.integers(1, 5)
seeds = st.integers(0, 2**32)
spectra = st.lists(st.floats(0, 10), min_size=1, max_size=6)


def generators(n, d, c, **kwargs):
    """One data set of each kind with d inputs and at least d samples."""
    return {
        "teacher_student": teacher_student(n + d, d, c, **kwargs),
        "whitened": whitened(n + d, d, c, **kwargs),
        "correlated": correlated(n + d, np.arange(1.0, d + 1), c, **kwargs),
        "exact": correlated(n + d, np.arange(1.0, d + 1), c, exact=True, **kwargs),
    }


def same(first, second):
    return np.array_equal(first.X, second.X) and np.array_equal(first.Y, second.Y)


@given(n=sizes, d=sizes, c=outputs, seed=seeds)
def test_shapes_teacher_and_reproducibility(n, d, c, seed):
    again = generators(n, d, c, rng=seed)
    for name, data in generators(n, d, c, rng=seed).items():
        X, Y = data
        assert X is data.X and Y is data.Y
        assert X.shape == (n + d, d)
        assert Y.shape == ((n + d,) if c is None else (n + d, c))
        assert data.teacher.shape == ((d,) if c is None else (c, d))
        np.testing.assert_allclose(Y, X @ data.teacher.T, rtol=0, atol=1e-12, err_msg=name)
        assert same(data, again[name]), name


@given(n=sizes, d=sizes, c=outputs, seed=seeds)
def test_noise_leaves_inputs_and_teacher_alone(n, d, c, seed):
    noisy = generators(n, d, c, rng=seed, noise=0.5)
    louder = generators(n, d, c, rng=seed, noise=1.0)
    for name, clean in generators(n, d, c, rng=seed).items():
        assert np.array_equal(clean.X, noisy[name].X), name
        assert np.array_equal(clean.teacher, noisy[name].teacher), name
        once, twice = noisy[name].Y - clean.Y, louder[name].Y - clean.Y
        assert (once != 0).all()
        np.testing.assert_allclose(twice, 2 * once, rtol=0, atol=1e-12, err_msg=name)


@given(d=sizes, seed=seeds)
def test_a_generator_is_spawned_and_gives_the_same_as_its_seed(d, seed):
    generator = np.random.default_rng(seed)
    first, second = whitened(9, d, rng=generator), whitened(9, d, rng=generator)
    assert same(first, whitened(9, d, rng=seed))
    assert not same(first, second)


def test_the_default_seed_is_zero_and_seeds_differ():
    assert same(teacher_student(4, 2), teacher_student(4, 2, rng=0))
    assert same(teacher_student(4, 2), teacher_student(4, 2, rng=None))
    assert not same(teacher_student(4, 2), teacher_student(4, 2, rng=1))


@given(n=sizes, d=sizes, c=st.integers(1, 5), seed=seeds, data=st.data())
def test_whitened_correlation_is_the_teacher(n, d, c, seed, data):
    rank = data.draw(st.integers(1, min(c, d)))
    values = data.draw(st.lists(st.floats(0.1, 10), min_size=rank, max_size=rank))
    Sxx, Syx, tyy = (toy := whitened(n + d - 1, d, c, singular_values=values, rng=seed)).statistics
    np.testing.assert_allclose(Sxx, np.eye(d), rtol=0, atol=1e-12)
    np.testing.assert_allclose(Syx, toy.teacher, rtol=0, atol=1e-12)
    found = np.linalg.svd(Syx, compute_uv=False)
    np.testing.assert_allclose(found[:rank], np.sort(values)[::-1], rtol=0, atol=1e-12)
    assert tyy == pytest.approx(sum(v * v for v in values), rel=1e-12)


@given(extra=st.integers(0, 4), spectrum=spectra, seed=seeds)
def test_exact_sample_covariance(extra, spectrum, seed):
    positive = sum(value > 0 for value in spectrum)
    n = max(1, positive + extra)
    toy = correlated(n, spectrum, exact=True, rng=seed)
    np.testing.assert_allclose(toy.X.T @ toy.X / n, toy.covariance, rtol=0, atol=1e-12)
    found = np.linalg.eigvalsh(toy.covariance)
    np.testing.assert_allclose(found, np.sort(spectrum), rtol=0, atol=1e-12)


@given(spectrum=spectra, seed=seeds)
def test_a_covariance_matrix_is_kept(spectrum, seed):
    d = len(spectrum)
    given_matrix = np.array(correlated(d, spectrum, exact=True, rng=seed).covariance)
    toy = correlated(d + 2, given_matrix, exact=True, rng=seed)
    np.testing.assert_allclose(toy.X.T @ toy.X / (d + 2), given_matrix, rtol=0, atol=1e-12)


def test_sampled_covariance_is_the_mean_of_the_sample_covariance():
    toy = correlated(20_000, (4, 1, 0.25), rng=3)
    deviation = toy.X.T @ toy.X / 20_000 - toy.covariance
    # Entries have variance (C_ii C_jj + C_ij^2)/n <= 2 (largest eigenvalue)^2 / n.
    assert np.abs(deviation).max() < 5 * np.sqrt(2 * 4**2 / 20_000)
    assert np.abs(deviation).max() > 1e-4


@given(n=sizes, d=sizes, c=outputs, seed=seeds, data=st.data())
def test_ranks(n, d, c, seed, data):
    inner = data.draw(st.integers(1, min(n, d)))
    outer = data.draw(st.integers(1, min(inner, c or 1)))
    toy = rank_deficient(n, d, c, input_rank=inner, target_rank=outer, rng=seed)
    Y = toy.Y.reshape(n, -1)
    # Singular values of normal matrices come near zero, those that should be zero are rounding.
    for matrix, rank in ((toy.X, inner), (Y, outer)):
        values = np.linalg.svd(matrix, compute_uv=False)
        assert (values[rank:] <= 1e-13 * values[0]).all()
        assert values[rank - 1] > 1e-8 * values[0]
    least_norm = np.linalg.lstsq(toy.X, Y, rcond=1e-9)[0].T
    size = np.linalg.cond(toy.X @ np.linalg.svd(toy.X)[2][:inner].T)
    np.testing.assert_allclose(toy.teacher.reshape(-1, d), least_norm, rtol=0, atol=1e-12 * size**2)
    np.testing.assert_allclose(toy.covariance @ toy.covariance, toy.covariance, rtol=0, atol=1e-13)


def test_data_is_frozen():
    toy = whitened(3, 2)
    with pytest.raises(ValueError, match="read-only"):
        toy.X[0, 0] = 1
    with pytest.raises(AttributeError):
        toy.X = toy.Y
    assert Data(np.ones((2, 1)), np.ones(2)).teacher is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: whitened(2, 3), "n: expected at least d = 3"),
        (lambda: teacher_student(0, 3), "n: expected an integer"),
        (lambda: teacher_student(3, 2.5), "d: expected an integer"),
        (lambda: teacher_student(3, 2, 0), "c: expected an integer"),
        (lambda: teacher_student(3, 2, 2, rank=3), "rank: expected at most 2"),
        (lambda: teacher_student(3, 2, 2, rank=1, singular_values=(1, 1)), "rank: expected the number"),
        (lambda: teacher_student(3, 2, noise=-1), "noise: expected"),
        (lambda: teacher_student(3, 2, noise=np.inf), "noise: expected"),
        (lambda: teacher_student(3, 2, rng=object()), "rng: expected a seed"),
        (lambda: correlated(3, [1, -1]), "covariance: expected eigenvalues >= 0"),
        (lambda: correlated(3, [[1, 2], [0, 1]]), "covariance: expected a symmetric"),
        (lambda: correlated(3, [[1, 2, 3]]), "covariance: expected a square"),
        (lambda: correlated(3, [[0, 1], [1, 0]]), "covariance: expected eigenvalues >= 0, the least is -1"),
        (lambda: correlated(3, [1j]), "covariance: expected real"),
        (lambda: correlated(1, [1, 1], exact=True), "n: expected at least the covariance's rank 2"),
        (lambda: rank_deficient(3, 2, input_rank=3), "input_rank: expected at most 2"),
        (lambda: rank_deficient(3, 2, 2, input_rank=1, target_rank=2), "target_rank: expected at most 1"),
        (lambda: rank_deficient(3, 2, 2, target_rank=0), "target_rank: expected an integer"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
