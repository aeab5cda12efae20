"""Pairs of layers with a given product: balanced, or moved along the gauge orbit."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.linear.statistics import EPS
from toymodels.validation import positive_int, real_array

Array = np.ndarray


def balanced_factors(W: Any, lam: float = 0.0, *, width: int, rotation: Any = None) -> tuple[Array, Array]:
    """Return W1, W2 with product W and imbalance ``W2ᵀW2 - W1W1ᵀ = lam I``.

    Parameters
    ----------
    W : array_like (..., c, d)
        Product, of rank at most `width`.
    lam : float
        Imbalance. A positive one needs width <= c, a negative one width <= d:
        the larger layer must reach every hidden unit.
    width : int
        Number of hidden neurons m.
    rotation : array_like (m, m), optional
        Orthogonal matrix that turns the hidden layer; the identity by default.

    Returns
    -------
    W1 : (..., m, d)
    W2 : (..., c, m)

    Raises
    ------
    InputError
        When no such pair exists, or `rotation` is not orthogonal.

    Notes
    -----
    Source: linear_nets 5.0. The smaller factor is u²/(k + |lam|/2), not the
    difference k - |lam|/2, so it keeps its digits.

    Examples
    --------
    >>> W1, W2 = balanced_factors([[2.0]], lam=3.0, width=1)
    >>> float(W2[0, 0] * W1[0, 0]), float(W2[0, 0] ** 2 - W1[0, 0] ** 2)
    (2.0, 3.0)
    """
    W = real_array("W", W)
    if W.ndim < 2:
        raise InputError(f"W: expected shape (..., c, d), got {W.shape}")
    m, (c, d) = positive_int("width", width), W.shape[-2:]
    lam = float(real_array("lam", lam, 0))
    room = c if lam > 0 else d
    if lam != 0 and m > room:
        raise InputError(f"lam: expected 0, or width <= {room}, got lam {lam!r} with width {m}")
    O = orthogonal("rotation", np.eye(m) if rotation is None else rotation, m)
    U, u, Vt = np.linalg.svd(W)
    if (u[..., m:] > 4 * max(c, d) * EPS * u[..., :1]).any():
        raise InputError(f"width: expected at least the rank of W, got {m}")
    first, second = _mode_sizes(u, lam, m)
    k1, k2 = min(m, d), min(m, c)
    W1 = O[:, :k1] @ (first[..., :k1, None] * Vt[..., :k1, :])
    W2 = (U[..., :, :k2] * second[..., None, :k2]) @ O[:, :k2].T
    return W1, W2


def _mode_sizes(u: Array, lam: float, m: int) -> tuple[Array, Array]:
    """Sizes a, b of the m modes with a b = u and b² - a² = lam."""
    u = np.concatenate([u, np.zeros((*u.shape[:-1], m))], axis=-1)[..., :m]
    large = np.hypot(u, lam / 2) + abs(lam) / 2
    small = u * np.divide(u, large, out=np.zeros_like(u), where=large > 0)
    sizes = np.sqrt(small), np.sqrt(large)
    return sizes if lam >= 0 else sizes[::-1]


def gauge(W1: Any, W2: Any, T: Any) -> tuple[Array, Array]:
    """Return ``T W1`` and ``W2 T⁻¹``, which have the same product.

    Parameters
    ----------
    W1 : array_like (..., m, d)
    W2 : array_like (..., c, m)
    T : array_like (m, m)
        Invertible.

    Raises
    ------
    InputError
        When T is singular or of another size.

    Examples
    --------
    >>> W1, W2 = gauge([[1.0]], [[6.0]], [[2.0]])
    >>> float(W1[0, 0]), float(W2[0, 0])
    (2.0, 3.0)
    """
    W1, W2, T = real_array("W1", W1), real_array("W2", W2), real_array("T", T, 2)
    if W1.ndim < 2 or W2.ndim < 2 or W1.shape[-2] != W2.shape[-1]:
        raise InputError(f"W1, W2: expected shapes (m, d) and (c, m), got {W1.shape} and {W2.shape}")
    m = W1.shape[-2]
    if T.shape != (m, m) or np.linalg.matrix_rank(T) < m:
        raise InputError(f"T: expected an invertible matrix of shape {(m, m)}, got shape {T.shape}")
    return T @ W1, np.linalg.solve(T.T, W2.mT).mT


def orthogonal(name: str, value: Any, size: int | None = None) -> Array:
    """Return an orthogonal matrix, checked to rounding."""
    matrix = real_array(name, value, 2)
    size = len(matrix) if size is None else size
    if matrix.shape != (size, size):
        raise InputError(f"{name}: expected shape {(size, size)}, got {matrix.shape}")
    if np.abs(matrix.T @ matrix - np.eye(size)).max() > 64 * size * EPS:
        raise InputError(f"{name}: expected an orthogonal matrix")
    return matrix
