"""The number systems by name: how each makes its numbers and knows its own.

The contract test runs every declared formula in every system of its kind; the
evidence rungs take their numbers from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from toymodels.arithmetic import rationals
from toymodels.arithmetic.degrees import Degree
from toymodels.arithmetic.measured import Measured, measured
from toymodels.errors import LeftArithmetic

DIGITS = 60


@dataclass(frozen=True)
class System:
    """A number system.

    Attributes
    ----------
    name : str
    make : callable
        From an array (or number) of rationals to an array of the system's numbers.
    owns : callable
        Whether a result's entry belongs to the system.
    exact : bool
        Whether it can decide equality.
    analytic : bool
        Whether it has exponentials and roots.
    """

    name: str
    make: Callable[[Any], Any]
    owns: Callable[[Any], bool]
    exact: bool
    analytic: bool


def _entrywise(convert: Callable[[Fraction], Any]) -> Callable[[Any], Any]:
    def make(values: Any) -> Any:
        if np.ndim(values) == 0:
            return convert(rationals.to_fraction(rationals.to_ring(values, Fraction)))
        fractions = rationals.to_ring(values, Fraction)
        return rationals.object_array((convert(x) for x in fractions.flat), fractions.shape)

    return make


def _floats(dtype: Any) -> Callable[[Any], Any]:
    return lambda values: np.asarray(np.vectorize(float, otypes=[float])(values), dtype=dtype)[()]


def _is_exact(x: Any) -> bool:
    return rationals.is_rational(x)


@cache
def digits_context(digits: int = DIGITS) -> Any:
    """Return an mpmath context of its own with so many decimal digits."""
    import mpmath

    context = mpmath.MPContext()
    context.dps = digits
    return context


def digits(digits: int = DIGITS) -> System:
    """Return the system of mpmath numbers with so many decimal digits."""
    context = digits_context(digits)

    def make(x: Fraction) -> Any:
        return context.mpf(x.numerator) / x.denominator

    return System("digits", _entrywise(make), lambda x: isinstance(x, (context.mpf, int)), False, True)


def symbols() -> System:
    """Return the system of SymPy expressions."""
    import sympy

    return System(
        "symbols",
        _entrywise(lambda x: sympy.Rational(x.numerator, x.denominator)),
        lambda x: (
            isinstance(x, (sympy.Basic, int)) and not (isinstance(x, sympy.Basic) and x.has(sympy.Float))
        ),
        True,
        True,
    )


def balls(bits: int = 128) -> System | None:
    """Return the system of Arb balls of so many bits, or None without python-flint."""
    try:
        import flint
    except ImportError:
        return None

    def make(x: Fraction) -> Any:
        flint.ctx.prec = bits
        return flint.arb(x.numerator) / x.denominator

    return System("balls", _entrywise(make), lambda x: isinstance(x, (flint.arb, int)), False, True)


FLOATS = System(
    "floats", _floats(float), lambda x: isinstance(x, (float, int, np.floating, np.integer)), False, True
)
COMPLEX = System(
    "complex", _floats(complex), lambda x: isinstance(x, (complex, float, int, np.number)), False, True
)
MEASURED = System(
    "measured",
    lambda x: measured(np.asarray(x, dtype=object)),
    lambda x: isinstance(x, Measured),
    False,
    True,
)
FRACTIONS = System("fractions", _entrywise(lambda x: x), _is_exact, True, False)
DEGREES = System(
    "degrees", _entrywise(lambda x: Degree(1)), lambda x: isinstance(x, Degree) or _is_exact(x), False, False
)


def fmpq() -> System | None:
    """Return the system of python-flint's rationals, or None without it."""
    if rationals.fmpq() is None:
        return None
    return System("fmpq", lambda x: rationals.to_ring(x, rationals.fmpq()), _is_exact, True, False)


def entries(value: Any) -> list[Any]:
    """Return the entries of a formula's result, tuples flattened."""
    if isinstance(value, (tuple, list)):
        return [entry for part in value for entry in entries(part)]
    return list(value.flat) if isinstance(value, np.ndarray) else [value]


def require_own(system: System, value: Any) -> None:
    """Raise LeftArithmetic when a result holds a number of another system."""
    for entry in entries(value):
        if not system.owns(entry):
            raise LeftArithmetic(f"a run on {system.name} returned {type(entry).__name__} {entry!r}")
