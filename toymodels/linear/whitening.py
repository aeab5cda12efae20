"""Singular modes of the whitened target, which order the landscape of two linear layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toymodels.errors import AssumptionError
from toymodels.linear.statistics import EPS, Compressed

Array = np.ndarray


@dataclass(frozen=True)
class TargetModes:
    """Singular modes of the whitened target ``Syx Sxx^{-1/2} = U diag(s) Vᵀ``.

    Attributes
    ----------
    left : (c, c)
        u_k, as columns.
    s : (p,)
        Singular values, largest first; exactly zero below rounding.
    right : (r, d)
        Rows ``v_kᵀ Sxx^{-1/2}`` (v_kᵀ for whitened inputs): the map of rank r
        that fits best is ``sum_{k<r} s_k u_k right_k``; r is the rank of Sxx.
    least_loss : float
        Loss of the best linear map.
    whitened : bool
        Whether Sxx is the identity, to rounding.
    rounding : float
        Bound on the error of s.
    """

    left: Array
    s: Array
    right: Array
    least_loss: float
    whitened: bool
    rounding: float

    @property
    def positive(self) -> int:
        """Number of positive singular values."""
        return int(np.count_nonzero(self.s))

    def product(self, subset: tuple[int, ...]) -> Array:
        """Return ``sum_{i in subset} s_i u_i right_i``, (c, d)."""
        chosen = list(subset)
        return (self.left[:, chosen] * self.s[chosen]) @ self.right[chosen]

    def loss(self, subset: tuple[int, ...]) -> float:
        """Return the loss of that product: the least loss and half the missing s_k²."""
        missing = np.delete(self.s, list(subset))
        return float(self.least_loss + missing @ missing / 2)


def modes_of(compressed: Compressed) -> TargetModes:
    """Return the modes of compressed data, through a singular value decomposition of its rows.

    Notes
    -----
    Source: Baldi, Hornik 1989; linear_nets 2.8. Working on rows, not on Sxx,
    keeps the condition number of X from being squared.
    """
    X, Y, least, squared = compressed
    P, D, Vt = np.linalg.svd(X, full_matrices=False)
    kept = max(X.shape) * EPS * D[0] < D
    P, D, Vt = P[:, kept], D[kept], Vt[kept]
    if not len(D):
        raise AssumptionError("the inputs are not all zero")
    beyond = Y - P @ (P.T @ Y)
    U, s, right = np.linalg.svd(Y.T @ P)
    condition = (D[0] / D[-1]) ** (2 if squared else 1)
    rounding = 4 * (Y.shape[1] + len(D)) * EPS * np.linalg.norm(Y) * condition
    d = X.shape[1]
    whitened = len(D) == d and bool(np.abs(D * D - 1).max() <= 128 * d * EPS)
    return TargetModes(
        left=U,
        s=np.where(s > rounding, s, 0.0),
        right=right @ (Vt / D[:, None]),
        least_loss=float(least + np.sum(beyond * beyond) / 2),
        whitened=whitened,
        rounding=float(rounding),
    )
