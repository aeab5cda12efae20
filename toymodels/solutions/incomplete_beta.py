"""The clock of a power law with saturation: ``dc/dT = ± c^{1-beta} (1 - c)^e`` for a share c in [0, 1/2].

Elapsed times are incomplete beta functions. Here they are differences from the
start, in units of the start's own pace (T times c0^-beta), summed as

    T = sum_k (e)_k/k! c^k (integral of exp(-(k + beta) l) over the distance l = |ln(c / c0)|),

a series of ratio at most 1/2 whose terms have one sign, or sum to at least half
of the first one. So short times, tiny shares and times of order 1e300 all keep
their digits, for every beta >= -1 and -1 <= e <= 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toymodels.arithmetic.elementary import decay_integral

Array = np.ndarray

_TERMS = 64
"""Terms of a series of ratio 1/2 whose coefficients grow like k."""
_SETTLED = 4 * np.finfo(float).eps
_SMALL = 1e-9
"""Newton steps below it that no longer shrink are rounding."""
_MOST_STEPS = 100


class Clock(NamedTuple):
    """Starts of one kind of motion each, all of one shape.

    Attributes
    ----------
    c : Array
        Shares at the start, in [0, 1/2].
    beta, e : Array
        Exponents at small c and at c = 1; beta in [-1, 0] where c decays, so that it never ends.
    growing : bool Array
        Whether c grows, to 1/2 at most; it decays elsewhere.
    most : Array
        The distance |ln c| that c can move: ln(1/(2c)), inf where it decays.
    """

    c: Array
    beta: Array
    e: Array
    growing: Array
    most: Array

    def larger(self, distance: Array) -> Array:
        """Return the larger of the shares at both ends of a distance; a c that underflows still grows."""
        grown = np.exp(distance - np.where(self.growing, self.most, distance)) / 2
        return np.where(self.growing, grown, self.c)

    def share(self, distance: Array) -> Array:
        """Return c after a distance."""
        return np.where(self.growing, self.larger(distance), self.c * np.exp(-distance))


def elapsed(clock: Clock, distance: Array) -> Array:
    """Return the time in which |ln c| moves by `distance`, in units of the start's pace.

    Source: own derivation, linear_nets 4.1.
    """
    k = np.arange(_TERMS)
    ratios = (clock.e[..., None] + k) * clock.larger(distance)[..., None] / (k + 1)
    weights = np.cumprod(ratios, axis=-1)
    terms = weights * decay_integral(k + 1 + clock.beta[..., None], distance[..., None])
    lead = np.exp(np.where(clock.growing, clock.beta * distance, 0.0))
    return _leading(clock, distance) + lead * terms.sum(-1)


def _leading(clock: Clock, distance: Array) -> Array:
    """The first term of `elapsed`, the clock of the pure power law."""
    return decay_integral(np.where(clock.growing, -clock.beta, clock.beta), distance)


def _distance(clock: Clock, leading: Array) -> Array:
    """The inverse of `_leading`."""
    rate = np.where(clock.growing, clock.beta, -clock.beta)
    turning = (rate != 0) & (leading > 0)
    x = np.maximum(np.multiply(rate, leading, out=np.zeros(rate.shape), where=turning), -1.0)
    mean = np.divide(np.log1p(x), x, out=np.ones(x.shape), where=(x != 0) & (x < 1))
    short = np.multiply(leading, mean, out=np.zeros(x.shape), where=(x < 1) & (leading > 0))
    return np.minimum(np.divide(np.log1p(x), rate, out=short, where=(x >= 1) | (x == -1)), clock.most)


def advance(clock: Clock, time: Array) -> Array:
    """Return the distance that c moves in a time, the inverse of `elapsed`; at most `clock.most`.

    Newton's method in the clock of the pure power law, whose slope (1 - c)^-e
    lies between 1/2 and 4 and is monotone along the way: from the first guess,
    the time over the slope at the start, it approaches the root from one side.
    """
    end = _leading(clock, clock.most)
    leading = np.minimum(time * (1 - clock.c) ** clock.e, end)
    moving = np.isfinite(leading) & (leading > 0)
    distance = _distance(clock, leading)
    last = np.full(time.shape, np.inf)
    for _ in range(_MOST_STEPS):
        passed = np.where(moving, distance, 0.0)
        missed = np.subtract(time, elapsed(clock, passed), out=np.zeros(time.shape), where=moving)
        step = missed * (1 - clock.share(passed)) ** clock.e
        leading = np.where(moving, np.clip(leading + step, 0.0, end), leading)
        distance = _distance(clock, leading)
        size = np.abs(step)
        settled = (size <= _SETTLED * leading) | ((size <= _SMALL * leading) & (size >= last))
        last = size
        if settled[moving].all():
            break
    return distance
