"""The partition over a training run: how many neurons are of which kind, and who moved where and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import InputError
from toymodels.relu.mode_history import MODES, starting_modes
from toymodels.relu.partition import KINDS
from toymodels.relu.problem import TwoLayerReLU
from toymodels.trajectory import Trajectory

Array = np.ndarray

PLACES = (*KINDS, "sliding")
"""Names of the kinds, and of what is neither living nor dead on a sample: a neuron of a flow on its kink."""


class Move(NamedTuple):
    """One neuron's change of kind on one sample.

    Attributes
    ----------
    after, by : float
        The last time known with the old kind, the first with the new one: those
        of records, or twice the time of an event.
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
    """All changes of kind, in the order of time; iterating gives `Move`.

    Attributes
    ----------
    after, by : (q,)
        The times between which each happened.
    run : (q, number of run axes) of int
    neuron, sample : (q,) of int
    source, target : (q,) of int
        Indices into `KINDS`, or their number for "sliding".
    """

    after: Array
    by: Array
    run: Array
    neuron: Array
    sample: Array
    source: Array
    target: Array

    def __len__(self) -> int:
        return len(self.by)

    def __iter__(self) -> Iterator[Move]:
        columns = (getattr(self, column.name).tolist() for column in fields(self))
        for after, by, run, neuron, sample, source, target in zip(*columns, strict=True):
            yield Move(after, by, tuple(run), neuron, sample, PLACES[source], PLACES[target])

    def where(self, mask: Array) -> Moves:
        """Return the moves of a boolean mask, such as ``moves.neuron == 3``."""
        return Moves(*(getattr(self, column.name)[mask] for column in fields(self)))


@dataclass(frozen=True, eq=False)
class Census:
    """The partition at every record of a trajectory.

    Attributes
    ----------
    t : (T,) or (T,) + runs
        Times of the records.
    counts : (T,) + runs + (n, 4)
        Numbers of TL, TD, FL, FD neurons on each sample; nan from where a run has ended.
    sliding : (T,) + runs + (n,)
        Numbers of neurons that slide along the kink of each sample; they are
        not in `counts`. Only a flow has them.
    moves : Moves
        Who moved where, and when.
    """

    t: Array
    counts: Array
    sliding: Array
    moves: Moves

    def table(self) -> Array:
        """Return how many moves went from each kind to each other, (6, 6), over all samples and runs.

        Rows are the kinds left and columns the kinds entered, in the order of
        `KINDS`, and "sliding".
        """
        table = np.zeros((len(PLACES), len(PLACES)), dtype=int)
        np.add.at(table, (self.moves.source, self.moves.target), 1)
        return table


def census(problem: TwoLayerReLU, trajectory: Trajectory, by: str = "targets") -> Census:
    """Return the partition over a trajectory, with every change of kind.

    Along `toymodels.flow` or a closed form, gates change at the times of the
    trajectory's events, from time 0 on. All other changes (any of descent, and
    of the sign of an output weight or of a residual) are seen between two
    records: what happens and is undone in between is not, and times are those
    of the records around it.

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
    >>> flow = tm.flow(problem, [0.15], [0.0, 1.0])
    >>> for move in census(problem, flow).moves:  # at 1 - e^{-0.15}
    ...     print(move.neuron, move.sample, move.source, move.target, round(move.by, 12))
    0 0 FL FD 0.139292023575
    """
    if not isinstance(problem, TwoLayerReLU):
        raise InputError(f"problem: expected a TwoLayerReLU, got {type(problem).__name__}")
    theta = trajectory.theta
    if trajectory.t.ndim == 0 or len(theta) == 0 or theta.shape[-1] != problem.size:
        raise InputError(
            f"trajectory: expected times (T,) and theta (T, ..., {problem.size}), got {theta.shape}"
        )
    ledger = _Ledger(problem, trajectory, by)
    places = [ledger.read(t, state) for t, state in zip(trajectory.t, theta, strict=True)]
    alive = np.isfinite(theta).all(-1)[..., None]
    counts = [np.where(alive, [(row == j).sum(-2) for row in places], np.nan) for j in (0, 1, 2, 3, 5)]
    return Census(trajectory.t, np.stack(counts[:4], axis=-1), counts[4], ledger.moves())


class _Ledger:
    """The place of every neuron on every sample at one time, and the moves until then."""

    def __init__(self, problem: TwoLayerReLU, trajectory: Trajectory, by: str):
        self._problem, self._by, self._axes = problem, by, trajectory.theta.ndim
        self._rows: list[tuple[Array, ...]] = []
        self._modes, self._log = np.zeros(0, dtype=int), list[dict[str, Any]]()
        self._time, start = trajectory.t[0], trajectory.theta[0]
        self._follows = trajectory.start is not None and trajectory.step is None
        if self._follows:
            self._time, start = np.zeros(()), np.asarray(trajectory.start)
            self._modes = starting_modes(problem, trajectory)
            log = [event for event in trajectory.events if "sample" in event]
            self._log = sorted(log, key=lambda event: event["time"])[::-1]
        self._truth, self._places = self._seen(start)

    def _seen(self, state: Array) -> tuple[Array, Array]:
        """Signs of truth and places in a state."""
        alive = np.isfinite(state).all(-1)[..., None]
        partition = self._problem.partition(np.where(alive, state, 0.0), self._by)
        modes = self._modes if self._follows else 2 * partition.gates - 1
        return partition.truth, _places(partition.truth, modes)

    def read(self, t: Array, state: Array) -> Array:
        """Go on to a record, and return the places in it, runs + (m, n)."""
        while self._log and self._log[-1]["time"] <= t:
            self._cross(self._log.pop())
        truth, places = self._seen(state)
        where = np.nonzero((places != self._places) & np.isfinite(state).all(-1)[..., None, None])
        spread = (np.asarray(time)[..., None, None] for time in (self._time, t))
        times = (np.broadcast_to(time, places.shape)[where] for time in spread)
        self._rows.append((*times, *where, self._places[where], places[where]))
        self._time, self._truth, self._places = t, truth, places.copy()
        return places

    def _cross(self, event: dict[str, Any]) -> None:
        """Note that a neuron's mode on a sample changes."""
        place = (*event["runs"][0], event["neuron"], event["sample"])
        mode = np.array(MODES[event["kind"]])
        source, target = self._places[place], _places(self._truth[place], mode)
        if source != target:
            self._rows.append(tuple(np.array([x]) for x in (*[event["time"]] * 2, *place, source, target)))
        self._modes[place], self._places[place] = mode, target

    def moves(self) -> Moves:
        """All moves."""
        blank = (np.zeros(0), np.zeros(0), *[np.zeros(0, dtype=int)] * (self._axes + 2))
        after, by, *where, source, target = (
            np.concatenate(column) for column in zip(blank, *self._rows, strict=True)
        )
        run = np.stack(where[:-2], axis=-1) if self._axes > 2 else np.zeros((len(by), 0), dtype=int)
        return Moves(after, by, run, where[-2], where[-1], source, target)


def _places(truth: Array, modes: Array) -> Array:
    """Indices into `PLACES`."""
    kinds = np.where(truth == 0, 4, 2 - truth - (modes > 0))
    return np.where(modes == 0, len(KINDS), kinds)
