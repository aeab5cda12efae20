"""Free commutative scalars: rational functions of named generators, in normal form.

The scalars of `words`: sizes, real variables and traces. Two of them are equal
exactly when cross-multiplied polynomials are, so an identity that runs here is
proved, not sampled.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.arithmetic.rationals import is_rational, to_fraction
from toymodels.errors import LeftArithmetic

Generator = tuple
Monomial = tuple
Polynomial = dict

MOST_TERMS = 20_000
_ONE: Polynomial = {(): Fraction(1)}


def _multiply_monomials(u: Monomial, v: Monomial) -> Monomial:
    if not u:
        return v
    if not v:
        return u
    powers = dict(u)
    for generator, exponent in v:
        powers[generator] = powers.get(generator, 0) + exponent
    return tuple(sorted(item for item in powers.items() if item[1]))


def _add(p: Polynomial, q: Polynomial, sign: int = 1) -> Polynomial:
    total = dict(p)
    for monomial, c in q.items():
        value = total.get(monomial, 0) + sign * c
        if value:
            total[monomial] = value
        else:
            total.pop(monomial, None)
    return total


def _multiply(p: Polynomial, q: Polynomial) -> Polynomial:
    if p == _ONE:
        return q
    if q == _ONE:
        return p
    if len(p) * len(q) > MOST_TERMS:
        raise LeftArithmetic("the expanded formula is too large for free commutative scalars")
    total: Polynomial = {}
    for u, a in p.items():
        for v, b in q.items():
            monomial = _multiply_monomials(u, v)
            total[monomial] = total.get(monomial, 0) + a * b
    return {monomial: c for monomial, c in total.items() if c}


class Scalar:
    """A rational function of generators, as numerator and denominator polynomials.

    Denominators that are single terms are absorbed as negative powers.

    Examples
    --------
    >>> a, b = Scalar.variable("a"), Scalar.variable("b")
    >>> (a * a - b * b) / (a - b) == a + b
    True
    >>> a / 2 + a / 2 == a
    True
    """

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: Polynomial, denominator: Polynomial = _ONE):
        self.numerator, self.denominator = numerator, denominator

    @classmethod
    def variable(cls, name: str) -> Scalar:
        """Return a free real variable."""
        return cls.generator(("scalar", name))

    @classmethod
    def size(cls, name: str) -> Scalar:
        """Return a matrix size, as a scalar."""
        return cls.generator(("size", name))

    @classmethod
    def generator(cls, generator: Generator) -> Scalar:
        """Return the scalar that is one generator."""
        return cls({((generator, 1),): Fraction(1)})

    @classmethod
    def constant(cls, value: Any) -> Scalar:
        """Return an exact number as a scalar."""
        if not is_rational(value):
            raise LeftArithmetic(f"{type(value).__name__} {value!r} entered a symbolic formula")
        number = to_fraction(value)
        return cls({(): number} if number else {})

    def _other(self, other: Any) -> Scalar | None:
        if isinstance(other, Scalar):
            return other
        if isinstance(other, (float, complex, np.inexact)) or is_rational(other):
            return Scalar.constant(other)
        return None

    def __add__(self, other: Any) -> Any:
        x = self._other(other)
        if x is None:
            return NotImplemented
        if self.denominator == x.denominator:
            return Scalar(_add(self.numerator, x.numerator), self.denominator)
        crossed = _add(_multiply(self.numerator, x.denominator), _multiply(x.numerator, self.denominator))
        return Scalar(crossed, _multiply(self.denominator, x.denominator))

    __radd__ = __add__

    def __neg__(self) -> Scalar:
        return Scalar({monomial: -c for monomial, c in self.numerator.items()}, self.denominator)

    def __pos__(self) -> Scalar:
        return self

    def __sub__(self, other: Any) -> Any:
        x = self._other(other)
        return NotImplemented if x is None else self + (-x)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        x = self._other(other)
        if x is None:
            return NotImplemented
        return Scalar(_multiply(self.numerator, x.numerator), _multiply(self.denominator, x.denominator))

    __rmul__ = __mul__

    def reciprocal(self) -> Scalar:
        """Return 1 / self."""
        if not self.numerator:
            raise ZeroDivisionError("division by a scalar that is identically zero")
        if len(self.numerator) == 1:
            ((monomial, c),) = self.numerator.items()
            inverse = {tuple((g, -e) for g, e in monomial): 1 / Fraction(c)}
            return Scalar(_multiply(self.denominator, inverse))
        return Scalar(self.denominator, self.numerator)

    def __truediv__(self, other: Any) -> Any:
        x = self._other(other)
        return NotImplemented if x is None else self * x.reciprocal()

    def __rtruediv__(self, other: Any) -> Any:
        return self.reciprocal() * other

    def __pow__(self, exponent: int) -> Scalar:
        if not isinstance(exponent, (int, np.integer)):
            raise LeftArithmetic(f"symbolic scalars take integer powers, got {exponent!r}")
        base = self if exponent >= 0 else self.reciprocal()
        result = Scalar(_ONE)
        for _ in range(abs(int(exponent))):
            result = result * base
        return result

    def is_zero(self) -> bool:
        """Return whether this is the zero function."""
        return not self.numerator

    def __eq__(self, other: object) -> bool:
        x = self._other(other)
        if x is None:
            return NotImplemented
        return (self - x).is_zero()

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise LeftArithmetic("a formula may not compare; pass branches as integer arguments")

    __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: bool(self)

    def latex(self) -> str:
        """Return the scalar as LaTeX."""
        top = _latex_polynomial(self.numerator)
        if self.denominator == _ONE:
            return top
        return rf"\frac{{{top}}}{{{_latex_polynomial(self.denominator)}}}"

    def __repr__(self) -> str:
        top = _print(self.numerator)
        return top if self.denominator == _ONE else f"({top})/({_print(self.denominator)})"


def latex_name(name: str) -> str:
    """Return a name as LaTeX: digits after the first letter become a subscript."""
    head, tail = name[0], name[1:].lstrip("_")
    if len(name) > 1 and name[1:].strip("_").isdigit():
        return f"{head}_{{{tail}}}"
    return name if len(name) == 1 else rf"\mathrm{{{name}}}".replace("_", r"\_")


def _latex_generator(generator: Generator) -> str:
    kind, body = generator
    return rf"\operatorname{{tr}}({body.latex()})" if kind == "trace" else latex_name(str(body))


def _latex_power(generator: Generator, exponent: int) -> str:
    base = _latex_generator(generator)
    return base if exponent == 1 else f"{base}^{{{exponent}}}"


def _latex_term(monomial: Monomial, c: Fraction) -> str:
    above = " ".join(_latex_power(g, e) for g, e in monomial if e > 0)
    below = " ".join(_latex_power(g, -e) for g, e in monomial if e < 0)
    p, q = abs(c.numerator), c.denominator
    top = " ".join(part for part in (str(p) if p != 1 or not above else "", above) if part)
    bottom = " ".join(part for part in (str(q) if q != 1 else "", below) if part)
    return rf"\frac{{{top}}}{{{bottom}}}" if bottom else top


def latex_sum(terms: list[tuple[Fraction, str]]) -> str:
    """Join signed terms."""
    text = "".join((" - " if c < 0 else " + ") + term for c, term in terms)
    return (
        text.removeprefix(" + ").replace(" - ", "-", 1)
        if text.startswith(" - ")
        else text.removeprefix(" + ")
    )


def _latex_polynomial(p: Polynomial) -> str:
    return latex_sum([(c, _latex_term(m, c)) for m, c in sorted(p.items(), key=str)]) or "0"


def _print_generator(generator: Generator) -> str:
    kind, body = generator
    return f"tr({body})" if kind == "trace" else str(body)


def _print_term(monomial: Monomial, c: Fraction) -> str:
    factors = [_print_generator(g) + (f"^{e}" if e != 1 else "") for g, e in monomial]
    if c != 1 or not factors:
        factors.insert(0, str(c))
    return "*".join(factors)


def _print(p: Polynomial) -> str:
    return " + ".join(_print_term(monomial, c) for monomial, c in sorted(p.items(), key=str)) or "0"
