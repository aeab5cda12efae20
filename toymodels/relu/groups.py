"""Neurons grouped by activation pattern, which they share with every neuron of their class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toymodels.relu.arcs import Arcs, arcs, is_moderate, locate

Array = np.ndarray

PROBES = 64
"""Neurons whose patterns tell whether grouping pays."""

FEW_SAMPLES, LITTLE_WORK = 64, 2**18
"""Measured: below so many samples, or so many gates, looking for the groups takes longer than it saves."""


class Groups(NamedTuple):
    """Which neurons share a pattern.

    Attributes
    ----------
    patterns : (s, n) of bool
        Distinct patterns; some may have no neuron.
    members : (..., m) of int
        Index of each neuron's pattern.
    """

    patterns: Array
    members: Array

    def sums(self, values: Array) -> Array:
        """Return the sums of values (..., m, q) over each pattern's neurons, (..., s, q)."""
        runs, (m, q) = self.members.shape[:-1], values.shape[-2:]
        count, s = int(np.prod(runs)), len(self.patterns)
        key = (s * np.arange(count)[:, None] + self.members.reshape(count, m)).ravel()
        columns = np.broadcast_to(values, (*runs, m, q)).reshape(count * m, q).T
        sums = np.stack([np.bincount(key, column, minlength=count * s) for column in columns], axis=-1)
        return sums.reshape((*runs, s, q))


class Grouping:
    """Groups the neurons of given data.

    In one and two dimensions a neuron's arc is looked up by its angle, at a
    cost that grows with the logarithm of the number of samples; neurons within
    rounding of a boundary, and all neurons in more dimensions, by their
    preactivations.

    Parameters
    ----------
    X : (n, d)
    """

    def __init__(self, X: Array):
        self._X = X
        self._arcs: Arcs | None = None
        if X.shape[1] <= 2 and is_moderate(X):
            self._arcs = arcs(_plane(X))

    def pays(self, W: Array) -> bool:
        """Whether neurons (..., m, d) are so many more than their patterns that grouping saves time."""
        n, m = len(self._X), W.shape[-2]
        if n < FEW_SAMPLES or n * W[..., 0].size < LITTLE_WORK:
            return False
        if self._arcs is not None:
            return 2 * len(self._arcs.start) <= m
        if m <= 4 * PROBES:
            return False
        probes = W[..., :: m // PROBES, :]
        first, _ = distinct(_gates(probes.reshape(-1, W.shape[-1]), self._X))
        return 4 * len(first) <= probes.shape[-2]

    def __call__(self, W: Array) -> Groups:
        """Return the groups of neurons (..., m, d)."""
        rows = W.reshape(-1, W.shape[-1])
        if self._arcs is None:
            gates = _gates(rows, self._X)
            first, members = distinct(gates)
            return Groups(gates[first], members.reshape(W.shape[:-1]))
        members, certain = locate(self._arcs, _plane(rows))
        gates = _gates(rows[~certain], self._X)
        first, others = distinct(gates)
        members[~certain] = len(self._arcs.patterns) + others
        return Groups(np.concatenate([self._arcs.patterns, gates[first]]), members.reshape(W.shape[:-1]))


def distinct(gates: Array) -> tuple[Array, Array]:
    """Return the first row of each distinct row of gates (M, n), and the index of every row among them."""
    words = _words(gates)
    _, first, members = np.unique(_hash(words), return_index=True, return_inverse=True)
    if (words[first][members] != words).any():  # two patterns of one hash
        _, first, members = np.unique(words, axis=0, return_index=True, return_inverse=True)
    return first, members.reshape(-1)


def _gates(W: Array, X: Array) -> Array:
    return W @ X.T > 0


def _plane(rows: Array) -> Array:
    """Rows of one or two entries as rows of two."""
    return rows if rows.shape[-1] == 2 else np.pad(rows, ((0, 0), (0, 1)))


def _words(gates: Array) -> Array:
    """Bits packed into words of 64, (M, w)."""
    octets = np.packbits(gates, axis=-1)
    return np.pad(octets, ((0, 0), (0, -octets.shape[-1] % 8))).view(np.uint64)


def _hash(words: Array) -> Array:
    """One word per row, the words themselves where there is one (the mixing of SplitMix64)."""
    key = words[:, 0]
    for word in words.T[1:]:
        key = (key ^ (key >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        key = (key ^ (key >> np.uint64(32))) + word
    return key
