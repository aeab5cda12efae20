"""Jets: truncated Taylor series along one direction, over any ring.

A jet is a pair (value, first) or triple (value, first, second) of arrays of
the same kind; the entries are derivatives, not Taylor coefficients. The arrays
may hold floats, rationals, symbols, balls, words, or be jets themselves, so
nesting gives mixed second derivatives.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from toymodels.arithmetic import elementary
from toymodels.arithmetic.arrays import Array
from toymodels.arithmetic.compound import Compound

_DERIVATIVES: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "exp": lambda x, y: (y, y),
    "expm1": lambda x, y: (y + 1, y + 1),
    "log": lambda x, y: (1 / x, -1 / (x * x)),
    "log1p": lambda x, y: (1 / (1 + x), -1 / ((1 + x) * (1 + x))),
    "sqrt": lambda x, y: (1 / (2 * y), -1 / (4 * y * x)),
    "sinh": lambda x, y: (elementary.cosh(x), y),
    "cosh": lambda x, y: (elementary.sinh(x), y),
    "tanh": lambda x, y: (1 - y * y, -2 * y * (1 - y * y)),
    "sin": lambda x, y: (elementary.cos(x), -y),
    "cos": lambda x, y: (-elementary.sin(x), -y),
    "atan": lambda x, y: (1 / (1 + x * x), -2 * x / ((1 + x * x) * (1 + x * x))),
    "asinh": lambda x, y: _inverse_root(1 / elementary.sqrt(1 + x * x), -x),
    "atanh": lambda x, y: (1 / (1 - x * x), 2 * x / ((1 - x * x) * (1 - x * x))),
}


def _inverse_root(slope: Array, numerator: Array) -> tuple[Array, Array]:
    return slope, numerator * slope * slope * slope


class Jet(Compound):
    """A value with its first and, for order 2, second derivative along one direction.

    Parameters
    ----------
    value, first, second : arrays or numbers of one ring
        ``second=None`` gives a jet of first order.

    Examples
    --------
    >>> from fractions import Fraction
    >>> x = Jet(Fraction(3), 1, 0)
    >>> (x * x * x).parts
    (Fraction(27, 1), Fraction(27, 1), Fraction(18, 1))
    """

    __slots__ = ("first", "second", "value")
    rank = 2

    def __init__(self, value: Array, first: Array, second: Array = None):
        self.value, self.first, self.second = value, first, second

    @property
    def parts(self) -> tuple[Array, ...]:
        """Value and derivatives, as many as the order has."""
        head = (self.value, self.first)
        return head if self.second is None else (*head, self.second)

    def _linear(self, function: Callable[[Array], Array]) -> Jet:
        return Jet(*(function(part) for part in self.parts))

    @classmethod
    def _multilinear(cls, product: Callable[..., Array], operands: Sequence[Any], inner: int = 1) -> Jet:
        """Differentiate a product by Leibniz' rule."""
        jets = [k for k, operand in enumerate(operands) if isinstance(operand, Jet)]
        values = [operand.value if isinstance(operand, Jet) else operand for operand in operands]

        def with_parts(chosen: dict[int, int]) -> Array:
            parts = (operands[k].parts[chosen[k]] if k in chosen else v for k, v in enumerate(values))
            return product(*parts)

        value = with_parts({})
        first = _total(with_parts({k: 1}) for k in jets)
        if any(operands[k].second is None for k in jets):
            return Jet(value, first)
        squares = [with_parts({k: 2}) for k in jets]
        crossed = [with_parts({j: 1, k: 1}) for j in jets for k in jets if j < k]
        return Jet(value, first, _total([*squares, *crossed, *crossed]))

    @classmethod
    def _join(cls, function: Callable[..., Array], blocks: Sequence[Any], **kwargs: Any) -> Jet:
        order = min(len(block.parts) for block in blocks if isinstance(block, Jet))
        columns = [
            block.parts[:order] if isinstance(block, Jet) else (block, *[zero_like(block)] * (order - 1))
            for block in blocks
        ]
        return Jet(*(function(list(parts), **kwargs) for parts in zip(*columns, strict=True)))

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            # a constant that widens the value by broadcasting widens the derivatives too
            pad = other * 0
            return Jet(self.value + other, *(part + pad for part in self.parts[1:]))
        return Jet(*(u + v for u, v in zip(self.parts, other.parts, strict=False)))

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return self._linear(operator.neg)

    def __truediv__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return self._linear(lambda part: part / other)
        return self * other.reciprocal()

    def __rtruediv__(self, other: Any) -> Jet:
        return self.reciprocal() * other

    def reciprocal(self) -> Jet:
        """Return 1 / self."""
        y = 1 / self.value
        first = -y * y * self.first
        if self.second is None:
            return Jet(y, first)
        return Jet(y, first, -y * y * self.second - 2 * y * first * self.first)

    def _elementary(self, name: str) -> Jet:
        y = getattr(elementary, name)(self.value)
        slope, curvature = _DERIVATIVES[name](self.value, y)
        if self.second is None:
            return Jet(y, slope * self.first)
        return Jet(y, slope * self.first, curvature * self.first * self.first + slope * self.second)


for _name in _DERIVATIVES:
    setattr(Jet, _name, lambda self, _name=_name: self._elementary(_name))


def _total(arrays: Iterable[Array]) -> Array:
    return reduce(operator.add, arrays)


def zero_like(x: Array) -> Array:
    """Return the zero of the ring and shape of `x`."""
    return x * 0


def along(point: Sequence[Array], direction: Sequence[Array], order: int = 1) -> tuple[Jet, ...]:
    """Return the jets of the line ``point + s direction`` at s = 0."""
    if order == 1:
        return tuple(Jet(x, v) for x, v in zip(point, direction, strict=True))
    return tuple(Jet(x, v, zero_like(v)) for x, v in zip(point, direction, strict=True))


def derivative(
    function: Callable[..., Array], point: Sequence[Array], direction: Sequence[Array], order: int = 1
) -> Array:
    """Return the directional derivative of `function`, exact in the ring of its arguments.

    Parameters
    ----------
    function : callable
        A formula of ``len(point)`` arguments.
    point, direction : sequences of arrays
        Where, and along what.
    order : {1, 2}
        First derivative, or the second derivative along the same direction.

    Examples
    --------
    >>> from fractions import Fraction
    >>> derivative(lambda x: 1 / x, [Fraction(2)], [Fraction(1)], order=2)
    Fraction(1, 4)
    """
    result = function(*along(point, direction, order))
    return result.parts[order] if isinstance(result, Jet) else zero_like(result)


def mixed_derivative(
    function: Callable[..., Array], point: Sequence[Array], u: Sequence[Array], v: Sequence[Array]
) -> Array:
    """Return D²f[u, v], by a jet along u of jets along v."""
    inner = along(point, v)
    outer = tuple(Jet(x, Jet(du, zero_like(du))) for x, du in zip(inner, u, strict=True))
    return function(*outer).first.first


def complex_step(function: Callable[..., Array], point: Sequence[Array], direction: Sequence[Array]) -> Array:
    """Return the directional derivative of a real-analytic formula in float64, without cancellation.

    The step 1e-200 lies far below rounding, so the only error is that of
    running the formula.
    """
    step = 1e-200
    shifted = [np.asarray(x) + 1j * step * np.asarray(v) for x, v in zip(point, direction, strict=True)]
    return np.imag(function(*shifted)) / step
