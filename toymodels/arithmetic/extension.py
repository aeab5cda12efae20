"""Adjoined square roots: numbers p + q nu with nu² = r, over any ring.

An identity between such numbers, decided on the pairs (p, q), holds for either
root; so formulas with one square root are decided without leaving exact
arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic.compound import Compound
from toymodels.errors import LeftArithmetic


class Root:
    """The number ``p + q nu`` with ``nu**2 = square``.

    Examples
    --------
    >>> from fractions import Fraction
    >>> nu = adjoin_root(Fraction(2))
    >>> (1 + nu) * (1 - nu)
    -1 + 0*nu
    >>> 1 / nu
    0 + 1/2*nu
    """

    __slots__ = ("p", "q", "square")

    def __init__(self, p: Any, q: Any, square: Any):
        self.p, self.q, self.square = p, q, square

    def _other(self, other: Any) -> Root | None:
        if isinstance(other, Root):
            if other.square is not self.square:
                raise LeftArithmetic("two different adjoined roots met; adjoin one over the other")
            return other
        if isinstance(other, (float, complex, np.inexact)):
            raise LeftArithmetic(f"the float {other!r} entered an exact formula")
        # arrays and jets hold roots, never the other way round
        return None if isinstance(other, (np.ndarray, Compound)) else Root(other, 0, self.square)

    def __add__(self, other: Any) -> Any:
        x = self._other(other)
        return NotImplemented if x is None else Root(self.p + x.p, self.q + x.q, self.square)

    __radd__ = __add__

    def __neg__(self) -> Root:
        return Root(-self.p, -self.q, self.square)

    def __sub__(self, other: Any) -> Any:
        x = self._other(other)
        return NotImplemented if x is None else Root(self.p - x.p, self.q - x.q, self.square)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        x = self._other(other)
        if x is None:
            return NotImplemented
        return Root(self.p * x.p + self.q * x.q * self.square, self.p * x.q + self.q * x.p, self.square)

    __rmul__ = __mul__

    def reciprocal(self) -> Root:
        """Return 1 / self."""
        norm = self.p * self.p - self.q * self.q * self.square
        return Root(self.p / norm, -self.q / norm, self.square)

    def __truediv__(self, other: Any) -> Any:
        x = self._other(other)
        return NotImplemented if x is None else self * x.reciprocal()

    def __rtruediv__(self, other: Any) -> Any:
        return self.reciprocal() * other

    def __pow__(self, exponent: int) -> Any:
        if not isinstance(exponent, (int, np.integer)):
            raise LeftArithmetic(f"adjoined roots take integer powers, got {exponent!r}")
        base = self if exponent >= 0 else self.reciprocal()
        result: Any = 1
        for _ in range(abs(int(exponent))):
            result = base * result
        return result

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Root):
            return bool(self.p == other.p and self.q == other.q)
        return bool(self.p == other and self.q == 0)

    def __hash__(self) -> int:
        return hash((self.p, self.q))

    def __repr__(self) -> str:
        return f"{self.p} + {self.q}*nu"


def adjoin_root(square: Any) -> Root:
    """Return nu with ``nu**2 = square``, a new number over the ring of `square`."""
    return Root(square * 0, square * 0 + 1, square)
