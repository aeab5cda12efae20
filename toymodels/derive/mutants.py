"""Small slips of a step: if the check passes them too, it had nothing to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from toymodels.derive.calculus import Along, Gradient, Jacobian, Partial
from toymodels.derive.expressions import (
    Identity,
    Matrix,
    MatrixLetter,
    MatrixSum,
    Ones,
    Row,
    Transpose,
    Zeros,
    scaled,
)
from toymodels.derive.scalars import Entry, SumOver

_HEADED = (SumOver, Row, Entry, Along, Gradient, Partial, Jacobian)
"""After their first argument stand an index, a size or a letter to differentiate by."""


def mutants(expression: Any) -> Iterator[Any]:
    """Return the expressions in which one place is changed: a sign, a factor, a transpose, a power.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> list(mutants(x + y))[:2]
    [-x + y, x - y]
    """
    seen = {expression}
    for mutant in _everywhere(expression):
        if mutant not in seen:
            seen.add(mutant)
            yield mutant


def _everywhere(node: Any) -> Iterator[Any]:
    """Change the node itself, then each of its arguments."""
    yield from _here(node)
    if isinstance(node, (MatrixLetter, Identity, Zeros, Ones)):
        return
    for k, argument in enumerate(node.args[:1] if isinstance(node, _HEADED) else node.args):
        if not isinstance(argument, (sp.Expr, Matrix)):
            continue
        for changed in _everywhere(argument):
            yield _with(node, k, changed)


def _with(node: Any, k: int, changed: Any) -> Any:
    return node.func(*node.args[:k], changed, *node.args[k + 1 :])


def _here(node: Any) -> Iterator[Any]:
    if isinstance(node, (sp.Add, MatrixSum)):
        for k, term in enumerate(node.args):
            yield _with(node, k, -term)
    elif isinstance(node, Transpose):
        if node.shape == node.args[0].shape:
            yield node.args[0]
    elif isinstance(node, sp.Symbol):
        yield node**2
    elif isinstance(node, MatrixLetter):
        yield scaled(sp.Integer(2), node)
        if node.shape[0] == node.shape[1]:
            yield node.T
    elif isinstance(node, sp.Rational) and not isinstance(node, sp.core.numbers.Half):
        yield node * 2 if node else sp.S.One
    elif isinstance(node, sp.Expr) and node.is_Function and not isinstance(node, sp.Lambda):
        yield 2 * node
