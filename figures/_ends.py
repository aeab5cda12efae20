"""Labels at the ends of lines that are known to end apart, which takes no layout; else `plot.label_ends`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toymodels import plot


def label(ax: Any, lines: Iterable[Any], words: Iterable[str]) -> None:
    """Write a word beside the last point of each line."""
    for line, word in zip(lines, words, strict=True):
        ax.annotate(
            word,
            line.get_xydata()[-1],
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=plot.ink(line.get_color()),
            annotation_clip=False,
        )
