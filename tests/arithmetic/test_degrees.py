"""Degrees are true upper bounds, against SymPy's expanded expressions."""

import operator
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.arithmetic.degrees import Degree, degree_of
from toymodels.arithmetic.extension import Root
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.systems import DEGREES
from toymodels.errors import LeftArithmetic

LETTERS = sympy.symbols("x y")


@st.composite
def expressions(draw, depth=2):
    """Return a pair (SymPy expression, its degree) built by the same operations."""
    if depth == 0:
        k = draw(st.integers(0, 3))
        return (LETTERS[k], Degree(1)) if k < 2 else (sympy.Integer(k), k)
    (a, p), (b, q) = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    operation = draw(st.sampled_from(["+", "-", "*", "/", "**", "+ over same"]))
    if operation == "+":
        return a + b, p + q
    if operation == "-":
        return a - b, p - q
    if operation == "*":
        return a * b, p * q
    if operation == "**":
        k = draw(st.integers(0, 3))
        return a**k, p**k
    if sympy.simplify(b) == 0 or not isinstance(q, Degree):
        return a + b, p + q
    if operation == "/":
        return a / b, p / q
    return a / b + 1 / b, p / q + 1 / q


def degrees(expression):
    """Return the total degrees of numerator and denominator in lowest terms."""
    top, bottom = sympy.fraction(sympy.cancel(expression))
    return tuple(sympy.Poly(part, *LETTERS).total_degree() if part != 0 else 0 for part in (top, bottom))


@settings(max_examples=60, deadline=None)
@given(expressions())
def test_degrees_are_upper_bounds(pair):
    expression, degree = pair
    top, bottom = degrees(expression)
    bound = degree if isinstance(degree, Degree) else Degree()
    assert top <= bound.numerator
    assert bottom <= bound.denominator
    assert top <= degree_of(degree)


def test_degrees_of_polynomials_are_attained():
    x, y = Degree(1), Degree(1)
    assert (x * x * y + 3 * x).numerator == 3
    assert ((x + y) ** 4 * 2 - 1).numerator == 4
    assert (x**0).numerator == 0
    assert degree_of((x + 1) / (x * y)) == 3
    assert degree_of(7) == degree_of(Fraction(1, 2)) == 0


def test_terms_over_one_denominator_do_not_multiply_it():
    x = Degree(1)
    norm = x * x + 1
    total = reduce(operator.add, [x / norm for _ in range(10)])
    assert (total.numerator, total.denominator) == (1, 2)


def test_a_scalar_times_an_array_is_an_array():
    x, array = Degree(1), DEGREES.make(np.ones((2, 3), dtype=int))
    for result in (x * array, array * x, x + array, x - array, x / array, array / x):
        assert result.shape == (2, 3)
    assert degree_of(x * array) == 2


def test_a_degree_beside_a_jet_or_a_root_keeps_both():
    x, y = Degree(1), Degree(1)
    jet, root = Jet(y, Degree(0)), Root(y, 0 * y, Degree(2))
    for product in (x * jet, jet * x):
        assert product.value.numerator == 2
    for product in (x * root, root * x):
        assert product.p.numerator == 2
    assert (x / jet).value.denominator == 1
    assert (x - root).p.numerator == 1


@pytest.mark.parametrize(
    "out",
    [
        lambda x: x * 0.5,
        lambda x: 0.5 + x,
        lambda x: x**0.5,
        lambda x: x > 0,
        lambda x: x == 0,
        lambda x: x != 1,
        bool,
        lambda x: np.maximum(np.array([x, x]), 0),
        lambda x: np.where(np.array([x, x]) > 0, 1, 0),
        lambda x: np.sort(np.array([x, x])),
        lambda x: x / 2.0,
        lambda x: x * np.float64(2),
        lambda x: np.array([x]) * np.array([0.5]),
    ],
)
def test_a_formula_that_compares_or_uses_floats_has_no_degree(out):
    with pytest.raises(LeftArithmetic):
        out(Degree(1))


@pytest.mark.parametrize("out", [abs, float, int, round, lambda x: x % 2, lambda x: x // 2, np.exp, np.sqrt])
def test_functions_that_are_not_rational_have_no_degree(out):
    with pytest.raises((TypeError, LeftArithmetic)):
        out(Degree(1))
