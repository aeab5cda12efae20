"""The learning rate of each step and run, and the time that it adds up to."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from toymodels.dynamics.schedules import constant
from toymodels.errors import InputError
from toymodels.validation import positive_real, real_array

Array = np.ndarray


def runs_and_rate(theta: Array, lr: Any) -> tuple[Array, Callable[[int], Any]]:
    """Return the starts of all runs, and the learning rate as a function of the step."""
    lr_of: Callable[[int], Any]
    if callable(lr):
        lr_of, shape = lr, np.shape(_checked_lr(lr, 0))
    elif isinstance(lr, Real):
        return theta, constant(positive_real("lr", lr))
    else:
        rates = real_array("lr", lr)
        if (rates <= 0).any():
            raise InputError(f"lr: expected numbers > 0, got {rates.min()}")
        lr_of, shape = _PerRun(rates), rates.shape
    runs = theta.shape[:-1]
    if shape and not runs:
        return np.broadcast_to(theta, shape + theta.shape).copy(), lr_of
    if shape and shape != runs:
        raise InputError(f"lr: expected a number, or one for each of the runs {runs}, got shape {shape}")
    return theta, lr_of


class Clock:
    """Learning rates checked as they are used, and the times they add up to."""

    def __init__(self, lr_of: Callable[[int], Any], recorded: Array):
        self._lr_of, self._recorded, self._row = lr_of, recorded, 0
        if isinstance(lr_of, (_PerRun, constant)):
            self.times = np.multiply.outer(recorded, lr_of.lr).astype(float)
            self._sum = None
        else:
            # In extended precision where the machine has it: the sum has as many terms as steps.
            shape = np.shape(_checked_lr(lr_of, 0))
            self._sum = np.zeros(shape, dtype=np.longdouble)
            self.times = np.zeros(recorded.shape + shape)

    def tick(self, step: int) -> Any:
        """Return the learning rate of a step, () or runs + (1,)."""
        lr = _checked_lr(self._lr_of, step)
        if self._sum is not None:
            if np.shape(lr) != self._sum.shape:
                raise InputError(f"lr: expected shape {self._sum.shape} at every step, got {np.shape(lr)}")
            self._sum = self._sum + lr
            if step + 1 == self._recorded[self._row + 1]:
                self._row += 1
                self.times[self._row] = self._sum
        return lr if np.ndim(lr) == 0 else lr[..., None]


class _PerRun:
    """A constant learning rate for each run."""

    def __init__(self, lr: Array):
        self.lr = lr

    def __call__(self, step: int) -> Array:
        return self.lr


def _checked_lr(lr_of: Callable[[int], Any], step: int) -> Any:
    lr = lr_of(step)
    if isinstance(lr_of, (_PerRun, constant)):
        return lr
    array = np.asarray(lr)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all() or (array < 0).any():
        raise InputError(f"lr: expected finite numbers >= 0 from the schedule at step {step}, got {lr!r}")
    return array.astype(float)
