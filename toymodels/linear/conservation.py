"""What gradient flow conserves in two linear layers, how many laws that makes, what rate they guarantee."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.arithmetic import Array, mT, polynomial
from toymodels.arithmetic.rationals import to_fraction, to_ring
from toymodels.errors import InputError
from toymodels.validation import positive_int, real_array


def _per_run(scalar: Array) -> Array:
    """A scalar per run, shaped to multiply matrices."""
    return scalar[..., None, None] if getattr(scalar, "ndim", 0) else scalar


@polynomial("(m,d),(c,m),(),()->(m,m)", words=True)
def weighted_imbalance(W1: Array, W2: Array, rate1: Array, rate2: Array) -> Array:
    """What flow with layer rates conserves, rate1 W2ᵀW2 - rate2 W1W1ᵀ. Source: linear_nets 7.1."""
    return (mT(W2) @ W2) * _per_run(rate1) - (W1 @ mT(W1)) * _per_run(rate2)


@polynomial("(m,d),(c,m),(d,d),(c,d),(c,c)->(m,d),(c,m)", words=True)
def orbit_direction(W1: Array, W2: Array, A: Array, B: Array, C: Array) -> tuple[Array, Array]:
    """A direction along which the imbalance stays: K Q for Q = [W1ᵀ; W2] and K in so(d, c).

    K = [[A - Aᵀ, Bᵀ], [B, C - Cᵀ]]. Source: own derivation, linear_nets 7.2.
    """
    return W1 @ (mT(A) - A) + mT(W2) @ B, B @ mT(W1) + (C - mT(C)) @ W2


def number_of_laws(d: int, c: int, m: int) -> int:
    """Return the number of independent conservation laws of two linear layers at a generic point.

    It is m (m + 1)/2, all entries of the imbalance, for m <= N = d + c, and N m
    - N (N - 1)/2 for m >= N, where the entries depend on each other.

    Parameters
    ----------
    d, c, m : int
        Numbers of inputs, outputs and hidden neurons.

    Raises
    ------
    InputError
        When one is not a positive integer.

    Notes
    -----
    Source: own derivation, consistent with the Lie algebra computation of
    Marcotte, Gribonval, Peyre 2023, arXiv 2307.00144. linear_nets 7.2.

    Examples
    --------
    >>> number_of_laws(1, 1, 4)
    7
    """
    d, c, m = positive_int("d", d), positive_int("c", c), positive_int("m", m)
    N = d + c
    return m * (m + 1) // 2 if m <= N else N * m - N * (N - 1) // 2


def law_rank(W1: Any, W2: Any) -> int:
    """Return the exact rank of the differential of the imbalance at a point: the independent laws there.

    Parameters
    ----------
    W1 : array_like (m, d)
    W2 : array_like (c, m)
        Rationals, or floats taken at their exact binary value.

    Raises
    ------
    InputError
        When the shapes do not fit.

    Notes
    -----
    Gaussian elimination over the rationals. Source: own derivation, linear_nets 7.2.

    Examples
    --------
    >>> law_rank([[1], [2], [3], [5]], [[1, -1, 4, 2]])
    7
    """
    first, second = _exact_layers(W1, W2)
    differentials = []
    for D1, D2 in _directions(first, second):
        moved = mT(D2) @ second + mT(second) @ D2 - D1 @ mT(first) - first @ mT(D1)
        differentials.append(moved.ravel())
    return exact_rank(np.array(differentials))


def orbit_dimension(W1: Any, W2: Any) -> int:
    """Return the exact dimension of the orbit of so(d, c) through a point; see `law_rank`.

    Along the orbit the imbalance stays, so N m minus it bounds the number of laws.

    Examples
    --------
    >>> orbit_dimension([[1], [2], [3], [5]], [[1, -1, 4, 2]])
    1
    """
    first, second = _exact_layers(W1, W2)
    Q = np.concatenate([mT(first), second], axis=0)
    d = first.shape[1]
    moved = []
    for i in range(len(Q)):
        for j in range(i):
            K = np.zeros((len(Q), len(Q)), dtype=int)
            # boosts mix inputs with outputs, rotations do not
            K[i, j], K[j, i] = 1, 1 if j < d <= i else -1
            moved.append((K @ Q).ravel())
    return exact_rank(np.array(moved)) if moved else 0


def _exact_layers(W1: Any, W2: Any) -> tuple[Array, Array]:
    first, second = to_ring(np.asarray(W1), Fraction), to_ring(np.asarray(W2), Fraction)
    if first.ndim != 2 or second.ndim != 2 or first.shape[0] != second.shape[1]:
        raise InputError(f"W1, W2: expected shapes (m, d) and (c, m), got {np.shape(W1)} and {np.shape(W2)}")
    return first, second


def _directions(W1: Array, W2: Array) -> list[tuple[Array, Array]]:
    """The unit directions of theta."""
    size = W1.size + W2.size
    units = np.eye(size, dtype=int)
    return [(unit[: W1.size].reshape(W1.shape), unit[W1.size :].reshape(W2.shape)) for unit in units]


def exact_rank(matrix: Any) -> int:
    """Return the rank of a matrix of rationals.

    Examples
    --------
    >>> exact_rank([[1, 2], [2, 4]])
    1
    """
    rows = [[to_fraction(x) for x in row] for row in to_ring(np.asarray(matrix), Fraction)]
    rank = 0
    for column in range(len(rows[0])):
        pivot = next((k for k in range(rank, len(rows)) if rows[k][column] != 0), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        top = rows[rank]
        for k in range(rank + 1, len(rows)):
            if rows[k][column] != 0:
                factor = rows[k][column] / top[column]
                rows[k] = [x - factor * y if y else x for x, y in zip(rows[k], top, strict=True)]
        rank += 1
    return rank


def imbalance_rate(W1: Any, W2: Any) -> Array:
    """Return c0 >= 0 for which the excess loss falls at least like exp(-2 c0 lambda_min(Sxx) t).

    c0 is the c-th largest eigenvalue of the imbalance, if positive, plus the
    d-th largest of its negative; the imbalance is conserved, so c0 is, too.

    Parameters
    ----------
    W1 : array_like (..., m, d)
    W2 : array_like (..., c, m)

    Returns
    -------
    array (...)
        0 where the imbalance guarantees nothing.

    Raises
    ------
    InputError
        When the shapes do not fit or entries are not finite.

    Notes
    -----
    Source: after Min, Tarmoun, Vidal, Mallada 2021, arXiv 2105.06351; the
    constant is an own derivation, linear_nets 7.3.

    Examples
    --------
    >>> float(imbalance_rate([[1.0]], [[3.0]]))
    8.0
    """
    W1, W2 = real_array("W1", W1), real_array("W2", W2)
    if W1.ndim < 2 or W2.ndim < 2 or W1.shape[-2] != W2.shape[-1]:
        raise InputError(
            f"W1, W2: expected shapes (..., m, d) and (..., c, m), got {W1.shape} and {W2.shape}"
        )
    values = np.linalg.eigvalsh(mT(W2) @ W2 - W1 @ mT(W1))
    return _kth_largest(values, W2.shape[-2]) + _kth_largest(-values[..., ::-1], W1.shape[-1])


def _kth_largest(ascending: Array, k: int) -> Array:
    """The k-th largest value where it is positive; 0 elsewhere."""
    if k > ascending.shape[-1]:
        return np.zeros(ascending.shape[:-1])
    return np.maximum(ascending[..., -k], 0.0)
