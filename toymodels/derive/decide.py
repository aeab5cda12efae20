"""Decide one step: climb the rungs, look for what a false step lacks, and see that slips are caught."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from typing import Any

from toymodels.arithmetic import systems
from toymodels.derive.amends import confirmed
from toymodels.derive.bounds import decide_bound
from toymodels.derive.equations import decide_equation
from toymodels.derive.evaluate import Unknown
from toymodels.derive.granted import granted
from toymodels.derive.limits import decide_limit, decide_order
from toymodels.derive.lines import Ships, Step, written_out
from toymodels.derive.refute import SIGNS, exact_objective, float_objective
from toymodels.derive.shipping import ships_statement
from toymodels.derive.slips import some_slip_fails
from toymodels.errors import InputError
from toymodels.evidence import Evidence, Outcome, Verdict
from toymodels.evidence.algebra import NOT_HERE
from toymodels.evidence.ladder import decide_identity
from toymodels.evidence.plan import CASES, Plan
from toymodels.evidence.sides import Vacuous
from toymodels.evidence.verdict import undecided
from toymodels.spaces.source import Rejected


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
        same = "both sides are the same expression"
        if step.relation in ("<", ">"):
            return Finding(step, Verdict(Outcome.refuted, Evidence.exact, same))
        raise Vacuous(same)
    if _impossible(step, plan):
        raise Vacuous("no case was found that satisfies the hypotheses")
    verdict = _relation(step, plan)
    finding = Finding(step, verdict, notes=granted(step))
    if verdict.refuted:
        finding.notes += _condition(step, plan)
    elif verdict.holds and not some_slip_fails(step, plan, _relation):
        finding.vacuous = "every slip of it passes as well"
    return finding


def _relation(step: Step, plan: Plan) -> Verdict:
    if step.relation == "->":
        return decide_limit(step, plan)
    if step.order is not None:
        return decide_order(step, plan)
    if step.relation == "=":
        return decide_equation(step.left, step.right, step.setting, plan)
    return decide_bound(step, plan)


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


def _condition(step: Step, plan: Plan) -> list[str]:
    """Name the hypothesis under which a false step would hold, where a simple one does it."""
    if step.relation not in ("=", *SIGNS) or step.order is not None:
        return []
    from toymodels.evidence.conditions import separating_condition

    statement = step.setting.statement((step.left, step.right))
    for objective, system in (
        exact_objective(step.relation),
        (float_objective(step.relation), systems.MEASURED),
    ):
        try:
            found = separating_condition(statement, objective, plan.seed, system)
        except (*NOT_HERE, Rejected, ZeroDivisionError):
            continue
        return [] if found is None else confirmed(found, step, lambda changed: _relation(changed, plan))
    return []


__all__ = ["Finding", "decide"]
