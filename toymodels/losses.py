"""Losses of one output: value, first and second derivative in the output, stable at any margin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from toymodels.errors import InputError

Array = np.ndarray


@dataclass(frozen=True)
class Loss:
    """A loss ``l(f, y)`` and its derivatives in f, elementwise.

    Attributes
    ----------
    value, slope, curvature : callable (outputs, targets) -> array
        l, dl/df and d²l/df².
    labels : bool
        Whether targets must be -1 or +1.
    """

    name: str
    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]
    labels: bool

    def __reduce__(self) -> str:
        """Pickle by name, so that problems travel to worker processes."""
        return self.name

    def check_targets(self, targets: Array) -> None:
        """Raise InputError unless the targets fit the loss."""
        if self.labels and not np.isin(targets, (-1.0, 1.0)).all():
            raise InputError(f"y: expected labels -1 or +1 for the {self.name} loss")


def _sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), for complex z too (complex steps pass through)."""
    positive = z.real > 0
    small = np.exp(np.where(positive, -z, z))
    return np.where(positive, 1, small) / (1 + small)


def _log1p_exp(z: Array) -> Array:
    """log(1 + e^z) without overflow, for complex z too."""
    positive = z.real > 0
    return np.where(positive, z, 0) + np.log1p(np.exp(np.where(positive, -z, z)))


def _exp(z: Array) -> Array:
    """e^z, infinite where it is larger than any float."""
    with np.errstate(over="ignore"):
        return np.exp(z)


square = Loss(
    "square",
    lambda f, y: (f - y) ** 2 / 2,
    lambda f, y: f - y,
    lambda f, y: np.ones_like(f),
    labels=False,
)

logistic = Loss(
    "logistic",
    lambda f, y: _log1p_exp(-y * f),
    lambda f, y: -y * _sigmoid(-y * f),
    lambda f, y: _sigmoid(y * f) * _sigmoid(-y * f),
    labels=True,
)

exponential = Loss(
    "exponential",
    lambda f, y: _exp(-y * f),
    lambda f, y: -y * _exp(-y * f),
    lambda f, y: _exp(-y * f),
    labels=True,
)

LOSSES = {loss.name: loss for loss in (square, logistic, exponential)}
