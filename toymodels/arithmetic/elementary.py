"""Elementary functions that take floats, arrays of any ring, jets and error budgets.

Floats go to NumPy and SciPy. Anything else answers for itself: an object with
a method of the function's name is asked for it; SymPy and mpmath numbers are
handed to their library. Exact rationals answer only where the value is
rational. Branches at removable singularities live here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from toymodels.errors import LeftArithmetic

Number = Any


def _rational_sqrt(x: Fraction) -> Fraction:
    if x >= 0:
        root = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
        if root * root == x:
            return root
    raise LeftArithmetic(f"sqrt({x}) is not rational; adjoin it as a root")


_RATIONAL_AT_ZERO = {"exp": 1, "expm1": 0, "log1p": 0, "sinh": 0, "cosh": 1, "tanh": 0, "sin": 0, "cos": 1,
                     "atan": 0, "asinh": 0, "atanh": 0}


def _rational(name: str, x: Number) -> Fraction:
    value = Fraction(int(x.numerator), int(x.denominator))
    if name == "sqrt":
        return _rational_sqrt(value)
    if name in _RATIONAL_AT_ZERO and value == 0:
        return Fraction(_RATIONAL_AT_ZERO[name])
    if name == "log" and value == 1:
        return Fraction(0)
    raise LeftArithmetic(f"{name}({value}) is not rational; adjoin it as a free variable")


def _library(name: str, x: Number) -> Number:
    module = type(x).__module__.partition(".")[0]
    if module == "sympy":
        import sympy

        if name in ("expm1", "log1p"):
            return sympy.exp(x) - 1 if name == "expm1" else sympy.log(1 + x)
        return getattr(sympy, name)(x)
    if module == "mpmath":
        return getattr(x.context, name)(x)
    raise LeftArithmetic(f"{name}: no such function for {type(x).__name__}")


def _element(name: str, x: Number) -> Number:
    """Apply the function to one ring element."""
    if isinstance(x, (float, complex, np.inexact)):
        return _FLOAT[name](x)
    if isinstance(x, (int, np.integer)):
        return _rational(name, Fraction(int(x)))
    if isinstance(x, Fraction) or type(x).__name__ in ("fmpq", "fmpz"):
        value = _rational(name, x)
        return value if isinstance(x, Fraction) else type(x)(value.numerator) / value.denominator
    method = getattr(x, name, None)
    return method() if method is not None else _library(name, x)


def _function(name: str) -> Callable[[Number], Number]:
    def apply(x: Number) -> Number:
        if isinstance(x, np.ndarray):
            if x.dtype != object:
                return _FLOAT[name](x)
            out = np.empty(x.shape, dtype=object)
            out.flat = [_element(name, entry) for entry in x.flat]
            return out
        return _element(name, x)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"Return {name}(x), entry by entry, in the arithmetic of `x`."
    return apply


_FLOAT: dict[str, Callable[[Number], Number]] = {
    "exp": np.exp, "log": np.log, "expm1": np.expm1, "log1p": np.log1p, "sqrt": np.sqrt,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "sin": np.sin, "cos": np.cos,
    "atan": np.arctan, "asinh": np.arcsinh, "atanh": np.arctanh,
}  # fmt: skip

exp = _function("exp")
log = _function("log")
expm1 = _function("expm1")
log1p = _function("log1p")
sqrt = _function("sqrt")
sinh = _function("sinh")
cosh = _function("cosh")
tanh = _function("tanh")
sin = _function("sin")
cos = _function("cos")
atan = _function("atan")
asinh = _function("asinh")
atanh = _function("atanh")
