"""Matrices of symbolic size: shapes are checked where they are written, and prints say what is meant."""

import re

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import SHAPES, A, B, C, D, S, d, drawn_values, m, matrices, scalars, u, v, x, y

from toymodels.derive import (
    ShapeError,
    diag,
    diagonal,
    elementwise,
    hadamard,
    identity,
    ones,
    relu,
    sum_over,
    zeros,
)
from toymodels.derive.expressions import Inverse, Matrix, Scaled, Transpose
from toymodels.errors import InputError

ANY = st.one_of(matrices(depth=3), scalars(depth=3))


@settings(max_examples=60)
@given(matrices(depth=3), st.integers(0, 10**6))
def test_shapes_are_those_of_the_values(tree, seed):
    values, sizes = drawn_values(seed)
    shape = tuple(int(sizes.get(n, n)) for n in tree.expression.shape)
    assert np.shape(tree.compute(values, sizes)) == shape


@given(st.sampled_from(SHAPES), st.sampled_from(SHAPES), st.data())
def test_operations_take_the_shapes_that_fit(left, right, data):
    p = data.draw(matrices(left, depth=1)).expression
    q = data.draw(matrices(right, depth=1)).expression
    for fits, operate in (
        (left == right, lambda: p + q),
        (left == right, lambda: p - q),
        (left == right, lambda: hadamard(p, q)),
        (left[1] == right[0], lambda: p * q),
        (left[0] == left[1], lambda: p.I),
        (left[0] == left[1], lambda: p**2),
        (left[0] == left[1], lambda: diagonal(p)),
        (left[1] == 1, lambda: diag(p)),
    ):
        if fits:
            assert isinstance(operate(), Matrix)
        else:
            with pytest.raises(ShapeError):
                operate()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: A * A, r"A \* A: shapes \(m, d\) and \(m, d\) do not multiply"),
        (lambda: A + B, r"A \+ B: shapes \(m, d\) and \(d, m\) do not add"),
        (lambda: A - B * 2, r"A - 2\*B: shapes \(m, d\) and \(d, m\) do not add"),
        (lambda: 1 - A, r"1 - A: a matrix \(m, d\) and a scalar do not add"),
        (lambda: A + x, r"A \+ x: a matrix \(m, d\) and a scalar do not add; write x \* identity\(n\)"),
        (lambda: (A * B).I * B, r"\(A\*B\).I \* B: shapes \(m, m\) and \(d, m\)"),
        (lambda: A.I, r"\(A\).I: a matrix of shape \(m, d\) has no inverse"),
        (lambda: A**2, r"\(A\)\*\*2: a matrix of shape \(m, d\) has no powers"),
        (lambda: 1 / C, r"1 / \(C\): divide by a matrix as A.I, its inverse"),
        (lambda: hadamard(A, B), r"shapes \(m, d\), \(d, m\) differ"),
        (lambda: diag(C), r"diag\(C\): expected a column vector"),
        (lambda: diagonal(A), r"diagonal\(A\): expected a square matrix"),
    ],
)
def test_a_shape_error_names_the_expression_and_both_shapes(wrong, said):
    with pytest.raises(ShapeError, match=said):
        wrong()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: C ** sp.Rational(1, 2), "integer power"),
        (lambda: C[0], "two indices"),
        (lambda: list(C), "no list of entries"),
        (lambda: elementwise(sp.exp), "at least one matrix"),
        (lambda: A / B, "expected a scalar"),
    ],
)
def test_other_mistakes_are_said(wrong, said):
    with pytest.raises(InputError, match=said):
        wrong()


def test_nothing_vanishes_on_construction():
    """What a step claims must not be made true by writing it down."""
    assert identity(m) != (C.I * C) and (C.T * C).shape == (m, m)
    assert isinstance(C.I, Inverse) and isinstance(C.T, Transpose) and C.T.T == C
    assert zeros(m, m) * C != zeros(m, m)
    assert identity(m) == C**0 and C**-2 == C.I * C.I and C**1 == C


def test_scalars_in_front_are_merged():
    scaled = 2 * (A * (3 * S))
    assert isinstance(scaled, Scaled) and scaled.args[0] == 6 and scaled.args[1] == A * S
    assert 1 * A == A and -(-1 * A) == A and sp.Rational(1, 2) * A == A / 2
    assert -(A - 2 * A) == -A + 2 * A


