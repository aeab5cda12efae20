"""Counts of cells and regions against slow sums and recursions."""

import numpy as np
import pytest
from arrangements import generic_rows, lattice_rows, rationals, whitney_sum
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import InputError
from toymodels.relu import cover_count, whitney_count, zaslavsky_count

small = st.integers(1, 12)


@given(small, small)
def test_covers_recursion(n, d):
    assert cover_count(n + 1, d + 1) == cover_count(n, d + 1) + cover_count(n, d)
    assert cover_count(1, d) == 2 and cover_count(n, 1) == 2
    assert cover_count(n, d) == 2**n if n <= d else cover_count(n, d) < 2**n


@given(small, small)
def test_zaslavskys_recursion(m, d):
    assert zaslavsky_count(m + 1, d + 1) == zaslavsky_count(m, d + 1) + zaslavsky_count(m, d)
    assert zaslavsky_count(m, 1) == m + 1
    assert zaslavsky_count(m, d, bias=False) == cover_count(m, d)


def test_biases_are_one_more_dimension_seen_on_one_side():
    for m in range(1, 8):
        for d in range(1, 5):
            assert 2 * zaslavsky_count(m, d) == cover_count(m + 1, d + 1)


@given(lattice_rows(largest=7))
@settings(max_examples=40)
def test_whitneys_sum_without_its_cancelling_pairs(X):
    assert whitney_count(X) == whitney_sum(X) == whitney_count(rationals(X))


@given(generic_rows())
@settings(max_examples=40)
def test_in_general_position_whitneys_count_is_covers(X):
    assert whitney_count(X) == cover_count(*X.shape)


def test_large_degenerate_data():
    # the lines x_i = ±x_j and x_i = 0 in d dimensions cut 2^d d! cells
    d = 4
    unit = np.eye(d)
    rows = [*unit, *(unit[i] + s * unit[j] for i in range(d) for j in range(i) for s in (1, -1))]
    assert whitney_count(rows) == 2**4 * 24
    assert whitney_count(np.zeros((2, 3))) == 1


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: cover_count(0, 1), "n: expected an integer >= 1"),
        (lambda: cover_count(3, 1.0), "d: expected an integer >= 1"),
        (lambda: zaslavsky_count(0, 1), "m: expected an integer >= 1"),
        (lambda: whitney_count([1.0]), "X: expected 2 dimension"),
    ],
)
def test_bad_sizes(call, message):
    with pytest.raises(InputError, match=message):
        call()
