"""The few array operations that formulas need beyond operators, for every arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
"""A NumPy array of any ring's elements, a jet, or a matrix of words."""


def mT(x: Array) -> Array:
    """Transpose the last two axes."""
    return x.mT


def trace(x: Array) -> Array:
    """Sum the diagonal of the last two axes."""
    if isinstance(x, np.ndarray):
        return np.trace(x, axis1=-2, axis2=-1)
    return x.trace()


def dot(x: Array, y: Array) -> Array:
    """Return the inner product over the last axis."""
    return (x * y).sum(-1)


def frobenius(x: Array, y: Array) -> Array:
    """Return the inner product <x, y> = tr xᵀy over the last two axes."""
    return (x * y).sum((-1, -2))


def identity_like(x: Array) -> Array:
    """Return the integer identity matrix of the size of the last axis of `x`."""
    if hasattr(x, "identity_like"):
        return x.identity_like()
    return np.eye(x.shape[-1], dtype=int)


def outer(x: Array, y: Array) -> Array:
    """Return x yᵀ for vectors on the last axis."""
    return x[..., :, None] * y[..., None, :]


def concatenate(blocks: list[Array], axis: int) -> Array:
    """Join along an axis; blocks may be jets."""
    return np.concatenate(blocks, axis=axis)
