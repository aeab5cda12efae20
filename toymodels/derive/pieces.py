"""A piecewise scalar expression, piece by piece: each piece is smooth under its own hypotheses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from toymodels.derive.functions import PIECEWISE, _Gate, _Relu
from toymodels.derive.setting import Hypothesis
from toymodels.evidence.algebra import NotApplicable

MOST_PIECES = 64

Piece = tuple[sp.Expr, tuple[Hypothesis, ...]]


def pieces(expression: sp.Expr) -> list[Piece]:
    """Return the smooth expressions that a piecewise one consists of, each with its hypotheses.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> [(piece, str(hypotheses[0])) for piece, hypotheses in pieces(abs(x) - x)]
    [(0, 'x >= 0'), (-2*x, 'x <= 0')]
    """
    found: list[Piece] = []
    pending: list[Piece] = [(expression, ())]
    while pending:
        current, hypotheses = pending.pop(0)
        node = _innermost(current)
        if node is None:
            found.append((current, hypotheses))
            continue
        for value, hypothesis in _branches(node):
            pending.append((current.xreplace({node: value}), (*hypotheses, hypothesis)))
        if len(found) + len(pending) > MOST_PIECES:
            raise NotApplicable(f"more than {MOST_PIECES} pieces")
    return found


def _innermost(expression: sp.Expr) -> Any:
    """Return a piecewise node with no other inside, or None."""
    for node in sp.postorder_traversal(expression):
        if isinstance(node, PIECEWISE):
            return node
    return None


def _branches(node: Any) -> Iterator[tuple[sp.Expr, Hypothesis]]:
    zero = sp.S.Zero
    if isinstance(node, (sp.Max, sp.Min)):
        first, *others = node.args
        rest = node.func(*others)
        above, below = (first, rest) if isinstance(node, sp.Max) else (rest, first)
        yield above, Hypothesis(first, ">=", rest)
        yield below, Hypothesis(first, "<=", rest)
        return
    z = node.args[0]
    values = {sp.Abs: (z, -z), _Relu: (z, zero), _Gate: (sp.S.One, zero)}
    kind = next((kind for kind in values if isinstance(node, kind)), None)
    if kind is None:
        raise NotApplicable(f"{node} has no pieces that closed inequalities describe")
    positive, negative = values[kind]
    yield positive, Hypothesis(z, ">" if kind is _Gate else ">=", zero)
    yield negative, Hypothesis(z, "<=", zero)
