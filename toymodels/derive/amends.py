"""What a false step lacks: a condition found by search, then decided as a hypothesis of the step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sympy as sp

from toymodels.derive.lines import Step
from toymodels.derive.setting import Hypothesis
from toymodels.evidence.conditions import Condition
from toymodels.evidence.verdict import Verdict

_SIGN = re.compile(r"(\w+) (>|<|!=) 0")
_UNIT = re.compile(r"\|(\w+)\| < 1")
_ORDER = re.compile(r"(\w+) (>|<) (\w+)")


def confirmed(found: Condition, step: Step, decide: Callable[[Step], Verdict]) -> list[str]:
    """Return the condition as a sentence with its evidence; none where deciding it refutes it.

    Parameters
    ----------
    found : Condition
        Seen in draws.
    step : Step
        False without it.
    decide : callable
        Decides the step under further hypotheses.
    """
    hypotheses = _hypotheses(found.text.removeprefix("holds when "), step)
    if hypotheses:
        verdict = decide(replace(step, setting=step.setting.with_hypotheses(*hypotheses), slack=None))
        if verdict.holds:
            return [f"{found.text} ({verdict.evidence.name})"]
        if verdict.refuted:
            return []
    return [f"{found.text} (in all {found.supported} cases tried)"]


def _hypotheses(text: str, step: Step) -> list[Hypothesis]:
    """Read inequalities between letters; anything else gives none."""
    letters = {str(x): x for x in step.setting.declared}
    read: list[Hypothesis] = []
    for part in text.split(" and "):
        parts = _read(part, letters)
        if not parts:
            return []
        read += parts
    return read


def _read(text: str, letters: dict[str, Any]) -> list[Hypothesis]:
    zero, one = sp.S.Zero, sp.S.One
    if match := _SIGN.fullmatch(text):
        name, relation = match.groups()
        return [Hypothesis(letters[name], relation, zero)] if isinstance(letters.get(name), sp.Symbol) else []
    if match := _UNIT.fullmatch(text):
        x = letters.get(match.group(1))
        return [Hypothesis(x, "<", one), Hypothesis(x, ">", -one)] if isinstance(x, sp.Symbol) else []
    if match := _ORDER.fullmatch(text):
        x, y = letters.get(match.group(1)), letters.get(match.group(3))
        if isinstance(x, sp.Symbol) and isinstance(y, sp.Symbol):
            return [Hypothesis(x, match.group(2), y)]
    return []
