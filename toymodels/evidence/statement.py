"""A statement to check: a function of variables in spaces, and how to run it in each arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toymodels.arithmetic.systems import FLOATS, System
from toymodels.errors import AssumptionError, InputError
from toymodels.evidence.sides import show
from toymodels.spaces.source import Drawer, Record, Recording, Rejected, Replay, Source
from toymodels.spaces.space import Space

MOST_REJECTIONS = 200


@dataclass(frozen=True)
class Statement:
    """A function of named variables, with knobs already fixed.

    Attributes
    ----------
    function : callable
        Takes one value per variable, in order.
    spaces : dict of str to Space
    ranges : dict of str to (int, int)
        Smallest and largest value of named sizes.
    name : str
    smallest : int
        Least size to draw, where the range of the name has larger ones.
    """

    function: Callable[..., Any]
    spaces: dict[str, Space]
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    name: str = ""
    smallest: int = 1

    def values(self, source: Source) -> dict[str, Any]:
        """Draw one value per variable."""
        return {name: space.draw(source, name) for name, space in self.spaces.items()}

    def run(self, values: dict[str, Any]) -> Any:
        """Evaluate the statement."""
        return self.function(*values.values())

    def source(self, drawer: Drawer, system: System = FLOATS, largest: int = 5) -> Source:
        """Return a source of cases in a number system."""
        ranges = {name: (self._least(*ends), ends[1]) for name, ends in self.ranges.items()}
        return Source(drawer, system, ranges, (self._least(1, largest), largest))

    def _least(self, low: int, high: int) -> int:
        return max(low, min(self.smallest, high))


@dataclass
class Case:
    """One evaluated case: its draws, values and result."""

    record: Record
    values: dict[str, Any]
    sizes: dict[str, int]
    result: Any

    def printed(self) -> dict[str, str]:
        """Return the variables, printed, sizes last; a variable without a name is not shown."""
        hidden = {"", *self.sizes}
        shown: dict[str, str] = {}
        for name, value in self.values.items():
            names = name.split(", ")
            several = len(names) > 1 and isinstance(value, tuple) and len(value) == len(names)
            shown |= (
                {n: show(v) for n, v in zip(names, value, strict=True)} if several else {name: show(value)}
            )
        shown = {name: text for name, text in shown.items() if name not in hidden}
        if self.sizes:
            shown["sizes"] = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        return shown


def evaluate(statement: Statement, drawer: Drawer, system: System = FLOATS, largest: int = 5) -> Case:
    """Draw a case and evaluate it; AssumptionError of a closed form rejects the draw."""
    recording = Recording(drawer)
    source = statement.source(recording, system, largest)
    try:
        with np.errstate(all="ignore"):
            values = statement.values(source)
            result = statement.run(values)
    except (AssumptionError, ZeroDivisionError) as error:
        raise Rejected(str(error)) from error
    return Case(recording.record, values, dict(source.sizes), result)


def replay(statement: Statement, record: Record, system: System = FLOATS) -> Case:
    """Evaluate a recorded case again, in any number system."""
    return evaluate(statement, Replay(record), system)


def draw_until_accepted(
    statement: Statement, drawer: Drawer, system: System = FLOATS, largest: int = 5
) -> Case:
    """Evaluate the first case that lies in its spaces."""
    reason = ""
    for _ in range(MOST_REJECTIONS):
        try:
            return evaluate(statement, drawer, system, largest)
        except Rejected as error:
            reason = str(error)
    raise InputError(f"{statement.name}: no draw out of {MOST_REJECTIONS} lies in its spaces ({reason})")
