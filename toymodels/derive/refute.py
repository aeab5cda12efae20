"""Break a relation: how badly a case breaks it, small rationals first, kinks of piecewise functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from toymodels.arithmetic import systems
from toymodels.derive.domains import intervals
from toymodels.derive.pieces import probes
from toymodels.derive.plain import plain
from toymodels.derive.setting import Setting, is_piecewise
from toymodels.evidence import Evidence, Outcome, Verdict, search
from toymodels.evidence.algebra import NOT_HERE, NotApplicable
from toymodels.evidence.judge import bound_parts, counterexample_of, identity_parts
from toymodels.evidence.plan import Plan
from toymodels.evidence.sides import exactly_equal
from toymodels.evidence.verdict import Counterexample

SMALL_CASES = 60
"""Cases of small rationals that look for a counterexample."""
PLAIN = 1e-3
"""Relative difference that no rounding explains."""
SIGNS = {"<=": 1, "<": 1, ">=": -1, ">": -1}


def exact_objective(relation: str) -> tuple[Callable[[Any], float], systems.System]:
    """Return how badly an exact case breaks the relation."""

    def score(case: Any) -> float:
        a, b = case.result
        if relation == "=":
            return -1.0 if exactly_equal(a, b) else 1.0
        a, b = (a, b) if SIGNS[relation] > 0 else (b, a)
        return 1.0 if (a >= b if relation in ("<", ">") else a > b) else -1.0

    return score, systems.FRACTIONS


def float_objective(relation: str) -> Callable[[Any], float]:
    """Return how far a case in floats breaks the relation beyond its error budget."""

    def score(case: Any) -> float:
        a, b = case.result
        if relation == "=":
            return identity_parts((a, b))[0]
        return bound_parts((a, b) if SIGNS[relation] > 0 else (b, a))[0]

    return score


def plain_objective(relation: str) -> Callable[[Any], float]:
    """Return an objective for floats without budget: broken where the sides differ in their first digits."""

    def score(case: Any) -> float:
        a, b = (np.asarray(side, dtype=float) for side in case.result)
        gap = abs(a - b) if relation == "=" else (a - b) * SIGNS[relation]
        return float(np.max(gap - PLAIN * (1 + abs(a) + abs(b))))

    return score


def among_small_rationals(statement: Any, objective: Callable[[Any], float], plan: Plan) -> Verdict | None:
    """Return the smallest case of small rationals that breaks the statement, small sizes first."""
    for largest in (1, 2, 3):
        ranges = {name: (low, max(low, min(high, largest))) for name, (low, high) in statement.ranges.items()}
        small = replace(statement, ranges=ranges)
        cases = SMALL_CASES if largest == 3 or not ranges else SMALL_CASES // 3
        try:
            found = search.explore(
                small, objective, cases, plan.seed, systems.FRACTIONS, largest, plan.shrinks
            )
        except NOT_HERE as error:
            raise NotApplicable(str(error)) from error
        if found.broken is not None:
            return Verdict(
                Outcome.refuted,
                Evidence.exact,
                "exact arithmetic shows a case that breaks it",
                cases=found.cases,
                counterexample=counterexample_of(found.broken),
            )
        if not ranges:
            return None
    return None


def at_kinks(left: Any, right: Any, relation: str, setting: Setting) -> Verdict:
    """Refute a relation of one variable at its kinks, or between them."""
    sides = [plain(side, setting) for side in (left, right)]
    found = intervals(setting, *sides)
    if len(found) != 1 or not is_piecewise(*sides):
        raise NotApplicable("it is no piecewise function of one variable")
    ((symbol, interval),) = found.items()
    for point in probes(sides[0] - sides[1], symbol):
        gap = (sides[0] - sides[1]).subs(symbol, point)
        fails = {"=": gap.is_nonzero, "<=": gap.is_positive, "<": gap.is_nonnegative}[relation]
        if fails and point in interval:
            values = [str(side.subs(symbol, point)) for side in sides]
            counterexample = Counterexample({str(symbol): str(point)}, *values)
            why = "exact arithmetic shows a case that breaks it"
            return Verdict(Outcome.refuted, Evidence.exact, why, cases=1, counterexample=counterexample)
    raise NotApplicable("it holds at its kinks")
