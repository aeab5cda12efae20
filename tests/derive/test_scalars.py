"""Scalars made of matrices: what they are, what SymPy may do with them, and what is refused."""

import pickle

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import SHAPES, A, B, C, D, S, d, drawn_values, m, matrices, scalars, u, v, x, y

from toymodels.arithmetic import systems
from toymodels.derive import ShapeError, det, dot, mean_over, norm, quad, sum_over, trace
from toymodels.derive.evaluate import Evaluator
from toymodels.derive.scalars import Dot, Index, ScalarSum, letters
from toymodels.errors import InputError

SEEDS = st.integers(0, 10**6)


def run(expression, seed, **more):
    values, sizes = drawn_values(seed)
    return Evaluator({**values, **sizes, **more}, systems.FRACTIONS).run(expression)


@settings(max_examples=60)
@given(scalars(depth=3), scalars(depth=2), SEEDS)
def test_sympy_keeps_the_value_when_it_rewrites(f, g, seed):
    """Expansion, factors taken out and substitution treat traces, products and sums as numbers."""
    e = (f.expression + g.expression) * (f.expression - 2 * g.expression)
    value = run(e, seed)
    assert run(sp.expand(e), seed) == value and run(sp.collect(sp.expand(e), x), seed) == value
    assert run(e.subs(x, x + y - y), seed) == value


@given(st.sampled_from(SHAPES), st.data(), SEEDS)
def test_norms_dots_traces_and_forms_agree(shape, data, seed):
    p = data.draw(matrices(shape, depth=1)).expression
    q = data.draw(matrices(shape, depth=1)).expression
    assert dot(p, q) == dot(q, p), "one inner product, however it is written"
    assert run(dot(p, q), seed) == run(trace(p.T * q), seed)
    assert norm(p) ** 2 == dot(p, p) and norm(p) ** 4 == dot(p, p) ** 2
    assert run(norm(p) ** 2, seed) >= 0
    assert run(norm(p - q) ** 2, seed) == run(norm(p) ** 2 - 2 * dot(p, q) + norm(q) ** 2, seed)


@given(SEEDS)
def test_quadratic_forms_and_determinants(seed):
    assert run(quad(C, u), seed) == run(dot(u, C * u), seed) == run((u.T * C * u)[0, 0], seed)
    assert run(det(C.T), seed) == run(det(C), seed)


@given(st.sampled_from([m, d]), SEEDS)
def test_sums_over_samples(n, seed):
    i, j = D.index("i", n), D.index("j", n)
    column = u if n == m else v
    ones = sum_over(i, sp.Integer(1))
    assert run(ones, seed) == run(n, seed)
    assert run(sum_over(i, column[i, 0] ** 2), seed) == run(norm(column) ** 2, seed)
    assert run(mean_over(i, column[i, 0]) * n, seed) == run(sum_over(j, column[j, 0]), seed)
    double = sum_over(i, sum_over(j, column[i, 0] * column[j, 0]))
    assert run(double, seed) == run(sum_over(i, column[i, 0]) ** 2, seed)
    assert run(sum_over(i, i), seed) == run(n * (n - 1) / 2, seed)


def test_a_sum_hides_its_index():
    i = D.index("i", m)
    total = sum_over(i, x * u[i, 0])
    assert isinstance(total, ScalarSum) and i not in total.free_symbols and x in total.free_symbols
    assert mean_over(i, u.row(i)).shape == (1, 1)


def test_letters_are_found_at_any_depth():
    assert letters(norm(A * B + C) * trace(S) + x) == {A, B, C, S, x, m, d}


def test_sympy_does_not_differentiate_blindly():
    with pytest.raises(InputError, match=r"use D.gradient"):
        sp.diff(norm(x * A) ** 2, x)
    assert sp.diff(norm(A) ** 2 + x**2, x) == 2 * x
    assert D.gradient(norm(x * A) ** 2, x) != 0


def test_assumptions():
    assert norm(A).is_nonnegative and dot(A, A).is_nonnegative and dot(A, A * S).is_nonnegative is None
    assert trace(C).is_real and trace(C).is_commutative and not trace(C).is_number
    assert sp.sqrt(dot(A, A) ** 2) == dot(A, A)


def test_an_index_is_copied_with_its_range():
    i = Index("i", m)
    copied = pickle.loads(pickle.dumps(i))
    assert copied == i and copied.length == m


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (lambda: trace(A), ShapeError, r"trace\(A\): expected a square matrix, got shape \(m, d\)"),
        (lambda: det(A), ShapeError, r"det\(A\)"),
        (lambda: quad(A, v), ShapeError, r"quad\(A\)"),
        (lambda: quad(C, v), ShapeError, r"C \* v: shapes \(m, m\) and \(d, 1\)"),
        (lambda: dot(A, B), ShapeError, r"dot\(A, B\): shapes \(m, d\) and \(d, m\) differ"),
        (lambda: dot(x, A), InputError, "expected a matrix"),
        (lambda: norm(x), InputError, "norm: expected a matrix or vector, got x"),
        (lambda: sum_over(x, x), InputError, "expected an index from D.index"),
    ],
)
def test_wrong_scalars_are_said(wrong, error, said):
    with pytest.raises(error, match=said):
        wrong()


def test_dot_is_one_node_for_both_orders():
    assert isinstance(dot(u, C * u), Dot) and dot(u, C * u) == dot(C * u, u)
    assert np.shape(run(dot(u, C * u), 1)) == ()
