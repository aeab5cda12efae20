"""How hard to look for a counterexample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CASES = {"quick": 25, "normal": 200, "deep": 5000}
"""Pointwise cases by effort; trajectories take a tenth."""


@dataclass(frozen=True)
class Plan:
    """How hard to look.

    Attributes
    ----------
    effort : {"quick", "normal", "deep"}
    cases : int
        Cases to look at.
    seed : int
        Of this statement alone, so results do not depend on what else runs.
    readable : bool
        Whether a counterexample is made small enough to read, or the first one will do.
    """

    effort: str
    cases: int
    seed: int
    readable: bool = True

    @property
    def shrinks(self) -> int:
        """Cases that shrinking a counterexample may look at; few where a case is a training."""
        if not self.readable:
            return 0
        return 8 if self.cases < CASES["quick"] else 50

    def rng(self) -> np.random.Generator:
        """Return a fresh generator of the plan's seed."""
        return np.random.default_rng(self.seed)
