"""The hidden assumption: the weakest simple condition under which a refuted statement holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from toymodels.arithmetic.systems import FLOATS, System
from toymodels.evidence.candidates import Candidate, candidates
from toymodels.evidence.restricted import Drawn, Dyadic, draw, evaluated, moved
from toymodels.evidence.search import Objective
from toymodels.evidence.statement import Statement
from toymodels.spaces.source import RandomFloats, Rejected

CASES = 200
"""Unrestricted cases looked at."""
MADE = 40
"""Cases made to meet a condition, or to break it."""
FEWEST = 20
"""Judged cases that must meet a condition."""

Judged = list[tuple[Drawn, bool]]
"""Cases, and whether each breaks the statement."""


@dataclass(frozen=True)
class Condition:
    """A condition that separates the cases in which a statement holds.

    Attributes
    ----------
    text : str
        Such as "holds when x > 0".
    supported : int
        Cases that meet it; the statement holds in all of them.
    broken : int
        Cases that do not meet it and in which the statement fails.
    """

    text: str
    supported: int
    broken: int


def separating_condition(
    statement: Statement, objective: Objective, seed: int, system: System = FLOATS, cases: int = CASES
) -> Condition | None:
    """Return the weakest simple condition under which a refuted statement holds, or None.

    Signs and orders of numbers are read off random cases. What luck does not
    draw is made: zeros, equal numbers, equal or single sizes, symmetric,
    commuting, singular and zero matrices.

    Parameters
    ----------
    statement : Statement
    objective : callable (Case) -> float
        Positive where the case breaks the statement, nan where it cannot be judged.
    seed : int
    system : System
        Where the statement is run; what it raises there is raised.
    cases : int
        Unrestricted cases to look at, and as many again to confirm what was found.

    Returns
    -------
    Condition or None
        All cases that meet it hold, at least 20, and some that do not meet it fail.

    Examples
    --------
    >>> from toymodels.spaces import real
    >>> statement = Statement(lambda x: (x, abs(x)), {"x": real})
    >>> condition = separating_condition(statement, lambda case: case.result[1] - case.result[0], seed=0)
    >>> condition.text
    'holds when x > 0'
    """
    judge = _Judge(statement, objective, np.random.default_rng(seed), system)
    natural = judge.natural(cases)
    found = []
    for candidate in candidates(statement, [drawn for drawn, _ in natural]):
        inside, _ = _split(natural, candidate)
        if not any(inside) and _condition([*natural, *judge.made(candidate)], candidate):
            found.append((candidate.kind, -len(inside), candidate.text, candidate))
    for *_, candidate in sorted(found, key=lambda item: item[:3]):
        again = judge.made(candidate) if candidate.is_rare else judge.natural(cases)
        confirmed = _condition([*natural, *judge.made(candidate), *again], candidate)
        if confirmed is not None:
            return confirmed
    return None


def _split(judged: Judged, candidate: Candidate) -> tuple[list[bool], list[bool]]:
    """Which cases are broken, inside and outside the condition."""
    sides: tuple[list[bool], list[bool]] = ([], [])
    for drawn, broken in judged:
        sides[not candidate.meets(drawn)].append(broken)
    return sides


def _condition(judged: Judged, candidate: Candidate) -> Condition | None:
    """The condition, where it separates the cases."""
    inside, outside = _split(judged, candidate)
    if any(inside) or len(inside) < FEWEST or not any(outside):
        return None
    return Condition(f"holds when {candidate.text}", len(inside), sum(outside))


@dataclass
class _Judge:
    """Draws cases and judges them."""

    statement: Statement
    objective: Objective
    rng: np.random.Generator
    system: System

    def natural(self, count: int) -> Judged:
        """Judge unrestricted cases."""
        drawer = Dyadic(self.rng) if self.system.exact else RandomFloats(self.rng)
        return list(self._judged(count, lambda: draw(self.statement, drawer, self.system)))

    def made(self, candidate: Candidate) -> Judged:
        """Judge cases that meet a rare condition, up to the first that fails; or that break a generic one."""
        judged: Judged = []
        if candidate.preset is None and candidate.move is None:
            return judged
        for drawn, broken in self._judged(MADE, lambda: self._make(candidate)):
            judged.append((drawn, broken))
            if broken and candidate.meets(drawn):
                break
        return judged

    def _make(self, candidate: Candidate) -> Drawn:
        preset = candidate.preset(self.rng) if candidate.preset else {}
        drawn = draw(self.statement, Dyadic(self.rng), self.system, preset)
        return (
            moved(self.statement, drawn, candidate.move(self.rng), self.system) if candidate.move else drawn
        )

    def _judged(self, count: int, make: Callable[[], Drawn]) -> Iterator[tuple[Drawn, bool]]:
        for _ in range(count):
            try:
                drawn = make()
                score = self.objective(evaluated(self.statement, drawn))
            except (Rejected, OverflowError):
                continue
            if not math.isnan(score):
                yield drawn, score > 0
