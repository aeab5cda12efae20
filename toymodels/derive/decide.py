"""Decide one step: climb the rungs, look for what a false step lacks, and see that slips are caught."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import sympy as sp

from toymodels.arithmetic import systems
from toymodels.derive.amends import confirmed
from toymodels.derive.calculus import Integral, ScalarExpectation
from toymodels.derive.domains import bounded, contradictory, domains, intervals
from toymodels.derive.evaluate import Unknown
from toymodels.derive.expressions import Matrix, ones
from toymodels.derive.granted import granted
from toymodels.derive.limits import decide_limit, decide_order
from toymodels.derive.lines import Ships, Step, written_out
from toymodels.derive.mutants import mutants
from toymodels.derive.pieces import pieces, probes
from toymodels.derive.plain import plain
from toymodels.derive.positivity import nonnegative, positive
from toymodels.derive.setting import Setting, is_piecewise
from toymodels.derive.shipping import ships_statement
from toymodels.errors import InputError, LeftArithmetic
from toymodels.evidence import Evidence, Outcome, Verdict, algebra, search
from toymodels.evidence.algebra import NOT_HERE, NotApplicable
from toymodels.evidence.judge import bound_parts, counterexample_of, identity_parts, searched
from toymodels.evidence.ladder import decide_identity
from toymodels.evidence.plan import CASES, Plan
from toymodels.evidence.quadratic import by_quadratic_form
from toymodels.evidence.sides import Vacuous, exactly_equal
from toymodels.evidence.verdict import Counterexample, undecided
from toymodels.spaces.source import Rejected

MOST_MUTANTS = 12
SMALL_CASES = 60
"""Cases of small rationals that look for a counterexample."""
PLAIN = 1e-3
"""Relative difference that no rounding explains."""
SYMBOLIC_SECONDS = 2.0
QUADRATURE_DIGITS = 25
"""Digits to which integrals are compared, where each costs many evaluations."""
SIGNS = {"<=": 1, "<": 1, ">=": -1, ">": -1}


@dataclass
class Finding:
    """What the check says of one line.

    Attributes
    ----------
    line : Line
    verdict : Verdict
    vacuous : str
        Why the step says nothing, where it does not.
    notes : list of str
        Hypotheses used, what a conclusion rests on, conditions that would save a false step.
    seconds : float
    """

    line: Any
    verdict: Verdict
    vacuous: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the line holds and says something."""
        return self.verdict.holds and not self.vacuous

    @property
    def mark(self) -> str:
        """One word for the margin."""
        if self.verdict.holds:
            return "VACUOUS" if self.vacuous else "ok"
        return "FALSE" if self.verdict.refuted else "UNDECIDED"


def decide(line: Step | Ships, effort: str, seed: int) -> Finding:
    """Check one line."""
    start = time.perf_counter()
    plan = Plan(effort, CASES[effort], zlib.crc32(f"{line.number}/{seed}".encode()))
    written, line = line, written_out(line)
    try:
        if isinstance(written, Step) and _only_names_differ(written, line):
            why = "the same when names are written out"
            finding = Finding(line, Verdict(Outcome.holds, Evidence.proved, why))
        else:
            finding = _ships(line, plan) if isinstance(line, Ships) else _step(line, plan)
    except Unknown as error:
        finding = Finding(line, undecided(str(error)))
    except Vacuous as error:
        finding = Finding(line, Verdict(Outcome.holds, Evidence.none, str(error)), vacuous=str(error))
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else ""
        finding = Finding(line, undecided(f"raised {type(error).__name__}: {text}"))
    finding.line = written
    finding.seconds = finding.verdict.seconds = time.perf_counter() - start
    return finding


def _only_names_differ(written: Any, plain: Any) -> bool:
    """Whether the sides are one expression once names are written out, and none is the other's definition."""
    if plain is written or plain.relation != "=" or plain.left != plain.right:
        return False
    sides = (written.left, written.right)
    return not any(x == y or getattr(x, "definition", None) == y for x, y in (sides, sides[::-1]))


