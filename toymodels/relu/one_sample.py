"""Gradient flow on one sample, both layers trained: every living neuron turns through one hyperbolic angle.

With p_k = w_k . x/|x| each living neuron has a_k + p_k growing by e^tau and
a_k - p_k shrinking by it, so f is a function of E = e^{2 tau}, and E solves a
scalar equation. It holds until a p_k reaches zero; that neuron is then dead,
and the same equation goes on with the sums over the others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic import rational
from toymodels.errors import AssumptionError
from toymodels.losses import Loss
from toymodels.relu.kinks import BEYOND, TOUCHING
from toymodels.solutions.ei_law import exponential_output, logistic_output

Array = np.ndarray


@rational("(),(),()->(),()")
def turn(a: Array, p: Array, s: Array) -> tuple[Array, Array]:
    """Changes of a and p by the angle tau, with s = e^tau: a + p grows by s. Source: neuron_partition D3."""
    grown, shrunk = (a + p) * (s - 1), (a - p) * (1 - s) / s
    return (grown + shrunk) / 2, (grown - shrunk) / 2


@rational("(),(),()->()")
def output(plus: Array, minus: Array, E: Array) -> Array:
    """sum_k a_k p_k from sum (a_k + p_k)²/4 and sum (a_k - p_k)²/4. Source: neuron_partition D3."""
    return plus * E - minus / E


@rational("(),(),(),(),()->()")
def square_clock(E0: Array, A: Array, B: Array, C: Array, T: Array) -> Array:
    """E under E' = -A E² + 2 B E + C, with T = tanh(D t)/D and D² = B² + A C. Source: neuron_partition D3."""
    return (E0 + T * (B * E0 + C)) / (1 + T * (A * E0 - B))


class _Leg(NamedTuple):
    """The square loss between two deaths: E' = -A E² + 2 B E + C from time t and E = E0 on."""

    t: float
    E0: float
    A: float
    B: float
    C: float

    @property
    def rate(self) -> float:
        return float(np.sqrt(self.B * self.B + self.A * self.C))

    def time_to(self, E: float) -> float:
        """Time from the leg's start until the clock shows E; inf if it never does."""
        pull = self.C + self.B * (self.E0 + E) - self.A * self.E0 * E
        T = (E - self.E0) / pull if pull != 0 else np.inf
        if not (0 <= T < np.inf and self.rate * T < 1):
            return np.inf
        return float(np.arctanh(self.rate * T) / self.rate) if self.rate > 0 else T

    def clock(self, t: Array) -> Array:
        """E at times t, after the start of the leg or inf: `square_clock` without cancellation."""
        E0, A, B, C, D = self.E0, self.A, self.B, self.C, self.rate
        if D == 0:
            return np.where(A + C == 0, E0, (E0 + _times(C, t - self.t)) / (1 + _times(A * E0, t - self.t)))
        done = np.tanh(D * (t - self.t))
        T, left = done / D, 2 / (np.exp(np.minimum(2 * D * (t - self.t), 700.0)) + 1)
        larger, smaller = 1 + T * abs(B), np.where(t < np.inf, left, 0) + done * (A / D) * (C / (D + abs(B)))
        up, down = (larger, smaller) if B > 0 else (smaller, larger)
        with np.errstate(divide="ignore"):
            return (E0 * up + T * C) / (down + T * A * E0)


def _times(x: float, t: Array) -> Array:
    """x t, 0 where x is 0 and t is infinite."""
    return x * t if x > 0 else np.zeros(np.shape(t))


