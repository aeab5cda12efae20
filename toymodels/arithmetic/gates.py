"""Gates: the signs that a formula takes as integer arguments, answered or refused by each arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic.arrays import Array
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.errors import LeftArithmetic


class Undecided(LeftArithmetic):
    """A sign that the numbers do not certify; split the case."""


def gates(z: Array) -> np.ndarray:
    """Return 1 where z > 0 and 0 where z <= 0, as integers.

    Parameters
    ----------
    z : array of any arithmetic that orders its numbers
        Jets are judged by their value. Measured numbers and balls answer only
        where the sign is certain.

    Raises
    ------
    Undecided
        When a measured number or ball straddles zero.
    LeftArithmetic
        When the arithmetic has no order: complex numbers, symbols, degrees, words.

    Examples
    --------
    >>> gates(np.array([2.0, 0.0, -1.0]))
    array([1, 0, 0])
    """
    if isinstance(z, Jet):
        return gates(z.value)
    if isinstance(z, Measured):
        return _certified(z.value > z.error, z.value <= -z.error)
    array = np.asarray(z)
    if array.dtype == object:
        return np.array([_element(x) for x in array.flat], dtype=int).reshape(array.shape)
    if array.dtype.kind == "c":
        raise LeftArithmetic("complex numbers have no order")
    return (array > 0).astype(int)


def _certified(positive: Any, negative: Any) -> np.ndarray:
    if not np.all(positive | negative):
        raise Undecided("a sign that the error bounds do not certify")
    return np.asarray(positive, dtype=int)


def _element(x: Any) -> int:
    try:
        positive, negative = x > 0, x <= 0
    except TypeError as error:
        raise LeftArithmetic(f"{type(x).__name__} numbers have no order") from error
    if type(positive) is not bool or type(negative) is not bool:
        raise LeftArithmetic(f"{type(x).__name__} numbers have no order")
    return int(_certified(positive, negative))
