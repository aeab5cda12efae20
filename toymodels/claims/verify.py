"""Verify many claims, in this process or in several, and report."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

from toymodels.batch import Progress, environment, in_workers
from toymodels.claims import registry
from toymodels.claims.claim import Claim, Result
from toymodels.errors import InputError
from toymodels.evidence.plan import CASES
from toymodels.validation import one_of, positive_int

Name = str | os.PathLike[str] | Claim


@dataclass
class Report:
    """The results of a verification.

    Attributes
    ----------
    results : list of Result
        In the order of the claims, whatever order they finished in.
    seconds : float
    environment : dict
        Versions and settings that the numbers depend on.
    """

    results: list[Result]
    seconds: float
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every claim holds and every broken variant is refuted."""
        return all(result.ok for result in self.results)

    def to_json(self) -> str:
        """Return strict JSON (null where a number is not finite)."""
        content = {"results": [_result(r) for r in self.results], "environment": self.environment}
        return json.dumps(content, indent=2, allow_nan=False)

    def __str__(self) -> str:
        from toymodels.claims.text import page

        return page(self)


def _finite(x: float | None) -> float | None:
    return None if x is None or not math.isfinite(x) else float(x)


def _result(result: Result) -> dict[str, Any]:
    verdict = result.verdict
    example = verdict.counterexample
    return {
        "name": result.claim.name,
        "label": result.claim.label,
        "kind": result.claim.kind,
        "source": result.claim.source,
        "verdict": str(verdict.outcome),
        "evidence": verdict.evidence.name,
        "why": verdict.why,
        "margin": _finite(verdict.margin),
        "tightness": _finite(verdict.tightness),
        "error_probability": _finite(verdict.error_probability),
        "cases": verdict.cases,
        "seconds": round(result.seconds, 4),
        "worst": verdict.worst,
        "skipped": verdict.skipped,
        "counterexample": None if example is None else vars(example),
        "broken": [{"name": name, "refuted": v.refuted, "why": v.why} for name, v in result.broken],
        "ok": result.ok,
    }


def verify(
    what: Name | Sequence[Name] | None = None,
    *,
    effort: str = "normal",
    seed: int = 0,
    jobs: int = 1,
    explain: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Verify claims numerically, each with its broken variants.

    Parameters
    ----------
    what : str, path or Claim, or a sequence of them, optional
        A claim, theorem module, card, family or file (tried in that order);
        everything by default. A claim named twice is verified once.
    effort : {"quick", "normal", "deep"}
    seed : int
        The same seed gives the same report, whatever the number of jobs.
    jobs : int
        Processes.
    explain : bool
        Whether the broken variants too get a counterexample small enough to read, which takes longer.
    progress : callable (done, total, name), optional

    Raises
    ------
    InputError
        When the name is unknown or ambiguous, or the file cannot be loaded.

    Examples
    --------
    >>> import toymodels as tm
    >>> tm.verify("linear_derivatives.gradient_is_derivative", effort="quick").ok
    True
    """
    one_of("effort", effort, CASES)
    positive_int("jobs", jobs)
    positive_int("seed", seed, least=0)
    start = time.perf_counter()
    claims = _claims(what)
    done: dict[int, Result] = {}
    for index, result in _run(claims, effort, seed, jobs, explain):
        done[index] = result
        if progress is not None:
            progress(len(done), len(claims), result.claim.name)
    results = [done[k] for k in range(len(claims))]
    return Report(results, time.perf_counter() - start, environment(effort, seed, jobs))


def _claims(what: Any) -> list[Claim]:
    """Return the claims that one name or several mean."""
    if what is None or isinstance(what, (str, os.PathLike, Claim)):
        names = [what]
    elif isinstance(what, Sequence):
        names = list(what)
    else:
        raise InputError(f"what: expected a name, a file or a claim, got {what!r}")
    found: dict[str, Claim] = {}
    for name in names:
        if not isinstance(name, (str, os.PathLike, Claim, NoneType)):
            raise InputError(f"what: expected a name, a file or a claim, got {name!r}")
        path = os.fspath(name) if isinstance(name, os.PathLike) else name
        for claim in [path] if isinstance(path, Claim) else registry.find(path):
            found.setdefault(f"{claim.address} {claim.name}", claim)
    return list(found.values())


def _run(
    claims: Sequence[Claim], effort: str, seed: int, jobs: int, explain: bool
) -> Iterator[tuple[int, Result]]:
    jobs = min(jobs, len(claims))
    if jobs <= 1:
        for index, claim in enumerate(claims):
            yield index, claim.verify(effort, seed, explain)
        return
    tasks = [(claim.name, claim.address, effort, seed, explain) for claim in claims]
    for index, (verdict, broken, seconds) in in_workers(_verify_by_name, tasks, jobs):
        yield index, Result(claims[index], verdict, broken, seconds)


def _verify_by_name(name: str, address: str, effort: str, seed: int, explain: bool) -> tuple[Any, Any, float]:
    """Verify in a worker; claims hold functions, so they travel by name, or by file and name."""
    claims = registry.load_file(address) if address.endswith(".py") else registry.all_claims()
    claim = next(claim for claim in claims if claim.name == name)
    result = claim.verify(effort, seed, explain)
    return result.verdict, result.broken, result.seconds
