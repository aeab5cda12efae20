"""Where one linear neuron ends: basins, their separatrix, the limit and the rates at which it is reached."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.solutions.one_neuron_start import (
    Start,
    Vectors,
    neuron_arrays,
    neuron_rates,
    start_of,
    unit_rates,
)
from toymodels.solutions.vectors import across, norm, vector_array
from toymodels.validation import real_array

Array = Any


def _unit_start(w0: Any, a0: Any, target: Any, rates: Any) -> tuple[Start, Vectors, tuple, float, float]:
    """The start in units of rate 1, its shape and the factors on w and on time."""
    w0, a0, b = neuron_arrays(w0, a0, target)
    eta_w, eta_a = neuron_rates(rates)
    if eta_w == 0 or eta_a == 0:
        raise InputError(f"rates: expected two factors > 0, got {rates!r}")
    lift, speed = unit_rates(eta_w, eta_a)
    start, vectors = start_of(np.atleast_2d(w0 * lift), np.atleast_1d(a0 / lift), np.atleast_2d(b))
    return start, vectors, a0.shape, lift, speed


def basin(w0: Any, a0: Any, target: Any, rates: Any = (1.0, 1.0)) -> Array:
    """Return the sign of the output weight at t = inf: 1, -1, or 0 on the separatrix.

    It is the sign of ``w0.b + (kappa + delta/2) a0``, decided as if in twice
    the precision. With s = |b|: delta > 0 never meets the separatrix and a
    keeps its sign; delta < 0 ends there at the saddle a = 0, w.b = 0, |w|^2 =
    -delta; delta = 0 at the origin. Parameters and errors as in
    `toymodels.solutions.one_neuron.flow`, with rates > 0; the result is (...).

    Notes
    -----
    Source: own derivation, linear_nets 6.4.

    Examples
    --------
    >>> basin([-1.0, 4.0], [2.9, 3.0, 3.1], [3.0, 0.0])
    array([-1.,  0.,  1.])
    """
    with np.errstate(under="ignore", over="ignore"):
        start, _, shape, _, _ = _unit_start(w0, a0, target, rates)
    return np.sign(start.c_plus).reshape(shape)[()]


def limit(w0: Any, a0: Any, target: Any, rates: Any = (1.0, 1.0)) -> tuple[Array, Array]:
    """Return the weights (w, a) that the flow reaches as t goes to infinity.

    For unit rates a^2 = kappa + delta/2, |w|^2 = kappa - delta/2 and a w = b,
    with the sign of `basin`; on the separatrix the saddle. Parameters, shapes
    and errors as in `toymodels.solutions.one_neuron.flow`, with rates > 0.

    Notes
    -----
    Source: own derivation, linear_nets 6.4.

    Examples
    --------
    >>> w, a = limit([1.0, 2.0], 2.0, [0.0, 6.0])
    >>> print(w.round(6), a.round(6))
    [0.       2.553585] 2.349638
    >>> limit([-1.0, 4.0], 3.0, [3.0, 0.0])
    (array([0.        , 2.82842712]), np.float64(0.0))
    """
    with np.errstate(under="ignore", over="ignore"):
        start, vectors, shape, lift, _ = _unit_start(w0, a0, target, rates)
        side = np.sign(start.c_plus)
        larger = np.sqrt(start.kappa + np.abs(start.delta) / 2)
        smaller = np.divide(start.s, larger, out=np.zeros(larger.shape), where=larger > 0)
        upstream = start.delta >= 0
        a = side * np.where(upstream, larger, smaller)
        w = (side * np.where(upstream, smaller, larger))[..., None] * vectors.e
        stuck = np.where((side == 0) & (start.wide > 0), np.sqrt(np.maximum(-start.delta, 0.0)), 0.0)
        share = np.divide(stuck, start.wide, out=np.zeros(stuck.shape), where=start.wide > 0)
        w = np.ldexp(w + share[..., None] * vectors.across, start.exponent[..., None]) / lift
        a = np.ldexp(a, start.exponent) * lift
        return w.reshape(shape + w.shape[-1:]), a.reshape(shape)[()]


def tail_rates(w0: Any, a0: Any, target: Any, rates: Any = (1.0, 1.0)) -> tuple[Array, Array]:
    """Return the rates at the minimum: radial 2 kappa and rotational kappa + delta/2.

    The direction of w is learned slowly for delta << 0, at a rate near
    s^2/|delta|: such a start looks lazy until it turns. They are the Hessian's
    eigenvalues along and across b, in the time of unit rates times
    sqrt(eta_w eta_a). Parameters and errors as in `basin`; both results are
    (...).

    Notes
    -----
    Source: own derivation, linear_nets 6.4.

    Examples
    --------
    >>> tail_rates([1.0, 0.0], 1.0, [0.0, 2.0])
    (np.float64(4.0), np.float64(2.0))
    """
    with np.errstate(under="ignore", over="ignore"):
        start, _, shape, _, speed = _unit_start(w0, a0, target, rates)
        pair = (2 * start.kappa, start.slow)
        radial, rotational = (np.ldexp(speed * x, 2 * start.exponent).reshape(shape)[()] for x in pair)
        return radial, rotational


def separatrix_weights(a0: float, target: Any, delta: float, direction: Any = None) -> Array:
    """Return input weights w that put a start (w, a0) of imbalance delta <= 0 on the separatrix.

    Along the target w is -(kappa + delta/2) a0 / s; what the imbalance
    a0^2 - |w|^2 = delta asks for besides lies across it.

    Parameters
    ----------
    a0 : float
        Output weight.
    target : array_like (d,)
        Not zero.
    delta : float
        Imbalance, <= 0; below 0 it needs d >= 2.
    direction : array_like (d,), optional
        The part of it across the target points the way; by default the
        coordinate axis most across the target.

    Returns
    -------
    w : float64 array (d,)

    Raises
    ------
    InputError
        When an argument is not valid, or no such start exists.

    Notes
    -----
    Source: own derivation, linear_nets 6.4.

    Examples
    --------
    >>> separatrix_weights(3.0, [3.0, 0.0], -8.0)
    array([-1.,  4.])
    """
    a0, delta = float(real_array("a0", a0, 0)), float(real_array("delta", delta, 0))
    b = vector_array("target", target)
    if b.ndim != 1 or not b.any():
        raise InputError(f"target: expected a nonzero vector of shape (d,), got {b}")
    if delta > 0:
        raise InputError(f"delta: expected <= 0, since upstream starts meet no separatrix, got {delta!r}")
    way = np.eye(len(b))[np.abs(b).argmin()] if direction is None else vector_array("direction", direction)
    if way.shape != b.shape:
        raise InputError(f"direction: expected shape {b.shape}, got {way.shape}")
    s = norm(b)
    tangent = s / (np.hypot(s, delta / 2) - delta / 2)
    wide = np.sqrt(a0 * a0 * (1 - tangent) * (1 + tangent) - delta)
    sideways = across(way, b)
    length = norm(sideways)
    if wide > 0 and length == 0:
        raise InputError("direction: expected a vector that is not along the target (d >= 2)")
    return -tangent * a0 * (b / s) + (wide / length * sideways if wide > 0 else 0.0)
