"""Adversarial search: Hypothesis explores and shrinks, SciPy sharpens, rounding makes it readable."""

from __future__ import annotations

import heapq
import itertools
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from toymodels.arithmetic.systems import FLOATS, System
from toymodels.evidence.statement import Case, Statement, evaluate, replay
from toymodels.spaces.source import Domain, RandomFloats, Record, Rejected

Objective = Callable[[Case], float]
"""How close a case comes to breaking the statement: positive is broken."""

WORST_KEPT = 5
MOST_SHRINKS = 400


@cache
def _hypothesis() -> Any:
    """Import Hypothesis with its storage in a temporary folder, so no file is left where the user stands."""
    import hypothesis
    from hypothesis.configuration import set_hypothesis_home_dir

    set_hypothesis_home_dir(tempfile.gettempdir())
    return hypothesis


@contextmanager
def _own_constants_only() -> Iterator[None]:
    """Keep Hypothesis from drawing numbers that it reads in the source of whatever is imported.

    A search would otherwise depend on what else runs in the process.
    """
    from hypothesis.internal.conjecture import providers

    names = ("_get_local_constants", "CONSTANTS_CACHE", "Constants")
    if not all(hasattr(providers, name) for name in names):  # versions that read no sources
        yield
        return
    before = {name: getattr(providers, name) for name in names[:2]}
    none = providers.Constants()
    own = {names[0]: lambda: none, names[1]: type(providers.CONSTANTS_CACHE)(1024)}
    try:
        vars(providers).update(own)
        yield
    finally:
        vars(providers).update(before)


class _Broken(Exception):
    """The current case breaks the statement."""


class _Enough(KeyboardInterrupt):
    """Shrinking has had its share; Hypothesis lets only interrupts pass."""


@dataclass
class Found:
    """What a search saw.

    Attributes
    ----------
    broken : Case or None
        The smallest case found that breaks the statement.
    worst : Case or None
        The case of the largest objective.
    score : float
        Its objective.
    cases : int
    rejected : str
        Why the last case that did not count did not.
    """

    broken: Case | None = None
    worst: Case | None = None
    score: float = -math.inf
    cases: int = 0
    rejected: str = ""
    nearest: list[tuple[float, int, Case]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=lambda: itertools.count(0, -1), repr=False)

    def see(self, score: float, case: Case, count: int = 1) -> None:
        """Count a case and keep the worst ones."""
        self.cases += count
        if score > self.score:
            self.score, self.worst = score, case
        heapq.heappush(self.nearest, (score, next(self._order), case))
        if len(self.nearest) > WORST_KEPT:
            heapq.heappop(self.nearest)


class _Explorer:
    """A drawer whose numbers Hypothesis chooses; small rationals in exact systems."""

    def __init__(self, data: Any, exact: bool):
        self.data, self.exact = data, exact

    def numbers(self, domain: Domain, count: int) -> list[Any]:
        if count == 0:
            return []
        elements = _rational_elements(domain) if self.exact else _float_elements(domain)
        st = _hypothesis().strategies
        return self.data.draw(st.lists(elements, min_size=count, max_size=count))

    def integer(self, low: int, high: int) -> int:
        return self.data.draw(_hypothesis().strategies.integers(low, high))


@cache
def _float_elements(domain: Domain) -> Any:
    st = _hypothesis().strategies
    low, high = domain.low, domain.high
    if domain.logarithmic:
        return st.floats(math.log(low), math.log(high)).map(lambda x: min(max(math.exp(x), low), high))
    if math.isinf(low) and math.isinf(high):
        return st.integers(-3, 3).map(float) | st.floats(-4, 4, allow_subnormal=False)
    if math.isinf(high):
        return st.integers(1, 4).map(lambda k: low + k) | st.floats(-6, 3).map(lambda x: low + math.exp(x))
    return st.floats(low, high, exclude_min=True, exclude_max=True, allow_subnormal=False)


@cache
def _rational_elements(domain: Domain) -> Any:
    st = _hypothesis().strategies
    low, high = domain.low, domain.high
    if math.isinf(low) and math.isinf(high):
        return st.integers(-3, 3).map(Fraction) | st.builds(Fraction, st.integers(-9, 9), st.integers(1, 4))
    if math.isinf(high):
        return st.integers(1, 4).map(lambda k: Fraction(low) + k)
    width = Fraction(high) - Fraction(low)
    return st.integers(1, 7).map(lambda k: Fraction(low) + width * Fraction(k, 8))


def explore(
    statement: Statement,
    objective: Objective,
    cases: int,
    seed: int,
    system: System = FLOATS,
    largest: int = 4,
    shrinks: int = MOST_SHRINKS,
) -> Found:
    """Let Hypothesis look for a case with positive objective, and shrink it."""
    hypothesis = _hypothesis()
    found = Found()
    after_broken = itertools.count()

    def probe(data: Any) -> None:
        try:
            case = evaluate(statement, _Explorer(data, system.exact), system, largest)
        except (Rejected, OverflowError) as error:
            found.rejected = str(error)
            hypothesis.reject()
        score = objective(case)
        if math.isnan(score):
            found.rejected = "the difference has no finite error budget"
            hypothesis.reject()
        if score > 0:
            found.broken = case
            found.cases += 1
            if next(after_broken) >= shrinks:
                raise _Enough
            raise _Broken
        if found.broken is None:
            found.see(score, case)
            if math.isfinite(score):
                hypothesis.target(score)
        elif next(after_broken) >= shrinks:
            raise _Enough

    settings = hypothesis.settings(
        max_examples=cases,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.target, hypothesis.Phase.shrink),
    )
    data = hypothesis.strategies.data()
    test = hypothesis.seed(seed)(settings(hypothesis.given(data)(probe)))
    try:
        with _own_constants_only():
            test()
    except (_Broken, _Enough):
        pass
    except hypothesis.errors.Unsatisfiable:
        pass
    return found


