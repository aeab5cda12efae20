"""Boxes: products of intervals with rational or infinite ends, and the gap enclosed over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.rationals import is_rational
from toymodels.evidence.algebra import NOT_HERE
from toymodels.evidence.ranges import Ball, Range, ball
from toymodels.evidence.witness import End, end, simplest_between
from toymodels.spaces.source import Domain

CANNOT = (*NOT_HERE, ArithmeticError, ValueError)
"""What a gap raises where it is not defined, or in an arithmetic that it does not run in."""
WIDE = 1 / 8
"""Size from which an edge is a range as well as a ball."""


@dataclass(frozen=True)
class Edge:
    """One side of a box, between two ends; equal ends make a point. Open at the ends of its domain."""

    low: End
    high: End
    domain: Domain

    @property
    def is_point(self) -> bool:
        """Whether both ends are the same."""
        return self.low == self.high

    @property
    def is_bounded(self) -> bool:
        """Whether no end is infinite."""
        return isinstance(self.low, Fraction) and isinstance(self.high, Fraction)

    @property
    def opens(self) -> tuple[bool, bool]:
        """Whether the lower and the upper end are left out."""
        return self.low == end(self.domain.low), self.high == end(self.domain.high)

    def ball(self) -> Ball:
        """Return a ball that holds the edge, which must be bounded."""
        return ball(self.low) if self.is_point else ball(self.low).union(ball(self.high))

    def range(self) -> Range:
        """Return the edge as a range."""
        opens = (False, False) if self.is_point else self.opens
        return Range.between(self.low, self.high, *opens)

    def part(self, low: End, high: End) -> Edge:
        """Return another edge of the same domain."""
        return Edge(low, high, self.domain)

    def size(self) -> float:
        """Width relative to where it lies; a half line shrinks slowly as it moves out."""
        if self.is_bounded:
            return float((self.high - self.low) / (1 + min(abs(self.low), abs(self.high))))
        near = min((abs(x) for x in (self.low, self.high) if isinstance(x, Fraction)), default=None)
        return math.inf if near is None else 4 / (1 + math.log2(1 + near))

    def middle(self) -> Fraction:
        """Return a simple rational well inside; that of a half line doubles its distance."""
        if self.is_bounded:
            quarter = (self.high - self.low) / 4
            return simplest_between(self.low + quarter, self.high - quarter)
        if self.low == -math.inf and self.high == math.inf:
            return Fraction(0)
        near, sign = (self.low, 1) if isinstance(self.low, Fraction) else (-self.high, -1)
        return sign * (simplest_between(near, math.inf) if near < 1 else 2 * near)

    def __str__(self) -> str:
        if self.is_bounded:
            return f"{float((self.low + self.high) / 2):.6g}"
        return "inf" if self.high == math.inf else "-inf"


Box = tuple[Edge, ...]
Enclosures = list[Any]
"""Balls, ranges or rationals of which each encloses the same quantity; none where it is not defined."""


def is_positive(enclosures: Enclosures) -> bool:
    """Return whether some enclosure shows it."""
    return any(x.is_positive() if isinstance(x, Range) else bool(x > 0) for x in enclosures)


def is_nonnegative(enclosures: Enclosures) -> bool:
    """Return whether some enclosure shows it."""
    return any(x.is_nonnegative() if isinstance(x, Range) else bool(x >= 0) for x in enclosures)


def _arithmetics(box: Box) -> Iterator[tuple[Callable[[Edge], Any], Callable[[int], Any]]]:
    """How to make the numbers of a box, and the constants: balls, and ranges where an end is open.

    Ranges also where it is wide: a ball around numbers of many magnitudes forgets the small ones.
    """
    if all(edge.is_bounded for edge in box):
        yield Edge.ball, ball
    if any(not edge.is_point and (any(edge.opens) or edge.size() > WIDE) for edge in box):
        yield Edge.range, lambda k: Range.between(k, k)


def _usable(x: Any) -> bool:
    return isinstance(x, Range) or is_rational(x) or (type(x).__name__ == "arb" and x.is_finite())


def enclose(gap: Callable[..., Any], box: Box) -> Enclosures:
    """Enclose the gap over the box."""
    found = []
    for number, _ in _arithmetics(box):
        try:
            value = gap(*map(number, box))
        except CANNOT:
            continue
        found += [value] if _usable(value) else []
    return found


def enclose_derivatives(gap: Callable[..., Any], box: Box, k: int, orders: int) -> list[Enclosures]:
    """Enclose the derivatives along variable k over the box, of order 0 on: 1, 2 or 4 of them."""
    found: list[Enclosures] = [[] for _ in range(orders + 1)]
    for number, constant in _arithmetics(box):
        values = list(map(number, box))
        for order, value in enumerate(derivatives(gap, values, k, constant, orders)):
            found[order] += [value] if _usable(value) else []
        if len(box) > 1 and found[1]:
            break  # ranges cost ten times as much
    return found


def derivatives(
    gap: Callable[..., Any], values: list[Any], k: int, constant: Callable[[int], Any], orders: int
) -> list[Any]:
    """Return the derivatives along variable k up to an order of 1, 2 or 4; none where there are none."""
    jet: Any = Jet(values[k], constant(1), None if orders == 1 else constant(0))
    if orders == 4:
        jet = Jet(jet, _line(constant(1), constant), _line(constant(0), constant))
    try:
        result = gap(*values[:k], jet, *values[k + 1 :])
    except CANNOT:
        return []
    if not isinstance(result, Jet):
        return [result] + [constant(0)] * orders
    if orders < 4:
        return list(result.parts)
    zeroth, _, second = result.parts
    return [*zeroth.parts, *second.parts[1:]]


def _line(x: Any, constant: Callable[[int], Any]) -> Jet:
    """A constant as the part of a jet of jets."""
    return Jet(x, constant(0), constant(0))
