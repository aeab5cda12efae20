"""The rungs of an equation: words, exact draws cell by cell, computer algebra, digits."""

from __future__ import annotations

from typing import Any

import sympy as sp

from toymodels.derive.calculus import Integral, ScalarExpectation
from toymodels.derive.domains import contradictory, domains, intervals
from toymodels.derive.pieces import pieces
from toymodels.derive.plain import plain
from toymodels.derive.refute import among_small_rationals, at_kinks, exact_objective
from toymodels.derive.setting import Setting, is_piecewise
from toymodels.evidence import Evidence, Outcome, Verdict
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.ladder import decide_identity
from toymodels.evidence.plan import Plan

SYMBOLIC_SECONDS = 2.0
QUADRATURE_DIGITS = 25
"""Digits to which integrals are compared, where each costs many evaluations."""


def decide_equation(left: Any, right: Any, setting: Setting, plan: Plan) -> Verdict:
    """Decide left = right, in every piece where they are piecewise."""
    if is_piecewise(left, right):
        return _piecewise_equation(left, right, setting, plan)
    statement = setting.statement((left, right))
    drawn = setting.generic().statement((left, right)) if setting.hypotheses else None
    digits = QUADRATURE_DIGITS if _has_quadrature(left, right) else 50
    return decide_identity(statement, plan, drawn, lambda: _by_symbols(left, right, setting), digits)


def _has_quadrature(*expressions: Any) -> bool:
    return any(e.has(Integral, ScalarExpectation) for e in expressions)


def _piecewise_equation(left: Any, right: Any, setting: Setting, plan: Plan) -> Verdict:
    """Decide an identity cell by cell; a kink, or a cell that no draw meets, may still break it."""
    cells: set[bytes] = set()
    statement = setting.statement((left, right))
    paired = setting.statement((left, right), paired=True, cells=cells)
    digits = QUADRATURE_DIGITS if _has_quadrature(left, right) else 50
    verdict = decide_identity(statement, plan, paired, lambda: _by_symbols(left, right, setting), digits)
    if not (verdict.holds and verdict.evidence is Evidence.exact):
        return verdict
    try:
        refuted = among_small_rationals(statement, exact_objective("=")[0], plan)
    except NotApplicable:
        refuted = None
    if refuted is not None:
        return refuted
    try:
        return at_kinks(left, right, "=", setting)
    except NotApplicable:
        pass
    try:
        return _by_equal_pieces(plain(left - right, setting), setting, plan)
    except NotApplicable:
        met = "the only cell" if len(cells) == 1 else f"the {len(cells)} cells"
        verdict.why = f"in {met} that the draws met, {verdict.why}"
        return verdict


def _by_equal_pieces(difference: Any, setting: Setting, plan: Plan) -> Verdict:
    """Prove that a piecewise scalar vanishes in each of its pieces."""
    parts = pieces(difference)
    for part, hypotheses in parts:
        inside = setting.with_hypotheses(*hypotheses)
        if part == 0 or contradictory(inside) or _vanishes_at_the_one_point(part, inside):
            continue
        verdict = decide_identity(setting.generic().statement((part, sp.S.Zero)), plan)
        if not (verdict.holds and verdict.evidence is Evidence.proved):
            raise NotApplicable("a piece is not proved")
    return Verdict(
        Outcome.holds, Evidence.proved, f"identity in each of its {len(parts)} pieces", cases=len(parts)
    )


def _vanishes_at_the_one_point(part: sp.Expr, inside: Setting) -> bool:
    """Whether a piece of one variable is a point, and vanishes there."""
    found = intervals(inside, part)
    if len(found) != 1:
        return False
    ((symbol, interval),) = found.items()
    return bool(interval.low == interval.high and part.subs(symbol, sp.Rational(interval.low)) == 0)


def _by_symbols(left: Any, right: Any, setting: Setting) -> Verdict:
    from toymodels.evidence.symbolic import by_symbols

    if isinstance(left, Integral):
        return _by_antiderivative(left, right, setting)
    left, right = plain(left, setting), plain(right, setting)
    return by_symbols(left, right, domains(setting, left, right), SYMBOLIC_SECONDS)


def _by_antiderivative(left: Integral, right: Any, setting: Setting) -> Verdict:
    """Decide an integral up to a letter: the right side differentiates back and starts at 0."""
    of, by, low, high = left.args
    if not isinstance(high, sp.Symbol) or high in of.free_symbols | low.free_symbols or low.is_infinite:
        raise NotApplicable("the upper end of the integral is no letter of its own")
    right = plain(right, setting)
    slope = _by_symbols(sp.diff(right, high), plain(of, setting).xreplace({by: high}), setting)
    start = _by_symbols(right.xreplace({high: low}), sp.S.Zero, setting)
    if not (slope.holds and start.holds):
        raise NotApplicable("the right side does not differentiate back to the integrand")
    slope.why = f"the right side vanishes at {high} = {low} and differentiates back: {slope.why}"
    return slope
