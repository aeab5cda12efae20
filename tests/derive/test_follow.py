"""Conclusions follow from the lines they name by combination and substitution, and by nothing else."""

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toymodels.derive import Derivation, dot, norm, quad, relu, trace
from toymodels.derive.cases import coverage
from toymodels.derive.follow import follows, why_follows
from toymodels.derive.lines import hypothesis_of

COUNT = 4
FRACTIONS = st.sampled_from([sp.Rational(1, 2), sp.Rational(-2, 3)])
FACTORS = st.lists(st.integers(-3, 3).map(sp.Integer) | FRACTIONS, min_size=COUNT, max_size=COUNT)
RELATIONS = st.lists(st.sampled_from(["=", "<=", "<", ">=", ">"]), min_size=COUNT, max_size=COUNT)


def scalar_lines(relations):
    """Lines between unrelated quantities; whether they are true does not matter."""
    D = Derivation("lines")
    n, m = D.sizes("n m")
    A, u, v = D.matrix("A", m, n), D.vector("u", m), D.vector("v", n)
    x, y, z, w = D.scalars("x y z w")
    D.flow({x: y})
    left = [D.dt(x), quad(A.T * A, v), sp.exp(z), norm(A * v + u)]
    right = [y * z, dot(u, A * v) + w, trace(A * A.T) ** 2, x * w**2]
    return D, [D.step(p, relation, q) for p, relation, q in zip(left, relations, right, strict=True)]


def matrix_lines():
    D = Derivation("lines")
    n, m = D.sizes("n m")
    A, B, C = D.matrix("A", m, n), D.matrix("B", n, m), D.matrix("C", m, m)
    D.flow({A: C * A, C: A * B})
    left = [D.dt(A) * B, C.I, D.dt(C), relu(C)]
    right = [C * A * B, A * B + C.T, A * B * C, C * C - 2 * C]
    return D, [D.step(p, "=", q) for p, q in zip(left, right, strict=True)]


def total(factors, sides):
    terms = [c * side for c, side in zip(factors, sides, strict=True) if c != 0]
    return sum(terms[1:], terms[0])


@settings(max_examples=20)
@given(FACTORS)
def test_combinations_of_equations_follow(factors):
    assume(any(factors))
    for D, lines in (scalar_lines(["="] * COUNT), matrix_lines()):
        left, right = (total(factors, [getattr(line, side) for line in lines]) for side in ("left", "right"))
        assert follows(D.conclude(left, "=", right, by=lines), lines)
        assert follows(D.conclude(left - right, "=", 0, by=lines), lines)


@settings(max_examples=20)
@given(FACTORS, st.integers(0, COUNT - 1))
def test_a_wrong_coefficient_or_a_missing_line_does_not_follow(factors, k):
    assume(factors[k] != 0)
    for D, lines in (scalar_lines(["="] * COUNT), matrix_lines()):
        left, right = (total(factors, [getattr(line, side) for line in lines]) for side in ("left", "right"))
        for wrong in (left + lines[k].left, left - 2 * factors[k] * lines[k].left):
            assert not follows(D.conclude(wrong, "=", right, by=lines), lines)
        fewer = [line for line in lines if line is not lines[k]]
        assert not follows(D.conclude(left, "=", right, by=fewer), fewer)


@settings(max_examples=20)
@given(RELATIONS, FACTORS)
def test_bounds_combine_with_factors_that_keep_their_direction(relations, factors):
    D, lines = scalar_lines(relations)
    assume(any(factors))
    signs = {"=": 0, "<=": 1, "<": 1, ">=": -1, ">": -1}
    up = all(c * signs[r] >= 0 for c, r in zip(factors, relations, strict=True))
    strict = any(c != 0 and r in ("<", ">") for c, r in zip(factors, relations, strict=True))
    left, right = (total(factors, [getattr(line, side) for line in lines]) for side in ("left", "right"))
    assert follows(D.conclude(left, "<=", right, by=lines), lines) == up
    assert follows(D.conclude(right, ">=", left, by=lines), lines) == up
    assert follows(D.conclude(left, "<", right, by=lines), lines) == (up and strict)
    equations = all(c == 0 or r == "=" for c, r in zip(factors, relations, strict=True))
    assert follows(D.conclude(left, "=", right, by=lines), lines) == equations


def test_named_equations_are_substituted():
    D = Derivation("substitution")
    x, y, z = D.scalars("x y z")
    a = D.step(sp.cosh(x), "=", y + 1)
    b = D.step(y, "=", z**2)
    assert follows(D.conclude(sp.cosh(x) ** 2 * y, "=", (y + 1) ** 2 * y, by=[a]), [a])
    assert follows(D.conclude(sp.cosh(x), "=", z**2 + 1, by=[a, b]), [a, b])
    assert not follows(D.conclude(sp.cosh(x) ** 2 * y, "=", (y + 1) ** 2 * z, by=[a, b]), [a, b])


def test_derivatives_of_sums_are_spread_and_constants_stay_in_front():
    D = Derivation("linearity")
    n = D.sizes("n")
    A, B, C = D.matrix("A", n, n), D.matrix("B", n, n), D.matrix("C", n, n, constant=True)
    D.flow({A: B, B: -A})
    a, b = D.step(D.dt(A), "=", B), D.step(D.dt(B), "=", -A)
    assert follows(D.conclude(D.dt(2 * A - B / 3), "=", 2 * B + A / 3, by=[a, b]), [a, b])
    assert follows(D.conclude(D.dt(A + C), "=", B, by=[a]), [a])
    assert not follows(D.conclude(D.dt(A * A), "=", B * A + A * B, by=[a]), [a]), (
        "the product rule is no combination"
    )
    assert not follows(D.conclude(D.dt(A + B), "=", B, by=[a]), [a])


