"""Results of other derivations, usable only when their own check passed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from toymodels.errors import InputError


@dataclass(frozen=True)
class Lemma:
    """A derivation that another one cites.

    Attributes
    ----------
    derivations : tuple of Derivation
        Those of one file, or one alone.
    """

    derivations: tuple[Any, ...] = field(repr=False)

    @property
    def title(self) -> str:
        """Its results, as sentences."""
        return "; ".join(derivation.title for derivation in self.derivations)

    @cached_property
    def ok(self) -> bool:
        """Whether its own check passes."""
        from toymodels.derive.check import check_derivation

        return all(check_derivation(derivation, "quick").ok for derivation in self.derivations)


ENTRY_POINT = "toymodels.derivations"
"""Group under which distributions, ours among them, register packages of derivations."""


def installed_folders() -> list[Path]:
    """Return the folders of installed derivations."""
    points = sorted(entry_points(group=ENTRY_POINT), key=lambda point: point.name)
    return [folder for point in points for folder in _folders(point)]


def _folders(point: EntryPoint) -> list[Path]:
    try:
        return [Path(folder) for folder in point.load().__path__]
    except Exception as error:
        raise InputError(f"plug-in {point.name} ({point.value}): {type(error).__name__}: {error}") from error


_LOADED: dict[Path, Lemma] = {}


def lemma_of(source: Any, beside: str) -> Lemma:
    """Return the lemma that a derivation, a file or an installed document's name gives.

    Parameters
    ----------
    source : Derivation, path or str
    beside : str
        The file that cites it; relative paths start there.
    """
    from toymodels.derive.derivation import Derivation
    from toymodels.derive.loader import load_file

    if isinstance(source, Derivation):
        return Lemma((source,))
    if not isinstance(source, (str, Path)):
        raise InputError(f"lemma: expected a derivation, a file or a document's name, got {source!r}")
    path = _path_of(source, Path(beside).parent).resolve()
    if path == Path(beside).resolve():
        raise InputError("lemma: a derivation cannot cite its own file")
    if path not in _LOADED:
        _LOADED[path] = Lemma(tuple(load_file(path).derivations))
    return _LOADED[path]


def _path_of(source: str | Path, folder: Path) -> Path:
    """Return the file: beside the citing one, or among the installed documents."""
    name = Path(source)
    file = name if name.suffix == ".py" else name.with_suffix(".py")
    candidates = [folder / file]
    if len(name.parts) == 1:
        candidates += [home / file for home in installed_folders()]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(f"lemma: no file {file} beside this one or among the installed derivations")
