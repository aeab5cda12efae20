"""Polynomials of degree two, decided as quadratic forms: exact, and in any number of variables."""

from __future__ import annotations

from typing import Any

from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.verdict import Evidence, Outcome, Verdict


def by_quadratic_form(difference: Any, strict: bool) -> Verdict:
    """Prove that a quadratic polynomial is nowhere negative (or, if strict, positive).

    Parameters
    ----------
    difference : SymPy expression
        With rational coefficients.
    strict : bool

    Returns
    -------
    Verdict
        Proved.

    Raises
    ------
    NotApplicable
        When it is no quadratic polynomial, or takes negative values somewhere on
        the whole space (the domain may still exclude these).

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> by_quadratic_form(x**2 + y**2 - x * y, strict=False).why
    'a quadratic form without negative eigenvalue, by exact elimination'
    """
    import sympy as sp

    symbols = sorted(difference.free_symbols, key=str)
    try:
        polynomial = sp.Poly(difference, *symbols) if symbols else None
    except sp.PolynomialError as error:
        raise NotApplicable("it is no polynomial") from error
    if polynomial is None or polynomial.total_degree() > 2:
        raise NotApplicable("it is no quadratic polynomial")
    if not all(c.is_Rational for c in polynomial.coeffs()):
        raise NotApplicable("its coefficients are not rational")
    form = _homogenised(polynomial)
    if not _semidefinite(form, definite=strict):
        raise NotApplicable("as a quadratic form it has a negative (or, if strict, zero) eigenvalue")
    why = "a quadratic form without negative eigenvalue, by exact elimination"
    return Verdict(Outcome.holds, Evidence.proved, why, cases=1)


def _homogenised(polynomial: Any) -> Any:
    """Return the symmetric matrix M with p(x) = (1, x) M (1, x)ᵀ."""
    import sympy as sp

    n = len(polynomial.gens)
    form = sp.zeros(n + 1, n + 1)
    for powers, c in polynomial.terms():
        places = [k + 1 for k, e in enumerate(powers) for _ in range(e)]
        i, j = ([0, 0] + places)[-2:]
        form[i, j] += sp.Rational(c) / 2
        form[j, i] += sp.Rational(c) / 2
    return form


def _semidefinite(form: Any, definite: bool) -> bool:
    """Eliminate symmetrically; a zero pivot needs a zero row."""
    form = form.copy()
    for k in range(form.rows):
        pivot = form[k, k]
        row = form[k, k + 1 :]
        if pivot < 0 or (pivot == 0 and (definite or any(row))):
            return False
        if pivot > 0:
            for i in range(k + 1, form.rows):
                factor = form[i, k] / pivot
                for j in range(k, form.rows):
                    form[i, j] -= factor * form[k, j]
    return True
