"""The partition over a training run: how many neurons are of which kind, and who moved where and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import InputError
from toymodels.relu.partition import KINDS
from toymodels.relu.problem import TwoLayerReLU
from toymodels.trajectory import Trajectory

Array = np.ndarray


class Move(NamedTuple):
    """One neuron's change of kind on one sample between two recorded times.

    Attributes
    ----------
    after, by : float
        The last recorded time with the old kind, the first with the new one.
    run : tuple of int
    neuron, sample : int
    source, target : str
        Names of the kinds.
    """

    after: float
    by: float
    run: tuple[int, ...]
    neuron: int
    sample: int
    source: str
    target: str


@dataclass(frozen=True, eq=False)
class Moves:
    """All changes of kind, in the order of time, run, neuron, sample; iterating gives `Move`.

    Attributes
    ----------
    index : (q,) of int
        Record at which each new kind is first seen.
    run : (q, number of run axes) of int
    neuron, sample : (q,) of int
    source, target : (q,) of int
        Indices into `KINDS`.
    t : (T,) or (T,) + runs
        Times of the records.
    """

    index: Array
    run: Array
    neuron: Array
    sample: Array
    source: Array
    target: Array
    t: Array

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[Move]:
        for index, run, *rest in zip(
            self.index, self.run, self.neuron, self.sample, self.source, self.target, strict=True
        ):
            neuron, sample, source, target = map(int, rest)
            where = tuple(map(int, run))
            times = np.moveaxis(self.t, 0, -1)[where[: self.t.ndim - 1]]
            after, by = map(float, times[index - 1 : index + 1])
            yield Move(after, by, where, neuron, sample, KINDS[source], KINDS[target])

    def where(self, mask: Array) -> Moves:
        """Return the moves of a boolean mask, such as ``moves.neuron == 3``."""
        return replace(
            self,
            index=self.index[mask],
            run=self.run[mask],
            neuron=self.neuron[mask],
            sample=self.sample[mask],
            source=self.source[mask],
            target=self.target[mask],
        )


@dataclass(frozen=True, eq=False)
class Census:
    """The partition at every record of a trajectory.

    Attributes
    ----------
    t : (T,) or (T,) + runs
        Times of the records.
    counts : (T,) + runs + (n, 4)
        Numbers of TL, TD, FL, FD neurons on each sample; nan from where a run has diverged.
    moves : Moves
        Who moved where, and between which records.
    """

    t: Array
    counts: Array
    moves: Moves

    def table(self) -> Array:
        """Return how many moves went from each kind to each other, (5, 5), over all samples and runs.

        Rows are the kinds left and columns the kinds entered, in the order of `KINDS`.
        """
        table = np.zeros((len(KINDS), len(KINDS)), dtype=int)
        np.add.at(table, (self.moves.source, self.moves.target), 1)
        return table


def census(problem: TwoLayerReLU, trajectory: Trajectory, by: str = "targets") -> Census:
    """Return the partition over a trajectory, with every change of kind.

    A change is seen between two records: what happens and is undone in between
    is not, and times are those of the records around it.

    Parameters
    ----------
    problem : TwoLayerReLU
        The problem that was trained.
    trajectory : Trajectory
        Its path, time first.
    by : {"targets", "residuals"}
        See `TwoLayerReLU.partition`.

    Raises
    ------
    InputError
        When the problem is not a ReLU network, or the trajectory is not its own.

    Notes
    -----
    Source: neuron_partition B4.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = TwoLayerReLU([[1.0]], [1.0], output=[-1.0], loss="exponential")
    >>> run = tm.descend(problem, [0.15], lr=0.1, steps=3)
    >>> for move in census(problem, run).moves:
    ...     print(move.neuron, move.sample, move.source, move.target, round(move.by, 12))
    0 0 FL FD 0.2
    """
    if not isinstance(problem, TwoLayerReLU):
        raise InputError(f"problem: expected a TwoLayerReLU, got {type(problem).__name__}")
    theta = trajectory.theta
    if trajectory.t.ndim == 0 or theta.shape[-1] != problem.size:
        raise InputError(
            f"trajectory: expected times (T,) and theta (T, ..., {problem.size}), got {theta.shape}"
        )
    counts, found = [], []
    before: Array | None = None
    for index, state in enumerate(theta):
        alive = np.isfinite(state).all(-1)
        partition = problem.partition(np.where(alive[..., None], state, 0.0), by)
        counts.append(np.where(alive[..., None, None], partition.counts, np.nan))
        kinds = partition.kinds
        if before is not None:
            where = np.nonzero((kinds != before) & alive[..., None, None])
            found.append((np.full(len(where[0]), index), where, before[where], kinds[where]))
        before = kinds
    return Census(trajectory.t, np.stack(counts), _moves(found, trajectory))


def _moves(found: list[tuple[Array, Any, Array, Array]], trajectory: Trajectory) -> Moves:
    """Columns of all moves; `where` holds the run axes, then neuron and sample."""
    axes = trajectory.theta.ndim
    none = np.zeros(0, dtype=int)
    index = np.concatenate([none, *(i for i, _, _, _ in found)])
    where = [np.concatenate([none, *(w[k] for _, w, _, _ in found)]) for k in range(axes)]
    source = np.concatenate([none, *(s for _, _, s, _ in found)])
    target = np.concatenate([none, *(s for _, _, _, s in found)])
    run = np.stack(where[:-2], axis=-1) if axes > 2 else np.zeros((len(index), 0), dtype=int)
    return Moves(index, run, where[-2], where[-1], source, target, trajectory.t)
