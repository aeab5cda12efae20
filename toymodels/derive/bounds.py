"""The rungs of an inequality: slack, form, pieces, quadratic form, Sturm, enclosure, adversarial search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from toymodels.derive.domains import bounded, contradictory
from toymodels.derive.equations import decide_equation
from toymodels.derive.lines import Step
from toymodels.derive.pieces import pieces
from toymodels.derive.plain import plain
from toymodels.derive.positivity import nonnegative, positive
from toymodels.derive.refute import SIGNS, among_small_rationals, at_kinks, exact_objective
from toymodels.derive.setting import Setting, is_piecewise
from toymodels.evidence import Evidence, Outcome, Verdict
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.judge import bound_parts, searched
from toymodels.evidence.plan import Plan
from toymodels.evidence.quadratic import by_quadratic_form


def decide_bound(step: Step, plan: Plan) -> Verdict:
    """Decide left <= right: slack, Sturm, enclosure, a form that shows it, adversarial search."""
    left, right = (step.left, step.right) if SIGNS[step.relation] > 0 else (step.right, step.left)
    strict = step.relation in ("<", ">")
    skipped: dict[str, str] = {}
    rungs: dict[str, Callable[[], Verdict]] = {
        "slack": lambda: _by_slack(step, left, right, plan),
        "counterexample": lambda: _quickly_refuted(step.setting, left, right, strict, plan),
        "kinks": lambda: at_kinks(left, right, "<" if strict else "<=", step.setting),
        "form": lambda: _by_form(right - left, step.setting, strict),
        "pieces": lambda: _by_pieces(plain(right - left, step.setting), step.setting, strict),
        "quadratic form": lambda: by_quadratic_form(plain(right - left, step.setting), strict),
        "Sturm": lambda: _by_sturm(plain(right - left, step.setting), step.setting, strict),
        "enclosure": lambda: _by_enclosure(plain(right - left, step.setting), step.setting, strict),
    }
    for name, rung in rungs.items():
        try:
            verdict = rung()
        except NotApplicable as reason:
            skipped[name] = str(reason)
            continue
        verdict.skipped = skipped
        return verdict
    statement = step.setting.statement((left, right))
    return searched(statement, plan, "left < right" if strict else "left <= right", bound_parts, skipped)


def _by_slack(step: Step, left: Any, right: Any, plan: Plan) -> Verdict:
    if step.slack is None:
        raise NotApplicable("no slack is named")
    if not nonnegative(step.slack, step.setting):
        raise NotApplicable(f"the slack {step.slack} is not non-negative by form")
    verdict = decide_equation(right - left, step.slack, step.setting, plan)
    if not verdict.holds:
        raise NotApplicable("the slack is not the difference of the sides")
    verdict.why = f"difference is the slack, non-negative by form ({verdict.why})"
    return verdict


def _quickly_refuted(setting: Setting, left: Any, right: Any, strict: bool, plan: Plan) -> Verdict:
    """Look for a counterexample in small rationals; not finding one decides nothing."""
    refuted = among_small_rationals(
        setting.statement((left, right)), exact_objective("<" if strict else "<=")[0], plan
    )
    if refuted is None:
        raise NotApplicable("none found among small rationals")
    return refuted


def _by_form(difference: Any, setting: Setting, strict: bool) -> Verdict:
    """See whether the difference, as it stands or factored, is a sum of non-negative terms."""
    test = positive if strict else nonnegative
    forms = [lambda: difference, lambda: sp.expand(difference), lambda: sp.factor(plain(difference, setting))]
    if any(test(form(), setting) for form in forms):
        return Verdict(Outcome.holds, Evidence.proved, "the difference is non-negative by form", cases=1)
    raise NotApplicable("the difference has no non-negative form")


def _by_pieces(difference: Any, setting: Setting, strict: bool) -> Verdict:
    """Decide each piece of a piecewise bound by its form or by Sturm's theorem."""
    if not is_piecewise(difference):
        raise NotApplicable("it has no pieces")
    parts = pieces(difference)
    for part, hypotheses in parts:
        inside = setting.with_hypotheses(*hypotheses)
        if contradictory(inside):
            continue
        try:
            _by_form(part, inside, strict)
        except NotApplicable:
            if not _by_sturm(part, inside, strict).holds:
                raise NotApplicable("a piece is not decided") from None
    why = f"in each of its {len(parts)} pieces the difference is non-negative by form or by Sturm"
    return Verdict(Outcome.holds, Evidence.proved, why, cases=len(parts))


def _by_sturm(difference: Any, setting: Setting, strict: bool) -> Verdict:
    from toymodels.evidence.sturm import by_sturm

    if len(difference.free_symbols) != 1:
        raise NotApplicable(f"{len(difference.free_symbols)} variables")
    return bounded(difference, setting, strict, lambda d, found: by_sturm(d, *found.popitem(), strict))


def _by_enclosure(difference: Any, setting: Setting, strict: bool) -> Verdict:
    from toymodels.derive.enclosing import enclose

    return bounded(difference, setting, strict, lambda d, found: enclose(d, found, strict))
