"""Enclosures never hold what is false, settle equality at isolated zeros, and cut nothing off."""

import itertools
import math
import operator
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.arithmetic import rationals
from toymodels.arithmetic.elementary import (
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    exp,
    expm1,
    log,
    log1p,
    sin,
    sinh,
    sqrt,
    tanh,
)
from toymodels.arithmetic.gates import gates
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.enclosure import Zero, by_enclosure
from toymodels.evidence.ranges import Range
from toymodels.evidence.verdict import Evidence
from toymodels.spaces import POSITIVE, REAL, Domain

UNIT = Domain(0.0, 1.0)
BOX = Domain(-3.0, 3.0)

needs_flint = pytest.mark.rigor

TRUE = {
    "exp above its tangent": (lambda x: exp(x) - 1 - x, [REAL], False),
    "strictly on the half line": (lambda x: exp(x) - 1 - x, [POSITIVE], True),
    "exp above its parabola": (lambda x: exp(x) - 1 - x - x * x / 2, [POSITIVE], True),
    "log below its tangent, at the end": (lambda x: x - log1p(x), [POSITIVE], True),
    "log below its tangent, inside": (lambda x: x - 1 - log(x), [POSITIVE], False),
    "x - sin x, of order 3": (lambda x: x - sin(x), [POSITIVE], True),
    "tanh below x": (lambda x: x - tanh(x), [POSITIVE], True),
    "tanh below 1, only in the limit": (lambda x: 1 - tanh(x), [REAL], True),
    "exp stays positive": (lambda x: exp(-x), [REAL], True),
    "sinh above its cubic": (lambda x: sinh(x) - x - x**3 / 6, [POSITIVE], True),
    "square root, singular at the end": (lambda x: sqrt(x) - x, [UNIT], True),
    "x log x, singular at the end": (lambda x: x * log(x) - x + 1, [POSITIVE], False),
    "entropy": (lambda x: -x * log(x) - (1 - x) * log(1 - x), [UNIT], True),
    "order 4": (lambda x: (3 * x - 1) ** 4, [REAL], False),
    "order 4 in four factors": (
        lambda x: (3 * x - 1) * (3 * x - 1) * (3 * x - 1) * (3 * x - 1),
        [BOX],
        False,
    ),
    "order 5 at the end": (lambda x: x * x * x * x * x, [POSITIVE], True),
    "Young": (lambda x: x**4 / 4 - x + exp(0 * x) * 3 / 4, [POSITIVE], False),
    "zero at 1/7": (lambda x: exp(7 * x - 1) - 7 * x, [REAL], False),
    "constant": (lambda x: 1 + 0 * x, [REAL], True),
    "close": (lambda x: (x - 1) * (x - 1) + exp(0 * x) / 10**9, [BOX], True),
    "two variables on the plane": (lambda x, y: exp(x) + exp(y) - x - y - 1, [REAL, REAL], True),
    "two variables in a box": (lambda x, y: x * x + y * y - 2 * x * y + 1, [BOX, BOX], True),
    "three variables": (lambda x, y, z: x * y * z + 1 - x * y, [UNIT] * 3, True),
    "three variables, transcendental": (
        lambda x, y, z: exp(x + y + z) - x - y - z - sin(x * y) / 4 + 1 / 2**3,
        [UNIT] * 3,
        True,
    ),
}

FALSE = {
    "tangent too steep": (lambda x: exp(x) - 1 - 2 * x, [REAL], False),
    "not strict at the zero": (lambda x: exp(x) - 1 - x, [REAL], True),
    "not strict at 1/3": (lambda x: (3 * x - 1) ** 2, [REAL], True),
    "cubic": (lambda x: x - sin(x), [REAL], False),
    "far out": (lambda x: 10**6 - x, [POSITIVE], False),
    "far out on the left": (lambda x: 10**6 + x, [REAL], False),
    "very far out": (lambda x: 20 - log(x), [POSITIVE], False),
    "close to the end": (lambda x: 10 + log(x), [POSITIVE], False),
    "in a corner": (lambda x, y: x + y - exp(0 * x) / 50, [UNIT, UNIT], False),
    "in a corner of a narrow box": (lambda x, y: x + y - exp(0 * x) / 999, [Domain(0.0, 0.01)] * 2, False),
    "inside": (lambda x, y: 1 + x * x + y * y - 3 * x * y, [REAL, REAL], False),
    "pole": (lambda x: -1 / x, [Domain(-1.0, 1.0)], False),
}

