"""Limits decided in digits alone: values on the way to the point, far closer than floats go."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from contextlib import nullcontext
from fractions import Fraction
from typing import Any

from toymodels.arithmetic.systems import digits_context
from toymodels.evidence.algebra import NOT_HERE, NotApplicable
from toymodels.evidence.timelimit import TimedOut, can_limit, time_limit
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict
from toymodels.validation import one_of

SIDES = {"+": (1,), "-": (-1,), "+-": (1, -1)}
STEPS = range(2, 12)
"""The point is approached within 2^-(2^m), m in these steps, so a power of the distance is squared each
time and a power of its logarithm shrinks by a constant factor."""
FEWEST = 6
GENERIC = Fraction(618033988749895, 10**15)
"""Keeps the way from meeting every zero of a sine."""
CLOSE = 1e-12
"""Relative difference below which values count as close, if they were still falling fast."""
EXTRAPOLATED = 1e-8
"""Relative doubt that an extrapolation may leave."""
LONGEST = 1000
"""Decimal exponent up to which numbers are printed with their digits."""
SECONDS = 5.0

Number = Any


def limit_by_digits(
    function: Callable[[Number], Number], point: Any, side: str, expected: Any, digits: int = 60
) -> Verdict:
    """Decide in digits whether ``function(x)`` tends to the expected value as x tends to the point.

    Along x = point ± c 2^-(2^m) (at infinity ± c 2^(2^m)) a difference that is
    a power of the distance is squared with each m; one that is a power of its
    logarithm shrinks by a constant factor, and Wynn's epsilon algorithm
    extrapolates it. Both must be seen, or nothing is decided.

    Parameters
    ----------
    function : callable
        From an mpmath number to one of the same context; it must be accurate to the
        context's precision but for cancellation up to the fourth power of the distance.
    point : rational, infinite float, or callable (context) -> number
    side : {"+", "-", "+-"}
        Above, below, or both; at infinity it does not matter.
    expected : rational, infinite float, or callable (context) -> number
    digits : int
        Digits beyond what cancellation may take.

    Returns
    -------
    Verdict
        With evidence "digits"; refuted where the values settle elsewhere.

    Raises
    ------
    NotApplicable
        When the values neither settle nor approach at such a rate, or cannot be had.
    InputError
        When `side` is none of these.

    Examples
    --------
    >>> verdict = limit_by_digits(lambda x: x.context.sin(x) / x, 0, "+-", 1)
    >>> verdict.outcome.value, verdict.evidence.name
    ('holds', 'digits')
    """
    directions = SIDES[one_of("side", side, SIDES)]
    if _is_infinite(point):
        directions = (1 if point > 0 else -1,)
    verdicts = []
    try:
        with time_limit(SECONDS) if can_limit() else nullcontext():
            for direction in directions:
                verdicts.append(_Way(function, point, direction, expected, digits).verdict())
    except TimedOut as error:
        raise NotApplicable(f"the values take longer than {SECONDS:g} s") from error
    return next((verdict for verdict in verdicts if verdict.refuted), verdicts[0])


class _Way:
    """Values on one way to the point; their inverses where they are to grow without bound."""

    def __init__(self, function: Any, point: Any, direction: int, expected: Any, digits: int):
        self.function, self.point, self.direction, self.expected = function, point, direction, expected
        self.digits, self.inverted = digits, _is_infinite(expected)

    def verdict(self) -> Verdict:
        """Judge the values."""
        values = self._values()
        limit = self.context.mpf(0) if self.inverted else _number(self.expected, self.context)
        differences = [abs(value - limit) for value in values]
        scale = max([abs(limit), *map(abs, values)]) or self.context.mpf(1)
        steps = [abs(b - a) for a, b in itertools.pairwise(values)]
        if _vanishes(differences, scale):
            return self._approaches(values, differences[-1] / scale, "")
        if _vanishes(steps, scale) and differences[-1] > 1000 * steps[-1]:
            return self._settles(values[-1], limit)
        if 0 not in values and _vanishes([1 / abs(value) for value in values], 1 / abs(values[0])):
            return self._settles(values[-1] * self.context.inf, limit)
        estimate, doubt = self._extrapolated(values)
        missed = abs(estimate - limit) / scale
        if doubt <= EXTRAPOLATED and missed <= min(10 * doubt, EXTRAPOLATED):
            return self._approaches(values, missed, ", extrapolated,")
        if doubt <= EXTRAPOLATED and missed > 1000 * doubt:
            return self._settles(estimate if abs(estimate) > doubt * scale else 0 * estimate, limit)
        raise NotApplicable("the values do not tell where they settle")

    def _extrapolated(self, values: list[Number]) -> tuple[Number, Number]:
        """The limit that Wynn's algorithm finds, and how far its last two estimates are apart, relatively."""
        if any(a == b for a, b in itertools.pairwise(values)):
            raise NotApplicable("the values settle at no regular rate")
        *_, before, last = _epsilon(values)
        return last, abs(last - before) / max(abs(last), *map(abs, values))

    def _values(self) -> list[Number]:
        """The values from the first to the last point at which they can be had in enough digits."""
        found: list[Number] = []
        for m in STEPS:
            # cancellation takes up to the fourth power of the distance
            digits = self.digits + math.ceil(4 * 2**m * math.log10(2))
            coarse, fine = (self._value(m, d) for d in (digits, 2 * digits))
            if coarse is None or fine is None:
                if found:
                    break
                continue
            self.context = digits_context(2 * digits)
            if abs(coarse - fine) > self.context.mpf(10) ** -(self.digits // 2) * max(abs(fine), abs(coarse)):
                raise NotApplicable("the values lose too many digits")
            found.append(fine)
        if len(found) < FEWEST:
            raise NotApplicable("the function has no values close to the point")
        return found

    def _value(self, m: int, digits: int) -> Number | None:
        context = digits_context(digits)
        distance = context.mpf(GENERIC.numerator) / GENERIC.denominator * self.direction
        if _is_infinite(self.point):
            x = distance * context.mpf(2) ** (2**m)
        else:
            x = _number(self.point, context) + distance / context.mpf(2) ** (2**m)
        try:
            value = self.function(x)
            if not isinstance(value, (int, context.mpf)):
                return None
            value = 1 / context.mpf(value) if self.inverted else context.mpf(value)
        except (*NOT_HERE, ArithmeticError, ValueError, MemoryError):
            return None
        return value if context.isfinite(value) else None

    def _approaches(self, values: list[Number], missed: Number, how: str) -> Verdict:
        signs = {self.context.sign(value) for value in values[len(values) // 2 :]} if self.inverted else set()
        if len(signs) > 1:
            raise NotApplicable("the values grow with both signs")
        if self.inverted and min(signs) * self.expected < 0:
            return self._refuted(-self.expected, self.expected)
        why = f"{len(values)} values{how} approach it, the last to a relative {self._magnitude(missed)}"
        return Verdict(Outcome.holds, Evidence.digits, why, cases=len(values))

    def _settles(self, found: Number, limit: Number) -> Verdict:
        if not self.inverted:
            return self._refuted(found, limit)
        return self._refuted(1 / found if found else self.context.inf, self.expected)

    def _refuted(self, found: Number, limit: Number) -> Verdict:
        """The verdict that the values settle elsewhere, shown with the digits that tell."""
        texts = ["", ""]
        for digits in (8, 16, 32, self.digits):
            texts = [self._text(x, digits) for x in (found, limit)]
            if texts[0] != texts[1]:
                break
        why = f"the values settle at {texts[0]}"
        return Verdict(Outcome.refuted, Evidence.digits, why, counterexample=Counterexample({}, *texts))

    def _text(self, x: Number, digits: int) -> str:
        x = self.context.mpf(x)
        if x == 0 or self.context.isinf(x):
            return "0" if x == 0 else "inf" if x > 0 else "-inf"
        long = abs(self.context.log10(abs(x))) > LONGEST
        return self._magnitude(abs(x)) if long else self.context.nstr(x, digits)

    def _magnitude(self, x: Number) -> str:
        if x == 0:
            return "0"
        exponent = self.context.floor(self.context.log10(x))
        if abs(exponent) > 10 * LONGEST:
            return f"1e{-10 * LONGEST} or less" if exponent < 0 else f"1e{10 * LONGEST} or more"
        return f"1e{int(exponent)}"


def _vanishes(sizes: list[Number], scale: Number) -> bool:
    """Whether the sizes fall below CLOSE of the scale, and were still falling fast at the end."""
    return sizes[-1] <= CLOSE * scale and (sizes[-1] == 0 or sizes[-1] <= sizes[-3] / 1000)


def _epsilon(values: list[Number]) -> list[Number]:
    """Wynn's epsilon algorithm: the last estimate of each even column."""
    before, column, estimates = [0 * values[0]] * (len(values) + 1), list(values), [values[-1]]
    for order in range(1, len(values)):
        following = []
        for k in range(len(column) - 1):
            step = column[k + 1] - column[k]
            if step == 0:
                return [*estimates, column[k]]
            following.append(before[k + 1] + 1 / step)
        before, column = column, following
        if order % 2 == 0:
            estimates.append(column[-1])
    return estimates


def _is_infinite(x: Any) -> bool:
    return isinstance(x, float) and math.isinf(x)


def _number(x: Any, context: Any) -> Number:
    if callable(x):
        return context.mpf(x(context))
    return context.mpf(x.numerator) / x.denominator if isinstance(x, (int, Fraction)) else context.mpf(x)
