"""Figures: one executable document each.

A document is a module of this package. Its docstring says what the figure
shows, the first line being its title, and it defines ::

    def figure(effort="normal", width="column"):
        ...
        return figure, data

which returns a matplotlib Figure, drawn with `toymodels.plot`, and a dict of
the arrays in it. `draw` writes both; ``python -m toymodels.figures.NAME`` does
so from a shell.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from toymodels.errors import InputError
from toymodels.plot.files import known_formats, save
from toymodels.plot.theme import WIDTHS, style
from toymodels.validation import one_of

__all__ = ["EFFORTS", "Document", "draw", "load", "main", "names"]

EFFORTS = ("quick", "normal", "deep")
"""How much to compute: for a look, for the page, for the last digits."""


@dataclass(frozen=True)
class Document:
    """A figure and its words.

    Attributes
    ----------
    name : str
        Name of the module.
    title : str
        First line of the docstring.
    about : str
        The docstring after it.
    figure : callable (effort, width) -> (Figure, dict of arrays)
    """

    name: str
    title: str
    about: str
    figure: Callable[..., tuple[Any, dict[str, Any]]]


def names() -> list[str]:
    """Return the names of all figures, in alphabetical order.

    Examples
    --------
    >>> "hierarchy_mode_by_mode" in names()
    True
    """
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def load(name: str) -> Document:
    """Return a figure's document.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    Document

    Raises
    ------
    InputError
        When there is no such figure; the message offers the nearest.

    Examples
    --------
    >>> load("hierarchy_mode_by_mode").title
    'Learning a hierarchy mode by mode.'
    """
    module = import_module(f"{__name__}.{one_of('figure', name, names())}")
    title, _, about = (module.__doc__ or "").partition("\n")
    return Document(name, title.strip(), about.strip(), module.figure)


def draw(
    name: str,
    folder: str | os.PathLike = ".",
    formats: Iterable[str] = ("pdf", "svg", "png"),
    width: str = "column",
    effort: str = "normal",
) -> tuple[Path, ...]:
    """Draw a figure and write it, with its data beside it.

    Parameters
    ----------
    name : str
        One of `names`.
    folder : path
        Where to; made when missing.
    formats : iterable of {"pdf", "svg", "png"}
    width : {"column", "full"}
        3.25 or 6.75 inches.
    effort : {"quick", "normal", "deep"}

    Returns
    -------
    tuple of Path
        ``folder/name.pdf`` and so on, and ``folder/name.npz``.

    Raises
    ------
    InputError
        When a name is unknown or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in draw("hierarchy_mode_by_mode", folder, ["png"], effort="quick")]
    ['hierarchy_mode_by_mode.png', 'hierarchy_mode_by_mode.npz']
    """
    document = load(name)
    formats = known_formats(formats)
    one_of("width", width, WIDTHS)
    one_of("effort", effort, EFFORTS)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"folder: cannot make {os.fspath(folder)}: {error.strerror}") from error
    # Ticks are made while saving, so the style must last until then.
    with style(width):
        drawing, data = document.figure(effort=effort, width=width)
        return save(drawing, Path(folder) / name, formats, data)


def main(name: str, arguments: Sequence[str] | None = None) -> int:
    """Draw one figure from a shell; return the exit code, 0 or, after bad usage, 2.

    Parameters
    ----------
    name : str
        One of `names`.
    arguments : sequence of str, optional
        Those of the command line by default.
    """
    from argparse import ArgumentParser

    parser = ArgumentParser(prog=f"python -m {__name__}.{name}", description=load(name).title)
    parser.add_argument("--out", default=".", metavar="FOLDER", help="folder to write to")
    parser.add_argument("--format", default="pdf,svg,png", help="formats, joined by commas")
    parser.add_argument("--width", default="column", choices=sorted(WIDTHS))
    parser.add_argument("--effort", default="normal", choices=EFFORTS)
    given = parser.parse_args(arguments)
    try:
        paths = draw(name, given.out, given.format.split(","), given.width, given.effort)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(*paths, sep="\n")
    return 0