NEVER_HELD = {
    "negative beyond 2^60": (lambda x: 2**60 - x, [POSITIVE], False),
    "singular inside": (lambda x: 1 / ((x - 1) * (x - 1)), [Domain(0.0, 3.0)], True),
    "a jump at the end": (lambda x: 1 - 2 * gates(x)[()] + 0 * x, [UNIT], False),
    "a kink at the end": (lambda x: x * x - 3 * gates(x)[()] * x, [UNIT], False),
    "equal along a line": (lambda x, y: (x - y) * (x - y), [BOX, BOX], True),
    "equal in the limit": (lambda x: exp(-x) - exp(-x), [POSITIVE], True),
    "undefined": (lambda x: log(x), [REAL], False),
    "a float": (lambda x: 1.0, [REAL], False),
}


def decide(gap, domains, strict, zeros=(), budget=600):
    try:
        return by_enclosure(gap, domains, strict, zeros, budget)
    except NotApplicable:
        return None


@needs_flint
@pytest.mark.parametrize("name", TRUE)
def test_true_inequalities_hold(name):
    verdict = by_enclosure(*TRUE[name], budget=2000)
    assert verdict.holds and verdict.evidence is Evidence.enclosed


@needs_flint
@pytest.mark.parametrize("name", FALSE)
def test_false_inequalities_are_refuted(name):
    gap, domains, strict = FALSE[name]
    verdict = by_enclosure(gap, domains, strict, budget=2000)
    assert verdict.refuted
    check_witness(verdict, gap, domains, strict)


def check_witness(verdict, gap, domains, strict):
    point = [Fraction(text) for text in verdict.counterexample.values.values()]
    assert all(domain.low < t < domain.high for domain, t in zip(domains, point, strict=True))
    context = mpmath.MPContext()
    context.dps = 60
    found = gap(*(context.mpf(t.numerator) / t.denominator for t in point))
    assert found < 0 or (strict and abs(found) < 1e-50 and verdict.evidence is Evidence.exact)


@needs_flint
@pytest.mark.parametrize("name", NEVER_HELD)
def test_what_is_not_proved_is_not_held(name):
    verdict = decide(*NEVER_HELD[name])
    assert verdict is None or verdict.refuted


centres = st.builds(Fraction, st.integers(-11, 11), st.sampled_from([4, 5, 7, 8]))
SHAPES = {
    "parabola": lambda u: u * u,
    "quartic": lambda u: u * u * u * u,
    "cosh": lambda u: cosh(u) - 1,
    "exp": lambda u: exp(u) - 1 - u,
    "bounded": lambda u: u * u / (1 + u * u),
    "sine": lambda u: sin(u) * sin(u),
}


@needs_flint
@settings(max_examples=50)
@given(
    st.sampled_from(sorted(SHAPES)),
    centres,
    st.integers(1, 12),
    st.sampled_from([BOX, REAL, Domain(-4.0), Domain(high=4.0)]),
)
def test_a_small_violation_is_never_held(shape, centre, digits, domain):
    def gap(x):
        u = x * centre.denominator - centre.numerator
        return SHAPES[shape](u) - exp(0 * x) / 10**digits

    verdict = decide(gap, [domain], False, budget=300)
    if verdict is not None:
        assert verdict.refuted
        check_witness(verdict, gap, [domain], False)


