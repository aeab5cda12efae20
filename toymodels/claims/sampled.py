"""Kinds decided from sequences and samples: rates, limits, means, probabilities, predicates, witnesses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toymodels.arithmetic import rationals
from toymodels.arithmetic.measured import UNIT, error_of, value_of
from toymodels.claims.claim import claim_decorator
from toymodels.errors import InputError
from toymodels.evidence import intervals, search, sides
from toymodels.evidence.plan import Plan
from toymodels.evidence.sides import Vacuous
from toymodels.evidence.statement import Case, Statement, draw_until_accepted
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict, undecided
from toymodels.spaces.source import RandomFloats

NEAR = 0.25
"""Exponents so far apart must be told apart, where a claim states no rivals."""
FEWEST_SAMPLES = 8
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
    """Decide a power law ``quantity ~ x**exponent``, up to logarithms, from its last local slopes.

    Their interval (`intervals.exponent_interval`) must contain the exponent and
    exclude every rival; where none is stated, the exponents 1/4 away.
    """
    cases = _cases(statement, plan)
    widest = 0.0
    for case in cases:
        x, quantity, exponent = _result(case, 3)
        grid, values, exponent = _floats(x), _floats(quantity), float(exponent)
        _need_sequence(grid, values)
        low, high = intervals.exponent_interval(grid, values, error_of(quantity))
        shown = f"slope in [{low:.6g}, {high:.6g}]"
        if not np.isfinite([low, high]).all():
            return undecided("the local slopes are not finite", cases=len(cases))
        if not low <= exponent <= high:
            right = f"exponent {exponent:.6g}"
            return _refuted(case, "the slopes exclude the exponent", shown, right, len(cases))
        rivals = options.get("rivals") or (exponent - NEAR, exponent + NEAR)
        if any(low <= rival <= high for rival in rivals):
            return undecided(f"{shown} does not exclude a rival of {exponent:.6g}", cases=len(cases))
        widest = max(widest, high - low)
    why = f"the last slopes enclose the exponent in an interval of width {widest:.2g}"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=widest, cases=len(cases))


def _result(case: Case, count: int) -> tuple[Any, ...]:
    if not isinstance(case.result, tuple) or len(case.result) != count:
        raise InputError(f"a claim of this kind returns {count} values")
    return case.result


def _need_sequence(x: np.ndarray, quantity: np.ndarray) -> None:
    if x.ndim != 1 or x.shape != quantity.shape or len(x) < 5:
        raise InputError("a rate or limit needs two 1-d arrays of one length, at least 5")
    if not (x > 0).all():
        raise InputError("a rate or limit needs positive x, towards the limit")


def decide_limit(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide ``sequence -> limit`` with an error of order ``x**order`` or smaller as x -> 0.

    Orders are up to logarithms. The slopes of the error, as long as it clears its rounding, must not fall
    short of the order; once the error has met its rounding it must stay there.
    """
    order = float(options.get("order", 1))
    cases = _cases(statement, plan)
    closest = 0.0
    for case in cases:
        x, sequence, limit = _result(case, 3)
        grid, values = _floats(x), _floats(sequence)
        _need_sequence(grid, values)
        if not (np.diff(grid) < 0).all():
            raise InputError("a limit needs x that decreases towards 0")
        gap = np.abs(values - _floats(limit))
        rounding = 4 * UNIT * (abs(values) + abs(_floats(limit)))
        low, high = _order_of(grid, gap, error_of(sequence) + error_of(limit) + rounding)
        if high < order:
            shown = f"error {gap[-1]:.3g} at x = {grid[-1]:.3g}, order in [{low:.3g}, {high:.3g}]"
            why = f"the error does not fall with order {order:g}"
            return _refuted(case, why, shown, f"limit {limit}", len(cases))
        if not low > order - NEAR:
            return undecided(
                f"the order of the error, in [{low:.3g}, {high:.3g}], has not settled", cases=len(cases)
            )
        closest = max(closest, float(gap[-1]))
    why = f"the error falls with order {order:g} or faster"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=closest, cases=len(cases))


def _order_of(x: np.ndarray, gap: np.ndarray, floor: np.ndarray) -> tuple[float, float]:
    """Return an interval for the order of an error; infinite where it met its rounding at once."""
    if not np.isfinite(gap).all():
        return np.nan, np.nan
    clear = gap > 2 * floor
    count = len(gap) if clear.all() else int(np.argmin(clear))
    if clear[count:].any():
        return np.nan, np.nan
    if count < 5:
        return (np.inf, np.inf) if count < len(gap) else (np.nan, np.nan)
    low, high = intervals.exponent_interval(x[:count], gap[:count], floor[:count])
    steps = np.diff(np.log(x[:count]))
    slopes = (np.diff(np.log(gap[:count])) / steps)[-3:]
    noise = 4 * (floor[:count] / gap[:count]).max() / abs(steps).min()
    # an error that falls faster and faster is of every order that it has reached, and the other way round
    if (np.diff(slopes) > noise).all():
        return max(low, float(slopes[0])), high
    if (np.diff(slopes) <= noise).all():
        return low, min(high, float(slopes[0]) + noise)
    return low, high


