"""Polynomials in named generators over any ring: random entries, waiting for their moments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from toymodels.errors import LeftArithmetic

Monomial = tuple[tuple[str, int], ...]


class Polynomial:
    """A polynomial whose coefficients are numbers of some ring.

    Examples
    --------
    >>> x = Polynomial.generator("x")
    >>> ((x + 1) * (x - 1)).expectation(lambda power: {0: 1, 2: 3}.get(power, 0))
    2
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Monomial, Any]):
        self.terms = dict(terms)

    @classmethod
    def generator(cls, name: str) -> Polynomial:
        """Return the polynomial that is one generator."""
        return cls({((name, 1),): 1})

    def _other(self, other: Any) -> Polynomial | None:
        if isinstance(other, Polynomial):
            return other
        return None if isinstance(other, np.ndarray) else Polynomial({(): other})

    def __add__(self, other: Any) -> Any:
        q = self._other(other)
        if q is None:
            return NotImplemented
        total = dict(self.terms)
        for monomial, c in q.terms.items():
            total[monomial] = total[monomial] + c if monomial in total else c
        return Polynomial(total)

    __radd__ = __add__

    def __neg__(self) -> Polynomial:
        return Polynomial({monomial: -c for monomial, c in self.terms.items()})

    def __sub__(self, other: Any) -> Any:
        q = self._other(other)
        return NotImplemented if q is None else self + (-q)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        q = self._other(other)
        if q is None:
            return NotImplemented
        total: dict[Monomial, Any] = {}
        for u, a in self.terms.items():
            for v, b in q.terms.items():
                powers = dict(u)
                for name, exponent in v:
                    powers[name] = powers.get(name, 0) + exponent
                monomial = tuple(sorted(powers.items()))
                total[monomial] = total[monomial] + a * b if monomial in total else a * b
        return Polynomial(total)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Polynomial):
            if set(other.terms) != {()}:
                raise LeftArithmetic("a quotient by random entries has no polynomial moments")
            other = other.terms[()]
        return Polynomial({monomial: c / other for monomial, c in self.terms.items()})

    def __rtruediv__(self, other: Any) -> Any:
        return Polynomial({(): other}) / self

    def __pow__(self, exponent: int) -> Any:
        if not isinstance(exponent, (int, np.integer)) or exponent < 0:
            raise LeftArithmetic(f"polynomials take natural powers, got {exponent!r}")
        result = Polynomial({(): 1})
        for _ in range(int(exponent)):
            result = result * self
        return result

    def expectation(self, moment: Callable[[int], Any]) -> Any:
        """Return the mean over independent generators, each with these moments."""
        total: Any = 0
        for monomial, c in self.terms.items():
            weight = 1
            for _, exponent in monomial:
                weight = weight * moment(exponent)
            total = total + c * weight
        return total

    def __bool__(self) -> bool:
        raise LeftArithmetic("a formula may not compare; pass branches as integer arguments")

    __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: bool(self)

    def __repr__(self) -> str:
        return " + ".join(f"({c})*{dict(m)}" for m, c in self.terms.items()) or "0"


def normal_moment(power: int) -> int:
    """Return the moment of the standard normal: (p - 1)!! for even p, else 0.

    Examples
    --------
    >>> [normal_moment(p) for p in range(7)]
    [1, 0, 1, 0, 3, 0, 15]
    """
    if power % 2:
        return 0
    result = 1
    for factor in range(power - 1, 0, -2):
        result *= factor
    return result
