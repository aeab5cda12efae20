"""Third derivatives of a problem's loss, contracted with two directions, without forming the tensor."""

from __future__ import annotations

import numpy as np

from toymodels.problem import Problem

Array = np.ndarray

_STEP = 1e-30
_NODES = 16
_RADIUS = 1 / 8


def third(problem: Problem, theta: Array, directions: Array) -> Array:
    """Return ``D²(grad L)[v, v]`` for each direction v, runs + (K, p).

    Parameters
    ----------
    problem : Problem
        Whose own `hvp`, or else whose gradient, runs on complex theta.
    theta : array, runs + (p,)
    directions : array, (K, p) or runs + (K, p)

    Notes
    -----
    A complex step of the problem's own `hvp` leaves rounding alone. A problem
    without one has its gradient averaged over a circle of 16 points around theta
    in the complex line along v (Cauchy's formula): exact but for rounding for
    polynomials of degree up to 17, with an error of (radius / distance of the
    nearest pole)^16 else.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.DiagonalLinear([[1.0]], [1.0])
    >>> third(problem, np.array([1.0, 1.0]), np.eye(2))
    array([[0., 2.],
           [2., 0.]])
    """
    theta, v = np.asarray(theta, dtype=float)[..., None, :], np.asarray(directions, dtype=float)
    if type(problem).hvp is not Problem.hvp:
        shifted = theta + 1j * _STEP * v
        return problem.hvp(shifted, np.broadcast_to(v, shifted.shape)).imag / _STEP
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    unit = np.divide(v, length, out=np.zeros(v.shape), where=length > 0)
    radius = _RADIUS * np.maximum(1.0, np.abs(theta).max(-1, keepdims=True))
    turns = np.exp(2j * np.pi * np.arange(_NODES) / _NODES)[:, None]
    around = problem.gradient(theta[..., None, :] + (radius * unit)[..., None, :] * turns)
    return 2 * (around * turns**-2).mean(-2).real * (length / radius) ** 2


def contract(problem: Problem, theta: Array, M: Array) -> Array:
    """Return ``T[M]_i = sum_jk d_ijk L M_jk``, runs + (p,), for symmetric M runs + (p, p).

    It is the gradient of tr(H M) at fixed M.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.DiagonalLinear([[1.0]], [1.0])
    >>> contract(problem, np.array([1.0, 2.0]), np.eye(2)).round(12)
    array([2., 4.])
    """
    values, vectors = np.linalg.eigh(M)
    return (values[..., None] * third(problem, theta, vectors.mT)).sum(-2)
