"""The partition of the neurons on each sample: true or false, living or dead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.relu.groups import distinct

Array = np.ndarray

KINDS = ("TL", "TD", "FL", "FD", "neutral")
"""Names of the kinds: true-living, true-dead, false-living, false-dead, and neither true nor false."""


@dataclass(frozen=True)
class Partition:
    """Which neurons are true-living, true-dead, false-living or false-dead on which sample.

    A neuron is living on sample i when w_k . x_i > 0; at zero it is dead. It is
    true on sample i when its output weight has the sign of the sample, false
    when it has the other, and neutral when either is zero. For every sample
    the kinds TL, TD, FL, FD and neutral partition the neurons.

    Attributes
    ----------
    gates : (..., m, n) of int
        1 where living.
    truth : (..., m, n) of int
        Sign of a_k times that of the sample: 1 true, -1 false, 0 neutral.
    output : (..., m)
        Output weights a.

    Notes
    -----
    Source: neuron_partition B4, after Wang, Ma 2022.

    Examples
    --------
    >>> part = Partition.of([[1, 0], [0, 1], [0, 0]], [1.0, -2.0, 3.0], [1.0, -1.0])
    >>> part.names.tolist()
    [['TL', 'FD'], ['FD', 'TL'], ['TD', 'FD']]
    >>> part.counts.tolist()
    [[1, 1, 0, 1], [1, 0, 0, 2]]
    >>> part.dead.tolist()
    [False, False, True]
    """

    gates: Array
    truth: Array
    output: Array

    @classmethod
    def of(cls, gates: Any, a: Any, signs: Any) -> Partition:
        """Return the partition from gates (..., m, n), output weights (..., m) and signed samples (..., n).

        Raises
        ------
        InputError
            When gates are not 0 or 1, or shapes do not fit.
        """
        gates, a, signs = np.asarray(gates), np.asarray(a), np.asarray(signs)
        if gates.ndim < 2 or not np.isin(gates, (0, 1)).all():
            raise InputError(f"gates: expected zeros and ones (..., m, n), got shape {gates.shape}")
        *_, m, n = gates.shape
        if a.shape[-1:] != (m,) or signs.shape[-1:] != (n,):
            raise InputError(
                f"a, signs: expected shapes (..., {m}) and (..., {n}), got {a.shape} and {signs.shape}"
            )
        truth = (_sign(a)[..., :, None] * _sign(signs)[..., None, :]).astype(int)
        return cls(gates.astype(int), np.broadcast_to(truth, gates.shape), a)

    @property
    def true_living(self) -> Array:
        """Mask (..., m, n) of TL, a_k y_i > 0 and z_ki > 0."""
        return (self.truth > 0) & (self.gates > 0)

    @property
    def true_dead(self) -> Array:
        """Mask (..., m, n) of TD, a_k y_i > 0 and z_ki <= 0."""
        return (self.truth > 0) & (self.gates == 0)

    @property
    def false_living(self) -> Array:
        """Mask (..., m, n) of FL, a_k y_i < 0 and z_ki > 0."""
        return (self.truth < 0) & (self.gates > 0)

    @property
    def false_dead(self) -> Array:
        """Mask (..., m, n) of FD, a_k y_i < 0 and z_ki <= 0."""
        return (self.truth < 0) & (self.gates == 0)

    @property
    def kinds(self) -> Array:
        """Index into `KINDS` of every neuron on every sample, (..., m, n)."""
        return np.where(self.truth == 0, 4, 2 - self.truth - self.gates)

    @property
    def names(self) -> Array:
        """Names of the kinds, (..., m, n) of str."""
        return np.array(KINDS)[self.kinds]

    @property
    def counts(self) -> Array:
        """Numbers of TL, TD, FL, FD neurons on each sample, (..., n, 4); they leave out the neutral ones."""
        masks = self.true_living, self.true_dead, self.false_living, self.false_dead
        return np.stack([mask.sum(-2) for mask in masks], axis=-1)

    @property
    def dead(self) -> Array:
        """Mask (..., m) of the neurons that live on no sample; they never move (neuron_partition A7)."""
        return self.gates.sum(-1) == 0

    @property
    def living_mass(self) -> Array:
        """S_i, the sum of a_k² over the neurons living on sample i, (..., n)."""
        return _mass(self.output, self.gates)

    @property
    def true_living_mass(self) -> Array:
        """A_i, the sum of a_k² over TL_i, (..., n)."""
        return _mass(self.output, self.true_living)

    def class_mass(self, members: Any) -> Array:
        """Return A_c, the sum of a_k² over the neurons that are true-living on every one of some samples.

        Parameters
        ----------
        members : (n,) of bool, or indices
            The samples, usually those of one class.

        Returns
        -------
        array, shape runs
        """
        on_all = np.all(self.true_living[..., members], axis=-1)
        return _mass(self.output, on_all[..., None])[..., 0]

    @property
    def occupied(self) -> Array:
        """Number of distinct activation patterns among the neurons, shape runs."""
        *runs, m, n = self.gates.shape
        flat = self.gates.reshape(-1, m, n).astype(bool)
        return np.array([len(distinct(gates)[0]) for gates in flat], dtype=int).reshape(runs)[()]

    def classes(self) -> Classes:
        """Return the classes of neurons that share an activation pattern, of a single run.

        Raises
        ------
        InputError
            When the partition holds several runs.
        """
        if self.gates.ndim != 2:
            raise InputError(f"classes: expected the partition of one run, got runs {self.gates.shape[:-2]}")
        first, members = distinct(self.gates.astype(bool))
        patterns = self.gates[first]
        order = np.lexsort(patterns.T[::-1])
        place = np.argsort(order)
        return Classes(patterns[order], place[members])


@dataclass(frozen=True)
class Classes:
    """Classes of neurons that share an activation pattern.

    Attributes
    ----------
    patterns : (s, n) of int
        The occupied patterns, in lexicographic order.
    members : (m,) of int
        Index of each neuron's pattern.

    Examples
    --------
    >>> found = Partition.of([[1, 0], [0, 1], [1, 0]], [1.0, 1.0, 1.0], [1.0, 1.0]).classes()
    >>> found.patterns.tolist(), found.members.tolist(), found.sizes.tolist()
    ([[0, 1], [1, 0]], [1, 0, 1], [1, 2])
    """

    patterns: Array
    members: Array

    @property
    def sizes(self) -> Array:
        """Number of neurons of each class, (s,)."""
        return np.bincount(self.members, minlength=len(self.patterns))

    @property
    def membership(self) -> Array:
        """1 where neuron k is in class S, (s, m) of int; an argument of `formulas.class_sums`."""
        return (np.arange(len(self.patterns))[:, None] == self.members).astype(int)


def _sign(x: Array) -> Array:
    """Signs -1, 0, 1 as integers, of any ordered numbers."""
    return (x > 0).astype(int) - (x < 0).astype(int)


def _mass(a: Array, mask: Array) -> Array:
    """Sums of a_k² over the neurons of a mask (..., m, q)."""
    return ((a * a)[..., None, :] @ mask)[..., 0, :]
