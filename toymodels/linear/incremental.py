"""Small starts learn one mode after another: the staircase in logarithmic time, and each of its steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import AssumptionError, InputError
from toymodels.linear.generator import generator
from toymodels.linear.statistics import EPS
from toymodels.validation import positive_real, real_array

Array = np.ndarray


def staircase(S: Any, tau: float) -> Array:
    """Return the limit of the Gram matrix at time tau ln(1/alpha) from starts sqrt(alpha) Q0, alpha -> 0.

    Modes of rate f > 1/(2 tau) are learned, the others are not there yet.

    Parameters
    ----------
    S : array_like (c, d)
        Target, whitened inputs.
    tau : float
        Time in units of ln(1/alpha), > 0.

    Returns
    -------
    array (d + c, d + c)
        ``sum 2 f_j v_j v_jᵀ``; the product is its lower left block.

    Raises
    ------
    InputError
        When an argument is not valid.
    AssumptionError
        When a mode switches on at tau itself.

    Notes
    -----
    Source: linear_nets 5.11, own derivation; after Gidel, Bach, Lacoste-Julien
    2019. For a generic start; W_i(0) of size e^{-D} and time D T is tau = T/2.

    Examples
    --------
    >>> staircase(np.diag([2.0, 1.0]), 0.4)[2:, :2].round(12) + 0.0
    array([[2., 0.],
           [0., 0.]])
    """
    S, tau = real_array("S", S, 2), positive_real("tau", tau)
    F = generator(S, 0.0)
    turn = 2 * tau * F.rates - 1
    if np.abs(turn).min() <= 16 * len(turn) * EPS:
        raise AssumptionError("tau: expected a time at which no mode switches on", float(np.abs(turn).min()))
    return (F.vectors * np.where(turn > 0, 2 * F.rates, 0.0)) @ F.vectors.T


def first_step(target: Any, X0: Any, t: Any) -> Array:
    """Return the limit alpha -> 0 of X = UUᵀ at time ln(1/alpha)/(2 mu_1) + t from X(0) = alpha X0.

    U' = (target - UUᵀ) U with eigenvalues mu_1 > mu_2, ... of the target: the
    first step of the staircase in its own time.

    Parameters
    ----------
    target : array_like (n, n)
        Symmetric.
    X0 : array_like (n, n)
        Shape of the start, positive semidefinite.
    t : float or array_like (T,)
        Times of any sign; inf allowed.

    Returns
    -------
    array, t.shape + (n, n)
        ``kap / (e^{-2 mu_1 t} + kap/mu_1) v_1 v_1ᵀ`` with ``kap = v_1ᵀ X0 v_1``.

    Raises
    ------
    InputError
        When an argument does not fit.
    AssumptionError
        When the largest eigenvalue is not positive and simple.

    Notes
    -----
    Source: linear_nets 5.11, own derivation; after Li, Luo, Lyu 2021. The error is of
    order alpha^min(1, (1 - mu_2/mu_1)/2).

    Examples
    --------
    >>> first_step(np.diag([2.0, 1.0]), np.eye(2), np.inf).round(12)
    array([[2., 0.],
           [0., 0.]])
    """
    target, X0 = real_array("target", target, 2), real_array("X0", X0, 2)
    n = len(target)
    if target.shape != (n, n) or X0.shape != (n, n):
        raise InputError(f"target, X0: expected two (n, n) matrices, got {target.shape}, {X0.shape}")
    times = np.asarray(t, dtype=float)
    if np.isnan(times).any():
        raise InputError("t: expected times, got nan")
    values, vectors = np.linalg.eigh((target + target.T) / 2)
    gap = values[-1] - (values[-2] if n > 1 else 0.0)
    if not min(gap, values[-1]) > 4 * n * EPS * np.abs(values).max():
        raise AssumptionError("target: expected a largest eigenvalue that is positive and simple", float(gap))
    v, mu = vectors[:, -1], values[-1]
    kap = v @ X0 @ v
    # e^{2 mu t} and its inverse: whichever is at most one
    grown = np.exp(-2 * mu * np.abs(times))
    size = np.where(times > 0, kap / (grown + kap / mu), kap * grown / (1 + grown * kap / mu))
    return size[..., None, None] * np.outer(v, v)
