"""Words evaluated at rational matrices: the independent reading that the tests hold them to."""

from fractions import Fraction

import numpy as np

from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.words import Words


def _inverse(matrix):
    """Invert a square matrix of Fractions by Gauss-Jordan elimination."""
    n = len(matrix)
    rows = [[*map(Fraction, matrix[i]), *(Fraction(int(i == j)) for j in range(n))] for i in range(n)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return np.array([row[n:] for row in rows], dtype=object)


def _factor(factor, matrices):
    value = matrices[factor.letter.name]
    value = _inverse(value) if factor.inverted else value
    return value.T if factor.transposed else value


def _word(word, matrices, size):
    product = np.eye(size, dtype=int).astype(object)
    for factor in word:
        product = product @ _factor(factor, matrices)
    return product


def _generator(generator, matrices, sizes, scalars):
    kind, body = generator
    if kind == "trace":
        first = body[0].shape[0]
        product = _word(body, matrices, first if isinstance(first, int) else sizes[first])
        return sum(product[i, i] for i in range(len(product)))
    return Fraction(sizes[body] if kind == "size" else scalars[body])


def _polynomial(polynomial, matrices, sizes, scalars):
    total = Fraction(0)
    for monomial, coefficient in polynomial.items():
        for generator, exponent in monomial:
            coefficient = coefficient * _generator(generator, matrices, sizes, scalars) ** exponent
        total += coefficient
    return total


def value(symbolic, matrices, sizes, scalars=None):
    """Return words or scalars at these matrices, sizes and scalars, as Fractions."""
    known = (matrices, sizes, scalars or {})
    if isinstance(symbolic, Scalar):
        return _polynomial(symbolic.numerator, *known) / _polynomial(symbolic.denominator, *known)
    assert isinstance(symbolic, Words)
    rows, cols = (size if isinstance(size, int) else sizes[size] for size in (symbolic.rows, symbolic.cols))
    total = np.zeros((rows, cols), dtype=int).astype(object) * Fraction(1)
    for word, coefficient in symbolic.terms.items():
        total = total + value(coefficient, *known) * _word(word, matrices, rows)
    return total