def _ships(line: Ships, plan: Plan) -> Finding:
    return Finding(line, decide_identity(ships_statement(line), plan))


def _step(step: Step, plan: Plan) -> Finding:
    if step.left == step.right:
        raise Vacuous("both sides are the same expression")
    if _impossible(step, plan):
        raise Vacuous("no case was found that satisfies the hypotheses")
    verdict = _relation(step, plan)
    finding = Finding(step, verdict, notes=granted(step))
    if verdict.refuted:
        finding.notes += _condition(step, plan)
    elif verdict.holds and not _some_slip_fails(step, plan):
        finding.vacuous = "every slip of it passes as well"
    return finding


def _relation(step: Step, plan: Plan) -> Verdict:
    if step.relation == "->":
        return decide_limit(step, plan)
    if step.order is not None:
        return decide_order(step, plan)
    if step.relation == "=":
        return _equation(step.left, step.right, step.setting, plan)
    return _bound(step, plan)


def _equation(left: Any, right: Any, setting: Setting, plan: Plan) -> Verdict:
    if is_piecewise(left, right):
        return _piecewise_equation(left, right, setting, plan)
    statement = setting.statement((left, right))
    drawn = setting.generic().statement((left, right)) if setting.hypotheses else None
    digits = QUADRATURE_DIGITS if _has_quadrature(left, right) else 50
    return decide_identity(statement, plan, drawn, lambda: _by_symbols(left, right, setting), digits)


def _has_quadrature(*expressions: Any) -> bool:
    return any(e.has(Integral, ScalarExpectation) for e in expressions)


def _piecewise_equation(left: Any, right: Any, setting: Setting, plan: Plan) -> Verdict:
    """Decide an identity cell by cell; a kink, or a cell that no draw meets, may still break it."""
    cells: set[bytes] = set()
    statement = setting.statement((left, right))
    paired = setting.statement((left, right), paired=True, cells=cells)
    digits = QUADRATURE_DIGITS if _has_quadrature(left, right) else 50
    verdict = decide_identity(statement, plan, paired, lambda: _by_symbols(left, right, setting), digits)
    if not (verdict.holds and verdict.evidence is Evidence.exact):
        return verdict
    try:
        refuted = _among_small_rationals(statement, _objective("=")[0], plan)
    except NotApplicable:
        refuted = None
    if refuted is not None:
        return refuted
    try:
        return _at_kinks(left, right, "=", setting)
    except NotApplicable:
        pass
    try:
        return _by_equal_pieces(plain(left - right, setting), setting, plan)
    except NotApplicable:
        met = "the only cell" if len(cells) == 1 else f"the {len(cells)} cells"
        verdict.why = f"in {met} that the draws met, {verdict.why}"
        return verdict


def _at_kinks(left: Any, right: Any, relation: str, setting: Setting) -> Verdict:
    """Refute a relation of one variable at its kinks, or between them."""
    sides = [plain(side, setting) for side in (left, right)]
    found = intervals(setting, *sides)
    if len(found) != 1 or not is_piecewise(*sides):
        raise NotApplicable("it is no piecewise function of one variable")
    ((symbol, interval),) = found.items()
    for point in probes(sides[0] - sides[1], symbol):
        gap = (sides[0] - sides[1]).subs(symbol, point)
        fails = {"=": gap.is_nonzero, "<=": gap.is_positive, "<": gap.is_nonnegative}[relation]
        if fails and point in interval:
            values = [str(side.subs(symbol, point)) for side in sides]
            counterexample = Counterexample({str(symbol): str(point)}, *values)
            why = "exact arithmetic shows a case that breaks it"
            return Verdict(Outcome.refuted, Evidence.exact, why, cases=1, counterexample=counterexample)
    raise NotApplicable("it holds at its kinks")


