"""The smooth pieces of the flow: on which side of every kink each neuron is, and what keeps it there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toymodels.relu.kinks import Kinks

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Sliding:
    """The pairs of a neuron and a kink that it slides along, one row each.

    Attributes
    ----------
    neurons, kinks : (r,) of int
    signs : (r,)
        Signs of the output weights while they slide.
    duals : (r, d)
        Dual to the normals of the neuron's kinks: ``-dual . U`` is the push
        along the normal that keeps it on all of them.
    who : (s,) of int
        The neurons that slide, each once.
    projectors : (s, d, d)
        Onto the directions along their kinks.
    """

    neurons: Array
    kinks: Array
    signs: Array
    duals: Array
    who: Array
    projectors: Array

    @classmethod
    def of(cls, sides: Array, signs: Array, kinks: Kinks) -> Sliding:
        """Return the sliding pairs of sides (m, q), output weights having the signs (m,)."""
        neurons, along = np.nonzero(sides == 0)
        who = np.unique(neurons)
        d = kinks.normals.shape[1]
        duals, projectors = [np.zeros((0, d))], [np.zeros((0, d, d))]
        for k in who:
            normals = kinks.normals[along[neurons == k]]
            duals.append(np.linalg.pinv(normals).T)
            basis = np.linalg.svd(normals, full_matrices=False)[2]
            projectors.append((np.eye(d) - basis.T @ basis)[None])
        return cls(neurons, along, signs[neurons], np.concatenate(duals), who, np.concatenate(projectors))

    @property
    def who_signs(self) -> Array:
        """Signs of the output weights of `who`, (s,)."""
        return self.signs[np.searchsorted(self.neurons, self.who)]


@dataclass(frozen=True, eq=False)
class Mode:
    """A smooth piece of the flow.

    Attributes
    ----------
    sides : (m, q) of int
        1 or -1 for the side of each kink, 0 for sliding along it.
    resting : (m, q) of bool
        Pairs on a kink that no active sample moves the neuron off; they are not watched.
    signs : (m,)
        Of the output weights, where a neuron slides.
    samples : (m, n) of int
        1 active, 0 sliding, -1 inactive.
    gates : (m, n)
        1 where active, 0 elsewhere.
    watched : (w,) of int
        Indices of the pairs in (m q,) that are watched for reaching their kink.
    sliding : Sliding
    """

    sides: Array
    resting: Array
    signs: Array
    samples: Array
    gates: Array
    watched: Array
    sliding: Sliding

    @classmethod
    def of(cls, sides: Array, resting: Array, signs: Array, kinks: Kinks) -> Mode:
        """Return the mode of sides and resting pairs (m, q), output weights having the signs (m,)."""
        samples = kinks.sample_modes(sides)
        watched = np.flatnonzero((sides != 0) & ~resting)
        sliding = Sliding.of(sides, signs, kinks)
        return cls(sides, resting, signs, samples, (samples > 0).astype(float), watched, sliding)

    @classmethod
    def of_samples(cls, samples: Array, signs: Array, kinks: Kinks) -> Mode:
        """Return the mode in which neurons are active 1, inactive -1 or sliding 0 on samples, (m, n)."""
        sides = samples[:, kinks.first()]
        return cls.of(sides, np.zeros(sides.shape, dtype=bool), signs, kinks)

    def replaced(self, k: int, sides: Array, touching: Array, sign: float, kinks: Kinks) -> Mode:
        """Return the mode with neuron k on other sides (q,), touching the kinks of a mask (q,)."""
        changed = self.sides.copy(), self.resting.copy(), self.signs.copy()
        changed[0][k], changed[2][k] = sides, sign
        changed[1][k] = touching & (sides != 0) & kinks.still(sides)
        return Mode.of(*changed, kinks)

    def margin(self, index: int) -> tuple[str, int, int]:
        """Return what a margin means: "side", "low", "high" or "output", its neuron and its kink (or -1).

        Margins are in the order watched pairs, gates above 0, gates below 1,
        output weights of sliding neurons.
        """
        pairs, rows = len(self.watched), len(self.sliding.neurons)
        if index < pairs:
            k, h = np.divmod(self.watched[index], self.sides.shape[1])
            return "side", int(k), int(h)
        row = index - pairs
        if row < 2 * rows:
            kind, row = ("low", row) if row < rows else ("high", row - rows)
            return kind, int(self.sliding.neurons[row]), int(self.sliding.kinks[row])
        return "output", int(self.sliding.who[row - 2 * rows]), -1
