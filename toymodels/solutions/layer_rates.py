"""One mode with input variance and layerwise learning rates, by a change of units.

``a' = r1 b (s - l a b), b' = r2 a (s - l a b)`` becomes the scalar mode for
(r2/r1)^{1/4} a and (r1/r2)^{1/4} b, with target s / l and time sqrt(r1 r2) l t.
The same change serves vectors a and b with the product a.b.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from toymodels.arithmetic.elementary import decay_integral, minus_product
from toymodels.errors import InputError
from toymodels.solutions import scalar_mode, wide_scalar
from toymodels.solutions.scaling import times
from toymodels.validation import real_array

Array = Any


def flow(
    a0: Any, b0: Any, s: Any, t: Any, variance: Any = 1.0, rates: Any = (1.0, 1.0)
) -> tuple[Array, Array]:
    """Return the weights (a, b) of a mode with input variance and layerwise rates at time t.

    Parameters
    ----------
    a0, b0, s, t : array_like
        As in `toymodels.solutions.scalar_mode.flow`; s is the mode of Syx.
    variance : array_like
        Input variance l of the mode, >= 0; where it is 0 s must be 0, and
        nothing moves.
    rates : (float, float)
        Factors r1, r2 >= 0 on the velocities of a and b.

    Returns
    -------
    a, b : float64 arrays of the common shape

    Raises
    ------
    InputError
        When an argument is not valid, or s is not 0 where the variance is.

    Notes
    -----
    Source: own derivation, linear_nets 3.8.

    Examples
    --------
    >>> a, b = flow(1.0, 0.5, 2.0, np.inf, variance=4.0, rates=(1.0, 3.0))
    >>> print((a * b).round(12))
    0.5
    """
    a0, b0, s, t, variance = _broadcast(a0, b0, s, t, variance)
    return _in_units(scalar_mode.flow, np.multiply, a0, b0, s, t, variance, rates)


def residual(a0: Any, b0: Any, s: Any, t: Any, variance: Any = 1.0, rates: Any = (1.0, 1.0)) -> Array:
    """Return the residual s - l a b at time t, to full relative accuracy in its tail; see `flow`.

    Examples
    --------
    >>> print(f"{residual(0.1, 0.1, 1.0, 100.0, variance=2.0):.6e}")
    6.781093e-86
    """
    a0, b0, s, t, variance = _broadcast(a0, b0, s, t, variance)
    r1, r2 = _check(s, variance, rates)
    if r1 == 0 or r2 == 0:
        return _one_layer_residual(a0, b0, s, t, variance, (r1, r2))
    with np.errstate(under="ignore", over="ignore"):
        lift, target, clock = _units(s, t, variance, (r1, r2))
        return variance * scalar_mode.residual(lift * a0, b0 / lift, target, clock)


def _one_layer_residual(
    a0: Array, b0: Array, s: Array, t: Array, variance: Array, rates: tuple[float, float]
) -> Array:
    """The residual with a frozen layer: a plain exponential."""
    rate = variance * (rates[1] * a0**2 if rates[0] == 0 else rates[0] * b0**2)
    turns = np.multiply(rate, t, out=np.zeros(t.shape), where=rate > 0)
    return minus_product(s, variance * a0, b0) * np.exp(-turns)


def _broadcast(*values: Any) -> list[Array]:
    """Check a0, b0, s, t, variance and broadcast them."""
    a0, b0, s, t, variance = values
    arrays = [real_array("a0", a0), real_array("b0", b0), real_array("s", s), times("t", t)]
    try:
        return list(np.broadcast_arrays(*arrays, real_array("variance", variance)))
    except ValueError as error:
        raise InputError("a0, b0, s, t, variance: expected shapes that broadcast") from error


def _check(s: Array, variance: Array, rates: Any) -> tuple[float, float]:
    """Return the rates; raise InputError unless rates, variance and target are valid."""
    pair = real_array("rates", rates, 1)
    if pair.shape != (2,) or (pair < 0).any():
        raise InputError(f"rates: expected two factors >= 0, got {rates!r}")
    if (variance < 0).any():
        raise InputError("variance: expected numbers >= 0")
    if ((variance == 0) & (s != 0)).any():
        raise InputError("s: expected 0 where the variance is 0")
    return float(pair[0]), float(pair[1])


def _units(s: Array, t: Array, variance: Array, rates: tuple[float, float]) -> tuple[float, Array, Array]:
    """The factor on a (b takes its inverse), the target and the time of the plain mode."""
    speed = np.sqrt(rates[0]) * np.sqrt(rates[1])
    clock = np.multiply(speed * variance, t, out=np.zeros(t.shape), where=variance > 0)
    target = np.divide(s, variance, out=np.zeros(t.shape), where=variance > 0)
    return (rates[1] / rates[0]) ** 0.25, target, clock


def wide_flow(
    a0: Any, b0: Any, s: Any, t: Any, variance: Any = 1.0, rates: Any = (1.0, 1.0)
) -> tuple[Array, Array]:
    """Return the layers (a, b), each (..., m), of a net with one input and one output at time t.

    Parameters
    ----------
    a0, b0 : array_like (..., m)
    s, t, variance : array_like (...)
    rates : (float, float)
        All as in `flow` and `toymodels.solutions.wide_scalar.flow`.

    Returns
    -------
    a, b : float64 arrays (..., m)

    Raises
    ------
    InputError
        As `flow`.

    Notes
    -----
    Source: own derivation, linear_nets 3.8 and 3.10.

    Examples
    --------
    >>> a, b = wide_flow([1.0, 0.2], [0.5, -0.3], 2.0, np.inf, variance=4.0, rates=(1.0, 3.0))
    >>> print((a * b).sum().round(12))
    0.5
    """
    a0, b0 = real_array("a0", a0), real_array("b0", b0)
    s, t, variance = real_array("s", s), times("t", t), real_array("variance", variance)
    if a0.ndim == 0 or b0.ndim == 0:
        raise InputError("a0, b0: expected shapes (..., m)")
    try:
        a0, b0, s, t, variance = np.broadcast_arrays(a0, b0, s[..., None], t[..., None], variance[..., None])
    except ValueError as error:
        raise InputError("a0, b0, s, t, variance: expected shapes that broadcast") from error
    s, t, variance = s[..., 0], t[..., 0], variance[..., 0]
    return _in_units(wide_scalar.flow, _dot, a0, b0, s, t, variance, rates)


def _dot(a: Array, b: Array) -> Array:
    return (a * b).sum(-1)


def _in_units(
    solve: Callable[..., tuple[Array, Array]],
    multiply: Callable[[Array, Array], Array],
    a0: Array,
    b0: Array,
    s: Array,
    t: Array,
    variance: Array,
    rates: Any,
) -> tuple[Array, Array]:
    """Change units, solve, change back; a layer of rate 0 leaves a linear equation."""
    r1, r2 = _check(s, variance, rates)
    if r1 == 0 or r2 == 0:
        return _one_layer(multiply, a0, b0, s, t, variance, (r1, r2))
    with np.errstate(under="ignore", over="ignore"):
        lift, target, clock = _units(s, t, variance, (r1, r2))
        a, b = solve(lift * a0, b0 / lift, target, clock)
        return a / lift, b * lift


def _one_layer(
    multiply: Callable[[Array, Array], Array],
    a0: Array,
    b0: Array,
    s: Array,
    t: Array,
    variance: Array,
    rates: tuple[float, float],
) -> tuple[Array, Array]:
    """The flow with a frozen layer: the other moves along it, x' = rate y (s - l x.y)."""
    frozen, moving, rate = (a0, b0, rates[1]) if rates[0] == 0 else (b0, a0, rates[0])
    t = np.where((variance == 0) | (rate == 0), 0.0, t)
    size = multiply(frozen, frozen)
    J = decay_integral(rate * variance * size, t)
    gain = np.multiply(rate * (s - variance * multiply(a0, b0)), J, out=np.zeros(t.shape), where=size > 0)
    moved = moving + gain.reshape(gain.shape + (1,) * (moving.ndim - gain.ndim)) * frozen
    return (np.array(frozen), moved) if rates[0] == 0 else (moved, np.array(frozen))
