"""Relatives of the balanced flow that the same propagator solves: symmetric targets, and weight decay."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import Array, mT, polynomial
from toymodels.errors import AssumptionError, InputError
from toymodels.linear import formulas
from toymodels.linear.generator import Generator, generator, merged
from toymodels.linear.riccati import Propagator
from toymodels.linear.statistics import EPS
from toymodels.validation import positive_real, real_array, time_array


@polynomial("(n,m),(n,n)->(n,m)", words=True)
def symmetric_velocity(U: Array, target: Array) -> Array:
    """Velocity (target - U Uᵀ) U of symmetric factorisation. Source: linear_nets 5.10."""
    return (target - U @ mT(U)) @ U


@polynomial("(m,d),(c,m),(c,d),(m,m)->(m,d),(c,m)", words=True)
def decaying_velocity(W1: Array, W2: Array, S: Array, decay: Array) -> tuple[Array, Array]:
    """Velocities under weight decay, a multiple of the identity; white inputs. Source: linear_nets 5.10."""
    first, second = formulas.chain(W1, W2, S - formulas.product(W1, W2))
    return first - decay @ W1, second - W2 @ decay


def symmetric_flow(target: Any, U0: Any, t: Any) -> Array:
    """Return X = U Uᵀ along ``U' = (target - U Uᵀ) U``.

    Parameters
    ----------
    target : array_like (n, n)
        Symmetric, of any signs; modes of negative eigenvalues die out.
    U0 : array_like (n, m)
        Start, any width.
    t : float or array_like (T,)
        Times, not decreasing; inf allowed.

    Returns
    -------
    array, t.shape + (n, n)

    Raises
    ------
    InputError
        When the target is not symmetric, or an argument does not fit.

    Notes
    -----
    Source: linear_nets 5.10: sqrt(2) U obeys the balanced flow with F = target.

    Examples
    --------
    >>> symmetric_flow([[2.0, 0.0], [0.0, -1.0]], [[0.1], [0.1]], np.inf).round(12)
    array([[2., 0.],
           [0., 0.]])
    """
    target, U0, times = real_array("target", target, 2), real_array("U0", U0, 2), time_array("t", t)
    n = len(target)
    if target.shape != (n, n) or np.abs(target - target.T).max() > 8 * EPS * np.abs(target).max():
        raise InputError(f"target: expected a symmetric matrix, got shape {target.shape}")
    if len(U0) != n:
        raise InputError(f"U0: expected shape ({n}, m), got {U0.shape}")
    rates, vectors = np.linalg.eigh((target + target.T) / 2)
    noise = 4 * n * EPS * np.abs(rates).max()
    F = Generator(merged(rates[::-1], noise), vectors[:, ::-1], noise)
    grams = Propagator(F, np.sqrt(2) * U0).gram(times.ravel()) / 2
    return grams.reshape(times.shape + (n, n))


def weight_decay_flow(S: Any, W1: Any, W2: Any, decay: float, t: Any) -> Array:
    """Return the Gram matrix QQᵀ, Q = [W1ᵀ; W2], of balanced layers under weight decay.

    Whitened inputs, target S, loss |S - W|²/2 + decay (|W1|² + |W2|²)/2.

    Parameters
    ----------
    S : array_like (c, d)
    W1, W2 : array_like (m, d), (c, m)
        Balanced: W2ᵀW2 = W1W1ᵀ.
    decay : float
        >= 0.
    t : float or array_like (T,)
        Times, not decreasing; inf allowed.

    Returns
    -------
    array, t.shape + (d + c, d + c)
        The product is its lower left block.

    Raises
    ------
    InputError
        When an argument does not fit.
    AssumptionError
        When the layers are not balanced: their imbalance decays, and the
        equation is another one.

    Notes
    -----
    Source: linear_nets 5.10: F becomes F - decay I. The limit is `soft_threshold`.

    Examples
    --------
    >>> W = np.eye(2) / 10
    >>> weight_decay_flow(np.diag([3.0, 1.0]), W, W, 1.5, np.inf)[2:, :2].round(12)
    array([[1.5, 0. ],
           [0. , 0. ]])
    """
    S, W1, W2 = (real_array(name, x, 2) for name, x in (("S", S), ("W1", W1), ("W2", W2)))
    decay, times = positive_real("decay", decay, allow_zero=True), time_array("t", t)
    (c, d), m = S.shape, len(W1)
    if W1.shape != (m, d) or W2.shape != (c, m):
        raise InputError(f"W1, W2: expected shapes (m, {d}) and ({c}, m), got {W1.shape} and {W2.shape}")
    Q0 = np.concatenate([W1.T, W2])
    square = float(np.sum(Q0 * Q0))
    defect = float(np.linalg.norm(formulas.imbalance(W1, W2))) / (square or 1.0)
    if defect > 1e-12 * (c + d + m):
        raise AssumptionError("W1, W2: expected balanced layers, W2ᵀW2 = W1W1ᵀ", defect)
    F = generator(S, 0.0, defect * square)
    shifted = F._replace(rates=F.rates - decay)
    return Propagator(shifted, Q0, defect).gram(times.ravel()).reshape(times.shape + (c + d, c + d))


def soft_threshold(S: Any, decay: float) -> Array:
    """Return the minimiser of |S - W|²/2 + decay |W|_*, singular values max(s - decay, 0).

    Parameters
    ----------
    S : array_like (c, d)
    decay : float
        >= 0.

    Raises
    ------
    InputError
        When an argument is not valid.

    Examples
    --------
    >>> soft_threshold(np.diag([3.0, 1.0]), 1.5)
    array([[1.5, 0. ],
           [0. , 0. ]])
    """
    S, decay = real_array("S", S, 2), positive_real("decay", decay, allow_zero=True)
    U, s, Vt = np.linalg.svd(S, full_matrices=False)
    return (U * np.maximum(s - decay, 0.0)) @ Vt
