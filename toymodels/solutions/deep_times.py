"""Formulas of the balanced deep mode: velocity, elementary times at depths 1 to 4, escape, minima.

`deep_mode` evaluates the same times at any depth. Here x = u^{1/L} is the size
of one layer and k = s^{1/L} its limit, so that nothing but logarithms is left.
"""

from __future__ import annotations

from typing import Any

from toymodels.arithmetic import analytic, dot, polynomial, rational
from toymodels.arithmetic.elementary import atan, atanh, log, sqrt
from toymodels.errors import InputError
from toymodels.solutions.scaling import broadcast
from toymodels.validation import positive_int

Array = Any


def velocity(x: Array, s: Array, depth: int) -> Array:
    """u' of the product u = x^L of L equal layers, L x^{2L-2} (s - x^L).

    Source: Saxe, McClelland, Ganguli 2014; linear_nets 4.1.
    """
    return depth * x ** (2 * depth - 2) * (s - x**depth)


@analytic("(),()->()", positive="u s")
def time_1(u: Array, s: Array) -> Array:
    """Time at depth 1, up to a constant: the integral of du / (s - u). Source: linear_nets 4.1."""
    return -log(s - u)


@analytic("(),()->()", positive="u s")
def time_2(u: Array, s: Array) -> Array:
    """Time at depth 2, up to a constant. Source: Saxe, McClelland, Ganguli 2014; linear_nets 4.1."""
    return log(u / (s - u)) / (2 * s)


@analytic("(),()->()", positive="x k")
def time_3(x: Array, k: Array) -> Array:
    """Time at depth 3 in the layer x = u^{1/3}, k = s^{1/3}, up to a constant. Source: linear_nets 4.1."""
    root = sqrt(0 * k + 3)
    angle = atan((2 * x + k) / (root * k))
    logs = log(x * x + k * x + k * k) / 2 - log(k - x) - root * angle
    return (logs / (3 * k) - 1 / x) / k**3


@analytic("(),()->()", positive="x k")
def time_4(x: Array, k: Array) -> Array:
    """Time at depth 4 in x = u^{1/2}, two layers, with k = s^{1/2}, up to a constant.

    Source: linear_nets 4.1.
    """
    return (atanh(x / k) / k - 1 / x) / (2 * k * k)


@analytic("(),()->()", positive="u s")
def time_infinite(u: Array, s: Array) -> Array:
    """Time L t at infinite depth, up to a constant: u' = u² (s - u). Source: linear_nets 4.2."""
    return (log(u / (s - u)) - s / u) / (s * s)


@polynomial("(L)->()")
def layer_product(a: Array) -> Array:
    """The product of the layers."""
    result = a[..., 0]
    for j in range(1, a.shape[-1]):
        result = result * a[..., j]
    return result


@rational("(L),()->()")
def minimum_eigenvalue(a: Array, s: Array) -> Array:
    """The nonzero Hessian eigenvalue of (s - prod a)²/2 at a minimum, sum_j (s / a_j)².

    Source: linear_nets 4.5.
    """
    slopes = s[..., None] / a if getattr(s, "ndim", 0) else s / a
    return dot(slopes, slopes)


def escape_time(u0: Any, s: Any, *, depth: int) -> Array:
    """Return the leading order of the time that a balanced deep mode needs to leave a small u0.

    It is ln(s / u0) / (2 s) at depth 2 and the power law u0^{-(1 - 2/L)} / ((L -
    2) s) from depth 3 on.

    Parameters
    ----------
    u0, s : array_like
        Initial product and target, 0 < u0 < s; they broadcast.
    depth : int
        Number of layers L >= 2.

    Raises
    ------
    InputError
        When u0 is not between 0 and s, or depth is not an integer >= 2.

    Notes
    -----
    `deep_mode.time_to_product` has the exact time. Source: linear_nets 4.3.

    Examples
    --------
    >>> print(f"{escape_time(1e-6, 1.0, depth=2):.3f} {escape_time(1e-6, 1.0, depth=3):.3f}")
    6.908 100.000
    """
    depth = positive_int("depth", depth, least=2)
    u0, s = broadcast(u0=u0, s=s)
    if ((u0 <= 0) | (u0 >= s)).any():
        raise InputError("u0: expected initial products between 0 and s")
    if depth == 2:
        return (log(s / u0) / (2 * s))[()]
    return (u0 ** (2 / depth - 1) / ((depth - 2) * s))[()]
