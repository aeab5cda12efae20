"""Norms and projections of vectors on the last axis, without underflow and without cancellation."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic.elementary import minus_dot
from toymodels.errors import InputError
from toymodels.validation import real_array

Array = Any


def vector_array(name: str, value: Any) -> Array:
    """Return a finite float64 array of shape (..., d).

    Raises
    ------
    InputError
        When it is not real and finite, or has no axis.
    """
    array = real_array(name, value)
    if array.ndim == 0:
        raise InputError(f"{name}: expected shape (..., d), got a number")
    return array


def norm(v: Array) -> Array:
    """Return the Euclidean norm over the last axis, whatever the size of the entries.

    Examples
    --------
    >>> norm(np.array([3e-200, 4e-200]))
    np.float64(5e-200)
    """
    e = np.frexp(np.abs(v).max(-1))[1]
    unit = np.ldexp(v, -e[..., None])
    return np.ldexp(np.sqrt((unit * unit).sum(-1)), e)


def across(v: Array, b: Array) -> Array:
    """Return the part of v orthogonal to b, v itself where b = 0, both (..., d).

    Its error is relative to its own length, not to that of v: it is exactly
    zero for parallel vectors. The multiple of b that clears the largest entry
    of b is taken off first, as differences of exact products; what remains is
    at an angle to b, so an ordinary projection ends it.

    Examples
    --------
    >>> across(np.array([3.0, 2.0]), np.array([2.0, 0.0]))
    array([0., 2.])
    >>> across(np.array([0.1, 0.3]), np.array([0.2, 0.6]))
    array([0., 0.])
    """
    v, b = np.broadcast_arrays(v, b)
    sizes = [np.frexp(np.abs(x).max(-1))[1][..., None] for x in (v, b)]
    unit, b = np.ldexp(v, -sizes[0]), np.ldexp(b, -sizes[1])
    pivot = np.abs(b).argmax(-1)[..., None]
    v_j, b_j = np.take_along_axis(unit, pivot, -1), np.take_along_axis(b, pivot, -1)
    left = np.stack(np.broadcast_arrays(v_j, -unit), -1)
    right = np.stack(np.broadcast_arrays(b, b_j), -1)
    directed = b_j != 0
    rest = np.divide(minus_dot(np.zeros(b.shape), left, right), b_j, out=np.array(unit), where=directed)
    square = (b * b).sum(-1, keepdims=True)
    along = np.divide((rest * b).sum(-1, keepdims=True), square, out=np.zeros(square.shape), where=directed)
    return np.ldexp(rest - along * b, sizes[0])