def _by_equal_pieces(difference: Any, setting: Setting, plan: Plan) -> Verdict:
    """Prove that a piecewise scalar vanishes in each of its pieces."""
    parts = pieces(difference)
    for part, hypotheses in parts:
        inside = setting.with_hypotheses(*hypotheses)
        if part == 0 or contradictory(inside) or _vanishes_at_the_one_point(part, inside):
            continue
        verdict = decide_identity(setting.generic().statement((part, sp.S.Zero)), plan)
        if not (verdict.holds and verdict.evidence is Evidence.proved):
            raise NotApplicable("a piece is not proved")
    return Verdict(
        Outcome.holds, Evidence.proved, f"identity in each of its {len(parts)} pieces", cases=len(parts)
    )


def _vanishes_at_the_one_point(part: sp.Expr, inside: Setting) -> bool:
    """Whether a piece of one variable is a point, and vanishes there."""
    found = intervals(inside, part)
    if len(found) != 1:
        return False
    ((symbol, interval),) = found.items()
    return bool(interval.low == interval.high and part.subs(symbol, sp.Rational(interval.low)) == 0)


def _by_symbols(left: Any, right: Any, setting: Setting) -> Verdict:
    from toymodels.evidence.symbolic import by_symbols

    if isinstance(left, Integral):
        return _by_antiderivative(left, right, setting)
    left, right = plain(left, setting), plain(right, setting)
    return by_symbols(left, right, domains(setting, left, right), SYMBOLIC_SECONDS)


def _by_antiderivative(left: Integral, right: Any, setting: Setting) -> Verdict:
    """Decide an integral up to a letter: the right side differentiates back and starts at 0."""
    of, by, low, high = left.args
    if not isinstance(high, sp.Symbol) or high in of.free_symbols | low.free_symbols or low.is_infinite:
        raise NotApplicable("the upper end of the integral is no letter of its own")
    right = plain(right, setting)
    slope = _by_symbols(sp.diff(right, high), plain(of, setting).xreplace({by: high}), setting)
    start = _by_symbols(right.xreplace({high: low}), sp.S.Zero, setting)
    if not (slope.holds and start.holds):
        raise NotApplicable("the right side does not differentiate back to the integrand")
    slope.why = f"the right side vanishes at {high} = {low} and differentiates back: {slope.why}"
    return slope


