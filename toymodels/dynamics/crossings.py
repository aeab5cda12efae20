"""Where along a step a margin first passes zero, double crossings inside the step included.

Margins are sampled at Chebyshev points of the step and interpolated. Bernstein
coefficients bound the polynomial from below, so a margin whose coefficients are
positive has no zero; the others are split at the zeros of their derivative into
monotone pieces, and the first piece that ends below zero holds the crossing.
"""

from __future__ import annotations

from functools import cache
from math import comb
from typing import NamedTuple

import numpy as np

Array = np.ndarray

DEGREE = 10
"""Of the interpolation: above the degree 7 of the integrator's own polynomial."""


class Crossing(NamedTuple):
    """Where a margin leaves the positive numbers.

    Attributes
    ----------
    margin : int
        Which one.
    at, until : float
        Where, and the end of the decreasing piece that it lies on, as fractions of the step.
    slope : float
        Derivative of the margin there, per step.
    level : float
        The margin there: zero, or minus the floor for one that was at zero before and drifts away.
    """

    margin: int
    at: float
    until: float
    slope: float
    level: float


@cache
def fractions() -> Array:
    """Return the Chebyshev points of [0, 1], ends included, (DEGREE + 1,)."""
    return (1 - np.cos(np.pi * np.arange(DEGREE + 1) / DEGREE)) / 2


@cache
def _bernstein() -> Array:
    """Matrix from samples at `fractions` to Bernstein coefficients."""
    x, j = fractions()[:, None], np.arange(DEGREE + 1)
    binomials = np.array([comb(DEGREE, i) for i in j])
    return np.linalg.inv(binomials * x**j * (1 - x) ** (DEGREE - j))


@cache
def _chebyshev() -> Array:
    """Matrix from samples at `fractions` to Chebyshev coefficients on [-1, 1]."""
    return np.linalg.inv(np.polynomial.chebyshev.chebvander(2 * fractions() - 1, DEGREE))


def first_crossing(samples: Array, floors: Array) -> Crossing | None:
    """Return the first crossing of zero that leads below the floor, or None.

    Parameters
    ----------
    samples : array (DEGREE + 1, c)
        The margins at `fractions` of the step.
    floors : array (c,)
        How far below zero a margin may be by the errors of the step alone.

    Examples
    --------
    >>> x = fractions()
    >>> samples = np.stack([1 + x, (x - 0.5) * (x - 0.25)], axis=-1)
    >>> crossing = first_crossing(samples, np.zeros(2))
    >>> crossing.margin, round(crossing.at, 12), round(crossing.slope, 12)
    (1, 0.25, -0.25)
    """
    lowest = (_bernstein() @ samples).min(0)
    found = [
        crossing
        for margin in np.flatnonzero(~(lowest >= -floors))
        if (crossing := _crossing(int(margin), samples[:, margin], float(floors[margin]))) is not None
    ]
    return min(found, key=lambda crossing: crossing.at, default=None)


def _crossing(margin: int, samples: Array, floor: float) -> Crossing | None:
    """The first descent of one margin through zero to below its floor."""
    from numpy.polynomial import chebyshev
    from scipy.optimize import brentq

    if not np.isfinite(samples).all():
        return None
    series = _chebyshev() @ samples
    slope = chebyshev.chebder(series)
    ends = _pieces(slope)
    values = chebyshev.chebval(ends, series)
    below = np.flatnonzero(values[1:] < -floor)
    if len(below) == 0:
        return None
    left, right = map(float, ends[below[0] : below[0] + 2])
    first, level = values[below[0]], 0.0
    if first <= floor:
        there = (
            brentq(lambda x: chebyshev.chebval(x, series) + floor, left, right) if first > -floor else left
        )
        level = -floor if -chebyshev.chebval(left, slope) * (there - left) < floor / 2 else 0.0
    if level == 0:
        there = brentq(lambda x: chebyshev.chebval(x, series), left, right) if first > 0 else left
    return Crossing(
        margin, (1 + there) / 2, (1 + right) / 2, 2 * float(chebyshev.chebval(there, slope)), level
    )


def _pieces(slope: Array) -> Array:
    """Ends of the pieces of [-1, 1] on which a function of this slope is monotone."""
    largest = np.abs(slope).max()
    scaled = slope / largest if largest > 0 else slope
    # Coefficients below rounding would put spurious zeros far outside, at a loss of the others' digits.
    kept = np.trim_zeros(np.where(np.abs(scaled) > 1e-15, scaled, 0), "b")
    zeros = np.polynomial.chebyshev.chebroots(kept).real if len(kept) > 1 else np.zeros(0)
    return np.concatenate([[-1.0], np.sort(zeros[np.abs(zeros) < 1]), [1.0]])
