"""What a route writes down along a path: theta and the observables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.problem import Problem, runs_of

Array = np.ndarray
Observable = Callable[[Any, Array], Any]


def observers(problem: Problem, record: Any) -> dict[str, Observable]:
    """Return the observables of a `record` argument by name; "theta" is always kept and left out."""
    if isinstance(record, str) or callable(record):
        record = (record,)
    if not isinstance(record, Iterable):
        raise InputError(f"record: expected names or functions (problem, theta), got {record!r}")
    found: dict[str, Observable] = {}
    for item in record:
        if isinstance(item, str):
            name, function = item, None if item == "theta" else problem.observable(item)
        elif callable(item) and hasattr(item, "__name__"):
            name, function = item.__name__, item
        else:
            raise InputError(f"record: expected a name or a named function (problem, theta), got {item!r}")
        if function is None:
            continue
        if name == "theta" or name in found:
            raise InputError(f"record: two observables are named {name!r}")
        found[name] = function
    return found


class Recorder:
    """Buffers of theta and of every observable, time first.

    An observable sees the whole batch at one time, theta runs + (p,), and
    answers with an array whose leading axes are the runs. Where a run is not
    finite it is shown the start instead and its entry is nan: an eigenvalue
    solver that meets nan would stop the other runs.
    """

    def __init__(self, problem: Problem, record: Any, times: tuple[int, ...], start: Array):
        self._problem, self._times, self._start = problem, times, start
        self._observers = observers(problem, record)
        self.theta = np.full(times + start.shape, np.nan)
        self.records: dict[str, Array] = {}

    def write(self, index: Any, theta: Array) -> None:
        """Store theta and what the observables say of it at one time."""
        self.theta[index] = theta
        alive = np.isfinite(theta).all(-1)
        shown = theta if alive.all() else np.where(alive[..., None], theta, self._start)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for name, function in self._observers.items():
                values = self._observe(name, function, shown)
                mask = alive.reshape(alive.shape + (1,) * (values.ndim - alive.ndim))
                self._store(name, index, values if alive.all() else np.where(mask, values, np.nan))

    def _observe(self, name: str, function: Observable, theta: Array) -> Array:
        try:
            values = np.asarray(function(self._problem, theta))
        except np.linalg.LinAlgError:
            values = self._one_by_one(name, function, theta)
        runs = runs_of(theta)
        if values.dtype.kind not in "biufc" or values.shape[: len(runs)] != runs:
            expected = f"leading axes {runs}" if runs else "numbers"
            raise InputError(f"record: {name}: expected {expected}, got {values.dtype} {values.shape}")
        return values

    def _one_by_one(self, name: str, function: Observable, theta: Array) -> Array:
        """Ask for each run alone: overflow in one must not cost the others their eigenvalues."""
        answers: dict[tuple[int, ...], Array] = {}
        for run in np.ndindex(runs_of(theta)):
            try:
                answers[run] = np.asarray(function(self._problem, theta[run]))
            except np.linalg.LinAlgError:
                continue
        shape = next((a.shape for a in answers.values()), None)
        if shape is None:
            if name not in self.records:
                raise InputError(f"record: {name}: no run is regular enough to compute it at the start")
            shape = self.records[name].shape[len(self._times) + theta.ndim - 1 :]
        values = np.full(runs_of(theta) + shape, np.nan)
        for run, answer in answers.items():
            values[run] = answer
        return values

    def _store(self, name: str, index: Any, values: Array) -> None:
        if name not in self.records:
            dtype = np.result_type(values.dtype, float)
            self.records[name] = np.full(self._times + values.shape, np.nan, dtype)
        buffer = self.records[name]
        expected = buffer.shape[len(self._times) :]
        if values.shape != expected:
            raise InputError(f"record: {name}: expected shape {expected} at every time, got {values.shape}")
        buffer[index] = values
