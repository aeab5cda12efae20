"""One function is one claim: its variables, knobs, broken variants, and how it is decided."""

from __future__ import annotations

import inspect
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.evidence.sides import Vacuous
from toymodels.evidence.statement import Statement
from toymodels.evidence.verdict import Outcome, Verdict, undecided
from toymodels.spaces.space import Space
from toymodels.validation import one_of

CASES = {"quick": 25, "normal": 200, "deep": 5000}
"""Pointwise cases by effort; trajectories take a tenth."""
USER_PREFIX = "toymodels_user_"
"""Module names of users' files start with this."""


@dataclass(frozen=True)
class Paper:
    """A published source.

    Attributes
    ----------
    name : str
        Authors and year.
    arxiv : str
    """

    name: str
    arxiv: str = ""

    def __str__(self) -> str:
        return f"{self.name} (arXiv {self.arxiv})" if self.arxiv else self.name


@dataclass(frozen=True)
class Plan:
    """How hard to look.

    Attributes
    ----------
    effort : {"quick", "normal", "deep"}
    cases : int
        Cases to look at.
    seed : int
        Of this statement alone, so results do not depend on what else runs.
    hunting : bool
        Whether a refutation is expected, as for a broken variant.
    """

    effort: str
    cases: int
    seed: int
    hunting: bool = False

    def rng(self) -> np.random.Generator:
        """Return a fresh generator of the plan's seed."""
        return np.random.default_rng(self.seed)


Decide = Callable[[Statement, Plan, Mapping[str, Any]], Verdict]


@dataclass(frozen=True)
class Claim:
    """A statement that can be verified.

    Attributes
    ----------
    function : callable
        Variables are positional, knobs keyword-only.
    kind : str
    label : str
        Card and number, several joined by "; ".
    spaces : dict of str to Space
    broken : dict of str to dict
        Overrides of knobs or spaces under which the statement must be refuted.
    source : str
        Where the statement comes from.
    options : dict
        Of the kind (rivals, order, direction ...).
    ranges : dict of str to (int, int)
        Of named sizes.
    cost : {"pointwise", "trajectory"}
    decide : callable
    """

    function: Callable[..., Any]
    kind: str
    label: str
    spaces: dict[str, Space]
    broken: dict[str, dict[str, Any]]
    source: str
    options: dict[str, Any]
    ranges: dict[str, tuple[int, int]]
    cost: str
    decide: Decide = field(repr=False)
    module: str = ""

    @property
    def name(self) -> str:
        """Module and function, such as "landscape.hessian_blocks"."""
        return f"{self.module}.{self.function.__name__}"

    @property
    def address(self) -> str:
        """What `toymodels verify` takes: the name, or the file of a user's claim."""
        file = self.function.__code__.co_filename
        return file if self.function.__module__.startswith(USER_PREFIX) else self.name

    @property
    def statement(self) -> str:
        """The docstring, in one paragraph."""
        return " ".join(inspect.cleandoc(self.function.__doc__ or "").split("\n\n")[0].split())

    @property
    def cards(self) -> set[str]:
        """Cards that the labels name."""
        return {part.split()[0] for part in self.label.split("; ")}

    def __call__(self, *args: Any, **knobs: Any) -> Any:
        return self.function(*args, **knobs)

    def variant(self, overrides: Mapping[str, Any] | None = None) -> Statement:
        """Return the statement to check, with knobs or spaces overridden."""
        overrides = dict(overrides or {})
        ranges = {**self.ranges, **overrides.pop("sizes", {})}
        spaces = {name: overrides.pop(name, space) for name, space in self.spaces.items()}
        function = self.function
        return Statement(lambda *values: function(*values, **overrides), spaces, ranges, self.name)

    def verify(self, effort: str = "normal", seed: int = 0) -> Result:
        """Verify the claim and refute its broken variants."""
        one_of("effort", effort, CASES)
        start = time.perf_counter()
        verdict = self._decide(self.variant(), self._plan("", effort, seed, hunting=False))
        broken = [
            (name, self._decide(self.variant(overrides), self._plan(name, effort, seed, hunting=True)))
            for name, overrides in self.broken.items()
        ]
        return Result(self, verdict, broken, time.perf_counter() - start)

    def _plan(self, variant: str, effort: str, seed: int, hunting: bool) -> Plan:
        cases = CASES[effort] // (10 if self.cost == "trajectory" else 1)
        key = zlib.crc32(f"{self.function.__name__}/{variant}/{seed}".encode())
        return Plan(effort, max(cases, 2), key, hunting)

    def _decide(self, statement: Statement, plan: Plan) -> Verdict:
        start = time.perf_counter()
        try:
            verdict = self.decide(statement, plan, self.options)
        except Vacuous as error:
            verdict = undecided(f"vacuous: {error}")
        verdict.seconds = time.perf_counter() - start
        if verdict.counterexample is not None:
            verdict.counterexample.reproduce = f"toymodels verify {self.address} --effort {plan.effort}"
        return verdict


