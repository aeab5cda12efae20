"""Inequalities of one variable between rational functions, decided by Sturm's theorem."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from operator import mul
from typing import Any

from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.verdict import Evidence, Outcome, Verdict
from toymodels.evidence.witness import End, end, refuted, simple_rationals, simplest_between, simplicity
from toymodels.spaces.source import Domain

MOST_DEGREE = 100
REFINEMENTS = 12
"""How often the ends of a violating interval are refined by 2^-6 in search of its simplest rational."""

Polynomial = Any
Isolated = tuple[Fraction, Fraction]


def polynomial_inequality(difference: Any, variables: Mapping[Any, Domain], strict: bool) -> Verdict:
    """Decide ``difference >= 0`` (or > 0) where only one of the variables enters it.

    Parameters
    ----------
    difference : SymPy expression
    variables : dict of Symbol to Domain
        What each variable ranges over.
    strict : bool

    Returns
    -------
    Verdict
        As of `by_sturm`.

    Raises
    ------
    NotApplicable
        When it depends on several variables, on one without a domain, or is
        no rational function with rational coefficients.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> verdict = polynomial_inequality(x**2 - x + 1, {x: Domain(), y: Domain()}, strict=True)
    >>> verdict.why
    'Sturm sequence: no change of sign on (-inf, inf)'
    """
    import sympy

    symbols = sorted(sympy.sympify(difference).free_symbols, key=str)
    if len(symbols) > 1:
        raise NotApplicable(f"it depends on several variables: {', '.join(map(str, symbols))}")
    symbol = symbols[0] if symbols else next(iter(variables), sympy.Symbol("x"))
    if symbols and symbol not in variables:
        raise NotApplicable(f"no domain is known for {symbol}")
    return by_sturm(difference, symbol, variables.get(symbol, Domain()), strict)


def by_sturm(difference: Any, symbol: Any, domain: Domain, strict: bool) -> Verdict:
    """Decide ``difference >= 0`` (or > 0) on the open interval, wherever the difference is defined.

    A quotient p/q has the sign of p q off its poles. The factors of odd
    multiplicity of p q change its sign at each of their roots, whose number
    in the interval Sturm's theorem gives.

    Parameters
    ----------
    difference : SymPy expression
        A rational function of the symbol with rational coefficients.
    symbol : Symbol
    domain : Domain
    strict : bool

    Returns
    -------
    Verdict
        Proved, or refuted with the simplest rational at which it fails (for a
        strict inequality that fails at irrational points only: such a point).

    Raises
    ------
    NotApplicable
        When the difference is no such function.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> by_sturm(x**3 - x, x, Domain(1.0), strict=True).outcome.value
    'holds'
    >>> by_sturm(x**3 - x, x, Domain(), strict=False).counterexample.values
    {'x': '-2'}
    """
    numerator, denominator = _polynomials(difference, symbol)
    low, high = end(domain.low), end(domain.high)
    product = numerator * denominator

    def fails(where: Any, value: Any) -> Verdict:
        return refuted({str(symbol): where}, value, Evidence.exact, "it fails at an exact point", cases=1)

    if product.is_zero:
        if strict:
            return fails(simplest_between(low, high), 0)
        return Verdict(Outcome.holds, Evidence.proved, "the difference is 0", cases=1)
    odd = _product(numerator, [f for f, multiplicity in product.sqf_list()[1] if multiplicity % 2])
    constant_sign = _count_roots(odd, low, high) == 0
    sample = next(x for x in simple_rationals(low, high) if _at(product, x) != 0)
    if not constant_sign or _at(product, sample) < 0:
        where = sample if constant_sign else _simplest_violation(product, low, high)
        return fails(where, _at(numerator, where) / _at(denominator, where))
    if strict and _count_roots(numerator, low, high):
        return fails(_a_root(numerator, low, high), 0)
    interval = f"({domain.low:g}, {domain.high:g})"
    return Verdict(
        Outcome.holds, Evidence.proved, f"Sturm sequence: no change of sign on {interval}", cases=1
    )


def _polynomials(difference: Any, symbol: Any) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator without common factors."""
    import sympy

    expression = sympy.sympify(difference)
    if expression.has(sympy.Float):
        raise NotApplicable("a float stands in the difference")
    try:
        parts = sympy.fraction(sympy.together(expression))
        top, bottom = (sympy.Poly(part, symbol, domain="QQ") for part in parts)
        content, numerator, denominator = top.cancel(bottom)
    except (sympy.PolynomialError, sympy.CoercionFailed, NotImplementedError, ZeroDivisionError) as error:
        reason = f"not a rational function of {symbol} with rational coefficients"
        raise NotApplicable(reason) from error
    degree = max(numerator.degree(), denominator.degree())
    if degree > MOST_DEGREE:
        raise NotApplicable(f"degree {degree} is too high")
    return numerator * content, denominator


