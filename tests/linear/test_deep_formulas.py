"""Formulas on a sequence of layers: the closed equation of the product, and layers of words."""

import numpy as np
import pytest
from deep_cases import EPS, haar
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.arithmetic.words import letter
from toymodels.linear import DeepLinear, deep_formulas
from toymodels.linear.deep_factors import balanced_layers


@given(sizes=st.lists(st.integers(1, 4), min_size=3, max_size=6), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_balanced_layers_move_their_product_by_the_closed_equation(sizes, seed):
    rng = np.random.default_rng(seed)
    d, *widths, c = sizes
    rank = min(sizes)
    W = rng.standard_normal((c, rank)) @ rng.standard_normal((rank, d))
    layers = balanced_layers(W, tuple(widths), [haar(rng, m) for m in widths])
    problem = DeepLinear(rng.standard_normal((4, d)), rng.standard_normal((4, c)), widths=widths)
    theta = problem.pack(*layers)
    velocities = problem.unpack(-problem.gradient(theta))
    moved = deep_formulas.product_tangent(layers, velocities)
    U, u, Vt = np.linalg.svd(W)
    u = np.where(np.arange(len(u)) < rank, u, 0.0) ** (2 / problem.depth)
    left, right = (U[:, : len(u)] * u) @ U[:, : len(u)].T, (Vt[: len(u)].T * u) @ Vt[: len(u)]
    G = problem.residual(theta)
    closed = deep_formulas.balanced_velocity(left, right, G, problem.depth)
    # roots of the product's rounding are large where rank is missing: layers of size eps^(1/L), squared
    size = np.linalg.norm(W, 2) ** (2 / problem.depth)
    scale = problem.depth * np.linalg.norm(G) * size ** (problem.depth - 1)
    np.testing.assert_allclose(moved, closed, atol=256 * sum(sizes) * EPS * scale)


def test_unbalanced_layers_do_not():
    rng = np.random.default_rng(0)
    layers = balanced_layers(rng.standard_normal((3, 3)), (3, 3))
    layers = [1.5 * layers[0], layers[1], layers[2] / 1.5]
    W, G = deep_formulas.product(layers), rng.standard_normal((3, 3))
    U, u, Vt = np.linalg.svd(W)
    closed = deep_formulas.balanced_velocity((U * u ** (2 / 3)) @ U.T, (Vt.T * u ** (2 / 3)) @ Vt, G, 3)
    moved = deep_formulas.product_tangent(layers, [-g for g in deep_formulas.chain(layers, G)])
    assert np.linalg.norm(moved - closed) > 0.1 * np.linalg.norm(closed)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_words(depth):
    layers = [letter(f"W{j}", f"m{j + 1}", f"m{j}") for j in range(depth)]
    directions = [letter(f"D{j}", f"m{j + 1}", f"m{j}") for j in range(depth)]
    G = letter("G", f"m{depth}", "m0")
    blocks = deep_formulas.chain(layers, G)
    paired = sum((g * D).sum() for g, D in zip(blocks, directions, strict=True))
    assert paired == (G * deep_formulas.product_tangent(layers, directions)).sum()
    assert len(deep_formulas.imbalances(layers)) == depth - 1