@needs_flint
@settings(max_examples=20)
@given(st.sampled_from(sorted(SHAPES)), centres, centres, st.integers(1, 6))
def test_a_small_violation_is_never_held_in_the_plane(shape, a, b, digits):
    def gap(x, y):
        u = x * a.denominator - a.numerator
        v = y * b.denominator - b.numerator
        return SHAPES[shape](u) + v * v - exp(0 * x) / 10**digits

    verdict = decide(gap, [BOX, BOX], False, budget=150)
    if verdict is not None:
        assert verdict.refuted
        check_witness(verdict, gap, [BOX, BOX], False)


@needs_flint
@settings(max_examples=40)
@given(st.sampled_from(sorted(SHAPES)), centres, st.integers(1, 6), st.booleans())
def test_a_small_margin_is_found(shape, centre, digits, strict):
    def gap(x):
        u = x * centre.denominator - centre.numerator
        return SHAPES[shape](u) + exp(0 * x) / 10**digits

    assert by_enclosure(gap, [BOX], strict).holds


@needs_flint
@given(centres, st.sampled_from(["parabola", "quartic", "bounded"]))
def test_zeros_at_any_rational_are_found(centre, shape):
    def gap(x):
        return SHAPES[shape](x * centre.denominator - centre.numerator)

    assert by_enclosure(gap, [BOX], False, budget=400).holds
    strict = by_enclosure(gap, [BOX], True, budget=400)
    assert strict.refuted and strict.evidence is Evidence.exact
    assert Fraction(strict.counterexample.values["x1"]) == centre


def tangent_at_one(x):
    """exp(x) - e x: its zero is not seen by rational arithmetic."""
    return exp(x) - x * exp(1 + 0 * x)


@needs_flint
def test_the_caller_may_prove_a_zero():
    assert by_enclosure(tangent_at_one, {"x": REAL}, False, [Zero(1, lambda order: order < 2)]).holds
    strict = by_enclosure(tangent_at_one, {"x": REAL}, True, [Zero(1, lambda order: order < 2)])
    assert strict.refuted and strict.counterexample.values == {"x": "1"}


@needs_flint
@pytest.mark.parametrize(
    "zeros", [[], [1], [Zero(1, lambda order: order == 0)], [Zero(2, lambda order: True)]]
)
def test_a_zero_that_is_not_proved_decides_nothing(zeros):
    with pytest.raises(NotApplicable, match="near x = 1"):
        by_enclosure(tangent_at_one, {"x": Domain(0.0, 1.5)}, False, zeros)


@needs_flint
def test_a_zero_does_not_hide_a_violation():
    assert by_enclosure(lambda x: exp(x) - 1 - 2 * x, [REAL], False, [0]).refuted
    assert by_enclosure(
        lambda x: x * x * (x - 2), [POSITIVE], False, [Zero(0, lambda order: order < 2)]
    ).refuted


@needs_flint
def test_reasons_and_precision():
    import flint

    before = flint.ctx.prec
    with pytest.raises(NotApplicable, match="not enclosed near x -> inf"):
        by_enclosure(lambda x: 2**60 - x, {"x": POSITIVE}, False)
    with pytest.raises(NotApplicable, match="1 to 3 variables, not 4"):
        by_enclosure(lambda *x: x[0], [REAL] * 4, False)
    with pytest.raises(NotApplicable, match="does not run on balls"):
        by_enclosure(lambda x: x.nonsense(), [REAL], False)
    with pytest.raises(NotApplicable, match=r"40 boxes do not decide it near x1 = .*, x2 = "):
        by_enclosure(lambda x, y: (x - y) * (x - y), [BOX, BOX], False, budget=40)
    assert flint.ctx.prec == before


@needs_flint
def test_the_budget_is_spent_to_the_last_box():
    needed = by_enclosure(lambda x: exp(x) - 1 - x, [REAL], False).cases
    assert by_enclosure(lambda x: exp(x) - 1 - x, [REAL], False, budget=needed).holds
    with pytest.raises(NotApplicable, match="boxes do not decide it"):
        by_enclosure(lambda x: exp(x) - 1 - x, [REAL], False, budget=needed - 1)


