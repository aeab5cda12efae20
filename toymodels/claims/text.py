"""The report as a page of text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from toymodels.claims.claim import Result
from toymodels.evidence.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from toymodels.claims.verify import Report

_MARKS = {Outcome.holds: "ok", Outcome.refuted: "REFUTED", Outcome.undecided: "UNDECIDED"}


def page(report: Report) -> str:
    """Return one line per claim, details where something failed, and a count."""
    lines = [line for result in report.results for line in lines_of(result)]
    return "\n".join([*lines, "", summary(report)])


def lines_of(result: Result) -> list[str]:
    """Return the lines of one claim."""
    verdict = result.verdict
    mark = _MARKS[verdict.outcome] if result.ok or not verdict.holds else "IDLE"
    lines = [f"{mark:<9} {verdict.evidence.name:<8} {result.claim.label:<22} {result.claim.name}"]
    if not verdict.holds:
        lines.append(f"          {verdict.why}")
        lines.extend(_example(verdict))
    for name in result.idle:
        why = dict(result.broken)[name].why
        lines.append(f"          broken variant {name!r} was not refuted: {why}")
    return lines


def detailed(result: Result) -> list[str]:
    """Return everything known about one claim."""
    verdict = result.verdict
    lines = lines_of(result)
    lines += [f"          {result.claim.statement}", f"          source: {result.claim.source}"]
    lines.append(f"          {verdict.why}{_numbers(verdict)}")
    lines.extend(f"          no {rung}: {why}" for rung, why in verdict.skipped.items())
    if verdict.worst:
        worst = "; ".join(f"{name} = {value}" for name, value in verdict.worst.items())
        lines.append(f"          worst case: {worst[:300]}")
    for name, broken in result.broken:
        lines.append(f"          broken variant {name!r}: {broken.outcome} ({broken.why})")
        lines.extend(_example(broken))
    return lines


def _numbers(verdict: Verdict) -> str:
    parts = []
    if verdict.margin is not None:
        parts.append(f"margin {verdict.margin:.3g}")
    if verdict.tightness is not None:
        parts.append(f"tightness {verdict.tightness:.3g}")
    return f" ({', '.join(parts)})" if parts else ""


def _example(verdict: Verdict) -> list[str]:
    example = verdict.counterexample
    if example is None:
        return []
    again = [f"again: {example.reproduce}"] if example.reproduce else []
    return [f"            {line}" for line in [*example.lines(), *again]]


def summary(report: Report) -> str:
    """Return the closing line."""
    held = [result for result in report.results if result.ok]
    evidence = Counter(result.verdict.evidence.name for result in held)
    kinds = ", ".join(f"{count} {name}" for name, count in evidence.most_common())
    failed = len(report.results) - len(held)
    variants = sum(len(result.broken) for result in report.results)
    refuted = sum(verdict.refuted for result in report.results for _, verdict in result.broken)
    return (
        f"{len(held)} of {len(report.results)} claims hold ({kinds or 'none'}), "
        f"{refuted} of {variants} broken variants refuted, {failed} failing, {report.seconds:.1f} s"
    )
