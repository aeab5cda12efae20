"""Labels in words with symbols, placed where they cover neither data nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.plot.overlap import is_free, page, settle
from toymodels.plot.theme import ink
from toymodels.validation import real_array

Array = np.ndarray

_CLEARANCE = 3.0
_LIFTS = 20
_CORNERS = ("upper left", "upper right", "lower right", "lower left", "center right", "center left",
            "upper center", "lower center")  # fmt: skip
# Directions around a point: right and left first, where a label reads as the point's name.
_AROUND = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))


def label_ends(ax: Any, lines: Sequence[Any], labels: Sequence[str] | None = None, gap: float = 4.0) -> list:
    """Write a label beside the last point of each line.

    Labels that would overlap are moved up or down as little as possible, and a
    thin leader shows where a moved one belongs. Call it when the data and the
    limits stand.

    Parameters
    ----------
    ax : matplotlib Axes
    lines : sequence of matplotlib Line2D
    labels : sequence of str, optional
        Words with symbols (mathtext); the lines' own labels by default.
    gap : float
        Points between a line and its label.

    Returns
    -------
    list of matplotlib Annotation

    Raises
    ------
    InputError
        When there are not as many labels as lines, or a line has no finite point.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure(layout="constrained").subplots()
    >>> lines = [ax.plot([0, 1], [0, end])[0] for end in (1, 1.001)]
    >>> low, high = (t.get_window_extent() for t in label_ends(ax, lines, ["first", "second"]))
    >>> bool(low.overlaps(high))
    False
    """
    names = [line.get_label() for line in lines] if labels is None else list(labels)
    if len(names) != len(lines):
        raise InputError(f"labels: expected {len(lines)}, one for each line, got {len(names)}")
    texts = []
    for line, name in zip(lines, names, strict=True):
        colour = line.get_color()
        texts.append(
            ax.annotate(
                name,
                _last_point(line),
                xytext=(gap, 0),
                textcoords="offset points",
                va="center",
                ha="left",
                linespacing=1.15,
                color=ink(colour),
                annotation_clip=False,
                fontsize="small" if len(lines) > 6 else None,
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 1},
            )
        )
    # Moving labels changes the room they need, hence the layout: twice settles both.
    for _ in range(2):
        settle(ax)
        _spread_labels(ax, texts, gap)
    return texts


def label_point(ax: Any, x: float, y: float, text: str, distance: float = 5.0, **look: Any) -> Any:
    """Write a label beside a point, on the first side where it covers nothing.

    Parameters
    ----------
    ax : matplotlib Axes
        With its data drawn and its limits set.
    x, y : float
        The point, in data coordinates.
    text : str
        Words with symbols (mathtext).
    distance : float
        Points from the point to the label; further places are tried when all
        sides are taken.
    **look
        Properties of a matplotlib text.

    Returns
    -------
    matplotlib Annotation

    Raises
    ------
    InputError
        When no place near the point is free.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> _ = ax.plot([0, 1], [0, 1])
    >>> label_point(ax, 0.5, 0.5, "middle").get_text()
    'middle'
    """
    settle(ax)
    label = ax.annotate(text, (x, y), xytext=(0, 0), textcoords="offset points", **look)
    for reach in (1, 2, 3, 5):
        for right, up in _AROUND:
            label.set_ha({1: "left", 0: "center", -1: "right"}[right])
            label.set_va({1: "bottom", 0: "center", -1: "top"}[up])
            length = reach * distance / np.hypot(right, up)
            label.set_position((length * right, length * up))
            box = label.get_window_extent()
            if _holds(ax.bbox, box) and is_free(ax, box.padded(1), besides=[label]):
                return label
    label.remove()
    raise InputError(f"text: no free place near ({x:g}, {y:g}) for {text!r}")


def legend(ax: Any, handles: Sequence[Any] | None = None, **look: Any) -> Any:
    """Put a legend in an empty corner of the axes, or above them when there is none.

    Parameters
    ----------
    ax : matplotlib Axes
        With its data drawn and its limits set.
    handles : sequence of artists, optional
        What to explain; everything with a label by default.
    **look
        Keywords of `Axes.legend`, but for its place.

    Returns
    -------
    matplotlib Legend
        It covers no line, dot or text of the axes.

    Raises
    ------
    InputError
        When nothing drawn has a label.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> _ = ax.plot([0, 1], [0, 1], label="line")
    >>> legend(ax).get_texts()[0].get_text()
    'line'
    """
    handles = ax.get_legend_handles_labels()[0] if handles is None else list(handles)
    if not handles:
        raise InputError("handles: expected something with a label to explain")
    settle(ax)
    for corner in _CORNERS:
        box = ax.legend(handles=handles, loc=corner, **look)
        extent = box.get_window_extent()
        if _holds(ax.bbox, extent) and is_free(ax, extent.padded(_CLEARANCE), besides=[box]):
            return box
    return _above(ax, handles, {"columnspacing": 1.2} | look)


def spread(centres: Any, heights: Any, low: float = -np.inf, high: float = np.inf) -> Array:
    """Move intervals apart by least squares, keeping their order.

    Parameters
    ----------
    centres, heights : array_like (K,)
        Where the intervals want to be, and how long they are.
    low, high : float
        Bounds on the intervals; ignored when they do not fit between.

    Returns
    -------
    (K,) array
        Centres at which no two intervals overlap.

    Notes
    -----
    With the intervals sorted, ``centre - (lengths below)`` must not decrease:
    isotonic regression, by pooling adjacent violators, and bounded isotonic
    regression is the clipped one (Robertson, Wright, Dykstra 1988, section 1.4).

    Examples
    --------
    >>> spread([0, 0, 9], [2, 2, 2])
    array([-1.,  1.,  9.])
    """
    centres, heights = real_array("centres", centres, 1), real_array("heights", heights, 1)
    order = np.argsort(centres, kind="stable")
    tall = heights[order]
    below = np.cumsum(tall) - tall / 2
    free = _isotonic(centres[order] - below)
    if tall.sum() <= high - low:
        free = np.clip(free, low, high - tall.sum())
    placed = np.empty_like(free)
    placed[order] = free + below
    return placed


def _isotonic(values: Array) -> Array:
    """Return the nearest non-decreasing sequence, by pooling adjacent violators."""
    pools: list[list[float]] = []
    for value in values:
        pools.append([value, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            other, before = pools[-1]
            pools[-1] = [(mean * count + other * before) / (count + before), count + before]
    return np.repeat([mean for mean, _ in pools], [int(count) for _, count in pools])


def _above(ax: Any, handles: Sequence[Any], look: dict[str, Any]) -> Any:
    """Put a legend above the axes, as high as the labels that stand there ask for."""

    def at(height: float, columns: int) -> Any:
        place = {"loc": "lower left", "bbox_to_anchor": (0, height), "borderaxespad": 0.2, "ncols": columns}
        return ax.legend(handles=handles, **(place | look))

    columns = len(handles)
    while columns > 1 and at(1, columns).get_window_extent().x1 > page(ax).bbox.x1:
        columns -= 1
    for lift in range(_LIFTS):
        box = at(1 + lift / _LIFTS, columns)
        settle(ax)
        if is_free(ax, box.get_window_extent(), besides=[box]):
            break
    return box


def _spread_labels(ax: Any, texts: list, gap: float) -> None:
    """Move the labels of line ends apart, with leaders for those that moved."""
    points = 72 / page(ax).dpi
    ends = [ax.transData.transform(text.xy)[1] * points for text in texts]
    # The extent of an annotation includes its leader; that of the plain text does not.
    heights = [_text_box(text).height * points + 1 for text in texts]
    bottom, top = (edge * points for edge in (ax.bbox.y0, ax.bbox.y1))
    placed = spread(ends, heights, bottom - max(heights) / 2, top + max(heights) / 2)
    for text, end, centre, height in zip(texts, ends, placed, heights, strict=True):
        moved = abs(centre - end) > height / 2
        text.set_position((gap + 5 * moved, centre - end))
        text.arrow_patch.set_visible(moved)


def _text_box(text: Any) -> Any:
    """Return the extent of an annotation's text alone."""
    from matplotlib.text import Text

    return Text.get_window_extent(text)


def _last_point(line: Any) -> tuple[float, float]:
    """Return the last finite point of a line."""
    points = np.asarray(line.get_xydata(), dtype=float)
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        raise InputError(f"lines: {line.get_label()!r} has no finite point to label")
    return float(finite[-1, 0]), float(finite[-1, 1])


def _holds(outer: Any, inner: Any) -> bool:
    """Return whether one box lies within another, to half a pixel."""
    slack = 0.5
    return (
        outer.x0 - slack <= inner.x0
        and outer.y0 - slack <= inner.y0
        and inner.x1 <= outer.x1 + slack
        and inner.y1 <= outer.y1 + slack
    )