@dataclass
class Result:
    """A claim, its verdict and those of its broken variants."""

    claim: Claim
    verdict: Verdict
    broken: list[tuple[str, Verdict]]
    seconds: float

    @property
    def idle(self) -> list[str]:
        """Broken variants that were not refuted: the check could not fail."""
        return [name for name, verdict in self.broken if verdict.outcome is not Outcome.refuted]

    @property
    def ok(self) -> bool:
        """Whether the claim holds and every broken variant is refuted."""
        return self.verdict.holds and not self.idle


_RESERVED = {"broken", "source", "sizes", "cost"}


def claim_decorator(kind: str, decide: Decide, options: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Return the decorator of a kind of claims.

    Parameters
    ----------
    kind : str
    decide : callable (Statement, Plan, options) -> Verdict
    options : tuple of str
        Keyword arguments of the decorator that go to `decide`.
    """

    def decorator(label: str, **arguments: Any) -> Callable[[Callable[..., Any]], Claim]:
        given = {name: arguments.pop(name) for name in options if name in arguments}
        meta = {name: arguments.pop(name) for name in _RESERVED if name in arguments}

        def attach(function: Callable[..., Any]) -> Claim:
            home = inspect.getmodule(function)
            paper = getattr(home, "PAPER", None) or function.__globals__.get("PAPER")
            claim = Claim(
                function,
                kind,
                label,
                arguments,
                meta.get("broken", {}),
                str(meta.get("source") or paper or "own"),
                given,
                meta.get("sizes", {}),
                meta.get("cost", "pointwise"),
                decide,
                function.__module__.rpartition(".")[2],
            )
            _validate(claim)
            return claim

        return attach

    decorator.__name__ = decorator.__qualname__ = kind
    return decorator


def _validate(claim: Claim) -> None:
    where = f"claim {claim.function.__name__}"
    parameters = inspect.signature(claim.function).parameters.values()
    positional = [p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    knobs = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    if positional != list(claim.spaces):
        raise InputError(
            f"{where}: expected one space per variable, in order ({', '.join(positional)}),"
            f" got {', '.join(claim.spaces) or 'none'}"
        )
    for name, space in claim.spaces.items():
        if not isinstance(space, Space):
            raise InputError(f"{where}: {name} must be a space, got {space!r}")
    if not claim.statement:
        raise InputError(f"{where}: expected a docstring, which is the statement")
    if not claim.label:
        raise InputError(f"{where}: expected a label")
    if not claim.broken:
        raise InputError(f"{where}: expected at least one broken variant; a check that cannot fail shows nothing")
    for name, overrides in claim.broken.items():
        unknown = set(overrides) - knobs - set(claim.spaces) - {"sizes"}
        if unknown or not overrides:
            raise InputError(f"{where}: broken variant {name!r} must override a knob or a space, got {overrides!r}")
    one_of("cost", claim.cost, ("pointwise", "trajectory"))