def hunt(
    statement: Statement,
    objective: Objective,
    cases: int,
    seed: int,
    system: System = FLOATS,
    shrinks: int = MOST_SHRINKS,
) -> Found:
    """Look at generic random cases first, which are cheap, then let Hypothesis look at the special ones.

    Three quarters of the cases are random. Where only these break the statement
    the case is rounded instead of shrunk. With no shrinks the first case that breaks it will do.
    """
    special_cases = max(cases // 4, 1)
    found = _sample(statement, objective, cases - special_cases, seed, system)
    if found.broken is not None and not shrinks:
        return found
    special = explore(statement, objective, special_cases, seed, system, shrinks=shrinks)
    special.cases += found.cases
    if special.broken is None and found.broken is not None:
        special.broken = _rounded(statement, objective, found.broken, system)
    for score, _, case in found.nearest:
        special.see(score, case, count=0)
    return special


def _sample(statement: Statement, objective: Objective, cases: int, seed: int, system: System) -> Found:
    """Evaluate independent random cases until one breaks the statement."""
    found, drawer = Found(), RandomFloats(np.random.default_rng(seed))
    for _ in range(cases):
        try:
            case = evaluate(statement, drawer, system, 4)
        except (Rejected, OverflowError) as error:
            found.rejected = str(error)
            continue
        score = objective(case)
        if score > 0:
            found.broken = case
            found.cases += 1
            break
        if not math.isnan(score):
            found.see(score, case)
    return found


def sharpen(
    statement: Statement, objective: Objective, found: Found, evaluations: int, system: System = FLOATS
) -> Found:
    """Push the worst cases further with Nelder-Mead, then round what breaks to small rationals."""
    from scipy.optimize import minimize

    for score, _, case in sorted(found.nearest, reverse=True, key=lambda item: item[:2]):
        start = _to_line(case.record)
        if not 0 < len(start) <= 40 or not math.isfinite(score):
            continue

        def badness(z: Any, record: Record = case.record) -> float:
            try:
                moved = replay(statement, record.with_numbers(_from_line(record, z)), system)
            except (Rejected, OverflowError):
                return math.inf
            value = objective(moved)
            if math.isnan(value):
                return math.inf
            found.see(value, moved)
            if value > 0:
                found.broken = moved
                raise _Broken
            return -value

        try:
            options = {"maxfev": evaluations, "initial_simplex": _simplex(start)}
            minimize(badness, start, method="Nelder-Mead", options=options)
        except _Broken:
            break
    if found.broken is not None:
        found.broken = _rounded(statement, objective, found.broken, system)
    return found


def _simplex(start: list[float]) -> list[list[float]]:
    """Corners a quarter of each coordinate away, at least a quarter: SciPy's own would crawl from zero."""
    corners = [list(start) for _ in range(len(start) + 1)]
    for k, x in enumerate(start):
        corners[k + 1][k] = x + max(abs(x), 1.0) / 4
    return corners


def _to_line(record: Record) -> list[float]:
    """Map each number of a case to the whole line, so that an optimiser may move it freely."""
    return [_coordinate(domain, float(x)) for domain, x in zip(record.domains(), record.flat(), strict=True)]


def _coordinate(domain: Domain, x: float) -> float:
    if math.isinf(domain.high):
        return x if math.isinf(domain.low) else math.log(x - domain.low)
    fraction = (x - domain.low) / (domain.high - domain.low)
    fraction = min(max(fraction, 1e-12), 1 - 1e-12)
    return math.log(fraction / (1 - fraction))


def _from_line(record: Record, z: Any) -> list[float]:
    return [_number(domain, float(x)) for domain, x in zip(record.domains(), z, strict=True)]


def _number(domain: Domain, z: float) -> float:
    if math.isinf(domain.high):
        return z if math.isinf(domain.low) else domain.low + math.exp(min(z, 700.0))
    return domain.low + (domain.high - domain.low) / (1 + math.exp(-min(max(z, -700.0), 700.0)))


def _rounded(statement: Statement, objective: Objective, case: Case, system: System) -> Case:
    """Return the case with the simplest rationals that still break the statement."""
    flat = [float(x) for x in case.record.flat()]
    for denominator in (1, 2, 4, 8, 16, 64, 1024):
        rounded = [float(Fraction(x).limit_denominator(denominator)) for x in flat]
        if not all(d.low < x < d.high for d, x in zip(case.record.domains(), rounded, strict=True)):
            continue
        try:
            candidate = replay(statement, case.record.with_numbers(rounded), system)
        except Rejected:
            continue
        if objective(candidate) > 0:
            return candidate
    return case
