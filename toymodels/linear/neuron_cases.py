"""What statements on one neuron range over: starts with learning rates, and data with few rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.linear.one_neuron import rows_of
from toymodels.spaces import Space
from toymodels.spaces.matrices import reflections
from toymodels.spaces.source import Domain, Refused, Source

Array = Any

_RATES = ((1.0, 1.0), (1.0, 16.0), (4.0, 0.25), (0.5, 0.5), (0.0, 1.0), (2.0, 0.0))
"""Ratios are powers of 16, so that the units of rate 1 round nothing."""


def _floats_only(source: Source) -> None:
    """Refuse exact and symbolic draws: what starts here goes through algorithms."""
    if source.system.name != "floats":
        raise Refused("starts of trajectories are floats")


class NeuronStart(NamedTuple):
    """Weights of one neuron, the target and the learning rates (eta_w, eta_a)."""

    w: Array
    a: float
    target: Array
    rates: tuple[float, float]


def neuron_start() -> Space:
    """Starts of every kind: generic, balanced, a = 0, w = 0, no target."""

    def draw(source: Source, name: str) -> NeuronStart:
        _floats_only(source)
        d = source.size("d")
        w, target = (np.asarray(source.array((d,), Domain(-1.5, 1.5)), dtype=float) for _ in range(2))
        a = float(source.number(Domain(-1.5, 1.5)))
        kinds = [(w, a, target), (w, float(np.linalg.norm(w)), target), (w, 0.0, target), (0 * w, a, target)]
        kinds.append((w, a, 0 * target))
        return NeuronStart(*kinds[source.integer(0, 4)], _RATES[source.integer(0, 5)])

    return Space(draw, "one neuron (w, a, target, rates)")


def only_start(start: Any) -> Space:
    """The space of one start, for broken variants: a trajectory is too dear to shrink."""
    return Space(lambda source, name: start, "one start")


class FewRows(NamedTuple):
    """Data of fewer rows than columns, a start of one neuron and its learning rates."""

    X: Array
    y: Array
    w: Array
    a: float
    rates: tuple[float, float]


def few_rows(orthonormal: bool = False, turning: bool = False) -> Space:
    """Two rows in four dimensions, singular values in [0.9, 1.2] or 1.

    Turning starts have w against the target and a small a of the wrong sign,
    so that the output weight crosses zero.
    """

    def draw(source: Source, name: str) -> FewRows:
        _floats_only(source)
        n, d = 2, 4
        U, V = reflections(source, n, 2), reflections(source, d, 2)[:, :n]
        strengths = np.ones(n) if orthonormal else source.array((n,), Domain(0.9, 1.2))
        X = np.asarray((U * strengths) @ V.T, dtype=float)
        y = np.asarray(source.array((n,), Domain(0.8, 1.5)), dtype=float)
        w = np.asarray(source.array((d,), Domain(-1.0, 1.0)), dtype=float)
        a = float(source.number(Domain(0.8, 1.5)))
        if turning:
            fit = rows_of(X, y).fit
            w, a = 0.2 * w - 1.5 * fit / np.linalg.norm(fit), 0.15
        return FewRows(X, y, w, a, _RATES[source.integer(0, 3)])

    return Space(draw, f"one neuron on two {'orthonormal ' if orthonormal else ''}rows (X, y, w, a, rates)")
