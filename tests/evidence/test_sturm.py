"""Sturm's theorem against signs computed from known roots, and witnesses against brute force."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.sturm import by_sturm, polynomial_inequality
from toymodels.evidence.verdict import Evidence
from toymodels.evidence.witness import simple_rationals, simplest_between, simplicity
from toymodels.spaces import POSITIVE, REAL, Domain

x, y = sympy.symbols("x y")
R = sympy.Rational

small_rationals = st.builds(Fraction, st.integers(-6, 6), st.sampled_from([1, 2, 3, 4, 7]))
ends = st.sampled_from([-math.inf, -3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, math.inf])


@st.composite
def domains(draw):
    low, high = draw(ends), draw(ends)
    assume(low < high)
    return Domain(low, high)


@st.composite
def factored(draw, least=0):
    """A polynomial as constant, {rational root: multiplicity}, and powers of factors without real roots."""
    constant = draw(st.sampled_from([1, -1, 2, -3, Fraction(1, 5)]))
    roots = draw(st.dictionaries(small_rationals, st.integers(1, 4), min_size=least, max_size=3))
    definite = draw(st.lists(st.sampled_from([(0, 1), (1, 1), (-2, 3)]), max_size=2))
    return constant, roots, definite


def value(polynomial, t):
    constant, roots, definite = polynomial
    product = Fraction(constant)
    for root, multiplicity in roots.items():
        product *= (t - root) ** multiplicity
    for b, c in definite:
        product *= t * t + b * t + c
    return product


def expression(polynomial):
    return sympy.expand(value_in_symbols(polynomial))


def value_in_symbols(polynomial):
    constant, roots, definite = polynomial
    product = R(Fraction(constant).numerator, Fraction(constant).denominator)
    for root, multiplicity in roots.items():
        product *= (x - R(root.numerator, root.denominator)) ** multiplicity
    for b, c in definite:
        product *= x * x + b * x + c
    return product


def inside(domain, points):
    return [t for t in points if domain.low < t < domain.high]


def between_the_roots(domain, roots):
    """One rational of each piece into which the roots cut the domain."""
    low = domain.low if math.isfinite(domain.low) else min([*roots, 0, domain.high]) - 2
    high = domain.high if math.isfinite(domain.high) else max([*roots, 0, domain.low]) + 2
    cuts = sorted({Fraction(low), *inside(domain, roots), Fraction(high)})
    return [(a + b) / 2 for a, b in pairwise(cuts)]


def judge(domain, zeros, poles, sign, strict):
    """The truth, from the known roots alone."""
    signs = [sign(t) for t in between_the_roots(domain, [*zeros, *poles])]
    touched = [z for z in inside(domain, zeros) if z not in poles]
    return min(signs) > 0 and not (strict and touched)


def check(verdict, domain, function, true, strict):
    assert verdict.holds == true and verdict.refuted == (not true)
    if true:
        assert verdict.evidence is Evidence.proved
        return
    assert verdict.evidence is Evidence.exact
    witness = Fraction(verdict.counterexample.values["x"])
    found = function(witness)
    assert domain.low < witness < domain.high
    assert found < 0 or (strict and found == 0)
    assert str(found) == verdict.counterexample.right


@given(factored(), domains(), st.booleans())
def test_polynomials_with_known_roots(polynomial, domain, strict):
    verdict = by_sturm(expression(polynomial), x, domain, strict)
    truth = judge(domain, polynomial[1], [], lambda t: value(polynomial, t), strict)
    check(verdict, domain, lambda t: value(polynomial, t), truth, strict)


@given(factored(), factored(least=1), domains(), st.booleans())
def test_rational_functions_off_their_poles(top, bottom, domain, strict):
    assume(not set(top[1]) & set(bottom[1]))
    quotient = expression(top) / expression(bottom)
    verdict = by_sturm(quotient, x, domain, strict)
    sign = lambda t: value(top, t) * value(bottom, t)
    truth = judge(domain, top[1], bottom[1], sign, strict)
    check(verdict, domain, lambda t: value(top, t) / value(bottom, t), truth, strict)


@given(st.sampled_from([2, 3, 5, 7]), st.integers(1, 3), domains(), st.booleans())
def test_irrational_roots(square, multiplicity, domain, strict):
    difference = (x**2 - square) ** multiplicity
    root = math.sqrt(square)  # never an end of the domains
    inner = max(domain.low, -root) < min(domain.high, root)
    crossed = [r for r in (-root, root) if domain.low < r < domain.high]
    true = not inner if multiplicity % 2 else not (strict and crossed)
    verdict = by_sturm(difference, x, domain, strict)
    assert verdict.holds == true
    if not true and multiplicity % 2:
        witness = Fraction(verdict.counterexample.values["x"])
        assert domain.low < witness < domain.high and witness**2 < square
    elif not true:
        assert f"the root of x**2 - {square} in (" in verdict.counterexample.values["x"]


@given(small_rationals, st.builds(Fraction, st.integers(1, 40), st.integers(1, 200)))
def test_simplest_rational_against_brute_force(low, width):
    high = low + width
    found = simplest_between(low, high)
    smaller = [
        Fraction(n, found.denominator)
        for n in range(-abs(found.numerator) + 1, abs(found.numerator))
        if math.gcd(n, found.denominator) == 1
    ]
    for denominator in range(1, found.denominator):
        first = math.floor(low * denominator) + 1
        assert not low < Fraction(first, denominator) < high
    assert low < found < high and not any(low < t < high for t in smaller)


def test_simple_rationals_do_not_repeat_and_stay_inside():
    stream = simple_rationals(Fraction(0), math.inf)
    first = [next(stream) for _ in range(31)]
    assert len(set(first)) == 31 and min(first) > 0 and first[0] == 1


@pytest.mark.parametrize(
    ("difference", "domain", "simplest"),
    [
        ((x - R(1, 7)) * (x - R(1, 5)), REAL, "1/6"),
        (x * (10**6 - x), POSITIVE, "1000001"),
        (x**2 - 2, POSITIVE, "1"),
        (2 - x**2, REAL, "-2"),
        (100 * x**2 - 100 * x + 24, REAL, "1/2"),
        ((x**2 - 2) * (x**2 - 3), REAL, "-3/2"),
        (-1 / x, POSITIVE, "1"),
        (x, REAL, "-1"),
    ],
)
def test_witnesses_are_the_simplest(difference, domain, simplest):
    found = by_sturm(difference, x, domain, False).counterexample.values["x"]
    assert simplicity(Fraction(found))[:2] == simplicity(Fraction(simplest))[:2]


def test_zero_and_constants():
    assert by_sturm(sympy.S.Zero, x, REAL, strict=False).holds
    assert by_sturm(sympy.S.Zero, x, REAL, strict=True).refuted
    assert by_sturm(sympy.Integer(3), x, REAL, strict=True).holds
    assert polynomial_inequality(sympy.Integer(-3), {}, strict=False).refuted


def test_roots_at_the_ends_do_not_count():
    assert by_sturm(x * (1 - x), x, Domain(0.0, 1.0), strict=True).holds
    assert by_sturm(x**2 * (1 - x) ** 3, x, Domain(0.0, 1.0), strict=True).holds
    assert by_sturm(1 / x, x, POSITIVE, strict=True).holds


def test_a_common_factor_is_no_root():
    assert by_sturm((x - 1) ** 2 / (x - 1) ** 2, x, REAL, strict=True).holds


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        (sympy.sin(x), "rational function"),
        (sympy.sqrt(x), "rational function"),
        (sympy.sqrt(2) * x**2, "rational coefficients"),
        (x * y, "rational function"),
        (0.5 * x, "float"),
        (x**200 + 1, "degree 200"),
    ],
)
def test_what_is_no_rational_function_is_refused(difference, reason):
    with pytest.raises(NotApplicable, match=reason):
        by_sturm(difference, x, REAL, False)


def test_the_front_end_takes_one_variable():
    assert polynomial_inequality(y**2 - y + 1, {x: REAL, y: POSITIVE}, strict=True).holds
    with pytest.raises(NotApplicable, match="several variables: x, y"):
        polynomial_inequality(x**2 + y**2, {x: REAL, y: REAL}, strict=False)
    with pytest.raises(NotApplicable, match="no domain is known for y"):
        polynomial_inequality(y**2, {x: REAL}, strict=False)
