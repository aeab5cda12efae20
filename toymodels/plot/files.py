"""Figures on disk: the same input gives the same bytes, and a failure leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.files import write_whole
from toymodels.validation import one_of, positive_real

# What matplotlib would otherwise stamp on the file: the date, and the program's version.
_METADATA: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}
# Of a page's width or height, far below what a printer resolves.
_DIGITS = 9
_OUTPUT: dict[Any, Any] = {
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "svg.fonttype": "path",
    "svg.hashsalt": "toymodels",
    "savefig.bbox": None,
}


def save(
    figure: Any,
    stem: str | os.PathLike,
    formats: Iterable[str] = ("pdf", "svg", "png"),
    data: Mapping[str, Any] | None = None,
    dpi: float = 300,
) -> tuple[Path, ...]:
    """Write a figure in several formats, and its data beside it, all or none.

    Every file is written under a temporary name in its folder and then
    renamed. The same figure gives the same bytes, whatever the day. Save
    inside the `style` context that the figure was drawn in.

    Parameters
    ----------
    figure : matplotlib Figure
    stem : path
        Path without extension.
    formats : iterable of {"pdf", "svg", "png"}
        Fonts are embedded as TrueType in PDF and as outlines in SVG.
    data : mapping of str to array_like, optional
        The arrays drawn, for ``stem.npz``.
    dpi : float
        Dots per inch of the PNG.

    Returns
    -------
    tuple of Path
        The files, in the order of `formats`, the data last.

    Raises
    ------
    InputError
        When a format is unknown or none is given, the data are no arrays, or
        the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> _ = figure.subplots().plot([0, 1], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save(figure, folder + "/line", ["pdf"], data={"y": [0, 1]})]
    ['line.pdf', 'line.npz']
    """
    stem = Path(stem)
    chosen = known_formats(formats)
    dpi = positive_real("dpi", dpi)
    if not stem.name or stem.suffix.lstrip(".") in {*_METADATA, "npz"}:
        raise InputError(f"stem: expected a path without extension, got {os.fspath(stem)!r}")
    writers = {_beside(stem, name): _figure_writer(figure, name, dpi) for name in chosen}
    if data is not None:
        writers[_beside(stem, "npz")] = _data_writer(data)
    with _laid_out(figure):
        write_whole(writers, "stem")
    return tuple(writers)


def known_formats(formats: Iterable[str]) -> list[str]:
    """Return the formats as a list, each once; one name alone is a list of one."""
    names = [formats] if isinstance(formats, str) else list(formats)
    if not names:
        raise InputError(f"formats: expected one or more of {', '.join(_METADATA)}")
    return list(dict.fromkeys(one_of("formats", name, _METADATA) for name in names))


@contextmanager
def _laid_out(figure: Any) -> Iterator[None]:
    """Lay the figure out once, for every format, and give it back as it was.

    A layout engine starts from where it ended, and so would place things a
    little differently in every file. Its solver visits constraints in no fixed
    order, so the last bits of the places are rounded off.
    """
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    before = [(ax, ax.get_position(True), ax.get_position(), ax.get_in_layout()) for ax in figure.axes]
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        place = ax.get_position(True)
        ax.set_position(place.from_extents(*place.extents.round(_DIGITS)))
    try:
        yield
    finally:
        figure.set_layout_engine(engine)
        for ax, original, active, in_layout in before:
            ax.set_position(original, which="original")
            ax.set_position(active, which="active")
            ax.set_in_layout(in_layout)


def _beside(stem: Path, extension: str) -> Path:
    return stem.with_name(f"{stem.name}.{extension}")


def _figure_writer(figure: Any, name: str, dpi: float) -> Callable[[Any], None]:
    """Return what writes the figure to an open file."""

    def write(file: Any) -> None:
        import matplotlib as mpl

        with mpl.rc_context(_OUTPUT):
            figure.savefig(file, format=name, dpi=dpi, metadata=_METADATA[name])

    return write


def _data_writer(data: Mapping[str, Any]) -> Callable[[Any], None]:
    """Return what writes the arrays to an open file."""
    arrays: dict[str, Any] = {}
    for name in sorted(data):
        try:
            arrays[name] = np.asarray(data[name])
        except ValueError as error:
            raise InputError(f"data: {name!r} is not an array") from error
        if arrays[name].dtype.kind not in "biufcUS":
            raise InputError(f"data: expected numbers or text for {name!r}, got {arrays[name].dtype}")
    return lambda file: np.savez_compressed(file, **arrays)
