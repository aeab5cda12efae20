"""The balanced scalar mode: ``u' = 2 u (s - u)``, the logistic equation of a deep-learning sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import rational
from toymodels.arithmetic.elementary import decay_integral, growth_time
from toymodels.errors import InputError
from toymodels.solutions.scaling import broadcast

Array = Any


@rational("(),(),()->()")
def growing(u0: Array, E: Array, J: Array) -> Array:
    """u(t) with E = e^{-2st} and J its integral, for s >= 0. Source: Saxe et al. 2014; linear_nets 3.6."""
    return u0 / (E + 2 * u0 * J)


@rational("(),(),()->()")
def shrinking(u0: Array, E: Array, J: Array) -> Array:
    """u(t) with E = e^{2st} and J its integral, for s <= 0. Source: linear_nets 3.6."""
    return u0 * E / (1 + 2 * u0 * J)


def logistic(u0: Any, s: Any, t: Any, weight_decay: Any = 0.0) -> Array:
    """Return the product u = a b of a balanced mode (a0 = b0) at time t.

    It solves ``u' = 2 u (s - weight_decay - u)``, the scalar mode with the
    penalty ``weight_decay (a^2 + b^2) / 2``: the limit is s - weight_decay, or
    0 where that is negative.

    Parameters
    ----------
    u0 : array_like
        Initial product a0^2, >= 0.
    s : array_like
        Target, any real number.
    t : array_like
        Times, >= 0, inf allowed.
    weight_decay : array_like
        Strength of the decay, >= 0.

    Returns
    -------
    float64 array of the common shape

    Raises
    ------
    InputError
        When an argument is not real and finite (t: negative or nan), u0 or
        weight_decay is negative, or the shapes do not broadcast.

    Notes
    -----
    Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120; weight
    decay: own derivation, linear_nets 3.9.

    Examples
    --------
    >>> logistic(0.01, 1.0, [0.0, 2.0, np.inf])
    array([0.01      , 0.35546099, 1.        ])
    >>> print(logistic(0.01, 1.0, np.inf, weight_decay=0.5))
    0.5
    """
    u0, s, t, decay = broadcast(u0=u0, s=s, t=t, weight_decay=weight_decay)
    for name, value in (("u0", u0), ("weight_decay", decay)):
        if (value < 0).any():
            raise InputError(f"{name}: expected numbers >= 0")
    rate = s - decay
    t = np.where(u0 == 0, 0.0, t)
    with np.errstate(under="ignore", over="ignore"):
        turns = np.multiply(np.abs(rate), t, out=np.zeros(t.shape), where=(rate != 0) & (t > 0))
        E, J = np.exp(-2 * turns), decay_integral(2 * np.abs(rate), t)
        return np.asarray(np.where(rate > 0, growing(u0, E, J), shrinking(u0, E, J)))[()]


def logistic_time(u0: Any, u: Any, s: Any) -> Array:
    """Return the time at which the balanced mode goes from u0 to u.

    Parameters
    ----------
    u0, u : array_like
        Products, > 0.
    s : array_like
        Target, any real number.

    Returns
    -------
    t : float64 array
        Negative when u lies behind u0; inf at the limit and where the flow
        never passes u at any real time.

    Raises
    ------
    InputError
        When an argument is not real and finite, or u0 or u is not positive.

    Notes
    -----
    Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120.

    Examples
    --------
    >>> t = logistic_time(1e-3, 0.5, 1.0)
    >>> print(f"{t:.6f} {logistic(1e-3, 1.0, t):.6f}")
    3.453377 0.500000
    """
    u0, u, s = broadcast(u0=u0, u=u, s=s)
    if (u0 <= 0).any() or (u <= 0).any():
        raise InputError("u0, u: expected numbers > 0")
    passes = (s - u) * np.sign(s - u0) > 0
    passes |= u == u0
    # ln(u (s - u0) / (u0 (s - u))) / (2 s), as a growth time where the argument is near 1.
    safe = np.where(passes & (u != u0), u, np.where(s == 2 * u0, 4 * u0, 2 * u0))
    with np.errstate(under="ignore", over="ignore"):
        rise = (safe - u0) / u0 / (s - safe)
        near = np.abs(s * rise) < 0.5
        close = growth_time(np.where(near, s, 0.0), rise)
        ratio = np.abs((s - u0) / np.where(s == safe, 1.0, s - safe))
        far = np.log(safe / u0) + np.log(np.where(ratio > 0, ratio, 1.0))
        time = np.divide(far, s, out=np.array(close), where=~near) / 2
    return np.where(u == u0, 0.0, np.where(passes, time, np.inf))[()]


def half_time(u0: Any, s: Any) -> Array:
    """Return the time at which the balanced mode reaches s / 2, ln(s / u0 - 1) / (2 s).

    Raises
    ------
    InputError
        When an argument is not real and finite, or not positive.

    Notes
    -----
    Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120; linear_nets 3.6.

    Examples
    --------
    >>> print(f"{half_time(1e-3, 2.0):.6f}")
    1.900101
    """
    u0, s = broadcast(u0=u0, s=s)
    if (s <= 0).any():
        raise InputError("s: expected targets > 0")
    return logistic_time(u0, s / 2, s)
