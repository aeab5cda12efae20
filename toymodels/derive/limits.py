"""Limits, and equations that hold up to an order."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from toymodels.arithmetic import systems
from toymodels.derive.analytic import turning_node
from toymodels.derive.domains import domains
from toymodels.derive.evaluate import Evaluator
from toymodels.derive.expressions import Matrix, zeros
from toymodels.derive.lines import Step
from toymodels.derive.plain import plain
from toymodels.derive.scalars import letters
from toymodels.derive.setting import Setting
from toymodels.evidence.algebra import NOT_HERE, NotApplicable
from toymodels.evidence.limits import limit_by_digits
from toymodels.evidence.plan import Plan
from toymodels.evidence.statement import draw_until_accepted
from toymodels.evidence.symbolic import limit_by_symbols
from toymodels.evidence.verdict import Evidence, Outcome, Verdict, undecided
from toymodels.spaces.source import RandomFloats

SECONDS = 3.0
DRAWS = {"quick": 1, "normal": 3, "deep": 10}
"""Random values of the other letters at which a limit is computed in digits."""


def decide_limit(step: Step, plan: Plan) -> Verdict:
    """Decide whether the left side approaches the right side."""
    assert step.approach is not None
    variable, point, side = step.approach
    return _limit(step.left, step.right, variable, point, side, step.setting, plan)


def decide_order(step: Step, plan: Plan) -> Verdict:
    """Decide whether the sides differ by terms of the order or higher only."""
    assert step.order is not None
    variable, power = step.order
    difference = step.left - step.right
    turning = turning_node(difference, variable)
    if turning is not None:
        return undecided(f"{turning} is not analytic at {variable} = 0, so a limit does not tell the order")
    # analytic sides differ by O(x^k) exactly where the difference over x^(k-1) goes to 0
    quotient = difference / variable ** (sp.sympify(power) - 1)
    side = "+" if variable.is_nonnegative else "+-"
    nothing = zeros(*quotient.shape) if isinstance(quotient, Matrix) else sp.S.Zero
    verdict = _limit(quotient, nothing, variable, sp.S.Zero, side, step.setting, plan)
    verdict.why = f"the difference over {variable}^{sp.sympify(power) - 1} goes to 0: {verdict.why}"
    return verdict


def _limit(
    left: Any, right: Any, variable: Any, point: Any, side: str, setting: Setting, plan: Plan
) -> Verdict:
    skipped: dict[str, str] = {}
    rungs = {
        "symbolic": lambda: _by_symbols(left, right, variable, point, side, setting),
        "digits": lambda: _by_digits(left, right, variable, point, side, setting, plan),
    }
    for name, rung in rungs.items():
        try:
            verdict = rung()
        except (NotApplicable, *NOT_HERE) as reason:
            skipped[name] = str(reason)
            continue
        verdict.skipped = skipped
        return verdict
    reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
    return undecided(f"no way decides the limit ({reasons})", skipped=skipped)


def _by_symbols(left: Any, right: Any, variable: Any, point: Any, side: str, setting: Setting) -> Verdict:
    left, right = plain(left, setting), plain(right, setting)
    others = {x: d for x, d in domains(setting, left, right, point).items() if x != variable}
    return limit_by_symbols(left, variable, point, side, right, others, SECONDS)


def _by_digits(
    left: Any, right: Any, variable: Any, point: Any, side: str, setting: Setting, plan: Plan
) -> Verdict:
    """Follow the left side towards the point, at random values of every other letter."""
    if variable in letters(right):
        raise NotApplicable("the limit depends on what approaches")
    held: dict[str, Evaluator] = {}

    def keep(evaluator: Evaluator) -> Any:
        held["now"] = evaluator
        return evaluator.run(right) if not isinstance(right, Matrix) else 0

    statement = setting.statement((left, right), keep)
    drawer = RandomFloats(plan.rng())
    verdicts = []
    for _ in range(DRAWS[plan.effort]):
        case = draw_until_accepted(statement, drawer, systems.digits(60), largest=3)
        verdict = _along(left, right, variable, point, side, held["now"])
        if verdict.refuted:
            if verdict.counterexample is not None:
                shown = {k: v for k, v in case.printed().items() if k != str(variable)}
                verdict.counterexample.values = {**shown, **verdict.counterexample.values}
            return verdict
        verdicts.append(verdict)
    why = f"{verdicts[0].why} at {len(verdicts)} random values of the other letters"
    others = letters(left) - {variable}
    return Verdict(Outcome.holds, Evidence.digits, why if others else verdicts[0].why, cases=len(verdicts))


def _along(left: Any, right: Any, variable: Any, point: Any, side: str, fixed: Evaluator) -> Verdict:
    """Decide the limit with all letters but one held fixed; of a matrix, entry by entry."""

    def number(expression: Any, place: Any, context: Any, moved: dict[Any, Any]) -> Any:
        value = _at(fixed, context, moved).run(expression)
        return context.mpf(value[place] if place is not None else value)

    def entry(place: Any, x: Any) -> Any:
        return number(left, place, x.context, {variable: x})

    for place in _places(left, fixed):
        verdict = limit_by_digits(
            partial(entry, place),
            _target(point, lambda context: number(point, None, context, {})),
            side,
            _target(right, lambda context, place=place: number(right, place, context, {})),
        )
        if verdict.refuted:
            break
    return verdict


def _places(left: Any, fixed: Evaluator) -> list[Any]:
    """The entries of a matrix, or None alone for a scalar."""
    if not isinstance(left, Matrix):
        return [None]
    rows, cols = (int(fixed.run(n)) for n in left.shape)
    return list(np.ndindex(rows, cols))


def _target(expression: Any, value: Any) -> Any:
    """What `limit_by_digits` takes for a point or limit: infinite floats, or a callable of the context."""
    if expression in (sp.oo, -sp.oo):
        return float("inf") if expression == sp.oo else -float("inf")
    return value


def _at(fixed: Evaluator, context: Any, moved: dict[Any, Any]) -> Evaluator:
    """Return the evaluator with its numbers in another precision."""
    system = systems.System(
        "digits",
        lambda x: context.mpf(Fraction(x).numerator) / Fraction(x).denominator,
        lambda x: True,
        False,
        True,
    )
    values = {letter: _converted(value, context) for letter, value in fixed.values.items()}
    return Evaluator({**values, **moved}, system, fixed.flow, fixed.steps, fixed.constants)


def _converted(value: Any, context: Any) -> Any:
    """Return a drawn value as numbers of another context, exactly."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        result = np.empty(value.size, dtype=object)
        result[:] = [context.mpf(x) if hasattr(x, "context") else x for x in value.flat]
        return result.reshape(value.shape)
    return context.mpf(value) if hasattr(value, "context") else value
