"""Measured arrays: float64 values with a bound on their error, carried through every operation.

Running a formula on measured arrays gives its result together with the error
budget: inherited errors plus first-order rounding of each operation. A claim
that two floats are equal is then judged against what rounding can explain,
never against a tolerance that somebody chose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from toymodels.arithmetic.arrays import Array
from toymodels.arithmetic.compound import Compound

UNIT = np.finfo(np.float64).eps / 2
SMALLEST = np.finfo(np.float64).tiny
_ULPS = 4
"""Units in the last place granted to a library's elementary function."""
_UP = 1 + 16 * UNIT
"""Covers the rounding of the few operations that compute a bound."""


class Measured(Compound):
    """Values with absolute error bounds of the same shape.

    Parameters
    ----------
    value : array_like
    error : array_like, optional
        Broadcast against the value; 0 for numbers taken as exact.

    Examples
    --------
    >>> x = Measured(0.1) * 3 - 0.3
    >>> bool(abs(x.value) <= x.error)
    True
    """

    __slots__ = ("error", "value")
    rank = 1

    def __init__(self, value: Any, error: Any = 0.0):
        self.value = np.asarray(value, dtype=np.float64)
        self.error = np.broadcast_to(np.asarray(error, dtype=np.float64), self.value.shape)

    @property
    def parts(self) -> tuple[Array, ...]:
        """Value and error."""
        return self.value, self.error

    def _linear(self, function: Callable[[Array], Array]) -> Measured:
        return Measured(function(self.value), function(self.error))

    @classmethod
    def _multilinear(cls, product: Callable[..., Array], operands: Sequence[Any], inner: int = 1) -> Measured:
        measured = [_measured(x) for x in operands]
        value = product(*(x.value for x in measured))
        sizes = [abs(x) for x in measured]
        size = product(*(x.value for x in sizes))
        largest = product(*(x.value + x.error for x in sizes))
        # the value, `size` and `largest` round alike, and so do the sums of sizes and errors
        rounding = 4 * (inner + len(operands)) * UNIT
        # a product of the first two that underflowed is multiplied by the others
        underflow = inner * SMALLEST * math.prod(float(np.max(x.value, initial=1.0)) for x in sizes[2:])
        return _bounded(value, (largest - size) + rounding * largest + underflow)

    @classmethod
    def _join(cls, function: Callable[..., Array], blocks: Sequence[Any], **kwargs: Any) -> Measured:
        measured = [_measured(x) for x in blocks]
        return Measured(
            function([x.value for x in measured], **kwargs), function([x.error for x in measured], **kwargs)
        )

    def _summed(self, function: Callable[[Array], Array]) -> Measured:
        value = function(self.value)
        terms = self.value.size / max(value.size, 1)
        sizes, errors = function(abs(self.value)), function(self.error)
        return _bounded(value, errors + (terms + 1) * UNIT * (sizes + errors))

    def __add__(self, other: Any) -> Measured:
        if self._defers_to(other):
            return NotImplemented
        y = _measured(other)
        value = self.value + y.value
        return _bounded(value, self.error + y.error + UNIT * abs(value))

    __radd__ = __add__

    def __neg__(self) -> Measured:
        return Measured(-self.value, self.error)

    def __truediv__(self, other: Any) -> Measured:
        if self._defers_to(other):
            return NotImplemented
        y = _measured(other)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            value = self.value / y.value
            room = abs(y.value) - y.error
            inherited = (self.error + abs(value) * y.error) / room
            bound = np.where(room > 0, inherited + 2 * UNIT * abs(value) + SMALLEST, np.inf)
        return _bounded(value, bound)

    def __rtruediv__(self, other: Any) -> Measured:
        return _measured(other) / self

    def __abs__(self) -> Measured:
        return Measured(abs(self.value), self.error)

    def _elementary(self, name: str) -> Measured:
        function, low, high = _FUNCTIONS[name]
        value = function(self.value)
        library = _ULPS * 2 * UNIT
        if name in ("sin", "cos"):
            inherited = np.minimum(self.error, 2.0)
        else:
            # these are monotone, or even and convex, so the ends of the interval are the worst
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                ends = [np.nextafter(self.value + s * self.error, s * np.inf) for s in (-1, 1)]
                images = [function(np.clip(end, low, high)) for end in ends]
                moved = np.maximum(*(abs(image - value) + library * abs(image) for image in images))
            inherited = np.where(self.error > 0, moved, 0.0)
        return _bounded(value, inherited + library * abs(value) + SMALLEST)


