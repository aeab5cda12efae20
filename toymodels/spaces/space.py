"""A space: what a variable of a statement ranges over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toymodels.errors import InputError
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


def tokens(sizes: str, count: int) -> list[str]:
    """Split the sizes of a shape, such as "m d", into `count` names or positive numerals."""
    names = sizes.replace(",", " ").split() if isinstance(sizes, str) else []
    if len(names) != count or not all(_is_size(name) for name in names):
        raise InputError(f"sizes: expected {count} size(s), each a name or a positive numeral, got {sizes!r}")
    return names


def _is_size(token: str) -> bool:
    return int(token) > 0 if token.isdigit() else token.isidentifier()


def size_of(token: str) -> str | int:
    """Return a numeral as an int, a name as itself."""
    return int(token) if token.isdigit() else token