def test_a_remainder_that_is_non_negative_by_form_may_be_dropped():
    D = Derivation("a square more")
    x, y, z = D.scalars("x y z")
    a = D.step(x, "<=", y)
    e = D.step(z, "=", -(x**2))
    assert follows(D.conclude(x, "<=", y + z**2, by=[a]), [a])
    assert not follows(D.conclude(x, "<", y + z**2, by=[a]), [a])
    assert follows(D.conclude(x, "<", y + z**2 + 1, by=[a]), [a])
    assert not follows(D.conclude(x + z**2, "<=", y, by=[a]), [a])
    assert follows(D.conclude(z, "<=", 0, by=[e]), [e])


def test_equal_words_are_one_even_where_they_are_written_otherwise():
    D = Derivation("words")
    n, m = D.sizes("n m")
    A, B = D.matrix("A", m, n), D.matrix("B", n, m)
    a = D.step(trace(A * B), "=", 3)
    assert follows(D.conclude(trace(B * A) + trace((A * B).T), "=", 6, by=[a]), [a])
    assert not follows(D.conclude(trace(A * A.T), "=", 3, by=[a]), [a])


def test_lines_of_another_law_order_or_limit_are_no_help():
    D = Derivation("other laws")
    x, y = D.scalars("x y")
    D.flow({x: y, y: -x})
    a = D.step(D.dt(x), "=", y)
    series = D.step(sp.exp(x), "=", 1 + x, order=(x, 2))
    limit = D.step(sp.tanh(x), "->", 1, approach=(x, sp.oo))
    assert not follows(D.conclude(sp.exp(x), "=", 1 + x, by=[series]), [series])
    assert follows(D.conclude(2 * sp.exp(x), "=", 2 + 2 * x, by=[series], order=(x, 2)), [series])
    assert not follows(D.conclude(sp.exp(x), "=", 1 + x, by=[series], order=(x, 3)), [series])
    assert not follows(D.conclude(sp.tanh(x), "=", 1, by=[limit]), [limit])
    D.flow({x: 2 * y})
    assert not follows(D.conclude(D.dt(x) - y, "=", 0, by=[a]), [a])


def test_nodes_that_print_alike_are_not_one():
    D = Derivation("sizes")
    n, m = D.sizes("n m")
    a = D.step(norm(D.ones(n)), "=", 2)
    assert str(norm(D.ones(n))) == str(norm(D.ones(m)))
    assert not follows(D.conclude(norm(D.ones(m)), "=", 2, by=[a]), [a])


CASES = {">": {1}, ">=": {0, 1}, "<": {-1}, "<=": {-1, 0}, "!=": {-1, 1}}
"""The signs of x - y in each case."""


@pytest.mark.parametrize("first", CASES)
@pytest.mark.parametrize("second", CASES)
def test_cases_give_the_conclusion_where_they_cover_everything(first, second):
    D = Derivation("cases")
    x, y = D.scalars("x y")
    steps = [D.step(sp.Abs(x - y), ">=", 0, given=[(x, relation, y)]) for relation in (first, second)]
    reason = why_follows(D.conclude(sp.Abs(x - y), ">=", 0, by=steps), steps)
    assert (reason is not None) == (CASES[first] | CASES[second] == {-1, 0, 1})
    assert reason is None or not reason.sampled


@pytest.mark.parametrize(
    ("split", "covered"),
    [
        ([("x", ">", 0), ("x", "<=", 0)], True), ([("x", ">", 0), ("x", "<", 0)], False),
        ([("x", ">=", 1), ("x", "<=", 1)], True), ([("x", ">", 1), ("x", "<", 2)], True),
        ([("x", ">", 2), ("x", "<", 1)], False), ([("2*x", ">", "2*y"), ("y", ">=", "x")], True),
        ([("x", ">", "y"), ("y", ">", "x")], False), ([("x**2", ">", 1), ("x**2", "<=", 1)], True),
        ([("x", ">", "y"), ("x", "<", "y + 1")], True), ([("x", ">", "y"), ("x", "<", "y - 1")], False),
    ],
)  # fmt: skip
def test_what_a_split_leaves_out(split, covered):
    D = Derivation("cases")
    x, y = D.scalars("x y")
    read = lambda side: sp.sympify(side, locals={"x": x, "y": y})
    cases = [(hypothesis_of((read(left), relation, read(right))),) for left, relation, right in split]
    assert (not coverage(D.setting, cases).missing) == covered


def test_a_conclusion_is_marked_by_how_it_follows():
    D = Derivation("marks")
    x, y = D.scalars("x y")
    D.flow({x: y, y: -x})
    a = D.step(D.dt(x**2), "=", 2 * x * y)
    b = D.step(D.dt(y**2), "=", -2 * x * y)
    both = D.conclude(D.dt(x**2 + y**2), "=", 0, by=[a, b])
    one = D.conclude(D.dt(x**2 + y**2), "=", 0, by=[a])
    checked = D.check("quick")
    assert checked.of(both).notes == ["follows from (1), (2)"]
    assert checked.of(one).notes == ["checked alone"]
