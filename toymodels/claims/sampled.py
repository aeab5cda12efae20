"""Kinds decided from sequences and samples: rates, limits, means, probabilities, predicates, witnesses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toymodels.arithmetic import rationals
from toymodels.arithmetic.measured import error_of, value_of
from toymodels.claims.claim import Plan, claim_decorator
from toymodels.errors import InputError
from toymodels.evidence import intervals, search, sides
from toymodels.evidence.statement import Case, Statement, draw_until_accepted
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict, undecided
from toymodels.spaces.source import RandomFloats

REPEATS = {"quick": 1, "normal": 2, "deep": 10}
"""Random cases of a statement about a whole sequence or sample."""


def _cases(statement: Statement, plan: Plan) -> list[Case]:
    drawer = RandomFloats(plan.rng())
    count = REPEATS[plan.effort] if statement.spaces else 1
    return [draw_until_accepted(statement, drawer) for _ in range(count)]


def _refuted(case: Case, why: str, left: Any, right: Any, count: int) -> Verdict:
    example = Counterexample(case.printed(), sides.show(left), sides.show(right))
    return Verdict(Outcome.refuted, Evidence.sampled, why, cases=count, counterexample=example)


def _floats(x: Any) -> np.ndarray:
    return np.asarray(value_of(x), dtype=float)


def decide_rate(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide a power law ``quantity ~ x**exponent`` from its last local slopes.

    The interval is the hull of the last three slopes after Richardson,
    widened by the last Richardson correction. It must contain the exponent
    and exclude every rival.
    """
    rivals = tuple(options.get("rivals", ()))
    cases = _cases(statement, plan)
    widest = 0.0
    for case in cases:
        x, quantity, exponent = case.result
        x, quantity, exponent = _floats(x), _floats(quantity), float(exponent)
        _need_sequence(x, quantity)
        raw, local = intervals.slopes(x, quantity), intervals.extrapolated_slopes(x, quantity)
        slack = abs(raw[-1] - local[-1])
        low, high = local[-3:].min() - slack, local[-3:].max() + slack
        widest = max(widest, high - low)
        shown = f"slope in [{low:.6g}, {high:.6g}]"
        if not np.isfinite([low, high]).all():
            return undecided("the local slopes are not finite", cases=len(cases))
        if not low <= exponent <= high:
            return _refuted(case, "the slopes exclude the exponent", shown, f"exponent {exponent:.6g}", len(cases))
        if any(low <= rival <= high for rival in rivals):
            return undecided(f"{shown} does not exclude a rival of {exponent:.6g}", cases=len(cases))
    why = f"the last slopes enclose the exponent in an interval of width {widest:.2g}"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=widest, cases=len(cases))


def _need_sequence(x: np.ndarray, quantity: np.ndarray) -> None:
    if x.ndim != 1 or x.shape != quantity.shape or len(x) < 5:
        raise InputError("a rate or limit needs two 1-d arrays of one length, at least 5")
    if (x <= 0).any():
        raise InputError("a rate or limit needs positive x, towards the limit")


def decide_limit(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide ``sequence -> limit`` with error at most a constant times ``x**order`` as x -> 0.

    Errors must keep below the stated order: the constant error / x**order of
    the second half may not exceed twice that of the first, until the error
    reaches the measured rounding of the sequence.
    """
    order = float(options.get("order", 1))
    cases = _cases(statement, plan)
    closest = 0.0
    for case in cases:
        x, sequence, limit = case.result
        x, values = _floats(x), _floats(sequence)
        _need_sequence(x, values)
        gap = np.abs(values - _floats(limit))
        floor = np.broadcast_to(error_of(sequence) + error_of(limit), gap.shape)
        constant = np.where(gap > floor, gap, 0.0) / x**order
        half = len(x) // 2
        shown = f"error {gap[-1]:.3g} at x = {x[-1]:.3g}"
        if np.isnan(gap).any() or constant[half:].max() > 2 * constant[:half].max():
            return _refuted(case, f"the error does not fall with order {order:g}", shown, f"limit {limit}", len(cases))
        closest = max(closest, float(gap[-1]))
    return Verdict(
        Outcome.holds, Evidence.sampled, f"the error falls with order {order:g} or faster", margin=closest, cases=len(cases)
    )


def decide_mean(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide a mean: Student's interval contains the value and excludes every rival."""
    rivals = tuple(options.get("rivals", ()))
    cases = _cases(statement, plan)
    for case in cases:
        samples, value = (np.asarray(part, dtype=float) for part in case.result)
        low, high = intervals.mean_interval(samples)
        shown = f"mean in [{sides.show(low)}, {sides.show(high)}]"
        if not ((low <= value) & (value <= high)).all():
            return _refuted(case, "the interval excludes the value", shown, value, len(cases))
        if any(((low <= rival) & (rival <= high)).all() for rival in rivals):
            return undecided(f"{shown} does not exclude a rival", cases=len(cases))
    why = f"inside the {intervals.CONFIDENCE:.6f} interval of {len(samples)} samples"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=float(np.max(high - low)), cases=len(cases))


