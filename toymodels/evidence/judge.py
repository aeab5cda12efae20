"""Judge cases in floats: how close each comes to breaking a relation, with its error budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from toymodels.arithmetic import systems
from toymodels.arithmetic.measured import Measured
from toymodels.errors import InputError
from toymodels.evidence import search, sides
from toymodels.evidence.algebra import NOT_HERE
from toymodels.evidence.plan import Plan
from toymodels.evidence.statement import Case, Statement, draw_until_accepted
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict, undecided
from toymodels.spaces.source import RandomFloats

MOST_EVALUATIONS = 400
"""Evaluations that sharpening may spend on each of the worst cases."""


def counterexample_of(case: Case) -> Counterexample:
    """Return a case as a counterexample: its variables and two sides, printed."""
    result = case.result if isinstance(case.result, tuple) else (case.result,)
    left, right = (result[0], result[1]) if len(result) > 1 else (result[0], "")
    return Counterexample(case.printed(), sides.show(left), sides.show(right))


Parts = Callable[[Any], tuple[float, float, float]]
"""From a result to (score, margin, tightness); a positive score breaks the statement."""


def identity_parts(result: Any) -> tuple[float, float, float]:
    """Return score, margin and tightness of an equality within the error budgets of its sides."""
    left, right = result
    if not sides.has_budget(left, right):
        raise InputError("an identity in floats must return measured sides: toymodels.arithmetic.measured")
    gap, budget = sides.gaps(left, right)
    if np.isnan(gap).any():
        return _not_a_number(gap, budget)
    judged = np.isfinite(budget)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = np.where(judged & (gap > 0), gap / budget, 0.0)
        margin = float((budget - gap).min())
    # an entry without a budget can refute nothing, and without it nothing holds
    score = ratio.max() - 1 if judged.all() or ratio.max() > 1 else math.nan
    return float(score), margin, float(ratio.max())


def _not_a_number(gap: np.ndarray, budget: np.ndarray) -> tuple[float, float, float]:
    """Judge a nan: undefined where the budget blew up as well (0/0 of the statement), else a failure."""
    undefined = not np.isfinite(budget[np.isnan(gap)]).any()
    return (math.nan if undefined else 1.0), -math.inf, math.inf


def bound_parts(result: Any) -> tuple[float, float, float]:
    """Return score, margin and tightness of left <= right beyond rounding."""
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


def conserved_parts(result: Any) -> tuple[float, float, float]:
    """Return score, margin and tightness of a series that keeps its first value."""
    return identity_parts((result[1:], _first_repeated(result)))


def _first_repeated(series: Any) -> Any:
    need_series(series)
    return series[:1] + 0 * series[1:]


def need_series(series: Any) -> None:
    """Raise unless the values have time on their first axis, at least two of them."""
    if not np.shape(_values(series)) or len(series) < 2:
        raise InputError("a series along a run needs time on its first axis and at least two entries")


def searched(
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
    if found.broken is None and parts is not identity_parts:
        found = search.sharpen(statement, objective, found, min(plan.cases // 2, MOST_EVALUATIONS), system)
    if found.broken is not None:
        return Verdict(
            Outcome.refuted,
            Evidence.sampled,
            "a case breaks it",
            cases=found.cases,
            counterexample=counterexample_of(found.broken),
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
