"""Whether an expression is analytic at a point, as far as its form tells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import sympy as sp

from toymodels.derive.expressions import Matrix, MatrixSum, Product, Scaled, Zeros
from toymodels.derive.functions import PIECEWISE
from toymodels.derive.scalars import Norm


def turning_node(expression: Any, symbol: sp.Symbol) -> Any:
    """Return a root, logarithm, kink or norm whose argument vanishes where the symbol is 0, or None.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> turning_node(sp.sqrt(1 + x) + sp.exp(x), x) is None
    True
    >>> turning_node(1 + abs(x) ** 3, x)
    Abs(x)
    """
    for node in sp.preorder_traversal(expression):
        if symbol in node.free_symbols:
            for argument in _arguments(node):
                if _vanishes(argument.xreplace({symbol: sp.S.Zero})):
                    return node
    return None


def _arguments(node: Any) -> Iterator[Any]:
    if isinstance(node, (sp.Max, sp.Min)):
        yield from (a - b for a, b in itertools.combinations(node.args, 2))
    elif isinstance(node, (*PIECEWISE, sp.log, Norm)):
        yield node.args[0]
    elif isinstance(node, sp.Pow) and not node.exp.is_integer:
        yield node.base


def _vanishes(x: Any) -> bool:
    """Whether a scalar or matrix is zero by its form."""
    if not isinstance(x, Matrix):
        return bool(sp.expand(x) == 0)
    if isinstance(x, Scaled):
        return x.args[0] == 0 or _vanishes(x.args[1])
    if isinstance(x, MatrixSum):
        return all(map(_vanishes, x.args))
    return isinstance(x, Zeros) or (isinstance(x, Product) and any(map(_vanishes, x.args)))
