"""Balanced factors and the gauge orbit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from linear_cases import EPS, seeds, sizes

from toymodels import InputError
from toymodels.linear import balanced_factors, formulas, gauge

BUDGET = 64 * EPS


def haar(rng, k):
    return np.linalg.qr(rng.standard_normal((k, k)))[0]


@given(
    c=sizes,
    d=sizes,
    m=sizes,
    lam=st.floats(-1e6, 1e6),
    power=st.integers(-6, 6),
    runs=st.booleans(),
    seed=seeds,
)
@settings(max_examples=150)
def test_factors_have_the_product_and_the_imbalance(c, d, m, lam, power, runs, seed):
    assume(lam == 0 or m <= (c if lam > 0 else d))
    rng = np.random.default_rng(seed)
    rank = min(m, c, d)
    shape = (3,) if runs else ()
    W = rng.standard_normal((*shape, c, rank)) @ rng.standard_normal((*shape, rank, d)) * 10.0**power
    W1, W2 = balanced_factors(W, lam, width=m, rotation=haar(rng, m))
    assert W1.shape == (*shape, m, d) and W2.shape == (*shape, c, m)
    size = np.abs(W).max() + abs(lam)
    assert np.abs(formulas.imbalance(W1, W2) - lam * np.eye(m)).max() <= BUDGET * (c + d + m) * size
    # the layers keep their digits, so the product is accurate in W itself, not in lam
    assert np.abs(W2 @ W1 - W).max() <= BUDGET * (c + d + m) * np.abs(W).max()


def test_factors_of_a_singular_product():
    W = np.diag([3.0, 0.0])
    W1, W2 = balanced_factors(W, width=1)
    assert np.abs(W2 @ W1 - W).max() <= 8 * EPS
    W1, W2 = balanced_factors(np.zeros((2, 3)), 4.0, width=2)
    assert not W1.any() and np.array_equal(W2.T @ W2, 4 * np.eye(2))
    W1, W2 = balanced_factors(np.zeros((2, 3)), -4.0, width=3)
    assert not W2.any() and np.array_equal(W1 @ W1.T, 4 * np.eye(3))
    assert not np.concatenate([b.ravel() for b in balanced_factors(np.zeros((2, 3)), width=5)]).any()


def test_the_small_factor_keeps_its_digits():
    # b² - a² = 1e8 and a b = 1: a² = 1e-8 (1 - 1e-16 + ...), which k - lam/2 would round to zero
    W1, W2 = balanced_factors([[1.0]], 1e8, width=1)
    assert abs(W1[0, 0]) == pytest.approx(1e-4, rel=8 * EPS)
    assert abs(W2[0, 0]) == pytest.approx(1e4, rel=8 * EPS)


@given(c=sizes, d=sizes, m=sizes, seed=seeds)
@settings(max_examples=40)
def test_gauge_keeps_the_product_and_composes(c, d, m, seed):
    rng = np.random.default_rng(seed)
    W1, W2 = rng.standard_normal((m, d)), rng.standard_normal((c, m))
    T, R = (haar(rng, m) * rng.uniform(0.5, 2, m) for _ in range(2))
    moved = gauge(W1, W2, T)
    size = np.linalg.norm(W1) * np.linalg.norm(W2)
    assert np.abs(moved[1] @ moved[0] - W2 @ W1).max() <= BUDGET * m * 4 * size
    for twice, once in zip(gauge(*moved, R), gauge(W1, W2, R @ T), strict=True):
        assert np.abs(twice - once).max() <= BUDGET * m * 16 * (size + np.abs(once).max())


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: balanced_factors(np.eye(2), width=0), "width: expected an integer"),
        (lambda: balanced_factors(np.eye(2), width=1), "width: expected at least the rank of W"),
        (lambda: balanced_factors(np.eye(2), 1.0, width=3), "lam: expected 0, or width <= 2"),
        (lambda: balanced_factors(np.ones((2, 1)), -1.0, width=2), "lam: expected 0, or width <= 1"),
        (lambda: balanced_factors(np.ones(2), width=1), "W: expected shape"),
        (lambda: balanced_factors(np.eye(2), [1.0], width=2), "lam: expected 0 dimension"),
        (lambda: balanced_factors(np.eye(2) + 1j, width=2), "W: expected real"),
        (lambda: balanced_factors(np.eye(2), width=2, rotation=np.eye(3)), "rotation: expected shape"),
        (
            lambda: balanced_factors(np.eye(2), width=2, rotation=2 * np.eye(2)),
            "rotation: expected an orthogonal",
        ),
        (lambda: gauge(np.eye(2), np.eye(2), np.ones((2, 2))), "T: expected an invertible matrix"),
        (lambda: gauge(np.eye(2), np.eye(2), np.eye(3)), "T: expected an invertible matrix"),
        (lambda: gauge(np.eye(2), np.eye(3), np.eye(2)), "W1, W2: expected shapes"),
        (lambda: gauge(np.ones(2), np.eye(2), np.eye(2)), "W1, W2: expected shapes"),
    ],
)
def test_bad_factors(call, message):
    with pytest.raises(InputError, match=message):
        call()
