"""Climb the rungs of an identity: words, exact draws, digits, floats within their budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from toymodels.arithmetic import systems
from toymodels.evidence import algebra, search, sides
from toymodels.evidence.algebra import NOT_HERE, NotApplicable
from toymodels.evidence.judge import counterexample_of, identity_parts, searched
from toymodels.evidence.plan import Plan
from toymodels.evidence.search import Objective
from toymodels.evidence.statement import Case, Statement
from toymodels.evidence.verdict import Counterexample, Verdict, undecided

SIZES = {"quick": 3, "normal": 8, "deep": 40}
"""Random sizes that exact evidence tries."""
PLAIN_DIGITS = 8
"""Digits in which a counterexample differs where no error budget is at hand."""
DIGIT_POINTS = {"quick": 2, "normal": 5, "deep": 40}


Rung = Callable[[], Verdict]
"""Decides a statement, or raises NotApplicable."""


def decide_identity(
    statement: Statement,
    plan: Plan,
    drawn: Statement | None = None,
    symbolic: Rung | None = None,
    digits: int = 50,
) -> Verdict:
    """Climb the rungs: words, exact draws, symbols, digits, floats within their budget.

    Parameters
    ----------
    statement : Statement
        Returns the two sides.
    plan : Plan
    drawn : Statement, optional
        The same as exact draws should see it, where it has pieces.
    symbolic : callable, optional
        A rung of computer algebra.
    digits : int
        Digits to which transcendental sides must agree; they are computed with twice as many.
    """
    skipped: dict[str, str] = {}
    rungs: dict[str, Rung] = {
        "words": lambda: algebra.by_words(statement),
        "exact": lambda: algebra.by_exact_draws(
            drawn or statement, plan.rng(), SIZES[plan.effort], piecewise=drawn is not None
        ),
        **({"symbolic": symbolic} if symbolic else {}),
        "digits": lambda: algebra.by_digits(statement, plan.rng(), DIGIT_POINTS[plan.effort], digits),
    }
    for name, rung in rungs.items():
        try:
            verdict = rung()
        except NotApplicable as reason:
            skipped[name] = str(reason)
            continue
        if verdict.refuted:
            verdict.counterexample = _smallest(statement, plan, name) or verdict.counterexample
        verdict.skipped = skipped
        return verdict
    try:
        return searched(statement, plan, "equal within the error budget", identity_parts, skipped)
    except NOT_HERE as error:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in {**skipped, "floats": error}.items())
        return undecided(f"no arithmetic decides it ({reasons})", skipped=skipped)


def _smallest(statement: Statement, plan: Plan, rung: str) -> Counterexample | None:
    """Shrink a refutation to small rationals (or floats, for analytic statements)."""
    if rung == "exact":
        return _explored(statement, plan, systems.FRACTIONS, _differs)
    try:
        return _explored(statement, plan, systems.MEASURED, lambda case: identity_parts(case.result)[0])
    except NOT_HERE:  # integrals and expectations are computed in digits alone
        few = replace(plan, cases=0)
        return _explored(statement, few, systems.digits(2 * PLAIN_DIGITS), _differs_plainly)


def _explored(
    statement: Statement, plan: Plan, system: systems.System, objective: Objective
) -> Counterexample | None:
    for largest in (1, 2, 3) if plan.shrinks else ():
        ranges = {name: (low, max(low, min(high, largest))) for name, (low, high) in statement.ranges.items()}
        small = replace(statement, ranges=ranges)
        found = search.explore(small, objective, 10, plan.seed, system, largest, plan.shrinks)
        if found.broken is not None:
            return counterexample_of(found.broken)
    return None


def _differs_plainly(case: Case) -> float:
    left, right = case.result
    gaps = [
        abs(x - y) for a, b in sides.pairs(left, right) for x, y in zip(*sides.broadcast(a, b), strict=True)
    ]
    return 1.0 if max(gaps) > 10.0**-PLAIN_DIGITS else -1.0


def _differs(case: Case) -> float:
    left, right = case.result
    return -1.0 if sides.exactly_equal(left, right) else 1.0
