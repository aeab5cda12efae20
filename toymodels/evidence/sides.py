"""The two sides of a relation: pairing, shapes, differences in every arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.compound import Compound
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import SMALLEST, Measured
from toymodels.arithmetic.words import Words
from toymodels.errors import InputError

Sides = tuple[Any, Any]


class Vacuous(Exception):
    """A statement that no input could refute."""


def pairs(left: Any, right: Any) -> Iterator[Sides]:
    """Return the pairs of arrays that a relation compares; tuples pair up, jets by parts.

    Raises
    ------
    InputError
        When the sides do not have the same structure or shapes: broadcasting
        an (n, 1) array against (n,) would compare what nobody meant.
    Vacuous
        When a side is empty or both are the same object.
    """
    several = [isinstance(side, (tuple, list)) for side in (left, right)]
    if any(several):
        if not all(several) or len(left) != len(right):
            raise InputError("a statement must return as many left sides as right sides")
        if not left:
            raise Vacuous("there is nothing to compare")
        for a, b in zip(left, right, strict=True):
            yield from pairs(a, b)
        return
    if left is right and not isinstance(left, (int, float)):
        raise Vacuous("both sides are the same object")
    for a, b in zip_longest(_parts(left), _parts(right), fillvalue=0):
        _require_comparable(a, b)
        yield a, b


def _require_comparable(left: Any, right: Any) -> None:
    shapes = [_shape(side) for side in (left, right)]
    # a plain number may stand for an array of equal numbers, as in "= 0"
    if None not in shapes and shapes[0] != shapes[1] and () not in shapes:
        raise InputError(f"left side has shape {shapes[0]}, right side {shapes[1]}")
    if any(shape is not None and 0 in shape for shape in shapes):
        raise Vacuous("a side is empty")


def _parts(x: Any) -> tuple[Any, ...]:
    """The parts of a jet, nested or not; a constant is its own value, with derivatives zero."""
    return tuple(y for part in x.parts for y in _parts(part)) if isinstance(x, Jet) else (x,)


def _shape(x: Any) -> tuple[int, ...] | None:
    if isinstance(x, (Words, Scalar)):
        return None
    return tuple(x.shape) if isinstance(x, Compound) else np.shape(x)


def entries(x: Any) -> list[Any]:
    """Return the entries of an array, or the number itself, as a list."""
    return list(x.flat) if isinstance(x, np.ndarray) else [x]


def is_zero(difference: Any) -> bool:
    """Return whether every entry is exactly zero, by equality alone."""
    if isinstance(difference, (Words, Scalar)):
        return difference.is_zero()
    return all(bool(entry == 0) for entry in entries(difference))


def exactly_equal(left: Any, right: Any) -> bool:
    """Return whether all pairs agree exactly."""
    return all(is_zero(a - b) for a, b in pairs(left, right))


def excess(left: Any, right: Any) -> np.ndarray:
    """Return left - right beyond what their errors explain, flattened: > 0 is a violation."""
    parts = [_one_excess(a, b) for a, b in pairs(left, right)]
    return np.concatenate(parts)


def _one_excess(left: Any, right: Any) -> np.ndarray:
    a, b = (x if isinstance(x, Measured) else Measured(x) for x in (left, right))
    value, error = np.broadcast_arrays(_difference(a.value, b.value), a.error + b.error)
    return (value - error).ravel()


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The difference; between equal infinities there is none."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, a - b)


def gaps(left: Any, right: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return |left - right| and the error budget of the difference, flattened.

    The budget grants what underflow may lose: the smallest normal number.
    """
    differences, budgets = [], []
    for a, b in pairs(left, right):
        x, y = (side if isinstance(side, Measured) else Measured(side) for side in (a, b))
        value, error = np.broadcast_arrays(abs(_difference(x.value, y.value)), x.error + y.error + SMALLEST)
        differences.append(value.ravel())
        budgets.append(error.ravel())
    return np.concatenate(differences), np.concatenate(budgets)


def has_budget(left: Any, right: Any) -> bool:
    """Return whether some side of each pair carries an error budget."""
    return all(isinstance(a, Measured) or isinstance(b, Measured) for a, b in pairs(left, right))


def broadcast(a: Any, b: Any) -> tuple[list[Any], list[Any]]:
    """Return the entries of two arrays of one shape, of which either may be a number, as lists."""
    x, y = np.broadcast_arrays(np.asarray(a, dtype=object), np.asarray(b, dtype=object))
    return list(x.flat), list(y.flat)


def apply(sides: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to every array of a nested side."""
    if isinstance(sides, (tuple, list)):
        return tuple(apply(side, function) for side in sides)
    return function(sides)


def show(x: Any, digits: int = 6) -> str:
    """Print a number, array or tuple on one line."""
    if isinstance(x, Measured):
        x = x.value
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return ", ".join(f"{name}: {show(part)}" for name, part in zip(x._fields, x, strict=True))
    if isinstance(x, (tuple, list)):
        return "; ".join(show(part) for part in x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        return "[" + ", ".join(show(part) for part in x) + "]" if x.ndim else str(x[()])
    if isinstance(x, np.ndarray):
        text = np.array2string(x, precision=digits, separator=", ", threshold=24, max_line_width=10**6)
        return " ".join(text.split())
    if isinstance(x, (float, np.floating)) or hasattr(x, "context"):
        return f"{float(x):.{digits}g}"
    return str(x)
