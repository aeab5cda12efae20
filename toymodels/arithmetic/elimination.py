"""Inverse and determinant of a matrix in every arithmetic, by Gauss-Jordan elimination."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.arithmetic.arrays import Array, trace
from toymodels.arithmetic.degrees import Degree
from toymodels.arithmetic.jets import Jet
from toymodels.errors import LeftArithmetic


def inverse(A: Array) -> Array:
    """Return the inverse of a square matrix, (n, n).

    Raises
    ------
    ZeroDivisionError
        When the matrix is singular.
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
    1
    """
    if isinstance(A, Jet):
        return _determinant_jet(A)
    if not isinstance(A, np.ndarray):
        raise LeftArithmetic(f"{type(A).__name__} has no determinant")
    try:
        return _eliminate(A)[1]
    except ZeroDivisionError:
        return A[0, 0] * 0


def _determinant_jet(A: Jet) -> Jet:
    """Differentiate by Jacobi's formula."""
    value, B = determinant(A.value), inverse(A.value)
    slope = trace(B @ A.first)
    if A.second is None:
        return Jet(value, value * slope)
    turn = trace(B @ A.first @ B @ A.first)
    return Jet(value, value * slope, value * (slope * slope - turn + trace(B @ A.second)))


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
                    array[row] = array[row] - factor * array[k]
    return result, product


def _divided(row: np.ndarray, p: Any) -> np.ndarray:
    """Divide where there is something to divide: an integer by an integer would leave the ring."""
    q = Fraction(p) if isinstance(p, int) else p
    return np.array([x if _vanishes(x) else x / q for x in row], dtype=row.dtype)


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
