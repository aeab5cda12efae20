"""Scalars made of matrices, as SymPy expressions: traces, inner products, norms, entries, sums."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE

from toymodels.derive.expressions import Matrix, MatrixSum, ShapeError, show_shape
from toymodels.errors import InputError


class ScalarNode(sp.Expr):
    """A real scalar that SymPy carries and does not look into."""

    is_commutative = True
    is_real = True
    is_number = False
    precedence = 1000

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        if symbol in letters(self):
            raise InputError(f"sympy.diff does not look into {self}; use D.gradient, D.dt or D.along")
        return sp.S.Zero


def letters(expression: sp.Basic) -> set[sp.Basic]:
    """Return the symbols and matrix letters of an expression, in any depth."""
    from toymodels.derive.expressions import MatrixLetter

    return expression.atoms(sp.Symbol, MatrixLetter)


class Trace(ScalarNode):
    """The trace of a square matrix."""

    def _sympystr(self, printer: Any) -> str:
        return f"tr({printer._print(self.args[0])})"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _power(rf"\operatorname{{tr}}\left({printer._print(self.args[0])}\right)", exp)


class Dot(ScalarNode):
    """The inner product of two matrices of one shape, tr AᵀB."""

    def __new__(cls, left: Matrix, right: Matrix) -> Dot:
        return super().__new__(cls, *sorted((left, right), key=sp.default_sort_key))

    @property
    def precedence(self) -> int:  # type: ignore[override]
        """That of a power, where it prints as a square."""
        return PRECEDENCE["Pow"] if self.args[0] == self.args[1] else 1000

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0] == self.args[1] else None

    def _sympystr(self, printer: Any) -> str:
        u, v = map(printer._print, self.args)
        return f"|{u}|^2" if u == v else f"<{u}, {v}>"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        u, v = map(printer._print, self.args)
        if u == v:
            square = rf"\left\|{u}\right\|^{{2}}"
            return square if exp is None else rf"\left({square}\right)^{{{exp}}}"
        return _power(rf"\left\langle {u}, {v}\right\rangle", exp)


class Norm(ScalarNode):
    """The Euclidean (Frobenius) norm."""

    is_nonnegative = True

    def _eval_power(self, exponent: sp.Expr) -> sp.Expr | None:
        if exponent.is_integer and exponent.is_even:
            return Dot(self.args[0], self.args[0]) ** (exponent / 2)
        return None

    def _sympystr(self, printer: Any) -> str:
        return f"|{printer._print(self.args[0])}|"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _power(rf"\left\|{printer._print(self.args[0])}\right\|", exp)


class Determinant(ScalarNode):
    """The determinant of a square matrix."""

    def _sympystr(self, printer: Any) -> str:
        return f"det({printer._print(self.args[0])})"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _power(rf"\det\left({printer._print(self.args[0])}\right)", exp)


class Entry(ScalarNode):
    """One entry of a matrix."""

    def _sympystr(self, printer: Any) -> str:
        body = self.args[0]._wrapped(41, printer, False)
        return f"{body}[{printer._print(self.args[1])}, {printer._print(self.args[2])}]"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        matrix, *places = self.args
        shown = places[:1] if matrix.shape[1] == 1 else places
        below = r"\,".join(printer._print(place + 1) for place in shown)  # on paper indices start at 1
        return _power(rf"{{{matrix._wrapped(41, printer, True)}}}_{{{below}}}", exp)


def _power(text: str, exponent: Any) -> str:
    return text if exponent is None else f"{text}^{{{exponent}}}"


class SumOver:
    """A sum over an index from 0 to n - 1: args are the summand, the index and n."""

    args: tuple[Any, ...]
    func: Any

    def _sympystr(self, printer: Any) -> str:
        term, index, n = self.args
        return f"sum({printer._print(term)}, {index} < {n})"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        term, index, n = self.args
        term = term.xreplace({index: sp.Symbol(index.name, integer=True) - 1})  # from 1 to n on paper
        body = printer._print(term)
        inner = rf"\left({body}\right)" if isinstance(term, (sp.Add, MatrixSum)) else body
        total = rf"\sum_{{{printer._print(index)}=1}}^{{{printer._print(n)}}} {inner}"
        return total if exp is None else rf"\left({total}\right)^{{{exp}}}"


class ScalarSum(SumOver, ScalarNode):
    """A sum of scalars."""

    precedence = 15

    @property
    def free_symbols(self) -> set[sp.Basic]:
        """The symbols but the index."""
        return super().free_symbols - {self.args[1]}


class MatrixSumOver(SumOver, Matrix):
    """A sum of matrices."""

    precedence = 15

    @property
    def shape(self) -> tuple[Any, Any]:
        return self.args[0].shape


def trace(matrix: Matrix) -> sp.Expr:
    """Return the trace of a square matrix."""
    return Trace(_square("trace", matrix))


def det(matrix: Matrix) -> sp.Expr:
    """Return the determinant of a square matrix."""
    return Determinant(_square("det", matrix))


def dot(left: Matrix, right: Matrix) -> sp.Expr:
    """Return the inner product of two vectors, or of two matrices of one shape (tr AᵀB)."""
    _matrices("dot", left, right)
    if left.shape != right.shape:
        shapes = f"{show_shape(left.shape)} and {show_shape(right.shape)}"
        raise ShapeError(f"dot({left}, {right}): shapes {shapes} differ")
    return Dot(left, right)


def norm(matrix: Matrix) -> sp.Expr:
    """Return the Euclidean norm of a vector or the Frobenius norm of a matrix."""
    _matrices("norm", matrix)
    return Norm(matrix)


def quad(matrix: Matrix, vector: Matrix) -> sp.Expr:
    """Return the quadratic form xᵀ A x."""
    _square("quad", matrix)
    return Dot(vector, matrix * vector)


def sum_over(index: sp.Symbol, term: Any) -> Any:
    """Return the sum of a scalar or matrix over an index that `Derivation.index` declared."""
    n = getattr(index, "length", None)
    if n is None:
        raise InputError(f"sum_over: expected an index from D.index, got {index!r}")
    term = sp.sympify(term)
    return (MatrixSumOver if isinstance(term, Matrix) else ScalarSum)(term, index, n)


def mean_over(index: sp.Symbol, term: Any) -> Any:
    """Return the mean of a scalar or matrix over an index."""
    total = sum_over(index, term)
    return total / total.args[2]


class Index(sp.Symbol):
    """A summation index that knows its range, 0 to length - 1."""

    __slots__ = ("length",)

    def __new__(cls, name: str, length: Any) -> Index:
        self = sp.Symbol.__xnew__(cls, name, integer=True, nonnegative=True)
        self.length = sp.sympify(length)
        return self

    def __getnewargs_ex__(self) -> Any:
        return (self.name, self.length), {}


def _matrices(name: str, *values: Any) -> None:
    for value in values:
        if not isinstance(value, Matrix):
            raise InputError(f"{name}: expected a matrix or vector, got {value!r}")


def _square(name: str, matrix: Any) -> Matrix:
    _matrices(name, matrix)
    if matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"{name}({matrix}): expected a square matrix, got shape {show_shape(matrix.shape)}")
    return matrix


class Applied(ScalarNode):
    """An unknown function, or a derivative of it, at a scalar: args are the letter, the order, the point."""

    def _sympystr(self, printer: Any) -> str:
        name, order, point = self.args
        return f"{name}{chr(39) * int(order)}({printer._print(point)})"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        name, order, point = self.args
        ticks = "'" * int(order)
        return _power(rf"{printer._print(name)}{ticks}\left({printer._print(point)}\right)", exp)
