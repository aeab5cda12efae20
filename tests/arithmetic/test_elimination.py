"""Inverse and determinant in every arithmetic, against Leibniz' sum and the definition of an inverse."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toymodels.arithmetic import rationals, systems
from toymodels.arithmetic.degrees import Degree
from toymodels.arithmetic.elimination import determinant, inverse
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.arithmetic.words import letter
from toymodels.errors import LeftArithmetic

SIZES = st.integers(1, 4)


@st.composite
def matrices(draw, size=None):
    """A square matrix of small rationals, singular ones among them."""
    n = draw(SIZES) if size is None else size
    numbers = st.integers(-3, 3).map(Fraction) | st.fractions(-2, 2, max_denominator=5)
    entries = draw(st.lists(numbers, min_size=n * n, max_size=n * n))
    return rationals.object_array(entries, (n, n))


def leibniz(A):
    """The determinant as the sum over permutations."""
    total = 0
    for order in permutations(range(len(A))):
        swaps = sum(p > q for k, p in enumerate(order) for q in order[k + 1 :])
        total = total + (-1) ** swaps * np.prod([A[i, j] for i, j in enumerate(order)], dtype=object)
    return total


def identity(n):
    return np.eye(n, dtype=int).astype(object)


@given(matrices())
def test_the_determinant_is_leibniz_sum(A):
    assert determinant(A) == leibniz(A)


@given(matrices())
def test_the_inverse_is_one_from_both_sides(A):
    if leibniz(A) == 0:
        with pytest.raises(ZeroDivisionError, match="singular"):
            inverse(A)
    else:
        assert np.all(A @ inverse(A) == identity(len(A))) and np.all(inverse(A) @ A == identity(len(A)))


@given(st.data(), SIZES)
def test_determinants_multiply_and_inverses_reverse(data, n):
    A, B = data.draw(matrices(n)), data.draw(matrices(n))
    assert determinant(A @ B) == determinant(A) * determinant(B) and determinant(A.T) == determinant(A)
    assume(determinant(A @ B) != 0)
    assert np.all(inverse(A @ B) == inverse(B) @ inverse(A)) and np.all(inverse(A.T) == inverse(A).T)


@given(matrices())
def test_integers_stay_exact(A):
    whole = (A * 60).astype(int)
    assume(determinant(whole) != 0)
    for entry in inverse(whole).flat:
        assert isinstance(entry, (int, Fraction))
    assert np.all(inverse(whole) @ whole == identity(len(A)))


@given(matrices())
def test_floats_digits_and_fmpq_agree_with_fractions(A):
    value = determinant(A)
    assert float(determinant(systems.FLOATS.make(A))) == pytest.approx(float(value), abs=1e-9)
    assert abs(determinant(systems.digits(40).make(A)) - systems.digits(40).make(value)) < 1e-30
    if systems.fmpq() is not None:
        assert rationals.to_fraction(determinant(systems.fmpq().make(A))) == value
    assume(abs(value) > Fraction(1, 100))
    assert np.allclose(inverse(systems.FLOATS.make(A)), inverse(A).astype(float), rtol=1e-7, atol=1e-7)
    assert np.allclose(inverse(systems.COMPLEX.make(A)), inverse(A).astype(float), rtol=1e-7, atol=1e-7)


@given(matrices(), st.sampled_from([0.0, 1e-12, 1e-6]))
def test_measured_results_hold_the_exact_ones_within_their_error(A, error):
    """Also at singular matrices, where the determinant has no error that blows up."""
    around = Measured(A.astype(float), error)
    found = determinant(around)
    assert np.isfinite(found.error) and abs(found.value - float(determinant(A))) <= found.error + 1e-13
    try:
        inverted = inverse(around)
    except ZeroDivisionError:
        return  # within its error the matrix may be singular
    assert determinant(A) != 0
    exact = inverse(A).astype(float)
    assert np.all(abs(inverted.value - exact) <= inverted.error + 1e-12 * abs(exact))


@given(matrices())
def test_measured_matrices_that_may_be_singular_have_no_inverse(A):
    A[0] = 0
    with pytest.raises(ZeroDivisionError, match="singular"):
        inverse(Measured(A.astype(float), 1e-9))
    assert determinant(Measured(A.astype(float))).value == 0


def along(A, V, s):
    return A + s * V


@given(st.data(), SIZES)
def test_jets_differentiate(data, n):
    """Against exact differences of polynomials: the determinant along a line has degree n at most."""
    A, V = data.draw(matrices(n)), data.draw(matrices(n))
    jet = determinant(Jet(A, V, 0 * V))
    values = [leibniz(along(A, V, Fraction(s))) for s in range(-n, n + 1)]
    first, second = interpolated_derivatives(values, n)
    assert jet.parts == (leibniz(A), first, second)
    assume(leibniz(A) != 0)
    slope = inverse(Jet(A, V, 0 * V))
    B = inverse(A)
    assert np.all(slope.first == -B @ V @ B) and np.all(slope.second == 2 * B @ V @ B @ V @ B)


def interpolated_derivatives(values, n):
    """The first and second derivative at 0 of the polynomial through the points -n ... n."""
    places = range(-n, n + 1)
    vandermonde = np.array([[Fraction(s) ** k for k in range(2 * n + 1)] for s in places], dtype=object)
    coefficients = inverse(vandermonde) @ np.array(values, dtype=object)
    return coefficients[1], 2 * coefficients[2]


def test_nested_jets_differentiate_at_singular_matrices():
    """The determinant of diag(x, y) has a mixed derivative although the matrix is zero."""
    zero, one = np.zeros((2, 2), dtype=object), np.array([[1, 0], [0, 0]], dtype=object)
    other = np.array([[0, 0], [0, 1]], dtype=object)
    inner = Jet(zero, one)
    assert determinant(Jet(inner, Jet(other, 0 * other))).first.first == 1


@given(SIZES)
def test_degrees_are_those_of_the_formulas(n):
    A = rationals.object_array([Degree(1) for _ in range(n * n)], (n, n))
    result = determinant(A)
    assert result.numerator - result.denominator <= n * n and result.numerator >= n
    assert all(isinstance(entry, Degree) for entry in inverse(A).flat)


def test_words_invert_letters_that_are_invertible():
    T, C = letter("T", "m", "m", "invertible"), letter("C", "m", "m")
    assert (inverse(T) @ T - T.identity_like()).is_zero()
    with pytest.raises(LeftArithmetic):
        inverse(C)
    with pytest.raises(LeftArithmetic, match="has no determinant"):
        determinant(T)
    with pytest.raises(LeftArithmetic, match="has no matrix inverse"):
        inverse(3)
