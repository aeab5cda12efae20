"""Exact rationals: `Fraction`, or python-flint's ``fmpq`` where it is installed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from toymodels.errors import LeftArithmetic

DRAW_BITS = 61
"""Exact evidence draws each free variable uniformly from 2**61 integers."""


@cache
def fmpq() -> Any:
    """Return the type ``flint.fmpq``, or None when python-flint is absent."""
    try:
        from flint import fmpq as rational
    except ImportError:
        return None
    return rational


def ring(prefer: str = "fastest") -> Callable[..., Any]:
    """Return the constructor of exact rationals.

    Parameters
    ----------
    prefer : {"fastest", "fraction"}
        "fastest" takes ``fmpq`` where installed.
    """
    return Fraction if prefer == "fraction" or fmpq() is None else fmpq()


def is_rational(x: Any) -> bool:
    """Return whether `x` is an exact number: int, Fraction or fmpq."""
    flint = fmpq()
    return isinstance(x, (int, np.integer, Fraction)) or (flint is not None and isinstance(x, flint))


def to_ring(values: Any, kind: Callable[..., Any] | None = None) -> Any:
    """Return numbers as an object array of rationals (or one rational for a number).

    Floats are taken at their exact binary value.
    """
    make = kind or ring()

    def convert(x: Any) -> Any:
        if isinstance(x, (int, np.integer)):
            return make(int(x))
        binary = isinstance(x, (float, np.floating))
        exact = Fraction(float(x)) if binary else Fraction(x.numerator, x.denominator)
        return make(exact.numerator, exact.denominator)

    if np.ndim(values) == 0:
        return convert(values if not isinstance(values, np.ndarray) else values[()])
    return object_array(map(convert, np.asarray(values).flat), np.shape(values))


def object_array(entries: Iterable[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return entries as an object array, whatever sequences NumPy might take them for."""
    out = np.empty(math.prod(shape), dtype=object)
    for k, entry in enumerate(entries):
        out[k] = entry
    return out.reshape(shape)


def draw(rng: np.random.Generator, shape: tuple[int, ...], low: int, high: int) -> Any:
    """Return independent uniform integers in [low, high) as rationals; shape () gives a number."""
    return to_ring(rng.integers(low, high, size=shape))


def require_exact(value: Any) -> None:
    """Raise LeftArithmetic unless every entry is an exact number."""
    entries = value.flat if isinstance(value, np.ndarray) else [value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        return
    for entry in entries:
        if not is_rational(entry):
            raise LeftArithmetic(f"an exact run returned {type(entry).__name__} {entry!r}")


def to_fraction(x: Any) -> Fraction:
    """Return any rational as a Fraction."""
    return Fraction(int(x.numerator), int(x.denominator))
