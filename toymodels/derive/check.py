"""Check a derivation: every step, and whether the conclusions follow."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from toymodels.derive.decide import Finding, decide
from toymodels.derive.follow import why_follows
from toymodels.derive.lines import Broken, Line, Ships, Step
from toymodels.evidence.plan import CASES
from toymodels.evidence.verdict import Outcome, undecided
from toymodels.validation import one_of, positive_int


@dataclass
class Checked:
    """A derivation and what the check says of its lines.

    Attributes
    ----------
    title, source : str
    lines : list of Line
        Every line in order, laws and remarks included.
    findings : list of Finding
        Of the lines that are checked.
    seconds : float
    """

    title: str
    source: str
    lines: list[Line]
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there is a step, and every line holds and says something."""
        return bool(self.findings) and all(finding.ok for finding in self.findings)

    def of(self, line: Line) -> Finding | None:
        """Return what the check says of a line."""
        return next((finding for finding in self.findings if finding.line is line), None)


def check_derivation(derivation: Any, effort: str = "normal", seed: int = 0) -> Checked:
    """Check every line of a derivation.

    Parameters
    ----------
    derivation : Derivation
    effort : {"quick", "normal", "deep"}
    seed : int
    """
    one_of("effort", effort, CASES)
    positive_int("seed", seed, least=0)
    start = time.perf_counter()
    checked = Checked(derivation.title, derivation.source, list(derivation.lines))
    for line in derivation.lines:
        if isinstance(line, Broken):
            checked.findings.append(Finding(line, undecided(line.message)))
        elif isinstance(line, (Step, Ships)):
            checked.findings.append(_resting(decide(line, effort, seed), checked))
    checked.seconds = time.perf_counter() - start
    return checked


def _lift(finding: Finding, cited: list[Finding]) -> None:
    """Give a conclusion the evidence of the lines that it follows from, where that is stronger."""
    verdict = finding.verdict
    weakest = min(found.verdict.evidence for found in cited)
    if not verdict.holds or weakest > verdict.evidence:
        verdict.outcome, verdict.evidence = Outcome.holds, weakest
        verdict.why = f"as strong as the lines it follows from; alone: {verdict.why}"


def _resting(finding: Finding, checked: Checked) -> Finding:
    """Say what a conclusion or a cited lemma rests on; on a line that fails nothing rests."""
    line = finding.line
    if not isinstance(line, Step):
        return finding
    if line.lemma is not None:
        finding.notes.append(f"by lemma: {line.lemma.title}")
        if not line.lemma.ok:
            finding.verdict = undecided(f"the lemma {line.lemma.title!r} did not pass its own check")
    if line.concludes:
        fallen = [x for x in line.by if (found := checked.of(x)) is not None and not found.ok]
        if fallen and not finding.verdict.refuted:
            names = ", ".join(f"({x.number})" for x in fallen if isinstance(x, Step))
            finding.verdict = undecided(f"it rests on {names}, which did not pass")
        elif not finding.verdict.refuted:
            steps = [x for x in line.by if isinstance(x, Step)]
            reason = why_follows(line, steps) if steps else None
            if reason is not None or finding.verdict.holds:
                finding.notes.append(reason.text if reason else "checked alone")
            if reason is not None and not reason.sampled:
                _lift(finding, [found for x in steps if (found := checked.of(x)) is not None])
    return finding
