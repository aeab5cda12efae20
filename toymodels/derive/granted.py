"""What a step takes for granted: invertible matrices, denominators not zero, logarithms that exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from toymodels.derive.calculus import Along, Dt, Expectation, Gradient, Integral, Jacobian, Partial
from toymodels.derive.expressions import Inverse, MatrixLetter
from toymodels.derive.lines import Step
from toymodels.derive.positivity import invertible, nonnegative, nonzero, positive
from toymodels.derive.scalars import Norm, letters
from toymodels.derive.setting import Setting

_DERIVATIVES = (Along, Dt, Gradient, Jacobian, Partial)


def granted(step: Step) -> list[str]:
    """Return what the declarations and hypotheses do not give, each as a sentence.

    Examples
    --------
    >>> from toymodels.derive import Derivation
    >>> D = Derivation("a quotient")
    >>> x, y = D.scalars("x y")
    >>> granted(D.step((x**2 - y**2) / (x - y), "=", x + y))
    ['assumes that x - y is not zero']
    """
    moving = (step.approach or step.order or ())[:1]
    notes = (_Notes(step.setting, frozenset(moving)).of(side) for side in (step.left, step.right))
    return list(dict.fromkeys(itertools.chain(*notes)))


@dataclass(frozen=True)
class _Notes:
    """What an expression takes for granted of the letters that it does not bind itself."""

    setting: Setting
    bound: frozenset[sp.Basic]

    def of(self, node: Any) -> Iterator[str]:
        """Return the notes on an expression and all that stands in it."""
        if isinstance(node, Inverse):
            yield from self._unless(invertible(node.args[0], self.setting), node.args[0], "invertible")
        elif isinstance(node, _DERIVATIVES):
            for norm in node.args[0].atoms(Norm):
                yield from self._unless(not norm.args[0].atoms(MatrixLetter), norm, "not zero")
        elif isinstance(node, sp.Pow):
            yield from self._of_power(node.base, node.exp)
        elif isinstance(node, sp.log):
            yield from self._unless(positive(node.args[0], self.setting), node.args[0], "positive")
        inner = replace(self, bound=self.bound | _binds(node))
        for argument in node.args:
            yield from inner.of(argument)

    def _of_power(self, base: sp.Expr, exponent: sp.Expr) -> Iterator[str]:
        if not exponent.is_integer:
            strict = not exponent.is_nonnegative
            fine = (positive if strict else nonnegative)(base, self.setting)
            yield from self._unless(fine, base, "positive" if strict else "not negative")
        elif not exponent.is_nonnegative:
            for factor in sp.Mul.make_args(base):
                yield from self._unless(nonzero(factor, self.setting), factor, "not zero")

    def _unless(self, given: bool, expression: Any, what: str) -> Iterator[str]:
        # entries of a matrix have no name to print
        if not given and not expression.atoms(sp.Dummy) and not letters(expression) & self.bound:
            yield f"assumes that {expression} is {what}"


def _binds(node: Any) -> frozenset[sp.Basic]:
    """The letters that an integral or expectation ranges over."""
    if isinstance(node, Integral):
        return frozenset({node.args[1]})
    return frozenset(node.args[1]) if isinstance(node, Expectation) else frozenset()
