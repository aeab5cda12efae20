"""Fixed output weights, exponential loss and samples in two directions: Lotka-Volterra in every mode.

In a mode the hidden weights are linear in the integrals U and V of the two
directions' shares of the loss, and so are the preactivations; gates of sliding
neurons are functions of the ratio of the shares. So every event is found on the
clock of the flow, without a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import AssumptionError, ConvergenceError
from toymodels.problem import Switch
from toymodels.relu import formulas
from toymodels.relu.flow import ReLUFlow
from toymodels.relu.modes import Mode
from toymodels.relu.position import rounding
from toymodels.solutions.lotka_volterra import LotkaVolterra

Array = np.ndarray

EPS = np.finfo(float).eps

MOST_LEGS = 100_000
"""Events after which a flow is given up."""


class Directions(NamedTuple):
    """Samples in two directions, with equal norms and labels in each.

    Attributes
    ----------
    members : (2, n) of bool
        Who belongs to each.
    shares : (2, n)
        Weights of the members, of sum 1.
    weights : (2,)
    """

    members: Array
    shares: Array
    weights: Array

    @classmethod
    def of(cls, rules: ReLUFlow) -> Directions:
        """Return the directions of a problem's data.

        Raises
        ------
        AssumptionError
            When there are more than two or they hold unlike samples.
        """
        kinks = rules.kinks
        if len(kinks) != 2 or (kinks.of < 0).any():
            raise AssumptionError("X: expected samples in two directions, none zero", float(len(kinks)))
        members = kinks.of == np.arange(2)[:, None]
        spread = max(float(np.ptp(kinks.lengths[who]) / kinks.lengths.max()) for who in members)
        opposed = max(float(np.ptp(rules.y[who]) + np.ptp(kinks.signs[who])) for who in members)
        if spread > rounding(rules.X) or opposed > 0:
            raise AssumptionError(
                "X, y: expected equal samples and labels in each direction", max(spread, opposed)
            )
        weights = (members * rules.weights).sum(-1)
        if not (weights > 0).all():
            raise AssumptionError(
                "weights: expected a positive weight in each direction", float(weights.min())
            )
        return cls(members, members * rules.weights / weights[:, None], weights)


class Leg:
    """The flow in one mode.

    Parameters
    ----------
    rules : ReLUFlow
        Of a problem with fixed output weights and the exponential loss.
    directions : Directions
    t : float
        When it begins.
    theta : (m d,)
        The state there.
    mode : Mode
    log_shares : (2,)
        Logs of the directions' shares of the loss there.

    Notes
    -----
    Source: neuron_partition E1 inside a cell; own: while sliding.
    """

    def __init__(
        self, rules: ReLUFlow, directions: Directions, t: float, theta: Array, mode: Mode, log_shares: Array
    ):
        self.t, self.theta, self.mode, self._rules = t, theta, mode, rules
        W, a = rules.layers(theta)
        self._cotangents = -rules.y * directions.shares
        self._moves = np.stack([self._velocity(W, a, each) for each in self._cotangents])
        first = directions.members.argmax(-1)
        outputs = np.stack([formulas.outputs(move, a, rules.X, mode.gates) for move in self._moves])
        kernel = rules.y[first, None] * outputs[:, first].T
        self.flow = LotkaVolterra((kernel + kernel.T) / 2, *log_shares)

    def _velocity(self, W: Array, a: Array, cotangent: Array) -> Array:
        """Velocity of W for one direction's share alone, at 1, (m, d)."""
        first, _ = formulas.chain(W, a, formulas.gated_sums(self._rules.X, self.mode.gates, cotangent))
        sliding = self.mode.sliding
        first[sliding.who] = (sliding.projectors @ first[sliding.who, :, None])[..., 0]
        return -self._rules.rates[0] * first

    @property
    def moves(self) -> bool:
        """Whether any weight moves."""
        return bool(self._moves.any())

    def at_clock(self, clock: Any) -> tuple[Array, Array]:
        """Return theta (..., m d) and logs of the shares (..., 2) at values of the clock."""
        log_u, log_v, U, V = self.flow.at_clock(clock)
        by_u, by_v = (
            move.ravel() * np.asarray(x)[..., None] for move, x in zip(self._moves, (U, V), strict=True)
        )
        return self.theta + by_u + by_v, np.stack([log_u, log_v], -1)

    def first_event(self) -> tuple[int, float] | None:
        """Return the margin that first passes zero, and the clock."""
        rules, mode = self._rules, self.mode
        floors = rules.floors(self.theta, mode, _resolution(self.theta))
        W, _ = rules.layers(self.theta)
        sides, speeds = rules.side_margins(W, mode), [rules.side_margins(move, mode) for move in self._moves]
        by_u, by_v = speeds
        clocks = [self.flow.clock_of_integrals(sides, by_u, by_v, floors[: len(sides)])]
        if len(mode.sliding.neurons):
            margins = [np.concatenate(rules.gate_margins(each, mode)) for each in self._cotangents]
            clocks.append(self.flow.clock_of_rates(*margins))
        clock = np.concatenate(clocks)
        if not (clock < np.inf).any():
            return None
        index = int(np.argmin(clock))
        return index, float(clock[index])


