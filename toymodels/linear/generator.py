"""The generator F of the balanced flow, Q' = F Q - Q QᵀQ/2, by its eigenvectors.

With whitened inputs, target S (c, d) and imbalance W2ᵀW2 - W1W1ᵀ = lam I, the
stacked weights Q = [W1ᵀ; W2] move under F = [[-lam/2 I, Sᵀ], [S, lam/2 I]],
whose eigenvectors are pairs of singular vectors of S.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toymodels.linear.statistics import EPS

Array = np.ndarray


class Generator(NamedTuple):
    """Eigenvalues and eigenvectors of F, largest first.

    Attributes
    ----------
    rates : (N,)
        Eigenvalues f; those that rounding cannot tell apart are equal.
    vectors : (N, N)
        Eigenvectors, as columns.
    error : float
        Distance of the matrix with exactly these eigenvectors from F.
    """

    rates: Array
    vectors: Array
    error: float


def mode_vectors(s: Array, lam: float) -> tuple[Array, Array, Array]:
    """Return kappa = sqrt(s² + lam²/4) and the unit (x, y) of the eigenvector (x v; y u) of +kappa.

    Source: linear_nets 5.2; the smaller of x and y is s/(2 kappa times the larger), so it keeps
    its digits, and at kappa = 0 both are sqrt(1/2).
    """
    kappa = np.hypot(s, lam / 2)
    moving = kappa > 0
    larger = np.sqrt(0.5 + 0.25 * np.divide(abs(lam), kappa, out=np.zeros(s.shape), where=moving))
    smaller = np.divide(s, kappa, out=np.ones(s.shape), where=moving) / (2 * larger)
    return (kappa, smaller, larger) if lam >= 0 else (kappa, larger, smaller)


def generator(S: Array, lam: float, slack: float = 0.0) -> Generator:
    """Return the eigenvectors of F for a target S (c, d) and an imbalance lam.

    Parameters
    ----------
    S : (c, d)
    lam : float
    slack : float
        Uncertainty of lam.

    Examples
    --------
    >>> generator(np.array([[2.0]]), 3.0).rates
    array([ 2.5, -2.5])
    """
    c, d = S.shape
    U, s, Vt = np.linalg.svd(S)
    rounding = 4 * np.sqrt(c + d) * EPS * s[0]
    if ((U[:, : len(s)] * s) @ Vt[: len(s)] == S).all():
        rounding = 0.0
    s = merged(s, rounding)
    kappa, x, y = mode_vectors(s, lam)
    p = len(s)
    rates = np.concatenate([kappa, -kappa, np.full(d - p, -lam / 2), np.full(c - p, lam / 2)])
    vectors = np.zeros((d + c, d + c))
    vectors[:d, :p], vectors[d:, :p] = Vt[:p].T * x, U[:, :p] * y
    vectors[:d, p : 2 * p], vectors[d:, p : 2 * p] = Vt[:p].T * y, -U[:, :p] * x
    vectors[:d, 2 * p : p + d] = Vt[p:].T
    vectors[d:, p + d :] = U[:, p:]
    order = np.argsort(-rates, kind="stable")
    return Generator(rates[order], vectors[:, order], rounding + 2 * EPS * abs(lam) + slack)


def merged(values: Array, noise: float) -> Array:
    """Return descending numbers, those of a cluster set to its mean, those below the noise to zero."""
    values = np.where(np.abs(values) > noise, values, 0.0)
    cluster = np.cumsum(np.concatenate([[True], values[:-1] - values[1:] > noise])) - 1
    return (np.bincount(cluster, values) / np.bincount(cluster))[cluster]
