"""Inequalities between scalars, enclosed in balls: the step's own expression runs on them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import sympy as sp

from toymodels.arithmetic import systems
from toymodels.derive.evaluate import Evaluator
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.enclosure import MOST_VARIABLES, Zero, by_enclosure
from toymodels.evidence.verdict import Verdict
from toymodels.spaces import Domain

MOST_BOXES = 2000
"""Boxes looked at: about two seconds."""
CANDIDATES = (0, 1, -1, 2, -2, Fraction(1, 2), Fraction(-1, 2), 3, 4)
"""Where an inequality is looked at for equality, besides the ends of its domain."""


def enclose(difference: sp.Expr, domains: Mapping[sp.Symbol, Domain], strict: bool) -> Verdict:
    """Prove difference >= 0 (or > 0) on a box by branch and bound, or refute it.

    Raises
    ------
    NotApplicable
        When there are more than three variables, or the search does not end.
    """
    if not 1 <= len(domains) <= MOST_VARIABLES:
        raise NotApplicable(f"{len(domains)} variables")
    system = systems.balls()
    if system is None:
        raise NotApplicable("python-flint is not installed")
    symbols = list(domains)

    def gap(*values: Any) -> Any:
        return Evaluator(dict(zip(symbols, values, strict=True)), system).run(difference)

    zeros = _zeros(difference, symbols[0], domains[symbols[0]]) if len(symbols) == 1 else []
    named = {str(x): domain for x, domain in domains.items()}
    return by_enclosure(gap, named, strict, zeros, budget=MOST_BOXES)


def _zeros(difference: sp.Expr, symbol: sp.Symbol, domain: Domain) -> list[Zero]:
    """Return the points at which substitution alone shows that the difference vanishes."""
    ends: list[Any] = [Fraction(end) for end in (domain.low, domain.high) if abs(end) != float("inf")]
    points = [p for p in dict.fromkeys([*ends, *CANDIDATES]) if domain.low <= p <= domain.high]
    return [Zero(p, partial(_at, difference, symbol, p)) for p in points if _at(difference, symbol, p, 0)]


def _at(difference: sp.Expr, symbol: sp.Symbol, point: Any, order: int) -> bool:
    exact = sp.Rational(Fraction(point).numerator, Fraction(point).denominator)
    return sp.diff(difference, symbol, order).subs(symbol, exact) == 0
