"""Kinds decided case by case: identities and inequalities."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from toymodels.arithmetic import systems
from toymodels.arithmetic.measured import Measured
from toymodels.claims.claim import Plan, claim_decorator
from toymodels.errors import InputError
from toymodels.evidence import algebra, search, sides
from toymodels.evidence.algebra import NOT_HERE, NotApplicable
from toymodels.evidence.statement import Case, Statement, draw_until_accepted
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict, undecided
from toymodels.spaces.source import RandomFloats
from toymodels.validation import one_of

SIZES = {"quick": 3, "normal": 8, "deep": 40}
"""Random sizes that exact evidence tries."""
MOST_EVALUATIONS = 400
"""Evaluations that sharpening may spend on each of the worst cases."""
DIGIT_POINTS = {"quick": 2, "normal": 5, "deep": 40}


def decide_identity(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Climb the rungs: words, exact draws, digits, floats within their budget."""
    skipped: dict[str, str] = {}
    rungs: dict[str, Callable[[], Verdict]] = {
        "words": lambda: algebra.by_words(statement),
        "exact": lambda: algebra.by_exact_draws(statement, plan.rng(), SIZES[plan.effort]),
        "digits": lambda: algebra.by_digits(statement, plan.rng(), DIGIT_POINTS[plan.effort]),
    }
    for name, rung in rungs.items():
        try:
            verdict = rung()
        except NotApplicable as reason:
            skipped[name] = str(reason)
            continue
        if verdict.refuted:
            verdict.counterexample = _smallest(statement, plan, name)
        verdict.skipped = skipped
        return verdict
    try:
        return _searched(statement, plan, "equal within the error budget", _identity_parts, skipped)
    except NOT_HERE as error:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in {**skipped, "floats": error}.items())
        return undecided(f"no arithmetic decides it ({reasons})", skipped=skipped)


def _smallest(statement: Statement, plan: Plan, rung: str) -> Counterexample | None:
    """Shrink a refutation to small rationals (or floats, for analytic statements)."""
    if rung == "exact":
        system, objective = systems.FRACTIONS, _differs
    else:
        system, objective = systems.MEASURED, lambda case: _identity_parts(case.result)[0]
    for largest in (1, 2, 3) if plan.shrinks else ():
        ranges = {name: (low, max(low, min(high, largest))) for name, (low, high) in statement.ranges.items()}
        small = replace(statement, ranges=ranges)
        try:
            found = search.explore(small, objective, 10, plan.seed, system, largest, plan.shrinks)
        except NOT_HERE:
            return None
        if found.broken is not None:
            return _counterexample(found.broken)
    return None


def _differs(case: Case) -> float:
    left, right = case.result
    return -1.0 if sides.exactly_equal(left, right) else 1.0


def _counterexample(case: Case) -> Counterexample:
    result = case.result if isinstance(case.result, tuple) else (case.result,)
    left, right = (result[0], result[1]) if len(result) > 1 else (result[0], "")
    return Counterexample(case.printed(), sides.show(left), sides.show(right))


Parts = Callable[[Any], tuple[float, float, float]]
"""From a result to (score, margin, tightness); a positive score breaks the statement."""


def _identity_parts(result: Any) -> tuple[float, float, float]:
    left, right = result
    if not sides.has_budget(left, right):
        raise InputError("an identity in floats must return measured sides: toymodels.arithmetic.measured")
    gap, budget = sides.gaps(left, right)
    if np.isnan(gap).any():
        return _not_a_number(gap, budget)
    judged = np.isfinite(budget)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(judged & (gap > 0), gap / budget, 0.0)
    # an entry without a budget can refute nothing, and without it nothing holds
    score = ratio.max() - 1 if judged.all() or ratio.max() > 1 else math.nan
    return float(score), float((budget - gap).min()), float(ratio.max())


def _not_a_number(gap: np.ndarray, budget: np.ndarray) -> tuple[float, float, float]:
    """Judge a nan: undefined where the budget blew up as well (0/0 of the statement), else a failure."""
    undefined = not np.isfinite(budget[np.isnan(gap)]).any()
    return (math.nan if undefined else 1.0), -math.inf, math.inf


