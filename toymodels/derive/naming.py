"""Names for expressions: printed by name on the page, written out for the check."""

from __future__ import annotations

from functools import reduce
from operator import add, mul
from typing import Any

import sympy as sp
from sympy.core.symbol import Str

from toymodels.derive.expressions import Matrix, MatrixSum, Product, Scaled, Transpose, latex_name
from toymodels.derive.scalars import ScalarNode


class Named:
    """An expression under a name: args are the name and the expression."""

    @property
    def definition(self) -> Any:
        """What the name stands for."""
        return self.args[1]  # type: ignore[attr-defined]

    def _sympystr(self, printer: Any) -> str:
        return self.args[0].name  # type: ignore[attr-defined]

    def _latex(self, printer: Any, exp: Any = None) -> str:
        text = latex_name(self.args[0].name)  # type: ignore[attr-defined]
        return text if exp is None else f"{text}^{{{exp}}}"


class NamedScalar(Named, ScalarNode):
    """Of a scalar."""


class NamedMatrix(Named, Matrix):
    """Of a matrix."""

    @property
    def shape(self) -> tuple[Any, Any]:
        return self.definition.shape


def named(word: str, expression: Any) -> Any:
    """Return the expression under a name."""
    return (NamedMatrix if isinstance(expression, Matrix) else NamedScalar)(Str(word), expression)


def write_out(expression: Any) -> Any:
    """Return the expression with every name replaced by what it stands for.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> r = named("r", x - y)
    >>> 2 * r, write_out(2 * r)
    (2*r, 2*x - 2*y)
    """
    if isinstance(expression, Named):
        return write_out(expression.definition)
    if not isinstance(expression, sp.Basic) or not expression.atoms(NamedScalar, NamedMatrix):
        return expression
    args = [write_out(x) for x in expression.args]
    if isinstance(expression, MatrixSum):
        return reduce(add, args)
    if isinstance(expression, (Product, Scaled)):
        return reduce(mul, args)
    return args[0].T if isinstance(expression, Transpose) else expression.func(*args)
