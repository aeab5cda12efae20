"""Array-like numbers made of several arrays: what jets and measured arrays share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from toymodels.arithmetic.arrays import Array, identity_like, trace
from toymodels.errors import LeftArithmetic

REARRANGEMENTS = {np.diagonal, np.swapaxes, np.moveaxis, np.reshape, np.broadcast_to, np.squeeze,
                  np.expand_dims, np.transpose, np.matrix_transpose, np.take_along_axis}  # fmt: skip
SUMS = {np.sum, np.trace}
JOINS = {np.concatenate, np.stack}


class Compound:
    """A number system whose elements are tuples of arrays of one shape.

    Subclasses give `parts`, `_linear` (a linear map applied), `_summed` (a map
    that adds entries up) and `_multilinear` (a product applied to several
    operands, this being one of them). Where two systems meet, the one of higher `rank` wraps the other.
    """

    __slots__ = ()
    rank = 0
    __array_ufunc__ = None  # so that array @ compound asks the compound
    __array_priority__ = 100

    value: Array

    @property
    def parts(self) -> tuple[Array, ...]:
        """The arrays that make up the number."""
        raise NotImplementedError

    def _linear(self, function: Callable[[Array], Array]) -> Any:
        raise NotImplementedError

    def _summed(self, function: Callable[[Array], Array]) -> Any:
        return self._linear(function)

    @classmethod
    def _multilinear(cls, product: Callable[..., Array], operands: Sequence[Any], inner: int) -> Any:
        raise NotImplementedError

    @classmethod
    def _join(cls, function: Callable[..., Array], blocks: Sequence[Any], **kwargs: Any) -> Any:
        raise NotImplementedError

    def __pos__(self) -> Any:
        return self

    def __sub__(self, other: Any) -> Any:
        if self._defers_to(other):
            return NotImplemented
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other  # type: ignore[operator]

    def _defers_to(self, other: Any) -> bool:
        return isinstance(other, Compound) and other.rank > self.rank

    def __mul__(self, other: Any) -> Any:
        if self._defers_to(other):
            return NotImplemented
        return self._multilinear(lambda u, v: u * v, [self, other], 1)

    def __rmul__(self, other: Any) -> Any:
        return self._multilinear(lambda u, v: u * v, [other, self], 1)

    def __matmul__(self, other: Any) -> Any:
        if self._defers_to(other):
            return NotImplemented
        return self._multilinear(lambda u, v: u @ v, [self, other], _inner(self))

    def __rmatmul__(self, other: Any) -> Any:
        return self._multilinear(lambda u, v: u @ v, [other, self], _inner(other))

    def __pow__(self, exponent: int) -> Any:
        if not isinstance(exponent, (int, np.integer)):
            raise LeftArithmetic(f"integer powers only, got {exponent!r}; use sqrt or exp(log)")
        if exponent < 0:
            return (1 / self) ** (-exponent)  # type: ignore[operator]
        if exponent == 0:
            return self * 0 + 1
        result = self
        for _ in range(exponent - 1):
            result = result * self
        return result

    @property
    def shape(self) -> tuple:
        """Shape of the value."""
        return getattr(self.value, "shape", ())

    @property
    def ndim(self) -> int:
        """Number of axes of the value."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of entries of the value."""
        return int(np.prod(self.shape))

    @property
    def mT(self) -> Any:
        """The last two axes swapped."""
        return self._linear(lambda part: part.mT)

    def trace(self) -> Any:
        """Return the sum of the diagonal of the last two axes."""
        return self._summed(trace)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the sum over the axes."""
        kept = {"keepdims": True} if keepdims else {}  # words do not know the word
        return self._summed(lambda part: part.sum(axis, **kept))

    def reshape(self, *shape: Any) -> Any:
        """Return the number with every part reshaped."""
        return self._linear(lambda part: part.reshape(*shape))

    def swapaxes(self, first: int, second: int) -> Any:
        """Return the number with two axes swapped."""
        return self._linear(lambda part: part.swapaxes(first, second))

    def identity_like(self) -> Array:
        """Return the constant identity of the last axis' size."""
        return identity_like(self.value)

    def __getitem__(self, key: Any) -> Any:
        return self._linear(lambda part: part[key])

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        raise LeftArithmetic("a formula may not compare; pass branches as integer arguments")

    __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: bool(self)
    __eq__ = __ne__ = lambda self, other: bool(self)
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self.parts!r}"

    def __array_function__(self, function: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        if any(isinstance(x, Compound) and x.rank > self.rank for x in _flat(args)):
            return NotImplemented
        if function in JOINS:
            blocks, *rest = args
            return self._join(lambda arrays, **kw: function(arrays, *rest, **kw), blocks, **kwargs)
        if function is np.einsum:
            subscripts, *operands = args
            summed = _summed_length(subscripts, operands)
            return self._multilinear(lambda *xs: np.einsum(subscripts, *xs, **kwargs), operands, summed)
        if function is np.kron:
            return self._multilinear(np.kron, args, 1)
        if function is np.shape:
            return self.shape
        if function is np.ndim:
            return self.ndim
        if function is np.diff:
            return _differences(*args, **kwargs)
        if function in REARRANGEMENTS and isinstance(args[0], Compound):
            return args[0]._linear(lambda part: function(part, *args[1:], **kwargs))
        if function in SUMS and isinstance(args[0], Compound):
            return args[0]._summed(lambda part: function(part, *args[1:], **kwargs))
        return NotImplemented


def _flat(args: Any) -> Iterator[Any]:
    for x in args:
        if isinstance(x, (list, tuple)):
            yield from _flat(x)
        else:
            yield x


def _differences(x: Any, n: int = 1, axis: int = -1) -> Any:
    """The differences of neighbours along an axis, as np.diff takes them."""
    for _ in range(n):
        ahead = np.moveaxis(x, axis, 0)
        x = np.moveaxis(ahead[1:] - ahead[:-1], 0, axis)
    return x


def _inner(left: Any) -> int:
    """Length of the sum inside a matrix product with this left factor (0 when symbolic)."""
    length = left.shape[-1]
    return length if isinstance(length, int) else 0


def _summed_length(subscripts: str, operands: Sequence[Any]) -> int:
    """Number of terms that an einsum adds up for one entry."""
    terms, _, result = subscripts.replace(" ", "").replace("...", "").partition("->")
    lengths = {
        letter: operand.shape[axis - len(term)]
        for term, operand in zip(terms.split(","), operands, strict=True)
        for axis, letter in enumerate(term)
    }
    return int(np.prod([length for letter, length in lengths.items() if letter not in result]))
