"""A derivation as plain words and formulas: what pages print and what processes exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKED = ("step", "conclusion", "ships", "mistake")
"""Kinds of lines that have a verdict."""

LAWS = ("flow", "steps", "names")
"""Kinds of lines that declare what later lines use."""


@dataclass(frozen=True)
class Formula:
    """An expression as text and as LaTeX."""

    text: str
    latex: str


@dataclass(frozen=True)
class Letters:
    """Letters that are declared alike.

    Attributes
    ----------
    names : tuple of Formula
    words : str
        What they are, such as "matrix (m, d), constant".
    """

    names: tuple[Formula, ...]
    words: str


@dataclass
class Entry:
    """One line of a derivation.

    Attributes
    ----------
    kind : {"flow", "steps", "names", "remark", "step", "conclusion", "ships", "mistake"}
    file, line : str, int
        Where it is written.
    text : str
        Of a remark, or of a mistake.
    rules : tuple of (Formula, Formula)
        Of a law: what each letter's derivative or next value is; of `ships`: what each argument is.
    number : int or None
    case, given : Formula or None
        The case that the line stands in, and hypotheses of its own.
    left, right : Formula or None
    relation : str
    limit, order, slack : Formula or None
        As in "x -> 0+", "O(x**2)".
    because : str
    lemma : bool
        Whether `because` is a lemma's title; otherwise it is prose.
    follows : str
        "follows from (1), (2)" or "checked alone", of a conclusion that holds.
    mark : str
        "ok", "FALSE", "UNDECIDED", "VACUOUS", "ERROR", or "" before the check.
    verdict : str
        "holds", "refuted", "undecided", "error" or "".
    evidence, why, vacuous : str
    notes : list of str
    counterexample : dict or None
    worst, skipped : dict
    cases : int
    error_probability, seconds : float or None
    """

    kind: str
    file: str
    line: int
    text: str = ""
    rules: tuple[tuple[Formula, Formula], ...] = ()
    number: int | None = None
    case: Formula | None = None
    given: Formula | None = None
    left: Formula | None = None
    relation: str = ""
    right: Formula | None = None
    limit: Formula | None = None
    order: Formula | None = None
    slack: Formula | None = None
    because: str = ""
    lemma: bool = False
    follows: str = ""
    mark: str = ""
    verdict: str = ""
    evidence: str = ""
    why: str = ""
    vacuous: str = ""
    notes: list[str] = field(default_factory=list)
    counterexample: dict[str, Any] | None = None
    worst: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    cases: int = 0
    error_probability: float | None = None
    seconds: float | None = None

    @property
    def place(self) -> str:
        """File name and line."""
        return f"{Path(self.file).name}:{self.line}"

    @property
    def reason(self) -> str:
        """What the author gives as the reason, and whether it is checked."""
        if not self.because:
            return ""
        if self.kind in LAWS:
            return f"{self.because} (declared)"
        if self.lemma:
            passed = bool(self.mark) and not self.why.startswith("the lemma ")
            return f"by the lemma: {self.because}{' (passed its own check)' if passed else ''}"
        return f"because {self.because} (prose, not checked)"

    @property
    def finding(self) -> str:
        """What decided the line, in one sentence."""
        if self.kind == "mistake":
            return f"{self.place}: {self.text}"
        if self.verdict != "holds" or self.evidence == "none":
            return self.why
        decided = self.why if self.why.startswith(self.evidence) else f"{self.evidence}: {self.why}"
        return f"{self.vacuous}; {decided}" if self.vacuous and self.vacuous != self.why else decided

    @property
    def example(self) -> list[str]:
        """The counterexample, one equation each."""
        if self.counterexample is None:
            return []
        values = dict(self.counterexample["values"])
        sizes = values.pop("sizes", "").replace("=", " = ")
        shown = [f"{name} = {_number(value)}" for name, value in values.items()]
        sides = [f"{side} side = {_number(self.counterexample[side])}" for side in ("left", "right")]
        return [x for x in [sizes, *shown, *(sides if self.counterexample["right"] else [])] if x]


def _number(text: str) -> str:
    """Return printed numbers without a bare point at their end."""
    return re.sub(r"(\d)\.(?!\d)", r"\1", text)


@dataclass
class Document:
    """A derivation as it is printed.

    Attributes
    ----------
    title, source : str
    name : str
        Of an installed document, or its file as it was given.
    letters : list of Letters
    assumptions : list of Formula
        That hold throughout.
    entries : list of Entry
    ok : bool
        Whether every line holds and says something.
    seconds : float
    """

    title: str
    source: str
    name: str
    letters: list[Letters]
    assumptions: list[Formula]
    entries: list[Entry]
    ok: bool = False
    seconds: float = 0.0

    @property
    def judged(self) -> list[Entry]:
        """The lines that have a verdict."""
        return [entry for entry in self.entries if entry.kind in CHECKED]
