"""Symmetric targets, weight decay, tiny starts, the tangent kernel and the form by overlaps."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from riccati_cases import rotation, seeds, widths
from scipy.integrate import solve_ivp

from toymodels.errors import AssumptionError, InputError
from toymodels.linear import balanced_factors, formulas, kernel, overlap_form
from toymodels.linear.generator import generator, mode_vectors
from toymodels.linear.incremental import first_step, staircase
from toymodels.linear.riccati import Propagator
from toymodels.linear.symmetric import (
    decaying_velocity,
    soft_threshold,
    symmetric_flow,
    symmetric_velocity,
    weight_decay_flow,
)

TIMES = np.array([0.0, 0.5, 2.0])


def integrate(velocity, start, times=TIMES):
    """A flow by DOP853."""
    path = solve_ivp(velocity, (0, times[-1]), start, method="DOP853", rtol=1e-12, atol=1e-14, t_eval=times)
    return path.y.T


@given(n=widths, m=widths, seed=seeds)
@settings(max_examples=10)
def test_symmetric_targets_of_any_signature(n, m, seed):
    rng = np.random.default_rng(seed)
    half, U0 = rng.standard_normal((n, n)), rng.standard_normal((n, m))
    T = (half + half.T) / 2
    path = integrate(lambda t, u: symmetric_velocity(u.reshape(n, m), T).ravel(), U0.ravel())
    U = path.reshape(-1, n, m)
    np.testing.assert_allclose(symmetric_flow(T, U0, TIMES), U @ U.mT, atol=1e-10)


def test_negative_eigenvalues_die_out():
    limit = symmetric_flow([[0.0, 1.0], [1.0, 0.0]], np.eye(2), np.inf)
    np.testing.assert_allclose(limit, np.full((2, 2), 0.5), atol=1e-14)


@given(d=widths, c=widths, m=widths, seed=seeds, decay=st.sampled_from([0.0, 0.3, 1.5]))
@settings(max_examples=10)
def test_weight_decay_path(d, c, m, seed, decay):
    rng = np.random.default_rng(seed)
    S = rng.standard_normal((c, d))
    W1, W2 = balanced_factors(rng.standard_normal((c, m)) @ rng.standard_normal((m, d)), 0.0, width=m)

    def velocity(t, theta):
        first, second = decaying_velocity(
            theta[: m * d].reshape(m, d), theta[m * d :].reshape(c, m), S, decay * np.eye(m)
        )
        return np.concatenate([first.ravel(), second.ravel()])

    path = integrate(velocity, np.concatenate([W1.ravel(), W2.ravel()]))
    W = path[:, m * d :].reshape(-1, c, m) @ path[:, : m * d].reshape(-1, m, d)
    np.testing.assert_allclose(weight_decay_flow(S, W1, W2, decay, TIMES)[:, d:, :d], W, atol=1e-10)


@pytest.mark.parametrize("decay", [0.0, 0.4, 1.2, 9.0])
def test_weight_decay_ends_at_the_soft_threshold(decay):
    rng = np.random.default_rng(1)
    S = rng.standard_normal((3, 4))
    # the target's own directions, so that the determinant of no block is in the way
    W1, W2 = balanced_factors(0.1 * S, 0.0, width=3)
    limit = weight_decay_flow(S, W1, W2, decay, np.inf)[4:, :4]
    np.testing.assert_allclose(limit, soft_threshold(S, decay), atol=1e-13)


def test_weight_decay_needs_balance():
    with pytest.raises(AssumptionError, match="balanced") as caught:
        weight_decay_flow(np.eye(2), np.eye(2), 2 * np.eye(2), 0.1, 1.0)
    assert caught.value.residual > 0.1


@pytest.mark.parametrize("tau", [0.35, 0.8, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_staircase(tau, seed):
    rng = np.random.default_rng(seed)
    U, V, turn = rotation(rng, 3), rotation(rng, 3), rotation(rng, 3)
    turn[0] *= np.sign(np.linalg.det(turn))
    S = (U * np.array([2.0, 1.0, 0.3])) @ V.T
    W1, W2 = balanced_factors(1e-60 * U @ turn @ V.T, 0.0, width=3)
    flow = Propagator(generator(S, 0.0), np.concatenate([W1.T, W2]))
    M = flow.gram(np.array([tau * 60 * np.log(10.0)]))[0]
    np.testing.assert_allclose(M, staircase(S, tau), atol=1e-3)
    assert np.abs(M - staircase(S, tau / 2)).max() > 0.1 or tau > 2


def test_a_mode_at_its_threshold_has_no_limit():
    with pytest.raises(AssumptionError, match="tau"):
        staircase(np.diag([2.0, 1.0]), 0.25)


@given(n=st.integers(1, 4), seed=seeds)
@settings(max_examples=20)
def test_the_first_step_is_the_limit_of_tiny_starts(n, seed):
    rng = np.random.default_rng(seed)
    V, U0 = rotation(rng, n), rng.standard_normal((n, n))
    target = (V * np.array([1.5, 0.4, 0.2, -1.0])[:n]) @ V.T
    target = (target + target.T) / 2
    assume(np.linalg.norm(V[:, 0] @ U0) > 0.1)
    alpha = 1e-40
    for t in (-0.5, 0.0, 2.0):
        X = symmetric_flow(target, np.sqrt(alpha) * U0, -np.log(alpha) / 3.0 + t)
        np.testing.assert_allclose(X, first_step(target, U0 @ U0.T, t), atol=1e-9)
    end = first_step(target, U0 @ U0.T, np.array([-np.inf, np.inf]))
    np.testing.assert_allclose(end[1], 1.5 * np.outer(V[:, 0], V[:, 0]), atol=1e-13)
    np.testing.assert_array_equal(end[0], 0)


@pytest.mark.parametrize("target", [np.eye(2), -np.eye(2), np.diag([0.0, -1.0])])
def test_the_first_step_needs_a_simple_positive_mode(target):
    with pytest.raises(AssumptionError, match="target"):
        first_step(target, np.eye(2), 0.0)


@given(n=st.integers(1, 4), seed=seeds, t=st.sampled_from([0.0, 0.3, 2.0]))
@settings(max_examples=20)
def test_the_form_by_overlaps(n, seed, t):
    rng = np.random.default_rng(seed)
    U, V, U0, V0 = (rotation(rng, n) for _ in range(4))
    s, s0 = rng.uniform(0.5, 2.0, (2, n))
    B, C = overlap_form.overlaps(U0, V0, U, V)
    assume(np.linalg.cond(B) < 50)
    E, rise = np.diag(np.exp(-s * t)), np.diag(-np.expm1(-2 * s * t) / s)
    Z = np.concatenate(overlap_form.columns(U, V, E, C, np.linalg.inv(B)))
    K = overlap_form.middle(E, rise, C, np.linalg.inv(B), np.diag(1 / s0))
    flow = Propagator(generator((U * s) @ V.T, 0.0), np.concatenate([V0, U0]) * np.sqrt(s0))
    M = flow.gram(np.array([t]))[0]
    np.testing.assert_allclose(Z @ np.linalg.solve(K, Z.T), M, atol=1e-9)


@given(n=widths, m=widths, d=widths, c=widths, seed=seeds)
@settings(max_examples=20)
def test_kernels_from_gram_matrices(n, m, d, c, seed):
    rng = np.random.default_rng(seed)
    W1, W2, V1, V2 = (rng.standard_normal(shape) for shape in ((m, d), (c, m), (m, d), (c, m)))
    X = rng.standard_normal((n, d))
    np.testing.assert_allclose(
        kernel.gram_ntk(W1.T @ W1, W2 @ W2.T, X), formulas.ntk(W1, W2, X), atol=1e-12 * np.sum(X * X)
    )
    K, L = (formulas.ntk(A, B, np.eye(d)) for A, B in ((W1, W2), (V1, V2)))
    grams = W1.T @ W1, W2 @ W2.T, V1.T @ V1, V2 @ V2.T
    np.testing.assert_allclose(kernel.kernel_inner_product(*grams), np.sum(K * L), rtol=1e-12)
    cosine = np.sum(K * L) / np.linalg.norm(K) / np.linalg.norm(L)
    np.testing.assert_allclose(kernel.kernel_distance(*grams), 1 - cosine, atol=1e-14)


@given(c=widths, d=widths, seed=seeds, lam=st.sampled_from([0.0, 1e-300, 0.7, -0.7, 1e6, -1e6]))
@settings(max_examples=40)
def test_the_generator(c, d, seed, lam):
    rng = np.random.default_rng(seed)
    S = rng.standard_normal((c, d))
    F = generator(S, lam)
    matrix = np.block([[-lam / 2 * np.eye(d), S.T], [S, lam / 2 * np.eye(c)]])
    np.testing.assert_allclose(F.vectors.T @ F.vectors, np.eye(c + d), atol=1e-14)
    np.testing.assert_allclose((F.vectors * F.rates) @ F.vectors.T, matrix, atol=1e-14 * (1 + abs(lam)) * 8)
    assert (np.diff(F.rates) <= 0).all()


def test_mode_vectors_keep_the_digits_of_the_small_component():
    kappa, x, y = mode_vectors(np.array([0.0, 1e-8, 1e-200, 3.0]), 2.0)
    root = np.sqrt(10)
    np.testing.assert_allclose(x, [0.0, 5e-9, 5e-201, np.sqrt((root - 1) / (2 * root))], rtol=1e-14)
    np.testing.assert_allclose(y[:3], 1.0)
    np.testing.assert_allclose(kappa, np.hypot([0.0, 1e-8, 1e-200, 3.0], 1.0))


def test_arguments_are_checked():
    with pytest.raises(InputError, match="target"):
        symmetric_flow([[0.0, 1.0], [0.0, 0.0]], np.eye(2), 1.0)
    with pytest.raises(InputError, match="U0"):
        symmetric_flow(np.eye(2), np.eye(3), 1.0)
    with pytest.raises(InputError, match="t:"):
        symmetric_flow(np.eye(2), np.eye(2), [1.0, 0.5])
    with pytest.raises(InputError, match="W1, W2"):
        weight_decay_flow(np.eye(2), np.eye(3), np.eye(3), 0.1, 1.0)
    with pytest.raises(InputError, match="decay"):
        soft_threshold(np.eye(2), -1.0)
    with pytest.raises(InputError, match="tau"):
        staircase(np.eye(2), 0.0)
    with pytest.raises(InputError, match="X0"):
        first_step(np.eye(2), np.eye(3), 0.0)
    with pytest.raises(InputError, match="nan"):
        first_step(np.diag([1.0, 0.0]), np.eye(2), np.nan)
