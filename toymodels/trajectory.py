"""What every route returns."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.files import write_whole
from toymodels.validation import nearest

Array = np.ndarray


def euclidean_norm(theta: Array) -> Array:
    """Return the Euclidean norm over the last axis, without overflow or underflow on the way.

    Examples
    --------
    >>> euclidean_norm(np.array([[3e-200, 4e-200], [3e200, 4e200]]))
    array([5.e-200, 5.e+200])
    """
    largest = np.abs(theta).max(-1, keepdims=True)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)
    scaled = theta / scale
    return scale[..., 0] * np.sqrt((scaled * scaled).sum(-1))


@dataclass
class Trajectory:
    """A path of theta and what was recorded along it.

    Attributes
    ----------
    t : (T,) array
        Times; learning rate times step for descent. With a learning rate per
        run it is (T,) + runs.
    theta : array, time first
        Shape (T,) + runs + (p,); () + runs + (p,) for a single time.
    error : array, (T,) + runs
        Bound on the absolute error of theta (Euclidean norm): rounding, and
        truncation where the route integrates; inf where nothing is known.
    status : str
        "finished", or "diverged" when a run left the finite numbers, or what
        else ended a run; see `toymodels.flow`.
    message : str
        A sentence for the reader.
    step : int array, optional
        Step numbers, for discrete routes.
    start : array, runs + (p,), optional
        Theta at time 0.
    events : list of dict
        What happened on the way (time, kind, ...).
    records : dict
        Observables by name; ``trajectory["loss"]`` reads one, and
        ``trajectory["theta"]`` is theta itself.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.TwoLayerLinear([[1.0]], [1.0], width=1)
    >>> run = tm.descend(problem, [0.5, 0.5], lr=0.1, steps=10, every=5)
    >>> len(run), run.step.tolist(), run["loss"].shape
    (3, [0, 5, 10], (3,))
    """

    t: Array
    theta: Array
    error: Array
    status: str = "finished"
    message: str = ""
    step: Array | None = None
    start: Array | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, Array] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        if name == "theta":
            return self.theta
        if name not in self.records:
            raise InputError(f"record: {name!r} was not recorded{nearest(name, self.records)}")
        return self.records[name]

    def __contains__(self, name: object) -> bool:
        return name == "theta" or name in self.records

    def __len__(self) -> int:
        return self.t.shape[0] if self.t.ndim else 1

    def save(self, path: str | os.PathLike) -> Path:
        """Write everything to one npz file, whole or not at all.

        Equal trajectories give equal bytes; the file's permissions are those of
        any new file.

        Parameters
        ----------
        path : path-like
            Where to; ".npz" is added when missing.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        InputError
            When the file cannot be written, or a record is not numeric.

        Examples
        --------
        >>> import tempfile
        >>> run = Trajectory(t=np.zeros(1), theta=np.ones((1, 2)), error=np.zeros(1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     again = Trajectory.load(run.save(f"{folder}/run"))
        >>> again.theta
        array([[1., 1.]])
        """
        arrays = {"t": self.t, "theta": self.theta, "error": self.error}
        arrays |= {name: value for name in ("step", "start") if (value := getattr(self, name)) is not None}
        arrays |= {f"record/{name}": value for name, value in self.records.items()}
        about = {"status": self.status, "message": self.message, "events": self.events}
        return write_npz(path, arrays, about)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Trajectory:
        """Read a file that `save` wrote; see its example.

        Parameters
        ----------
        path : path-like
            The file; ".npz" may be left out as in `save`.

        Raises
        ------
        InputError
            When the file cannot be read, or holds something else.
        """
        try:
            with np.load(_npz(path), allow_pickle=False) as archive:
                arrays = dict(archive)
            about = json.loads(str(arrays.pop("about")))
            names = [name for name in arrays if name.startswith("record/")]
            records = {name.removeprefix("record/"): arrays.pop(name) for name in names}
            return cls(**arrays, **about, records=records)
        except OSError as error:
            raise InputError(f"path: cannot read {os.fspath(path)}: {error.strerror or error}") from error
        except (AttributeError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"path: expected a saved trajectory in {os.fspath(path)}") from error

    def plot(self, name: str = "loss", ax: Any = None, **style: Any) -> Any:
        """Draw an observable over time.

        Parameters
        ----------
        name : str
            A recorded observable.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **style
            Handed to `toymodels.plot.trajectory_axes`.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        InputError
            When the observable was not recorded.
        """
        from toymodels.plot import trajectory_axes

        return trajectory_axes(self.t, self[name], name, ax=ax, **style)


def write_npz(path: str | os.PathLike, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> Path:
    """Write arrays and a JSON note under a temporary name, then rename.

    Raises
    ------
    InputError
        When the file cannot be written, or an array is not numeric.
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.kind not in "biufc":
            raise InputError(f"{name}: expected numbers to write, got {np.asarray(array).dtype}")
    target = _npz(path)
    note = np.array(json.dumps(_plain(dict(about)), allow_nan=False))
    content: dict[str, Any] = {"about": note, **arrays}
    write_whole({target: lambda file: np.savez_compressed(file, allow_pickle=False, **content)})
    return target


def _npz(path: str | os.PathLike) -> Path:
    target = Path(path)
    return target if target.suffix == ".npz" else target.with_name(target.name + ".npz")


def _plain(value: Any) -> Any:
    """The value as strict JSON knows it: NumPy becomes plain, nan and inf become null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
