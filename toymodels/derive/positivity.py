"""Non-negative by form: squares, norms, traces of AᵀA, quadratic forms, products and sums of such."""

from __future__ import annotations

from typing import Any

import sympy as sp

from toymodels.derive.expressions import Inverse, Matrix, MatrixLetter, Product
from toymodels.derive.kinds import Declared
from toymodels.derive.scalars import Dot, Norm, ScalarSum, Trace
from toymodels.derive.setting import Setting

SEMIDEFINITE = ("positive definite", "semidefinite", "projector")


def nonnegative(expression: sp.Expr, setting: Setting) -> bool:
    """Return whether a scalar is non-negative by its form alone.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> nonnegative((x - y) ** 2 + sp.exp(x), Setting()), nonnegative(x * y, Setting())
    (True, False)
    """
    if expression.is_nonnegative and not isinstance(expression, (sp.Add, sp.Mul, sp.Pow)):
        return True
    if _assumed(expression, setting, strict=False):
        return True
    if isinstance(expression, (Norm, sp.Abs)):
        return True
    if isinstance(expression, Dot):
        return _is_gram(expression, setting)
    if isinstance(expression, Trace):
        return _is_semidefinite(expression.args[0], setting)
    if isinstance(expression, ScalarSum):
        return nonnegative(expression.args[0], setting)
    if isinstance(expression, sp.Add):
        return all(nonnegative(term, setting) for term in expression.args)
    if isinstance(expression, sp.Pow):
        even = expression.exp.is_Integer and expression.exp % 2 == 0
        return bool(even and expression.base.is_real is not False) or nonnegative(expression.base, setting)
    if isinstance(expression, sp.Mul):
        return _product_nonnegative(expression, setting)
    return bool(expression.is_nonnegative)


def _product_nonnegative(expression: sp.Expr, setting: Setting) -> bool:
    """Every factor is non-negative, but for an even number of factors that are not positive."""
    odd = [factor for factor in expression.args if not nonnegative(factor, setting)]
    return len(odd) % 2 == 0 and all(nonpositive(factor, setting) for factor in odd)


def nonpositive(expression: sp.Expr, setting: Setting) -> bool:
    """Return whether a scalar is not positive by its form alone."""
    if expression.is_nonpositive or _assumed(-expression, setting, strict=False):
        return True
    if isinstance(expression, sp.Add):
        return all(nonpositive(term, setting) for term in expression.args)
    if isinstance(expression, sp.Mul):
        odd = [factor for factor in expression.args if not nonnegative(factor, setting)]
        return len(odd) % 2 == 1 and all(nonpositive(factor, setting) for factor in odd)
    return False


def positive(expression: sp.Expr, setting: Setting) -> bool:
    """Return whether a scalar is positive by its form alone."""
    if expression.is_positive and not isinstance(expression, (sp.Add, sp.Mul, sp.Pow)):
        return True
    if _assumed(expression, setting, strict=True):
        return True
    if isinstance(expression, sp.Add):
        terms = expression.args
        return all(nonnegative(t, setting) for t in terms) and any(positive(t, setting) for t in terms)
    if isinstance(expression, sp.Mul):
        return all(positive(factor, setting) for factor in expression.args)
    if isinstance(expression, sp.Pow):
        return positive(expression.base, setting)
    return bool(expression.is_positive)


def _assumed(expression: sp.Expr, setting: Setting, strict: bool) -> bool:
    """Whether a hypothesis says so."""
    for h in setting.hypotheses:
        relations = (">",) if strict else (">", ">=")
        reverse = ("<",) if strict else ("<", "<=")
        if h.relation in relations and h.left - h.right == expression:
            return True
        if h.relation in reverse and h.right - h.left == expression:
            return True
    return False


def _is_gram(inner: Dot, setting: Setting) -> bool:
    """<u, u>, or <u, A u> with A positive semidefinite by form."""
    u, v = inner.args
    if u == v:
        return True
    for x, y in ((u, v), (v, u)):
        if isinstance(y, Product) and Product(*y.args[1:] or ()) == Product(*_factors(x)):
            return _is_semidefinite(y.args[0], setting)
        if isinstance(y, Product) and y.args[1:] == _factors(x):
            return _is_semidefinite(y.args[0], setting)
    return False


def _factors(matrix: Matrix) -> tuple[Any, ...]:
    return matrix.args if isinstance(matrix, Product) else (matrix,)


def _is_semidefinite(matrix: Matrix, setting: Setting) -> bool:
    """Whether a matrix is BᵀB, BBᵀ, BᵀSB with S semidefinite, or declared so."""
    if isinstance(matrix, MatrixLetter):
        declared: Declared | None = setting.declared.get(matrix)  # type: ignore[assignment]
        return declared is not None and declared.kind in SEMIDEFINITE
    if isinstance(matrix, Inverse):
        return _is_semidefinite(matrix.args[0], setting)
    factors = _factors(matrix)
    half = len(factors) // 2
    for k in range(half):
        if factors[-1 - k] != factors[k].T:
            return False
    if len(factors) % 2 == 0:
        return half > 0
    return len(factors) > 1 and _is_semidefinite(factors[half], setting)
