"""Linear layers of any depth, f(x) = W_L ... W_1 x: formulas on a sequence of layers, first layer first.

Shapes: W_j (m_j, m_{j-1}) with m_0 = d and m_L = c, data rows X (n, d) and Y (n,
c), G = dL/dW (c, d) for the product W = W_L ... W_1. They run in every
arithmetic in which the two-layer `formulas` run, words included.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, pairwise

from toymodels.arithmetic import Array, mT
from toymodels.linear import formulas, map_formulas

Layers = Sequence[Array]


def product(layers: Layers) -> Array:
    """End-to-end matrix W = W_L ... W_1. Source: linear_nets 4."""
    return reduce(formulas.product, layers)


def outputs(layers: Layers, X: Array) -> Array:
    """Outputs X Wᵀ on data rows. Source: linear_nets 4."""
    return map_formulas.outputs(product(layers), X)


def sum_loss(layers: Layers, X: Array, Y: Array) -> Array:
    """Square loss |X Wᵀ - Y|²/2, weights carried by the rows as square roots. Source: linear_nets 1."""
    return map_formulas.sum_loss(product(layers), X, Y)


def sum_residual(layers: Layers, X: Array, Y: Array) -> Array:
    """Gradient in the product of `sum_loss`, (X Wᵀ - Y)ᵀ X. Source: linear_nets 1."""
    return map_formulas.sum_residual(product(layers), X, Y)


def chain(layers: Layers, G: Array) -> tuple[Array, ...]:
    """Gradient blocks (W_L ... W_{j+1})ᵀ G (W_{j-1} ... W_1)ᵀ. Source: Arora, Cohen, Hazan 2018."""
    above = [G]
    for W in layers[:0:-1]:
        above.append(mT(W) @ above[-1])
    below = accumulate(layers[:-1], formulas.product)
    return (above[-1], *(A @ mT(B) for A, B in zip(above[-2::-1], below, strict=True)))


def product_tangent(layers: Layers, directions: Layers) -> Array:
    """Derivative of W along the directions. Source: linear_nets 2.2 at any depth."""
    W, D = layers[0], directions[0]
    for V, E in zip(layers[1:], directions[1:], strict=True):
        W, D = V @ W, V @ D + E @ W
    return D


def chain_tangent(layers: Layers, directions: Layers, G: Array, D: Array) -> tuple[Array, ...]:
    """Derivative of `chain` along the directions, with derivative D of G. Source: linear_nets 2.2."""
    above, slopes = [G], [D]
    for W, E in zip(layers[:0:-1], directions[:0:-1], strict=True):
        slopes.append(mT(W) @ slopes[-1] + mT(E) @ above[-1])
        above.append(mT(W) @ above[-1])
    below = accumulate(layers[:-1], formulas.product)
    turns = (product_tangent(layers[: j + 1], directions[: j + 1]) for j in range(len(layers) - 1))
    rest = zip(above[-2::-1], slopes[-2::-1], below, turns, strict=True)
    return (slopes[-1], *(S @ mT(B) + A @ mT(T) for A, S, B, T in rest))


def imbalances(layers: Layers) -> tuple[Array, ...]:
    """W_{j+1}ᵀW_{j+1} - W_jW_jᵀ of each adjacent pair; gradient flow conserves them.

    Source: Arora, Cohen, Hazan 2018; Du, Hu, Lee 2018; linear_nets 7.1.
    """
    return tuple(formulas.imbalance(lower, upper) for lower, upper in pairwise(layers))


def balanced_velocity(left: Array, right: Array, G: Array, depth: int) -> Array:
    """Velocity of W for balanced layers, left = (WWᵀ)^{1/L} and right = (WᵀW)^{1/L}.

    W' = -sum_j left^{L-j} G right^{j-1}. Source: Arora, Cohen, Hazan 2018; linear_nets 4.6.
    """
    terms, total = G, G
    for _ in range(depth - 1):
        # Horner: total_j = left total_{j-1} + G right^{j-1}
        terms = terms @ right
        total = left @ total + terms
    return -total
