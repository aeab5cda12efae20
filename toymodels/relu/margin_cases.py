"""What the statements on margins range over: classes with their max-margin vector, polar nets, grown nets."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic import Array, concatenate, dot
from toymodels.relu.cases import draw_gates
from toymodels.relu.normalised_descent import normalised_descent
from toymodels.relu.problem import TwoLayerReLU
from toymodels.relu.starts import balanced_output
from toymodels.spaces import POSITIVE, Source, Space, unit_vector


class SupportedClass(NamedTuple):
    """Rows of a class with their max-margin vector: u = sum mu_i x_i, u . x_i = 1 + gap_i, mu_i gap_i = 0.

    Attributes
    ----------
    X : (n, d)
    root, direction : number and (d,)
        u = root² * direction, so that masses in the ratio of the norms are squares.
    multipliers, gaps : (n,)
        >= 0.
    """

    X: Array
    root: Any
    direction: Array
    multipliers: Array
    gaps: Array

    @property
    def norm(self) -> Any:
        """|u|."""
        return self.root * self.root

    @property
    def vector(self) -> Array:
        """u."""
        return self.norm * self.direction


def supported_class() -> Space:
    """Classes of n samples on the margin and up to two off it, whose max-margin vector is known exactly.

    The rows across u, weighted with the multipliers, add up to zero.
    """
    direction_of = unit_vector("d")

    def draw(source: Source, name: str) -> SupportedClass:
        n, d, free = source.size("n"), source.size("d"), source.integer(0, 2)
        root, direction = source.number(POSITIVE), direction_of.draw(source, name)
        norm = root * root
        shares = source.array((n,), POSITIVE)
        shares = shares / shares.sum()
        on, off = source.array((n, d)), source.array((free, d))
        across = concatenate([on - dot(shares, on.mT), off], 0)
        across = across - dot(across, direction)[:, None] * direction
        none, gaps = source.make(np.zeros(free, dtype=int)), source.array((free,), POSITIVE)
        gaps = concatenate([0 * shares, gaps], 0)
        rows = ((1 + gaps) / norm)[:, None] * direction + across
        return SupportedClass(rows, root, direction, concatenate([norm * norm * shares, none], 0), gaps)

    return Space(draw, "class with its max-margin vector, n samples on the margin")


class PolarNet(NamedTuple):
    """A net in polar form, w_k = r_k e_k with |e_k| = 1 and a_k = s_k b_k, with any gates."""

    lengths: Array
    directions: Array
    signs: np.ndarray
    sizes: Array
    gates: Array

    @property
    def layers(self) -> tuple[Array, Array]:
        """W (m, d) and a (m,)."""
        return self.lengths[:, None] * self.directions, self.signs * self.sizes


def polar_net() -> Space:
    """Nets (m, d) in polar form, with any gates on n samples."""
    direction_of = unit_vector("d")

    def draw(source: Source, name: str) -> PolarNet:
        m, n = source.size("m"), source.size("n")
        directions = concatenate([direction_of.draw(source, name)[None] for _ in range(m)], 0)
        signs = np.array([2 * source.integer(0, 1) - 1 for _ in range(m)])
        lengths, sizes = source.array((m,), POSITIVE), source.array((m,), POSITIVE)
        return PolarNet(lengths, directions, signs, sizes, draw_gates(source, m, n))

    return Space(draw, "net (m, d) in polar form, any gates on n samples")


LEVELS = 12.0 * 2.0 ** np.arange(5)
"""Least margins at which a training is looked at."""


class Grown(NamedTuple):
    """A training of both layers at growing least margins."""

    problem: TwoLayerReLU
    theta: np.ndarray


def acute_pair(angle: float) -> tuple[tuple[tuple[float, float], ...], tuple[float, ...]]:
    """Two unit samples of opposite label at an angle."""
    return ((1.0, 0.0), (float(np.cos(angle)), float(np.sin(angle)))), (1.0, -1.0)


@cache
def grown(
    X: tuple[tuple[float, ...], ...],
    y: tuple[float, ...],
    loss: str,
    *,
    scale: float = 1e-2,
    width: int = 6,
    relative: float = 0.25,
    seed: int = 0,
) -> Grown:
    """Train from a balanced start of size `scale` whose first neurons live on one class each."""
    data, labels = np.array(X), np.array(y)
    rng = np.random.default_rng(seed)
    W, signs = rng.standard_normal((width, data.shape[1])), rng.choice([-1.0, 1.0], width)
    for k, label in enumerate((1.0, -1.0)):
        W[k], signs[k] = data[labels == label].sum(0), label
    W = scale * W / np.linalg.norm(W, axis=-1, keepdims=True)
    a = balanced_output(W, signs)
    problem = TwoLayerReLU(data, labels, width=width, loss=loss)
    return Grown(problem, normalised_descent(problem, problem.pack(W, a), LEVELS, relative=relative))
