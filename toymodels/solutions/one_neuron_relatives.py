"""Nets with one output that move like one neuron: m = d balanced neurons, and deep balanced nets.

For m = d neurons with a a^T - W W^T = delta I, delta < 0, the learned map beta
= W^T a moves as one neuron's with -delta: such a net is lazy where one neuron
is rich. A balanced net of depth L moves by a power of |beta| that knows no
imbalance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import identity_like, mT, outer, polynomial, rational, trace
from toymodels.errors import InputError
from toymodels.solutions.vectors import norm, vector_array
from toymodels.validation import positive_int, positive_real

Array = Any


@polynomial("(m,d),(1,m)->(d,d)", words=True)
def layer_mobility(W: Array, a: Array) -> Array:
    """M = |a|^2 I + W^T W, with beta' = -M X^T (X beta - y) for beta^T = a W. Source: linear_nets 6.5."""
    size = trace(a @ mT(a))
    size = size[..., None, None] if getattr(size, "ndim", 0) else size
    return size * identity_like(W) + mT(W) @ W


@polynomial("(d),(1,1),(1,1)->(d,d)")
def deep_mobility(direction: Array, share: Array, depth: Array) -> Array:
    """|beta|^{2-2/L} (I + (L-1) u u^T), share = |beta|^{1-1/L}. Source: own derivation, linear_nets 6.11."""
    return share * share * (identity_like(direction) + (depth - 1) * outer(direction, direction))


@rational("(d),(1,1),(1,1)->(d,d)")
def deep_curvature(direction: Array, share: Array, depth: Array) -> Array:
    """Hessian of the deep potential, share = |beta|^{1-1/L}. Source: own derivation, linear_nets 6.11."""
    return (identity_like(direction) - (depth - 1) / depth * outer(direction, direction)) / share


@rational("(),(),()->()")
def deep_potential_value(size: Array, power: Array, depth: Array) -> Array:
    """The deep potential, with power = |beta|^{1/L}. Source: linear_nets 6.11."""
    return depth * size * power / (depth + 1)


def wide_weights(a: Any, delta: float) -> Array:
    """Return the symmetric W (d, d) with ``a a^T - W W^T = delta I``, delta < 0.

    Any W O with O orthogonal serves as well.

    Parameters
    ----------
    a : array_like (d,)
        Output weights of as many neurons as inputs.
    delta : float
        Imbalance, < 0; no such net of several neurons has delta > 0.

    Raises
    ------
    InputError
        When an argument is not valid.

    Notes
    -----
    Source: own derivation, linear_nets 6.10.

    Examples
    --------
    >>> wide_weights([0.0, 3.0], -16.0)
    array([[4., 0.],
           [0., 5.]])
    """
    a = vector_array("a", a)
    if a.ndim != 1:
        raise InputError(f"a: expected shape (d,), got {a.shape}")
    root = np.sqrt(positive_real("-delta", -delta))
    stretched = np.hypot(root, norm(a))
    return root * np.eye(len(a)) + np.outer(a, a) / (stretched + root)


def _polar(beta: Any, depth: int) -> tuple[Array, Array, Array, Array]:
    """Direction, size, size^{1-1/L} and depth, the numbers shaped to multiply matrices."""
    beta, depth = vector_array("beta", beta), positive_int("depth", depth)
    size = norm(beta)[..., None]
    direction = np.divide(beta, size, out=np.zeros(beta.shape), where=size > 0)
    return direction, size[..., None], size[..., None] ** (1 - 1 / depth), np.full((1, 1), depth)


def deep_preconditioner(beta: Any, depth: int) -> Array:
    """Return M (..., d, d) with beta' = -M X^T (X beta - y) for a balanced net of L layers and one output.

    Parameters
    ----------
    beta : array_like (..., d)
    depth : int
        Number of layers L >= 1.

    Raises
    ------
    InputError
        When an argument is not valid.

    Notes
    -----
    M = |beta|^{2-2/L} (I + (L-1) u u^T), u = beta / |beta|; the identity for L
    = 1. Source: own derivation, linear_nets 6.11; depth 2 is one balanced neuron.

    Examples
    --------
    >>> deep_preconditioner([2.0, 0.0], 2)
    array([[4., 0.],
           [0., 2.]])
    """
    direction, _, share, layers = _polar(beta, depth)
    return deep_mobility(direction, share, layers)


def deep_potential(beta: Any, depth: int) -> Array:
    """Return the potential L/(L+1) |beta|^{1+1/L} of a balanced net of L layers and one output.

    The learned map is a time-warped mirror flow of it: M times its Hessian is
    |beta|^{1-1/L} I. Parameters and errors as in `deep_preconditioner`.

    Notes
    -----
    Source: own derivation, linear_nets 6.11.

    Examples
    --------
    >>> deep_potential([3.0, 4.0], 1)
    np.float64(12.5)
    """
    _, size, _, layers = _polar(beta, depth)
    return deep_potential_value(size, size ** (1 / depth), layers)[..., 0, 0][()]


def deep_potential_hessian(beta: Any, depth: int) -> Array:
    """Return the Hessian of `deep_potential`, (..., d, d).

    Parameters and errors as in `deep_preconditioner`; InputError also for
    beta = 0 at depth > 1.

    Notes
    -----
    Source: own derivation, linear_nets 6.11.

    Examples
    --------
    >>> deep_potential_hessian([4.0, 0.0], 2)
    array([[0.25, 0.  ],
           [0.  , 0.5 ]])
    """
    direction, _, share, layers = _polar(beta, depth)
    if (share == 0).any():
        raise InputError("beta: expected beta != 0, where the potential has a Hessian")
    return deep_curvature(direction, share, layers)
