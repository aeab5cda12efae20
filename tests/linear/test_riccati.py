"""The Riccati propagator: every time, scale, rank and width, against many digits and against its own laws."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from riccati_cases import in_digits, rotation, seeds, starts, white, widths

from toymodels.linear import balanced_factors, bracket
from toymodels.linear.echelon import echelon
from toymodels.linear.generator import generator
from toymodels.linear.riccati import Propagator

EPS = np.finfo(float).eps
TIMES = np.array([0.0, 0.3, 3.0, 40.0, np.inf])


def stack(W1, W2):
    return np.concatenate([W1.T, W2])


def propagator(S, lam, W1, W2):
    return Propagator(generator(S, lam), stack(W1, W2))


def relative(M, expected):
    return np.linalg.norm(M - expected) / max(np.linalg.norm(expected), 1e-300)


def is_generic(flow, S, W1, W2):
    """No pivot of the start is small, so that its own rounding is not what is compared."""
    L = flow.echelon.L[flow.echelon.pivots]
    return flow.rank == min(S.shape[0] + S.shape[1], W1.shape[0]) and (
        np.abs(np.diagonal(L)) > 1e-4 * np.linalg.norm(L, axis=1)
    ).all()


@given(start=starts(), t=st.sampled_from([0.0, 0.5, 3.0, 12.0, 40.0, 150.0]))
@settings(max_examples=40)
def test_agrees_with_many_digits(start, t):
    S, lam, W1, W2 = start
    flow = propagator(*start)
    assume(is_generic(flow, S, W1, W2) and not flow.echelon.rest[flow.rates > 0].any())
    assert relative(flow.gram(np.array([t]))[0], in_digits(S, lam, stack(W1, W2), t)) < 1e-9


@pytest.mark.parametrize("t", [6.0, 12.0, 60.0, 150.0])
@pytest.mark.parametrize("seed", range(3))
def test_tiny_narrow_starts_at_late_times(t, seed):
    rng = np.random.default_rng(seed)
    S = (rotation(rng, 3) * np.array([3.0, 1.0, 0.3])) @ rotation(rng, 3)
    W = 1e-12 * rng.standard_normal((3, 2)) @ rng.standard_normal((2, 3))
    W1, W2 = balanced_factors(W, 0.0, width=2, rotation=rotation(rng, 2))
    flow = propagator(S, 0.0, W1, W2)
    assert relative(flow.gram(np.array([t]))[0], in_digits(S, 0.0, stack(W1, W2), t)) < 1e-11
    limit = flow.gram(np.array([np.inf]))[0]
    assert relative(flow.gram(np.array([1e7]))[0], limit) < 1e-14
    U, s, Vt = np.linalg.svd(S)
    assert relative(limit[3:, :3], (U[:, :2] * s[:2]) @ Vt[:2]) < 1e-13


@given(start=starts(), share=st.sampled_from([0.1, 0.5]), t=st.sampled_from([0.5, 3.0, 20.0]))
@settings(max_examples=40)
def test_semigroup(start, share, t):
    S, lam, *_ = start
    flow = propagator(*start)
    assume(is_generic(flow, S, *start[2:]))
    middle = np.array([share * t])
    later = Propagator(generator(S, lam), flow.stacked(middle)[0])
    np.testing.assert_allclose(
        later.gram(np.array([(1 - share) * t]))[0], flow.gram(np.array([t]))[0], atol=1e-9
    )


@given(start=starts(scales=(0, -3)), seed=seeds)
@settings(max_examples=30)
def test_rotations_of_inputs_outputs_and_hidden_units(start, seed):
    S, lam, W1, W2 = start
    rng = np.random.default_rng(seed)
    m, (c, d) = len(W1), S.shape
    O, U, V = rotation(rng, m), rotation(rng, c), rotation(rng, d)
    assume(is_generic(propagator(*start), S, W1, W2))
    M = propagator(S, lam, W1, W2).gram(TIMES)
    turned = propagator(U @ S @ V.T, lam, O @ W1 @ V.T, U @ W2 @ O.T).gram(TIMES)
    turn = np.block([[V, np.zeros((d, c))], [np.zeros((c, d)), U]])
    limit_gap = np.diff(np.sort(np.abs(np.linalg.svd(S)[1])), prepend=0.0).min()
    assume(limit_gap > 1e-3)
    np.testing.assert_allclose(turned, turn @ M @ turn.T, atol=1e-9 * np.abs(M).max())


@given(start=starts(), exponent=st.integers(-40, 40))
@settings(max_examples=30)
def test_units(start, exponent):
    S, lam, W1, W2 = start
    unit = 2.0**exponent
    first = propagator(*start)
    second = propagator(unit**2 * S, unit**2 * lam, unit * W1, unit * W2)
    expected, size = unit**2 * first.gram(TIMES), unit**2 * np.abs(S).max()
    np.testing.assert_allclose(second.gram(TIMES / unit**2), expected, rtol=1e-9, atol=1e-9 * size)


@given(start=starts(), t=st.floats(0, 30))
@settings(max_examples=30)
def test_the_tuned_kernel_is_the_obvious_one(start, t):
    flow = propagator(*start)
    scaled = flow._scaled(np.array([t]))
    columns = bracket.fallen(scaled.fall, scaled.grown)
    lower, unit = bracket.stable_root(scaled, 0)
    obvious = flow._vectors @ np.linalg.solve(lower, (columns[0] * unit).T).T
    tuned = flow.roots(np.array([0.0, t]))[1]
    size = np.linalg.norm(obvious)
    formula = bracket.bracket(scaled.start, scaled.weight, scaled.grown)
    np.testing.assert_allclose(bracket.tiled_bracket(scaled), formula, rtol=1e-13, atol=1e-13 * formula.max())
    np.testing.assert_allclose(tuned @ tuned.T, obvious @ obvious.T, atol=1e-10 * size**2)


@given(start=starts())
@settings(max_examples=30)
def test_it_starts_at_the_start_and_bounds_its_error(start):
    S, lam, W1, W2 = start
    flow = propagator(*start)
    Q0 = stack(W1, W2)
    np.testing.assert_allclose(flow.stacked(np.zeros(1))[0], Q0, atol=1e-14 * max(np.linalg.norm(Q0), 1e-300))
    t = np.array([0.5, 3.0])
    bound = flow.error(t)
    exact = [in_digits(S, lam, Q0, x) for x in t]
    for M, moved, expected in zip(flow.gram(t), bound, exact, strict=True):
        size = np.sqrt(np.trace(expected))
        assert np.linalg.norm(M - expected) <= moved * (2 * size + moved)


@given(d=widths, c=widths, m=widths, seed=seeds)
@settings(max_examples=30)
def test_echelon_form(d, c, m, seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((d + c, m)) @ np.diag(rng.integers(0, 2, m))
    level = np.sort(rng.integers(0, 3, d + c))[::-1]
    form = echelon(A, level, 1e-15 * np.ones(d + c), np.zeros(d + c))
    np.testing.assert_allclose(form.L @ form.frame, A[form.order], atol=1e-13)
    np.testing.assert_allclose(form.frame @ form.frame.T, np.eye(len(form.frame)), atol=1e-14)
    assert (level[form.order] == level).all() and (np.diff(form.pivots) > 0).all()
    assert (form.L[np.arange(d + c)[:, None] < form.pivots] == 0).all()
    assert len(form.pivots) == np.linalg.matrix_rank(A)


def test_no_target_and_no_imbalance_decay_like_one_over_t():
    rng = np.random.default_rng(1)
    W1, W2 = balanced_factors(rng.standard_normal((2, 3)), 0.0, width=2)
    flow = propagator(np.zeros((2, 3)), 0.0, W1, W2)
    early, late = flow.gram(np.array([1e8, np.inf]))
    assert np.linalg.norm(early) * 1e8 == pytest.approx(np.sqrt(2), rel=1e-6)
    np.testing.assert_array_equal(late, 0)


@pytest.mark.parametrize("lam", [0.0, 1e-12, -1e-12, 1e-300])
def test_imbalance_may_vanish(lam):
    rng = np.random.default_rng(2)
    S, W = rng.standard_normal((2, 2, 2))
    start = balanced_factors(W, 0.0, width=2)
    plain = propagator(S, 0.0, *start).gram(np.array([1.0, 2.0]))
    np.testing.assert_allclose(propagator(S, lam, *start).gram(np.array([1.0, 2.0])), plain, atol=1e-11)


def test_the_origin_stays():
    flow = Propagator(generator(np.ones((2, 3)), 0.0), np.zeros((5, 2)))
    np.testing.assert_array_equal(flow.gram(TIMES), 0)
    np.testing.assert_array_equal(flow.error(TIMES), 0)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_equal_modes_that_the_width_cuts_keep_what_the_start_leans_on(m):
    rng = np.random.default_rng(m)
    U, V = rotation(rng, 4), rotation(rng, 4)
    S = (U * np.array([2.0, 1.0, 1.0, 1.0])) @ V.T
    W = 1e-3 * rng.standard_normal((4, m)) @ rng.standard_normal((m, 4))
    W1, W2 = balanced_factors(W, 0.0, width=m)
    flow = propagator(S, 0.0, W1, W2)
    limit = flow.gram(np.array([np.inf]))[0]
    np.testing.assert_allclose(flow.gram(np.array([1e5]))[0], limit, atol=1e-9)
    # 2 f times the projector on the part of the start along each group, the first group projected out
    modes = np.concatenate([V, U]) / np.sqrt(2)
    A = modes.T @ stack(W1, W2)
    rest = A[1:] - np.outer(A[1:] @ A[0], A[0]) / (A[0] @ A[0])
    kept = np.linalg.svd(rest)[0][:, : m - 1]
    expected = 4 * np.outer(modes[:, 0], modes[:, 0]) + 2 * (modes[:, 1:] @ kept) @ (modes[:, 1:] @ kept).T
    np.testing.assert_allclose(limit, expected, atol=1e-11)


def test_rank_deficient_targets_and_starts():
    rng = np.random.default_rng(5)
    S = np.outer(rng.standard_normal(4), rng.standard_normal(3))
    W = 1e-4 * np.outer(rng.standard_normal(4), rng.standard_normal(3))
    W1, W2 = balanced_factors(W, 0.0, width=3, rotation=rotation(rng, 3))
    flow = propagator(S, 0.0, W1, W2)
    assert flow.growing == 1
    np.testing.assert_allclose(flow.gram(np.array([np.inf]))[0][3:, :3], S, atol=1e-13)


@given(n=st.integers(1, 7), extra=st.integers(0, 2), seed=seeds, scale=st.integers(-12, 0))
@settings(max_examples=60)
def test_the_sign_of_the_determinant_decides_how_many_modes_are_learned(n, extra, seed, scale):
    rng = np.random.default_rng(seed)
    S, W = rng.standard_normal((2, n, n))
    assume(min(np.linalg.svd(S)[1].min(), np.linalg.svd(W)[1].min()) > 1e-2)
    W1, W2 = balanced_factors(10.0**scale * W, 0.0, width=n + extra, rotation=rotation(rng, n + extra))
    flow = propagator(S, 0.0, W1, W2)
    same = np.linalg.slogdet(W)[0] == np.linalg.slogdet(S)[0]
    assert flow.growing == (n if same else n - 1)
    error = flow.error(np.array([0.0, 60.0 / np.linalg.svd(S)[1].min()]))
    assert error[0] < 1e-10 and (same or error[1] > 1)


def test_no_overflow_and_no_warning_from_zero_to_infinity():
    S, W1, W2 = np.diag([1e3, 1.0]), np.eye(2), np.eye(2)
    t = np.concatenate([[0.0], np.geomspace(1e-300, 1e300, 61), [np.inf]])
    flow = propagator(S, 0.0, W1, W2)
    assert np.isfinite(flow.gram(t)).all() and not np.isnan(flow.error(t)).any()
    assert white(S, 2).size == 8


@given(rows=st.sampled_from([1, 64, 65, 130]), inner=st.sampled_from([0, 1, 64, 100]), seed=seeds)
@settings(max_examples=12)
def test_tiles_make_the_product(rows, inner, seed):
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((2, rows, inner)), rng.standard_normal((inner, 70))
    np.testing.assert_allclose(bracket.tiled_product(left, right), left @ right, atol=1e-12)


@given(k=st.integers(1, 40), seed=seeds)
@settings(max_examples=20)
def test_triangular_inverse_by_halves(k, seed):
    lower = np.tril(np.random.default_rng(seed).standard_normal((3, k, k)), -1) / k + np.eye(k)
    identity = np.broadcast_to(np.eye(k), lower.shape)
    np.testing.assert_allclose(bracket._lower_inverse(lower) @ lower, identity, atol=1e-12)
