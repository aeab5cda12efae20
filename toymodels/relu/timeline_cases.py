"""What the timeline's statements are about, in any arithmetic: two directions, groups of neurons, kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from toymodels.arithmetic import Array, dot, mT

LABELS = np.array([1, -1])
"""Of x_+ and x_-."""


class Directions(NamedTuple):
    """x_+ and x_- as rows X (2, 2), and the cosine and sine of their angle."""

    X: Array
    c: Array
    s: Array


def directions(tangent: Array) -> Directions:
    """Return unit vectors whose angle has half of this tangent, so that all entries are rational."""
    size = 1 + tangent * tangent
    c, s = (1 - tangent * tangent) / size, 2 * tangent / size
    rows = np.stack([1 + 0 * c, 0 * c], -1), np.stack([c, s], -1)
    return Directions(np.stack(rows, -2), c, s)


def slid(rows: Array, normal: Array) -> Array:
    """Return rows (..., d) without their part along a unit normal."""
    return rows - dot(rows, normal)[..., None] * normal


class Group(NamedTuple):
    """Neurons that move alike: squared output weights, gates on x_+ and x_-, and the normal of their kink."""

    mass: Array
    gates: tuple[int, int]
    normal: Array | None = None


def kernel_of_groups(X: Array, groups: Sequence[Group]) -> Array:
    """Return the label-signed tangent kernel (2, 2), neurons with a normal moving along their kink alone."""
    kernel = 0
    for mass, gates, normal in groups:
        lift = (LABELS * gates)[:, None] * (X if normal is None else slid(X, normal))
        kernel = kernel + mass * (lift @ mT(lift))
    return kernel


def groups_of_phase(phase: str, X: Array, alpha: Array, gamma: Array, project: int = 1) -> list[Group]:
    """Return the living positives and negatives of a phase; without projections where `project` is 0."""
    plus, minus = (X[0], X[1]) if project else (None, None)
    positives = Group(alpha, (1, 1)) if phase == "A" else Group(alpha, (1, 0), minus)
    negatives = Group(gamma, (1, 1)) if phase == "C" else Group(gamma, (0, 1), plus)
    return [positives, negatives]
