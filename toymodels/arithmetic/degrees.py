"""Degrees: the arithmetic that computes the degree of a formula by running it.

A number here is the pair (numerator, denominator) of degree bounds of a
rational function of the free variables. Running a formula on degrees gives an
upper bound for its own degree, which the Schwartz-Zippel lemma asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toymodels.arithmetic.rationals import is_rational
from toymodels.errors import LeftArithmetic


class Degree:
    """Degree bounds (numerator, denominator) of a rational function.

    Denominators are kept as the factors that were divided by, so terms over a
    common denominator add without multiplying it again.

    Examples
    --------
    >>> x = Degree(1)
    >>> y = x * x + 1
    >>> x / y + x / y
    Degree(1, 2)
    """

    __slots__ = ("factors", "numerator")

    def __init__(self, numerator: int = 0, factors: Mapping[Degree, int] | None = None):
        self.numerator, self.factors = numerator, factors or {}

    @property
    def denominator(self) -> int:
        """Degree of the denominator."""
        return sum(exponent * factor.numerator for factor, exponent in self.factors.items())

    def __add__(self, other: Any) -> Any:
        other = _degree(other)
        if other is None:
            return NotImplemented
        if not self.factors and not other.factors:
            return Degree(max(self.numerator, other.numerator))
        keys = {**self.factors, **other.factors}
        common = {f: max(self.factors.get(f, 0), other.factors.get(f, 0)) for f in keys}
        total = Degree(0, common).denominator
        lifted = max(x.numerator + total - x.denominator for x in (self, other))
        return Degree(lifted, common)

    __radd__ = __sub__ = __rsub__ = __add__

    def __mul__(self, other: Any) -> Any:
        if is_rational(other) and other == 0:
            return Degree()
        other = _degree(other)
        if other is None:
            return NotImplemented
        if not self.factors and not other.factors:
            return Degree(self.numerator + other.numerator)
        keys = {**self.factors, **other.factors}
        factors = {f: self.factors.get(f, 0) + other.factors.get(f, 0) for f in keys}
        return Degree(self.numerator + other.numerator, factors)

    __rmul__ = __mul__

    def _reciprocal(self) -> Degree:
        if self.factors:
            # the numerator of a quotient becomes a factor of its own
            return Degree(self.denominator, {Degree(self.numerator): 1} if self.numerator else {})
        return Degree(0, {self: 1} if self.numerator else {})

    def __truediv__(self, other: Any) -> Any:
        other = _degree(other)
        return NotImplemented if other is None else self * other._reciprocal()

    def __rtruediv__(self, other: Any) -> Any:
        return self._reciprocal() * other

    def __pow__(self, exponent: int) -> Degree:
        if not isinstance(exponent, (int, np.integer)):
            raise LeftArithmetic(f"degrees take integer powers, got {exponent!r}")
        if exponent < 0:
            return self._reciprocal() ** (-exponent)
        if exponent == 0:
            return Degree()
        return Degree(exponent * self.numerator, {f: exponent * e for f, e in self.factors.items()})

    def __neg__(self) -> Degree:
        return self

    __pos__ = __neg__

    def __bool__(self) -> bool:
        raise LeftArithmetic("a degree has no truth value: the formula compares")

    __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: bool(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Degree):
            return self is other  # denominators are factors by identity
        return bool(self)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"Degree({self.numerator}, {self.denominator})"


def _degree(x: Any) -> Degree | None:
    """A degree or an exact constant as a degree; None for arrays, jets and roots, which hold degrees."""
    if isinstance(x, Degree):
        return x
    if isinstance(x, (float, complex, np.inexact)):
        raise LeftArithmetic(f"the float {x!r} entered an exact formula")
    return Degree() if is_rational(x) else None


def degree_of(value: Any) -> int:
    """Return a degree bound for deciding ``value == 0``: numerator plus denominator, the largest entry."""
    entries = value.flat if isinstance(value, np.ndarray) else [value]
    degrees = [_degree(entry) for entry in entries]
    if any(d is None for d in degrees):
        raise LeftArithmetic("a run on degrees returned numbers of another kind")
    return max((d.numerator + d.denominator for d in degrees if d is not None), default=0)
