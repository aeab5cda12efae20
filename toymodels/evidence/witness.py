"""Witnesses against inequalities of numbers: simple rationals, and the verdict that shows one."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict

End = Any
"""A Fraction, or a float at infinity."""


def end(x: Any) -> End:
    """Return the end of an interval as an exact number; a float counts at its binary value."""
    return float(x) if isinstance(x, float) and math.isinf(x) else Fraction(x)


def simplest_between(low: End, high: End) -> Fraction:
    """Return the rational of the open interval with the smallest denominator, nearest zero among those.

    Parameters
    ----------
    low, high : Fraction or infinite float
        ``low < high``.

    Examples
    --------
    >>> simplest_between(Fraction(3, 10), Fraction(1, 2))
    Fraction(1, 3)
    """
    if low < 0 < high:
        return Fraction(0)
    if high <= 0:
        return -simplest_between(-high, -low)
    whole = math.floor(low)
    if whole + 1 < high:
        return Fraction(whole + 1)
    above = 1 / (low - whole) if low > whole else math.inf
    return whole + 1 / simplest_between(1 / (high - whole), above)


def simple_rationals(low: End, high: End) -> Iterator[Fraction]:
    """Run through the rationals of the open interval, simple ones first."""
    intervals = deque([(low, high)])
    while True:
        a, b = intervals.popleft()
        middle = simplest_between(a, b)
        yield middle
        intervals += [(middle, b), (a, middle)]


def simplicity(x: Fraction) -> tuple[int, int, bool]:
    """Sort rationals by what is easy to read."""
    return x.denominator, abs(x.numerator), x < 0


def refuted(values: Mapping[str, Any], gap: Any, evidence: Evidence, why: str, **details: Any) -> Verdict:
    """Return the verdict against ``0 <= gap`` (or <) that shows the values and the gap there."""
    shown = Counterexample({name: str(value) for name, value in values.items()}, "0", str(gap))
    return Verdict(Outcome.refuted, evidence, why, counterexample=shown, **details)
