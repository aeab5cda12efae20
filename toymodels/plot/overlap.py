"""What already stands on a piece of the page, in display coordinates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Array = np.ndarray


def page(ax: Any) -> Any:
    """Return the whole figure that holds the axes."""
    return ax.get_figure().figure


def settle(ax: Any) -> None:
    """Run the layout, so that positions on the page are the final ones."""
    page(ax).draw_without_rendering()


def is_free(ax: Any, box: Any, besides: Iterable[Any] = ()) -> bool:
    """Return whether the box touches no line, dot, text or legend of the axes, except those `besides`."""
    ignored = {id(artist) for artist in besides}
    lines = (line for line in ax.lines if line.get_visible() and id(line) not in ignored)
    if any(_line_touches(line, box) for line in lines):
        return False
    if any(_dots_touch(dots, box) for dots in ax.collections if id(dots) not in ignored):
        return False
    others = (other for other in _boxes(ax) if id(other) not in ignored)
    return not any(box.overlaps(other.get_window_extent()) for other in others)


def _boxes(ax: Any) -> list[Any]:
    """Return the texts, legend and patches that are drawn."""
    texts = [text for text in ax.texts if text.get_visible() and text.get_text()]
    legend = ax.get_legend()
    return texts + list(ax.patches) + ([] if legend is None else [legend])


def _line_touches(line: Any, box: Any) -> bool:
    """Return whether a line, or one of its markers, touches the box."""
    path = line.get_transform().transform_path(line.get_path())
    points = path.vertices[np.isfinite(path.vertices).all(axis=1)]
    marked = line.get_marker() not in (None, "", " ", "None", "none")
    radius = line.get_markersize() / 2 * line.get_figure().dpi / 72 if marked else 0.0
    if box.padded(radius).count_contains(points):
        return True
    if line.get_linestyle() in ("None", "none", " ", "") or len(points) < 2:
        return False
    return bool(path.cleaned(remove_nans=True).intersects_bbox(box, filled=False))


def _dots_touch(collection: Any, box: Any) -> bool:
    """Return whether a point of a scatter plot lies in the box."""
    offsets = np.ma.getdata(collection.get_offsets())
    if not len(offsets) or not hasattr(collection, "get_sizes"):
        return False
    points = collection.get_offset_transform().transform(offsets)
    radius = np.sqrt(max(collection.get_sizes(), default=0.0)) / 2 * collection.get_figure().dpi / 72
    return bool(box.padded(radius).count_contains(points))
