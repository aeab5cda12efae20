"""Words: matrices of symbolic size as polynomials in noncommuting letters and their transposes.

A matrix is a sum of words with free commutative scalars (`commutative.Scalar`)
in front; traces are scalars, equal up to rotation and reversal. Two matrices
are equal here exactly when the identity follows from ring axioms and the
letters' own relations (symmetric, orthogonal, inverse, projector), and then it
holds for every size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.arithmetic.commutative import Scalar, latex_name, latex_sum
from toymodels.arithmetic.rationals import is_rational
from toymodels.errors import LeftArithmetic

Size = str | int
KINDS = ("general", "symmetric", "orthogonal", "frame", "invertible", "definite", "projector")
_SELF_TRANSPOSED = ("symmetric", "definite", "projector")
_INVERTIBLE = {"invertible", "definite", "orthogonal"}


@dataclass(frozen=True, order=True)
class Letter:
    """A named matrix: ``kind`` gives its relations; a frame has orthonormal columns."""

    name: str
    rows: Size
    cols: Size
    kind: str = "general"


@dataclass(frozen=True, order=True)
class Factor:
    """A letter, perhaps transposed, perhaps inverted."""

    letter: Letter
    transposed: bool = False
    inverted: bool = False

    @property
    def shape(self) -> tuple[Size, Size]:
        """Rows and columns."""
        shape = (self.letter.rows, self.letter.cols)
        return shape[::-1] if self.transposed != self.inverted else shape

    def transpose(self) -> Factor:
        """Return the transpose, in normal form."""
        if self.letter.kind in _SELF_TRANSPOSED:
            return self
        return Factor(self.letter, not self.transposed, self.inverted)

    def latex(self) -> str:
        """Return the factor as LaTeX."""
        above = ("-1" if self.inverted else "") + (r"\top" if self.transposed else "")
        return latex_name(self.letter.name) + (f"^{{{above}}}" if above else "")

    def __str__(self) -> str:
        return self.letter.name + ("^-1" if self.inverted else "") + ("'" if self.transposed else "")


class Word(tuple):
    """A product of factors."""

    __slots__ = ()

    def __str__(self) -> str:
        return " ".join(map(str, self))

    def latex(self) -> str:
        """Return the product as LaTeX; the empty word is the identity."""
        return " ".join(factor.latex() for factor in self) or "I"

    def transpose(self) -> Word:
        """Return the transpose: reversed, each factor transposed."""
        return Word(factor.transpose() for factor in reversed(self))


def _cancels(u: Factor, v: Factor) -> bool:
    if u.letter != v.letter:
        return False
    if u.letter.kind == "orthogonal":
        return u.transposed != v.transposed
    if u.letter.kind == "frame":
        return u.transposed and not v.transposed
    return u.inverted != v.inverted and u.transposed == v.transposed


def _reduce(factors: Iterable[Factor]) -> Word:
    """Cancel neighbours by the letters' own relations."""
    reduced: list[Factor] = []
    for factor in factors:
        if reduced and _cancels(reduced[-1], factor):
            reduced.pop()
        elif not (reduced and factor.letter.kind == "projector" and reduced[-1] == factor):
            reduced.append(factor)
    return Word(reduced)


def _rotations(word: Word) -> Iterable[Word]:
    return (Word(word[k:] + word[:k]) for k in range(len(word)))


def _reduce_cycle(word: Word, size: Size) -> tuple[Word, Size]:
    """Cancel across the seam of a trace as well; where all cancels, the size is that of the identity left."""
    word = _reduce(word)
    while len(word) > 1:
        seam = _reduce([word[-1], word[0]])
        if len(seam) == 2:
            break
        size, word = word[-1].shape[0], Word([*seam, *word[1:-1]])
    return word, size


def _trace_of(word: Word, size: Size) -> Scalar:
    """Return the trace of a word as a scalar, up to rotation and reversal."""
    word, size = _reduce_cycle(word, size)
    if not word:
        return _size(size)
    cuts = [k for k, factor in enumerate(word) if factor.shape[0] == 1]
    if cuts:
        word = Word(word[cuts[0] :] + word[: cuts[0]])
        return _product(_loop(piece) for piece in _split(word))
    return _loop(word)


