"""The rules of the gradient flow of a two-layer ReLU network: what happens where a neuron meets kinks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.problem import Switch
from toymodels.relu import formulas
from toymodels.relu.fields import EPS, Fields, Pair
from toymodels.relu.filippov import Contact, Unresolved, resolve
from toymodels.relu.kinks import BEYOND, TOUCHING
from toymodels.relu.modes import Mode

Array = np.ndarray

KINDS = {-1: "inactive", 0: "sliding", 1: "active"}
"""What a neuron can be on a sample; an event is named by what it makes of it."""

CAUTION = 8
"""How many errors of a step lie between a preactivation that is zero and one that is not."""


class ReLUFlow(Fields):
    """The Filippov flow of a two-layer ReLU network, for any loss and one or both layers trained.

    A neuron that reaches the kink of a sample crosses it, or slides along it
    where the field points to the kink from both sides. While it slides its
    output on the sample is zero and its velocity is the projection of the
    one-sided ones. A neuron that reaches a kink and is then moved off it by no
    sample rests there, inactive: of the solutions this is the limit of gradient
    descent. Where several directions are possible the flow ends: where kinks
    repel, as at most origins w_k = 0, and where the output weight of a sliding
    neuron passes zero.

    Parameters
    ----------
    problem : TwoLayerReLU
    rates : (blocks,)
        Factors >= 0 on the velocities of W, and of a where it is trained.

    Notes
    -----
    Source: neuron_partition D5, D6. It implements `toymodels.problem.Events`.
    """

    def floors(self, theta: Array, mode: Mode, resolution: Pair) -> Array:
        """Return how far below zero the margins of theta (p,) may be by the resolution alone, (c,)."""
        return CAUTION * super().floors(theta, mode, resolution)

    def enter(self, theta: Array) -> Switch:
        """Return the mode at the start: a neuron on a kink leaves it, slides or rests."""
        W, a = self.layers(theta)
        distances = W @ self.kinks.normals.T
        within = TOUCHING * np.linalg.norm(W, axis=-1, keepdims=True)
        touching = np.abs(distances) <= within
        sides = np.where((distances > 0) & ~touching, 1, -1)
        switch = Switch(theta, Mode.of(sides, touching & False, np.sign(a), self.kinks), [])
        for k in np.flatnonzero(touching.any(-1)):
            before = np.where(formulas.preactivations(W, self.X)[k] > 0, 1, -1)
            reach = float(within[k, 0])
            together = self.kinks.together(W[k], touching[k] & False, touching[k], reach)
            meeting = _Meeting(int(k), together, reach, None, {}, before)
            met = self._meet(switch.theta, switch.mode, meeting, (EPS, 0.0))
            switch = met._replace(log=switch.log + met.log)
            if switch.mode is None:
                break
        return switch

    def switch(self, theta: Array, mode: Mode, margin: int, resolution: Pair) -> Switch:
        """Return what follows when a margin has reached zero."""
        kind, k, h = mode.margin(margin)
        if kind == "output":
            why = "its output weight passes zero while it slides"
            return self._end(theta, k, mode.sides[k] == 0, Unresolved("not unique", why))
        W, _ = self.layers(theta)
        within = CAUTION * float(self.blur(W[k], resolution))
        on = (mode.sides[k] == 0) | mode.resting[k]
        on[h] = True
        touching = self.kinks.together(W[k], on, np.abs(self.kinks.normals @ W[k]) <= within, within)
        leaving = {"low": {h: -1}, "high": {h: 1}}.get(kind, {})
        reached = h if kind == "side" else None
        meeting = _Meeting(k, touching, within, reached, leaving, mode.samples[k])
        return self._meet(theta, mode, meeting, resolution)

    def gates(self, theta: Array, modes: Array) -> Array:
        """Return the gates (m, n) of theta (p,) in modes (m, n): 0, 1, or between where a neuron slides."""
        W, a = self.layers(theta)
        mode = Mode.of_samples(modes, np.sign(a), self.kinks)
        gates = mode.gates.copy()
        if len(mode.sliding.neurons):
            low, high = self.gate_margins(self.cotangent(W, a, mode.gates), mode)
            for k, h, gate in zip(mode.sliding.neurons, mode.sliding.kinks, low / (low + high), strict=True):
                there = self.kinks.of == h
                gates[k, there] = np.where(self.kinks.signs[there] > 0, gate, 1 - gate)
        return gates

    def _meet(self, theta: Array, mode: Mode, meeting: _Meeting, resolution: Pair) -> Switch:
        """Find the neuron's way on from the kinks that it meets, and move it onto them.

        Nearly parallel kinks meet far from where it is as exactly as it is
        known: of those it is moved only onto the ones that it stays on.
        """
        k, touching = meeting.neuron, meeting.touching
        theta = theta.copy()
        W, a = self.layers(theta)
        try:
            sides, sign = self._way(W, a, mode, meeting, resolution)
        except Unresolved as why:
            return self._end(theta, k, touching, why)
        after = mode.replaced(k, sides, touching, sign, self.kinks)
        resting, size = after.resting[k], np.linalg.norm(W[k])
        onto = self.kinks.together(W[k], resting | (sides == 0), touching, meeting.within)
        W[k] = self.kinks.projected(W[k], onto)
        beyond = BEYOND * size * sides[resting]
        W[k] += np.linalg.lstsq(self.kinks.normals[resting], beyond)[0]
        return Switch(theta, after, _changes(k, meeting.before, after.samples[k]))

    def _way(
        self, W: Array, a: Array, mode: Mode, meeting: _Meeting, resolution: Pair
    ) -> tuple[Array, float]:
        """The sides of neuron k from now on, and the sign of its output weight."""
        k, touching, sides = meeting.neuron, meeting.touching, mode.sides[meeting.neuron].copy()
        gates = np.where(self.kinks.on_samples(touching), 0.0, mode.gates[k])
        cotangent = self.cotangent(W, a, mode.gates)
        noise = CAUTION * self.noise(W, a, mode.gates, resolution)
        base = -formulas.gated_sums(self.X, gates[None], cotangent)[0]
        sign = np.sign(a[k])
        if sign == 0 and self.rates[1] > 0 and abs(W[k] @ base) > noise * np.linalg.norm(W[k]):
            sign = np.sign(W[k] @ base)
        if sign == 0 or self.rates[0] == 0:
            return sides, sign
        plus, minus = (-sign * push for push in self.kinks.pushes(cotangent))
        base, free = sign * base, touching.copy()
        for h, side in meeting.leaving.items():
            free[h], sides[h] = False, side
            base = base + (plus[h] if side > 0 else -minus[h]) * self.kinks.normals[h]
        contact = Contact(self.kinks.normals[free], base, plus[free], minus[free], sides[free])
        sides[free] = resolve(contact, noise)
        slow = np.linalg.norm(base - contact.minus @ contact.normals) <= noise
        arrives = np.linalg.norm(W[k]) <= meeting.within and (sides != mode.sides[k]).any()
        stuck = (slow and not arrives) or (sides == mode.sides[k]).all()
        if stuck and not self.kinks.still(sides)[touching].all():
            sides = self._slow_way(mode.sides[k], meeting, plus + minus, sides)
        return sides, sign

    def _slow_way(self, before: Array, meeting: _Meeting, jumps: Array, otherwise: Array) -> Array:
        """The sides of a neuron slower than the noise: only what it has come to tells where it goes."""
        sides, to = before.copy(), meeting.reached
        for h, side in meeting.leaving.items():
            sides[h] = side
        if to is not None:
            sides[to] = 0 if jumps[to] < 0 else -sides[to]
        normals = self.kinks.normals[sides == 0]
        return sides if np.linalg.matrix_rank(normals) == len(normals) else otherwise

    def _end(self, theta: Array, k: int, touching: Array, why: Unresolved) -> Switch:
        """The end of the flow, at neuron k."""
        samples = np.flatnonzero(self.kinks.on_samples(touching)).tolist()
        return Switch(theta, None, [{"kind": why.kind, "neuron": k, "samples": samples, "why": str(why)}])


class _Meeting(NamedTuple):
    """A neuron on kinks.

    Attributes
    ----------
    neuron : int
    touching : (q,) of bool
        The kinks.
    within : float
        How exactly its place is known.
    reached : int or None
        The one that it has come to.
    leaving : dict
        Those that it slid along until now, and the side to which it leaves them.
    before : (n,) of int
        Its modes so far.
    """

    neuron: int
    touching: Array
    within: float
    reached: int | None
    leaving: dict[int, int]
    before: Array


def _changes(k: int, before: Array, after: Array) -> list[dict[str, Any]]:
    """One entry for each sample on which neuron k has another mode."""
    return [
        {"kind": KINDS[int(after[i])], "from": KINDS[int(before[i])], "neuron": k, "sample": int(i)}
        for i in np.flatnonzero(before != after)
    ]
