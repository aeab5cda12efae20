from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.solutions.vectors import across, norm, vector_array


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=5), st.integers(-60, 60))
def test_the_part_across_is_exact_to_its_own_length(pairs, e):
    v, b = np.array(pairs).T
    assume(np.abs(b).max() > 1e-100 and np.abs(v).max() > 1e-100)
    c = 2.0**e
    np.testing.assert_array_equal(across(c * b, b), 0)
    V, B = ([Fraction(x) for x in u] for u in (v, b))
    inner, square = sum(x * y for x, y in zip(V, B, strict=True)), sum(x * x for x in B)
    exact = [x - inner * y / square for x, y in zip(V, B, strict=True)]
    gap = sum((Fraction(float(x)) - y) ** 2 for x, y in zip(across(v, b), exact, strict=True))
    assert gap <= Fraction(1, 10**30) * len(v) ** 2 * sum(x * x for x in exact) + Fraction(1, 10**600)
    assert norm(c * v) == c * norm(v)


def test_no_direction_and_no_length():
    v = np.array([1.0, 2.0])
    np.testing.assert_array_equal(across(v, 0 * v), v)
    np.testing.assert_array_equal(across(0 * v, v), 0)
    assert norm(0 * v) == 0
    with pytest.raises(InputError, match="v: expected shape"):
        vector_array("v", 1.0)
