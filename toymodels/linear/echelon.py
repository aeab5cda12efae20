"""Column echelon form of a start in the eigenbasis of its flow, with what rounding leaves open."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from toymodels.linear.statistics import EPS

Array = np.ndarray


class Echelon(NamedTuple):
    """Rows ``A[order] = L @ frame`` where column j of L is zero above its pivot row.

    Attributes
    ----------
    L : (N, k)
    frame : (k, m)
        Orthonormal rows.
    pivots : (k,) of int
        Pivot row of each column, ascending.
    order : (N,) of int
        The rows' order; only rows of one level have changed places.
    error : (N, k)
        First-order bound on the error of L.
    rest : (N,)
        What each row leaves outside the frame of the levels down to its own,
        with its uncertainty: nothing that is known to differ from zero. Rows with
        a pivot leave nothing, nor does any row once the frame is full.
    """

    L: Array
    frame: Array
    pivots: Array
    order: Array
    error: Array
    rest: Array


def echelon(A: Array, level: Array, noise: Array, drift: Array) -> Echelon:
    """Return the column echelon form of A (N, m), from the top row down.

    Parameters
    ----------
    A : (N, m)
    level : (N,)
        Descending; among rows of one level the longest remainder is taken first.
    noise : (N,)
        Rounding of the rows of A. A row whose remainder is within what the
        noise of the rows above makes of its own gets no pivot.
    drift : (N,)
        Further uncertainty of the rows; it counts in `error` only.

    Notes
    -----
    Source: own derivation, linear_nets 5.3 (i). The remainder of row i is
    A_i - sum_q C_iq A_q over the pivot rows q, so its uncertainty is
    noise_i + sum_q |C_iq| noise_q.

    Examples
    --------
    >>> start = np.array([[3.0, 4.0], [6.0, 8.0], [0.0, 5.0]])
    >>> form = echelon(start, np.array([2.0, 1, 0]), *np.zeros((2, 3)))
    >>> form.pivots.tolist(), form.L.round(12).tolist()
    ([0, 2], [[5.0, 0.0], [10.0, 0.0], [4.0, 3.0]])
    """
    N, m = A.shape
    order, pivots = np.arange(N), []
    frame, combination = np.zeros((0, m)), np.zeros((N, 0))
    uncertain, left = noise.copy(), np.zeros(N)
    for start, stop in _levels(level):
        for here in range(start, stop):
            rest = _outside(A[order[here:stop]], frame)
            size = np.linalg.norm(rest, axis=1)
            best = int(np.argmax(size))
            row = order[here + best]
            if len(frame) == m or not size[best] > uncertain[row]:
                break
            order[[here, here + best]] = order[[here + best, here]]
            direction = rest[best] / size[best]
            share = (A @ direction / size[best])[:, None]
            combination = np.concatenate([combination - share * combination[row], share], axis=1)
            frame = np.concatenate([frame, direction[None]])
            pivots.append(here)
            uncertain = noise + np.abs(combination) @ noise[order[pivots]]
        if len(frame) < m:
            rows = order[start:stop]
            left[rows] = np.linalg.norm(_outside(A[rows], frame), axis=1) + uncertain[rows]
    A, noise, drift, left = A[order], noise[order], drift[order], left[order]
    where = np.array(pivots, dtype=int)
    L = np.where(np.arange(N)[:, None] < where, 0.0, A @ frame.T)
    left[where] = 0.0
    return Echelon(L, frame, where, order, _echelon_error(L, where, noise + drift), left)


def _levels(level: Array) -> list[tuple[int, int]]:
    """First and last-but-one row of each run of equal levels."""
    ends = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)]
    return list(pairwise(ends))


def _outside(A: Array, frame: Array) -> Array:
    """The part of each row of A orthogonal to the rows of the frame, projected twice."""
    for _ in range(2):
        A = A - (A @ frame.T) @ frame
    return A


def _echelon_error(L: Array, pivots: Array, noise: Array) -> Array:
    """First-order error of L when row i of A moves by noise_i.

    The frame turns by the skew K with upper triangle that of T⁻¹ dA frameᵀ, T the
    pivot rows of L, and L moves by dA frameᵀ - L K.
    """
    k = len(pivots)
    turned = np.abs(np.linalg.solve(L[pivots], np.eye(k))) @ noise[pivots]
    size = np.abs(L)
    before = np.cumsum(size * turned, axis=1) - size * turned
    after = size.sum(1, keepdims=True) - np.cumsum(size, axis=1)
    moved = noise[:, None] + before + after * turned
    return np.where(np.arange(len(L))[:, None] < pivots, 0.0, moved)


def product_noise(left: Array, right: Array) -> Array:
    """Rounding of the rows of left @ right, as Euclidean norms (..., N)."""
    return 2 * np.sqrt(left.shape[-1]) * EPS * np.linalg.norm(np.abs(left) @ np.abs(right), axis=-1)
