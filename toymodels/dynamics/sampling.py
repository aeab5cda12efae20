"""The randomness of a stochastic step: minibatches and noise, one stream per run."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from toymodels.dynamics.draws import Chunked, Signs
from toymodels.dynamics.noise import GradientNoise, label_noise, source
from toymodels.errors import InputError
from toymodels.problem import Problem
from toymodels.randomness import streams
from toymodels.validation import positive_int

Array = np.ndarray


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


class Sample(NamedTuple):
    """Rows and targets of a step (None: the problem's own), and the entries of gradient noise."""

    rows: Array | None
    targets: Array | None
    kick: Array | None


class Sampler:
    """The samples of all steps of a descent; arguments as in `toymodels.descend`."""

    def __init__(
        self, problem: Problem, theta: Array, steps: int, batch: Any, replace: Any, noise: Any, rng: Any
    ):
        runs = theta.shape[:-1]
        if not isinstance(replace, (bool, np.bool_)):
            raise InputError(f"replace: expected True or False, got {replace!r}")
        self._minibatches: Minibatches | None = None
        self._labels: Chunked | Signs | None = None
        self.kicks: Chunked | Signs | None = None
        self._problem, self._runs = problem, runs
        kicks = noise if isinstance(noise, GradientNoise) else None
        labels = None if noise is None or kicks else label_noise(problem, noise)
        # Rows and noise have streams of their own, so that one does not shift the other.
        parents = streams(rng, prod(runs))
        sequences: list[Any] = [parent.bit_generator.seed_seq for parent in parents]
        seeds = [sequence.spawn(2) for sequence in sequences]
        size = None
        if batch is not None:
            size, own = _batch_size(problem, batch), _children(parents, seeds, 0)
            self._minibatches = Minibatches(problem.n, size, bool(replace), runs, own, steps)
        if labels is not None:
            shape = (size or problem.n, *problem.targets.shape[1:])
            self._labels = labels(shape, runs, _children(parents, seeds, 1), steps)
        if kicks is not None:
            rank, own = kicks.rank(problem, theta), _children(parents, seeds, 1)
            self.kicks = source(kicks.kind, 1.0)((rank,), runs, own, steps)

    def next(self) -> Sample:
        """Return the sample of the next step."""
        rows = None if self._minibatches is None else self._minibatches.next()
        kick = None if self.kicks is None else self.kicks.next()
        if self._labels is None:
            return Sample(rows, None, kick)
        noise, targets = self._labels.next(), self._problem.targets
        if rows is None:
            return Sample(None, targets + noise, kick)
        short = np.s_[..., : rows.shape[-1]] + (np.s_[:],) * (targets.ndim - 1)
        return Sample(rows, targets[rows] + noise[short], kick)

    def labels(self, most: int) -> Array:
        """Return the full-batch targets of the next steps, (count,) + runs + (n,) with 1 <= count <= most.

        For problems of one sample, whose minibatches are the full batch.
        """
        targets = self._problem.targets
        if self._labels is None:
            return np.broadcast_to(targets, (most, *self._runs, *targets.shape))
        return targets + self._labels.take(most)


def _batch_size(problem: Problem, batch: Any) -> int:
    size = positive_int("batch", batch)
    if size > problem.n:
        raise InputError(f"batch: expected at most the {problem.n} samples, got {size}")
    return size


def _children(parents: list[np.random.Generator], seeds: list, which: int) -> list[np.random.Generator]:
    """Generators like the parents, from one of the seeds that each has spawned."""
    return [
        type(parent)(type(parent.bit_generator)(own[which]))
        for parent, own in zip(parents, seeds, strict=True)
    ]
