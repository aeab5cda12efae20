"""Draw scalars from the region that linear hypotheses leave, one after the other, rejecting none in vain.

Fourier-Motzkin elimination gives, for each variable, its bounds in terms of
the variables before it, and no variable is ever drawn into a corner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.measured import Measured
from toymodels.spaces import POSITIVE, Domain, Rejected, Source, Space

MOST_CONSTRAINTS = 200
"""More than so many implied inequalities are not worked out."""


@dataclass(frozen=True)
class Constraint:
    """The inequality ``sum of coefficients times symbols + constant >= 0``, or > 0 if strict."""

    coefficients: tuple[tuple[sp.Symbol, Fraction], ...]
    constant: Fraction
    strict: bool

    def of(self, symbol: sp.Symbol) -> Fraction:
        """Return the coefficient of a symbol."""
        return dict(self.coefficients).get(symbol, Fraction(0))

    @property
    def impossible(self) -> bool:
        """Whether it holds no symbol and fails."""
        return not self.coefficients and (self.constant < 0 or (self.strict and self.constant == 0))


def linear_constraint(gap: sp.Expr, strict: bool) -> Constraint | None:
    """Return ``gap >= 0`` as a constraint, or None where it is not linear with rational coefficients."""
    symbols = sorted(gap.free_symbols, key=str)
    try:
        polynomial = sp.Poly(gap, *symbols)
    except sp.PolynomialError:
        return None
    rational = all(c.is_Rational for c in polynomial.coeffs())
    if not symbols or polynomial.total_degree() > 1 or not rational:
        return None
    parts = {x: _fraction(polynomial.coeff_monomial(x)) for x in symbols}
    constant = _fraction(polynomial.coeff_monomial(1))
    return Constraint(tuple((x, c) for x, c in parts.items() if c), constant, strict)


def _fraction(x: sp.Expr) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def _combined(above: Constraint, below: Constraint, symbol: sp.Symbol) -> Constraint:
    """Eliminate a symbol from a lower and an upper bound of it."""
    a, b = above.of(symbol), -below.of(symbol)
    parts: dict[sp.Symbol, Fraction] = {}
    for constraint, factor in ((above, b), (below, a)):
        for x, c in constraint.coefficients:
            parts[x] = parts.get(x, Fraction(0)) + factor * c
    kept = tuple((x, c) for x, c in sorted(parts.items(), key=lambda item: str(item[0])) if c)
    constant = b * above.constant + a * below.constant
    return Constraint(kept, constant, above.strict or below.strict)


def bounds_in_order(
    symbols: Sequence[sp.Symbol], constraints: Sequence[Constraint]
) -> dict[sp.Symbol, list[Constraint]] | None:
    """Return for each symbol its bounds by those before it; None where the constraints exclude each other.

    Examples
    --------
    >>> x, y = sp.symbols("x y")
    >>> above = linear_constraint(x - y, strict=True)
    >>> below = linear_constraint(y - x - 1, strict=False)
    >>> bounds_in_order([x, y], [above, below]) is None
    True
    """
    pending, found = list(dict.fromkeys(constraints)), {}
    for symbol in reversed(symbols):
        own = [c for c in pending if c.of(symbol)]
        pending = [c for c in pending if not c.of(symbol)]
        found[symbol] = own
        lows, highs = ([c for c in own if sign * c.of(symbol) > 0] for sign in (1, -1))
        if len(lows) * len(highs) + len(pending) > MOST_CONSTRAINTS:
            continue
        implied = (_combined(low, high, symbol) for low in lows for high in highs)
        pending = list(dict.fromkeys([*pending, *implied]))
    return None if any(c.impossible for c in pending) else found


def region_space(
    symbols: Sequence[sp.Symbol], bounds: Mapping[sp.Symbol, Sequence[Constraint]], text: str
) -> Space:
    """Return the space that draws the symbols together, within their bounds where numbers compare.

    Its value is a tuple, or one number for one symbol.
    """

    def draw(source: Source, name: str) -> Any:
        values: dict[sp.Symbol, Any] = {}
        for symbol in symbols:
            values[symbol] = _draw(source, symbol, bounds[symbol], values)
        return _together(tuple(values.values()))

    return Space(draw, text, lambda name: _together(tuple(Scalar.variable(str(x)) for x in symbols)))


def _together(values: tuple[Any, ...]) -> Any:
    return values if len(values) > 1 else values[0]


def _draw(source: Source, symbol: sp.Symbol, bounds: Sequence[Constraint], values: Mapping[Any, Any]) -> Any:
    if source.system.name in ("degrees", "symbols"):
        return source.number()
    ends: dict[int, tuple[Any, bool]] = {}
    for constraint in bounds:
        slope = constraint.of(symbol)
        end, side = _end(source, constraint, symbol, values), (1 if slope > 0 else -1)
        if side not in ends or side * (_plain(end) - _plain(ends[side][0])) > 0:
            ends[side] = end, constraint.strict
    low, high = ends.get(1), ends.get(-1)
    if low and high and not _plain(low[0]) <= _plain(high[0]):
        raise Rejected(f"no room for {symbol}")
    pick = source.integer(0, 7)
    for index, end_ in enumerate((low, high)):
        if end_ is not None and pick == index and not end_[1] and not source.generic:
            return end_[0]
    if low is None and high is None:
        return source.number()
    if high is None:
        return low[0] + source.number(POSITIVE)  # type: ignore[index]
    if low is None:
        return high[0] - source.number(POSITIVE)
    return low[0] + (high[0] - low[0]) * source.number(Domain(0.0, 1.0))


def _end(source: Source, constraint: Constraint, symbol: sp.Symbol, values: Mapping[Any, Any]) -> Any:
    """Return where the constraint becomes an equation."""
    slope = constraint.of(symbol)
    total = source.make(-constraint.constant / slope)
    for x, c in constraint.coefficients:
        if x != symbol:
            total = total - values[x] * source.make(c / slope)
    return total


def _plain(x: Any) -> Any:
    """A number to compare with."""
    x = x.value if isinstance(x, Measured) else x
    return x[()] if isinstance(x, np.ndarray) else x
