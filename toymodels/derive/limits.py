"""Limits, and relations that hold up to an order."""

from __future__ import annotations

from toymodels.derive.lines import Step
from toymodels.evidence.plan import Plan
from toymodels.evidence.verdict import Verdict, undecided


def decide_limit(step: Step, plan: Plan) -> Verdict:
    """Decide whether the left side approaches the right side."""
    return undecided("limits are not decided yet")


def decide_order(step: Step, plan: Plan) -> Verdict:
    """Decide whether the sides agree up to the order of the step."""
    return undecided("orders are not decided yet")
