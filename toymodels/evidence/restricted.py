"""Cases drawn under a restriction: some sizes preset, some variables moved, each still in its space."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.arithmetic.measured import Measured
from toymodels.arithmetic.rationals import is_rational, object_array, to_fraction
from toymodels.arithmetic.systems import System
from toymodels.errors import AssumptionError
from toymodels.evidence.statement import Case, Statement
from toymodels.spaces.source import Domain, Drawer, Record, Recording, Rejected, Replay

LARGEST = 4
"""Largest size of what has no range of its own."""

Numbers = dict[str, np.ndarray]
"""The free variables of a case: exact numbers in arrays of the variables' shapes."""
Move = Callable[[Numbers], Numbers]
"""Replaces free variables; those that it does not return stay."""


@dataclass
class Dyadic:
    """A drawer of small multiples of 1/8, exact in every arithmetic; zeros and ties occur."""

    rng: np.random.Generator

    def numbers(self, domain: Domain, count: int) -> list[Any]:
        """Return `count` numbers of the domain."""
        low, high = domain.low, domain.high
        if math.isinf(low) and math.isinf(high):
            return [Fraction(int(k), 8) for k in self.rng.integers(-24, 25, count)]
        eighths = [Fraction(int(k), 8) for k in self.rng.integers(1, 33, count)]
        if math.isinf(high):
            return [Fraction(low) + x for x in eighths]
        if math.isinf(low):
            return [Fraction(high) - x for x in eighths]
        return [Fraction(low) + (Fraction(high) - Fraction(low)) * x * 8 / 33 for x in eighths]

    def integer(self, low: int, high: int) -> int:
        """Return a uniform integer."""
        return int(self.rng.integers(low, high + 1))


@dataclass(frozen=True)
class Drawn:
    """The values of a case, and what they were drawn from.

    Attributes
    ----------
    values : dict of str to value
    sizes : dict of str to int
    records : dict of str to Record
        The primitive draws of each variable.
    preset : dict of str to int
        Sizes that were given.
    """

    values: dict[str, Any]
    sizes: dict[str, int]
    records: dict[str, Record]
    preset: dict[str, int] = field(default_factory=dict)

    def free(self) -> Numbers:
        """Return the variables that are their own primitive draws: real numbers, plain matrices."""
        found = {}
        for name, record in self.records.items():
            numbers, value = record.flat(), entries(self.values[name])
            if len(record.numbers) == 1 and numbers and value is not None and list(value.flat) == numbers:
                found[name] = object_array(map(Fraction, numbers), value.shape)
        return found


def entries(value: Any) -> np.ndarray | None:
    """Return a number or array as an object array of Fractions and floats; None for anything else."""
    if isinstance(value, Measured):
        value = value.value
    array = np.asarray(value, dtype=object) if isinstance(value, np.ndarray) or _is_number(value) else None
    if array is None or not all(_is_number(x) for x in array.flat):
        return None
    return object_array((to_fraction(x) if is_rational(x) else float(x) for x in array.flat), array.shape)


def _is_number(x: Any) -> bool:
    return is_rational(x) or isinstance(x, (float, np.floating))


def draw(
    statement: Statement, drawer: Drawer, system: System, preset: Mapping[str, int] | None = None
) -> Drawn:
    """Draw the variables one by one, with some sizes given."""
    return _draw(
        statement, {name: Recording(drawer) for name in statement.spaces}, system, dict(preset or {})
    )


def moved(statement: Statement, drawn: Drawn, move: Move, system: System) -> Drawn:
    """Draw again with some free variables at other numbers.

    Raises
    ------
    Rejected
        When these do not lie in their spaces.
    """
    records = dict(drawn.records)
    for name, numbers in move(drawn.free()).items():
        flat = list(np.asarray(numbers, dtype=object).flat)
        record = records[name]
        if not all(d.low < x < d.high for d, x in zip(record.domains(), flat, strict=True)):
            raise Rejected(f"{name} leaves its space")
        records[name] = record.with_numbers(flat)
    drawers = {name: Recording(Replay(record)) for name, record in records.items()}
    return _draw(statement, drawers, system, drawn.preset)


def _draw(
    statement: Statement, drawers: Mapping[str, Recording], system: System, preset: dict[str, int]
) -> Drawn:
    source = statement.source(next(iter(drawers.values()), Recording(Replay(Record()))), system, LARGEST)
    source.sizes.update(preset)
    values = {}
    try:
        with np.errstate(all="ignore"):
            for name, space in statement.spaces.items():
                source.drawer = drawers[name]
                values[name] = space.draw(source, name)
    except (AssumptionError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        raise Rejected(str(error)) from error
    records = {name: drawer.record for name, drawer in drawers.items()}
    return Drawn(values, dict(source.sizes), records, preset)


def evaluated(statement: Statement, drawn: Drawn) -> Case:
    """Evaluate the statement there, or reject the case."""
    try:
        with np.errstate(all="ignore"):
            result = statement.run(drawn.values)
    except (AssumptionError, ZeroDivisionError, OverflowError, np.linalg.LinAlgError) as error:
        raise Rejected(str(error)) from error
    return Case(Record(), drawn.values, drawn.sizes, result)
