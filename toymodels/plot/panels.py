"""Several axes on one page, the key that they share, and heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.validation import positive_int, real_array

Array = np.ndarray

_MARGIN = 6.0
"""Pixels that the layout keeps free beside a key, and some."""


def panels(rows: int = 1, columns: int = 1, stacked: bool = False, **keywords: Any) -> tuple[Any, list[Any]]:
    """Return a new figure of the style's size and its axes, row by row.

    Parameters
    ----------
    rows, columns : int
    stacked : bool
        Exchange rows and columns: what stands side by side on the full width
        fits a column one above the other.
    **keywords
        Those of `Figure.subplots`: ``sharex``, ``height_ratios`` and so on.

    Returns
    -------
    matplotlib Figure
    list of matplotlib Axes

    Raises
    ------
    InputError
        When a number of panels is not a positive integer.

    Examples
    --------
    >>> from toymodels.plot import style
    >>> with style("full"):
    ...     drawing, axes = panels(2, 3, sharex=True)
    >>> len(axes), float(drawing.get_size_inches()[0])
    (6, 6.75)
    """
    rows, columns = positive_int("rows", rows), positive_int("columns", columns)
    if stacked:
        rows, columns = columns, rows
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    drawing = Figure(layout=ConstrainedLayoutEngine(w_pad=0.06))
    # This canvas keeps its renderer, so that words are measured once and not at every layout.
    FigureCanvasAgg(drawing)
    return drawing, list(drawing.subplots(rows, columns, squeeze=False, **keywords).flat)


def key(
    drawing: Any, handles: Sequence[Any], title: str = "", columns: int | None = None, **look: Any
) -> Any:
    """Explain lines and dots of all panels above them, row by row, in as many rows as the page asks for.

    Call it before labels are placed: it takes room from the panels.

    Parameters
    ----------
    drawing : matplotlib Figure
        With the constrained layout.
    handles : sequence of artists
        Each with a label.
    title : str
        Words before the entries.
    columns : int, optional
        The most entries in a row; all of them by default.
    **look
        Keywords of `Figure.legend`, but for its place.

    Returns
    -------
    matplotlib Legend

    Raises
    ------
    InputError
        When there is nothing to explain.

    Examples
    --------
    >>> drawing, (ax,) = panels()
    >>> lines = ax.plot([0, 1], [[0, 0], [1, 2]], label=["one", "two"])
    >>> [text.get_text() for text in key(drawing, lines, "series").get_texts()]
    ['one', 'two']
    """
    handles = list(handles)
    if not handles:
        raise InputError("handles: expected something with a label to explain")
    columns = positive_int("columns", len(handles) if columns is None else columns)
    given = {"title": title or None, "columnspacing": 1.0, "alignment": "left"} | look
    while True:
        by_column = [handle for first in range(columns) for handle in handles[first::columns]]
        box = drawing.legend(handles=by_column, loc="outside upper left", ncols=columns, **given)
        if columns == 1 or box.get_window_extent().width <= drawing.bbox.width - 2 * _MARGIN:
            return box
        box.remove()
        columns -= 1


def heat_map(ax: Any, x: Any, y: Any, values: Any, label: str = "", **look: Any) -> Any:
    """Colour the cells around the points (x, y) by values, with the scale beside the axes.

    Parameters
    ----------
    ax : matplotlib Axes
        With its scales set.
    x, y : array_like (K,), (J,)
        Increasing.
    values : array_like (J, K)
        Real numbers, one for each point.
    label : str
        Words with symbols for the scale; no scale without.
    **look
        Keywords of `Axes.pcolormesh`; light is small and dark is large by default.

    Returns
    -------
    matplotlib QuadMesh

    Raises
    ------
    InputError
        When shapes do not match or numbers are not real and finite.

    Examples
    --------
    >>> drawing, (ax,) = panels()
    >>> heat_map(ax, [0, 1, 2], [0, 1], [[1, 2, 3], [4, 5, 6]], "size").get_array().shape
    (2, 3)
    """
    x, y, values = real_array("x", x, 1), real_array("y", y, 1), real_array("values", values, 2)
    if values.shape != (len(y), len(x)):
        raise InputError(f"values: expected shape {(len(y), len(x))}, got {values.shape}")
    given = {"cmap": "viridis_r", "shading": "nearest", "rasterized": True, "zorder": 0} | look
    mesh = ax.pcolormesh(x, y, values, **given)
    if label:
        ax.get_figure().colorbar(mesh, ax=ax, label=label, pad=0.02)
    return mesh
