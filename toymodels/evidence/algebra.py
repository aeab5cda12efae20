"""The rungs that decide identities: words, exact draws, digits, floats within their budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from toymodels.arithmetic import rationals, systems
from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.degrees import degree_of
from toymodels.arithmetic.extension import Root
from toymodels.arithmetic.words import Words
from toymodels.errors import InputError, LeftArithmetic
from toymodels.evidence import sides
from toymodels.evidence.statement import MOST_REJECTIONS, Case, Statement, draw_until_accepted, replay
from toymodels.evidence.verdict import Evidence, Outcome, Verdict
from toymodels.spaces.source import RandomFloats, Refused, Rejected, UniformRationals

NOT_HERE = (LeftArithmetic, Refused, InputError, TypeError, AttributeError, NotImplementedError)
"""What a statement raises in an arithmetic that it does not run in."""

DRAWS_PER_SIZE = 2


class NotApplicable(Exception):
    """A rung that cannot decide this statement."""


def by_words(statement: Statement) -> Verdict:
    """Prove an identity for every size, or raise NotApplicable."""
    try:
        values = {name: space.as_words(name) for name, space in statement.spaces.items()}
        left, right = statement.run(values)
        compared = list(sides.pairs(left, right))
        for pair in compared:
            _require_symbolic(pair)
        equal = all(sides.is_zero(a - b) for a, b in compared)
    except (*NOT_HERE, ZeroDivisionError) as error:
        raise NotApplicable(str(error)) from error
    if not equal:
        raise NotApplicable("the two sides differ as words")
    matrices = not all(isinstance(value, Scalar) for name, value in values.items() if name)
    what = "identity of words: holds for every size" if matrices else "identity of rational functions"
    return Verdict(Outcome.holds, Evidence.proved, what, cases=1)


def _require_symbolic(pair: sides.Sides) -> None:
    """Refuse a comparison that no variable entered, or a float did: neither proves anything of symbols."""
    entries = [entry for side in pair for entry in sides.entries(side)]
    if not any(isinstance(entry, (Words, Scalar, Root)) for entry in entries):
        raise LeftArithmetic("the sides hold no symbols")
    if any(isinstance(entry, (float, complex, np.inexact)) for entry in entries):
        raise LeftArithmetic("a float stands among the symbols")


def by_exact_draws(
    statement: Statement, rng: np.random.Generator, sizes: int, piecewise: bool = False
) -> Verdict:
    """Decide an identity at random sizes on uniform rationals, or raise NotApplicable.

    A piecewise statement is drawn as often where it has no sizes, to meet its cells.

    Each size is tried with `DRAWS_PER_SIZE` independent draws; by Schwartz-Zippel a
    false identity of degree D passes there with probability at most (D/2^61)^draws.
    """
    system = systems.fmpq() or systems.FRACTIONS
    seen: dict[tuple, int] = {}
    degree, cases = 0, 0
    if not piecewise and not _has_sizes(statement, rng, system):
        sizes = 1
    for index in range(sizes):
        # much that fails in general holds for scalars, so the first sizes are at least two
        sized = replace(statement, smallest=2) if index == 0 else statement
        state = rng.bit_generator.state
        first = _exact_case(sized, rng, system)
        after = rng.bit_generator.state
        rng.bit_generator.state = state
        degree = max(degree, _degree(sized, rng))
        rng.bit_generator.state = after
        for k in range(DRAWS_PER_SIZE):
            case = first if k == 0 else _same_size(statement, first, rng, system)
            cases += 1
            left, right = case.result
            if not sides.exactly_equal(left, right):
                return Verdict(
                    Outcome.refuted, Evidence.exact, "exact arithmetic shows a difference", cases=cases
                )
        key = tuple(first.sizes.items())
        seen[key] = seen.get(key, 0) + DRAWS_PER_SIZE
    fewest = min(seen.values())
    probability = _probability(degree, 1 if piecewise else fewest)
    return Verdict(
        Outcome.holds,
        Evidence.exact,
        _exact_words(seen, cases, probability),
        cases=cases,
        error_probability=probability,
    )


def _has_sizes(statement: Statement, rng: np.random.Generator, system: systems.System) -> bool:
    return bool(_exact_case(statement, rng, system).record.integers)


def _exact_case(statement: Statement, rng: np.random.Generator, system: systems.System) -> Case:
    try:
        case = draw_until_accepted(statement, UniformRationals(rng), system)
        left, right = case.result
        for side in (left, right):
            sides.apply(side, _require_exact)
    except NOT_HERE as error:
        raise NotApplicable(str(error)) from error
    return case


def _require_exact(value: Any) -> None:
    for entry in sides.entries(value):
        for part in getattr(entry, "parts", (entry,)):
            for number in (part.p, part.q) if isinstance(part, Root) else sides.entries(part):
                rationals.require_exact(number)


def _same_size(statement: Statement, first: Case, rng: np.random.Generator, system: systems.System) -> Case:
    """Draw fresh numbers for the sizes (and choices) of a case."""
    drawer, reason = UniformRationals(rng), ""
    for _ in range(MOST_REJECTIONS):
        fresh = [x for domain, values in first.record.numbers for x in drawer.numbers(domain, len(values))]
        try:
            return replay(statement, first.record.with_numbers(fresh), system)
        except Rejected as error:
            reason = str(error)
    raise NotApplicable(f"no second draw of {MOST_REJECTIONS} lies in the spaces ({reason})")


def _degree(statement: Statement, rng: np.random.Generator) -> int:
    try:
        case = draw_until_accepted(statement, UniformRationals(rng), systems.DEGREES)
        left, right = case.result
        degrees = [_degree_of_difference(a, b) for a, b in sides.pairs(left, right)]
    except NOT_HERE as error:
        raise NotApplicable(f"no degree bound: {error}") from error
    return max(degrees)


def _degree_of_difference(a: Any, b: Any) -> int:
    numbers: list[Any] = []
    for entry in sides.entries(a - b):
        numbers.extend((entry.p, entry.q) if isinstance(entry, Root) else [entry])
    return max(degree_of(number) for number in numbers)


def _probability(degree: int, draws: int) -> float:
    """Schwartz-Zippel bound (degree / 2^61)^draws; the smallest float where it underflows."""
    if degree == 0:
        return 0.0
    log10 = draws * (math.log10(degree) - rationals.DRAW_BITS * math.log10(2))
    return max(10.0**log10, 5e-324) if log10 < 0 else 1.0


def _exact_words(seen: dict[tuple, int], cases: int, probability: float) -> str:
    largest = max((max(dict(key).values(), default=0) for key in seen), default=0)
    if largest == 0:
        where = f"exact on {cases} random rational draws"
    else:
        where = f"exact at {len(seen)} random sizes up to {largest}"
    return f"{where}, error probability < {probability:.1g} at each" if probability else where


def by_digits(statement: Statement, rng: np.random.Generator, cases: int, digits: int = 50) -> Verdict:
    """Compare the sides to `digits` digits, computed with twice as many; or raise NotApplicable.

    Where they seem to differ, as every rounding error does beside a zero, they
    are computed again with four times as many: rounding shrinks, a true
    difference stays.
    """
    context = systems.digits_context(2 * digits)
    small, largest = context.mpf(10) ** -digits, context.mpf(0)
    drawer = RandomFloats(rng)
    for _ in range(cases):
        case, numbers = _digits_case(partial(draw_until_accepted, statement, drawer), 2 * digits)
        relative = [abs(x - y) / (max(abs(x), abs(y)) or 1) for x, y in numbers]
        largest = max([largest, *(r for r in relative if r <= small)])
        if max(relative) <= small:
            continue
        _, finer = _digits_case(partial(replay, statement, case.record), 4 * digits)
        stays = [abs(u - v) > small * abs(x - y) for (x, y), (u, v) in zip(numbers, finer, strict=True)]
        apart = [r for r, stay in zip(relative, stays, strict=True) if r > small and stay]
        if apart:
            return Verdict(
                Outcome.refuted,
                Evidence.digits,
                f"the sides differ by a relative {float(max(apart)):.2g} in {2 * digits} digits",
                cases=cases,
            )
    why = f"agrees to {digits} digits at {cases} random points, computed with {2 * digits}"
    agreed = float(-context.log10(largest)) if largest else 2.0 * digits
    return Verdict(Outcome.holds, Evidence.digits, why, margin=agreed - digits, cases=cases)


def _digits_case(run: Callable[[systems.System], Case], digits: int) -> tuple[Case, list[tuple[Any, Any]]]:
    """Return a case with so many digits, and the pairs of finite numbers that it compares."""
    system = systems.digits(digits)
    try:
        case = run(system)
        left, right = case.result
        numbers = [
            pair for a, b in sides.pairs(left, right) for pair in zip(*sides.broadcast(a, b), strict=True)
        ]
        for pair in numbers:
            systems.require_own(system, pair)
    except (*NOT_HERE, Rejected) as error:
        raise NotApplicable(str(error)) from error
    if not all(systems.digits_context(digits).isfinite(x) for pair in numbers for x in pair):
        raise NotApplicable("the sides are not finite")
    return case, numbers
