"""The randomness of a stochastic step: minibatches and label noise, one stream per run.

Draws are made in chunks of steps, run by run, so a step costs no Python loop
over runs; a run's draws depend on neither the chunk nor the other runs.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.problem import Problem
from toymodels.randomness import streams
from toymodels.validation import one_of, positive_int, positive_real

Array = np.ndarray
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

CHUNK = 2**21
"""Most numbers drawn ahead of their use."""


class Chunked:
    """Equally shaped draws for every run, one per step."""

    def __init__(
        self, draw: Draw, shape: tuple[int, ...], runs: tuple[int, ...], streams: list, steps: int
    ):
        self._draw, self._shape, self._runs, self._streams = draw, shape, runs, streams
        self._length, self._left = max(1, CHUNK // (len(streams) * prod(shape))), steps
        self._block, self._used = np.empty((0,)), 0

    def next(self) -> Array:
        """Return the draw of the next step, runs + shape."""
        if self._used == len(self._block):
            length = min(self._length, self._left)
            draws = [self._draw(stream, (length, *self._shape)) for stream in self._streams]
            self._block, self._used, self._left = np.stack(draws, axis=1), 0, self._left - length
        self._used += 1
        return self._block[self._used - 1].reshape(self._runs + self._shape)


class Minibatches:
    """Row numbers of the minibatch of each step, runs + (B,)."""

    def __init__(self, n: int, batch: int, replace: bool, runs: tuple[int, ...], streams: list, steps: int):
        self._n, self._batch, self._runs, self._streams = n, batch, runs, streams
        self._independent = Chunked(self._any_rows, (batch,), runs, streams, steps) if replace else None
        self._epoch, self._used = np.empty((*runs, 0), dtype=int), 0

    def _any_rows(self, stream: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return stream.integers(self._n, size=shape)

    def next(self) -> Array:
        """Return the rows of the next step; the last minibatch of an epoch may be short."""
        if self._independent is not None:
            return self._independent.next()
        if self._used >= self._epoch.shape[-1]:
            order = np.stack([stream.permutation(self._n) for stream in self._streams])
            self._epoch, self._used = order.reshape((*self._runs, self._n)), 0
        rows = self._epoch[..., self._used : self._used + self._batch]
        self._used += self._batch
        return rows


class Sampler:
    """Rows and targets of each step, or None where the problem's own are meant."""

    def __init__(
        self,
        problem: Problem,
        runs: tuple[int, ...],
        steps: int,
        batch: Any,
        replace: Any,
        noise: Any,
        rng: Any,
    ):
        draw = label_noise(problem, noise)
        if not isinstance(replace, (bool, np.bool_)):
            raise InputError(f"replace: expected True or False, got {replace!r}")
        # Rows and noise have streams of their own, so that one does not shift the other.
        pairs = [stream.spawn(2) for stream in streams(rng, prod(runs))]
        self._minibatches, self._noise, self._problem = None, None, problem
        if batch is not None:
            size = positive_int("batch", batch)
            if size > problem.n:
                raise InputError(f"batch: expected at most the {problem.n} samples, got {size}")
            own = [rows for rows, _ in pairs]
            self._minibatches = Minibatches(problem.n, size, bool(replace), runs, own, steps)
        if draw is not None:
            rows = problem.n if batch is None else size
            shape = (rows, *problem.targets.shape[1:])
            self._noise = Chunked(draw, shape, runs, [labels for _, labels in pairs], steps)

    def next(self) -> tuple[Array | None, Array | None]:
        """Return (rows, targets) of the next step."""
        rows = None if self._minibatches is None else self._minibatches.next()
        if self._noise is None:
            return rows, None
        noise, targets = self._noise.next(), self._problem.targets
        if rows is None:
            return None, targets + noise
        short = np.s_[..., : rows.shape[-1]] + (np.s_[:],) * (targets.ndim - 1)
        return rows, targets[rows] + noise[short]


def label_noise(problem: Problem, noise: Any) -> Draw | None:
    """Return the function that draws label noise for a chunk of steps, from the `noise` argument."""
    if noise is None:
        return None
    if problem.output_loss.labels:
        name = problem.output_loss.name
        raise InputError(f"noise: expected the square loss, the {name} loss has labels -1 or +1")
    if callable(noise):
        return _checked(noise)
    kind, sigma = noise if isinstance(noise, tuple) and len(noise) == 2 else ("gaussian", noise)
    if not isinstance(kind, str):
        raise InputError(f"noise: expected a number, (name, number) or a function, got {noise!r}")
    one_of("noise", kind, ("gaussian", "rademacher"))
    scale = positive_real("noise", sigma, allow_zero=True)
    if kind == "gaussian":
        return lambda stream, shape: scale * stream.standard_normal(shape)
    return lambda stream, shape: scale * (2.0 * stream.integers(2, size=shape) - 1.0)


def _checked(noise: Callable[..., Any]) -> Draw:
    """Ask a user's function step by step, as it may centre or correlate what it draws."""

    def draw(stream: np.random.Generator, shape: tuple[int, ...]) -> Array:
        steps = [np.asarray(noise(stream, shape[1:])) for _ in range(shape[0])]
        for step in steps:
            if step.shape != shape[1:] or step.dtype.kind not in "biuf" or not np.isfinite(step).all():
                raise InputError(f"noise: expected finite numbers of shape {shape[1:]}, got {step.shape}")
        return np.stack(steps)

    return draw
