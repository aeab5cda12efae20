"""Scalar expressions without our own nodes, as computer algebra wants them: derivatives carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from toymodels.derive import calculus
from toymodels.derive.evaluate import Unknown
from toymodels.derive.expressions import Matrix
from toymodels.derive.scalars import ScalarNode, letters
from toymodels.derive.setting import Setting
from toymodels.evidence.algebra import NotApplicable


def plain(expression: Any, setting: Setting) -> sp.Expr:
    """Return a scalar with its derivatives, flows and steps carried out by SymPy.

    Raises
    ------
    NotApplicable
        When it holds matrices, sums over samples, unknown functions, integrals or expectations.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> plain(calculus.gradient(x**3, x), Setting())
    3*x**2
    """
    if isinstance(expression, Matrix):
        raise NotApplicable("it holds matrices")
    if isinstance(expression, ScalarNode):
        rule = next((rule for kind, rule in _RULES.items() if isinstance(expression, kind)), None)
        if rule is None:
            raise NotApplicable(f"computer algebra does not look into {type(expression).__name__}")
        return rule(expression, setting)
    if not expression.args:
        return expression
    return expression.func(*(plain(x, setting) for x in expression.args))


def _dt(node: Any, setting: Setting) -> sp.Expr:
    of, law = plain(node.args[0], setting), setting.flow
    _require_moved(of, law, setting, "flow")
    return sp.Add(
        *(sp.diff(of, x) * plain(law[x], setting) for x in sorted(of.free_symbols & set(law), key=str))
    )


def _next(node: Any, setting: Setting) -> sp.Expr:
    of, law = plain(node.args[0], setting), setting.steps
    _require_moved(of, law, setting, "step")
    return of.xreplace({x: plain(law[x], setting) for x in of.free_symbols & set(law)})


def _require_moved(of: sp.Expr, law: Mapping[Any, Any], setting: Setting, what: str) -> None:
    still = {x for x in letters(of) if not x.is_integer} - set(law) - setting.constants
    if still:
        names = ", ".join(sorted(map(str, still)))
        raise Unknown(f"no {what} is declared for {names}; declare it, or D.constant({names})")


def _partial(node: Any, setting: Setting) -> sp.Expr:
    return sp.diff(plain(node.args[0], setting), node.args[1])


def _along(node: Any, setting: Setting) -> sp.Expr:
    of, pairs, order = node.args
    slope = plain(of, setting)
    directions = {letter: plain(direction, setting) for letter, direction in pairs}
    held = {letter: sp.Dummy(str(letter)) for letter in directions}
    for _ in range(int(order)):
        slope = sp.Add(*(sp.diff(slope, letter) * held[letter] for letter in directions))
    return slope.xreplace({held[letter]: direction for letter, direction in directions.items()})


_RULES = {calculus.Dt: _dt, calculus.Next: _next, calculus.Partial: _partial, calculus.Along: _along}
