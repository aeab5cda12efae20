"""Write a derivation and its check down as a document."""

from __future__ import annotations

from typing import Any

import sympy as sp

from toymodels.derive import calculus
from toymodels.derive.check import Checked
from toymodels.derive.decide import Finding
from toymodels.derive.document import Document, Entry, Formula, Letters
from toymodels.derive.expressions import Matrix, latex_name
from toymodels.derive.follow import ALONE
from toymodels.derive.kinds import Declared, FunctionLetter
from toymodels.derive.lines import Broken, Law, Line, Remark, Ships, Step
from toymodels.derive.setting import Hypothesis, Setting

USUAL_SIZES = (1, 5)


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
    rests = [x for x in finding.notes if x.startswith(("follows from ", ALONE, "checked alone"))]
    entry.follows = "; ".join(rests)
    entry.notes = [x for x in finding.notes if x not in rests and not x.startswith("by lemma: ")]
    entry.counterexample = None if verdict.counterexample is None else dict(vars(verdict.counterexample))
    entry.worst, entry.skipped, entry.cases = verdict.worst, verdict.skipped, verdict.cases
    entry.error_probability, entry.seconds = verdict.error_probability, finding.seconds