def test_the_same_function_of_the_same_matrices_is_the_same_expression():
    assert relu(A) == relu(A) and hadamard(A, A * S) == hadamard(A, A * S)
    assert relu(A) != relu(A * S) and elementwise(sp.exp, A) != elementwise(sp.tanh, A)


@settings(max_examples=25)
@given(st.lists(ANY, min_size=15, max_size=25), st.integers(0, 10**6))
def test_what_prints_alike_is_alike(trees, seed):
    """Expressions of other values print otherwise, as text and as LaTeX."""
    values, sizes = drawn_values(seed)
    for printed in (str, sp.latex):
        seen = {}
        for tree in trees:
            e = tree.expression
            shape = e.shape if isinstance(e, Matrix) else ()
            value = tree.compute(values, sizes) + 0 * values[x]
            first = seen.setdefault((printed(e), shape), value)
            assert np.array_equal(first, value), printed(e)


SQUARES = {"A": C, "B": D.matrix("H", m, m), "C": A * B}


@pytest.mark.parametrize("printed", [str, sp.latex])
def test_parentheses_tell_apart_what_differs(printed):
    p, q, r = SQUARES.values()
    different = [
        p * (q + r), p * q + r, (p * q).T, p * q.T, (p + q).T, p + q.T, p - (q + r), p - q + r, -(p + q),
        -p + q, hadamard(p, q) * r, hadamard(p, q * r), p * hadamard(q, r), hadamard(p, q + r),
        hadamard(p, q) + r, hadamard(hadamard(p, q), r).T, hadamard(p, q.T), p**2, (2 * p) * q.T,
        elementwise(lambda z: z**2, p), hadamard(p, q).I, hadamard(p, q.I), (p * q).I, p * q.I, (p + q).I,
        p + q.I, p.I.T, p.T * q.I, (x + y) * p, x * p + y * p, x * p + y * q, (x + y) * (p + q),
        x * (p + q) + y * q, -x * p, (-x) * (p - q), elementwise(lambda s, t: 2 * s * t, p, q), 2 * p * q,
        elementwise(lambda s, t: s - t, p, q) * r, p - q * r, (p - q) * r, D.dt(p) * q, D.dt(p * q),
        D.next(p).T, D.next(p.T) * q, D.dt(p).T * q, D.gradient(x, C).T, D.gradient(x, C) * q,
    ]  # fmt: skip
    texts = [printed(e) for e in different]
    assert len(set(texts)) == len(texts)


@settings(max_examples=60)
@given(ANY)
def test_latex_is_well_formed(tree):
    text = sp.latex(tree.expression)
    assert text.count("{") == text.count("}") and text.count(r"\left") == text.count(r"\right")
    assert not double_scripts(text), text


def double_scripts(text):
    """Whether an exponent or index follows another of its kind directly, which TeX refuses."""
    group = r"(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})"
    return re.search(rf"\^(?:\{{{group}*\}}|\\?\w)\s*(?:_(?:\{{{group}*\}}|\w))?\s*\^", text) is not None


def test_double_scripts_are_seen():
    assert double_scripts(r"x^{\top}^{2}") and double_scripts(r"{x}_{1}^{2}^{3}")
    assert not double_scripts(r"{x^{2}}^{3}") and not double_scripts(r"x^{2} + y^{3}")


@pytest.mark.parametrize(
    "expression",
    [A.row(0).T, D.next(A).T, D.next(x) ** 2, D.dt(A).T, C.T.I, C.I.T, D.next(C).I,
     relu(x) ** 2, D.gradient(x * y, x) ** 2, D.integral(x**2, x, 0, 1) ** 2, D.expectation(x, x) ** 3],
    ids=str,
)  # fmt: skip
def test_powers_and_transposes_of_what_has_an_exponent(expression):
    assert not double_scripts(sp.latex(expression))


def test_sums_count_from_one_on_paper():
    i = D.index("i", m)
    assert str(sum_over(i, u[i, 0])) == "sum(u[i, 0], i < m)"
    assert sp.latex(sum_over(i, u[i, 0])) == r"\sum_{i=1}^{m} {u}_{i}"
    assert sp.latex(sum_over(i, x**i)) == r"\sum_{i=1}^{m} x^{i - 1}"
    assert sp.latex(C[0, 1]) == r"{C}_{1\,2}"


def test_ones_and_vectors_have_their_own_shapes():
    assert ones(m).shape == (m, 1) and (ones(m) * ones(d).T).shape == (m, d)
    assert A.row(0).shape == (d, 1) and (v * u.T).shape == (d, m)
