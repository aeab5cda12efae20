"""Free commutative scalars against SymPy's rational functions."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from word_values import value

from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.jets import derivative
from toymodels.errors import LeftArithmetic

NAMES = ("a", "b", "n")
SCALARS = [Scalar.variable("a"), Scalar.variable("b"), Scalar.size("n")]
SYMBOLS = sympy.symbols(NAMES)


@st.composite
def recipes(draw, depth=3):
    """A recipe of sums, products and quotients of the three generators and constants."""
    if depth == 0:
        constants = st.builds(Fraction, st.integers(-3, 3), st.integers(1, 3))
        return draw(st.integers(0, 2) | constants.map(lambda c: ("constant", c)))
    return draw(st.sampled_from("+-*/2")), draw(recipes(depth - 1)), draw(recipes(depth - 1))


def cook(recipe, leaves, constant):
    """Run a recipe; ZeroDivisionError (or SymPy's infinity) where it divides by zero."""
    if isinstance(recipe, int):
        return leaves[recipe]
    if recipe[0] == "constant":
        return constant(recipe[1])
    x, y = (cook(part, leaves, constant) for part in recipe[1:])
    return {
        "+": lambda: x + y,
        "-": lambda: x - y,
        "*": lambda: x * y,
        "/": lambda: x / y,
        "2": lambda: x**2,
    }[recipe[0]]()


def both(recipe):
    """The scalar and the SymPy expression of one recipe."""
    expression = cook(recipe, SYMBOLS, lambda c: sympy.Rational(c.numerator, c.denominator))
    try:
        return cook(recipe, SCALARS, Scalar.constant), expression
    except ZeroDivisionError:
        reject()


@settings(max_examples=80, deadline=None)
@given(recipes(), recipes(depth=2))
def test_equality_is_that_of_rational_functions(first, second):
    (x, p), (y, q) = both(first), both(second)
    assert x.is_zero() == (sympy.cancel(p) == 0)
    assert (x == y) == (sympy.cancel(p - q) == 0)
    assert x + y == y + x and x * y == y * x and x - x == 0


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_jets_of_scalars_are_derivatives(recipe):
    """The derivative in a, evaluated at a rational point, against SymPy's."""
    _, expression = both(recipe)
    jet = lambda a: cook(recipe, [a, *SCALARS[1:]], lambda c: Scalar.constant(c))
    slope = derivative(jet, [SCALARS[0]], [Scalar.constant(1)])
    point = {"a": Fraction(5, 7), "b": Fraction(-3, 11), "n": Fraction(4)}
    expected = sympy.diff(expression, SYMBOLS[0]).subs(
        {
            symbol: sympy.Rational(point[name].numerator, point[name].denominator)
            for name, symbol in zip(NAMES, SYMBOLS, strict=True)
        }
    )
    assume(expected.is_finite)
    sizes, scalars = {"n": point["n"]}, {name: point[name] for name in "ab"}
    assert value(slope, {}, sizes, scalars) == Fraction(int(expected.p), int(expected.q))


def test_arrays_of_scalars_take_scalars_from_either_side():
    a, b, _ = SCALARS
    array = np.array([a, b], dtype=object)
    assert all((array * a) == np.array([a * a, a * b], dtype=object))
    assert all((a * array) == (array * a)) and all((array / b * b) == array)


def test_zero_has_no_reciprocal():
    a = SCALARS[0]
    with pytest.raises(ZeroDivisionError):
        1 / (a - a)
    assert (1 / (a + 1)) * (a + 1) == 1 and a / a == 1 and a**-2 * a * a == 1


def test_huge_expansions_leave_the_arithmetic():
    total = sum((Scalar.variable(f"x{k}") for k in range(12)), Scalar.constant(1))
    with pytest.raises(LeftArithmetic, match="too large"):
        total**8
