"""Aligned paths: weights that share their singular vectors with the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.linear.factors import orthogonal
from toymodels.linear.spectra import mode_blocks, pair_blocks
from toymodels.validation import positive_int, real_array

Array = np.ndarray


def aligned_factors(
    a: Any, b: Any, U: Any, V: Any, *, width: int, rotation: Any = None
) -> tuple[Array, Array]:
    """Return ``W1 = O diag(a) Vᵀ`` and ``W2 = U diag(b) Oᵀ``, diagonals padded with zeros.

    Parameters
    ----------
    a, b : array_like (..., k)
        Sizes of the modes in the first and the second layer; k at most c, d
        and the width.
    U, V : array_like (c, c), (d, d)
        Orthogonal; the singular vectors of the target for an aligned start.
    width : int
        Number of hidden neurons m.
    rotation : array_like (m, m), optional
        Orthogonal matrix O; the identity by default.

    Raises
    ------
    InputError
        When a matrix is not orthogonal, or there are more modes than room.

    Notes
    -----
    Source: linear_nets 2.9; Saxe, McClelland, Ganguli 2014.

    Examples
    --------
    >>> import numpy as np
    >>> W1, W2 = aligned_factors([2.0], [3.0], np.eye(1), np.eye(2), width=1)
    >>> W2 @ W1
    array([[6., 0.]])
    """
    U, V, m = orthogonal("U", U), orthogonal("V", V), positive_int("width", width)
    O = orthogonal("rotation", np.eye(m) if rotation is None else rotation, m)
    a, b = real_array("a", a), real_array("b", b)
    room = min(len(U), len(V), m)
    if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[-1] or a.shape[-1] > room:
        raise InputError(f"a, b: expected up to {room} modes each, got shapes {a.shape} and {b.shape}")
    k = a.shape[-1]
    return (O[:, :k] * a[..., None, :]) @ V[:, :k].T, (U[:, :k] * b[..., None, :]) @ O[:, :k].T


def aligned_spectrum(a: Any, b: Any, s: Any) -> Array:
    """Return the Hessian eigenvalues at an aligned point, m = c = d and whitened inputs.

    Parameters
    ----------
    a, b : array_like (..., m)
        Sizes of the modes in the first and the second layer.
    s : array_like (..., m)
        Singular values of the target.

    Returns
    -------
    array (..., 2 m²)
        Ascending.

    Raises
    ------
    InputError
        When the numbers of modes differ.

    Notes
    -----
    Source: linear_nets 2.9, own derivation. Blocks of size 2 and 4 cost O(m²)
    where the full Hessian costs O(m⁶).

    Examples
    --------
    >>> aligned_spectrum([1.0], [1.0], [1.0])
    array([0., 2.])
    """
    a, b, s = real_array("a", a), real_array("b", b), real_array("s", s)
    if 0 in (a.ndim, b.ndim, s.ndim) or not a.shape[-1] == b.shape[-1] == s.shape[-1]:
        raise InputError(f"a, b, s: expected as many modes each, got {a.shape}, {b.shape}, {s.shape}")
    i, j = np.triu_indices(a.shape[-1], 1)
    modes = np.linalg.eigvalsh(mode_blocks(a, b, s))
    pairs = np.linalg.eigvalsh(pair_blocks(a, b, s)[..., i, j, :, :])
    flat = [block.reshape((*block.shape[:-2], -1)) for block in (modes, pairs)]
    return np.sort(np.concatenate(flat, axis=-1), axis=-1)
