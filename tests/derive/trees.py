"""Random expressions, each beside a plain NumPy function that computes it: the oracle of the evaluator."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from toymodels.derive import (
    Derivation,
    det,
    diag,
    diagonal,
    dot,
    elementwise,
    hadamard,
    identity,
    ones,
    quad,
    sum_over,
    trace,
    zeros,
)  # fmt: skip

D = Derivation("letters of random expressions")
m, d = D.sizes("m d")
A, B = D.matrix("A", m, d), D.matrix("B", d, m)
C, S = D.matrix("C", m, m), D.matrix("S", d, d)
u, v = D.vector("u", m), D.vector("v", d)
x, y = D.scalars("x y")
LETTERS = (A, B, C, S, u, v, x, y)
MATRICES = LETTERS[:6]
SHAPES = ((m, d), (d, m), (m, m), (d, d), (m, 1), (d, 1))


@dataclass(frozen=True)
class Tree:
    """An expression, and the function of the letters' values (a dict) and sizes that it stands for."""

    expression: sp.Basic
    compute: Callable[[dict, dict], object]


def _letter(letter):
    return Tree(letter, lambda values, sizes: values[letter])


@st.composite
def matrices(draw, shape=None, depth=2, ring=False):
    """A matrix of the shape, polynomial in the letters; with `ring`, made of sums, products and traces."""
    shape = draw(st.sampled_from(SHAPES)) if shape is None else shape
    leaves = [_letter(x) for x in MATRICES if x.shape == shape]
    leaves += [
        _transposed(_letter(x)) for x in MATRICES if x.shape[::-1] == shape and x.shape[0] != x.shape[1]
    ]
    leaves += [Tree(ones(*shape), lambda values, sizes: _full(1, shape, sizes))]
    leaves += [Tree(zeros(*shape), lambda values, sizes: _full(0, shape, sizes))]
    if shape[0] == shape[1]:
        leaves.append(
            Tree(identity(shape[0]), lambda values, sizes: np.eye(_size(shape[0], sizes), dtype=int))
        )
    if depth == 0:
        return draw(st.sampled_from(leaves))
    kinds = ["sum", "difference", "product", "product", "scaled", "transpose"]
    if not ring:
        kinds += ["hadamard", "elementwise"]
        kinds += ["diag"] if shape[0] == shape[1] else []
        kinds += ["diagonal", "row"] if shape[1] == 1 else []
    kind = draw(st.sampled_from([*kinds, "leaf"]))
    if kind == "leaf":
        return draw(st.sampled_from(leaves))
    if kind == "product":
        inner = draw(st.sampled_from((m, d)))
        a = draw(matrices((shape[0], inner), depth - 1, ring))
        b = draw(matrices((inner, shape[1]), depth - 1, ring))
        return Tree(
            a.expression * b.expression,
            lambda values, sizes: a.compute(values, sizes) @ b.compute(values, sizes),
        )
    if kind == "transpose":
        return _transposed(draw(matrices(shape[::-1], depth - 1, ring)))
    if kind == "diag":
        a = draw(matrices((shape[0], sp.S.One), depth - 1, ring))
        return Tree(diag(a.expression), lambda values, sizes: np.diag(a.compute(values, sizes)[:, 0]))
    if kind == "diagonal":
        a = draw(matrices((shape[0], shape[0]), depth - 1, ring))
        return Tree(diagonal(a.expression), lambda values, sizes: np.diag(a.compute(values, sizes))[:, None])
    if kind == "row":
        a = draw(matrices((draw(st.sampled_from((m, d))), shape[0]), depth - 1, ring))
        return Tree(a.expression.row(0), lambda values, sizes: a.compute(values, sizes)[:1].T)
    a = draw(matrices(shape, depth - 1, ring))
    if kind == "scaled":
        c = draw(scalars(depth - 1, ring))
        return Tree(
            c.expression * a.expression,
            lambda values, sizes: c.compute(values, sizes) * a.compute(values, sizes),
        )
    b = draw(matrices(shape, depth - 1, ring))
    return _two(kind, a, b)


def _two(kind, a, b):
    """An operation on two matrices of one shape."""
    build, compute = {
        "sum": (lambda p, q: p + q, lambda p, q: p + q),
        "difference": (lambda p, q: p - q, lambda p, q: p - q),
        "hadamard": (hadamard, lambda p, q: p * q),
        "elementwise": (
            lambda p, q: elementwise(lambda s, t: s**2 - 3 * s * t, p, q),
            lambda p, q: p**2 - 3 * p * q,
        ),
    }[kind]
    return Tree(
        build(a.expression, b.expression),
        lambda values, sizes: compute(a.compute(values, sizes), b.compute(values, sizes)),
    )


