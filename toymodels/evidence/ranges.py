"""Ranges: real intervals with infinite and open ends, rounded outward by Arb.

A ball cannot hold a half line, nor leave out an end at which a function is
singular; a range can, so what happens towards such an end is enclosed and not
cut off. Division by a range that holds zero is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.arithmetic.rationals import is_rational
from toymodels.errors import LeftArithmetic

Ball = Any


def ball(x: Any) -> Ball:
    """Return a rational or an infinite float as an Arb ball."""
    from flint import arb, fmpq

    if isinstance(x, (float, np.floating)) and not math.isfinite(x):
        return arb("inf") if x > 0 else -arb("inf")
    exact = Fraction(int(x.numerator), int(x.denominator)) if is_rational(x) else Fraction(x)
    return arb(fmpq(exact.numerator, exact.denominator))


class Range:
    """The real numbers between two ends, of which each may be infinite, or open: not itself meant.

    Ranges do not compare, so gates refuse them: an open end may lie on the other side of a gate.

    Parameters
    ----------
    low, high : exact Arb balls
    low_open, high_open : bool

    Examples
    --------
    >>> from toymodels.arithmetic import rationals
    >>> installed = rationals.fmpq() is not None
    >>> not installed or (1 / (1 + Range.between(0, math.inf, low_open=True))).is_positive()
    True
    """

    __slots__ = ("high", "high_open", "inverse", "low", "low_open")

    def __init__(self, low: Ball, high: Ball, low_open: bool = False, high_open: bool = False):
        self.low, self.low_open = _down(low), low_open
        self.high, self.high_open = _up(high), high_open
        self.inverse: Range | None = None  # the range of which this is known to be the reciprocal

    @classmethod
    def between(cls, low: Any, high: Any, low_open: bool = False, high_open: bool = False) -> Range:
        """Return the range between rational or infinite ends."""
        return cls(ball(low), ball(high), low_open or low == -math.inf, high_open or high == math.inf)

    def is_positive(self) -> bool:
        """Return whether every number of the range is."""
        return bool(self.low > 0) or (self.low_open and bool(self.low == 0))

    def is_nonnegative(self) -> bool:
        """Return whether every number of the range is."""
        return bool(self.low >= 0)

    def is_one(self) -> bool:
        """Return whether it holds 1 alone."""
        return bool(self.low == 1) and bool(self.high == 1)

    def __add__(self, other: Any) -> Range:
        x = _range(other)
        if x is None:
            return NotImplemented
        opens = self.low_open or x.low_open, self.high_open or x.high_open
        return Range(self.low + x.low, self.high + x.high, *opens)

    __radd__ = __add__

    def __pos__(self) -> Range:
        return self

    def __neg__(self) -> Range:
        return Range(-self.high, -self.low, self.high_open, self.low_open)

    def __sub__(self, other: Any) -> Range:
        x = _range(other)
        return NotImplemented if x is None else self + (-x)

    def __rsub__(self, other: Any) -> Range:
        return -self + other

    def __mul__(self, other: Any) -> Range:
        x = _range(other)
        if x is None:
            return NotImplemented
        # one and the same object is one and the same number
        if x is self:
            return self**2
        if x.inverse is self or self.inverse is x:
            return Range.between(1, 1)
        if x.is_one() or self.is_one():
            return self if x.is_one() else x
        corners = [_corner(a, b) for a in self._ends() for b in x._ends()]
        low, low_open = corners[0]
        high, high_open = corners[0]
        for value, opened in corners[1:]:
            below, above = _down(value), _up(value)
            if below < _down(low) or (below == _down(low) and not opened):
                low, low_open = value, opened
            if above > _up(high) or (above == _up(high) and not opened):
                high, high_open = value, opened
        return Range(low, high, low_open, high_open)

    __rmul__ = __mul__

    def _ends(self) -> list[tuple[Ball, bool]]:
        return [(self.low, self.low_open), (self.high, self.high_open)]

    def reciprocal(self) -> Range:
        """Return 1 / self where zero is not in the range, though it may be an open end."""
        if not self.is_positive():
            if not (-self).is_positive():
                raise ZeroDivisionError("a range divides that holds zero")
            inverse = -((-self).reciprocal())
        else:
            low = ball(0) if _infinite(self.high) else 1 / self.high
            high = ball(math.inf) if self.low == 0 else 1 / self.low
            inverse = Range(low, high, self.high_open, self.low_open)
        inverse.inverse = self
        return inverse

    def __truediv__(self, other: Any) -> Range:
        x = _range(other)
        return NotImplemented if x is None else self * x.reciprocal()

    def __rtruediv__(self, other: Any) -> Range:
        return self.reciprocal() * other

    def __pow__(self, exponent: int) -> Range:
        if not isinstance(exponent, (int, np.integer)):
            raise LeftArithmetic(f"integer powers only, got {exponent!r}; use sqrt or exp(log)")
        n = int(exponent)
        if n < 0:
            return self.reciprocal() ** (-n)
        if n == 0:
            return Range.between(1, 1)
        if n % 2 == 0 and not self.is_nonnegative():
            return abs(self) ** n
        return self._increasing(lambda x: _power(x, n))

    def __abs__(self) -> Range:
        if self.is_nonnegative():
            return self
        if (-self).is_nonnegative():
            return -self
        (low, low_open), (high, high_open) = self._ends()
        if -low == high:
            return Range(ball(0), high, high_open=low_open and high_open)
        if -low > high:
            return Range(ball(0), -low, high_open=low_open)
        return Range(ball(0), high, high_open=high_open)

    def _increasing(self, function: Callable[[Ball], Ball]) -> Range:
        """The image under a strictly increasing function that knows its value at infinity."""
        return Range(function(self.low), function(self.high), self.low_open, self.high_open)

    def _elementary(self, name: str) -> Range:
        (start, at_start), (stop, at_stop) = ((ball(x), ball(y)) for x, y in _INCREASING[name])
        inside = self.low > start or (self.low == start and (self.low_open or not _infinite(at_start)))
        inside_too = self.high < stop or (self.high == stop and (self.high_open or not _infinite(at_stop)))
        if not (inside and inside_too):
            raise ZeroDivisionError(f"{name} of a range that leaves its domain")

        def image(x: Ball) -> Ball:
            if x == start:
                return at_start
            return at_stop if x == stop else getattr(x, name)()

        low, high = _down(image(self.low)), _up(image(self.high))
        # where Arb overflows the function still keeps to its own range
        low = low if low > at_start else at_start
        high = high if high < at_stop else at_stop
        return Range(low, high, self.low_open, self.high_open)

    def cosh(self) -> Range:
        """Return the hyperbolic cosine."""
        size = abs(self)
        return size._increasing(lambda x: x if _infinite(x) else x.cosh())

    def _wave(self, name: str) -> Range:
        if _infinite(self.low) or _infinite(self.high):
            return Range.between(-1, 1)
        image = getattr(self.low.union(self.high), name)()
        return Range(image.lower(), image.upper())

    def sin(self) -> Range:
        """Return the sine."""
        return self._wave("sin")

    def cos(self) -> Range:
        """Return the cosine."""
        return self._wave("cos")

    def __repr__(self) -> str:
        opening, closing = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"{opening}{float(self.low):.6g}, {float(self.high):.6g}{closing}"


_INFINITE, _RIGHT_ANGLE = math.inf, Fraction(11, 7)
_INCREASING: dict[str, tuple[tuple[Any, Any], tuple[Any, Any]]] = {
    "exp": ((-_INFINITE, 0), (_INFINITE, _INFINITE)),
    "expm1": ((-_INFINITE, -1), (_INFINITE, _INFINITE)),
    "log": ((0, -_INFINITE), (_INFINITE, _INFINITE)),
    "log1p": ((-1, -_INFINITE), (_INFINITE, _INFINITE)),
    "sqrt": ((0, 0), (_INFINITE, _INFINITE)),
    "sinh": ((-_INFINITE, -_INFINITE), (_INFINITE, _INFINITE)),
    "tanh": ((-_INFINITE, -1), (_INFINITE, 1)),
    "atan": ((-_INFINITE, -_RIGHT_ANGLE), (_INFINITE, _RIGHT_ANGLE)),
    "asinh": ((-_INFINITE, -_INFINITE), (_INFINITE, _INFINITE)),
    "atanh": ((-1, -_INFINITE), (1, _INFINITE)),
}
"""Increasing functions: the ends of the domain, and the limits there (for atan, a bound)."""

for _name in _INCREASING:
    setattr(Range, _name, lambda self, _name=_name: self._elementary(_name))


def _range(x: Any) -> Range | None:
    """A number as a range, or None when it is none."""
    if isinstance(x, Range):
        return x
    if type(x).__name__ == "arb":
        return Range(x, x)
    if is_rational(x) or isinstance(x, (float, np.floating)):
        return Range.between(x, x)
    return None


def _infinite(x: Ball) -> bool:
    return not x.is_finite()


def _down(x: Ball) -> Ball:
    """The largest exact number known to be below; what is not a number tells nothing."""
    if x.is_finite():
        return x.lower()
    return x if x.is_exact() and not x.is_nan() else -ball(math.inf)


def _up(x: Ball) -> Ball:
    return -_down(-x)


def _corner(a: tuple[Ball, bool], b: tuple[Ball, bool]) -> tuple[Ball, bool]:
    """The product of two ends, and whether it is open: a closed zero times anything is attained."""
    (x, x_open), (y, y_open) = a, b
    if x == 0 or y == 0:
        return ball(0), (x_open or y_open) and not (x == 0 and not x_open) and not (y == 0 and not y_open)
    return x * y, x_open or y_open


def _power(x: Ball, n: int) -> Ball:
    if not _infinite(x):
        return x**n
    return x if n % 2 or x > 0 else -x
