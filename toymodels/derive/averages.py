"""Integrals and expectations, as the evaluator computes them: by moments, by enumeration, by quadrature."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.arithmetic.polynomials import Polynomial, normal_moment
from toymodels.derive import calculus
from toymodels.derive.evaluate import Evaluator
from toymodels.derive.expressions import Matrix
from toymodels.derive.functions import PIECEWISE
from toymodels.derive.scalars import letters as letters_of
from toymodels.errors import LeftArithmetic

MOST_SIGNS = 12
"""Random signs whose patterns are still enumerated."""


_run: Any = Evaluator.run


@_run.register(calculus.Integral)
def _integral(self: Evaluator, x: Any) -> Any:
    of, by, low, high = x.args
    if self.system.name != "digits" or self.level:
        raise LeftArithmetic("an integral is computed in digits only")
    context = _context(self)
    a, b = (_end(self, end, context) for end in (low, high))
    inside = [z for z in _kinks(self, of, by, context) if min(a, b) < z < max(a, b)]
    return context.quad(lambda z: self.with_values({by: z}).run(of), [a, *sorted(inside, reverse=a > b), b])


def _kinks(evaluator: Evaluator, of: Any, by: Any, context: Any) -> list[Any]:
    """Return where a piecewise integrand has kinks, between which alone quadrature converges."""
    found = []
    for z in _turning(of):
        if by in letters_of(z):
            start, first, second = (evaluator.with_values({by: context.mpf(k)}).run(z) for k in range(3))
            if abs(second - 2 * first + start) > abs(first - start) * context.eps * 16:
                raise LeftArithmetic(f"a kink where {z} changes sign, which is not linear in {by}")
            if first != start:
                found.append(-start / (first - start))
    return found


def _turning(of: Any) -> Iterator[Any]:
    """What changes sign at the kinks of an expression."""
    for node in sp.preorder_traversal(of):
        if isinstance(node, (sp.Max, sp.Min)):
            yield from (u - v for u, v in itertools.combinations(node.args, 2))
        elif isinstance(node, PIECEWISE):
            yield node.args[0]


def _context(evaluator: Evaluator) -> Any:
    """The mpmath context of a system of digits."""
    return evaluator.number(Fraction(1)).context


def _end(evaluator: Evaluator, end: Any, context: Any) -> Any:
    if end in (sp.oo, -sp.oo):
        return context.inf if end == sp.oo else -context.inf
    return context.mpf(evaluator.run(end))


@_run.register(calculus.Expectation)
def _expectation(self: Evaluator, x: Any) -> Any:
    of, letters, law = x.args
    if self.in_words:
        raise LeftArithmetic("words have no expectation")
    held = replace(self, constants=self.constants | set(letters))
    mean = _mean_over_signs if law.name == "rademacher" else _mean_over_normals
    return mean(held, of, letters)


def _mean_over_signs(held: Evaluator, of: Any, letters: Sequence[Any]) -> Any:
    """Average over all sign patterns, each as likely."""
    shapes = [np.shape(_value(held.run(letter))) for letter in letters]
    count = sum(math.prod(shape) for shape in shapes)
    if count > MOST_SIGNS:
        raise LeftArithmetic(f"more than {MOST_SIGNS} random signs")
    total: Any = None
    for pattern in itertools.product((-1, 1), repeat=count):
        signs = iter(pattern)
        values = {
            letter: _drawn([next(signs) for _ in range(math.prod(shape))], shape, held)
            for letter, shape in zip(letters, shapes, strict=True)
        }
        value = held.with_values(values).run(of)
        total = value if total is None else total + value
    return total / 2**count


def _drawn(signs: list[int], shape: tuple[int, ...], evaluator: Evaluator) -> Any:
    """Return signs in the arithmetic, as an array or a number."""
    made = evaluator.system.make(np.array(signs, dtype=object).reshape(shape))
    return made if shape else evaluator.number(Fraction(signs[0]))


def _mean_over_normals(held: Evaluator, of: Any, letters: Sequence[Any]) -> Any:
    """Average over independent standard normal entries: by moments, or one scalar by quadrature."""
    values = {letter: _generators(str(letter), np.shape(_value(held.run(letter)))) for letter in letters}
    try:
        return _entrywise(held.with_values(values).run(of), _moments)
    except LeftArithmetic:
        if len(letters) > 1 or isinstance(letters[0], Matrix) or held.system.name != "digits":
            raise
    context = _context(held)

    def weighted(z: Any) -> Any:
        return held.with_values({letters[0]: z}).run(of) * context.exp(-z * z / 2)

    middle = sorted({context.mpf(0), *_kinks(held, of, letters[0], context)})
    return context.quad(weighted, [-context.inf, *middle, context.inf]) / context.sqrt(2 * context.pi)


def _generators(name: str, shape: tuple[int, ...]) -> Any:
    entries = np.empty(math.prod(shape), dtype=object)
    entries[:] = [Polynomial.generator(f"{name} {k}") for k in range(entries.size)]
    return entries.reshape(shape) if shape else entries[0]


def _moments(x: Any) -> Any:
    return x.expectation(normal_moment) if isinstance(x, Polynomial) else x


def _entrywise(value: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a linear function to every entry, of the parts of a jet as well."""
    if isinstance(value, Jet):
        return Jet(*(None if part is None else _entrywise(part, function) for part in value.parts))
    if isinstance(value, np.ndarray):
        result = np.empty(value.size, dtype=object)
        result[:] = [function(x) for x in value.flat]
        return result.reshape(value.shape)
    return function(value)


def _value(x: Any) -> Any:
    """The innermost value of a jet."""
    while isinstance(x, (Jet, Measured)):
        x = x.value
    return x
