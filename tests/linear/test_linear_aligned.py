"""Aligned paths: the blocks are the Hessian, exactly; the closed spectra are its eigenvalues."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_cases import EPS, seeds, sizes

from toymodels import InputError, TwoLayerLinear
from toymodels.arithmetic.rationals import draw, require_exact
from toymodels.linear import aligned_factors, aligned_spectrum, formulas
from toymodels.linear.spectra import (
    balanced_spectrum,
    interpolating_sharpness,
    mode_blocks,
    mode_sharpness,
    pair_blocks,
)

tiny_and_huge = st.builds(lambda m, k: m * 10.0**k, st.floats(-1, 1), st.integers(-300, 300))


def haar(rng, k):
    return np.linalg.qr(rng.standard_normal((k, k)))[0]


@given(m=sizes, seed=seeds)
@settings(max_examples=30)
def test_blocks_are_the_hessian_exactly(m, seed):
    rng = np.random.default_rng(seed)
    a, b, s = (draw(rng, (m,), -(2**30), 2**30) for _ in range(3))
    unit = np.eye(m, dtype=int)
    H = formulas.hessian(a * unit, b * unit, unit, s * unit)
    x = np.arange(m * m).reshape(m, m)
    y = x + m * m
    modes, pairs = mode_blocks(a, b, s), pair_blocks(a, b, s)
    require_exact(modes), require_exact(pairs)
    rest = H.copy()
    for i in range(m):
        # in theta a_i comes first, while the block starts with the curvature b_i² of a_i
        index = [x[i, i], y[i, i]]
        assert (H[np.ix_(index, index)] == modes[i]).all()
        rest[np.ix_(index, index)] *= 0
        for j in range(i):
            index = [x[j, i], y[j, i], x[i, j], y[i, j]]
            assert (H[np.ix_(index, index)] == pairs[j, i]).all()
            rest[np.ix_(index, index)] *= 0
    assert (rest == 0).all()


@given(m=sizes, seed=seeds)
@settings(max_examples=40)
def test_spectra_equal_dense_eigenvalues(m, seed):
    rng = np.random.default_rng(seed)
    U, V, O = (haar(rng, m) for _ in range(3))
    a, b, s = rng.standard_normal((3, m))
    s = np.abs(s)
    problem = TwoLayerLinear.from_statistics(np.eye(m), (U * s) @ V.T, s @ s, width=m)
    bound = 256 * EPS * m * (np.sum(a * a + b * b) + np.sum(s))
    theta = problem.pack(*aligned_factors(a, b, U, V, width=m, rotation=O))
    dense = np.linalg.eigvalsh(problem.hessian(theta))
    assert np.abs(dense - aligned_spectrum(a, b, s)).max() <= bound
    u = a * a
    theta = problem.pack(*aligned_factors(np.abs(a), np.abs(a), U, V, width=m, rotation=O))
    dense = np.linalg.eigvalsh(problem.hessian(theta))
    assert np.abs(dense - np.sort(balanced_spectrum(u, s))).max() <= bound


@given(a=st.floats(-10, 10), b=st.floats(-10, 10), s=st.floats(0, 10))
def test_sharpness_of_one_mode(a, b, s):
    problem = TwoLayerLinear.from_statistics([[1.0]], [[s]], s * s, width=1)
    # squares of weights below 1e-154 underflow, and so does the sharpness itself
    bound = 32 * EPS * (a * a + b * b + abs(s)) + 1e-307
    assert abs(mode_sharpness(a, b, s) - problem.sharpness(np.array([a, b]))) <= bound
    assert abs(mode_sharpness(a, b, s) - aligned_spectrum([a], [b], [s])[-1]) <= bound


@given(s=tiny_and_huge, lam=tiny_and_huge)
def test_sharpness_of_any_size(s, lam):
    with mpmath.workdps(40):
        expected = float(mpmath.sqrt(4 * mpmath.mpf(s) ** 2 + mpmath.mpf(lam) ** 2))
    assert interpolating_sharpness(s, lam) == pytest.approx(expected, rel=4 * EPS, abs=1e-322)
    assert mode_sharpness(0.0, 0.0, s) == abs(s)


@given(s=st.floats(0.1, 10.0))
def test_sharpness_halves_before_it_doubles(s):
    # on the balanced path from 0 to s, u + |2u - s|: s at the saddle, s/2 half way, 2s at the end
    root = np.sqrt(s * np.array([0.0, 0.25, 0.5, 0.75, 1.0]))
    expected = s * np.array([1.0, 0.75, 0.5, 1.25, 2.0])
    assert mode_sharpness(root, root, s) == pytest.approx(expected, rel=1e-14)
    assert interpolating_sharpness(np.array(s), np.array(0.0)) == pytest.approx(2 * s, rel=4 * EPS)


@given(runs=st.integers(1, 4), m=sizes, seed=seeds)
@settings(max_examples=20)
def test_batches_equal_their_members_and_order_does_not_matter(runs, m, seed):
    a, b, s = np.random.default_rng(seed).standard_normal((3, runs, m))
    together = aligned_spectrum(a, b, s)
    assert together.shape == (runs, 2 * m * m)
    bound = 64 * EPS * m * (np.sum(a * a + b * b) + np.sum(np.abs(s)))
    for k in range(runs):
        order = np.random.default_rng(seed).permutation(m)
        assert np.abs(aligned_spectrum(a[k, order], b[k, order], s[k, order]) - together[k]).max() <= bound


@given(c=sizes, d=sizes, m=sizes, seed=seeds)
@settings(max_examples=40)
def test_aligned_starts_stay_aligned(c, d, m, seed):
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.standard_normal((d + 3, d)))[0]
    problem = TwoLayerLinear(X, rng.standard_normal((d + 3, c)), width=m, weights=np.ones(d + 3))
    k = min(c, d, m)
    a, b = rng.standard_normal((2, 3, k))
    s = np.linalg.svd(problem.statistics.Syx, compute_uv=False)[:k]
    rotation = haar(rng, m)
    step = problem.aligned(a, b, rotation) - 0.1 * problem.gradient(problem.aligned(a, b, rotation))
    expected = problem.aligned(*formulas.mode_step(a, b, s, 0.1), rotation)
    bound = 64 * EPS * (d + c + m) * (1 + np.sum(a * a + b * b)) ** 2 * (1 + s[0])
    assert np.abs(step - expected).max() <= bound


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: aligned_spectrum([1.0], [1.0, 2.0], [1.0]), "a, b, s: expected as many modes"),
        (lambda: aligned_spectrum(1.0, 1.0, 1.0), "a, b, s: expected as many modes"),
        (lambda: aligned_spectrum([np.inf], [1.0], [1.0]), "a: expected finite"),
        (lambda: aligned_factors([1.0], [1.0, 2.0], np.eye(2), np.eye(2), width=2), "a, b: expected up to 2"),
        (
            lambda: aligned_factors([1.0] * 3, [1.0] * 3, np.eye(2), np.eye(3), width=3),
            "a, b: expected up to 2",
        ),
        (
            lambda: aligned_factors([1.0], [1.0], 2 * np.eye(2), np.eye(2), width=2),
            "U: expected an orthogonal",
        ),
        (lambda: aligned_factors([1.0], [1.0], np.eye(2), np.ones((2, 3)), width=2), "V: expected shape"),
        (lambda: aligned_factors([1.0], [1.0], np.eye(2), np.eye(2), width=0), "width: expected an integer"),
    ],
)
def test_bad_alignments(call, message):
    with pytest.raises(InputError, match=message):
        call()
