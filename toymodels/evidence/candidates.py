"""Simple conditions that the variables of a statement may meet, and how to draw cases of the rare ones."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from toymodels.arithmetic.rationals import object_array
from toymodels.evidence.restricted import LARGEST, Drawn, Move, Numbers, entries
from toymodels.evidence.statement import Statement
from toymodels.spaces.source import Rejected


class Kind(enum.IntEnum):
    """Kinds of conditions, the weakest first."""

    generic = 0
    open = 1
    two_open = 2
    equal_sizes = 3
    commuting = 4
    symmetric = 5
    equal = 6
    zero = 7
    single = 8
    zero_matrix = 9


@dataclass(frozen=True)
class Candidate:
    """A condition on a case.

    Attributes
    ----------
    text : str
    kind : Kind
    meets : callable (Drawn) -> bool
    preset : callable (rng) -> sizes, or None
        Sizes that meet it.
    move : callable (rng) -> Move, or None
        Variables that meet it; for a generic condition, that do not.
    """

    text: str
    kind: Kind
    meets: Callable[[Drawn], bool]
    preset: Callable[[np.random.Generator], dict[str, int]] | None = None
    move: Callable[[np.random.Generator], Move] | None = None

    @property
    def is_rare(self) -> bool:
        """Whether random cases hardly ever meet it."""
        return self.kind > Kind.two_open


def candidates(statement: Statement, drawn: Sequence[Drawn]) -> list[Candidate]:
    """Return the conditions that the variables of drawn cases can meet."""
    if not drawn:
        return []
    sizes = list(drawn[0].sizes)
    shapes = {name: _shapes(name, drawn) for name in statement.spaces if name not in sizes}
    scalars = [name for name, found in shapes.items() if found == {()}]
    matrices = [name for name, found in shapes.items() if found and all(len(shape) == 2 for shape in found)]
    square = [name for name in matrices if all(rows == cols for rows, cols in shapes[name])]
    signs = [sign for x in scalars for sign in (_above(x), _below(x))]
    return [
        *(_nonzero(x) for x in scalars),
        *signs,
        *(_small(x) for x in scalars),
        *(order for x, y in combinations(scalars, 2) for order in (_less(x, y), _greater(x, y))),
        *(_both(a, b) for a, b in combinations(signs, 2) if a.text.split()[0] != b.text.split()[0]),
        *(_equal(x, y) for x, y in combinations(scalars, 2)),
        *(_zero(x) for x in scalars),
        *(found for m, n in combinations(sizes, 2) for found in _equal_sizes(statement, m, n)),
        *(_single(n) for n in sizes if _range(statement, n)[0] <= 1),
        *(_full_rank(A, A in square) for A in matrices),
        *(_symmetric(A) for A in square),
        *(_commuting(A, B) for A, B in combinations(square, 2) if shapes[A] == shapes[B]),
        *(_zero_matrix(A) for A in matrices),
    ]


def _shapes(name: str, drawn: Sequence[Drawn]) -> set[tuple[int, ...]]:
    """The shapes that a variable takes; none where it is not an array of real numbers."""
    arrays = [entries(each.values[name]) for each in drawn]
    known = [array.shape for array in arrays if array is not None]
    return set(known) if len(known) == len(arrays) else set()


def _array(drawn: Drawn, name: str) -> np.ndarray:
    array = entries(drawn.values[name])
    if array is None:
        raise Rejected(f"{name} is no array of numbers")
    return array


def _on_numbers(text: str, kind: Kind, test: Callable[..., Any], *names: str, move: Any = None) -> Candidate:
    def meets(drawn: Drawn) -> bool:
        return bool(test(*(_array(drawn, name)[()] for name in names)))

    return Candidate(text, kind, meets, move=move)


def _above(x: str) -> Candidate:
    return _on_numbers(f"{x} > 0", Kind.open, lambda v: v > 0, x)


def _below(x: str) -> Candidate:
    return _on_numbers(f"{x} < 0", Kind.open, lambda v: v < 0, x)


def _small(x: str) -> Candidate:
    return _on_numbers(f"|{x}| < 1", Kind.open, lambda v: abs(v) < 1, x)


def _less(x: str, y: str) -> Candidate:
    return _on_numbers(f"{x} < {y}", Kind.open, lambda u, v: u < v, x, y)


def _greater(x: str, y: str) -> Candidate:
    return _on_numbers(f"{x} > {y}", Kind.open, lambda u, v: u > v, x, y)


def _both(a: Candidate, b: Candidate) -> Candidate:
    return Candidate(f"{a.text} and {b.text}", Kind.two_open, lambda drawn: a.meets(drawn) and b.meets(drawn))


def _nonzero(x: str) -> Candidate:
    return _on_numbers(f"{x} != 0", Kind.generic, lambda v: v != 0, x, move=_changing(x, _times_zero))


def _zero(x: str) -> Candidate:
    return _on_numbers(f"{x} = 0", Kind.zero, lambda v: v == 0, x, move=_changing(x, _times_zero))


def _equal(x: str, y: str) -> Candidate:
    def move(rng: np.random.Generator) -> Move:
        return lambda free: {x: _free(free, x, y)[y]}

    return _on_numbers(f"{x} = {y}", Kind.equal, lambda u, v: u == v, x, y, move=move)


def _range(statement: Statement, size: str) -> tuple[int, int]:
    return statement.ranges.get(size, (1, LARGEST))


def _equal_sizes(statement: Statement, m: str, n: str) -> list[Candidate]:
    """Equality of two sizes, where their ranges meet."""
    (low, high), (other_low, other_high) = _range(statement, m), _range(statement, n)
    both = range(max(low, other_low), min(high, other_high) + 1)

    def preset(rng: np.random.Generator) -> dict[str, int]:
        return dict.fromkeys((m, n), int(rng.choice(both)))

    def meets(drawn: Drawn) -> bool:
        return drawn.sizes.get(m) == drawn.sizes.get(n)

    return [Candidate(f"{m} = {n}", Kind.equal_sizes, meets, preset)] if both else []


def _single(n: str) -> Candidate:
    return Candidate(f"{n} = 1", Kind.single, lambda drawn: drawn.sizes.get(n) == 1, lambda rng: {n: 1})


def _full_rank(A: str, is_square: bool) -> Candidate:
    def meets(drawn: Drawn) -> bool:
        array = _array(drawn, A).astype(float)
        return bool(np.linalg.matrix_rank(array) == min(array.shape))

    text = f"{A} is invertible" if is_square else f"{A} has full rank"
    return Candidate(text, Kind.generic, meets, move=_changing(A, _deficient))


def _symmetric(A: str) -> Candidate:
    def meets(drawn: Drawn) -> bool:
        array = _array(drawn, A)
        return bool((array == array.T).all())

    move = _changing(A, lambda array, rng: array + array.T)
    return Candidate(f"{A} is symmetric", Kind.symmetric, meets, move=move)


def _commuting(A: str, B: str) -> Candidate:
    def meets(drawn: Drawn) -> bool:
        a, b = _array(drawn, A), _array(drawn, B)
        return bool((a @ b == b @ a).all())

    def move(rng: np.random.Generator) -> Move:
        return lambda free: {B: _polynomial(_free(free, A, B)[A], rng)}

    return Candidate(f"{A} and {B} commute", Kind.commuting, meets, move=move)


def _zero_matrix(A: str) -> Candidate:
    move = _changing(A, _times_zero)
    return Candidate(f"{A} = 0", Kind.zero_matrix, lambda drawn: not _array(drawn, A).any(), move=move)


def _free(free: Numbers, *names: str) -> Numbers:
    """The free variables, of which these must be some."""
    if not set(names) <= set(free):
        raise Rejected(f"{', '.join(names)} cannot be moved freely")
    return free


Change = Callable[[np.ndarray, np.random.Generator], Any]


def _changing(name: str, change: Change) -> Callable[[np.random.Generator], Move]:
    """The move of one free variable."""
    return lambda rng: lambda free: {name: change(_free(free, name)[name], rng)}


def _times_zero(array: np.ndarray, rng: np.random.Generator) -> Any:
    return array * 0


def _deficient(array: np.ndarray, rng: np.random.Generator) -> Any:
    """The matrix with the last of its rows (or columns, if fewer) a multiple of the first, or zero."""
    if array.shape[0] > array.shape[1]:
        return _deficient(array.T, rng).T
    factor = int(rng.integers(-1, 2)) if len(array) > 1 else 0
    return np.concatenate([array[:-1], factor * array[:1]])


def _polynomial(array: np.ndarray, rng: np.random.Generator) -> Any:
    """A quadratic polynomial of a square matrix, with small integer coefficients."""
    quadratic, linear, constant = (int(k) for k in rng.integers(-2, 3, 3))
    identity = object_array(map(int, np.eye(len(array)).flat), array.shape)
    return quadratic * (array @ array) + linear * array + constant * identity
