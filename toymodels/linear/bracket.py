"""The bracket of the Riccati solution and its roots, at many times together.

    bracket = diag(start²) + grownᵀ diag(weight) grown = RᵀR

The obvious root takes the QR factorisation of the rows (diag(start); sqrt(weight)
grown). The tuned one takes Cholesky factors of the bracket where that loses
nothing that counts, in tiles that stay in the cache and in one thread.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toymodels.arithmetic import Array, identity_like, mT, polynomial
from toymodels.linear.statistics import EPS

_WELL_POSED = 1e-12
"""A bracket is factored by Cholesky where that costs at most this relative accuracy, else by QR."""
_TILE = 64
"""Products of this size and below are not split among threads by BLAS."""
_BLOCK = 8
"""Triangular matrices up to this size are inverted as any others."""


@polynomial("(k),(N),(N,k)->(k,k)")
def bracket(start: Array, weight: Array, grown: Array) -> Array:
    """Bracket diag(start²) + grownᵀ diag(weight) grown of the scaled columns. Source: linear_nets 5.3."""
    unit = identity_like(grown)
    return unit * (start * start)[..., None, :] + mT(grown) @ (weight[..., :, None] * grown)


@polynomial("(N),(N,k)->(N,k)")
def fallen(fall: Array, grown: Array) -> Array:
    """Scaled columns of e^{Ft} Q0 in the eigenbasis. Source: linear_nets 5.3."""
    return fall[..., :, None] * grown


class Scaled(NamedTuple):
    """The functions of time: start (T, k), weight (T, N), grown (T, N, k), fall (T, N)."""

    start: Array
    weight: Array
    grown: Array
    fall: Array


def over_root(columns: Array, scaled: Scaled) -> Array:
    """columns R^{-1} with RᵀR the bracket, (T, N, k)."""
    B = tiled_bracket(scaled)
    unit = 1 / np.sqrt(np.diagonal(B, axis1=1, axis2=2))
    B *= unit[:, :, None] * unit[:, None, :]
    lost = np.ones(len(B), dtype=bool)
    try:
        lower = np.linalg.cholesky(B)
        lost = _WELL_POSED * np.diagonal(lower, axis1=1, axis2=2).min(1, initial=1.0) ** 2 < EPS
    except np.linalg.LinAlgError:
        lower = B
    for index in np.flatnonzero(lost).tolist():
        lower[index], unit[index] = stable_root(scaled, index)
    return tiled_product(columns * unit[:, None, :], _lower_inverse(lower).mT)


def tiled_bracket(scaled: Scaled) -> Array:
    """`bracket`, its sum over rows taken by tiles."""
    weighted = scaled.weight[:, :, None] * scaled.grown
    B = tiled_product(scaled.grown.mT, weighted)
    diagonal = np.arange(B.shape[-1])
    B[:, diagonal, diagonal] += scaled.start**2
    return B


def tiled_product(left: Array, right: Array) -> Array:
    """left @ right, stacked, in tiles too small for BLAS to split among threads.

    Matrices of this size gain nothing from threads, and lose all where they wait for each other.
    """
    rows, inner, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    out = np.empty(np.broadcast_shapes(left.shape[:-2], right.shape[:-2]) + (rows, columns))
    if inner == 0:
        out[...] = 0.0
    for i, j, k in np.ndindex(*(-(-size // _TILE) for size in (rows, columns, inner))):
        row, column, middle = (slice(x * _TILE, (x + 1) * _TILE) for x in (i, j, k))
        tile = left[..., row, middle] @ right[..., middle, column]
        if k == 0:
            out[..., row, column] = tile
        else:
            out[..., row, column] += tile
    return out


def stable_root(scaled: Scaled, index: int) -> tuple[Array, Array]:
    """Rᵀ of the bracket of unit columns by QR of its rows, at the square root of the condition number."""
    start, weight, grown = scaled.start[index], scaled.weight[index], scaled.grown[index]
    rows = np.concatenate([np.diag(start), np.sqrt(weight)[:, None] * grown])
    unit = 1 / np.linalg.norm(rows, axis=0)
    R = np.asarray(np.linalg.qr(rows * unit, mode="r"))
    return (R * np.where(np.diagonal(R) < 0, -1.0, 1.0)[:, None]).T, unit


def _lower_inverse(C: Array) -> Array:
    """Inverse of lower triangular matrices (T, k, k), by halves."""
    k = C.shape[-1]
    if k <= _BLOCK:
        return np.tril(np.linalg.inv(C))
    h = k // 2
    out = np.zeros(C.shape)
    out[:, :h, :h], out[:, h:, h:] = _lower_inverse(C[:, :h, :h]), _lower_inverse(C[:, h:, h:])
    out[:, h:, :h] = -out[:, h:, h:] @ (C[:, h:, :h] @ out[:, :h, :h])
    return out


def inverse_root(scaled: Scaled) -> tuple[Array, Array]:
    """R^{-1} (T, k, k) by QR of the rows of the bracket, and the relative accuracy that it lost, (T,)."""
    rows = rows_of(scaled, scaled.start, scaled.grown)
    length = 1 / np.linalg.norm(rows, axis=-2, keepdims=True)
    inverse = np.linalg.inv(np.asarray(np.linalg.qr(rows * length, mode="r")))
    norm = np.linalg.norm(inverse, axis=(1, 2))
    loss = 4 * (EPS * norm + np.minimum(EPS * norm**2, _WELL_POSED))
    return length.mT * inverse, loss


def rows_of(scaled: Scaled, start: Array, grown: Array) -> Array:
    """The rows whose squares sum to the bracket, diag(start) above the weighted columns."""
    unit = np.eye(start.shape[-1])
    return np.concatenate([start[:, None, :] * unit, np.sqrt(scaled.weight)[:, :, None] * grown], axis=1)
