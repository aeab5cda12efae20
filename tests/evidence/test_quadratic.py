"""Quadratic polynomials as forms: agreement with eigenvalues, never a false proof."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.quadratic import by_quadratic_form

SYMBOLS = sp.symbols("x y z", real=True)


def proves(polynomial, strict):
    try:
        return by_quadratic_form(polynomial, strict).holds
    except NotApplicable:
        return False


@given(st.integers(1, 3), st.data())
def test_it_is_proved_exactly_where_no_eigenvalue_is_negative(n, data):
    entries = data.draw(st.lists(st.integers(-3, 3), min_size=(n + 1) ** 2, max_size=(n + 1) ** 2))
    root = np.array(entries).reshape(n + 1, n + 1)
    shift = data.draw(st.integers(-2, 2))
    M = root @ root.T + shift * np.eye(n + 1, dtype=int)
    v = sp.Matrix([1, *SYMBOLS[:n]])
    polynomial = sp.expand((v.T * sp.Matrix(M.tolist()) * v)[0])
    if not polynomial.free_symbols:
        return
    used = [0] + [k + 1 for k, x in enumerate(SYMBOLS[:n]) if x in polynomial.free_symbols]
    smallest = np.linalg.eigvalsh(M[np.ix_(used, used)].astype(float))[0]
    if abs(smallest) > 1e-9:
        assert proves(polynomial, strict=True) == proves(polynomial, strict=False) == (smallest > 0)
    else:
        assert not proves(polynomial, strict=True) and proves(polynomial, strict=False)


@given(st.lists(st.fractions(-3, 3, max_denominator=4), min_size=3, max_size=3), st.fractions(-2, 2))
def test_what_is_proved_is_true(point, gap):
    x, y, z = SYMBOLS
    polynomial = (x - 2 * y) ** 2 + (y - z) ** 2 + gap
    value = polynomial.subs(dict(zip(SYMBOLS, map(sp.Rational, point), strict=True)))
    if proves(polynomial, strict=False):
        assert value >= 0 and gap >= 0
    assert proves(polynomial, strict=False) == (gap >= 0)


@pytest.mark.parametrize(
    ("polynomial", "reason"),
    [
        (SYMBOLS[0] ** 3, "no quadratic"),
        (sp.exp(SYMBOLS[0]), "no polynomial"),
        (sp.sqrt(2) * SYMBOLS[0] ** 2, "not rational"),
        (-(SYMBOLS[0] ** 2), "negative"),
        (sp.Integer(1), "no quadratic"),
    ],
)
def test_it_says_why_it_does_not_apply(polynomial, reason):
    with pytest.raises(NotApplicable, match=reason):
        by_quadratic_form(polynomial, strict=False)


def test_equality_cases_are_kept_apart():
    x, y, _ = SYMBOLS
    assert proves(x**2 + y**2 - 2 * x * y, strict=False) and not proves(x**2 + y**2 - 2 * x * y, strict=True)
    assert proves(x**2 - x + Fraction(1, 4), strict=False)
