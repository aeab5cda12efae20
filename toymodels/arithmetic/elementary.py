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

from toymodels.arithmetic.compound import Compound
from toymodels.arithmetic.rationals import object_array
from toymodels.errors import LeftArithmetic

Number = Any


def _rational_sqrt(x: Fraction) -> Fraction:
    if x >= 0:
        root = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
        if root * root == x:
            return root
    raise LeftArithmetic(f"sqrt({x}) is not rational; adjoin it as a root")


_RATIONAL_AT_ZERO = {"exp": 1, "expm1": 0, "log1p": 0, "sinh": 0, "cosh": 1, "tanh": 0, "sin": 0, "cos": 1,
                     "atan": 0, "asinh": 0, "atanh": 0}  # fmt: skip


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
    if type(x).__module__.startswith("sympy"):
        import sympy

        if name in ("expm1", "log1p"):
            return sympy.exp(x) - 1 if name == "expm1" else sympy.log(1 + x)
        return getattr(sympy, name)(x)
    return getattr(x.context, name)(x)


def _element(name: str, x: Number) -> Number:
    """Apply the function to one ring element."""
    if isinstance(x, (float, complex, np.inexact)):
        return _FLOAT[name](x)
    if isinstance(x, (int, np.integer)):
        return _rational(name, Fraction(int(x)))
    if isinstance(x, Fraction) or type(x).__name__ in ("fmpq", "fmpz"):
        value = _rational(name, x)
        return value if isinstance(x, Fraction) else type(x)(value.numerator) / value.denominator
    if type(x).__module__.partition(".")[0] in ("sympy", "mpmath"):
        return _library(name, x)  # first, since an mpmath number has an attribute exp of another meaning
    method = getattr(x, name, None)
    if method is None:
        raise LeftArithmetic(f"{name}: no such function for {type(x).__name__}")
    return method()


def _function(name: str) -> Callable[[Number], Number]:
    def apply(x: Number) -> Number:
        if isinstance(x, np.ndarray):
            if x.dtype != object:
                return _FLOAT[name](x)
            return object_array((_element(name, entry) for entry in x.flat), x.shape)
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


def hypot(x: Number, y: Number) -> Number:
    """Return sqrt(x² + y²); on real floats the squares neither overflow nor underflow."""
    numbers = (x, y)
    floats = any(_is_real_float(z) for z in numbers)
    if floats and all(_is_real_float(z) or isinstance(z, (int, np.integer)) for z in numbers):
        return np.hypot(x, y)
    return sqrt(x * x + y * y)


def minus_product(s: Number, a: Number, b: Number) -> Number:
    """Return s - a b; on real floats with the rounding error of a b put back.

    The result keeps its relative accuracy where s and a b nearly cancel
    (Dekker's exact product, Knuth's exact sum).
    """
    if not all(_is_real_float(x) for x in (s, a, b)):
        return s - a * b
    product = a * b
    total = s - product
    taken = total - s
    return total + ((s - (total - taken)) - (product + taken) - _product_error(a, b, product))


def minus_dot(s: Number, a: Number, b: Number) -> Number:
    """Return s - a . b over the last axis; on real floats as if in twice the precision.

    The compensated dot product of Ogita, Rump, Oishi 2005 (Dot2).
    """
    if not all(_is_real_float(x) for x in (s, a, b)):
        return s - (a * b).sum(-1)
    a, b = np.broadcast_arrays(a, b)
    total, error = np.asarray(s, dtype=float), 0.0
    for a_i, b_i in zip(np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0), strict=True):
        product = a_i * b_i
        partial = total - product
        taken = partial - total
        error = error + ((total - (partial - taken)) - (product + taken) - _product_error(a_i, b_i, product))
        total = partial
    return total + error


def decay_integral(rate: Number, t: Number) -> Number:
    """Return the integral of exp(-rate tau) for tau from 0 to t, (1 - e^{-rate t}) / rate.

    It is t at rate 0; on real floats t may be inf, the value is then 1 / rate
    (inf for a rate <= 0).
    """
    if _is_real_float(rate) and _is_real_float(t):
        return _decay_integral_float(np.asarray(rate, dtype=float), np.asarray(t, dtype=float))[()]
    if isinstance(rate, np.ndarray) or isinstance(t, np.ndarray):
        values = np.frompyfunc(_decay_integral_element, 2, 1)(rate, t)
        return np.asarray(values).astype(np.result_type(np.asarray(rate), np.asarray(t)))
    return _decay_integral_element(rate, t)


def _decay_integral_float(rate: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Divide by rate t, with factor t, where that is small and by the rate elsewhere."""
    rate, t = np.broadcast_arrays(rate, t)
    still = (rate == 0) | (t == 0)
    exponent = np.multiply(rate, t, out=np.zeros(rate.shape), where=~still)
    slow = np.abs(exponent) < 1
    risen = -np.expm1(-exponent)
    mean = np.divide(risen, exponent, out=np.ones(rate.shape), where=slow & (exponent != 0))
    near = np.multiply(t, mean, out=np.zeros(rate.shape), where=slow)
    return np.divide(risen, rate, out=near, where=~slow)


def _decay_integral_element(rate: Number, t: Number) -> Number:
    """The same for one ring element; a ball around rate 0 is bounded by the ends of the integrand."""
    own = getattr(rate, "decay_integral", None)
    if own is not None:
        return own(t)
    if hasattr(rate, "contains") and rate.contains(0):
        return t * exp(-rate * t).union(1)
    return t if _vanishes(rate) or _vanishes(t) else -expm1(-rate * t) / rate


def growth_time(rate: Number, growth: Number) -> Number:
    """Return the t at which the integral of exp(rate tau) over [0, t] is `growth`.

    It is log(1 + rate growth) / rate, and `growth` at rate 0.
    """
    if _is_real_float(rate) and _is_real_float(growth):
        x = np.asarray(rate * growth, dtype=float)
        mean = np.divide(np.log1p(x), x, out=np.ones(x.shape), where=(x != 0) & (x < 1))
        near = np.multiply(growth, mean, out=np.zeros(x.shape), where=x < 1)
        return np.divide(np.log1p(x), rate, out=near, where=x >= 1)[()]
    return growth if _vanishes(rate) else log1p(rate * growth) / rate


def _vanishes(x: Number) -> bool:
    """Whether a plain number is zero; jets and measured numbers are taken as generic."""
    return not isinstance(x, Compound) and bool(x == 0)


def _is_real_float(x: Number) -> bool:
    """Whether x is a real float or a real numeric array."""
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "biuf"
    return isinstance(x, (float, np.floating))


def _product_error(a: Number, b: Number, product: Number) -> Number:
    """Return the exact a b minus the rounded product, for floats below 2^970 (Veltkamp, Dekker)."""
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(x: Number) -> tuple[Number, Number]:
    """Split a float into two of 26 bits each."""
    big = 134217729.0 * x
    high = big - (big - x)
    return high, x - high
