"""Whether slips of a step are caught: a check that passes them too had nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import sympy as sp

from toymodels.arithmetic import systems
from toymodels.derive.expressions import Matrix, ones
from toymodels.derive.lines import Step
from toymodels.derive.mutants import mutants
from toymodels.derive.refute import SIGNS, exact_objective, float_objective, plain_objective
from toymodels.errors import InputError, LeftArithmetic
from toymodels.evidence import Verdict, algebra, search
from toymodels.evidence.algebra import NOT_HERE, NotApplicable
from toymodels.evidence.plan import CASES, Plan
from toymodels.evidence.sides import Vacuous
from toymodels.spaces.source import Rejected

MOST_MUTANTS = 12


def some_slip_fails(step: Step, plan: Plan, decide: Callable[[Step, Plan], Verdict]) -> bool:
    """Whether at least one mutant of the step is refuted."""
    quick = replace(plan, effort="quick", cases=CASES["quick"], readable=False)
    if step.relation in SIGNS and _is_refuted(replace(step, left=step.right, right=step.left), quick, decide):
        return True
    if step.relation == "->":
        return decide(replace(step, right=_shifted(step.right)), quick).refuted
    if step.order is not None:
        variable, power = step.order
        slip = variable ** (sp.sympify(power) - 1)
        slip = slip * ones(*step.left.shape) if isinstance(step.left, Matrix) else slip
        return decide(replace(step, left=step.left + slip), quick).refuted
    for side in ("right", "left"):
        for mutant in islice(mutants(getattr(step, side)), MOST_MUTANTS):
            slip = replace(step, **{side: mutant})
            if _is_refuted(slip, quick, decide):
                return True
    return False


def _shifted(limit: Any) -> Any:
    """Another limit."""
    if isinstance(limit, Matrix):
        return limit + ones(*limit.shape)
    return sp.S.Zero if limit in (sp.oo, -sp.oo) else limit + 1


def _is_refuted(step: Step, plan: Plan, decide: Callable[[Step, Plan], Verdict]) -> bool:
    """Whether a slip is refuted: exactly, in floats beyond their budget, plainly in floats, or by symbols."""
    statement = step.setting.statement((step.left, step.right))
    for objective, system in (
        exact_objective(step.relation),
        (float_objective(step.relation), systems.MEASURED),
        (plain_objective(step.relation), systems.FLOATS),
    ):
        try:
            found = search.hunt(statement, objective, plan.cases, plan.seed, system, shrinks=0)
        except (*NOT_HERE, Rejected, Vacuous, LeftArithmetic, ZeroDivisionError):
            continue
        if found.broken is not None:
            return True
        if found.cases:
            return False
    try:
        return algebra.by_digits(statement, plan.rng(), 1, digits=10).refuted
    except (InputError, ZeroDivisionError):
        return False
    except NotApplicable:
        return step.relation == "=" and _is_refuted_by_symbols(step, plan, decide)


def _is_refuted_by_symbols(step: Step, plan: Plan, decide: Callable[[Step, Plan], Verdict]) -> bool:
    """Whether computer algebra refutes a slip with functions that no arithmetic has, such as Ei."""
    try:
        return decide(step, plan).refuted
    except (*NOT_HERE, ZeroDivisionError):
        return False
