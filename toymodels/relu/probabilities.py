"""How likely each activation pattern is for an isotropic neuron, where that has an elementary closed form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from toymodels.errors import AssumptionError, InputError
from toymodels.relu import probability_formulas as formulas
from toymodels.relu.arcs import MARGIN, arcs
from toymodels.relu.cells import activation_patterns
from toymodels.relu.polygons import solid_angles
from toymodels.relu.position import coordinates, data_rows, nonzero, rounding, unit_rows
from toymodels.validation import real_array

Array = np.ndarray

CASES = (
    "the samples fall into mutually orthogonal groups, each of at most three samples, or of dimension "
    "at most three, or with all correlations 1/2 between the sg_i x_i"
)


def class_probabilities(X: Any, patterns: Any = None) -> Array:
    """Return the probability of each activation pattern for a weight vector of isotropic law.

    Gaussian weights and weights uniform on a sphere give the same. The
    probabilities depend on the angles between samples alone, not on their
    lengths nor on the dimension; mutually orthogonal groups of samples are
    independent.

    Parameters
    ----------
    X : array_like (n, d)
        Data rows; a zero row is dead for every neuron.
    patterns : array_like (..., n), optional
        Zeros and ones; `activation_patterns(X)` by default.

    Returns
    -------
    array (...,)
        Probabilities; 0 for a pattern that no neuron can have.

    Raises
    ------
    InputError
        When X is not a real matrix, or the patterns do not fit it.
    AssumptionError
        When a group of samples that are not orthogonal has no elementary form: four or more of them that
        span four or more dimensions, unless all correlations are 1/2.

    Notes
    -----
    Source: neuron_partition B3 (arcsine law, Sheppard, for two and three
    samples; arcs in the plane; 1/(n+1) for correlations 1/2); own derivation
    for any number of samples in three dimensions, where a class is a spherical
    polygon.

    Examples
    --------
    >>> class_probabilities([[1.0, 0.0], [1.0, 1.0]])
    array([0.375, 0.125, 0.125, 0.375])
    >>> class_probabilities(np.eye(5), [0, 1, 0, 1, 1]) * 2**5
    np.float64(1.0)
    """
    rows = np.asarray(data_rows("X", X), dtype=float)
    given = activation_patterns(rows) if patterns is None else _patterns(patterns, len(rows))
    live = nonzero(rows)
    probability = np.where((given[..., ~live] == 0).all(-1), 1.0, 0.0)
    if live.any():
        units, gates = unit_rows(rows[live]), given[..., live]
        for block in _orthogonal_blocks(units):
            probability = probability * _probability(units[block], gates[..., block])
    return probability[()]


def joint_table(theta: Any, same_label: bool) -> Array:
    """Return the joint law of a neuron's kinds on two samples, for fair signs of its output weight.

    Parameters
    ----------
    theta : float
        Angle between the samples, in [0, pi].
    same_label : bool
        Whether the samples have one label or opposite ones.

    Returns
    -------
    array (4, 4)
        Probability of each kind TL, TD, FL, FD on the first sample (rows) and on the second (columns).

    Raises
    ------
    InputError
        When theta is not an angle between two directions.

    Notes
    -----
    Source: neuron_partition B5. The gates are not independent unless the
    samples are orthogonal.

    Examples
    --------
    >>> joint_table(np.pi / 2, same_label=True)[0]
    array([0.125, 0.125, 0.   , 0.   ])
    """
    angle = float(real_array("theta", theta, 0))
    if not 0 <= angle <= np.pi:
        raise InputError(f"theta: expected an angle in [0, pi], got {angle}")
    equal, unequal = formulas.pair_of_kinds(np.float64(angle))
    table = np.kron(np.eye(2), np.array([[equal, unequal], [unequal, equal]]))
    return table if same_label else table[:, [2, 3, 0, 1]]


def angles(X: Any) -> Array:
    """Return the angles between rows, (n, n), in [0, pi]; accurate near both ends.

    Raises
    ------
    InputError
        When X is not a real matrix without zero rows.

    Examples
    --------
    >>> float(angles([[1.0, 0.0], [0.0, 2.0]])[0, 1] / np.pi)
    0.5
    """
    rows = np.asarray(data_rows("X", X), dtype=float)
    if not nonzero(rows).all():
        raise InputError("X: expected rows that are not zero, which have no angle")
    units = unit_rows(rows)
    return angle_between(units[:, None], units)


def angle_between(u: Array, v: Array) -> Array:
    """Return the angles between unit vectors (..., d), broadcast (Kahan's half-angle form)."""
    return 2 * np.arctan2(np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1))


def _patterns(patterns: Any, n: int) -> Array:
    array = np.asarray(patterns)
    if array.shape[-1:] != (n,) or array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise InputError(f"patterns: expected zeros and ones of shape (..., {n}), got shape {array.shape}")
    return array.astype(int)


def _orthogonal_blocks(units: Array) -> Iterator[Array]:
    """Index arrays of the finest mutually orthogonal groups of rows."""
    linked = np.abs(units @ units.T) > rounding(units)
    left = np.ones(len(units), dtype=bool)
    while left.any():
        block = np.zeros(len(units), dtype=bool)
        block[left.argmax()] = True
        while (wider := linked[block].any(0)).sum() > block.sum():
            block = wider
        left &= ~block
        yield np.flatnonzero(block)


def _probability(units: Array, gates: Array) -> Array:
    """Probabilities of patterns (..., k) on a group of k unit rows."""
    if len(units) == 1:
        return np.full(gates.shape[:-1], 0.5)
    rows = coordinates(units)
    k, r = rows.shape
    if r <= 2:
        return _share_of_circle(rows, gates)
    if k == 3:
        return _of_three(rows, gates)
    if r == 3:
        return solid_angles(rows, gates) / (4 * np.pi)
    _check_equicorrelated(units, gates)
    return np.full(gates.shape[:-1], 1 / (k + 1))


def _share_of_circle(rows: Array, gates: Array) -> Array:
    """Lengths of the arcs with the given patterns over 2 pi."""
    plane = np.pad(rows, ((0, 0), (0, 2 - rows.shape[1])))
    cut = arcs(plane)
    length = np.where(cut.length > MARGIN, cut.length, 0.0)
    same = (cut.patterns == (gates[..., None, :] > 0)).all(-1)
    return (same * length).sum(-1) / (2 * np.pi)


def _of_three(rows: Array, gates: Array) -> Array:
    signed = (2 * gates - 1)[..., None] * rows
    x, y, z = np.moveaxis(signed, -2, 0)
    sides = angle_between(x, y), angle_between(x, z), angle_between(y, z)
    return np.maximum(formulas.triple_probability(*sides), 0.0)


def _check_equicorrelated(units: Array, gates: Array) -> None:
    signed = (2 * gates - 1)[..., None] * units
    gram = signed @ np.swapaxes(signed, -1, -2)
    off = np.abs(gram - (1 + np.eye(len(units))) / 2).max()
    if off > rounding(units):
        raise AssumptionError(CASES, float(off))