def _bound(step: Step, plan: Plan) -> Verdict:
    """Decide left <= right: slack, Sturm, enclosure, a form that shows it, adversarial search."""
    left, right = (step.left, step.right) if SIGNS[step.relation] > 0 else (step.right, step.left)
    strict = step.relation in ("<", ">")
    skipped: dict[str, str] = {}
    rungs: dict[str, Callable[[], Verdict]] = {
        "slack": lambda: _by_slack(step, left, right, plan),
        "counterexample": lambda: _quickly_refuted(step.setting, left, right, strict, plan),
        "kinks": lambda: _at_kinks(left, right, "<" if strict else "<=", step.setting),
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
    verdict = _equation(right - left, step.slack, step.setting, plan)
    if not verdict.holds:
        raise NotApplicable("the slack is not the difference of the sides")
    verdict.why = f"difference is the slack, non-negative by form ({verdict.why})"
    return verdict


def _quickly_refuted(setting: Setting, left: Any, right: Any, strict: bool, plan: Plan) -> Verdict:
    """Look for a counterexample in small rationals; not finding one decides nothing."""
    refuted = _among_small_rationals(
        setting.statement((left, right)), _objective("<" if strict else "<=")[0], plan
    )
    if refuted is None:
        raise NotApplicable("none found among small rationals")
    return refuted


def _among_small_rationals(statement: Any, objective: Callable[[Any], float], plan: Plan) -> Verdict | None:
    """Return the smallest case of small rationals that breaks the statement, small sizes first."""
    for largest in (1, 2, 3):
        ranges = {name: (low, max(low, min(high, largest))) for name, (low, high) in statement.ranges.items()}
        small = replace(statement, ranges=ranges)
        cases = SMALL_CASES if largest == 3 or not ranges else SMALL_CASES // 3
        try:
            found = search.explore(
                small, objective, cases, plan.seed, systems.FRACTIONS, largest, plan.shrinks
            )
        except NOT_HERE as error:
            raise NotApplicable(str(error)) from error
        if found.broken is not None:
            return Verdict(
                Outcome.refuted,
                Evidence.exact,
                "exact arithmetic shows a case that breaks it",
                cases=found.cases,
                counterexample=counterexample_of(found.broken),
            )
        if not ranges:
            return None
    return None


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


def _impossible(step: Step, plan: Plan) -> bool:
    """Whether no draw at all satisfies the hypotheses."""
    if not step.setting.hypotheses:
        return False
    from toymodels.evidence.statement import draw_until_accepted
    from toymodels.spaces.source import RandomFloats

    statement = step.setting.statement((step.left, step.right), judge=lambda evaluator: (0, 1))
    try:
        draw_until_accepted(statement, RandomFloats(plan.rng()))
    except InputError:
        return True
    return False


def _objective(relation: str) -> tuple[Callable[[Any], float], systems.System]:
    """Return how badly an exact case breaks the relation."""

    def score(case: Any) -> float:
        a, b = case.result
        if relation == "=":
            return -1.0 if exactly_equal(a, b) else 1.0
        a, b = (a, b) if SIGNS[relation] > 0 else (b, a)
        return 1.0 if (a >= b if relation in ("<", ">") else a > b) else -1.0

    return score, systems.FRACTIONS


def _float_objective(relation: str) -> Callable[[Any], float]:
    def score(case: Any) -> float:
        a, b = case.result
        if relation == "=":
            return identity_parts((a, b))[0]
        return bound_parts((a, b) if SIGNS[relation] > 0 else (b, a))[0]

    return score


def _plainly(relation: str) -> Callable[[Any], float]:
    """Return an objective for floats without budget: broken where the sides differ in their first digits."""

    def score(case: Any) -> float:
        a, b = (np.asarray(side, dtype=float) for side in case.result)
        gap = abs(a - b) if relation == "=" else (a - b) * SIGNS[relation]
        return float(np.max(gap - PLAIN * (1 + abs(a) + abs(b))))

    return score


def _condition(step: Step, plan: Plan) -> list[str]:
    """Name the hypothesis under which a false step would hold, where a simple one does it."""
    if step.relation not in ("=", *SIGNS) or step.order is not None:
        return []
    from toymodels.evidence.conditions import separating_condition

    statement = step.setting.statement((step.left, step.right))
    for objective, system in (_objective(step.relation), (_float_objective(step.relation), systems.MEASURED)):
        try:
            found = separating_condition(statement, objective, plan.seed, system)
        except (*NOT_HERE, Rejected, ZeroDivisionError):
            continue
        return [] if found is None else confirmed(found, step, lambda changed: _relation(changed, plan))
    return []


def _some_slip_fails(step: Step, plan: Plan) -> bool:
    """Whether at least one mutant of the step is refuted."""
    quick = replace(plan, effort="quick", cases=CASES["quick"], readable=False)
    if step.relation in SIGNS and _is_refuted(replace(step, left=step.right, right=step.left), quick):
        return True
    if step.relation == "->":
        return _relation(replace(step, right=_shifted(step.right)), quick).refuted
    if step.order is not None:
        variable, power = step.order
        slip = variable ** (sp.sympify(power) - 1)
        return _relation(replace(step, left=step.left + slip), quick).refuted
    for side in ("right", "left"):
        for mutant in islice(mutants(getattr(step, side)), MOST_MUTANTS):
            if _is_refuted(replace(step, **{side: mutant}), quick):
                return True
    return False


def _shifted(limit: Any) -> Any:
    """Another limit."""
    if isinstance(limit, Matrix):
        return limit + ones(*limit.shape)
    return sp.S.Zero if limit in (sp.oo, -sp.oo) else limit + 1


def _is_refuted(step: Step, plan: Plan) -> bool:
    """Whether a slip is refuted: exactly, in floats beyond their budget, or plainly in floats."""
    statement = step.setting.statement((step.left, step.right))
    for objective, system in (
        _objective(step.relation),
        (_float_objective(step.relation), systems.MEASURED),
        (_plainly(step.relation), systems.FLOATS),
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
    except (NotApplicable, InputError, ZeroDivisionError):
        return False


__all__ = ["Finding", "decide"]
