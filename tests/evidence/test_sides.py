"""Pairing of sides: structures, shapes, budgets."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.arithmetic.words import letter
from toymodels.errors import InputError
from toymodels.evidence import sides
from toymodels.evidence.sides import Vacuous


@pytest.mark.parametrize("kind", [np.asarray, Measured])
@given(n=st.integers(1, 4), m=st.integers(1, 4))
def test_columns_are_not_rows(kind, n, m):
    with pytest.raises(InputError, match="shape"):
        list(sides.pairs(kind(np.ones((n, 1))), kind(np.ones(n))))
    with pytest.raises(InputError, match="shape"):
        list(sides.pairs(kind(np.ones((n, m))), kind(np.ones((m, n + 1)))))


@given(n=st.integers(1, 4))
def test_a_number_stands_for_equal_numbers(n):
    assert len(list(sides.pairs(np.ones((n, n)), 0))) == 1
    assert sides.exactly_equal(np.zeros((n, n), dtype=int), 0)
    assert not sides.exactly_equal(np.eye(n, dtype=int), 0)


@pytest.mark.parametrize(
    ("left", "right"),
    [(np.ones(0), np.ones(0)), (np.ones((2, 0)), 0), ((), ()), ([], []), (Measured(np.ones(0)), 0.0)],
)
def test_empty_sides_compare_nothing(left, right):
    with pytest.raises(Vacuous):
        list(sides.pairs(left, right))


def test_one_object_twice_compares_nothing():
    for side in (np.ones(3), Measured(1.0), letter("A", "m", "d"), Fraction(1, 3)):
        with pytest.raises(Vacuous):
            list(sides.pairs(side, side))
        with pytest.raises(Vacuous):
            list(sides.pairs((1, side), (1, side)))


@pytest.mark.parametrize(("left", "right"), [((1, 2), (1,)), ((1,), 1), (1, [1]), ((1, (2, 3)), (1, 2))])
def test_structures_must_match(left, right):
    with pytest.raises(InputError):
        list(sides.pairs(left, right))


def test_jets_pair_by_parts_and_constants_have_no_derivatives():
    one = Fraction(1)
    assert sides.exactly_equal(Jet(one, 0 * one), 1)
    assert not sides.exactly_equal(Jet(one, one), 1)
    assert sides.exactly_equal(1, Jet(one, 0 * one, 0 * one))
    assert not sides.exactly_equal(Jet(one, 0 * one, one), Jet(one, 0 * one))


@given(st.floats(-10, 10), st.floats(0, 1), st.floats(-10, 10), st.floats(0, 1))
def test_gaps_and_excess(a, e, b, f):
    left, right = Measured(a, e), Measured(b, f)
    gap, budget = sides.gaps(left, right)
    assert gap == abs(a - b)
    assert e + f < budget <= e + f + 1e-300 or budget == e + f > 0
    assert sides.excess(left, right) == (a - b) - (e + f)
    assert sides.has_budget(left, b) and sides.has_budget(a, right) and not sides.has_budget(a, b)


def test_equal_infinities_do_not_differ():
    assert sides.excess(np.inf, np.inf) == 0 and sides.gaps(np.inf, np.inf)[0] == 0
    assert sides.excess(np.inf, 1.0) == np.inf and np.isnan(sides.excess(np.nan, 1.0))
