"""The interval of each scalar under the hypotheses of a step."""

from __future__ import annotations

from typing import Any

import sympy as sp

from toymodels.derive.setting import Hypothesis, Setting
from toymodels.evidence.algebra import NotApplicable
from toymodels.spaces import Domain


def domains(setting: Setting, *expressions: Any) -> dict[sp.Symbol, Any]:
    """Return the domain of each scalar of the expressions, or refuse."""
    found = {}
    for symbol in sorted(set().union(*(e.free_symbols for e in expressions)), key=str):
        declared = setting.declared.get(symbol)
        if declared is None or declared.domain is None:
            raise NotApplicable(f"{symbol} is no real variable of one domain")
        found[symbol] = declared.domain
    for h in setting.hypotheses:
        symbol, domain = _half_line(h)
        if symbol in found:
            both = found[symbol], domain
            found[symbol] = Domain(max(d.low for d in both), min(d.high for d in both))
    return found


def _half_line(h: Hypothesis) -> tuple[sp.Symbol, Domain]:
    """Return the half line that a hypothesis on one variable says, or refuse."""
    gap = sp.expand(h.left - h.right)
    if len(gap.free_symbols) != 1 or h.relation == "!=":
        raise NotApplicable(f"the hypothesis {h} is no half line of one variable")
    (symbol,) = gap.free_symbols
    slope, rest = gap.coeff(symbol, 1), gap.coeff(symbol, 0)
    if sp.expand(gap - slope * symbol - rest) != 0 or not (slope.is_Rational and rest.is_Rational):
        raise NotApplicable(f"the hypothesis {h} is not linear")
    end = float(-rest / slope)
    upwards = (h.relation in (">", ">=")) == bool(slope > 0)
    return symbol, Domain(low=end) if upwards else Domain(high=end)


def contradictory(setting: Setting) -> bool:
    """Return whether hypotheses on one variable, each against a number, exclude each other.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> above, below = Hypothesis(x, ">", sp.S.Zero), Hypothesis(x, "<=", sp.S.Zero)
    >>> contradictory(Setting(hypotheses=(above, below)))
    True
    """
    lines: dict[sp.Symbol, list[tuple[Domain, bool]]] = {}
    for h in setting.hypotheses:
        try:
            symbol, domain = _half_line(h)
        except NotApplicable:
            continue
        lines.setdefault(symbol, []).append((domain, h.relation in ("<", ">")))
    return any(_empty(found) for found in lines.values())


def _empty(found: list[tuple[Domain, bool]]) -> bool:
    low = max(domain.low for domain, _ in found)
    high = min(domain.high for domain, _ in found)
    open_end = any(strict and (d.low == low or d.high == high) for d, strict in found)
    return low > high or (low == high and open_end)