def _loop(word: Word) -> Scalar:
    candidates = [*_rotations(word), *_rotations(word.transpose())]
    return Scalar.generator(("trace", min(candidates)))


def _product(scalars: Iterable[Scalar]) -> Scalar:
    result = Scalar.constant(1)
    for scalar in scalars:
        result = result * scalar
    return result


def _split(word: Word) -> list[Word]:
    """Cut a word wherever it passes through size 1."""
    pieces, start = [], 0
    for k in range(1, len(word)):
        if word[k].shape[0] == 1:
            pieces.append(Word(word[start:k]))
            start = k
    return [*pieces, Word(word[start:])]


def _normal(word: Word) -> tuple[Scalar, Word]:
    """Take the 1x1 pieces of a word out in front, as scalars."""
    word = _reduce(word)
    scalar = Scalar.constant(1)
    kept: list[Factor] = []
    for piece in _split(word):
        if piece and piece[0].shape[0] == 1 == piece[-1].shape[1]:
            scalar = scalar * _loop(piece)
        else:
            kept.extend(piece)
    return scalar, Word(kept)


def _size(size: Size) -> Scalar:
    return Scalar.size(size) if isinstance(size, str) else Scalar.constant(size)


class Words:
    """A matrix of symbolic size: a sum of words with scalar coefficients.

    Examples
    --------
    >>> A, B = letter("A", "m", "d"), letter("B", "d", "m")
    >>> ((A @ B).mT - B.mT @ A.mT).is_zero()
    True
    >>> (A @ B).trace() == (B @ A).trace()
    True
    """

    __array_ufunc__ = None
    __slots__ = ("cols", "rows", "terms")
    ndim = 2

    def __init__(self, terms: dict[Word, Scalar], rows: Size, cols: Size):
        self.terms = {word: c for word, c in terms.items() if not c.is_zero()}
        self.rows, self.cols = rows, cols

    @property
    def shape(self) -> tuple[Any, Any]:
        """Rows and columns, as scalars to compute with (or ints)."""
        return tuple(s if isinstance(s, int) else Scalar.size(s) for s in (self.rows, self.cols))  # type: ignore[return-value]

    def _map(self, function: Callable[[Scalar], Scalar]) -> Words:
        return Words({word: function(c) for word, c in self.terms.items()}, self.rows, self.cols)

    def __add__(self, other: Any) -> Words:
        if not isinstance(other, Words):
            if is_rational(other) and other == 0:
                return self
            return _refuse(other, "words add matrices; a number is not a matrix (use identity_like)")
        if (self.rows, self.cols) != (other.rows, other.cols):
            raise LeftArithmetic(
                f"shapes ({self.rows}, {self.cols}) and ({other.rows}, {other.cols}) do not add"
            )
        terms = dict(self.terms)
        for word, c in other.terms.items():
            terms[word] = terms[word] + c if word in terms else c
        return Words(terms, self.rows, self.cols)

    __radd__ = __add__

    def __neg__(self) -> Words:
        return self._map(lambda c: -c)

    def __sub__(self, other: Any) -> Words:
        return self + (-other)

    def __rsub__(self, other: Any) -> Words:
        return -self + other

    def __matmul__(self, other: Any) -> Words:
        if not isinstance(other, Words):
            if self.cols == 1 and _is_integer_identity(other):
                return self
            return _refuse(other, "words multiply words")
        if self.cols != other.rows:
            raise LeftArithmetic(f"inner sizes {self.cols} and {other.rows} differ")
        terms: dict[Word, Scalar] = {}
        for u, a in self.terms.items():
            for v, b in other.terms.items():
                scalar, word = _normal(Word(u + v))
                c = a * b * scalar
                terms[word] = terms[word] + c if word in terms else c
        return Words(terms, self.rows, other.cols)

    def __rmatmul__(self, other: Any) -> Words:
        if self.rows == 1 and _is_integer_identity(other):
            return self
        return _refuse(other, "words multiply words")

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Words):
            if (self.rows, self.cols) != (other.rows, other.cols):
                raise LeftArithmetic("an elementwise product of words takes two of one shape")
            return Elementwise([(Scalar.constant(1), self, other)])
        if not isinstance(other, Scalar) and not is_rational(other):
            return _refuse(other, "words are scaled by exact scalars")
        return self._map(lambda c: c * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Words:
        if not isinstance(other, Scalar) and not is_rational(other):
            return _refuse(other, "words are divided by exact scalars")
        return self._map(lambda c: c / other)

    @property
    def mT(self) -> Words:
        """The transpose."""
        terms: dict[Word, Scalar] = {}
        for word, c in self.terms.items():
            terms[word.transpose()] = c
        return Words(terms, self.cols, self.rows)

    @property
    def inverse(self) -> Words:
        """The inverse of an invertible (or orthogonal) letter."""
        if len(self.terms) == 1:
            ((word, c),) = self.terms.items()
            kinds = {factor.letter.kind for factor in word}
            if kinds <= _INVERTIBLE:
                inverse = Word(_invert(factor) for factor in reversed(word))
                return Words({inverse: c.reciprocal()}, self.cols, self.rows)
        raise LeftArithmetic("words invert single products of invertible letters only")

    def trace(self) -> Scalar:
        """Return the trace."""
        if self.rows != self.cols:
            raise LeftArithmetic(f"the trace of a ({self.rows}, {self.cols}) matrix")
        total = Scalar.constant(0)
        for word, c in self.terms.items():
            total = total + c * _trace_of(word, self.rows)
        return total

    def sum(self, axis: Any = None) -> Any:
        """Refuse: entries of a word matrix cannot be summed; products can (see `Elementwise`)."""
        raise LeftArithmetic("words have no entries to sum")

    def identity_like(self) -> Words:
        """Return the identity of the size of the columns."""
        return identity(self.cols)

    def is_zero(self) -> bool:
        """Return whether this is the zero matrix at every size."""
        return not self.terms

    def __getitem__(self, key: Any) -> Any:
        raise LeftArithmetic("words have no entries to index")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise LeftArithmetic(f"words do not take {function.__name__}")

    def latex(self) -> str:
        """Return the matrix as LaTeX."""
        terms = []
        for word, c in sorted(self.terms.items(), key=str):
            text = c.latex()
            single = len(c.numerator) == 1
            sign = Fraction(-1 if single and text.startswith("-") else 1)
            text = text.removeprefix("-") if single else f"({text})"
            terms.append((sign, word.latex() if text == "1" else f"{text} {word.latex()}"))
        return latex_sum(terms) or "0"

    def __repr__(self) -> str:
        parts = [f"({c!r}) {word or 'I'}" for word, c in self.terms.items()]
        return " + ".join(parts) or "0"


def _refuse(other: Any, why: str) -> Any:
    """Leave jets and other wrappers to answer for themselves; refuse numbers and arrays."""
    numbers = (int, float, complex, np.generic, np.ndarray, Scalar, Elementwise)
    if isinstance(other, numbers) or is_rational(other):
        raise LeftArithmetic(f"{why}, got {type(other).__name__}")
    return NotImplemented


def _invert(factor: Factor) -> Factor:
    if factor.letter.kind == "orthogonal":
        return factor.transpose()
    return Factor(factor.letter, factor.transposed, not factor.inverted)


def _is_integer_identity(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.shape == (1, 1) and is_rational(x[0, 0]) and x[0, 0] == 1


class Elementwise:
    """A sum of elementwise products A * B, waiting for the sum that makes it tr AᵀB."""

    __array_ufunc__ = None
    __slots__ = ("terms",)

    def __init__(self, terms: list[tuple[Scalar, Words, Words]]):
        self.terms = terms

    def __add__(self, other: Any) -> Elementwise:
        if not isinstance(other, Elementwise):
            raise LeftArithmetic("an elementwise product of words adds to its like only")
        shapes = {(u.rows, u.cols) for _, u, _ in (*self.terms, *other.terms)}
        if len(shapes) > 1:
            raise LeftArithmetic("elementwise products of different shapes do not add")
        return Elementwise(self.terms + other.terms)

    def __neg__(self) -> Elementwise:
        return self * -1

    def __sub__(self, other: Any) -> Elementwise:
        return self + (-other)

    def __mul__(self, other: Any) -> Elementwise:
        return Elementwise([(c * other, u, v) for c, u, v in self.terms])

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Elementwise:
        return Elementwise([(c / other, u, v) for c, u, v in self.terms])

    def sum(self, axis: Any = None) -> Scalar:
        """Return the sum over both axes."""
        if axis is not None and tuple(sorted(axis if isinstance(axis, tuple) else (axis,))) != (-2, -1):
            raise LeftArithmetic("words sum an elementwise product over both axes only")
        total = Scalar.constant(0)
        for c, u, v in self.terms:
            total = total + c * (u.mT @ v).trace()
        return total


def letter(name: str, rows: Size, cols: Size, kind: str = "general") -> Words:
    """Return a named matrix of symbolic (str) or literal (int) size.

    Parameters
    ----------
    kind : {"general", "symmetric", "orthogonal", "frame", "invertible", "definite", "projector"}
        A frame has orthonormal columns; a projector is orthogonal; a definite matrix is symmetric
        and invertible.
    """
    if kind not in KINDS:
        raise LeftArithmetic(f"kind: unknown {kind!r}; expected one of {', '.join(KINDS)}")
    if kind not in ("general", "frame") and rows != cols:
        raise LeftArithmetic(f"{name}: a matrix of kind {kind} is square, got ({rows}, {cols})")
    scalar, word = _normal(Word([Factor(Letter(name, rows, cols, kind))]))
    return Words({word: scalar}, rows, cols)


def identity(size: Size) -> Words:
    """Return the identity of symbolic size."""
    return Words({Word(): Scalar.constant(Fraction(1))}, size, size)


def gradient_from_slope(slope: Scalar, direction: Words) -> Words:
    """Return the matrix G with ``slope = tr(Gᵀ V)`` for a slope that is linear in the letter V.

    Parameters
    ----------
    slope : Scalar
        A derivative along `direction`, so each of its terms holds V once.
    direction : Words
        The letter V alone.

    Examples
    --------
    >>> A, V = letter("A", "m", "d"), letter("V", "m", "d")
    >>> (gradient_from_slope((A.mT @ V).trace() * 2, V) - A * 2).is_zero()
    True
    """
    ((word, _),) = direction.terms.items()
    (factor,) = word
    total = Words({}, direction.rows, direction.cols)
    for monomial, c in slope.numerator.items():
        holding = [(g, e) for g, e in monomial if g[0] == "trace" and _holds(g[1], factor)]
        if len(holding) != 1 or holding[0][1] != 1 or any(_denominator_holds(slope, factor)):
            raise LeftArithmetic("the slope is not linear in the direction")
        ((generator, _),) = holding
        rest = tuple(item for item in monomial if item[0] != generator)
        coefficient = Scalar({rest: c}, slope.denominator)
        total = total + _cofactor(generator[1], factor) * coefficient
    return total


def _holds(word: Word, factor: Factor) -> bool:
    return any(f.letter == factor.letter for f in word)


def _denominator_holds(slope: Scalar, factor: Factor) -> Iterable[bool]:
    return (_holds(g[1], factor) for m in slope.denominator for g, _ in m if g[0] == "trace")


def _cofactor(word: Word, factor: Factor) -> Words:
    """Return X with tr(word) = tr(Xᵀ V), where V stands in the word once."""
    place, *more = (k for k, f in enumerate(word) if f.letter == factor.letter)
    if more:
        raise LeftArithmetic("the slope is not linear in the direction")
    if word[place].transposed != factor.transposed:
        word = word.transpose()
        place = len(word) - 1 - place
    scalar, rest = _normal(Word(word[place + 1 :] + word[:place]).transpose())
    rows, cols = factor.shape
    return Words({rest: scalar}, rows, cols)
