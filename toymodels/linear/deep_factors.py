"""Balanced layers with a given product, any depth."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.linear.factors import orthogonal
from toymodels.linear.statistics import EPS
from toymodels.validation import positive_int, real_array

Array = np.ndarray


def balanced_layers(W: Any, widths: tuple[int, ...], rotations: Any = None) -> list[Array]:
    """Return layers W_1, ..., W_L with product W and W_{j+1}ᵀW_{j+1} = W_jW_jᵀ.

    With W = U diag(u) Vᵀ every layer is O_j diag(u^{1/L}) O_{j-1}ᵀ, O_0 = V and
    O_L = U.

    Parameters
    ----------
    W : array_like (..., c, d)
        Product, of rank at most the smallest width.
    widths : tuple of int
        Hidden widths m_1, ..., m_{L-1}.
    rotations : sequence of array_like (m_j, m_j), optional
        The orthogonal matrices O_j of the hidden layers; identities by default.

    Returns
    -------
    list of arrays (..., m_j, m_{j-1})

    Raises
    ------
    InputError
        When the rank of W exceeds a width, or a rotation is not orthogonal.

    Notes
    -----
    Source: Arora, Cohen, Hazan 2018; linear_nets 4.6.

    Examples
    --------
    >>> [W.tolist() for W in balanced_layers([[4.0]], (1,))]
    [[[2.0]], [[2.0]]]
    """
    W = real_array("W", W)
    if W.ndim < 2:
        raise InputError(f"W: expected shape (..., c, d), got {W.shape}")
    hidden = tuple(positive_int("widths", width) for width in widths)
    turns = _rotations(rotations, hidden)
    U, u, Vt = np.linalg.svd(W, full_matrices=False)
    rank = min(*hidden, *W.shape[-2:])
    if (u[..., rank:] > 4 * max(W.shape[-2:]) * EPS * u[..., :1]).any():
        raise InputError(f"widths: expected at least the rank of W, got {hidden}")
    size = np.sqrt(u[..., :rank]) if len(hidden) == 1 else u[..., :rank] ** (1 / (len(hidden) + 1))
    frames = [Vt.mT[..., :rank], *(O[:, :rank] for O in turns), U[..., :rank]]
    return [(upper * size[..., None, :]) @ lower.mT for lower, upper in pairwise(frames)]


def _rotations(rotations: Any, widths: tuple[int, ...]) -> list[Array]:
    """One orthogonal matrix per hidden layer."""
    if rotations is None:
        return [np.eye(m) for m in widths]
    given = list(rotations)
    if len(given) != len(widths):
        raise InputError(f"rotations: expected {len(widths)} orthogonal matrices, got {len(given)}")
    return [orthogonal("rotations", O, m) for O, m in zip(given, widths, strict=True)]
