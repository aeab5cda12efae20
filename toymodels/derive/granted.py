"""What a step takes for granted: invertible matrices, denominators not zero, logarithms that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from toymodels.derive.calculus import Along, Dt, Gradient, Jacobian, Partial
from toymodels.derive.expressions import Inverse, MatrixLetter
from toymodels.derive.lines import Step
from toymodels.derive.positivity import invertible, nonnegative, nonzero, positive
from toymodels.derive.scalars import Norm
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
    notes = [note for side in (step.left, step.right) for note in _of(side, step.setting)]
    return list(dict.fromkeys(notes))


def _of(side: Any, setting: Setting) -> Iterator[str]:
    for node in sp.preorder_traversal(side):
        if isinstance(node, Inverse):
            if not invertible(node.args[0], setting):
                yield f"assumes that {node.args[0]} is invertible"
        elif isinstance(node, _DERIVATIVES):
            for norm in node.args[0].atoms(Norm):
                yield from _require(not norm.args[0].atoms(MatrixLetter), norm, "not zero")
        elif isinstance(node, sp.Pow):
            yield from _of_power(node.base, node.exp, setting)
        elif isinstance(node, sp.log):
            yield from _require(positive(node.args[0], setting), node.args[0], "positive")


def _of_power(base: sp.Expr, exponent: sp.Expr, setting: Setting) -> Iterator[str]:
    if not exponent.is_integer:
        strict = not exponent.is_nonnegative
        fine = (positive if strict else nonnegative)(base, setting)
        yield from _require(fine, base, "positive" if strict else "not negative")
    elif not exponent.is_nonnegative:
        for factor in sp.Mul.make_args(base):
            yield from _require(nonzero(factor, setting), factor, "not zero")


def _require(given: bool, expression: sp.Expr, what: str) -> Iterator[str]:
    if not given and not expression.atoms(sp.Dummy):  # entries of a matrix have no name to print
        yield f"assumes that {expression} is {what}"
