"""What every route returns."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.validation import nearest

Array = np.ndarray


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
        truncation where the route integrates.
    status : str
        "finished", or "diverged" when a run left the finite numbers.
    message : str
        A sentence for the reader.
    step : int array, optional
        Step numbers, for discrete routes.
    events : list of dict
        What happened on the way (time, kind, ...).
    records : dict
        Observables by name; ``trajectory["loss"]`` reads one.
    """

    t: Array
    theta: Array
    error: Array
    status: str = "finished"
    message: str = ""
    step: Array | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, Array] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        if name not in self.records:
            raise InputError(f"record: {name!r} was not recorded{nearest(name, self.records)}")
        return self.records[name]

    def __contains__(self, name: object) -> bool:
        return name in self.records

    def __len__(self) -> int:
        return self.t.shape[0] if self.t.ndim else 1

    def save(self, path: str | os.PathLike) -> Path:
        """Write everything to one npz file, whole or not at all; return its path.

        Raises
        ------
        InputError
            When the folder cannot be written.
        """
        arrays = {"t": self.t, "theta": self.theta, "error": self.error}
        if self.step is not None:
            arrays["step"] = self.step
        arrays |= {f"record/{name}": value for name, value in self.records.items()}
        about = {"status": self.status, "message": self.message, "events": self.events}
        return write_npz(path, arrays, about)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Trajectory:
        """Read a file that `save` wrote."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = dict(archive)
        except (OSError, ValueError) as error:
            raise InputError(f"path: cannot read {os.fspath(path)}: {error}") from error
        about = json.loads(str(arrays.pop("about")))
        records = {k.removeprefix("record/"): arrays.pop(k) for k in list(arrays) if k.startswith("record/")}
        return cls(**arrays, **about, records=records)

    def plot(self, name: str = "loss", ax: Any = None, **style: Any) -> Any:
        """Draw an observable over time; return the Axes."""
        from toymodels.plot import trajectory_axes

        return trajectory_axes(self.t, self[name], name, ax=ax, **style)


def write_npz(path: str | os.PathLike, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> Path:
    """Write arrays and a JSON note under a temporary name, then rename."""
    target = Path(path)
    if target.suffix != ".npz":
        target = target.with_name(target.name + ".npz")
    note = np.array(json.dumps(dict(about), default=_plain))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise InputError(f"path: cannot write to the folder {target.parent}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, about=note, **arrays)
        os.replace(name, target)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"path: cannot write {target}: {error.strerror}") from error
        raise
    return target


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else str(value)
