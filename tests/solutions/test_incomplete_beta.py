"""The clock of a saturating power law against high-precision quadrature, and its inverse."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.solutions.incomplete_beta import Clock, advance, elapsed

EPS = np.finfo(float).eps

exponents = st.tuples(st.floats(-1, 2), st.floats(-1, 2))
sizes = st.floats(-9, 0).map(lambda p: 0.5 * 10.0**p)


def clock(c, beta, e, growing):
    most = np.log(0.5 / c) if growing else np.inf
    return Clock(*(np.array([x]) for x in (c, beta, e)), np.array([growing]), np.array([most]))


def quadrature(c, beta, e, first, last):
    """The integral of c^beta (1 - c)^-e over ln c, over c0^beta, in 30 digits."""
    context = mpmath.MPContext()
    context.dps = 30
    pieces = 2 + int(abs(last - first))
    points = [context.mpf(first) + (context.mpf(last) - first) * k / pieces for k in range(pieces + 1)]
    return context.quad(lambda x: context.exp(beta * x) * (1 - c * context.exp(x)) ** -e, points)


@given(c=sizes, pair=exponents, share=st.floats(0.01, 1), growing=st.booleans())
@settings(max_examples=80)
def test_elapsed_against_quadrature(c, pair, share, growing):
    beta, e = pair
    start = clock(c, beta, e, growing)
    distance = share * (start.most if growing else np.array([20.0]))
    ends = (0, distance[0]) if growing else (-distance[0], 0)
    expected = float(quadrature(c, beta, e, *ends))
    # the distance enters through exponentials, so its rounding counts with beta
    assert elapsed(start, distance)[0] == pytest.approx(expected, rel=(64 + 16 * distance[0]) * EPS)


@given(c=sizes, pair=exponents, share=st.floats(0.001, 0.999), growing=st.booleans())
@settings(max_examples=150)
def test_advance_inverts_elapsed(c, pair, share, growing):
    beta, e = pair if growing else (-abs(pair[0]) / 2, pair[1])
    start = clock(c, beta, e, growing)
    distance = share * (start.most if growing else np.array([20.0]))
    time = elapsed(start, distance)
    again = elapsed(start, advance(start, time))
    assert again[0] == pytest.approx(time[0], rel=(64 + 16 * distance[0]) * EPS)


def test_elementary_cases():
    # beta = 0, e = 1: the logit; beta = 1, e = 0: the share itself
    grown = elapsed(clock(0.1, 0.0, 1.0, True), np.array([np.log(4)]))[0]
    assert grown == pytest.approx(np.log(0.4 / 0.6) - np.log(0.1 / 0.9), rel=16 * EPS)
    assert elapsed(clock(0.1, 1.0, 0.0, True), np.array([np.log(4)]))[0] == pytest.approx(3, rel=16 * EPS)
    assert advance(clock(0.25, 0.0, 1.0, False), np.array([np.inf])).tolist() == [np.inf]
    assert advance(clock(0.25, 0.0, 1.0, True), np.array([1e300]))[0] == pytest.approx(np.log(2))
    assert advance(clock(0.25, 0.0, 1.0, True), np.array([0.0])).tolist() == [0.0]
