"""One function is one claim: its variables, knobs, broken variants, and how it is decided."""

from __future__ import annotations

import inspect
import time
import traceback
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toymodels.errors import InputError
from toymodels.evidence.plan import CASES, Plan
from toymodels.evidence.sides import Vacuous
from toymodels.evidence.statement import Statement
from toymodels.evidence.verdict import Outcome, Verdict, undecided
from toymodels.spaces.space import Space
from toymodels.validation import nearest, one_of, positive_int

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


Decide = Callable[[Statement, Plan, Mapping[str, Any]], Verdict]


HUNTED = 20
"""Cases, at least, in which a broken variant is hunted, however little effort."""


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

    def verify(self, effort: str = "normal", seed: int = 0, explain: bool = True) -> Result:
        """Verify the claim and refute its broken variants, these with a counterexample to read or without."""
        one_of("effort", effort, CASES)
        start = time.perf_counter()
        verdict = self._decide(self.variant(), self._plan("", effort, seed))
        broken = [
            (name, self._decide(self.variant(overrides), self._plan(name, effort, seed, explain)))
            for name, overrides in self.broken.items()
        ]
        for each in (verdict, *(found for _, found in broken)):
            if each.counterexample is not None:
                each.counterexample.reproduce = self._command(effort, seed)
        return Result(self, verdict, broken, time.perf_counter() - start)

    def _command(self, effort: str, seed: int) -> str:
        """Return the command line that shows the same again."""
        return f"toymodels verify {self.address} --effort {effort}" + (f" --seed {seed}" if seed else "")

    def _plan(self, variant: str, effort: str, seed: int, readable: bool = True) -> Plan:
        cases = CASES[effort] // (10 if self.cost == "trajectory" else 1)
        if variant:
            # the hunt ends at the first case that breaks, and some break only where a kink is met
            cases = max(cases, HUNTED)
        key = zlib.crc32(f"{self.function.__name__}/{variant}/{seed}".encode())
        return Plan(effort, max(cases, 2), key, readable)

    def _decide(self, statement: Statement, plan: Plan) -> Verdict:
        start = time.perf_counter()
        try:
            verdict = self.decide(statement, plan, self.options)
        except Vacuous as error:
            verdict = undecided(f"vacuous: {error}")
        except Exception as error:
            text = str(error).splitlines()[0] if str(error) else ""
            verdict = undecided(f"raised {type(error).__name__}: {text}{self._where(error)}")
        verdict.seconds = time.perf_counter() - start
        return verdict

    def _where(self, error: BaseException) -> str:
        """Return file and line of the innermost frame in the claim's own file, or else of the innermost."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == self.function.__code__.co_filename]
        frame = (own or list(frames))[-1]
        return f" ({Path(frame.filename).name}:{frame.lineno})"


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

    def decorator(label: str = "", **arguments: Any) -> Callable[[Callable[..., Any]], Claim]:
        if not isinstance(label, str) or not label.strip():
            raise InputError(f'{kind}: expected a label, as in @{kind}("card 1", x=real, broken=...)')
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
    keywords = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    knobs = {p.name for p in keywords}
    for knob in keywords:
        if knob.default is inspect.Parameter.empty:
            raise InputError(f"{where}: knob {knob.name} needs its true value as default")
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
    if not isinstance(claim.broken, Mapping) or not claim.broken:
        raise InputError(
            f"{where}: expected at least one broken variant, {{name: overrides}}, that must fail"
        )
    for name, overrides in claim.broken.items():
        _validate_overrides(f"{where}: broken variant {name!r}", overrides, claim.spaces, knobs)
    _validate_sizes(where, claim.ranges)
    one_of("cost", claim.cost, ("pointwise", "trajectory"))


def _validate_overrides(where: str, overrides: Any, spaces: Mapping[str, Space], knobs: set[str]) -> None:
    if not isinstance(overrides, Mapping) or not overrides:
        raise InputError(f"{where} must override a knob or a space, got {overrides!r}")
    for name, value in overrides.items():
        if name not in {*knobs, *spaces, "sizes"}:
            raise InputError(f"{where}: unknown {name!r}{nearest(name, {*knobs, *spaces})}")
        if name in spaces and not isinstance(value, Space):
            raise InputError(f"{where}: {name} must be a space, got {value!r}")
    _validate_sizes(where, overrides.get("sizes", {}))


def _validate_sizes(where: str, ranges: Any) -> None:
    if not isinstance(ranges, Mapping):
        raise InputError(f"{where}: expected sizes={{name: (low, high)}}, got {ranges!r}")
    for name, ends in ranges.items():
        if (
            not isinstance(ends, tuple)
            or len(ends) != 2
            or not 1 <= positive_int("sizes", ends[0]) <= ends[1]
        ):
            raise InputError(
                f"{where}: expected (low, high) with 1 <= low <= high for size {name}, got {ends!r}"
            )
