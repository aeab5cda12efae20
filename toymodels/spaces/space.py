"""A space: what a variable of a statement ranges over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toymodels.spaces.source import Refused, Source


@dataclass(frozen=True)
class Space:
    """A recipe for the values of a variable.

    Attributes
    ----------
    draw : callable (source, name) -> value
        The recipe over primitive numbers; it runs in every arithmetic.
    words : callable (name) -> value, or None
        The variable as a matrix of symbolic size, or a free scalar.
    text : str
        What a reader is told, such as "matrix (m, d)".

    Examples
    --------
    >>> from toymodels import spaces
    >>> spaces.matrix("m d").text
    'matrix (m, d)'
    """

    draw: Callable[[Source, str], Any]
    text: str
    words: Callable[[str], Any] | None = None

    def as_words(self, name: str) -> Any:
        """Return the variable in words, or refuse."""
        if self.words is None:
            raise Refused(f"{self.text} has no words")
        return self.words(name)

    def __repr__(self) -> str:
        return self.text


def tokens(sizes: str) -> list[str]:
    """Split the sizes of a shape, such as "m d"."""
    return sizes.replace(",", " ").split()


def size_of(token: str) -> str | int:
    """Return a numeral as an int, a name as itself."""
    return int(token) if token.isdigit() else token
