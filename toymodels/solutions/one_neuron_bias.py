"""The implicit bias of one linear neuron: which interpolator it finds, and the potential it minimises.

For any X the part of w orthogonal to the rows of X is frozen and delta = a^2 -
|w|^2 conserved (unit rates); so the limit is known from the sign of a alone.
As a flow of beta = a w it is a time-warped mirror flow of the potential

    Phi(beta) = (spread - 2 delta) sqrt(spread + delta) / 3,
    spread = sqrt(delta^2 + 4 |beta|^2) = a^2 + |w|^2.

The formulas take root = sqrt(spread + delta) = sqrt(2) |a| beside spread, so
they are rational; (spread - delta)(spread + delta) = 4 |beta|^2 removes every
cancellation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import identity_like, outer, rational
from toymodels.errors import InputError
from toymodels.solutions.scaling import broadcast
from toymodels.solutions.vectors import norm, vector_array
from toymodels.validation import real_array

Array = Any


@rational("(),(),()->()")
def potential_value(spread: Array, delta: Array, root: Array) -> Array:
    """Phi. Source: Kunin et al. 2024; linear_nets 6.7."""
    return (spread - 2 * delta) * root / 3


@rational("(d),(1)->(d)")
def mirror(beta: Array, root: Array) -> Array:
    """Gradient of Phi, sqrt(spread - delta) beta / |beta|. Source: Kunin et al. 2024; linear_nets 6.7."""
    return 2 * beta / root


@rational("(d),(1,1),(1,1)->(d,d)")
def potential_curvature(direction: Array, spread: Array, root: Array) -> Array:
    """Hessian of Phi, direction = beta / |beta|. Source: own derivation, linear_nets 6.7."""
    along = outer(direction, direction)
    return root / spread * along + 2 / root * (identity_like(direction) - along)


@rational("(d),(1,1)->(d,d)")
def mobility(beta: Array, root: Array) -> Array:
    """M = a^2 I + w w^T as a function of beta. Source: Kunin et al. 2024; linear_nets 6.5."""
    return root * root / 2 * identity_like(beta) + 2 * outer(beta, beta) / (root * root)


def _arguments(beta: Any, delta: Any) -> tuple[Array, Array, Array, Array]:
    """Check, and return beta, delta, spread and root without cancellation."""
    beta, delta = vector_array("beta", beta), real_array("delta", delta)
    try:
        shape = np.broadcast_shapes(beta.shape[:-1], delta.shape)
    except ValueError as error:
        raise InputError(
            f"beta, delta: expected leading axes that broadcast, got shapes {beta.shape} and {delta.shape}"
        ) from error
    beta, delta = np.broadcast_to(beta, shape + beta.shape[-1:]), np.broadcast_to(delta, shape)
    size = norm(beta)
    spread = np.hypot(delta, 2 * size)
    larger = np.sqrt(spread + np.abs(delta))
    other = np.divide(2 * size, larger, out=np.zeros(shape), where=larger > 0)
    return beta, delta, spread, np.where(delta >= 0, larger, other)


def _no_cone(root: Array, what: str) -> None:
    """Refuse the tip of the cone."""
    if (root == 0).any():
        raise InputError(f"beta: expected beta != 0 where delta <= 0; the potential has no {what} there")


def potential(beta: Any, delta: Any) -> Array:
    """Return the potential whose mirror flow one neuron follows.

    Parameters
    ----------
    beta : array_like (..., d)
        Learned map a w (in units of rate 1).
    delta : array_like (...)
        Imbalance a^2 - |w|^2.

    Returns
    -------
    float64 array (...)

    Raises
    ------
    InputError
        When an argument is not valid.

    Notes
    -----
    Convex. delta = 0: (2^{3/2} / 3) |beta|^{3/2}; large delta: a constant plus
    |beta|^2 / sqrt(2 delta). After Kunin et al. 2024, arXiv 2406.06158.

    Examples
    --------
    >>> print(potential([1.0, 1.0], 1.0))
    0.6666666666666666
    """
    _, delta, spread, root = _arguments(beta, delta)
    return potential_value(spread, delta, root)[()]


def potential_gradient(beta: Any, delta: Any) -> Array:
    """Return the gradient of `potential`, (..., d), the mirror map: sqrt(2) sign(a) w.

    Parameters and errors as in `potential`; InputError also for beta = 0 where
    delta < 0, the tip of a cone.

    Notes
    -----
    After Kunin et al. 2024, arXiv 2406.06158; linear_nets 6.7.

    Examples
    --------
    >>> potential_gradient([3.0, 4.0], 0.0).round(6)
    array([1.897367, 2.529822])
    """
    beta, delta, _, root = _arguments(beta, delta)
    if ((root == 0) & (delta < 0)).any():
        _no_cone(root, "gradient")
    return mirror(beta, np.where(root == 0, 1.0, root)[..., None])


def mirror_inverse(gradient: Any, delta: Any) -> Array:
    """Return beta from the gradient of `potential`: g sqrt(|g|^2 + 2 delta) / 2.

    Parameters
    ----------
    gradient : array_like (..., d)
        Its square is at least -2 delta.
    delta : array_like (...)

    Raises
    ------
    InputError
        When an argument is not valid, or the gradient is not in the range of
        the mirror map.

    Notes
    -----
    Source: own derivation from linear_nets 6.7.

    Examples
    --------
    >>> mirror_inverse(potential_gradient([3.0, 4.0], -2.0), -2.0).round(12)
    array([3., 4.])
    """
    g, delta = vector_array("gradient", gradient), real_array("delta", delta)
    size = norm(g)
    size, delta = broadcast(gradient=size, delta=delta)
    depth = np.sqrt(2 * np.maximum(-delta, 0.0))
    if (size < depth).any():
        raise InputError("gradient: expected a squared length of at least -2 delta")
    square = np.where(delta >= 0, size * size + 2 * delta, (size - depth) * (size + depth))
    return g * (np.sqrt(square) / 2)[..., None]


def potential_hessian(beta: Any, delta: Any) -> Array:
    """Return the Hessian of `potential`, (..., d, d): sqrt(spread + delta) times the inverse of M.

    Parameters and errors as in `potential`; InputError also for beta = 0 where
    delta <= 0.

    Notes
    -----
    Source: own derivation, linear_nets 6.7.

    Examples
    --------
    >>> potential_hessian([0.0, 0.0], 2.0)
    array([[1., 0.],
           [0., 1.]])
    """
    beta, _, spread, root = _arguments(beta, delta)
    _no_cone(root, "Hessian")
    size = norm(beta)[..., None]
    direction = np.divide(beta, size, out=np.zeros(beta.shape), where=size > 0)
    return potential_curvature(direction, spread[..., None, None], root[..., None, None])


def preconditioner(beta: Any, delta: Any) -> Array:
    """Return M (..., d, d) with beta' = -M X^T (X beta - y) for any data, at unit rates.

    M = (spread + delta)/2 I + (spread - delta)/2 times the projector on beta.
    Parameters and errors as in `potential`; InputError also for beta = 0 where
    delta < 0 (a = 0, and the direction of w is not known).

    Notes
    -----
    After Kunin et al. 2024, arXiv 2406.06158; linear_nets 6.5.

    Examples
    --------
    >>> preconditioner([2.0, 0.0], 0.0)
    array([[4., 0.],
           [0., 2.]])
    """
    beta, delta, _, root = _arguments(beta, delta)
    if ((root == 0) & (delta < 0)).any():
        _no_cone(root, "preconditioner")
    flat = root[..., None, None]
    return np.where(flat == 0, 0.0, mobility(beta, np.where(flat == 0, 1.0, flat)))


def limit_output(k: Any, size: Any, sign: Any = 1) -> Array:
    """Return the output weight at an interpolator, sign sqrt((k + sqrt(k^2 + 4 size^2)) / 2).

    Parameters
    ----------
    k : array_like
        delta plus the squared length of the frozen part of w.
    size : array_like
        Length of the least-norm interpolator, >= 0.
    sign : array_like
        Sign of the output weight at the end.

    Raises
    ------
    InputError
        When an argument is not valid.

    Notes
    -----
    Without cancellation for k < 0. Source: own derivation, linear_nets 6.6.

    Examples
    --------
    >>> limit_output(3.0, 2.0)
    np.float64(2.0)
    >>> print(f"{limit_output(-1e8, 1.0):.12e}")
    1.000000000000e-04
    """
    k, size, sign = broadcast(k=k, size=size, sign=sign)
    if (size < 0).any():
        raise InputError("size: expected numbers >= 0")
    larger = np.sqrt((np.abs(k) + np.hypot(k, 2 * size)) / 2)
    smaller = np.divide(size, larger, out=np.zeros(k.shape), where=larger > 0)
    return (np.sign(sign) * np.where(k >= 0, larger, smaller))[()]
