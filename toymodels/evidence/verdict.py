"""What a check concludes, and on what evidence."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any


class Evidence(enum.IntEnum):
    """How strong the evidence is, weakest first."""

    none = 0
    sampled = 1
    digits = 2
    enclosed = 3
    exact = 4
    proved = 5


class Outcome(enum.StrEnum):
    """The three verdicts."""

    holds = "holds"
    refuted = "refuted"
    undecided = "undecided"


@dataclass
class Counterexample:
    """The smallest case found that breaks a statement.

    Attributes
    ----------
    values : dict of str to str
        Each variable, printed.
    left, right : str
        The two sides there.
    reproduce : str
        One command line that shows it again.
    """

    values: dict[str, str]
    left: str
    right: str
    reproduce: str = ""

    def lines(self) -> list[str]:
        """Return the counterexample as lines of text."""
        shown = [f"{name} = {value}" for name, value in self.values.items()]
        return [*shown, f"left  = {self.left}", f"right = {self.right}"]


@dataclass
class Verdict:
    """The verdict on one statement.

    Attributes
    ----------
    outcome : Outcome
    evidence : Evidence
        Meaningful where the outcome is "holds" or "refuted".
    why : str
        A sentence a reviewer accepts: what decided it.
    margin : float or None
        Distance from failure in the statement's own units (for float evidence:
        smallest budget minus difference; for bounds: smallest right minus left).
    tightness : float or None
        For bounds: largest left / right met.
    cases : int
        Number of cases looked at.
    counterexample : Counterexample or None
    error_probability : float or None
        For exact evidence: how likely a false identity passes.
    worst : dict of str to str
        The case with the smallest margin, printed.
    skipped : dict of str to str
        Stronger rungs that do not apply, and why.
    """

    outcome: Outcome
    evidence: Evidence = Evidence.none
    why: str = ""
    margin: float | None = None
    tightness: float | None = None
    cases: int = 0
    seconds: float = 0.0
    counterexample: Counterexample | None = None
    error_probability: float | None = None
    worst: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the statement holds."""
        return self.outcome is Outcome.holds

    @property
    def refuted(self) -> bool:
        """Whether the statement is refuted."""
        return self.outcome is Outcome.refuted


def undecided(why: str, **details: Any) -> Verdict:
    """Return an undecided verdict with its reason."""
    return Verdict(Outcome.undecided, why=why, **details)
