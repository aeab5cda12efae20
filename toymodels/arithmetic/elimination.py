"""Inverse and determinant of a matrix in every arithmetic, by Gauss-Jordan elimination."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from itertools import combinations
from operator import add
from typing import Any

import numpy as np

from toymodels.arithmetic.arrays import Array, trace
from toymodels.arithmetic.degrees import Degree
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.arithmetic.rationals import object_array
from toymodels.errors import LeftArithmetic


def inverse(A: Array) -> Array:
    """Return the inverse of a square matrix, (n, n).

    Raises
    ------
    ZeroDivisionError
        When the matrix is singular, or measured numbers do not tell that it is not.
    LeftArithmetic
        When the arithmetic has no inverse for it, as words of a letter that is not invertible.

    Examples
    --------
    >>> from fractions import Fraction
    >>> inverse(np.array([[Fraction(2), Fraction(1)], [Fraction(1), Fraction(1)]]))[0, 0]
    Fraction(1, 1)
    """
    if isinstance(A, Jet):
        return _inverse_jet(A)
    if isinstance(A, Measured):
        return _eliminate_measured(A)[0]
    if isinstance(A, np.ndarray):
        return _eliminate(A)[0]
    own = getattr(A, "inverse", None)
    if own is None:
        raise LeftArithmetic(f"{type(A).__name__} has no matrix inverse")
    return own


def _inverse_jet(A: Jet) -> Jet:
    """Differentiate A A⁻¹ = I."""
    B = inverse(A.value)
    first = -(B @ A.first @ B)
    if A.second is None:
        return Jet(B, first)
    return Jet(B, first, -(B @ A.second @ B) - 2 * (first @ A.first @ B))


def determinant(A: Array) -> Any:
    """Return the determinant of a square matrix, (n, n); zero where it is singular.

    Examples
    --------
    >>> determinant(np.array([[2, 1], [1, 1]], dtype=object))
    Fraction(1, 1)
    """
    if isinstance(A, Jet):
        try:
            return _determinant_jet(A)
        except ZeroDivisionError:
            return _expand(A)
    if not isinstance(A, (np.ndarray, Measured)):
        raise LeftArithmetic(f"{type(A).__name__} has no determinant")
    try:
        return _eliminate_measured(A)[1] if isinstance(A, Measured) else _eliminate(A)[1]
    except ZeroDivisionError:
        return _expand(A) if isinstance(A, Measured) else A[0, 0] * 0


def _determinant_jet(A: Jet) -> Jet:
    """Differentiate by Jacobi's formula."""
    value, B = determinant(A.value), inverse(A.value)
    slope = trace(B @ A.first)
    if A.second is None:
        return Jet(value, value * slope)
    turn = trace(B @ A.first @ B @ A.first)
    return Jet(value, value * slope, value * (slope * slope - turn + trace(B @ A.second)))


def _eliminate_measured(A: Measured) -> tuple[Measured, Any]:
    """Return inverse and determinant, row by row; a pivot must be told from zero."""
    n = len(A)
    wide = Measured(np.hstack([A.value, np.eye(n)]), np.hstack([A.error, np.zeros((n, n))]))
    rows, product = [wide[i] for i in range(n)], Measured(1.0)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i].value[k]))
        p = rows[pivot][k]
        if abs(p.value) <= p.error:
            raise ZeroDivisionError("the matrix is singular within its error")
        product = product * (p if pivot == k else -p)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = rows[k] / p
        for i in range(n):
            if i != k:
                rows[i] = rows[i] - rows[i][k] * rows[k]
    return Measured(np.stack([r.value[n:] for r in rows]), np.stack([r.error[n:] for r in rows])), product


def _expand(A: Measured | Jet) -> Any:
    """Expand the determinant along the rows, without division: where singular, it has errors and slopes."""
    n = len(A)
    minors: dict[tuple[int, ...], Any] = {(): 1}
    for row in range(n):
        minors = {
            columns: _total(
                A[row, j] * minors[columns[:k] + columns[k + 1 :]] * (-1) ** (row - k)
                for k, j in enumerate(columns)
            )
            for columns in combinations(range(n), row + 1)
        }
    return minors[tuple(range(n))]


def _total(terms: Iterable[Any]) -> Any:
    return reduce(add, terms)


def _eliminate(A: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return inverse and determinant."""
    n = len(A)
    work = np.array(A, dtype=A.dtype if A.dtype.kind in "fc" else object)
    result, product = np.eye(n, dtype=int).astype(work.dtype), 1
    for k in range(n):
        pivot = max(range(k, n), key=lambda row: _size(work[row, k]))
        if _vanishes(work[pivot, k]):
            raise ZeroDivisionError("the matrix is singular")
        if pivot != k:
            for array in (work, result):
                array[[k, pivot]] = array[[pivot, k]]
            product = -product
        p = work[k, k]
        product = product * p
        for array in (work, result):
            array[k] = _divided(array[k], p)
        for row in range(n):
            if row != k and not _vanishes(work[row, k]):
                factor = work[row, k]
                for array in (work, result):
                    taken = (x - factor * y for x, y in zip(array[row], array[k], strict=True))
                    array[row] = object_array(taken, (n,))
    return result, product


def _divided(row: np.ndarray, p: Any) -> np.ndarray:
    """Divide where there is something to divide: an integer by an integer would leave the ring."""
    q = Fraction(p) if isinstance(p, int) else p
    return object_array((x if _vanishes(x) else x / q for x in row), row.shape)


def _vanishes(x: Any) -> bool:
    """Whether an entry is zero; degrees stand for generic numbers."""
    return not isinstance(x, Degree) and bool(x == 0)


def _size(x: Any) -> float:
    """How good a pivot x is; any nonzero one will do where the arithmetic is exact or knows no size."""
    if _vanishes(x):
        return -1.0
    try:
        return float(abs(x))
    except (TypeError, ValueError, LeftArithmetic):
        return 0.0
    except OverflowError:
        return float("inf")
