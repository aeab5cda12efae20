"""Runs that leave the finite numbers: a result, not an exception."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.dynamics.rounding import Companion

Array = np.ndarray


class Divergence:
    """Runs that have left the finite numbers; they stand still at their start from then on."""

    def __init__(self, start: Array, companion: Companion | None):
        self.start, self._companion = start, companion
        self.dead = np.zeros(start.shape[:-1], dtype=bool)
        self._any = False
        self.events: list[dict[str, Any]] = []

    def guard(self, step: int, theta: Array, velocity: Array) -> tuple[Array, Array]:
        """Return the state with diverged runs set back to their start, at rest."""
        # One sum is cheap; it is finite unless an entry is not, or entries are near overflow.
        if np.isfinite(theta.sum()) and not self._any:
            return theta, velocity
        finite = np.isfinite(theta).all(-1)
        new = ~finite & ~self.dead
        self.dead = self.dead | ~finite
        self._any = bool(self.dead.any())
        if new.any():
            where = np.argwhere(new)
            self.events.append({"kind": "diverged", "step": step, "runs": where.tolist()})
        if self._any:
            theta = np.where(self.dead[..., None], self.start, theta)
            velocity = np.where(self.dead[..., None], 0.0, velocity)
            if self._companion is not None:
                self._companion.forget(self.dead)
        return theta, velocity

    @property
    def over(self) -> bool:
        """Whether every run has diverged."""
        return self._any and bool(self.dead.all())

    def shown(self, theta: Array) -> Array:
        """Return theta with nan for diverged runs."""
        return np.where(self.dead[..., None], np.nan, theta) if self._any else theta

    def message(self, steps: int) -> str:
        """Return the sentence for the reader."""
        if not self.events:
            return f"{steps} steps"
        first, total = self.events[0]["step"], self.dead.size
        if self.dead.ndim == 0:
            return f"the run diverged at step {first} of {steps}"
        return f"{int(self.dead.sum())} of {total} runs diverged, the first at step {first} of {steps}"
