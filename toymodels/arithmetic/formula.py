"""What a formula declares of itself: the shapes it takes and the arithmetics it runs in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

KINDS = ("polynomial", "rational", "analytic")
_SHAPE = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True)
class Declaration:
    """The declared signature of a formula.

    Attributes
    ----------
    inputs, outputs : tuple of tuples of str
        Dimensions of each argument and each result, leading axes (runs) left out.
    kind : {"polynomial", "rational", "analytic"}
        Polynomial and rational formulas run on exact numbers; analytic ones
        call exponentials and roots, so they run where those exist.
    words : bool
        Whether the formula runs on matrices of symbolic size.
    positive : tuple of str
        Names of the arguments that must be positive.
    """

    inputs: tuple[tuple[str, ...], ...]
    outputs: tuple[tuple[str, ...], ...]
    kind: str
    words: bool
    positive: tuple[str, ...]

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of the dimensions, in order of appearance."""
        names = (name for shape in self.inputs for name in shape if not name.isdigit())
        return tuple(dict.fromkeys(names))


def _shapes(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(name.strip() for name in group.split(",") if name.strip()) for group in _SHAPE.findall(text)
    )


def _declare(signature: str, kind: str, words: bool, positive: str) -> Callable[[Function], Function]:
    inputs, _, outputs = signature.partition("->")
    declaration = Declaration(_shapes(inputs), _shapes(outputs), kind, words, tuple(positive.split()))

    def attach(function: Function) -> Function:
        function.declares = declaration  # type: ignore[attr-defined]
        return function

    return attach


def polynomial(signature: str, *, words: bool = False) -> Callable[[Function], Function]:
    """Declare a formula polynomial in its entries; rational constants are allowed.

    Parameters
    ----------
    signature : str
        Shapes as NumPy writes them for generalised ufuncs, such as
        ``"(m,d),(c,m)->(c,d)"``.
    words : bool
        Whether it also runs on matrices of symbolic size.

    Examples
    --------
    >>> @polynomial("(m,d),(c,m)->(c,d)", words=True)
    ... def product(W1, W2):
    ...     return W2 @ W1
    >>> product.declares.sizes
    ('m', 'd', 'c')
    """
    return _declare(signature, "polynomial", words, "")


def rational(signature: str, *, words: bool = False, positive: str = "") -> Callable[[Function], Function]:
    """Declare a formula that also divides by its entries; see `polynomial`."""
    return _declare(signature, "rational", words, positive)


def analytic(signature: str, *, positive: str = "") -> Callable[[Function], Function]:
    """Declare a formula that calls exponentials, roots and their like; see `polynomial`."""
    return _declare(signature, "analytic", False, positive)
