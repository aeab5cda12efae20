"""Polynomials in random generators: ring laws, and moments against integration and enumeration."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.arithmetic.polynomials import Polynomial, normal_moment
from toymodels.errors import LeftArithmetic

coefficients = st.lists(st.fractions(-5, 5, max_denominator=6), min_size=1, max_size=4)


def polynomial(c, name="x"):
    x = Polynomial.generator(name)
    return sum((a * x**k for k, a in enumerate(c)), start=Polynomial({}))


def at(p, values):
    """The value of a polynomial where its generators take values."""
    return sum(c * np.prod([values[g] ** e for g, e in m], dtype=object) for m, c in p.terms.items())


@given(
    coefficients, coefficients, st.fractions(-3, 3, max_denominator=4), st.fractions(1, 3, max_denominator=4)
)
def test_operations_are_those_of_values(a, b, x, divisor):
    p, q = polynomial(a), polynomial(b, "y")
    values = {"x": x, "y": 2 * x - 1}
    u, v = at(p, values), at(q, values)
    for result, expected in ((p + q, u + v), (p - q, u - v), (p * q, u * v), (p**3, u**3), (-p, -u)):
        assert at(result, values) == expected
    assert at((p + 1) / divisor - p * q, values) == (u + 1) / divisor - u * v
    assert at(3 - p, values) == 3 - u


def test_normal_moments_are_those_of_the_density():
    from scipy.integrate import quad

    for power in range(9):
        density = lambda z, p=power: z**p * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        assert quad(density, -np.inf, np.inf)[0] == pytest.approx(normal_moment(power), abs=1e-7)


@given(coefficients, coefficients)
def test_the_expectation_is_linear_and_independent_generators_factor(a, b):
    p, q = polynomial(a), polynomial(b, "y")
    mean = [r.expectation(normal_moment) for r in (p, q, p * q, p + q)]
    assert mean[2] == mean[0] * mean[1] and mean[3] == mean[0] + mean[1]


@given(coefficients, coefficients)
def test_signs_against_enumeration(a, b):
    p = polynomial(a) * polynomial(b, "y") + Polynomial.generator("x") * Polynomial.generator("y")
    by_moments = p.expectation(lambda power: 1 - power % 2)
    by_cases = sum(at(p, {"x": Fraction(s), "y": Fraction(t)}) for s, t in product((-1, 1), repeat=2)) / 4
    assert by_moments == by_cases


def test_what_has_no_moments_is_refused():
    x = Polynomial.generator("x")
    for wrong in (lambda: 1 / x, lambda: x / x, lambda: x**-1, lambda: x > 0, lambda: bool(x)):
        with pytest.raises(LeftArithmetic):
            wrong()