def _bound_parts(result: Any) -> tuple[float, float, float]:
    left, right = result
    over = sides.excess(left, right)
    if np.isnan(over).any():
        return 1.0, -math.inf, math.inf
    ratios = [
        _values(a) / _values(b)
        for a, b in sides.pairs(left, right)
        if np.all(np.broadcast_to(_values(b), np.shape(_values(a) + _values(b))) > 0)
    ]
    tight = max((float(np.max(ratio)) for ratio in ratios), default=math.nan)
    scale = max(float(np.max(abs(_values(x)))) for pair in sides.pairs(left, right) for x in pair)
    return float(over.max()) / (scale or 1.0), -float(over.max()), tight


def _values(x: Any) -> np.ndarray:
    return x.value if isinstance(x, Measured) else np.asarray(x, dtype=float)


def _conserved_parts(result: Any) -> tuple[float, float, float]:
    return _identity_parts((result[1:], _first_repeated(result)))


def _first_repeated(series: Any) -> Any:
    _need_series(series)
    return series[:1] + 0 * series[1:]


def _need_series(series: Any) -> None:
    if not np.shape(_values(series)) or len(series) < 2:
        raise InputError("a series along a run needs time on its first axis and at least two entries")


def _searched(
    statement: Statement, plan: Plan, words: str, parts: Parts, skipped: dict[str, str] | None = None
) -> Verdict:
    """Search floats adversarially, with the error budget where the statement carries it."""
    skipped = skipped or {}
    system = _float_system(statement, plan)
    tightness = math.nan

    def objective(case: Case) -> float:
        nonlocal tightness
        score, _, tight = parts(case.result)
        tightness = float(np.fmax(tight, tightness))
        return score

    found = search.hunt(statement, objective, plan.cases, plan.seed, system, plan.shrinks)
    if found.broken is None and parts is not _identity_parts:
        found = search.sharpen(statement, objective, found, min(plan.cases // 2, MOST_EVALUATIONS), system)
    if found.broken is not None:
        return Verdict(
            Outcome.refuted,
            Evidence.sampled,
            "a case breaks it",
            cases=found.cases,
            counterexample=_counterexample(found.broken),
            skipped=skipped,
        )
    if found.worst is None:
        why = f"no case could be judged ({found.rejected})"
        return undecided(why, cases=found.cases, skipped=skipped)
    _, margin, _ = parts(found.worst.result)
    return Verdict(
        Outcome.holds,
        Evidence.sampled,
        f"{words} in {found.cases} adversarial cases",
        margin=margin,
        tightness=None if math.isnan(tightness) else tightness,
        cases=found.cases,
        worst=found.worst.printed(),
        skipped=skipped,
    )


def _float_system(statement: Statement, plan: Plan) -> systems.System:
    """Return measured arrays where the statement runs on them, plain floats otherwise."""
    try:
        draw_until_accepted(statement, RandomFloats(plan.rng()), systems.MEASURED)
    except NOT_HERE:
        return systems.FLOATS
    return systems.MEASURED


def decide_bound(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Search for left > right beyond rounding."""
    return _searched(statement, plan, "left <= right", _bound_parts)


def decide_conserved(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Search for a run along which the series leaves its first value by more than its error."""
    return _searched(statement, plan, "constant within the error budget", _conserved_parts)


def decide_monotone(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Search for a run along which the series moves the wrong way by more than its error."""
    direction = one_of("direction", options.get("direction", "decreasing"), ("decreasing", "increasing"))
    sign = -1 if direction == "increasing" else 1

    def parts(series: Any) -> tuple[float, float, float]:
        _need_series(series)
        later, earlier = series[1:] * sign, series[:-1] * sign
        score, margin, _ = _bound_parts((later, earlier))
        return score, margin, math.nan

    return _searched(statement, plan, "monotone within the error budget", parts)


identity = claim_decorator("identity", decide_identity)
bound = claim_decorator("bound", decide_bound)
conserved = claim_decorator("conserved", decide_conserved)
monotone = claim_decorator("monotone", decide_monotone, ("direction",))
