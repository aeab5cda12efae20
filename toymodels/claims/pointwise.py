"""Kinds decided case by case: identities and inequalities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toymodels.claims.claim import claim_decorator
from toymodels.evidence import ladder
from toymodels.evidence.judge import bound_parts, conserved_parts, need_series, searched
from toymodels.evidence.plan import Plan
from toymodels.evidence.statement import Statement
from toymodels.evidence.verdict import Verdict
from toymodels.validation import one_of


def decide_identity(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Climb the rungs: words, exact draws, digits, floats within their budget."""
    return ladder.decide_identity(statement, plan)


def decide_bound(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Search for left > right beyond rounding."""
    return searched(statement, plan, "left <= right", bound_parts)


def decide_conserved(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Search for a run along which the series leaves its first value by more than its error."""
    return searched(statement, plan, "constant within the error budget", conserved_parts)


def decide_monotone(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Search for a run along which the series moves the wrong way by more than its error."""
    direction = one_of("direction", options.get("direction", "decreasing"), ("decreasing", "increasing"))
    sign = -1 if direction == "increasing" else 1

    def parts(series: Any) -> tuple[float, float, float]:
        need_series(series)
        later, earlier = series[1:] * sign, series[:-1] * sign
        score, margin, _ = bound_parts((later, earlier))
        return score, margin, math.nan

    return searched(statement, plan, "monotone within the error budget", parts)


identity = claim_decorator("identity", decide_identity)
bound = claim_decorator("bound", decide_bound)
conserved = claim_decorator("conserved", decide_conserved)
monotone = claim_decorator("monotone", decide_monotone, ("direction",))