def decide_mean(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide a mean: Student's interval contains the value and excludes every rival.

    Where no rival is stated, a value that is not zero must be told from 0 and
    from its double.
    """
    cases = _cases(statement, plan)
    for case in cases:
        samples, value = (_floats(part) for part in _result(case, 2))
        if samples.ndim == 0 or len(samples) < FEWEST_SAMPLES:
            raise InputError(f"a mean needs at least {FEWEST_SAMPLES} samples on the first axis")
        if value.shape not in ((), samples.shape[1:]):
            raise InputError(f"the mean has shape {samples.shape[1:]}, the value {value.shape}")
        low, high = intervals.mean_interval(samples)
        shown = f"mean in [{sides.show(low)}, {sides.show(high)}]"
        if not np.isfinite(low + high).all():
            return undecided("the samples are not finite", cases=len(cases))
        if not ((low <= value) & (value <= high)).all():
            return _refuted(case, "the interval excludes the value", shown, value, len(cases))
        rivals = options.get("rivals") or ((0 * value, 2 * value) if value.any() else ())
        if any(((low <= rival) & (rival <= high)).all() for rival in rivals):
            return undecided(f"{shown} does not exclude a rival", cases=len(cases))
    why = f"inside the {intervals.CONFIDENCE:.6f} interval of {len(samples)} samples"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=float(np.max(high - low)), cases=len(cases))


def decide_probability(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide ``P(event) >= bound``: the lower Clopper-Pearson end must clear the bound."""
    cases = _cases(statement, plan)
    smallest = np.inf
    for case in cases:
        events, bound = _result(case, 2)
        events, bound = np.ravel(events), float(bound)
        if events.dtype != bool or not events.size:
            raise InputError("a probability needs an array of True and False, one per sample")
        if not bound > 0:
            raise Vacuous(f"a probability is always at least {bound:g}")
        low, high = intervals.clopper_pearson(int(events.sum()), events.size)
        shown = f"{int(events.sum())} of {events.size}, probability in [{low:.4g}, {high:.4g}]"
        if high < bound:
            return _refuted(case, "the interval lies below the bound", shown, bound, len(cases))
        if low < bound:
            return undecided(f"{shown} does not clear {bound:.4g}", cases=len(cases))
        smallest = min(smallest, low - bound)
    why = f"{shown} clears {bound:.4g}"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=float(smallest), cases=len(cases))


def decide_equivalence(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide that two predicates agree outside a margin of the boundary.

    The statement returns ``(first, second, distance)``; cases nearer to the
    boundary than the stated margin do not count. Both truth values must occur.
    """
    margin = float(options.get("margin", 0.0))
    seen: set[bool] = set()

    def objective(case: Case) -> float:
        first, second, distance = _predicates(case)
        clear = distance > margin
        if not clear.any():
            return float("nan")
        seen.update(map(bool, first[clear]))
        return 1.0 if (first[clear] != second[clear]).any() else -float(distance[clear].min())

    found = search.hunt(statement, objective, plan.cases, plan.seed, shrinks=plan.shrinks)
    if found.broken is not None:
        first, second, _ = found.broken.result
        return _refuted(found.broken, "the predicates disagree", first, second, found.cases)
    if seen != {True, False}:
        return undecided("the predicates never took both values", cases=found.cases)
    why = f"agree in {found.cases} adversarial cases farther than {margin:g} from the boundary"
    return Verdict(Outcome.holds, Evidence.sampled, why, margin=-found.score, cases=found.cases)


def _predicates(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two predicates and the distance from the boundary, flattened to one shape."""
    first, second, distance = _result(case, 3)
    if first is second and not isinstance(first, (bool, np.bool_)):
        raise Vacuous("both predicates are the same object")
    first, second, distance = np.asarray(first), np.asarray(second), _floats(distance)
    if first.dtype != bool or second.dtype != bool or first.shape != second.shape:
        raise InputError("an equivalence needs two predicates, True or False, of one shape")
    if np.isnan(distance).any() or distance.shape not in ((), first.shape):
        raise InputError("an equivalence needs the distance from the boundary, one number or one per entry")
    return first.ravel(), second.ravel(), np.broadcast_to(distance, first.shape).ravel()


def decide_counterexample(statement: Statement, plan: Plan, options: Mapping[str, Any]) -> Verdict:
    """Decide that a witness violates the false claim ``left <= right`` by more than the margin."""
    margin = options.get("margin", 0)
    case = draw_until_accepted(statement, RandomFloats(plan.rng()))
    left, right = _result(case, 2)
    compared = list(sides.pairs(left, right))
    exact = all(rationals.is_rational(x) for pair in compared for side in pair for x in sides.entries(side))
    if exact:
        over = max(float(np.max(a - b)) for a, b in compared)
    else:
        over = max(float((sides.excess(a, b) - _rounding(a, b)).max()) for a, b in compared)
    if not over > margin:
        return _refuted(case, "the witness does not violate the false claim", left, right, 1)
    evidence = Evidence.exact if exact else Evidence.sampled
    why = f"the witness violates the false claim by {over:.3g}"
    return Verdict(Outcome.holds, evidence, why, margin=over, cases=1, worst=case.printed())


def _rounding(left: Any, right: Any) -> np.ndarray:
    """The rounding of two floats that carry no error of their own."""
    return 4 * UNIT * np.ravel(abs(_floats(left)) + abs(_floats(right)))


rate = claim_decorator("rate", decide_rate, ("rivals",))
limit = claim_decorator("limit", decide_limit, ("order",))
mean = claim_decorator("mean", decide_mean, ("rivals",))
probability = claim_decorator("probability", decide_probability)
equivalence = claim_decorator("equivalence", decide_equivalence, ("margin",))
counterexample = claim_decorator("counterexample", decide_counterexample, ("margin",))
