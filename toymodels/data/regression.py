"""Inputs of a given covariance or rank, with targets from a linear teacher."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.data.dataset import Data
from toymodels.data.matrices import check_spectrum, haar_columns, haar_matrix
from toymodels.errors import InputError
from toymodels.randomness import streams
from toymodels.validation import positive_int, positive_real, real_array

Array = np.ndarray


def teacher_student(
    n: int,
    d: int,
    c: int | None = None,
    *,
    rank: int | None = None,
    singular_values: Any = None,
    noise: float = 0.0,
    rng: Any = 0,
) -> Data:
    """Draw standard normal inputs and the targets of a random linear teacher.

    Parameters
    ----------
    n, d : int
        Samples and input dimension.
    c : int, optional
        Output dimension; without it targets are (n,) and the teacher is (d,).
    rank : int, optional
        Rank of the teacher; min(c, d) by default.
    singular_values : array_like (rank,), optional
        Singular values of the teacher; ones by default. Its singular vectors are Haar.
    noise : float
        Standard deviation of normal noise added to each target. Inputs and
        teacher do not depend on it.
    rng : seed, Generator, optional
        Whatever `numpy.random.default_rng` takes.

    Returns
    -------
    Data
        X (n, d), Y (n, c) or (n,), teacher (c, d) or (d,), covariance I.

    Raises
    ------
    InputError
        When a size is not a positive integer, the rank exceeds min(c, d), a
        singular value or the noise is negative.

    Examples
    --------
    >>> data = teacher_student(20, 4, 3, singular_values=(2, 1))
    >>> bool(np.allclose(data.Y, data.X @ data.teacher.T))
    True
    >>> int(np.linalg.matrix_rank(data.teacher))
    2
    """
    n, d = positive_int("n", n), positive_int("d", d)
    inputs, *rest = streams(rng, 3)
    X = inputs.standard_normal((n, d))
    return _taught(X, np.eye(d), c, rank, singular_values, noise, rest)


def whitened(
    n: int,
    d: int,
    c: int | None = None,
    *,
    rank: int | None = None,
    singular_values: Any = None,
    noise: float = 0.0,
    rng: Any = 0,
) -> Data:
    """Draw inputs with XᵀX/n = I, to rounding, and the targets of a random linear teacher.

    X is sqrt(n) times n-vectors that are orthonormal. Without noise the
    correlation Syx = YᵀX/n is the teacher, so `singular_values` are those of Syx.

    Parameters
    ----------
    n, d : int
        Samples and input dimension, n >= d.
    c, rank, singular_values, noise, rng
        As in `teacher_student`.

    Returns
    -------
    Data
        X (n, d), Y (n, c) or (n,), teacher (c, d) or (d,), covariance I.

    Raises
    ------
    InputError
        When n < d, and as in `teacher_student`.

    Examples
    --------
    >>> X, Y = whitened(9, 3, 2, singular_values=(3, 1))
    >>> bool(np.allclose(X.T @ X / 9, np.eye(3), rtol=0, atol=1e-14))
    True
    >>> np.linalg.svd(Y.T @ X / 9, compute_uv=False).round(12)
    array([3., 1.])
    """
    n, d = positive_int("n", n), positive_int("d", d)
    if n < d:
        raise InputError(f"n: expected at least d = {d} samples for whitened inputs, got {n}")
    inputs, *rest = streams(rng, 3)
    X = np.sqrt(n) * haar_columns(n, d, inputs)
    return _taught(X, np.eye(d), c, rank, singular_values, noise, rest)


def correlated(
    n: int,
    covariance: Any,
    c: int | None = None,
    *,
    exact: bool = False,
    rank: int | None = None,
    singular_values: Any = None,
    noise: float = 0.0,
    rng: Any = 0,
) -> Data:
    """Draw normal inputs of a given covariance and the targets of a random linear teacher.

    Parameters
    ----------
    n : int
        Samples.
    covariance : array_like (d,) or (d, d)
        Eigenvalues >= 0, in a Haar eigenbasis; or a symmetric positive
        semidefinite matrix.
    exact : bool
        Make the sample covariance XᵀX/n equal to the covariance, to rounding;
        needs n >= its rank. Otherwise the rows are independent draws.
    c, rank, singular_values, noise, rng
        As in `teacher_student`.

    Returns
    -------
    Data
        X (n, d), Y (n, c) or (n,), teacher (c, d) or (d,), covariance (d, d).

    Raises
    ------
    InputError
        When the covariance is not symmetric positive semidefinite or n is
        below its rank with `exact`, and as in `teacher_student`.

    Examples
    --------
    >>> X, y = correlated(10, (4, 1, 0), exact=True)
    >>> np.linalg.eigvalsh(X.T @ X / 10).round(12) + 0
    array([0., 1., 4.])
    """
    n = positive_int("n", n)
    inputs, *rest = streams(rng, 3)
    values, vectors = _eigenpairs(covariance, inputs)
    values, vectors = values[values > 0], vectors[:, values > 0]
    if exact and n < len(values):
        raise InputError(f"n: expected at least the covariance's rank {len(values)} with exact=True, got {n}")
    if exact:
        white = np.sqrt(n) * haar_columns(n, len(values), inputs)
    else:
        white = inputs.standard_normal((n, len(values)))
    root = np.sqrt(values) * vectors
    return _taught(white @ root.T, root @ root.T, c, rank, singular_values, noise, rest)


def rank_deficient(
    n: int,
    d: int,
    c: int | None = None,
    *,
    input_rank: int | None = None,
    target_rank: int | None = None,
    rng: Any = 0,
) -> Data:
    """Draw inputs and targets of given ranks.

    The rows of X are standard normal in a Haar subspace of dimension
    `input_rank`. The teacher acts on that subspace alone, so it is the
    interpolator of least Frobenius norm.

    Parameters
    ----------
    n, d : int
        Samples and input dimension.
    c : int, optional
        Output dimension; without it targets are (n,).
    input_rank : int, optional
        Rank of X, at most min(n, d), the default.
    target_rank : int, optional
        Rank of Y, at most min(c, input_rank), the default.
    rng : seed, Generator, optional
        Whatever `numpy.random.default_rng` takes.

    Returns
    -------
    Data
        X (n, d), Y (n, c) or (n,), teacher (c, d) or (d,), covariance (d, d),
        the projector on the subspace.

    Raises
    ------
    InputError
        When a rank or a size is not a positive integer, or a rank is too large.

    Examples
    --------
    >>> X, Y = rank_deficient(8, 5, 4, input_rank=3, target_rank=2)
    >>> int(np.linalg.matrix_rank(X)), int(np.linalg.matrix_rank(Y))
    (3, 2)
    """
    n, d = positive_int("n", n), positive_int("d", d)
    inner = _rank("input_rank", input_rank, min(n, d))
    outputs = 1 if c is None else positive_int("c", c)
    outer = _rank("target_rank", target_rank, min(outputs, inner))
    inputs, teaching, frames = streams(rng, 3)
    frame = haar_columns(d, inner, frames)
    teacher = haar_matrix(outputs, inner, np.ones(outer), teaching) @ frame.T
    X = inputs.standard_normal((n, inner)) @ frame.T
    teacher = teacher if c is not None else teacher[0]
    return Data(X, X @ teacher.T, teacher=teacher, covariance=frame @ frame.T)


def _taught(
    X: Array,
    covariance: Array,
    c: Any,
    rank: Any,
    singular_values: Any,
    noise: Any,
    generators: list[np.random.Generator],
) -> Data:
    """Add the targets of a random teacher to the inputs."""
    outputs = 1 if c is None else positive_int("c", c)
    spectrum = check_spectrum(outputs, X.shape[1], rank, singular_values)
    noise = positive_real("noise", noise, allow_zero=True)
    teaching, disturbing = generators
    teacher = haar_matrix(outputs, X.shape[1], spectrum, teaching)
    teacher = teacher if c is not None else teacher[0]
    clean = X @ teacher.T
    Y = clean + noise * disturbing.standard_normal(clean.shape)
    return Data(X, Y, teacher=teacher, covariance=covariance, noise=noise)


def _eigenpairs(covariance: Any, generator: np.random.Generator) -> tuple[Array, Array]:
    """Return eigenvalues >= 0 and eigenvectors of a covariance given by either."""
    given = real_array("covariance", covariance, (1, 2))
    if given.ndim == 1:
        if (given < 0).any():
            raise InputError(f"covariance: expected eigenvalues >= 0, got {covariance!r}")
        return given, haar_columns(len(given), len(given), generator)
    if given.shape[0] != given.shape[1]:
        raise InputError(f"covariance: expected a square matrix, got shape {given.shape}")
    rounding = len(given) * np.finfo(float).eps * np.abs(given).sum(axis=1).max()
    if np.abs(given - given.T).max() > rounding:
        raise InputError("covariance: expected a symmetric matrix")
    values, vectors = np.linalg.eigh((given + given.T) / 2)
    if values[0] < -rounding:
        raise InputError(f"covariance: expected eigenvalues >= 0, the least is {values[0]:.3g}")
    return np.where(values > rounding, values, 0), vectors


def _rank(name: str, value: Any, largest: int) -> int:
    """Return a rank between 1 and `largest`, which is the default."""
    rank = largest if value is None else positive_int(name, value)
    if rank > largest:
        raise InputError(f"{name}: expected at most {largest}, got {rank}")
    return rank
