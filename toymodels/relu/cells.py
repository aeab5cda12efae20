"""The activation patterns that one neuron can have on given data, all of them."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from toymodels.arithmetic.elimination import determinant
from toymodels.errors import InputError
from toymodels.relu.position import (
    all_signs,
    coordinates,
    data_rows,
    distinct_rows,
    is_exact,
    nonzero,
    rounding,
    signs,
)

Array = np.ndarray

LIMIT = 2**22
"""Largest number of candidate patterns that an enumeration lists."""


def activation_patterns(X: Any) -> Array:
    """Return the activation patterns of the open cells of weight space, in lexicographic order.

    A pattern s is listed when some w has w . x_i > 0 where s_i = 1 and
    w . x_i < 0 where s_i = 0. A sample x_i = 0 is dead in every pattern.

    Parameters
    ----------
    X : array_like (n, d)
        Rationals are taken exactly. Floats are judged up to the rounding of
        their entries: rows that are dependent up to it count as dependent, so
        cells thinner than rounding are not listed.

    Returns
    -------
    array (s, n) of int

    Raises
    ------
    InputError
        When X is not a real matrix, or has more than about four million candidates.

    Notes
    -----
    Source: neuron_partition B2 for rows in general position; own derivation
    for all others. Every cell touches a ray v that lies on enough hyperplanes
    to be fixed by them. Around v the samples off those hyperplanes keep the
    sign of v . x_i, and those on them take every pattern of their own, lower
    dimensional cells: all 2^(r-1) where they are independent.

    Examples
    --------
    >>> activation_patterns([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).tolist()
    [[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 1]]
    """
    rows = data_rows("X", X)
    live = nonzero(rows)
    patterns = np.zeros((1, 0), dtype=int)
    if live.any():
        patterns = _patterns(coordinates(rows[live]))
    result = np.zeros((len(patterns), len(rows)), dtype=int)
    result[:, live] = patterns
    return result


def _patterns(X: Array) -> Array:
    """Patterns of rows (n, r) of rank r, none of them zero."""
    n, r = X.shape
    _check_size(2**r if r == n else 2**r * comb(n, r - 1))
    if r == n:
        return all_signs(n)
    if r == 1:
        return distinct_rows([(X.T > 0).astype(int), (X.T < 0).astype(int)], n)
    found = [_around(X, ray) for ray in rays(X)]
    return distinct_rows([*found, *(1 - patterns for patterns in found)], n)


def _around(X: Array, ray: Array) -> Array:
    """Patterns of the cells that touch a ray, from its signs on the rows."""
    on = ray == 0
    local = _patterns(coordinates(X[on]))
    patterns = np.repeat((ray > 0).astype(int)[None], len(local), axis=0)
    patterns[:, on] = local
    return patterns


def rays(X: Array) -> Array:
    """Return the signs (q, n) on the rows of every line that r - 1 independent rows fix, one end each.

    Parameters
    ----------
    X : (n, r)
        Rows of rank r >= 2, as `coordinates` gives them.
    """
    subsets = np.array(list(combinations(range(len(X)), X.shape[1] - 1)))
    found = _exact_signs(X, subsets) if is_exact(X) else ray_vectors(X, subsets)[1]
    leading = np.take_along_axis(found, (found != 0).argmax(-1)[:, None], axis=-1)
    return distinct_rows([found * leading], len(X))


def _exact_signs(X: Array, subsets: Array) -> Array:
    """Signs of the generalised cross products of the subsets' rows, zero ones left out."""
    r = X.shape[1]
    found = []
    for subset in subsets:
        minors = [determinant(np.delete(X[subset], j, axis=1)) for j in range(r)]
        line = np.array([x * (-1) ** j for j, x in enumerate(minors)], dtype=object)
        if nonzero(line):
            found.append(signs(X @ line))
    return np.array(found)


def ray_vectors(X: Array, subsets: Array) -> tuple[Array, Array]:
    """Return the lines (q, r) orthogonal to subsets of r - 1 unit rows, and their signs (q, n) on all rows.

    A line is known to the rounding of its rows over their least singular value;
    subsets that are dependent up to rounding fix none.
    """
    tolerance = rounding(X)
    _, values, frames = np.linalg.svd(X[subsets])
    least = values[:, -1]
    fixed = least > tolerance
    lines = frames[fixed, -1]
    found = signs(lines @ X.T, tolerance / least[fixed, None])
    np.put_along_axis(found, subsets[fixed], 0, axis=-1)
    return lines, found


def _check_size(candidates: int) -> None:
    if candidates > LIMIT:
        raise InputError(f"X: expected data with at most {LIMIT} candidate patterns, got {candidates}")