def _product(like: Polynomial, factors: list[Polynomial]) -> Polynomial:
    return reduce(mul, factors, like.one)


def _at(polynomial: Polynomial, x: Fraction) -> Fraction:
    import sympy

    value = polynomial.eval(sympy.Rational(x.numerator, x.denominator))
    return Fraction(int(value.p), int(value.q))


def _count_roots(polynomial: Polynomial, low: End, high: End) -> int:
    """Number of distinct roots in the open interval."""
    ends = [x for x in (low, high) if isinstance(x, Fraction)]
    return int(polynomial.count_roots(_sympy(low), _sympy(high))) - sum(_at(polynomial, x) == 0 for x in ends)


def _sympy(x: End) -> Any:
    import sympy

    if isinstance(x, Fraction):
        return sympy.Rational(x.numerator, x.denominator)
    return sympy.oo if x > 0 else -sympy.oo


def _rational_roots(polynomial: Polynomial) -> list[Fraction]:
    return [Fraction(int(root.p), int(root.q)) for root in polynomial.ground_roots()]


def _a_root(polynomial: Polynomial, low: End, high: End) -> Any:
    """The simplest rational root in the open interval, or else an irrational one, isolated."""
    inside = [root for root in _rational_roots(polynomial) if low < root < high]
    if inside:
        return min(inside, key=simplicity)
    isolated = _isolated(polynomial.sqf_part(), low, high, Fraction(1, 64))
    a, b = next(interval for interval in isolated if low < interval[0] and interval[1] < high)
    return f"the root of {polynomial.sqf_part().as_expr()} in ({a}, {b})"


def _simplest_violation(product: Polynomial, low: End, high: End) -> Fraction:
    """The simplest rational of the open interval at which the polynomial is negative."""
    best = None
    for k in range(1, REFINEMENTS):
        roots = _isolated(product.sqf_part(), low, high, Fraction(1, 64**k))
        inner, outer = [], []
        for (a, b), (c, d) in itertools.pairwise([(low, low), *roots, (high, high)]):
            middle = simplest_between(b, c)
            if _at(product, middle) < 0:
                inner.append(middle)
                outer.append(simplest_between(a, d))
        best = min(inner, key=simplicity)
        if best == min(outer, key=simplicity):
            break
    assert best is not None
    return best


def _isolated(squarefree: Polynomial, low: End, high: End, width: Fraction) -> list[Isolated]:
    """Disjoint intervals around the roots inside the open interval; rational roots are points."""
    import sympy

    rational = _rational_roots(squarefree)
    x = squarefree.gen
    linear = [sympy.Poly(x - _sympy(root), x, domain="QQ") for root in rational]
    rest = squarefree.quo(_product(squarefree, linear))
    points = [(root, root) for root in rational]
    while True:
        pairs = rest.intervals(sqf=True, eps=_sympy(width)) if rest.degree() else []
        around = [(Fraction(int(a.p), int(a.q)), Fraction(int(b.p), int(b.q))) for a, b in pairs]
        every = sorted({*points, *around, (low, low), (high, high)})
        if all(a[1] < b[0] for a, b in itertools.pairwise(every)):
            return sorted(pair for pair in [*points, *around] if low < pair[0] and pair[1] < high)
        width = width / 64
