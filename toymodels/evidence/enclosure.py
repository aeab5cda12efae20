"""Inequalities proved by enclosing the gap: branch and bound over the whole domain.

Nothing is cut off. Towards an infinite end, or an end at which the gap is
singular, it is enclosed in ranges; beside a point where it vanishes its first
derivatives must be proved to vanish as well and the next one to have a sign.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from toymodels.arithmetic import rationals
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.boxes import (
    CANNOT,
    Box,
    Edge,
    Enclosures,
    derivatives,
    enclose,
    enclose_derivatives,
    is_nonnegative,
    is_positive,
)
from toymodels.evidence.ranges import Ball, ball
from toymodels.evidence.verdict import Evidence, Outcome, Verdict
from toymodels.evidence.witness import end, refuted, simple_rationals, simplest_between
from toymodels.spaces.source import Domain

MOST_VARIABLES = 3
SIMPLE_POINTS = 5
"""Simple rationals per variable at which the gap is looked at first."""
FARTHEST = 2**40
"""Half lines that begin beyond are given up."""
NARROWEST = 2.0**-60
"""Boxes of this size are given up."""

Point = tuple[Fraction, ...]


@dataclass(frozen=True)
class Zero:
    """A point at which the caller can prove that a gap of one variable vanishes.

    Attributes
    ----------
    point : Fraction or int
    vanishes : callable (order) -> bool
        Whether the derivative of this order (0: the gap itself) is proved to
        be exactly zero there; asked for orders 0 to 3.
    """

    point: Any
    vanishes: Callable[[int], bool]


def by_enclosure(
    gap: Callable[..., Any],
    domains: Mapping[str, Domain] | Sequence[Domain],
    strict: bool,
    zeros: Iterable[Any] = (),
    budget: int = 20000,
    bits: int = 128,
) -> Verdict:
    """Prove ``gap >= 0`` (or > 0) on a product of open intervals, or refute it at a rational point.

    A box is settled by an enclosure of the gap that is not negative, by the
    mean value form, or by Taylor's formula from one of its faces: where the
    derivatives across the face of orders 1 to k - 1 are not negative on it and
    that of order k is not on the box, the face is all that remains. A box that
    is not settled is split.

    Parameters
    ----------
    gap : callable
        A formula of one to three numbers, of those that `arithmetic` declares:
        it does not compare. It is run on Arb balls, ranges, rationals, and jets
        of all these; what it cannot be run on makes less decidable, nothing wrong.
    domains : dict of str to Domain, or sequence of Domain
        Of the arguments in order; the names are those of a counterexample.
    strict : bool
    zeros : iterable of rationals or `Zero`
        Points at which a gap of one variable vanishes. A bare rational only
        says where to look: that the gap vanishes is then proved by running it
        on exact jets, as is tried wherever boxes meet.
    budget : int
        Boxes to look at.
    bits : int
        Precision of the balls.

    Returns
    -------
    Verdict
        Holds or refuted with evidence "enclosed" ("exact" where a strict
        inequality fails at an exact zero).

    Raises
    ------
    NotApplicable
        Without python-flint, and where the boxes do not decide it.

    Examples
    --------
    >>> from toymodels.arithmetic.elementary import exp
    >>> installed = rationals.fmpq() is not None
    >>> not installed or by_enclosure(lambda x: exp(x) - 1 - x, {"x": Domain()}, strict=False).holds
    True
    """
    if rationals.fmpq() is None:
        raise NotApplicable("python-flint is not installed")
    named = dict(domains) if isinstance(domains, Mapping) else {f"x{k + 1}": d for k, d in enumerate(domains)}
    if not 1 <= len(named) <= MOST_VARIABLES:
        raise NotApplicable(f"enclosures take 1 to {MOST_VARIABLES} variables, not {len(named)}")
    import flint

    known = {Fraction(getattr(zero, "point", zero)): zero for zero in zeros}
    with flint.ctx.workprec(bits):
        return _Search(gap, named, strict, known).decide(budget)


@dataclass
class _Search:
    """Branch and bound, the largest boxes first."""

    gap: Callable[..., Any]
    domains: dict[str, Domain]
    strict: bool
    known: dict[Fraction, Any]
    exact: dict[Fraction, list[Any]] = field(default_factory=dict)

    def decide(self, budget: int) -> Verdict:
        """Settle or split boxes until none is left."""
        edges = [Edge(end(domain.low), end(domain.high), domain) for domain in self.domains.values()]
        simple = [itertools.islice(simple_rationals(edge.low, edge.high), SIMPLE_POINTS) for edge in edges]
        self._require_balls(tuple(simplest_between(edge.low, edge.high) for edge in edges))
        for point in itertools.product(*simple):
            if self._fails_at(point):
                return self._refuted(point, 0)
        queue = deque((box, self.strict) for box in itertools.product(*map(self._cut, edges)))
        count = 0
        while queue:
            if count == budget:
                raise NotApplicable(f"{budget} boxes do not decide it near {self._where(queue[0][0])}")
            box, strict = queue.popleft()
            count += 1
            if self._is_enclosed(box, strict):
                continue
            for point in self._points_inside(box):
                if self._fails_at(point):
                    return self._refuted(point, count)
            slopes = [enclose_derivatives(self.gap, box, k, self._orders(box)) for k in range(len(box))]
            if self._by_mean_value(box, slopes, strict):
                continue
            queue.extend(self._face(box, slopes, strict) or ((part, strict) for part in self._split(box)))
        why = f"Arb encloses it on {count} boxes that cover the domain"
        return Verdict(Outcome.holds, Evidence.enclosed, why, cases=count)

    def _require_balls(self, point: Point) -> None:
        try:
            self.gap(*map(ball, point))
        except CANNOT as error:
            raise NotApplicable(f"the gap does not run on balls ({error})") from error

    def _cut(self, edge: Edge) -> list[Edge]:
        """The edge, cut at the zeros that were named."""
        inside = sorted(z for z in self.known if edge.low < z < edge.high) if len(self.domains) == 1 else []
        return [edge.part(a, b) for a, b in itertools.pairwise([edge.low, *inside, edge.high])]

    def _at(self, point: Point) -> Ball:
        """The gap at an exact point; not a number where it has none."""
        import flint

        try:
            value = self.gap(*map(ball, point))
        except CANNOT:
            value = None
        if rationals.is_rational(value):
            return ball(value)
        return value if isinstance(value, flint.arb) else flint.arb("nan")

    def _vanishes(self, point: Point, order: int = 0) -> bool:
        """Whether the derivative of this order is proved to be zero, by the caller or by exact arithmetic."""
        if len(point) > 1:
            return order == 0 and _is_zero(_exact_value(self.gap, point))
        (z,) = point
        if isinstance(self.known.get(z), Zero) and self.known[z].vanishes(order):
            return True
        if z not in self.exact:
            self.exact[z] = [_exact_value(self.gap, point)]
        if len(self.exact[z]) == 1 and order > 0:
            self.exact[z] = derivatives(self.gap, [z], 0, Fraction, 4) or [*self.exact[z], *[None] * 4]
        return _is_zero(self.exact[z][order])

    def _fails_at(self, point: Point) -> bool:
        value = self._at(point)
        if value < 0 or (self.strict and value <= 0):
            return True
        return self.strict and bool(value.contains(0)) and self._vanishes(point)

    def _refuted(self, point: Point, count: int) -> Verdict:
        value, is_zero = self._at(point), self.strict and self._vanishes(point)
        shown = "0" if is_zero else value.str(10, radius=False)
        evidence = Evidence.exact if is_zero else Evidence.enclosed
        values = dict(zip(self.domains, point, strict=True))
        return refuted(values, shown, evidence, "Arb encloses a violation at an exact point", cases=count)

    def _points_inside(self, box: Box) -> Iterator[Point]:
        """A simple point of the box; where it lies on an end of the domain and fails, points close by."""
        point = tuple(e.low if e.is_point else simplest_between(e.low, e.high) for e in box)
        inwards = tuple(_inwards(edge, x) for edge, x in zip(box, point, strict=True))
        if not any(inwards):
            yield point
        elif self._at(point) < 0:
            for k in range(4, 64, 4):
                near = tuple(x + Fraction(step, 2**k) for x, step in zip(point, inwards, strict=True))
                if not any(_inwards(edge, x) for edge, x in zip(box, near, strict=True)):
                    yield near

    def _is_enclosed(self, box: Box, strict: bool) -> bool:
        values = enclose(self.gap, box)
        if is_positive(values) or (not strict and is_nonnegative(values)):
            return True
        return not strict and all(edge.is_point for edge in box) and self._vanishes(_corner(box))

    def _by_mean_value(self, box: Box, slopes: list[list[Enclosures]], strict: bool) -> bool:
        """Whether gap(centre) + slope (x - centre) shows it, with the slope of the whole box."""
        if not all(edge.is_bounded for edge in box):
            return False
        centre = tuple((edge.low + edge.high) / 2 for edge in box)
        value = self._at(centre)
        for edge, x, enclosures in zip(box, centre, slopes, strict=True):
            balls = [slope for slope in enclosures[1] if type(slope).__name__ == "arb"]
            if not balls:
                return False
            value = value + balls[0] * (edge.ball() - ball(x))
        return bool(value > 0 or (not strict and value >= 0))

    def _orders(self, box: Box) -> int:
        """How many derivatives may be needed: more than two where the gap vanishes, or far out."""
        if len(box) > 1:
            return 1
        (edge,) = box
        ends = [x for x in (edge.low, edge.high) if isinstance(x, Fraction)]
        return 4 if len(ends) < 2 or any(self._vanishes((x,)) for x in ends) else 2

    def _face(self, box: Box, slopes: list[list[Enclosures]], strict: bool) -> list[tuple[Box, bool]]:
        """The face to which Taylor's formula reduces the box, and whether it must be strict there."""
        for k, edge in enumerate(box):
            for at, sign in ((edge.low, 1), (edge.high, -1)):
                if edge.is_point or not isinstance(at, Fraction):
                    continue
                face = (*box[:k], edge.part(at, at), *box[k + 1 :])
                gained = self._taylor(face, k, sign, slopes[k])
                # a strict inequality may fail on an end of the domain, which does not belong to it
                outside = _inwards(edge, at) != 0
                if gained or (gained is not None and not (strict and outside)):
                    return [(face, strict and not outside)]
        return []

    def _taylor(self, face: Box, k: int, sign: int, over_box: list[Enclosures]) -> bool | None:
        """Whether the gap exceeds its value on the face strictly; None where it may fall below."""
        if not enclose(self.gap, face):
            return None
        on_face: list[Enclosures] = []
        gained, found = False, None
        for order in range(1, len(over_box)):
            upwards = _signed(over_box[order], sign**order)
            if is_nonnegative(upwards):
                found = gained or is_positive(upwards)
                if found:
                    break
            on_face = on_face or enclose_derivatives(self.gap, face, k, len(over_box) - 1)
            term = _signed(on_face[order], sign**order)
            if is_positive(term):
                gained = True
            elif not is_nonnegative(term) and not self._vanishes_on(face, order):
                break
        return found

    def _vanishes_on(self, face: Box, order: int) -> bool:
        return len(face) == 1 and self._vanishes(_corner(face), order)

    def _split(self, box: Box) -> list[Box]:
        """Halve the largest edge: at a simple point where the gap vanishes, or else in the middle."""
        k = max(range(len(box)), key=lambda j: -1.0 if box[j].is_point else box[j].size())
        edge = box[k]
        if edge.is_point or (edge.is_bounded and edge.size() < NARROWEST):
            raise NotApplicable(f"the sign is not decided near {self._where(box)}")
        cut = edge.middle()
        if abs(cut) > FARTHEST and not edge.is_bounded:
            raise NotApplicable(f"not enclosed near {self._where(box)}")
        if len(box) == 1 and self._vanishes((simplest_between(edge.low, edge.high),)):
            cut = simplest_between(edge.low, edge.high)
        parts = edge.part(edge.low, cut), edge.part(cut, edge.high)
        return [(*box[:k], part, *box[k + 1 :]) for part in parts]

    def _where(self, box: Box) -> str:
        ends = [
            f"{name} {'=' if edge.is_bounded else '->'} {edge}"
            for name, edge in zip(self.domains, box, strict=True)
        ]
        return ", ".join(ends)


def _corner(box: Box) -> Point:
    return tuple(edge.low for edge in box)


def _inwards(edge: Edge, x: Fraction) -> int:
    """The direction into the domain from its ends or beyond; 0 inside."""
    return int(x <= end(edge.domain.low)) - int(x >= end(edge.domain.high))


def _signed(enclosures: Enclosures, sign: int) -> Enclosures:
    return enclosures if sign > 0 else [-x for x in enclosures]


def _exact_value(gap: Callable[..., Any], point: Point) -> Any:
    try:
        return gap(*point)
    except CANNOT:
        return None


def _is_zero(x: Any) -> bool:
    return rationals.is_rational(x) and bool(x == 0)