_DOMAINS: dict[str, tuple[float, float]] = {"log": (0, np.inf), "log1p": (-1, np.inf), "sqrt": (0, np.inf),
                                            "atanh": (-1, 1)}  # fmt: skip
_FUNCTIONS: dict[str, tuple[Callable[[Array], Array], float, float]] = {
    name: (function, *_DOMAINS.get(name, (-np.inf, np.inf)))
    for name, function in {
        "exp": np.exp, "log": np.log, "expm1": np.expm1, "log1p": np.log1p, "sqrt": np.sqrt,
        "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "sin": np.sin, "cos": np.cos,
        "atan": np.arctan, "asinh": np.arcsinh, "atanh": np.arctanh,
    }.items()
}  # fmt: skip

for _name in _FUNCTIONS:
    setattr(Measured, _name, lambda self, _name=_name: self._elementary(_name))


def _bounded(value: Array, error: Array) -> Measured:
    """A result with its bound, rounded up; where the bound is lost to overflow it is infinite."""
    bound = error * _UP
    return Measured(value, np.where(np.isnan(bound), np.inf, bound))


def _measured(x: Any) -> Measured:
    """Numbers with the error of their conversion to float64."""
    if isinstance(x, Measured):
        return x
    array = np.asarray(x)
    value = array.astype(np.float64)
    if array.dtype.kind in "fb":
        return Measured(value)
    exact = [entry == float(entry) for entry in array.astype(object).flat]
    return Measured(value, np.where(np.reshape(exact, array.shape), 0.0, UNIT * abs(value)))


def measured(x: Any, error: Any = 0.0) -> Measured:
    """Return numbers as measured ones, with the error of their own and `error` besides."""
    own = _measured(x)
    return Measured(own.value, own.error + error)


def value_of(x: Any) -> Any:
    """Return the float values of measured or plain numbers."""
    return x.value if isinstance(x, Measured) else x


def error_of(x: Any) -> Any:
    """Return the error bounds of measured numbers; 0 for plain ones."""
    return x.error if isinstance(x, Measured) else 0.0


def eigvalsh(matrix: Any) -> Measured:
    """Return the sorted eigenvalues of symmetric matrices (..., p, p), with their error.

    By Weyl's inequality each moves by at most the norm of the matrix' error;
    the solver's own backward error is granted as ``8 p`` units of the norm.
    """
    x = _measured(matrix)
    size = x.shape[-1]
    eigenvalues = np.linalg.eigvalsh(x.value)
    norm = np.sqrt((x.value**2).sum((-1, -2)))
    # the solver reads one triangle, so either entry's error may be the one that counts
    error = np.maximum(x.error, x.error.mT)
    moved = np.sqrt((error**2).sum((-1, -2))) + 8 * size * UNIT * norm
    return Measured(eigenvalues, moved[..., None])


def svdvals(matrix: Any) -> Measured:
    """Return the singular values of matrices (..., a, b), largest first, with their error."""
    x = _measured(matrix)
    values = np.linalg.svd(x.value, compute_uv=False)
    norm = np.sqrt((x.value**2).sum((-1, -2)))
    moved = np.sqrt((x.error**2).sum((-1, -2))) + 8 * max(x.shape[-2:]) * UNIT * norm
    return Measured(values, moved[..., None])


def sort(x: Any) -> Measured:
    """Sort the last axis; sorting moves no entry by more than the largest error."""
    m = _measured(x)
    return Measured(np.sort(m.value, axis=-1), m.error.max(axis=-1, keepdims=True, initial=0.0))
