"""What the figures of the two-parameter model share: f(x) = x_1 a b + x_2 (a² - b²)/2, seen at (1, 0)."""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm

Array = np.ndarray

Y = 1.0
START = np.array([2.4, 0.2])
SIGMA = 0.5


def problem_of(unseen: float = 0.0) -> tm.MinimaManifold:
    """Return the model whose teacher is (1, unseen)."""
    return tm.MinimaManifold([[1.0, 0.0]], [Y], teacher=[Y, unseen])


def landed() -> Array:
    """Return the point of Gamma that gradient flow reaches from the start, (2,)."""
    return problem_of().limit(START)


def train(
    theta0: Array, lr: Any, steps: int, every: int, runs: int | None = None, noise: Any = None, rng: Any = 0
) -> tm.Trajectory:
    """Return descent with label noise, Rademacher of standard deviation SIGMA by default."""
    start = theta0 if runs is None else np.tile(theta0, (runs, 1))
    kicks = ("rademacher", SIGMA) if noise is None else noise
    return tm.descend(problem_of(), start, lr=lr, steps=steps, every=every, noise=kicks, record=(), rng=rng,
                      measure_error=False)  # fmt: skip


def on_manifold(unseen: Any) -> Array:
    """Return the point of Gamma with a > 0 and (a² - b²)/2 = unseen, (..., 2)."""
    q = np.asarray(unseen, dtype=float)
    return problem_of().point(np.stack([np.full(q.shape, Y), q], axis=-1), near=[1.0, 1.0])
