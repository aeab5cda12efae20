"""Derivatives along a flow, values after a step, gradients: nodes that the evaluator runs on jets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.core.symbol import Str
from sympy.printing.precedence import PRECEDENCE

from toymodels.derive.expressions import Matrix, MatrixLetter, ShapeError, show_shape
from toymodels.derive.scalars import ScalarNode
from toymodels.errors import InputError


class Operator:
    """A node that is a scalar or a matrix as its first argument is."""

    args: tuple[Any, ...]
    func: Any

    @property
    def shape(self) -> tuple[Any, Any]:
        """Shape of the first argument."""
        return self.args[0].shape

    before, after = "", ""
    latex_before, latex_after = "", ""

    def _sympystr(self, printer: Any) -> str:
        return f"{self.before}{printer._print(self.args[0])}{self.after}"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        body = printer._print(self.args[0])
        text = f"{self.latex_before}{body}{self.latex_after}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class Dt(Operator):
    """The derivative along the declared flow."""

    before, after = "dt(", ")"
    latex_before, latex_after = r"\frac{\mathrm{d}}{\mathrm{d}t}\left(", r"\right)"


class ScalarDt(Dt, ScalarNode):
    """Of a scalar."""

    precedence = PRECEDENCE["Pow"]


class MatrixDt(Dt, Matrix):
    """Of a matrix."""

    precedence = 40


class Next(Operator):
    """The value after one step of the declared map."""

    before, after = "next(", ")"
    latex_before, latex_after = r"\left[", r"\right]^{+}"


class ScalarNext(Next, ScalarNode):
    """Of a scalar."""

    precedence = PRECEDENCE["Pow"]


class MatrixNext(Next, Matrix):
    """Of a matrix."""

    precedence = 40


class Along(Operator):
    """A derivative along given directions: args are the function, (letter, direction) pairs, the order."""

    def _sympystr(self, printer: Any) -> str:
        of, pairs, order = self.args
        along = ", ".join(f"{letter}: {direction}" for letter, direction in pairs)
        return f"D{order if order != 1 else ''}({printer._print(of)})[{along}]"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        of, pairs, order = self.args
        above = "" if order == 1 else f"^{{{order}}}"
        along = ", ".join(printer._print(direction) for _, direction in pairs)
        text = rf"\mathrm{{D}}{above}\left({printer._print(of)}\right)\left[{along}\right]"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class ScalarAlong(Along, ScalarNode):
    """Of a scalar."""

    precedence = PRECEDENCE["Pow"]


class MatrixAlong(Along, Matrix):
    """Of a matrix."""

    precedence = 40


class Partial(ScalarNode):
    """The derivative of a scalar with respect to a scalar: args are the function and the symbol."""

    precedence = PRECEDENCE["Pow"]

    def _sympystr(self, printer: Any) -> str:
        return f"d({printer._print(self.args[0])})/d{self.args[1]}"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        of, by = map(printer._print, self.args)
        text = rf"\partial_{{{by}}}\left({of}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class Gradient(Matrix):
    """The gradient of a scalar with respect to a vector or matrix, in its shape."""

    precedence = 40

    @property
    def shape(self) -> tuple[Any, Any]:
        return self.args[1].shape

    def _sympystr(self, printer: Any) -> str:
        return f"grad({printer._print(self.args[0])}, {self.args[1]})"

    def _latex(self, printer: Any) -> str:
        of, by = map(printer._print, self.args)
        return rf"\nabla_{{{by}}}\left({of}\right)"


class Jacobian(Matrix):
    """The derivative of a column vector with respect to a column vector."""

    precedence = 40

    @property
    def shape(self) -> tuple[Any, Any]:
        return self.args[0].shape[0], self.args[1].shape[0]

    def _sympystr(self, printer: Any) -> str:
        return f"jacobian({printer._print(self.args[0])}, {self.args[1]})"

    def _latex(self, printer: Any) -> str:
        of, by = map(printer._print, self.args)
        return rf"\partial_{{{by}}}\left({of}\right)"


class Integral(ScalarNode):
    """A definite integral: args are the integrand, its variable, and the ends."""

    precedence = 15

    def _sympystr(self, printer: Any) -> str:
        of, by, low, high = map(printer._print, self.args)
        return f"integral({of}, {by} = {low} .. {high})"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        of, by, low, high = map(printer._print, self.args)
        inner = rf"\left({of}\right)" if isinstance(self.args[0], sp.Add) else of
        text = rf"\int_{{{low}}}^{{{high}}} {inner}\,\mathrm{{d}}{by}"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class Expectation(Operator):
    """The mean over letters with independent entries: args are the function, the letters, the law."""

    def _sympystr(self, printer: Any) -> str:
        of, letters, _ = self.args
        return f"E_{','.join(map(str, letters))}[{printer._print(of)}]"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        of, letters, _ = self.args
        below = ",".join(map(printer._print, letters))
        text = rf"\mathbb{{E}}_{{{below}}}\left[{printer._print(of)}\right]"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class ScalarExpectation(Expectation, ScalarNode):
    """Of a scalar."""


class MatrixExpectation(Expectation, Matrix):
    """Of a matrix."""


def dt(expression: Any) -> Any:
    """Return the derivative along the flow that `Derivation.flow` declares."""
    return _operator(ScalarDt, MatrixDt, expression)


def next(expression: Any) -> Any:
    """Return the value after one step of the map that `Derivation.steps` declares."""
    return _operator(ScalarNext, MatrixNext, expression)


def _operator(scalar: type, matrix: type, expression: Any, *args: Any) -> Any:
    expression = sp.sympify(expression)
    return (matrix if isinstance(expression, Matrix) else scalar)(expression, *args)


def gradient(expression: Any, by: Any) -> Any:
    """Return the gradient of a scalar with respect to a scalar, vector or matrix letter."""
    expression = sp.sympify(expression)
    if isinstance(expression, Matrix):
        raise ShapeError(f"gradient({expression}, {by}): expected a scalar; use jacobian or along")
    if isinstance(by, MatrixLetter):
        return Gradient(expression, by)
    if isinstance(by, sp.Symbol):
        return Partial(expression, by)
    raise InputError(f"gradient: expected a letter to differentiate by, got {by}")


def hessian(expression: Any, by: Any) -> Any:
    """Return the second derivative with respect to a scalar, or the Hessian for a column vector."""
    if isinstance(by, MatrixLetter) and by.shape[1] == 1:
        return Jacobian(gradient(expression, by), by)
    if isinstance(by, sp.Symbol):
        return gradient(gradient(expression, by), by)
    raise ShapeError(f"hessian: expected a scalar or a column vector, got {by}; for a matrix use along")


def jacobian(expression: Any, by: Any) -> Matrix:
    """Return the Jacobian (k, n) of a column vector (k, 1) with respect to a column vector (n, 1)."""
    for name, x in (("expression", expression), ("by", by)):
        if not isinstance(x, Matrix) or x.shape[1] != 1:
            raise ShapeError(f"jacobian: {name} must be a column vector, got {x}")
    return Jacobian(expression, by)


def along(expression: Any, directions: Mapping[Any, Any], order: int = 1) -> Any:
    """Return the derivative of order 1 or 2 at the letters, along the given directions.

    Parameters
    ----------
    expression : scalar or Matrix
    directions : dict from letters to directions of their shapes
    order : {1, 2}
    """
    if order not in (1, 2):
        raise InputError(f"order: expected 1 or 2, got {order!r}")
    pairs = []
    for letter, direction in directions.items():
        direction = sp.sympify(direction)
        check_same_kind(letter, direction, "along")
        pairs.append(sp.Tuple(letter, direction))
    return _operator(ScalarAlong, MatrixAlong, expression, sp.Tuple(*pairs), sp.Integer(order))


def integral(expression: Any, by: sp.Symbol, low: Any, high: Any) -> sp.Expr:
    """Return the integral of a scalar over a declared scalar, from `low` to `high`."""
    if not isinstance(by, sp.Symbol):
        raise InputError(f"integral: expected a scalar letter to integrate over, got {by}")
    return Integral(sp.sympify(expression), by, sp.sympify(low), sp.sympify(high))


def expectation(expression: Any, *letters: Any, law: str = "normal") -> Any:
    """Return the mean over scalars, vectors or matrices with independent entries.

    Parameters
    ----------
    expression : scalar or Matrix
    *letters : letters
        Their entries are independent.
    law : {"normal", "rademacher"}
        Standard normal, or signs +1 and -1 with probability one half each.
    """
    if law not in ("normal", "rademacher"):
        raise InputError(f"law: expected 'normal' or 'rademacher', got {law!r}")
    if not letters or not all(isinstance(x, (sp.Symbol, MatrixLetter)) for x in letters):
        raise InputError("expectation: expected at least one letter to average over")
    return _operator(ScalarExpectation, MatrixExpectation, expression, sp.Tuple(*letters), Str(law))


def check_same_kind(letter: Any, value: Any, where: str) -> None:
    """Raise unless the letter is one, and the value a scalar or a matrix of its shape as it is."""
    if not isinstance(letter, (sp.Symbol, MatrixLetter)):
        raise InputError(f"{where}: expected a letter, got {letter}")
    if isinstance(letter, Matrix) != isinstance(value, Matrix):
        kinds = ["a matrix" if isinstance(x, Matrix) else "a scalar" for x in (letter, value)]
        if not (isinstance(letter, Matrix) and value == 0):
            raise ShapeError(f"{where}: {letter} is {kinds[0]}, {value} is {kinds[1]}")
    elif isinstance(letter, Matrix) and letter.shape != value.shape:
        shapes = f"{show_shape(letter.shape)}, {value} has {show_shape(value.shape)}"
        raise ShapeError(f"{where}: {letter} has shape {shapes}")
