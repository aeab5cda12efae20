"""Adjoined roots, against floats and against their own defining equation."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toymodels.arithmetic.degrees import Degree
from toymodels.arithmetic.extension import Root, adjoin_root
from toymodels.arithmetic.jets import Jet, derivative
from toymodels.errors import LeftArithmetic

rationals = st.builds(Fraction, st.integers(-9, 9), st.integers(1, 4))
squares = st.builds(Fraction, st.integers(1, 30), st.integers(1, 4))


def number(x, nu):
    """Return a root as a float, given the float of nu."""
    return float(x.p) + float(x.q) * nu


@st.composite
def roots(draw, count):
    square = draw(squares)
    return square, [Root(draw(rationals), draw(rationals), square) for _ in range(count)]


@given(roots(3))
def test_field_axioms(case):
    _, (x, y, z) = case
    assert x + y == y + x and x * y == y * x
    assert (x * y) * z == x * (y * z) and x * (y + z) == x * y + x * z
    assert x - x == 0 and x * 1 == x and x**3 == x * x * x and x**0 == 1
    assume(y.p * y.p != y.q * y.q * y.square)
    assert x / y * y == x and y**-1 * y == 1 and 1 / y == y**-1


@given(roots(2), st.sampled_from([1, -1]))
def test_either_root_gives_the_floats(case, sign):
    square, (x, y) = case
    nu = sign * math.sqrt(square)
    a, b = number(x, nu), number(y, nu)
    assert number(x * y - 2 * x + y, nu) == pytest.approx(a * b - 2 * a + b, abs=1e-11)
    assume(y.p * y.p != y.q * y.q * square and abs(b) > 1e-3)
    assert number(x / y, nu) == pytest.approx(a / b, rel=1e-8, abs=1e-8)


@given(squares)
def test_the_root_squares_to_its_square(square):
    nu = adjoin_root(square)
    assert nu * nu == square and nu**4 == square * square
    assert np.all(np.array([nu, 1 + nu]) * nu == np.array([square, square + nu], dtype=object))


def test_degrees_of_roots_are_those_of_their_pair():
    x = Degree(1)
    nu = adjoin_root(x * x + 1)
    product = (x + nu) * nu
    assert (product.p.numerator, product.q.numerator) == (2, 1)


def test_jets_of_roots():
    nu = adjoin_root(Fraction(2))
    assert derivative(lambda x: x * x * nu, [nu], [Root(1, 0, nu.square)]) == 4
    assert (Jet(nu, 1 + 0 * nu) * Jet(nu, 1 + 0 * nu)).first == 2 * nu


@pytest.mark.parametrize(
    "out", [lambda x: x * 0.5, lambda x: 0.5 - x, lambda x: x**0.5, lambda x: x + adjoin_root(Fraction(3))]
)
def test_ways_out(out):
    with pytest.raises(LeftArithmetic):
        out(adjoin_root(Fraction(2)))


@pytest.mark.parametrize("out", [lambda x: x > 0, lambda x: np.maximum(np.array([x, x]), 0), float, abs])
def test_a_root_has_no_sign(out):
    with pytest.raises(TypeError):
        out(adjoin_root(Fraction(2)))
