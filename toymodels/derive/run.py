"""Check files of derivations, in this process or in several, and report."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toymodels.batch import Progress, environment, in_workers
from toymodels.derive.check import check_derivation
from toymodels.derive.document import Document, Entry, Formula
from toymodels.derive.loader import load_file
from toymodels.derive.page import page
from toymodels.derive.record import record
from toymodels.evidence.plan import CASES
from toymodels.validation import one_of, positive_int


@dataclass
class Report:
    """What the check says of derivations.

    Attributes
    ----------
    documents : list of Document
        In the order in which they were named.
    seconds : float
    environment : dict
        Versions and settings that the evidence depends on.
    """

    documents: list[Document]
    seconds: float
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether there is a derivation, and every line of every one holds and says something."""
        return bool(self.documents) and all(document.ok for document in self.documents)

    def to_json(self) -> str:
        """Return strict JSON (null where a number is not finite)."""
        content = {
            "derivations": [_document(document) for document in self.documents],
            "ok": self.ok,
            "seconds": round(self.seconds, 4),
            "environment": self.environment,
        }
        return json.dumps(content, indent=2, allow_nan=False)

    def to_text(self, verbose: bool = False) -> str:
        """Return a page that reads like the proof."""
        return page(self.documents, self.seconds, verbose)

    def to_markdown(self) -> str:
        """Return Markdown, formulas between dollars."""
        from toymodels.derive.markdown import markdown

        return markdown(self.documents, self.seconds)

    def to_latex(self) -> str:
        """Return a LaTeX article, whose body can stand in an appendix."""
        from toymodels.derive.latex import latex

        return latex(self.documents, self.seconds)

    def __str__(self) -> str:
        return self.to_text()


def check_files(
    files: Sequence[tuple[Path, str]],
    effort: str = "normal",
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Check the derivations of several files.

    Parameters
    ----------
    files : sequence of (Path, name)
        The name is printed.
    effort : {"quick", "normal", "deep"}
    seed : int
    jobs : int
        Processes; a file is a task.
    progress : callable (done, total, name), optional

    Raises
    ------
    InputError
        When a file cannot be read or holds no derivation.
    """
    one_of("effort", effort, CASES)
    positive_int("seed", seed, least=0)
    positive_int("jobs", jobs)
    start = time.perf_counter()
    tasks = [(path, name, effort, seed) for path, name in files]
    many = min(jobs, len(tasks)) > 1
    results = in_workers(_check_file, tasks, min(jobs, len(tasks))) if many else _here(tasks)
    done: dict[int, list[Document]] = {}
    for index, documents in results:
        done[index] = documents
        if progress is not None:
            progress(len(done), len(tasks), files[index][1])
    documents = [document for k in range(len(tasks)) for document in done[k]]
    return Report(documents, time.perf_counter() - start, environment(effort, seed, jobs))


def _here(tasks: Sequence[tuple[Any, ...]]) -> Any:
    for index, task in enumerate(tasks):
        yield index, _check_file(*task)


def _check_file(path: Path, name: str, effort: str, seed: int) -> list[Document]:
    """Check one file; what it prints goes to the error stream, the report alone to the output."""
    with redirect_stdout(sys.stderr):
        found = load_file(path).derivations
        return [record(D, check_derivation(D, effort, seed), name) for D in found]


def _finite(x: float | None) -> float | None:
    return None if x is None or not math.isfinite(x) else float(x)


def _document(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "source": document.source,
        "name": document.name,
        "ok": document.ok,
        "seconds": round(document.seconds, 4),
        "letters": [
            {"names": [x.text for x in group.names], "what": group.words} for group in document.letters
        ],
        "assumptions": [x.text for x in document.assumptions],
        "lines": [_line(entry) for entry in document.entries],
    }


def _line(entry: Entry) -> dict[str, Any]:
    """Return one line as JSON carries it."""
    formulas = {"left": entry.left, "right": entry.right, "case": entry.case, "given": entry.given,
                "limit": entry.limit, "order": entry.order, "slack": entry.slack}  # fmt: skip
    texts = {name: None if x is None else x.text for name, x in formulas.items()}
    latex = {f"{name}_latex": None if x is None else x.latex for name, x in formulas.items()}
    return {
        "number": entry.number,
        "kind": entry.kind,
        "relation": entry.relation or None,
        **texts,
        **latex,
        "rules": [_rule(x, y) for x, y in entry.rules],
        "text": entry.text or None,
        "verdict": entry.verdict or None,
        "mark": entry.mark or None,
        "evidence": entry.evidence or None,
        "why": entry.why or None,
        "vacuous": entry.vacuous or None,
        "notes": entry.notes,
        "because": entry.because or None,
        "lemma": entry.lemma,
        "follows": entry.follows or None,
        "counterexample": entry.counterexample,
        "worst": entry.worst,
        "skipped": entry.skipped,
        "cases": entry.cases,
        "error_probability": _finite(entry.error_probability),
        "place": {"file": entry.file, "line": entry.line},
        "seconds": None if entry.seconds is None else round(entry.seconds, 4),
    }


def _rule(x: Formula, y: Formula) -> dict[str, str]:
    return {"left": x.text, "right": y.text, "left_latex": x.latex, "right_latex": y.latex}
