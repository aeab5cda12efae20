"""The product ``prod_{i=1}^T (1 - x i / T)`` through the Gamma function, without cancellation for small x."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

_ASYMPTOTIC = 12.0
_BINET = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_SERIES = 0.25


def _remainder(z: Array) -> Array:
    """log Gamma(z) - (z - 1/2) log z + z - log(2 pi)/2 for z > 0: Binet's function."""
    from scipy.special import gammaln

    inverse = 1 / np.where(z >= _ASYMPTOTIC, z, _ASYMPTOTIC)
    series = sum(c * inverse ** (2 * k + 1) for k, c in enumerate(_BINET))
    small = np.where(z >= _ASYMPTOTIC, 1.0, z)
    direct = gammaln(small) - (small - 0.5) * np.log(small) + small - np.log(2 * np.pi) / 2
    return np.where(z >= _ASYMPTOTIC, series, direct)


def _mean_log(x: Array) -> Array:
    """The mean of log(1 - u) over 0 <= u <= x, for x < 1."""
    small = np.where(x < _SERIES, x, 0.0)
    series = np.zeros(np.shape(x))
    for k in range(28, 0, -1):
        series = small * (series + 1 / (k * (k + 1)))
    large = np.where(x < _SERIES, 0.5, x)
    return -np.where(x < _SERIES, series, 1 + (1 - large) / large * np.log1p(-large))


def falling(x: Array, steps: Array) -> tuple[Array, Array]:
    """Return sign and logarithm of prod_{i=1}^T (1 - x i / T), x >= 0 and T >= 0.

    For x < 1 it is Stirling's formula with its remainder; from x = 1 on the
    factors with i > T/x are negative.

    Examples
    --------
    >>> sign, log = falling(np.array(0.5), np.array(2.0))
    >>> print((sign * np.exp(log)).round(12))
    0.375
    """
    from scipy.special import gammaln

    x, steps = np.broadcast_arrays(x, steps)
    short = (x < 1) & (x > 0) & (steps > 0)
    part, count = np.where(short, x, 0.5), np.where(short, steps, 1.0)
    with np.errstate(over="ignore", under="ignore"):
        z, left = count / part, count * ((1 - part) / part)
        fallen = count * _mean_log(part) + np.log1p(-part) / 2 + _remainder(z) - _remainder(left)
    long = (x >= 1) & (steps > 0)
    part, count = np.where(long, x, 1.5), np.where(long, steps, 1.0)
    z = count / part
    positive = np.floor(z)
    zero = positive == z
    room, lack = np.where(zero, 1.0, z - positive), np.where(zero, 1.0, positive + 1 - z)
    crossed = gammaln(z) - gammaln(room) + gammaln(count + 1 - z) - gammaln(lack) - count * np.log(z)
    log = np.where(short, fallen, np.where(long, np.where(zero, -np.inf, crossed), 0.0))
    odd = (count - positive) % 2 == 1
    sign = np.where(long, np.where(zero, 0.0, np.where(odd, -1.0, 1.0)), 1.0)
    return sign, log