def decide_probability(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide ``P(event) >= bound``: the lower Clopper-Pearson end must clear the bound."""
    cases = _cases(statement, plan)
    smallest = np.inf
    for case in cases:
        events, bound = case.result
        events = np.asarray(events, dtype=bool).ravel()
        low, high = intervals.clopper_pearson(int(events.sum()), events.size)
        shown = f"{int(events.sum())} of {events.size}, probability in [{low:.4g}, {high:.4g}]"
        if high < bound:
            return _refuted(case, "the interval lies below the bound", shown, bound, len(cases))
        if low < bound:
            return undecided(f"{shown} does not clear {bound:.4g}", cases=len(cases))
        smallest = min(smallest, low - bound)
    return Verdict(
        Outcome.holds, Evidence.sampled, f"{shown} clears {bound:.4g}", margin=float(smallest), cases=len(cases)
    )


def decide_equivalence(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide that two predicates agree outside a margin of the boundary.

    The statement returns ``(first, second, distance)``; cases nearer to the
    boundary than the stated margin do not count. Both truth values must occur.
    """
    margin = float(options.get("margin", 0.0))
    seen: set[bool] = set()

    def objective(case: Case) -> float:
        first, second, distance = (np.ravel(part) for part in case.result)
        clear = np.broadcast_to(distance > margin, first.shape)
        if not clear.any():
            return float("nan")
        seen.update(map(bool, first[clear]))
        return 1.0 if (first[clear] != second[clear]).any() else -float(distance[distance > margin].min())

    found = search.explore(statement, objective, plan.cases, plan.seed)
    if found.broken is not None:
        first, second, _ = found.broken.result
        return _refuted(found.broken, "the predicates disagree", first, second, found.cases)
    if seen != {True, False}:
        return undecided("the predicates never took both values", cases=found.cases)
    why = f"agree in {found.cases} adversarial cases farther than {margin:g} from the boundary"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=-found.score, cases=found.cases)


def decide_counterexample(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide that a witness violates the false claim ``left <= right`` by more than the margin."""
    margin = options.get("margin", 0)
    case = draw_until_accepted(statement, RandomFloats(plan.rng()))
    left, right = case.result
    exact = all(rationals.is_rational(x) for side in (left, right) for x in sides.entries(side))
    over = float(np.max(left - right)) if exact else float(sides.excess(left, right).max())
    if over <= margin:
        return _refuted(case, "the witness does not violate the false claim", left, right, 1)
    evidence = Evidence.exact if exact else Evidence.sampled
    why = f"the witness violates the false claim by {over:.3g}"
    return Verdict(Outcome.holds, evidence, why, margin=over, cases=1, worst=case.printed())


rate = claim_decorator("rate", decide_rate, ("rivals",))
limit = claim_decorator("limit", decide_limit, ("order",))
mean = claim_decorator("mean", decide_mean, ("rivals",))
probability = claim_decorator("probability", decide_probability)
equivalence = claim_decorator("equivalence", decide_equivalence, ("margin",))
counterexample = claim_decorator("counterexample", decide_counterexample, ("margin",))
