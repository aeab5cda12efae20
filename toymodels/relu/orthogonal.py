"""Fixed output weights and orthogonal samples: each sample has its own scalar flow, and neurons die in turn.

The preactivation of a living neuron moves by a_k pi_i |x_i|² times the integral
I_i of the residual, so that false neurons die when |I_i| reaches thresholds
known from the start; in between f_i is linear in I_i and the time is known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic.elementary import decay_integral, growth_time
from toymodels.errors import AssumptionError
from toymodels.losses import Loss
from toymodels.relu.kinks import BEYOND, TOUCHING
from toymodels.solutions.margin_growth import exponential_time, logistic_increment, logistic_time

Array = np.ndarray


class _Leg(NamedTuple):
    """Between two deaths on a sample: from time t and integral I on; its state is a residual or margin."""

    t: float
    I: float
    state: float
    rate: float


class _Residual:
    """Square loss: the size of the residual, |r|' = -rate |r|, with I' = |r|."""

    @staticmethod
    def time(leg: _Leg, rise: float) -> float:
        """Time until I has risen by `rise`; inf if it never does."""
        growth = rise / leg.state
        return float(growth_time(-leg.rate, growth)) if leg.rate * growth < 1 else np.inf

    @staticmethod
    def moved(leg: _Leg, rise: float) -> float:
        """The residual there."""
        return leg.state - leg.rate * rise

    @staticmethod
    def rise(leg: _Leg, t: Array) -> Array:
        """The rise of I after times t, inf allowed."""
        return leg.state * decay_integral(leg.rate, t)


class _Exponential:
    """Exponential loss: the margin, q' = rate e^{-q}, with I' = e^{-q}."""

    @staticmethod
    def time(leg: _Leg, rise: float) -> float:
        """Time until I has risen by `rise`."""
        return float(exponential_time(leg.state, leg.rate, rise))

    @staticmethod
    def moved(leg: _Leg, rise: float) -> float:
        """The margin there."""
        return leg.state + leg.rate * rise

    @staticmethod
    def rise(leg: _Leg, t: Array) -> Array:
        """The rise of I after times t."""
        with np.errstate(divide="ignore"):
            return np.logaddexp(0, np.log(leg.rate) + np.log(t) - leg.state) / leg.rate


class _Logistic(_Exponential):
    """Logistic loss: the margin, q' = rate / (1 + e^q), with I' = 1 / (1 + e^q)."""

    @staticmethod
    def time(leg: _Leg, rise: float) -> float:
        """Time until I has risen by `rise`."""
        return float(logistic_time(leg.state, leg.rate, rise))

    @staticmethod
    def rise(leg: _Leg, t: Array) -> Array:
        """The rise of I after times t."""
        return logistic_increment(leg.state, leg.rate * t) / leg.rate


_Law = type[_Residual | _Exponential]
_LAWS: dict[str, _Law] = {"square": _Residual, "exponential": _Exponential, "logistic": _Logistic}


class Sample:
    """The scalar flow of one sample.

    Parameters
    ----------
    z, a : (m,)
        Preactivations and output weights of all neurons at the start.
    y, pull : float
        Target, and pi |x|² times the learning-rate factor.
    loss : Loss

    Raises
    ------
    AssumptionError
        When a neuron is on the kink and the sample repels it.
    """

    def __init__(self, z: Array, a: Array, y: float, pull: float, loss: Loss):
        self.living = z > 0
        self._pull, self._law, self.grows = pull, _LAWS[loss.name], loss.name != "square"
        f = float(a @ np.where(self.living, z, 0.0))
        self.sign = float(np.sign(-loss.slope(np.array(f), np.array(y)))) if pull > 0 else 0.0
        if ((z == 0) & (a * self.sign > 0)).any():
            raise AssumptionError("theta0: expected no neuron on a kink that repels it")
        false = self.living & (a * self.sign < 0)
        self.thresholds = np.divide(z, pull * np.abs(a), out=np.full(len(a), np.inf), where=false)
        self._legs = self._all_legs(a, y * f if self.grows else abs(y - f))

    def _all_legs(self, a: Array, state: float) -> list[_Leg]:
        """The legs, in the order of deaths; a sample that moves no neuron has one."""
        legs, t, I = [], 0.0, 0.0
        while True:
            rate = self._pull * float((a[self.living & (self.thresholds > I)] ** 2).sum())
            legs.append(_Leg(t, I, state, rate))
            if rate == 0 or self.sign == 0:
                return legs
            following = float(np.min(self.thresholds, where=self.thresholds > I, initial=np.inf))
            t += self._law.time(legs[-1], following - I) if following < np.inf else np.inf
            if t == np.inf:
                return legs
            state, I = self._law.moved(legs[-1], following - I), following

    def deaths(self) -> list[tuple[float, int]]:
        """The times at which neurons die, and which."""
        return [(leg.t, int(k)) for leg in self._legs[1:] for k in np.flatnonzero(self.thresholds == leg.I)]

    def integral(self, t: Array) -> Array:
        """I at times (T,).

        Raises
        ------
        AssumptionError
            At t = inf where it grows without bound.
        """
        last = self._legs[-1]
        if self.grows and self.sign != 0 and last.rate > 0 and (t == np.inf).any():
            raise AssumptionError("t: expected finite times, since the weights grow without bound")
        I = np.zeros(t.shape)
        which = np.searchsorted([leg.t for leg in self._legs], t, side="right") - 1
        for j, leg in enumerate(self._legs):
            there = which == j
            if there.any():
                moves = leg.rate > 0 and self.sign != 0
                I[there] = leg.I + (self._law.rise(leg, t[there] - leg.t) if moves else 0.0)
        return I


class Orthogonal:
    """One run on orthogonal samples with fixed output weights; see `toymodels.relu.closed.closed_form`.

    Parameters
    ----------
    W, a : (m, d), (m,)
        The start, and the output weights.
    X, y, weights : (n, d), (n,), (n,)
        Samples, mutually orthogonal or zero.
    loss : Loss
    rate : float
        Factor >= 0 on the velocity of W.

    Raises
    ------
    AssumptionError
        When a neuron is on a kink that repels it.

    Notes
    -----
    Source: neuron_partition D7 for the square and the exponential loss; own:
    the logistic loss.
    """

    def __init__(self, W: Array, a: Array, X: Array, y: Array, weights: Array, loss: Loss, rate: float):
        self._W, self._X, self._a = W, X, a
        squares = (X * X).sum(-1)
        z = W @ X.T
        z = np.where(np.abs(z) <= TOUCHING * np.linalg.norm(W, axis=-1)[:, None] * np.sqrt(squares), 0.0, z)
        self._pulls = rate * weights
        self._samples = [
            Sample(z[:, i], a, float(y[i]), float(self._pulls[i] * squares[i]), loss) for i in range(len(X))
        ]
        deaths = [(t, i, k) for i, sample in enumerate(self._samples) for t, k in sample.deaths()]
        self.events: list[dict[str, Any]] = [
            {"kind": "inactive", "from": "active", "neuron": k, "sample": i, "time": t}
            for t, i, k in sorted(deaths)
        ]

    def at(self, t: Array) -> tuple[Array, Array]:
        """Return W (T, m, d) and a (T, m) at times (T,).

        Raises
        ------
        AssumptionError
            At t = inf where the weights grow without bound.
        """
        W, dead = np.repeat(self._W[None], len(t), axis=0), []
        for sample, x, pull in zip(self._samples, self._X, self._pulls, strict=True):
            I = np.where(sample.living, sample.integral(t)[:, None], 0.0)
            W += (pull * sample.sign * self._a * np.minimum(I, sample.thresholds))[..., None] * x
            dead.append(sample.thresholds <= I)
        size = np.maximum(np.linalg.norm(W, axis=-1), np.linalg.norm(self._W, axis=-1))
        beyond = BEYOND * size[..., None] * np.stack(dead, -1)
        lengths = np.linalg.norm(self._X, axis=-1, keepdims=True)
        W -= beyond @ np.divide(self._X, lengths, out=np.zeros(self._X.shape), where=lengths > 0)
        return W, np.broadcast_to(self._a, (len(t), len(self._a)))