def _transposed(a):
    return Tree(a.expression.T, lambda values, sizes: a.compute(values, sizes).T)


def _size(size, sizes):
    return int(size) if isinstance(size, (int, sp.Integer)) else sizes[size]


def _full(value, shape, sizes):
    return np.full([_size(n, sizes) for n in shape], value, dtype=int)


@st.composite
def scalars(draw, depth=2, ring=False):
    """A scalar, polynomial in the letters."""
    number = draw(st.sampled_from([sp.Integer(2), sp.Integer(-1), sp.Rational(2, 3), sp.Rational(-1, 2)]))
    leaves = [
        _letter(x),
        _letter(y),
        Tree(number, lambda values, sizes: Fraction(int(number.p), int(number.q))),
    ]
    kinds = [
        "sum",
        "product",
        "square",
        "trace",
        "dot",
        "quad",
        "leaf",
        *([] if ring else ["det", "entry", "over"]),
    ]
    kind = draw(st.sampled_from(kinds))
    if depth == 0 or kind == "leaf":
        return draw(st.sampled_from(leaves))
    if kind in ("sum", "product"):
        a, b = draw(scalars(depth - 1, ring)), draw(scalars(depth - 1, ring))
        if kind == "sum":
            return Tree(
                a.expression + b.expression,
                lambda values, sizes: a.compute(values, sizes) + b.compute(values, sizes),
            )
        return Tree(
            a.expression * b.expression,
            lambda values, sizes: a.compute(values, sizes) * b.compute(values, sizes),
        )
    if kind == "square":
        a = draw(scalars(depth - 1, ring))
        return Tree(a.expression**2, lambda values, sizes: a.compute(values, sizes) ** 2)
    return draw(_of_matrices(kind, depth, ring))


@st.composite
def _of_matrices(draw, kind, depth, ring):
    n = draw(st.sampled_from((m, d)))
    if kind == "dot":
        shape = draw(st.sampled_from(SHAPES))
        a, b = draw(matrices(shape, depth - 1, ring)), draw(matrices(shape, depth - 1, ring))
        return Tree(
            dot(a.expression, b.expression),
            lambda values, sizes: (a.compute(values, sizes) * b.compute(values, sizes)).sum(),
        )
    a = draw(matrices((n, n), depth - 1, ring))
    if kind == "quad":
        b = draw(matrices((n, sp.S.One), depth - 1, ring))

        def form(values, sizes):
            column = b.compute(values, sizes)
            return (column.T @ a.compute(values, sizes) @ column)[0, 0]

        return Tree(quad(a.expression, b.expression), form)
    if kind == "entry":
        return Tree(a.expression[0, 0], lambda values, sizes: a.compute(values, sizes)[0, 0])
    if kind == "over":
        i = D.index("i", n)
        total = sum_over(i, (i + 1) * a.expression[i, 0])
        return Tree(
            total,
            lambda values, sizes: sum((k + 1) * z for k, z in enumerate(a.compute(values, sizes)[:, 0])),
        )
    build, compute = (trace, np.trace) if kind == "trace" else (det, determinant)
    return Tree(build(a.expression), lambda values, sizes: compute(a.compute(values, sizes)))


def determinant(matrix):
    """The determinant by Leibniz' sum over permutations."""
    n = len(matrix)
    total = 0
    for order in permutations(range(n)):
        swaps = sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        product = 1
        for i, j in enumerate(order):
            product = product * matrix[i, j]
        total = total + (-1) ** swaps * product
    return total


def drawn_values(seed, make=Fraction):
    """Random small rationals for every letter, as numbers that `make` makes, and the sizes."""
    rng = np.random.default_rng(seed)
    sizes = {m: int(rng.integers(1, 4)), d: int(rng.integers(1, 4))}

    def number():
        return make(Fraction(int(rng.integers(-4, 5)), int(rng.integers(1, 4))))

    def array(shape):
        entries = np.empty([_size(n, sizes) for n in shape], dtype=object)
        entries.flat = [number() for _ in range(entries.size)]
        return entries

    values = {letter: array(letter.shape) for letter in MATRICES} | {x: number(), y: number()}
    return values, sizes
