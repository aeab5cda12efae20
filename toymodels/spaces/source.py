"""Where the numbers of a case come from: a drawer of primitive numbers, in some number system.

A space is written once, as a recipe over a `Source`; with another drawer or
another number system the same recipe gives search cases, uniform exact draws,
degrees, symbols, high precision or replays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from toymodels.arithmetic.rationals import DRAW_BITS
from toymodels.arithmetic.systems import FLOATS, System


class Rejected(Exception):
    """A draw that does not lie in its space; another is drawn."""


class Refused(Exception):
    """A space that cannot be drawn in this arithmetic."""


@dataclass(frozen=True)
class Domain:
    """An open interval of real numbers; ``logarithmic`` asks for an even spread of magnitudes."""

    low: float = -math.inf
    high: float = math.inf
    logarithmic: bool = False


REAL = Domain()
POSITIVE = Domain(low=0.0)


class Drawer(Protocol):
    """Draws primitive numbers."""

    def numbers(self, domain: Domain, count: int) -> list[Any]:
        """Return `count` numbers of the domain."""

    def integer(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""


@dataclass
class RandomFloats:
    """Independent floats: normal on the line, log-normal on the half line, uniform between ends."""

    rng: np.random.Generator

    def numbers(self, domain: Domain, count: int) -> list[float]:
        """Return `count` floats of the domain."""
        low, high = domain.low, domain.high
        if domain.logarithmic:
            return list(np.exp(self.rng.uniform(math.log(low), math.log(high), count)))
        if math.isinf(low) and math.isinf(high):
            return list(self.rng.standard_normal(count))
        if math.isinf(high):
            return list(low + np.exp(self.rng.standard_normal(count)))
        return list(self.rng.uniform(low, high, count))

    def integer(self, low: int, high: int) -> int:
        """Return a uniform integer."""
        return int(self.rng.integers(low, high + 1))


@dataclass
class UniformRationals:
    """Independent uniform draws from 2**61 rationals per number, as Schwartz-Zippel asks."""

    rng: np.random.Generator
    generic = True

    def numbers(self, domain: Domain, count: int) -> list[Fraction]:
        """Return `count` rationals of the domain."""
        steps = self.rng.integers(0, 1 << DRAW_BITS, size=count)
        if math.isinf(domain.low) and math.isinf(domain.high):
            return [Fraction(int(k) - (1 << (DRAW_BITS - 1))) for k in steps]
        low = Fraction(domain.low)
        if math.isinf(domain.high):
            return [low + 1 + int(k) for k in steps]
        width = Fraction(domain.high) - low
        return [low + width * (2 * int(k) + 1) / (1 << (DRAW_BITS + 1)) for k in steps]

    def integer(self, low: int, high: int) -> int:
        """Return a uniform integer."""
        return int(self.rng.integers(low, high + 1))


@dataclass
class Record:
    """The primitive draws of one case, to be replayed, optimised, rounded or printed."""

    numbers: list[tuple[Domain, list[Any]]] = field(default_factory=list)
    integers: list[int] = field(default_factory=list)
    generic: bool = False

    def flat(self) -> list[Any]:
        """Return all real numbers of the case in order."""
        return [x for _, values in self.numbers for x in values]

    def domains(self) -> list[Domain]:
        """Return the domain of each number of `flat`."""
        return [domain for domain, values in self.numbers for _ in values]

    def with_numbers(self, flat: Sequence[Any]) -> Record:
        """Return the record with other numbers, same shapes and integers."""
        stream = iter(flat)
        numbers = [(domain, [next(stream) for _ in values]) for domain, values in self.numbers]
        return Record(numbers, list(self.integers), self.generic)


@dataclass
class Recording:
    """A drawer that keeps what another one drew."""

    drawer: Drawer
    record: Record = field(default_factory=Record)

    def __post_init__(self) -> None:
        self.record.generic = self.generic = getattr(self.drawer, "generic", False)

    def numbers(self, domain: Domain, count: int) -> list[Any]:
        """Draw and keep."""
        values = list(self.drawer.numbers(domain, count))
        self.record.numbers.append((domain, values))
        return values

    def integer(self, low: int, high: int) -> int:
        """Draw and keep."""
        value = self.drawer.integer(low, high)
        self.record.integers.append(value)
        return value


class Replay:
    """A drawer that draws a record again."""

    def __init__(self, record: Record):
        self._numbers = iter(record.numbers)
        self._integers = iter(record.integers)
        self.generic = record.generic

    def numbers(self, domain: Domain, count: int) -> list[Any]:
        """Return the recorded numbers."""
        recorded, values = next(self._numbers)
        if recorded != domain or len(values) != count:
            raise Rejected("the case changed its shape on replay")
        return values

    def integer(self, low: int, high: int) -> int:
        """Return the recorded integer."""
        return next(self._integers)


class Source:
    """Numbers of one case, in one number system, with sizes shared by name.

    Parameters
    ----------
    drawer : Drawer
    system : System
        Number system of what the recipes receive; float64 by default.
    ranges : dict of str to (int, int)
        Smallest and largest value of named sizes; `default_range` elsewhere.
    """

    symbolic = False

    def __init__(
        self,
        drawer: Drawer,
        system: System = FLOATS,
        ranges: dict[str, tuple[int, int]] | None = None,
        default_range: tuple[int, int] = (1, 5),
    ):
        self.drawer, self.system = drawer, system
        self.ranges, self.default_range = ranges or {}, default_range
        self.sizes: dict[str, int] = {}

    def size(self, token: str | int) -> int:
        """Return the size of a name (the same all through the case) or of a numeral."""
        if isinstance(token, int) or token.isdigit():
            return int(token)
        if token not in self.sizes:
            self.sizes[token] = self.drawer.integer(*self.ranges.get(token, self.default_range))
        return self.sizes[token]

    def integer(self, low: int, high: int) -> int:
        """Return a plain integer in [low, high]."""
        return self.drawer.integer(low, high)

    @property
    def generic(self) -> bool:
        """Whether draws are spread evenly over their domain, so special values may not be mixed in."""
        return getattr(self.drawer, "generic", False)

    def array(self, shape: tuple[int, ...], domain: Domain = REAL) -> Any:
        """Return numbers of the system with this shape."""
        raw = np.empty(math.prod(shape), dtype=object)
        raw[:] = self.drawer.numbers(domain, raw.size)
        return self.system.make(raw.reshape(shape))

    def number(self, domain: Domain = REAL) -> Any:
        """Return one number of the system."""
        (raw,) = self.drawer.numbers(domain, 1)
        return self.system.make(raw)

    def plain(self, x: Any) -> Any:
        """Return a number to compare with; symbols and degrees are generic, so they answer 1."""
        if self.system.name in ("degrees", "symbols", "balls"):
            return 1
        return getattr(x, "value", x)

    def require(self, condition: Any, why: str = "") -> None:
        """Reject the case unless an integer condition holds."""
        if not condition:
            raise Rejected(why)

    @property
    def make(self) -> Callable[[Any], Any]:
        """Turn exact constants into numbers of the system."""
        return self.system.make
