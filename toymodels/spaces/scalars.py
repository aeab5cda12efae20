"""Real numbers: on the line, positive, between ends, integers, choices, roots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toymodels.arithmetic.commutative import Scalar
from toymodels.errors import InputError
from toymodels.spaces.source import POSITIVE, REAL, Domain
from toymodels.spaces.space import Space

real = Space(lambda source, name: source.number(REAL), "real", Scalar.variable)
positive = Space(lambda source, name: source.number(POSITIVE), "positive", Scalar.variable)


def between(low: float, high: float) -> Space:
    """Real numbers in the open interval (low, high)."""
    if not low < high:
        raise InputError(f"between: expected low < high, got {low}, {high}")
    domain = Domain(low, high)
    return Space(lambda source, name: source.number(domain), f"in ({low:g}, {high:g})", Scalar.variable)


def log_uniform(low: float, high: float) -> Space:
    """Positive numbers in (low, high), spread evenly over magnitudes."""
    if not 0 < low < high:
        raise InputError(f"log_uniform: expected 0 < low < high, got {low}, {high}")
    domain = Domain(low, high, logarithmic=True)
    return Space(
        lambda source, name: source.number(domain), f"log-uniform in ({low:g}, {high:g})", Scalar.variable
    )


def integer(low: int, high: int) -> Space:
    """Plain integers from low to high."""
    return Space(lambda source, name: source.integer(low, high), f"integer in [{low}, {high}]")


def choice(options: Sequence[Any]) -> Space:
    """One of the options."""
    values = tuple(options)
    return Space(
        lambda source, name: values[source.integer(0, len(values) - 1)], f"one of {', '.join(map(str, values))}"
    )


def constant(value: Any) -> Space:
    """Always the same exact number."""
    return Space(lambda source, name: source.make(value), f"{value}", lambda name: Scalar.constant(value))
