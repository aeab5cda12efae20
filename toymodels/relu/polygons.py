"""Data in three dimensions: a class of neurons is a polygon on the sphere, and its probability an area."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from toymodels.relu.cells import ray_vectors
from toymodels.relu.position import unit_rows

Array = np.ndarray


def solid_angles(X: Array, patterns: Array) -> Array:
    """Return the solid angles of the classes with given patterns on unit rows of rank three.

    Parameters
    ----------
    X : (n, 3)
    patterns : (..., n) of int

    Returns
    -------
    array (...,)
        0 for a pattern that no neuron can have.

    Notes
    -----
    Source: own derivation. The corners of the polygon are the lines on two
    hyperplanes that lie on the class's side of all others; from its first
    corner it is cut into triangles.
    """
    lines, found = ray_vectors(X, np.array(list(combinations(range(len(X)), 2))))
    lead = np.take_along_axis(found, (found != 0).argmax(-1)[:, None], axis=-1)
    found, first = np.unique(found * lead, axis=0, return_index=True)
    lines = lines[first] * lead[first]
    ends, sides = np.concatenate([lines, -lines]), np.concatenate([found, -found])
    flat = patterns.reshape(-1, len(X))
    areas = [_area(ends[(sides * sign >= 0).all(-1)]) for sign in 2 * flat - 1]
    return np.array(areas).reshape(patterns.shape[:-1])


def _area(corners: Array) -> float:
    """Area of the convex spherical polygon with given corners (unit vectors, in any order)."""
    if len(corners) < 3:
        return 0.0
    centre = unit_rows(corners.sum(0)[None])[0]
    across = corners - (corners @ centre)[:, None] * centre
    right = unit_rows(across[:1])[0]
    up = np.cross(centre, right)
    turn = np.arctan2(across @ up, across @ right)
    ordered = corners[np.argsort(turn)]
    return float(_triangles(ordered[0], ordered[1:-1], ordered[2:]).sum())


def _triangles(a: Array, b: Array, c: Array) -> Array:
    """Solid angles of the triangles (a, b_k, c_k) of unit vectors (van Oosterom, Strackee 1983)."""
    volume = np.abs(np.cross(b, c) @ a)
    return 2 * np.arctan2(volume, 1 + b @ a + c @ a + (b * c).sum(-1))