class OneSample:
    """One run on one sample; see `toymodels.relu.closed.closed_form`.

    Parameters
    ----------
    W, a : (m, d), (m,)
        The start.
    x, y, weight : (d,), float, float
        The sample, its target and its weight.
    loss : Loss
        Any with the square loss. With the others it is closed where all living
        neurons have a_k = p_k, or all a_k = -p_k.
    rates : (2,)
        Factors > 0 on the velocities of W and a.
    tolerance : float
        Relative distance up to which neurons count as aligned, and are made so
        exactly. With inf they keep their distance, which the clock does not feel.

    Raises
    ------
    AssumptionError
        When the loss is not square and neurons are not aligned, or a neuron is
        on a kink that repels it.

    Notes
    -----
    Source: neuron_partition D3, D4; own: deaths in order, and unequal rates.
    """

    def __init__(
        self,
        W: Array,
        a: Array,
        x: Array,
        y: float,
        weight: float,
        loss: Loss,
        rates: Array,
        tolerance: float,
    ):
        size = float(np.linalg.norm(x))
        self._W, self._direction = W, x / size if size > 0 else x
        self._units = np.sqrt(rates)
        p = W @ self._direction
        touching = np.abs(p) <= TOUCHING * np.linalg.norm(W, axis=-1)
        self._living = (p > 0) & ~touching
        self._a, self._p = a / self._units[1], np.where(self._living, p, 0.0) / self._units[0]
        self._unit = size * float(self._units.prod())
        self._speed, self._y, self._loss = weight * self._unit, y, loss
        slope = loss.slope(np.array(self._unit * (self._a @ self._p)), np.array(y))
        self._heading = float(-np.sign(slope)) if self._speed > 0 else 0.0
        if (touching & (self._a * self._heading > 0)).any():
            raise AssumptionError("theta0: expected no neuron on a kink that repels it")
        if loss.name != "square":
            self._align(tolerance)
        self._until = self._ends()
        self.events: list[dict[str, Any]] = []
        self._legs = self._square_legs() if loss.name == "square" else []

    def _ends(self) -> Array:
        """E at which each neuron dies; 1 for those that never live, the end of the clock for the others."""
        end = np.inf if self._heading > 0 else 0.0
        dies = self._living & (self._heading * self._a < 0) & (np.abs(self._a) > self._p)
        ratio = np.divide(self._a - self._p, self._a + self._p, out=np.full(len(dies), end), where=dies)
        return np.where(self._living, ratio, 1.0)

    def _square_legs(self) -> list[_Leg]:
        """The legs, in the order of deaths."""
        legs, living, t, E = [], self._living.copy(), 0.0, 1.0
        while True:
            plus, minus = (((self._a + sign * self._p)[living] ** 2).sum() / 2 for sign in (1, -1))
            strength = self._speed * self._unit
            legs.append(_Leg(t, E, strength * plus, self._speed * self._y, strength * minus))
            if self._heading == 0 or not living.any():
                return legs
            ahead = self._heading * self._until
            E = float(self._until[living][np.argmin(ahead[living])])
            t += legs[-1].time_to(E) if 0 < E < np.inf else np.inf
            if t == np.inf:
                return legs
            for k in np.flatnonzero(living & (self._until == E)):
                living[k] = False
                self.events.append(
                    {"kind": "inactive", "from": "active", "neuron": int(k), "sample": 0, "time": t}
                )

    def _align(self, tolerance: float) -> None:
        """Check that all living neurons are aligned in the same way, and make them so exactly."""
        living = self._living
        apart = [np.linalg.norm((self._a - sign * self._p)[living]) for sign in (1, -1)]
        residual = min(apart) / (np.linalg.norm(self._a[living]) or 1.0)
        if residual > tolerance:
            raise AssumptionError(
                "theta0: expected the square loss, or all a_k = w_k . x/|x| (or minus it) of living neurons",
                float(residual),
            )
        if tolerance < np.inf:
            self._a = np.where(living, self._p if apart[0] <= apart[1] else -self._p, self._a)

    def at(self, t: Array) -> tuple[Array, Array]:
        """Return W (T, m, d) and a (T, m) at times (T,).

        Raises
        ------
        AssumptionError
            At t = inf where the weights grow without bound.
        """
        E = self._clock(t)
        ended = E[:, None] >= self._until if self._heading > 0 else E[:, None] <= self._until
        shown = np.where(ended, self._until, E[:, None])
        vanished = (shown == 0) | (shown == np.inf)
        change = turn(self._a, self._p, np.sqrt(np.where(vanished, 1.0, shown)))
        # aligned neurons shrink to the origin, but any distance from them grows without bound there
        aligned = np.abs(self._a) == self._p
        da, dp = (
            np.where(vanished, np.where(aligned, -start, np.inf), moved)
            for start, moved in zip((self._a, self._p), change, strict=True)
        )
        beyond = BEYOND * np.linalg.norm(self._W, axis=-1) / self._units[0]
        dp = np.where(ended & self._living & ~vanished, -self._p - beyond, dp)
        W = self._W + self._units[0] * dp[..., None] * self._direction
        return W, self._units[1] * self._a + self._units[1] * da

    def _clock(self, t: Array) -> Array:
        """E = e^{2 tau} at times (T,)."""
        if self._heading == 0 or not self._living.any():
            return np.ones(t.shape)
        if self._loss.name == "square":
            starts = np.array([leg.t for leg in self._legs])
            which = np.searchsorted(starts, t, side="right") - 1
            return np.array([float(self._legs[j].clock(s)) for j, s in zip(which, t, strict=True)])
        f = self._unit * (self._a @ self._p)
        label, solve = self._y * np.sign(f), {"exponential": exponential_output, "logistic": logistic_output}
        if label > 0 and (t == np.inf).any():
            raise AssumptionError("t: expected finite times, since the weights grow without bound")
        ratio = solve[self._loss.name](abs(f), 2 * self._speed, t, label) / abs(f)
        with np.errstate(divide="ignore"):
            return ratio if f > 0 else 1 / ratio
