"""Which rows depend on which: exactly for rationals, up to the rounding of their entries for floats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from toymodels.arithmetic.rationals import is_rational, to_ring
from toymodels.errors import InputError
from toymodels.validation import real_array

Array = np.ndarray

EPS = np.finfo(float).eps


def data_rows(name: str, X: Any) -> Array:
    """Return rows (n, d) as rationals where they are given as objects, as floats otherwise.

    Raises
    ------
    InputError
        When they are neither, or not a matrix.
    """
    array = X if isinstance(X, np.ndarray) else _as_array(X)
    if array is None or array.dtype != object:
        return real_array(name, X, 2)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{name}: expected 2 dimension(s), got shape {array.shape}")
    if not all(is_rational(x) for x in array.flat):
        raise InputError(f"{name}: expected rationals, or real numbers")
    return to_ring(array)


def _as_array(X: Any) -> Array | None:
    try:
        return np.asarray(X)
    except ValueError:
        return None


def is_exact(X: Array) -> bool:
    """Whether rows are rationals."""
    return X.dtype == object


def nonzero(X: Array) -> Array:
    """Return the mask (n,) of the rows that are not zero."""
    return (X != 0).any(-1)


def unit_rows(X: Array) -> Array:
    """Return float rows at length 1, without overflow or underflow; none may be zero."""
    scaled = X / np.abs(X).max(-1, keepdims=True)
    return scaled / np.linalg.norm(scaled, axis=-1, keepdims=True)


def rounding(X: Array) -> float:
    """Return what the rounding of entries and of a few products moves unit rows (n, d) by."""
    return 8 * (len(X) + X.shape[1]) * EPS


class Span(Protocol):
    """The linear span of some rows."""

    def extended(self, x: Array) -> Span | None:
        """Return the span with one more row, or None where the row lies in it."""


class _ExactSpan:
    """Rows in echelon form; each is zero at the pivots of the others."""

    def __init__(self, rows: tuple[Array, ...] = (), pivots: tuple[int, ...] = ()):
        self._rows, self._pivots = rows, pivots

    def extended(self, x: Array) -> _ExactSpan | None:
        for row, pivot in zip(self._rows, self._pivots, strict=True):
            x = x - x[pivot] * row
        left = np.flatnonzero(x != 0)
        if len(left) == 0:
            return None
        pivot = int(left[0])
        x = x / x[pivot]
        rows = tuple(row - row[pivot] * x for row in self._rows)
        return _ExactSpan((*rows, x), (*self._pivots, pivot))


class _FloatSpan:
    """An orthonormal frame, and the least distance at which a row of it stood out."""

    def __init__(self, frame: Array, tolerance: float, least: float = 1.0):
        self._frame, self._tolerance, self._least = frame, tolerance, least

    def extended(self, x: Array) -> _FloatSpan | None:
        rest = x
        for _ in range(2):
            rest = rest - (self._frame @ rest) @ self._frame
        size = float(np.linalg.norm(rest))
        # rounding of the earlier rows turns the frame by as much more as they stood out less
        if size * self._least <= self._tolerance:
            return None
        frame = np.concatenate([self._frame, rest[None] / size])
        return _FloatSpan(frame, self._tolerance, min(self._least, size))


def empty_span(X: Array) -> Span:
    """Return the span of no row, for rows like those of X: rationals, or floats of length 1."""
    return _ExactSpan() if is_exact(X) else _FloatSpan(np.zeros((0, X.shape[1])), rounding(X))


def independent(X: Array) -> list[int]:
    """Return the indices of rows that span all, each the first outside the span of those before it."""
    span, chosen = empty_span(X), []
    for i, x in enumerate(X):
        more = span.extended(x)
        if more is not None:
            span = more
            chosen.append(i)
    return chosen


def coordinates(X: Array) -> Array:
    """Return nonzero rows (n, d) in coordinates (n, r) of the space that they span, r its dimension.

    Floats come back at length 1, in an orthonormal frame, so that angles are kept.
    """
    if is_exact(X):
        return X[:, independent(X.T)]
    rows = unit_rows(X)
    _, values, frame = np.linalg.svd(rows, full_matrices=False)
    kept = values > rounding(rows) * values[0]
    return unit_rows(rows @ frame[kept].T)


def signs(z: Array, tolerance: Any = 0) -> Array:
    """Return -1, 0 or 1 for each number, 0 within the tolerance."""
    return (z > tolerance).astype(int) - (z < -tolerance).astype(int)


def all_signs(count: int) -> Array:
    """Return every pattern of `count` gates, (2^count, count)."""
    return (np.arange(2**count)[:, None] >> np.arange(count)[::-1]) & 1


def distinct_rows(patterns: Iterable[Array], n: int) -> Array:
    """Return the distinct rows of blocks (., n), in lexicographic order."""
    return np.unique(np.concatenate([np.zeros((0, n), dtype=int), *patterns]), axis=0)
