"""Random starts as papers scale them: blocks W and a, to be packed.

The network itself carries no factor of the width: a scaling such as
``kappa/sqrt(m)`` is the size of the output weights at the start, or of fixed ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.randomness import streams
from toymodels.validation import one_of, positive_int, positive_real, real_array

Array = np.ndarray


def output_weights(m: int, scale: float = 1.0, *, signs: str = "halves", rng: Any = None) -> Array:
    """Return output weights of size scale/sqrt(m), (m,).

    Parameters
    ----------
    m : int
        Neurons.
    scale : float
        kappa > 0; the sum of squares is kappa².
    signs : {"halves", "random"}
        The first m/2 positive and the others negative, or fair and independent.
    rng : seed or Generator, optional
        For random signs; 0 by default.

    Raises
    ------
    InputError
        When an argument is out of range, or m is odd with halves.

    Notes
    -----
    Source: neuron_partition 6, the scaling of Wang, Ma 2023. For the
    unscaled signs of Wang, Ma 2022 take scale = sqrt(m).

    Examples
    --------
    >>> output_weights(4)
    array([ 0.5,  0.5, -0.5, -0.5])
    """
    m, scale = positive_int("m", m), positive_real("scale", scale)
    if one_of("signs", signs, ("halves", "random")) == "random":
        chosen = streams(rng, 1)[0].integers(2, size=m) * 2.0 - 1.0
    elif m % 2:
        raise InputError(f"m: expected an even number of neurons with signs='halves', got {m}")
    else:
        chosen = np.repeat([1.0, -1.0], m // 2)
    return scale / np.sqrt(m) * chosen


def spherical_weights(
    m: int, d: int, scale: float = 1.0, *, runs: int | None = None, rng: Any = None
) -> Array:
    """Return hidden weights w_k = scale/sqrt(m) v_k with v_k uniform on the sphere, (m, d) or (runs, m, d).

    Parameters
    ----------
    m, d : int
        Neurons and input dimension.
    scale : float
        kappa_1 > 0.
    runs : int, optional
        Number of runs; run r is the same whatever their number.
    rng : seed or Generator, optional
        0 by default.

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Source: neuron_partition 6, the scaling of Wang, Ma 2023.

    Examples
    --------
    >>> W = spherical_weights(9, 3, scale=6.0)
    >>> bool(np.allclose(np.linalg.norm(W, axis=1), 2.0))
    True
    """
    m, d, scale = positive_int("m", m), positive_int("d", d), positive_real("scale", scale)
    rows = _normal(m, d, runs, rng)
    return scale / np.sqrt(m) * rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def biased_weights(m: int, d: int, scale: float, *, runs: int | None = None, rng: Any = None) -> Array:
    """Return hidden weights with entries N(0, scale²) and a bias `scale`, (m, d + 1) or (runs, m, d + 1).

    Parameters
    ----------
    m, d : int
        Neurons, and input dimension without the constant coordinate.
    scale : float
        kappa > 0.
    runs : int, optional
        Number of runs; run r is the same whatever their number.
    rng : seed or Generator, optional
        0 by default.

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Source: neuron_partition 1, the start of Wang, Ma 2022; for a problem with ``bias=True``.

    Examples
    --------
    >>> biased_weights(2, 3, scale=0.5)[:, -1]
    array([0.5, 0.5])
    """
    m, d, scale = positive_int("m", m), positive_int("d", d), positive_real("scale", scale)
    rows = _normal(m, d, runs, rng)
    return scale * np.concatenate([rows, np.ones((*rows.shape[:-1], 1))], axis=-1)


def balanced_output(W: Any, signs: Any) -> Array:
    """Return output weights a_k = s_k |w_k|, with no imbalance, (..., m).

    Parameters
    ----------
    W : array_like (..., m, d)
    signs : array_like (..., m)
        Numbers of which the signs count; none may be zero.

    Raises
    ------
    InputError
        When shapes do not fit, or a sign is zero.

    Notes
    -----
    Source: neuron_partition A5: gradient flow of both layers then keeps every sign.

    Examples
    --------
    >>> balanced_output([[3.0, 4.0], [0.0, 1.0]], [1, -1])
    array([ 5., -1.])
    """
    W, signs = real_array("W", W), real_array("signs", signs)
    if W.ndim < 2 or signs.shape[-1:] != W.shape[-2:-1]:
        raise InputError(
            f"W, signs: expected shapes (..., m, d) and (..., m), got {W.shape} and {signs.shape}"
        )
    if (signs == 0).any():
        raise InputError("signs: expected numbers that are not zero")
    return np.sign(signs) * np.linalg.norm(W, axis=-1)


def _normal(m: int, d: int, runs: int | None, rng: Any) -> Array:
    """Standard normal entries, one stream per run."""
    if runs is None:
        return streams(rng, 1)[0].standard_normal((m, d))
    return np.stack([stream.standard_normal((m, d)) for stream in streams(rng, positive_int("runs", runs))])
