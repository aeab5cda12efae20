"""Fixed output weights and the square loss: linear in every mode, events at zeros of exponential sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic.elementary import decay_integral
from toymodels.errors import AssumptionError, ConvergenceError
from toymodels.problem import Switch
from toymodels.relu import formulas
from toymodels.relu.exponential_sums import Zero, first_descent
from toymodels.relu.flow import ReLUFlow
from toymodels.relu.modes import Mode

Array = np.ndarray

EPS = np.finfo(float).eps

SLOWEST = np.finfo(float).tiny
"""Rates below it, whose times are no floats, count as none."""

MOST_LEGS = 100_000
"""Events after which a flow is given up."""


class Leg:
    """The flow in one mode, w(t) = w(0) + sum_j directions_j (1 - e^{-rates_j t}) / rates_j.

    Parameters
    ----------
    rules : ReLUFlow
        Of a problem with fixed output weights and the square loss.
    t : float
        When it begins.
    theta : (m d,)
        The state there.
    mode : Mode
    size : float
        The largest entry of theta so far, of whose rounding margins are not told apart from zero.

    Notes
    -----
    With the Jacobian J of the outputs in the mode, projected where neurons
    slide, and r = y - f, r' = -rate J Jᵀ diag(pi) r. Source: neuron_partition
    D1 inside a cell; own: while sliding.
    """

    def __init__(self, rules: ReLUFlow, t: float, theta: Array, mode: Mode, size: float):
        self.t, self.theta, self.mode, self._rules = t, theta, mode, rules
        self.resolution = 4 * EPS, EPS * size
        W, a = rules.layers(theta)
        roots = np.sqrt(rules.weights), np.sqrt(rules.rates[0])
        free, scaled = (roots[1] * roots[0][:, None] * J for J in self._jacobians(W, a))
        left, values, right = np.linalg.svd(scaled, full_matrices=False)
        # What projections leave of a direction that they take away is rounding of what it was.
        size = values.max(initial=0.0) + 16 * np.linalg.norm(free - scaled)
        kept = (values > EPS * max(scaled.shape) * size) & (values**2 >= SLOWEST)
        residual = -roots[0] * rules.slope(W, a, mode.gates)
        amplitudes = roots[1] * values * (residual @ left)
        self.rates, self.directions = values[kept] ** 2, (amplitudes[:, None] * right)[kept]

    def _jacobians(self, W: Array, a: Array) -> tuple[Array, Array]:
        """Derivatives of the outputs in W, (n, m d), and in its motion, projected where it slides."""
        n, (m, d), sliding = len(self._rules.X), W.shape, self.mode.sliding
        jacobian = formulas.jacobian(W, a, self._rules.X, self.mode.gates)[:, : m * d].reshape(n, m, d)
        projected = jacobian.copy()
        projected[:, sliding.who] = (sliding.projectors @ jacobian[:, sliding.who, :, None])[..., 0]
        return jacobian.reshape(n, m * d), projected.reshape(n, m * d)

    def at(self, t: Array) -> Array:
        """Return theta (T, m d) at times (T,) from the leg's start on, inf allowed."""
        return self.after(t - self.t)

    def after(self, elapsed: Array) -> Array:
        """Return theta (T, m d) when times (T,) have elapsed; late ones may be below the rounding of t."""
        return self.theta + decay_integral(self.rates, elapsed[:, None]) @ self.directions

    def first_event(self) -> Zero | None:
        """Return the margin that first passes zero, and when, counted from the leg's start."""
        rules, mode, (m, d) = self._rules, self.mode, self._rules.layers(self.theta)[0].shape
        directions = self.directions.reshape(-1, m, d)
        changes = [rules.side_margins(directions, mode)]
        if len(mode.sliding.neurons):
            slopes = formulas.outputs(directions, rules.output, rules.X, mode.gates)
            changes += rules.gate_margins(rules.weights * slopes, mode)
        floors = rules.floors(self.theta, mode, self.resolution)
        start = rules.margins(self.theta, mode)
        return first_descent(start, np.concatenate(changes, -1), self.rates, floors)


class HiddenSquare:
    """One run with fixed output weights and the square loss, mode by mode; see `toymodels.relu.closed`.

    Parameters
    ----------
    rules : ReLUFlow
        Of a problem with fixed output weights and the square loss.
    W : (m, d)
        The start.

    Attributes
    ----------
    events : list of dict
        The events up to the latest time asked so far.
    """

    def __init__(self, rules: ReLUFlow, W: Array):
        self._rules, self._start, self.events = rules, W.ravel(), list[dict[str, Any]]()
        self._legs: list[Leg] = []
        self._end: float | None = None
        self._size = 0.0
        self._go_on(0.0, rules.enter(W.ravel()))

    def _go_on(self, t: float, switch: Switch) -> None:
        """Note what happened at time t, and begin the next leg."""
        self.events += [{**entry, "time": t} for entry in switch.log]
        if switch.mode is None:
            self._end = t
        else:
            self._size = max(self._size, float(np.abs(switch.theta).max()))
            self._legs.append(Leg(self._rules, t, switch.theta, switch.mode, self._size))

    def _reach(self, t: float) -> None:
        """Find the legs up to time t."""
        while self._end is None and self._legs[-1].t <= t:
            leg = self._legs[-1]
            zero = leg.first_event()
            if zero is None:
                self._end = np.inf
                return
            if len(self._legs) > MOST_LEGS:
                raise ConvergenceError(f"t: more than {MOST_LEGS} events before time {leg.t:.6g}")
            theta = leg.after(np.array([zero.t]))[0]
            switch = self._rules.switch(theta, leg.mode, zero.which, leg.resolution)
            self._go_on(leg.t + zero.t, switch)

    def at(self, t: Array) -> tuple[Array, Array]:
        """Return W (T, m, d) and a (T, m) at times (T,), inf allowed.

        Raises
        ------
        AssumptionError
            After a time from which on the flow is not unique.
        ConvergenceError
            When events accumulate.
        """
        self._reach(float(t.max()))
        if self._end is not None and t.max() > self._end:
            last = self.events[-1]
            raise AssumptionError(
                f"t: expected times up to {self._end:.6g}, where the flow is {last['kind']}: neuron "
                f"{last['neuron']} on samples {last['samples']}: {last['why']}"
            )
        which = np.searchsorted([leg.t for leg in self._legs], t, side="right") - 1
        points = [
            self._start if j < 0 else self._legs[j].at(s[None])[0] for j, s in zip(which, t, strict=True)
        ]
        theta = np.stack(points)
        W, a = self._rules.layers(theta)
        return W, np.broadcast_to(a, (len(t), len(a)))