def _resolution(theta: Array) -> tuple[float, float]:
    """Error that rounding makes in an entry of theta, relative and absolute."""
    return 4 * EPS, EPS * float(np.abs(theta).max())


class TwoDirections:
    """One run through all its modes; see `toymodels.relu.closed`.

    Parameters
    ----------
    rules : ReLUFlow
        Of a problem with fixed output weights and the exponential loss.
    W : (m, d)
        The start.

    Raises
    ------
    AssumptionError
        When the samples do not lie in two directions, or are unlike in one.
    """

    def __init__(self, rules: ReLUFlow, W: Array):
        self._rules, self._directions = rules, Directions.of(rules)
        self._start, self._log, self._asked = W.ravel(), list[dict[str, Any]](), 0.0
        self._legs: list[Leg] = []
        self._end: float | None = None
        f = formulas.outputs(*rules.layers(self._start), rules.X, (W @ rules.X.T > 0).astype(float))
        margins = (rules.y * f)[self._directions.members.argmax(-1)]
        self._go_on(0.0, rules.enter(W.ravel()), np.log(self._directions.weights) - margins)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events up to the latest time asked so far."""
        return [event for event in self._log if event["time"] <= self._asked]

    def _go_on(self, t: float, switch: Switch, log_shares: Array) -> None:
        """Note what happened at time t, and begin the next leg."""
        self._log += [{**entry, "time": t} for entry in switch.log]
        if switch.mode is None:
            self._end = t
        else:
            self._legs.append(Leg(self._rules, self._directions, t, switch.theta, switch.mode, log_shares))

    def _reach(self, t: float) -> None:
        """Find the legs up to time t."""
        while self._end is None and self._legs[-1].t <= t:
            leg = self._legs[-1]
            event = leg.first_event()
            if event is None:
                self._end = np.inf
                return
            if len(self._legs) > MOST_LEGS:
                raise ConvergenceError(f"t: more than {MOST_LEGS} events before time {leg.t:.6g}")
            index, clock = event
            theta, log_shares = leg.at_clock(clock)
            switch = self._rules.switch(theta, leg.mode, index, _resolution(theta))
            self._go_on(leg.t + float(leg.flow.time(clock)), switch, log_shares)

    def at(self, t: Array) -> tuple[Array, Array]:
        """Return W (T, m, d) and a (T, m) at times (T,).

        Raises
        ------
        AssumptionError
            At inf where weights grow without bound, and after a time from which
            on the flow is not unique.
        ConvergenceError
            When events accumulate.
        """
        self._asked = max(self._asked, float(t.max()))
        self._reach(self._asked)
        if self._end is not None and t.max() > self._end:
            last = self._log[-1]
            raise AssumptionError(
                f"t: expected times up to {self._end:.6g}, where the flow is {last['kind']}: neuron "
                f"{last['neuron']} on samples {last['samples']}: {last['why']}"
            )
        if (t == np.inf).any() and self._legs[-1].moves:
            raise AssumptionError("t: expected finite times, since the weights grow without bound")
        starts: Sequence[float] = [leg.t for leg in self._legs]
        which = np.searchsorted(starts, t, side="right") - 1
        theta = np.repeat(self._start[None], len(t), axis=0)
        for j in np.unique(which[which >= 0]):
            there, leg = which == j, self._legs[j]
            if leg.moves:
                theta[there], _ = leg.at_clock(leg.flow.clock(t[there] - leg.t))
            else:
                theta[there] = leg.theta
        W, a = self._rules.layers(theta)
        return W, np.broadcast_to(a, (len(t), len(a)))
