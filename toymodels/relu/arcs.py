"""Data in the plane: the arcs of directions whose neurons share an activation pattern."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray

EPS = np.finfo(float).eps
MARGIN = 48 * EPS
"""Angle within which a direction and a boundary are not told apart.

The neuron's angle is off by the rounding of an arctangent, the boundary's by
that of a quarter turn and a wrap around the circle besides, and w . x by
2 eps |w| |x|: below 12 eps together, of which the margin is four times.
"""


class Arcs(NamedTuple):
    """Arcs of the circle, counterclockwise, that together cover it.

    Attributes
    ----------
    start : (s,)
        Angle where each arc begins, in (-pi, pi], ascending.
    length : (s,)
        Lengths in radians, with sum 2 pi.
    patterns : (s, n) of bool
        Samples on which the directions of the arc are living.
    """

    start: Array
    length: Array
    patterns: Array


def arcs(X: Array) -> Arcs:
    """Return the arcs that the boundaries w . x_i = 0 cut the circle into.

    Parameters
    ----------
    X : (n, 2)
        Rows; zero rows cut nothing, and parallel ones cut at the same angle up
        to rounding, which leaves arcs no longer than `MARGIN`.

    Notes
    -----
    Source: neuron_partition B2.

    Examples
    --------
    >>> cut = arcs(np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> cut.patterns.astype(int).tolist()
    [[1, 0], [1, 1], [0, 1], [0, 0]]
    """
    rows = X[(X != 0).any(-1)]
    if len(rows) == 0:
        return Arcs(np.array([np.pi]), np.array([2 * np.pi]), np.zeros((1, len(X)), dtype=bool))
    angle = np.arctan2(rows[:, 1], rows[:, 0])
    start = np.unique(_wrapped(np.concatenate([angle - np.pi / 2, angle + np.pi / 2])))
    length = np.diff(start, append=start[0] + 2 * np.pi)
    middle = start + length / 2
    directions = np.stack([np.cos(middle), np.sin(middle)], axis=-1)
    return Arcs(start, length, directions @ X.T > 0)


def _wrapped(angle: Array) -> Array:
    """Angles brought into (-pi, pi]."""
    turned = np.where(angle <= -np.pi, angle + 2 * np.pi, angle)
    return np.where(turned > np.pi, turned - 2 * np.pi, turned)


def locate(cut: Arcs, W: Array) -> tuple[Array, Array]:
    """Return the arc of each row of W (..., 2), and whether it is told from its neighbours.

    Rows within `MARGIN` of a boundary, and rows whose entries are all zero,
    not finite or near the ends of the range of floats, are not.
    """
    angle = np.arctan2(W[..., 1], W[..., 0])
    arc = np.searchsorted(cut.start, angle, side="right") - 1
    gone = angle - cut.start[arc] + np.where(arc < 0, 2 * np.pi, 0)
    size = np.abs(W).max(-1)
    inside = (gone > MARGIN) & (cut.length[arc] - gone > MARGIN)
    return arc % len(cut.start), inside & (size > SMALL) & (size < 1 / SMALL)


SMALL = 1e-120
"""Rows of this size and up give products with rows of such data that do not underflow."""


def is_moderate(X: Array) -> bool:
    """Whether products of the nonzero rows with neurons of moderate size are normal floats."""
    size = np.abs(X).max(-1)
    size = size[size > 0]
    return bool(((size > SMALL) & (size < 1 / SMALL)).all())
