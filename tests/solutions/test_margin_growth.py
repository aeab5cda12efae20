"""Margins under slopes of exponential and logistic loss: against many digits, semigroup, limits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.solutions.margin_growth import exponential_margin, logistic_margin

starts = st.floats(-30, 30)
rates = st.floats(1e-6, 1e6)
times = st.floats(0, 1e6)


def exact(kind, q0, c, t):
    """The margin in 60 digits; the logistic one by the root of q + e^q = q0 + e^q0 + c t."""
    with mpmath.workdps(60):
        q0, growth = mpmath.mpf(q0), mpmath.mpf(c) * t
        if kind == "exponential":
            return float(mpmath.log(mpmath.exp(q0) + growth))
        total = q0 + mpmath.exp(q0) + growth
        return float(total - mpmath.lambertw(mpmath.exp(total)).real)


@pytest.mark.parametrize(
    ("kind", "margin"), [("exponential", exponential_margin), ("logistic", logistic_margin)]
)
@given(q0=starts, c=rates, t=times)
def test_against_sixty_digits(kind, margin, q0, c, t):
    assert margin(q0, c, t) == pytest.approx(exact(kind, q0, c, t), rel=1e-12, abs=1e-12 * (1 + abs(q0)))


@pytest.mark.parametrize("margin", [exponential_margin, logistic_margin])
@given(q0=starts, c=rates, s=times, t=times)
def test_semigroup_and_monotone(margin, q0, c, s, t):
    middle = margin(q0, c, s)
    assert margin(middle, c, t) == pytest.approx(margin(q0, c, s + t), rel=1e-10, abs=1e-10)
    assert middle >= q0 and margin(q0, c, s + t) >= middle - 1e-10


@pytest.mark.parametrize("margin", [exponential_margin, logistic_margin])
def test_limits(margin):
    assert margin(0.3, 2.0, np.inf) == np.inf
    assert margin(0.3, 0.0, [0.0, 1.0, np.inf]) == pytest.approx([0.3] * 3)
    assert np.isfinite(margin([-800.0, 800.0], 1e300, 1e300)).all()
    assert margin(1.5, 7.0, 0.0) == pytest.approx(1.5)


@pytest.mark.parametrize("margin", [exponential_margin, logistic_margin])
@given(q0=st.lists(starts, min_size=1, max_size=4), c=rates, t=times)
def test_a_batch_equals_its_members(margin, q0, c, t):
    assert list(margin(q0, c, t)) == [margin(q, c, t) for q in q0]


@pytest.mark.parametrize(
    "wrong", [(np.nan, 1, 1), (0, -1, 1), (0, 1, -1), (0, 1, np.nan), ([0, 0], [1, 1, 1], 1)]
)
def test_bad_arguments(wrong):
    for margin in (exponential_margin, logistic_margin):
        with pytest.raises(InputError):
            margin(*wrong)
