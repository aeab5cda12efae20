"""Random frames and matrices with a prescribed spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.randomness import streams
from toymodels.validation import positive_int, real_array

Array = np.ndarray


def haar_columns(n: int, k: int, generator: np.random.Generator) -> Array:
    """Draw (n, k) orthonormal columns from the Haar measure."""
    q, r = np.linalg.qr(generator.standard_normal((n, k)))
    # QR leaves the signs to the library; those of a positive diagonal make the draw uniform.
    return q * np.copysign(1.0, np.diagonal(r))


def haar_matrix(rows: int, columns: int, spectrum: Array, generator: np.random.Generator) -> Array:
    """Draw U diag(spectrum) Vᵀ, (rows, columns), with Haar frames U and V."""
    rank = len(spectrum)
    left, right = haar_columns(rows, rank, generator), haar_columns(columns, rank, generator)
    return (left * spectrum) @ right.T


def check_spectrum(rows: int, columns: int, rank: Any, singular_values: Any) -> Array:
    """Return the singular values of a (rows, columns) matrix: as given, or `rank` ones."""
    full = min(rows, columns)
    if singular_values is None:
        rank = full if rank is None else positive_int("rank", rank)
        if rank > full:
            raise InputError(f"rank: expected at most {full} for a ({rows}, {columns}) matrix, got {rank}")
        return np.ones(rank)
    spectrum = real_array("singular_values", singular_values, 1)
    if (spectrum < 0).any() or len(spectrum) > full:
        raise InputError(f"singular_values: expected at most {full} numbers >= 0, got {singular_values!r}")
    if rank is not None and (spectrum > 0).sum() != positive_int("rank", rank):
        raise InputError(f"rank: expected the number of positive singular values, got {rank}")
    return spectrum


def orthonormal_columns(n: int, k: int, *, rng: Any = 0) -> Array:
    """Draw a matrix with orthonormal columns, uniformly (Haar measure).

    Parameters
    ----------
    n, k : int
        Shape; k <= n.
    rng : seed, Generator, optional
        Whatever `numpy.random.default_rng` takes.

    Returns
    -------
    (n, k) array

    Raises
    ------
    InputError
        When k > n or a size is not a positive integer.

    Notes
    -----
    Source: Stewart 1980, "The efficient generation of random orthogonal matrices".

    Examples
    --------
    >>> Q = orthonormal_columns(5, 2)
    >>> bool(np.allclose(Q.T @ Q, np.eye(2)))
    True
    """
    n, k = positive_int("n", n), positive_int("k", k)
    if k > n:
        raise InputError(f"k: expected at most n = {n} orthonormal columns, got {k}")
    return haar_columns(n, k, streams(rng, 1)[0])


def matrix_of_spectrum(rows: int, columns: int, singular_values: Any, *, rng: Any = 0) -> Array:
    """Draw a matrix with the given singular values and Haar singular vectors.

    Parameters
    ----------
    rows, columns : int
        Shape.
    singular_values : array_like (r,)
        Numbers >= 0, at most min(rows, columns) of them; the others are zero.
    rng : seed, Generator, optional
        Whatever `numpy.random.default_rng` takes.

    Returns
    -------
    (rows, columns) array

    Raises
    ------
    InputError
        When there are too many singular values or a negative one.

    Examples
    --------
    >>> A = matrix_of_spectrum(4, 3, (2, 1))
    >>> np.linalg.svd(A, compute_uv=False).round(12)
    array([2., 1., 0.])
    """
    rows, columns = positive_int("rows", rows), positive_int("columns", columns)
    spectrum = check_spectrum(rows, columns, None, singular_values)
    return haar_matrix(rows, columns, spectrum, streams(rng, 1)[0])
