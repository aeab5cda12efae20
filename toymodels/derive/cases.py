"""Case splits: whether the cases of a proof leave anything out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from toymodels.arithmetic import systems
from toymodels.derive.lines import Step
from toymodels.derive.setting import COMPARE, Hypothesis, Setting
from toymodels.evidence import search
from toymodels.evidence.algebra import NOT_HERE

UNCERTAIN = "no draw is left out, which proves nothing"
MOST_CASES = 200
"""Draws that look for a case left out."""


def extra_hypotheses(step: Step, conclusion: Step) -> tuple[Hypothesis, ...]:
    """Return the hypotheses of a step that the conclusion does not have."""
    return tuple(h for h in step.setting.hypotheses if h not in conclusion.setting.hypotheses)


@dataclass(frozen=True)
class Coverage:
    """What a case split leaves out.

    Attributes
    ----------
    missing : str
        A case left out, as text; empty where none is found.
    sampled : bool
        Whether only a search found none.
    """

    missing: str
    sampled: bool = False


def coverage(setting: Setting, cases: Sequence[tuple[Hypothesis, ...]], seed: int = 0) -> Coverage:
    """Return what no case covers.

    The signs of one expression, and one variable compared with numbers, are
    decided; otherwise small rationals and random draws are searched.
    """
    if _are_all_signs(cases):
        return Coverage("")
    decided = _on_the_line(setting, cases)
    if decided is not None:
        return Coverage(decided)
    expressions = tuple(side for case in cases for h in case for side in (h.left, h.right))

    def judge(evaluator: Any) -> bool:
        truths = [
            all(COMPARE[h.relation](evaluator.run(h.left), evaluator.run(h.right)) for h in case)
            for case in cases
        ]
        return any(truths)

    statement = setting.statement(expressions, judge)
    for system in (systems.FRACTIONS, systems.FLOATS):
        try:
            found = search.hunt(
                statement, lambda case: -1.0 if case.result else 1.0, MOST_CASES, seed, system, shrinks=50
            )
        except NOT_HERE:
            continue
        if found.broken is not None:
            printed = found.broken.printed().items()
            return Coverage(", ".join(f"{name} = {value}" for name, value in printed) or "a case")
        if found.cases:
            return Coverage("", sampled=True)
    return Coverage("cases that cannot be drawn")


def _are_all_signs(cases: Sequence[tuple[Hypothesis, ...]]) -> bool:
    """Whether the cases are signs of one expression, and leave none out."""
    base = sp.expand(cases[0][0].left - cases[0][0].right).primitive()[1]
    covered: set[int] = set()
    for case in cases:
        signs = {-1, 0, 1}
        for h in case:
            gap = sp.expand(h.left - h.right).primitive()[1]
            if gap not in (base, -base):
                return False
            signs &= {s for s in signs if COMPARE[h.relation](s if gap == base else -s, 0)}
        covered |= signs
    return covered == {-1, 0, 1}


def _on_the_line(setting: Setting, cases: Sequence[tuple[Hypothesis, ...]]) -> str | None:
    """Return "" when the cases cover the variable's domain, a point left out, or None if not one variable."""
    symbols = {x for case in cases for h in case for x in h.left.free_symbols | h.right.free_symbols}
    if len(symbols) != 1:
        return None
    (x,) = symbols
    declared = setting.declared.get(x)
    if (
        declared is None
        or declared.domain is None
        or any(x in h.left.free_symbols for h in setting.hypotheses)
    ):
        return None
    low, high = (sp.nsimplify(end) for end in (declared.domain.low, declared.domain.high))
    closed = declared.kind == "nonnegative"
    domain = sp.Interval(low, high, not closed, True)
    if declared.kind == "nonzero":
        domain = domain - sp.FiniteSet(0)
    plain = sp.Dummy("x", real=True)
    covered: Any = sp.S.EmptySet
    try:
        for case in cases:
            region: Any = domain
            for h in case:
                relation = _RELATIONS[h.relation](h.left.xreplace({x: plain}), h.right.xreplace({x: plain}))
                region = region.intersect(sp.solveset(relation, plain, sp.S.Reals))
            covered = covered.union(region)
        rest = domain - covered
    except (NotImplementedError, TypeError, ValueError):
        return None
    if rest is sp.S.EmptySet:
        return ""
    return f"{x} in {rest}"


_RELATIONS = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge, "!=": sp.Ne}