def test_without_flint_nothing_is_decided(monkeypatch):
    monkeypatch.setattr(rationals, "fmpq", lambda: None)
    with pytest.raises(NotApplicable, match="python-flint is not installed"):
        by_enclosure(lambda x: x * x, [REAL], False)


FUNCTIONS = [exp, expm1, log, log1p, sqrt, sinh, tanh, atan, asinh, atanh, cosh, sin, cos]
OPERATIONS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "square": lambda a, b: a * a,
    "cube": lambda a, b: b**3,
    "fourth": lambda a, b: a**4,
    "inverse square": lambda a, b: b ** (-2),
}
ENDS = (-math.inf, -2, -1, Fraction(-1, 3), 0, Fraction(1, 2), 1, 3, math.inf)
pairs_of_ends = st.sampled_from(list(itertools.combinations(ENDS, 2)))
ranges = st.tuples(pairs_of_ends, st.booleans(), st.booleans()).map(lambda drawn: (*drawn[0], *drawn[1:]))


def members(low, high, low_open, high_open):
    """Numbers of a range, its closed ends and far ones included."""
    first = Fraction(low) if math.isfinite(low) else Fraction(min(0, high)) - 50
    last = Fraction(high) if math.isfinite(high) else max(Fraction(0), first) + 50
    width = last - first
    found = [first + width * k / 2**j for j, k in ((30, 1), (3, 1), (1, 1), (3, 7))] + [last - width / 2**30]
    found += [first] if math.isfinite(low) and not low_open else []
    return found + ([last] if math.isfinite(high) and not high_open else [])


def holds(box, number):
    """Whether a range holds a number of 40 digits, its open ends left out."""
    import flint

    with flint.ctx.workprec(200):
        ball = flint.arb(mpmath.nstr(number, 50))
        above = not ball < box.low and not (box.low_open and ball == box.low)
        return bool(above and not ball > box.high and not (box.high_open and ball == box.high))


def check_images(apply, image, *sets):
    context = mpmath.MPContext()
    context.dps = 60
    for point in itertools.product(*(members(*each) for each in sets)):
        numbers = [context.mpf(t.numerator) / t.denominator for t in point]
        assert holds(image, apply(*numbers)), (image, point)


@needs_flint
@settings(max_examples=400)
@given(ranges, ranges, st.sampled_from(sorted(OPERATIONS)))
def test_ranges_hold_every_result(a, b, name):
    try:
        image = OPERATIONS[name](Range.between(*a), Range.between(*b))
    except ZeroDivisionError:
        return
    check_images(OPERATIONS[name], image, a, b)


@needs_flint
@given(ranges, ranges)
def test_products_know_which_ends_are_attained(a, b):
    zeros = (0, 1, False, True), (0, math.inf, True, True), (-1, 0, True, False)
    for first, second in itertools.product((a, b, *zeros), repeat=2):
        image = Range.between(*first) * Range.between(*second)
        check_images(OPERATIONS["*"], image, first, second)


@needs_flint
@settings(max_examples=150)
@given(ranges, st.sampled_from(FUNCTIONS))
def test_ranges_hold_every_image(a, function):
    try:
        image = function(Range.between(*a))
    except ZeroDivisionError:
        return
    check_images(function, image, a)


@needs_flint
def test_ranges_keep_open_ends_apart():
    positive = Range.between(0, math.inf, low_open=True)
    assert positive.is_positive() and exp(-positive).is_positive() and (1 - tanh(positive)).is_positive()
    assert not Range.between(0, 1).is_positive() and Range.between(0, 1).is_nonnegative()
    assert not (positive - positive).is_nonnegative()
    assert (positive * (1 / positive)).is_one()
    assert not (positive * (1 / Range.between(0, math.inf, low_open=True))).is_one()
    with pytest.raises(ZeroDivisionError):
        1 / Range.between(-1, 1)
    with pytest.raises(ZeroDivisionError):
        1 / Range.between(0, 1)
    with pytest.raises(ZeroDivisionError):
        log(Range.between(-1, 1))
    with pytest.raises(TypeError):
        bool(positive > 0)
