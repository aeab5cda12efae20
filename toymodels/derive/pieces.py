"""A piecewise scalar expression, piece by piece: each piece is smooth under its own hypotheses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
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
    [(0, 'x >= 0'), (-2*x, 'x < 0')]
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
        yield below, Hypothesis(first, "<", rest)
        return
    z = node.args[0]
    values = {sp.Abs: (z, -z), _Relu: (z, zero), _Gate: (sp.S.One, zero)}
    kind = next((kind for kind in values if isinstance(node, kind)), None)
    if kind is None:
        raise NotApplicable(f"{node} has no pieces that closed inequalities describe")
    above, below = values[kind]
    yield above, Hypothesis(z, ">" if kind is _Gate else ">=", zero)
    yield below, Hypothesis(z, "<=" if kind is _Gate else "<", zero)


def probes(expression: sp.Expr, symbol: sp.Symbol) -> list[sp.Rational]:
    """Return the kinks of a piecewise function of one variable, and points between and beyond them.

    Only kinks where a linear argument vanishes are known.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> probes(abs(x) + abs(x - 1), x)
    [-1, 0, 1/2, 1, 2]
    """
    kinks = sorted({root for z in _arguments(expression) for root in _root(z, symbol)})
    if not kinks:
        return []
    between = [(a + b) / 2 for a, b in pairwise(kinks)]
    return sorted([kinks[0] - 1, *kinks, *between, kinks[-1] + 1])


def _arguments(expression: sp.Expr) -> Iterator[sp.Expr]:
    """What changes sign at the kinks."""
    for node in sp.preorder_traversal(expression):
        if isinstance(node, (sp.Max, sp.Min)):
            yield from (a - b for a, b in combinations(node.args, 2))
        elif isinstance(node, PIECEWISE):
            yield node.args[0]


def _root(z: sp.Expr, symbol: sp.Symbol) -> list[sp.Rational]:
    z = sp.expand(z)
    slope, rest = z.coeff(symbol, 1), z.coeff(symbol, 0)
    linear = (
        slope.is_Rational and slope != 0 and rest.is_Rational and sp.expand(z - slope * symbol - rest) == 0
    )
    return [-rest / slope] if linear else []
