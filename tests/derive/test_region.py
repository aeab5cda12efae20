"""Scalars under linear hypotheses are drawn from the region, whatever its shape."""

from fractions import Fraction

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from toymodels.derive import Derivation
from toymodels.derive.region import Constraint, bounds_in_order, linear_constraint, region_space
from toymodels.spaces.source import RandomFloats, Rejected, Source

SYMBOLS = sp.symbols("x y z", real=True)
small = st.integers(-3, 3)


@st.composite
def around_a_point(draw):
    """Constraints that a point satisfies strictly, and the point."""
    point = [Fraction(draw(small)) for _ in SYMBOLS]
    constraints = []
    for _ in range(draw(st.integers(1, 5))):
        slopes = [Fraction(draw(small)) for _ in SYMBOLS]
        if any(slopes):
            room = Fraction(draw(st.integers(1, 20)), 10)
            constant = room - sum(c * x for c, x in zip(slopes, point, strict=True))
            parts = tuple((x, c) for x, c in zip(SYMBOLS, slopes, strict=True) if c)
            constraints.append(Constraint(parts, constant, draw(st.booleans())))
    return constraints


@given(around_a_point(), st.integers(0, 2**32 - 1))
def test_every_draw_lies_in_the_region(constraints, seed):
    bounds = bounds_in_order(SYMBOLS, constraints)
    assert bounds is not None
    space = region_space(SYMBOLS, bounds, "region")
    source = Source(RandomFloats(np.random.default_rng(seed)))
    try:
        drawn = dict(zip(SYMBOLS, space.draw(source, "x, y, z"), strict=True))
    except Rejected:  # rounding may close a gap that is a single point
        return
    for c in constraints:
        terms = [float(a) * drawn[x] for x, a in c.coefficients]
        slack = sum(terms) + float(c.constant)
        assert slack >= -1e-12 * (1 + abs(float(c.constant)) + sum(map(abs, terms)))


@given(around_a_point(), st.data())
def test_contradictions_are_seen(constraints, data):
    if not constraints:
        return
    c = data.draw(st.sampled_from(constraints))
    opposite = Constraint(tuple((x, -a) for x, a in c.coefficients), -c.constant - 1, False)
    assert bounds_in_order(SYMBOLS, [*constraints, opposite]) is None


def test_what_is_linear():
    x, y, _ = SYMBOLS
    assert linear_constraint(2 * x - y / 3 + 1, True) == Constraint(
        ((x, Fraction(2)), (y, Fraction(-1, 3))), Fraction(1), True
    )
    assert linear_constraint(x * y, True) is None
    assert linear_constraint(sp.sqrt(2) * x, True) is None
    assert linear_constraint(sp.exp(x), True) is None


def test_far_hypotheses_are_neither_vacuous_nor_missed():
    D = Derivation("far away")
    x, y = D.scalars("x y")
    D.step(x * y, ">=", 10**4, given=[x >= 100, y >= x])
    D.step(x * y, ">=", 10**5, given=[x >= 100, y >= x])
    D.step(x, "<=", x + 1, given=[x > 100, x < y, y < 50])
    assert [finding.mark for finding in D.check("quick").findings] == ["ok", "FALSE", "VACUOUS"]
