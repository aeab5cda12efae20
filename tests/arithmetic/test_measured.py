"""The error bound of a measured number contains the exact result of its operation."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.arithmetic import elementary, systems, trace
from toymodels.arithmetic.measured import (
    UNIT,
    Measured,
    eigvalsh,
    error_of,
    measured,
    sort,
    svdvals,
    value_of,
)
from toymodels.errors import LeftArithmetic

WIDE = st.floats(-1e60, 1e60, allow_subnormal=False) | st.floats(-4, 4) | st.integers(-9, 9).map(float)
SMALL = st.floats(-4, 4) | st.integers(-9, 9).map(float) | st.floats(-1e-12, 1e-12)
POSITION = st.sampled_from([Fraction(-1), Fraction(-1, 3), Fraction(0), Fraction(2, 7), Fraction(1)])
ERRORS = st.sampled_from([0.0, 1e-300, 1e-17, 3e-16, 1e-9, 0.1, 3.0])


@st.composite
def uncertain(draw, values=WIDE):
    """A measured number and one exact number that lies within it, often at the very end."""
    x = draw(values)
    error = draw(ERRORS) * draw(st.sampled_from([1.0, abs(x) or 1.0]))
    return Measured(x, error), Fraction(x) + Fraction(float(error)) * draw(POSITION)


def contains(m, exact):
    return m.error == math.inf or abs(Fraction(float(m.value)) - exact) <= Fraction(float(m.error))


@given(uncertain(), uncertain())
def test_sums_differences_and_products(x, y):
    (m, a), (n, b) = x, y
    for result, exact in ((m + n, a + b), (m - n, a - b), (m * n, a * b), (-m, -a), (abs(m), abs(a))):
        assert contains(result, exact)
    assert contains(m**3, a**3)


@given(uncertain(), uncertain())
def test_quotients(x, y):
    (m, a), (n, b) = x, y
    quotient = m / n
    if b == 0:
        assert quotient.error == math.inf
    else:
        assert contains(quotient, a / b)


@given(uncertain(), st.integers(-(10**30), 10**30), st.fractions())
def test_constants_that_floats_do_not_hold(x, integer, fraction):
    m, a = x
    for constant in (integer, fraction):
        assert contains(m + constant, a + constant)
        assert contains(m * constant, a * constant)
        assert contains(constant - m, constant - a)


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_overflow_and_underflow_lose_no_containment(x, y, z):
    with np.errstate(all="ignore"):
        product, chain = Measured(x) * y, np.einsum(",,->", Measured(x), y, z)
    for result, exact in (
        (product, Fraction(x) * Fraction(y)),
        (chain, Fraction(x) * Fraction(y) * Fraction(z)),
    ):
        assert result.error == math.inf or contains(result, exact)


@st.composite
def arrays(draw, *shape):
    pairs = [draw(uncertain(SMALL)) for _ in range(math.prod(shape))]
    value = np.reshape([float(m.value) for m, _ in pairs], shape)
    error = np.reshape([float(m.error) for m, _ in pairs], shape)
    exact = np.empty(len(pairs), dtype=object)
    exact[:] = [e for _, e in pairs]
    return Measured(value, error), exact.reshape(shape)


def all_contain(m, exact):
    entries = zip(np.ravel(m.value), np.ravel(m.error), np.ravel(exact), strict=True)
    return m.shape == np.shape(exact) and all(contains(Measured(v, e), x) for v, e, x in entries)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3))
def test_matrix_products_sums_and_einsum(data, n, k, m):
    (A, a), (B, b) = data.draw(arrays(n, k)), data.draw(arrays(k, m))
    (C, c), (S, s) = data.draw(arrays(m, n)), data.draw(arrays(k, k))
    assert all_contain(A @ B, a @ b)
    assert all_contain(A.value @ B, np.frompyfunc(Fraction, 1, 1)(A.value) @ b)
    assert all_contain(A.sum(-1), a.sum(-1))
    assert all_contain(np.sum(A, axis=0), a.sum(0))
    assert all_contain(A.sum(), a.sum())
    assert all_contain(trace(S), np.trace(s))
    assert all_contain(np.trace(S), np.trace(s))
    assert all_contain(np.diff(A, axis=-1), np.diff(a, axis=-1))
    assert all_contain(np.einsum("nk,km,mn->n", A, B, C), ((a @ b) * c.T).sum(-1))
    assert all_contain(np.einsum("...k,kk->...", A, S), a @ np.diagonal(s))
    assert all_contain(np.concatenate([A, C.mT], -1), np.concatenate([a, c.T], -1))
    assert all_contain(A[..., None, :].reshape(n, k).mT, a.T)


FUNCTIONS = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "sinh",
    "cosh",
    "tanh",
    "sin",
    "cos",
    "atan",
    "asinh",
    "atanh",
]
LARGE = SMALL | st.floats(-700, 700) | st.floats(-1e-300, 1e-300)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=150, deadline=None)
@given(x=uncertain(LARGE))
def test_elementary_functions(name, x):
    m, exact = x
    context = mpmath.MPContext()
    context.dps = 400  # the true value far beyond a float's, however small the argument
    point = context.mpf(exact.numerator) / exact.denominator
    if (
        (name in ("log", "sqrt") and exact <= 0)
        or (name == "log1p" and exact <= -1)
        or (name == "atanh" and abs(exact) >= 1)
    ):
        return
    with np.errstate(all="ignore"):
        result = getattr(elementary, name)(m)
    if result.error == math.inf:
        return
    truth = getattr(context, name)(point)
    assert abs(context.mpf(float(result.value)) - truth) <= context.mpf(float(result.error))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_elementary_bounds_say_something(name):
    """At an ordinary point the budget is a few units in the last place, so containment is not cheap."""
    result = getattr(elementary, name)(Measured(0.5))
    assert 0 < result.error <= 10 * np.spacing(abs(float(result.value)))


def test_bounds_of_arithmetic_say_something():
    rng = np.random.default_rng(0)
    A, B = Measured(rng.standard_normal((20, 20))), Measured(rng.standard_normal((20, 20)))
    assert ((A @ B).error <= 200 * UNIT * (abs(A.value) @ abs(B.value))).all()
    assert (A + B).error.max() <= 2 * UNIT * abs((A + B).value).max()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([0.0, 1e-12, 1e-3]))
def test_eigenvalues_and_singular_values(seed, n, noise):
    """Diagonal spectra rotated by Householder reflections, then moved by no more than the stated error."""
    rng = np.random.default_rng(seed)
    spectrum = np.sort(rng.integers(-5, 6, n).astype(float))
    v = rng.integers(-3, 4, (n, 1)).astype(float)
    v[0] += 1 - abs(v).sum() % 2 or 1
    Q = np.eye(n) - 2 * v @ v.T / max((v * v).sum(), 1)
    symmetric = (Q * spectrum) @ Q.T if np.allclose(Q @ Q.T, np.eye(n)) else np.diag(spectrum)
    shift = rng.uniform(-noise, noise, (n, n))
    moved = symmetric + np.tril(shift) + np.tril(shift, -1).T
    found = eigvalsh(Measured(moved, noise + 1e-13))
    assert (abs(found.value - spectrum) <= found.error).all()
    values = svdvals(Measured(moved, noise + 1e-13))
    assert (abs(values.value - np.sort(abs(spectrum))[::-1]) <= values.error).all()
    assert (found.error <= n * (noise + 1e-13) * 1.01 + 100 * n * UNIT * 10 * n).all()


def test_eigenvalues_of_an_error_in_one_triangle():
    error = np.array([[0.0, 1.0], [0.0, 0.0]])
    assert (eigvalsh(Measured(np.zeros((2, 2)), error)).error >= 1).all()


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=6), st.data())
def test_sorting(entries, data):
    exact = np.array(entries, dtype=float)
    moves = np.array(data.draw(st.lists(st.floats(-2, 2), min_size=len(entries), max_size=len(entries))))
    found = sort(Measured(exact + moves, abs(moves) + 1e-12))
    assert (abs(found.value - np.sort(exact)) <= found.error).all()


def test_measured_adds_errors_and_plain_numbers_have_none():
    x = measured(measured(1.0, 0.25), 0.5)
    assert (value_of(x), error_of(x)) == (1.0, 0.75)
    assert (value_of(2.0), error_of(2.0)) == (2.0, 0.0)
    assert systems.MEASURED.make(Fraction(1, 3)).error > 0
    assert systems.MEASURED.make(Fraction(1, 4)).error == 0


@pytest.mark.parametrize("out", [lambda x: x > 0, lambda x: x == 0, lambda x: x != 0, bool, lambda x: x**0.5])
def test_a_measured_number_does_not_compare(out):
    with pytest.raises(LeftArithmetic):
        out(Measured(1.0))


def test_maximum_is_no_formula():
    with pytest.raises(TypeError):
        np.maximum(Measured(1.0), 0)
