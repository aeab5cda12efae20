"""Real numbers: on the line, positive, between ends, integers, choices, constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.rationals import is_rational, to_fraction, to_ring
from toymodels.errors import InputError
from toymodels.spaces.source import POSITIVE, REAL, Domain
from toymodels.spaces.space import Space

real = Space(lambda source, name: source.number(REAL), "real", Scalar.variable)
positive = Space(lambda source, name: source.number(POSITIVE), "positive", Scalar.variable)


def between(low: float, high: float) -> Space:
    """Real numbers in the open interval (low, high)."""
    _require_numbers("between", low, high)
    if not low < high:
        raise InputError(f"between: expected low < high, got {low}, {high}")
    domain = Domain(low, high)
    return Space(lambda source, name: source.number(domain), f"in ({low:g}, {high:g})", Scalar.variable)


def log_uniform(low: float, high: float) -> Space:
    """Positive numbers in (low, high), spread evenly over magnitudes."""
    _require_numbers("log_uniform", low, high)
    if not 0 < low < high < math.inf:
        raise InputError(f"log_uniform: expected 0 < low < high, got {low}, {high}")
    domain = Domain(low, high, logarithmic=True)
    return Space(
        lambda source, name: source.number(domain), f"log-uniform in ({low:g}, {high:g})", Scalar.variable
    )


def integer(low: int, high: int) -> Space:
    """Plain integers from low to high."""
    if not isinstance(low, Integral) or not isinstance(high, Integral) or low > high:
        raise InputError(f"integer: expected integers low <= high, got {low!r}, {high!r}")
    return Space(lambda source, name: source.integer(low, high), f"integer in [{low}, {high}]")


def choice(options: Sequence[Any]) -> Space:
    """One of the options."""
    values = tuple(options)
    if not values:
        raise InputError("choice: expected at least one option")
    text = f"one of {', '.join(map(str, values))}"
    return Space(lambda source, name: values[source.integer(0, len(values) - 1)], text)


def constant(value: Any) -> Space:
    """Always the same exact number; a float counts at its binary value."""
    if not is_rational(value) and not (isinstance(value, float) and math.isfinite(value)):
        raise InputError(f"constant: expected a finite number, got {value!r}")
    exact = to_fraction(to_ring(value))
    return Space(lambda source, name: source.make(exact), f"{value}", lambda name: Scalar.constant(exact))


def _require_numbers(name: str, *ends: Any) -> None:
    if not all(isinstance(end, Real) for end in ends):
        raise InputError(f"{name}: expected two numbers, got {', '.join(map(repr, ends))}")
