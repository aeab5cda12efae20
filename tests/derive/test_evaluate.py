"""The evaluator against NumPy, and against itself in every arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import LETTERS, MATRICES, A, C, D, S, d, drawn_values, m, matrices, scalars, u, v, x, y

from toymodels.arithmetic import systems
from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.words import Words, letter
from toymodels.derive import det, dot, elementwise, identity, norm, quad, relu, sum_over, trace
from toymodels.derive.evaluate import IN_WORDS, Cells, Evaluator, Unknown
from toymodels.errors import LeftArithmetic

TREES = st.one_of(matrices(depth=3), scalars(depth=3))


def evaluator(values, sizes, system=systems.FRACTIONS, **laws):
    return Evaluator({**values, **sizes}, system, **laws)


def same(left, right):
    return np.shape(left) == np.shape(right) and bool(np.all(left == right))


@settings(max_examples=200)
@given(TREES, st.integers(0, 10**6))
def test_fractions_agree_with_numpy(tree, seed):
    values, sizes = drawn_values(seed)
    assert same(evaluator(values, sizes).run(tree.expression), tree.compute(values, sizes))


@settings(max_examples=40)
@given(TREES, st.integers(0, 10**6))
def test_floats_and_digits_agree_with_fractions(tree, seed):
    exact, sizes = drawn_values(seed)
    wanted = np.asarray(evaluator(exact, sizes).run(tree.expression)).astype(float)
    digits = systems.digits(40)
    for system, within in ((systems.FLOATS, 1e-8), (digits, 1e-12)):
        values = {letter: system.make(value) for letter, value in exact.items()}
        found = np.asarray(evaluator(values, sizes, system).run(tree.expression)).astype(float)
        assert np.allclose(found, wanted, rtol=within, atol=within * (1 + abs(wanted).max()))


@settings(max_examples=40)
@given(TREES, st.integers(0, 10**6))
def test_measured_numbers_hold_the_exact_value_within_their_error(tree, seed):
    exact, sizes = drawn_values(seed)
    values = {letter: systems.MEASURED.make(value) for letter, value in exact.items()}
    found = evaluator(values, sizes, systems.MEASURED).run(tree.expression)
    wanted = np.asarray(evaluator(exact, sizes).run(tree.expression)).astype(float)
    value, error = (getattr(found, part, default) for part, default in (("value", found), ("error", 0.0)))
    assert np.all(abs(np.asarray(value, dtype=float) - wanted) <= error + 1e-12 * abs(wanted))


@settings(max_examples=60)
@given(matrices(depth=2, ring=True), matrices(depth=2, ring=True), st.integers(0, 10**6))
def test_what_words_call_equal_is_equal(first, second, seed):
    """At every size; and a sum, a product and a transpose written another way are equal words."""
    words = {x: letter(str(x), *map(str_or_int, x.shape)) for x in MATRICES}
    words |= {x: Scalar.variable("x"), y: Scalar.variable("y"), m: Scalar.size("m"), d: Scalar.size("d")}
    run = Evaluator(words, IN_WORDS).run
    p, q = first.expression, second.expression
    left, right = run(p), run(q)
    assert (run(p.T.T + p) - left * 2).is_zero() and (run((-p).T) + left.mT).is_zero()
    if p.shape[1] == q.shape[0]:
        assert (run((p * q).T) - run(q.T * p.T)).is_zero()
        assert (run((p + p) * q) - run(p * q) * 2).is_zero()
    if p.shape == q.shape and (left - right).is_zero():
        values, sizes = drawn_values(seed)
        assert same(
            first.compute(values, sizes) + 0 * values[x], second.compute(values, sizes) + 0 * values[x]
        )


def str_or_int(size):
    return int(size) if isinstance(size, sp.Integer) else str(size)


@settings(max_examples=40)
@given(matrices(depth=2), st.integers(0, 10**6))
def test_a_step_is_a_substitution(tree, seed):
    values, sizes = drawn_values(seed)
    rules = {A: A + C * A, x: x * y + 1, v: S * v}
    laws = dict(steps=rules, constants=frozenset(LETTERS) - set(rules))
    run = evaluator(values, sizes, **laws).run
    moved = {
        **values,
        A: values[A] + values[C] @ values[A],
        x: values[x] * values[y] + 1,
        v: values[S] @ values[v],
    }
    assert same(run(D.next(tree.expression)), tree.compute(moved, sizes))


def test_analytic_functions_run_where_they_exist():
    values, sizes = drawn_values(3, float)
    run = evaluator({k: np.asarray(z, dtype=float)[()] for k, z in values.items()}, sizes, systems.FLOATS).run
    w = np.asarray(values[A], dtype=float)
    assert run(norm(A)) == pytest.approx(np.linalg.norm(w))
    assert np.allclose(run(elementwise(sp.tanh, A)), np.tanh(w))
    assert run(sp.exp(x) * sp.cosh(y)) == pytest.approx(np.exp(values[x]) * np.cosh(values[y]))
    assert run(sp.log(1 + x**2) + sp.atan(y)) == pytest.approx(
        np.log1p(values[x] ** 2) + np.arctan(values[y])
    )
    assert run(2 ** sp.sqrt(1 + x**2)) == pytest.approx(2 ** np.sqrt(1 + values[x] ** 2))
    assert run(sp.pi + sp.E) == pytest.approx(np.pi + np.e)


@given(st.fractions(-3, 3), st.fractions(-3, 3))
def test_piecewise_functions_at_kinks_too(a, b):
    run = Evaluator({x: a, y: b}, systems.FRACTIONS).run
    assert run(sp.Abs(x)) == abs(a) and run(relu(x - y)) == max(a - b, 0)
    assert run(sp.Max(x, y, 0)) == max(a, b, 0) and run(sp.Min(x, y)) == min(a, b)
    assert run(sp.sign(x)) == (a > 0) - (a < 0)
    assert run(D.gradient(sp.Abs(x), x)) == run(sp.sign(x))
    assert run(D.gradient(relu(x), x)) == (a > 0)


def test_recorded_cells_are_used_again():
    cells = Cells()
    first = Evaluator({x: Fraction(-2)}, systems.FRACTIONS, cells=cells)
    assert first.run(relu(x)) == 0
    again = Evaluator({x: Fraction(3)}, systems.FRACTIONS, cells=Cells(cells.signs, fixed=True))
    assert again.run(relu(x)) == 0, "the formula of the cell of -2, at 3"


def test_what_was_not_declared_is_said():
    values, sizes = drawn_values(0)
    run = evaluator(values, sizes).run
    for expression, said in (
        (sp.Symbol("other"), "other is not declared"),
        (D.dt(x), "no flow is declared for x"),
        (D.next(A), "no step is declared for A"),
        (sp.Function("f")(x), "the function f is not known"),
    ):
        with pytest.raises(Unknown, match=said):
            run(expression)
    with pytest.raises(LeftArithmetic, match="decimal"):
        run(x * 0.5)
    with pytest.raises(LeftArithmetic, match="irrational"):
        run(x * sp.pi)


def test_words_refuse_what_has_no_meaning_at_every_size():
    run = Evaluator({C: letter("C", "m", "m"), u: letter("u", "m", 1), m: Scalar.size("m")}, IN_WORDS).run
    i = D.index("i", m)
    assert isinstance(run(C * u), Words) and run(trace(identity(m))) == Scalar.size("m")
    for expression in (
        C[0, 0],
        det(C),
        sum_over(i, C[i, i]),
        D.hessian(quad(C, u), u),
        elementwise(sp.exp, C),
    ):
        with pytest.raises((LeftArithmetic, TypeError)):
            run(expression)
    assert run(D.gradient(dot(u, C * u), u)).rows == "m"
