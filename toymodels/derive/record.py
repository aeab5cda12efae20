"""A derivation and its check as plain words and formulas: what pages print and what processes exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sympy as sp

from toymodels.derive import calculus
from toymodels.derive.check import Checked
from toymodels.derive.decide import Finding
from toymodels.derive.expressions import Matrix, latex_name
from toymodels.derive.kinds import Declared, FunctionLetter
from toymodels.derive.lines import Broken, Law, Line, Remark, Ships, Step
from toymodels.derive.setting import Hypothesis, Setting

CHECKED = ("step", "conclusion", "ships", "mistake")
"""Kinds of lines that have a verdict."""

LAWS = ("flow", "steps", "names")
"""Kinds of lines that declare what later lines use."""

USUAL_SIZES = (1, 5)


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


def record(derivation: Any, checked: Checked | None = None, name: str = "") -> Document:
    """Return a derivation as plain data, with the verdicts of its check where there is one."""
    found = {} if checked is None else {id(finding.line): finding for finding in checked.findings}
    setting = derivation.setting
    return Document(
        derivation.title,
        derivation.source,
        name or str(derivation.place),
        _letters(setting),
        [_hypothesis(h) for h in setting.hypotheses],
        [_entry(line, found.get(id(line)), setting) for line in derivation.lines],
        checked is not None and checked.ok,
        0.0 if checked is None else checked.seconds,
    )


def formula(x: Any) -> Formula:
    """Return an expression as text and as LaTeX; names of several letters are set as words."""
    names = {symbol: latex_name(symbol.name) for symbol in x.atoms(sp.Symbol)}
    return Formula(str(x), sp.latex(x, symbol_names=names))


def _hypothesis(h: Hypothesis) -> Formula:
    sign = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne"}.get(h.relation, h.relation)
    return Formula(str(h), f"{formula(h.left).latex} {sign} {formula(h.right).latex}")


def _together(parts: list[Formula]) -> Formula | None:
    if not parts:
        return None
    return Formula(", ".join(p.text for p in parts), r",\; ".join(p.latex for p in parts))


def _letters(setting: Setting) -> list[Letters]:
    """Return sizes and letters, those that are declared alike together."""
    alike: dict[str, list[Formula]] = {}
    for size, ends in setting.sizes.items():
        words = "sizes" if ends == USUAL_SIZES else f"sizes, checked from {ends[0]} to {ends[1]}"
        alike.setdefault(words, []).append(formula(size))
    for letter, declared in setting.declared.items():
        held = ", constant" if letter in setting.constants else ""
        alike.setdefault(_what(letter, declared) + held, []).append(formula(letter))
    return [Letters(tuple(names), words) for words, names in alike.items()]


def _what(letter: Any, declared: Declared) -> str:
    if isinstance(letter, FunctionLetter):
        return "smooth function"
    kind = "" if declared.kind in ("general", "drawn") else f"{declared.kind} "
    together = f", drawn together as {declared.space.text}" if len(declared.letters) > 1 else ""
    if not isinstance(letter, Matrix):
        return (declared.space.text if kind else "real") + together
    rows, cols = letter.shape
    return (f"{kind}vector ({rows})" if cols == 1 else f"{kind}matrix ({rows}, {cols})") + together


def _entry(line: Line, finding: Finding | None, outer: Setting) -> Entry:
    entry = Entry("remark", line.place.file, line.place.line, because=line.because)
    if isinstance(line, Law):
        entry.kind, entry.rules = line.kind, tuple((_moved(x, line.kind), formula(y)) for x, y in line.rules)
    elif isinstance(line, Remark):
        entry.text = line.text
    elif isinstance(line, Broken):
        entry.kind, entry.text = "mistake", line.message
        entry.mark, entry.verdict = "ERROR", "error"
    elif isinstance(line, Step):
        _write_step(entry, line, outer)
    elif isinstance(line, Ships):
        entry.kind, entry.number, entry.relation = "ships", line.number, "computes"
        entry.left, entry.right = _called(line), formula(line.expression)
        entry.rules = tuple((Formula(n, _parameter(n)), formula(x)) for n, x in line.arguments if str(x) != n)
    else:
        entry.text = str(line)
    if finding is not None and entry.kind != "mistake":
        _judge(entry, finding)
    return entry


def _moved(letter: Any, kind: str) -> Formula:
    """Return what a law gives: a letter's derivative, or its next value."""
    name = formula(letter).latex
    if kind == "names":
        return formula(letter)
    if kind == "flow":
        return Formula(str(calculus.dt(letter)), rf"\frac{{\mathrm{{d}}}}{{\mathrm{{d}}t}} {name}")
    return Formula(str(calculus.next(letter)), rf"\left[{name}\right]^{{+}}")


def _called(line: Ships) -> Formula:
    """Return the call of a function, letters as they are and other parameters by name."""
    short = line.name.rpartition(".")[2].replace("_", r"\_")
    names = [formula(x).latex if str(x) == name else _parameter(name) for name, x in line.arguments]
    return Formula(line.name, rf"\texttt{{{short}}}\left({', '.join(names)}\right)")


def _parameter(name: str) -> str:
    return rf"\mathtt{{{name}}}".replace("_", r"\_")


def _write_step(entry: Entry, step: Step, outer: Setting) -> None:
    entry.kind, entry.number = "conclusion" if step.concludes else "step", step.number
    entry.left, entry.relation, entry.right = formula(step.left), step.relation, formula(step.right)
    entry.lemma = step.lemma is not None
    own = [h for h in step.setting.hypotheses if h not in outer.hypotheses]
    inside = [h for h in own if str(h) in step.case]
    entry.case = _together([_hypothesis(h) for h in inside])
    entry.given = _together([_hypothesis(h) for h in own if h not in inside])
    entry.slack = None if step.slack is None else formula(step.slack)
    if step.approach is not None:
        symbol, point, side = step.approach
        entry.limit = _limit(symbol, point, "" if point in (sp.oo, -sp.oo) or side == "+-" else side)
    if step.order is not None:
        symbol, power = step.order
        entry.order = Formula(f"O({symbol}**{power})", rf"O\left({formula(symbol**power).latex}\right)")


def _limit(symbol: Any, point: Any, side: str) -> Formula:
    above = f"^{{{side}}}" if side else ""
    return Formula(f"{symbol} -> {point}{side}", rf"{formula(symbol).latex} \to {sp.latex(point)}{above}")


def _judge(entry: Entry, finding: Finding) -> None:
    verdict = finding.verdict
    entry.mark, entry.verdict = finding.mark, str(verdict.outcome)
    entry.evidence, entry.why, entry.vacuous = verdict.evidence.name, verdict.why, finding.vacuous
    rests = [x for x in finding.notes if x.startswith("follows from ") or x == "checked alone"]
    entry.follows = "; ".join(rests)
    entry.notes = [x for x in finding.notes if x not in rests and not x.startswith("by lemma: ")]
    entry.counterexample = None if verdict.counterexample is None else dict(vars(verdict.counterexample))
    entry.worst, entry.skipped, entry.cases = verdict.worst, verdict.skipped, verdict.cases
    entry.error_probability, entry.seconds = verdict.error_probability, finding.seconds
