"""The interval of each scalar under the hypotheses of a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from toymodels.derive.setting import COMPARE, Hypothesis, Setting, is_piecewise
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict
from toymodels.spaces import Domain

End = Fraction | float
"""A rational, or an infinite float."""


@dataclass(frozen=True)
class Interval:
    """An interval with exact ends.

    Attributes
    ----------
    low, high : Fraction or infinite float
    closed_low, closed_high : bool
        Whether an end belongs to it.
    """

    low: End = -math.inf
    high: End = math.inf
    closed_low: bool = False
    closed_high: bool = False

    def __and__(self, other: Interval) -> Interval:
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Interval(
            low,
            high,
            all(x.closed_low for x in (self, other) if x.low == low),
            all(x.closed_high for x in (self, other) if x.high == high),
        )

    def __contains__(self, x: sp.Rational) -> bool:
        within = self.low < x < self.high
        return bool(within or (x == self.low and self.closed_low) or (x == self.high and self.closed_high))

    @property
    def is_empty(self) -> bool:
        """Whether no number lies in it."""
        return self.low > self.high or (self.low == self.high and not (self.closed_low and self.closed_high))

    @property
    def closed_ends(self) -> list[sp.Rational]:
        """The ends that belong to it."""
        ends = [(self.low, self.closed_low), (self.high, self.closed_high)]
        return [sp.Rational(end) for end, closed in ends if closed and not math.isinf(end)]

    def coordinate(self, u: sp.Symbol) -> tuple[sp.Expr, Domain]:
        """Return its numbers as a function of u in an open domain whose ends are floats without rounding."""
        low, high = (sp.nsimplify(end) for end in (self.low, self.high))
        if all(float(end) == end for end in (self.low, self.high)):
            return u, Domain(float(self.low), float(self.high))
        if math.isinf(self.high):
            return low + u, Domain(low=0.0)
        if math.isinf(self.low):
            return high - u, Domain(low=0.0)
        return low + (high - low) * u, Domain(0.0, 1.0)


def intervals(setting: Setting, *expressions: Any) -> dict[sp.Symbol, Interval]:
    """Return the interval of each scalar of the expressions, or refuse."""
    symbols = set().union(*(e.free_symbols for e in expressions))
    found = {symbol: _declared(setting, symbol) for symbol in sorted(symbols, key=str)}
    for h in setting.hypotheses:
        symbol, half_line = _half_line(h)
        if symbol in found:
            found[symbol] &= half_line
    return found


def _declared(setting: Setting, symbol: sp.Symbol) -> Interval:
    declared = setting.declared.get(symbol)
    if declared is None or declared.domain is None:
        raise NotApplicable(f"{symbol} is no real variable of one domain")
    low, high = (
        end if math.isinf(end) else Fraction(end) for end in (declared.domain.low, declared.domain.high)
    )
    return Interval(low, high, closed_low=declared.kind == "nonnegative")


def domains(setting: Setting, *expressions: Any) -> dict[sp.Symbol, Domain]:
    """Return the intervals as open domains, for what does not depend on their exact ends."""
    found = intervals(setting, *expressions)
    return {symbol: Domain(float(x.low), float(x.high)) for symbol, x in found.items()}


def _half_line(h: Hypothesis) -> tuple[sp.Symbol, Interval]:
    """Return the half line that a hypothesis on one variable says, or refuse."""
    gap = sp.expand(h.left - h.right)
    if len(gap.free_symbols) != 1 or h.relation == "!=":
        raise NotApplicable(f"the hypothesis {h} is no half line of one variable")
    (symbol,) = gap.free_symbols
    slope, rest = gap.coeff(symbol, 1), gap.coeff(symbol, 0)
    if sp.expand(gap - slope * symbol - rest) != 0 or not (slope.is_Rational and rest.is_Rational):
        raise NotApplicable(f"the hypothesis {h} is not linear")
    root = -rest / slope
    end, closed = Fraction(int(root.p), int(root.q)), h.relation in ("<=", ">=")
    upwards = (h.relation in (">", ">=")) == bool(slope > 0)
    return symbol, Interval(low=end, closed_low=closed) if upwards else Interval(high=end, closed_high=closed)


def contradictory(setting: Setting) -> bool:
    """Return whether hypotheses exclude each other: on one variable, or on the sign of one expression.

    Examples
    --------
    >>> from toymodels.derive import Derivation
    >>> D = Derivation("two cases")
    >>> x = D.scalar("x", positive=True)
    >>> contradictory(D.setting.with_hypotheses(Hypothesis(x, "<=", sp.S.Zero)))
    True
    """
    found: dict[sp.Symbol, Interval] = {}
    for h in setting.hypotheses:
        try:
            symbol, half_line = _half_line(h)
            found[symbol] = found.get(symbol) or _declared(setting, symbol)
        except NotApplicable:
            continue
        found[symbol] &= half_line
    return any(interval.is_empty for interval in found.values()) or not all(_signs(setting.hypotheses))


def _signs(hypotheses: Sequence[Hypothesis]) -> Iterator[set[int]]:
    """Return the signs that each difference of sides may have under all hypotheses on it."""
    for h in hypotheses:
        base = sp.expand(h.left - h.right).primitive()[1]
        signs = {-1, 0, 1}
        for other in hypotheses:
            gap = sp.expand(other.left - other.right).primitive()[1]
            if gap in (base, -base):
                signs &= {s for s in signs if COMPARE[other.relation](s if gap == base else -s, 0)}
        yield signs


def bounded(
    difference: sp.Expr,
    setting: Setting,
    strict: bool,
    decide: Callable[[sp.Expr, dict[sp.Symbol, Domain]], Verdict],
) -> Verdict:
    """Decide difference >= 0 (or > 0) on open domains, and at the ends that belong to them.

    Parameters
    ----------
    difference : scalar expression
    setting : Setting
    strict : bool
    decide : callable
        Takes the difference and the open domains of its symbols.
    """
    found = intervals(setting, difference)
    if any(x.low >= x.high for x in found.values()):
        raise NotApplicable("a variable has no room")
    moved: dict[sp.Symbol, sp.Expr] = {}
    open_domains: dict[sp.Symbol, Domain] = {}
    for symbol, interval in found.items():
        u = sp.Symbol(str(symbol), real=True)
        value, domain = interval.coordinate(u)
        moved |= {} if value == u else {symbol: value}
        open_domains[symbol if value == u else u] = domain
    verdict = decide(difference.xreplace(moved), open_domains)
    if verdict.refuted and verdict.counterexample is not None:
        _move_back(verdict.counterexample, moved)
    if not verdict.holds:
        return verdict
    verdict.why += ", in coordinates from the ends of the domain" if moved else ""
    closed = {symbol: interval.closed_ends for symbol, interval in found.items() if interval.closed_ends}
    if closed and (strict or is_piecewise(difference)):
        return _at_ends(difference, closed, len(found), strict) or verdict
    return verdict


def _move_back(counterexample: Counterexample, moved: dict[sp.Symbol, sp.Expr]) -> None:
    """Write a counterexample in the letters of the step, exactly."""
    for symbol, value in moved.items():
        (u,) = value.free_symbols
        place = sp.Rational(counterexample.values[str(symbol)])
        counterexample.values[str(symbol)] = str(value.subs(u, place))


def _at_ends(
    difference: sp.Expr, closed: dict[sp.Symbol, list[sp.Rational]], variables: int, strict: bool
) -> Verdict | None:
    """Refute at an end that belongs to the interval of the one variable, or return None."""
    if variables > 1:
        raise NotApplicable("the domain is closed, and several variables have ends")
    ((symbol, ends),) = closed.items()
    for end in ends:
        value = difference.subs(symbol, end)
        if value.is_positive if strict else value.is_nonnegative:
            continue
        if value.is_nonpositive if strict else value.is_negative:
            counterexample = Counterexample({str(symbol): str(end)}, "0", str(value))
            why = "it fails at an end of the domain"
            return Verdict(Outcome.refuted, Evidence.exact, why, cases=1, counterexample=counterexample)
        raise NotApplicable(f"its sign at {symbol} = {end} is not known")
    return None
