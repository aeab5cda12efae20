"""The first zero among sums of decaying exponentials, with none stepped over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toymodels.arithmetic.elementary import decay_integral

Array = np.ndarray

EPS = np.finfo(float).eps


class Zero(NamedTuple):
    """The index of a function and the time of its zero."""

    which: int
    t: float


def first_descent(start: Array, moves: Array, rates: Array, floors: Array) -> Zero | None:
    """Return the first time at which one of several functions passes zero downwards, and which.

    Function c is ``start_c + sum_j moves_jc (1 - e^{-rates_j t}) / rates_j``. On
    an interval its decreasing terms bound it from below, and so does a parabola,
    so that time can advance by steps that hold no zero.

    Parameters
    ----------
    start : (c,)
        Values at time 0, at least -floors.
    moves : (r, c)
    rates : (r,)
        Positive.
    floors : (c,)
        How far below zero a value may be by rounding.

    Examples
    --------
    >>> zero = first_descent(np.array([1.0, 1.0]), np.array([[-1.0, -3.0]]), np.array([2.0]), np.zeros(2))
    >>> zero.which, bool(np.isclose(zero.t, np.log(3) / 2))
    (1, True)
    """
    if len(rates) == 0 or len(start) == 0:
        return None
    t, value, peak, step = 0.0, start, start, 1 / rates.max()
    while True:
        speeds = moves * np.exp(-rates * t)[:, None]
        falls, rises = np.minimum(speeds, 0), np.maximum(speeds, 0)
        if (value + (falls / rates[:, None]).sum(0) >= -floors).all():
            return None
        speed, bend = speeds.sum(0), rates @ rises
        while (failing := _failing(value, speed, bend, falls, rises, rates, step, floors)).any():
            step /= 2
            if t + step == t or step * rates.max() < EPS**2:
                index = int(np.argmax(failing))
                # One that drifts away from zero has no zero to go back to.
                drifts = peak[index] <= floors[index] and -t * moves[:, index].sum() < floors[index] / 2
                return Zero(index, t if drifts else _polished(t, start[index], moves[:, index], rates))
        t += step
        value = start + decay_integral(rates, np.full(rates.shape, t)) @ moves
        peak, step = np.maximum(peak, value), 2 * step


def _failing(
    value: Array,
    speed: Array,
    bend: Array,
    falls: Array,
    rises: Array,
    rates: Array,
    step: float,
    floors: Array,
) -> Array:
    """The functions (c,) that three lower bounds let pass below the floor within the step."""
    by_falls = value + decay_integral(rates, step) @ falls
    by_bend = value + step * speed - step * step / 2 * bend
    slowest = falls.sum(0) + np.exp(-rates * step) @ rises
    return (np.maximum(by_falls, by_bend) < -floors) & ((slowest < 0) | (value < -floors))


def _polished(t: float, start: float, moves: Array, rates: Array) -> float:
    """Newton steps towards the zero near t, never before 0."""
    for _ in range(4):
        slope = float(moves @ np.exp(-rates * t))
        if not slope < 0:
            break
        t = max(t - float(start + moves @ decay_integral(rates, np.full(rates.shape, t))) / slope, 0.0)
    return t
