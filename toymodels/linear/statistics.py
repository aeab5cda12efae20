"""Sufficient statistics as compressed data: few rows that carry the whole loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import InputError
from toymodels.validation import real_array

Array = np.ndarray
EPS = np.finfo(np.float64).eps
# given statistics are sums over samples, which lose up to one rounding per sample
SUMMATION = 2.0**12


class Statistics(NamedTuple):
    """What the square loss of a linear map knows of its data.

    Attributes
    ----------
    Sxx : (d, d)
        ``sum_i pi_i x_i x_iᵀ``.
    Syx : (c, d)
        ``sum_i pi_i y_i x_iᵀ``.
    tyy : float
        ``sum_i pi_i |y_i|²``.
    """

    Sxx: Array
    Syx: Array
    tyy: float


class Compressed(NamedTuple):
    """Rows X (k, d), Y (k, c) with loss ``|X Wᵀ - Y|²/2 + least`` for every W.

    Attributes
    ----------
    X, Y : arrays
        At most min(n, d) rows, weights absorbed as square roots.
    least : float
        Loss of the best linear map, the part that no W explains.
    squared : bool
        Whether the rows come from second moments, which know the data only
        to the square of their condition number.
    """

    X: Array
    Y: Array
    least: float
    squared: bool = False


def compress(X: Array, Y: Array, weights: Array) -> Compressed:
    """Compress samples by a QR factorisation, X = Q R, to (R, QᵀY).

    Parameters
    ----------
    X : (n, d)
    Y : (n, c)
    weights : (n,)

    Returns
    -------
    Compressed
        The remainder Y - QQᵀY is formed before it is squared, so `least` is
        never negative and vanishes to the square of rounding where the data
        interpolate.

    Notes
    -----
    Source: own derivation (Householder QR is backward stable).
    """
    root = np.sqrt(weights)[:, None]
    rows, targets = root * X, root * Y
    if len(rows) <= rows.shape[1]:
        return Compressed(rows, targets, 0.0)
    Q, R = np.linalg.qr(rows)
    projected = Q.T @ targets
    remainder = targets - Q @ projected
    return Compressed(R, projected, float(np.sum(remainder * remainder) / 2))


def compress_statistics(statistics: Statistics) -> Compressed:
    """Return rows with the given statistics, from the eigenvectors of Sxx.

    Raises
    ------
    InputError
        When Sxx is not positive semidefinite, or when no data have these
        statistics (the least loss would be negative).

    Notes
    -----
    Source: own derivation. Syx is kept exactly. Where rounding alone makes
    the least loss negative, Sxx is raised by the smallest multiple of the
    identity that makes it zero; data that need more than the rounding of
    their sums are refused.
    """
    Sxx, Syx, tyy = statistics
    values, vectors = np.linalg.eigh(Sxx)
    noise = 4 * len(Sxx) * EPS * max(values[-1], 0.0)
    if values[0] < -SUMMATION * noise:
        raise InputError(f"Sxx: expected positive semidefinite, got an eigenvalue {values[0]:.3g}")
    along = Syx @ vectors
    size = np.linalg.norm(along, axis=0)
    kept = (values > noise) | (size > 4 * len(Sxx) * EPS * np.linalg.norm(Syx))
    if not kept.any():
        return Compressed(np.zeros((1, len(Sxx))), np.zeros((1, len(Syx))), tyy / 2)
    if noise == 0:
        raise InputError("Syx: expected zero where Sxx is zero")
    values = np.maximum(values[kept], noise)
    ridge, unexplained = _least_ridge(values, size[kept], tyy, SUMMATION * noise)
    if unexplained < 0:
        bound = np.sum(size[kept] ** 2 / values)
        raise InputError(f"tyy: expected at least {bound:.6g} for these Sxx and Syx, got {tyy:.6g}")
    root = np.sqrt(values + ridge)[:, None]
    return Compressed(root * vectors[:, kept].T, along[:, kept].T / root, unexplained / 2, squared=True)


def _least_ridge(values: Array, size: Array, tyy: float, largest: float) -> tuple[float, float]:
    """The smallest ridge up to `largest` that leaves nothing negative unexplained, and what it leaves."""

    def unexplained(ridge: float) -> float:
        return float(tyy - np.sum(size**2 / (values + ridge)))

    if unexplained(0.0) >= 0 or unexplained(largest) < 0:
        ridge = 0.0 if unexplained(0.0) >= 0 else largest
        return ridge, unexplained(ridge)
    low, high = 0.0, largest
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (low, middle) if unexplained(middle) >= 0 else (middle, high)
    return high, unexplained(high)


def check_statistics(Sxx: Any, Syx: Any, tyy: Any) -> Statistics:
    """Return clean statistics; a Syx of shape (d,) stands for one output.

    Raises
    ------
    InputError
        When shapes do not match, Sxx is not symmetric, or tyy is negative.
    """
    Sxx, Syx = real_array("Sxx", Sxx, 2), np.atleast_2d(real_array("Syx", Syx, (1, 2)))
    tyy = float(real_array("tyy", tyy, 0))
    d = len(Sxx)
    if Sxx.shape != (d, d):
        raise InputError(f"Sxx: expected a square matrix, got shape {Sxx.shape}")
    if Syx.shape[1] != d:
        raise InputError(f"Syx: expected {d} columns as in Sxx, got shape {Syx.shape}")
    if tyy < 0:
        raise InputError(f"tyy: expected a number >= 0, got {tyy!r}")
    if np.abs(Sxx - Sxx.T).max() > SUMMATION * EPS * np.abs(Sxx).max():
        raise InputError("Sxx: expected a symmetric matrix")
    return Statistics((Sxx + Sxx.T) / 2, Syx, tyy)
