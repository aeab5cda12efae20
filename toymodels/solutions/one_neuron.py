"""One linear neuron ``f(x) = a w.x`` on whitened inputs: its exact gradient flow from every start.

The loss is ``L = |X a w - y|^2 / 2``, with no 1/n, and X^T X = I; with
``b = X^T y`` the flow is

    w' = eta_w a (b - a w),    a' = eta_a w.(b - a w).

In units of (eta_a / eta_w)^{1/4} w, (eta_w / eta_a)^{1/4} a and time
sqrt(eta_a eta_w) t the rates are 1, and ``delta = a^2 - |w|^2`` is conserved.
With s = |b|, e = b / s the flow of (w, a) is a linear flow divided by its own
growth: along e and a it is the scalar mode of `scalar_mode`, with the
eigenvalues ±kappa, kappa^2 = s^2 + delta^2/4, the eigenvector (x, y) and the
coordinates c+, c-; the part of w across e only shrinks, by e^{-delta t / 2},
and adds a third square to the growth.

The formulas are homogeneous in the triple (P, H, R), proportional to

    (c+,  h = e^{-kappa t},  |w_across| e^{-kappa t} sqrt(K I)),

I the integral of e^{-delta tau} over [0, t], and in the pair (K, J),
proportional to (1, integral of h^2); floats hold the representative whose
largest member is about 1. So nothing overflows, and no term is subtracted from
its equal, for any sign or size of delta and at t = inf.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic import polynomial, rational
from toymodels.arithmetic.elementary import decay_integral, minus_product
from toymodels.errors import InputError
from toymodels.solutions import scalar_mode
from toymodels.solutions.one_neuron_start import Start, neuron_arrays, neuron_rates, start_of, unit_rates
from toymodels.solutions.scaling import times

Array = Any

_LARGEST_EXPONENT = 700.0


@polynomial("(),(),(),(),(),()->()")
def common_square(P: Array, H: Array, c_minus: Array, K: Array, J: Array, spill: Array) -> Array:
    """The square under a and w; spill = R^2 is what w across adds. Source: own, linear_nets 6.2."""
    return scalar_mode.common_square(P, H, c_minus, K, J) + spill


@rational("(),(),(),(),(),()->()")
def residual_along(r0: Array, s: Array, H: Array, K: Array, spill: Array, square: Array) -> Array:
    """e.(b - a w) at t, from its start r0. Source: own derivation from linear_nets 6.2."""
    return (r0 * H * H * K + s * spill) / square


class _Clock(NamedTuple):
    """The functions of time, each by the representative that floats can hold; T is e^{-delta t/2} h."""

    P: Array
    H: Array
    h: Array
    D: Array
    K: Array
    J: Array
    spill: Array
    T: Array


def _product(rate: Array, t: Array) -> Array:
    """Return rate times t, zero where either is, also for t = inf."""
    return np.multiply(rate, t, out=np.zeros(np.broadcast(rate, t).shape), where=(rate > 0) & (t > 0))


def _clock(start: Start, t: Array) -> _Clock:
    """Evaluate the functions of time; t is in the user's units, of the shape of the start's numbers."""
    resting = (start.a0 == 0) & (start.w1 == 0) & (start.wide == 0)
    t = np.where(resting, 0.0, np.ldexp(t, 2 * start.exponent))
    kappa, size = start.kappa, np.abs(start.delta)
    upstream = start.delta >= 0
    turns = _product(kappa, t)
    drift = np.where(upstream, turns, _product(start.slow, t))
    J = decay_integral(2 * kappa, t)
    long = J > 1
    K = np.divide(1.0, J, out=np.ones(t.shape), where=long)
    wide = start.wide * _spread(decay_integral(size, t), K, kappa)

    leaving = start.c_plus != 0
    log_c = np.log(np.abs(start.c_plus), out=np.zeros(t.shape), where=leaving)
    log_w = np.log(wide, out=np.full(t.shape, -np.inf), where=wide > 0)
    lent = np.minimum(np.minimum(turns, np.clip(-log_c, 0.0, _LARGEST_EXPONENT)), drift - log_w)
    # On the stable manifold h is compared with what lies across; their ratio is e^{-gain}.
    gain = np.where(upstream, 0.0, _product(size / 2, t))
    kept = np.where(wide > 0, np.minimum(gain, -log_w), 0.0)
    lag_h, lag_w = np.where(wide > 0, gain, 0.0) - kept, -kept
    np.subtract(turns, lent, out=lag_h, where=leaving)
    np.subtract(drift, lent, out=lag_w, where=leaving)

    R = wide * np.exp(-lag_w)
    return _Clock(
        P=start.c_plus * np.exp(np.where(leaving, lent, 0.0)),
        H=np.exp(-lag_h),
        h=np.exp(-turns),
        D=-np.expm1(-2 * turns),
        K=K,
        J=np.where(long, 1.0, J),
        spill=R * R,
        T=np.exp(-lag_w) * np.exp(-np.where(upstream, _product(size / 2, t), 0.0)),
    )


def _spread(I: Array, K: Array, kappa: Array) -> Array:
    """The root of K I; 1 where nothing decays, 0 where K I is infinite and e^{-kappa t} is 0."""
    ended = np.isinf(I)
    ratio = np.multiply(K, I, out=np.zeros(I.shape), where=~ended)
    return np.where(ended, np.where(kappa == 0, 1.0, 0.0), np.sqrt(ratio))


class _Solution(NamedTuple):
    """The solution in its own units."""

    a: Array
    along: Array
    across: Array
    residual: Array
    exponent: Array
    e: Array


def _solve(w0: Array, a0: Array, b: Array, t: Array) -> _Solution:
    """Evaluate everything at the times t, which broadcast with the starts; a single number gets an axis."""
    numbers, vectors = start_of(np.atleast_2d(w0), np.atleast_1d(a0), np.atleast_2d(b))
    shape = np.broadcast_shapes(numbers.a0.shape, t.shape)
    start = Start(*(np.broadcast_to(z, shape) for z in numbers))
    clock = _clock(start, np.broadcast_to(t, shape))
    square = common_square(clock.P, clock.H, start.c_minus, clock.K, clock.J, clock.spill)
    scale = np.sqrt(clock.K) / np.sqrt(square)
    top_a, top_w = scalar_mode.numerators(
        start.x, start.y, start.a0, start.w1, clock.P, clock.H, clock.h, clock.D
    )
    a, along = scale * top_a, scale * top_w
    sideways = (scale * clock.T)[..., None] * vectors.across
    residual = residual_along(start.r0, start.s, clock.H, clock.K, clock.spill, square)
    return _Solution(a, along, sideways, residual, start.exponent, vectors.e)


def _arguments(w0: Any, a0: Any, target: Any, t: Any) -> tuple[Array, Array, Array, Array]:
    """Check everything; times must broadcast with the starts."""
    w0, a0, b = neuron_arrays(w0, a0, target)
    t = times("t", t)
    try:
        np.broadcast_shapes(a0.shape, t.shape)
    except ValueError as error:
        raise InputError(f"t: expected a shape that broadcasts with {a0.shape}, got {t.shape}") from error
    return w0, a0, b, t


def flow(w0: Any, a0: Any, target: Any, t: Any, rates: Any = (1.0, 1.0)) -> tuple[Array, Array]:
    """Return the weights (w, a) of one linear neuron on whitened inputs at time t.

    Parameters
    ----------
    w0 : array_like (..., d)
        Initial input weights.
    a0 : array_like (...)
        Initial output weight.
    target : array_like (..., d)
        The least-squares map b = X^T y, with X^T X = I and the loss
        |X a w - y|^2 / 2 (no 1/n).
    t : array_like (...)
        Times, >= 0; inf gives the limit. All leading axes broadcast.
    rates : (float, float)
        Learning rates eta_w, eta_a >= 0 of w and a; a layer of rate 0 stays.

    Returns
    -------
    w : float64 array (..., d)
    a : float64 array (...)

    Raises
    ------
    InputError
        When an argument is not real, not finite (t: negative or nan), or the
        shapes do not fit.

    Notes
    -----
    One formula for every imbalance. The error of a, and of w relative to its
    length, is below 1e-12 for starts between 1e-150 and 1e3 in size; within a
    distance of its zero a layer that turns round has the error of a relative
    change 1e-12 of the time. Unequal rates round the start first.

    Source: own derivation, linear_nets 6.2; cases apart: Kunin et al. 2024,
    arXiv 2406.06158.

    Examples
    --------
    >>> w, a = flow([1.0, 0.0], -0.5, [0.0, 2.0], [0.0, 1.0, np.inf])
    >>> (a[:, None] * w).round(6)
    array([[-0.5     , -0.      ],
           [-0.586505,  0.744887],
           [-0.      ,  2.      ]])
    """
    w0, a0, b, t = _arguments(w0, a0, target, t)
    eta_w, eta_a = neuron_rates(rates)
    with np.errstate(under="ignore", over="ignore"):
        if eta_w == 0 or eta_a == 0:
            return _one_layer(w0, a0, b, t, eta_w, eta_a)
        lift, speed = unit_rates(eta_w, eta_a)
        z = _solve(w0 * lift, a0 / lift, b, speed * t)
        exponent = z.exponent[..., None]
        w = np.ldexp(z.along[..., None] * z.e + z.across, exponent) / lift
        shape = np.broadcast_shapes(a0.shape, t.shape)
        return w.reshape(shape + w0.shape[-1:]), (np.ldexp(z.a, z.exponent) * lift).reshape(shape)[()]


def _one_layer(w0: Array, a0: Array, b: Array, t: Array, eta_w: float, eta_a: float) -> tuple[Array, Array]:
    """The flow with a frozen layer: the other solves a linear equation."""
    shape = np.broadcast_shapes(a0.shape, t.shape)
    w0, a0, b = (np.broadcast_to(z, shape + z.shape[a0.ndim :]) for z in (w0, a0, b))
    r0 = minus_product(b, np.broadcast_to(a0[..., None], b.shape), w0)
    if eta_w > 0:
        J = decay_integral(eta_w * a0 * a0, np.where(a0 == 0, 0.0, t))
        return w0 + (eta_w * a0 * J)[..., None] * r0, np.array(a0)[()]
    square = (w0 * w0).sum(-1)
    J = decay_integral(eta_a * square, np.where((square == 0) | (eta_a == 0), 0.0, t))
    return np.array(w0), (a0 + eta_a * (w0 * r0).sum(-1) * J)[()]


def residual(w0: Any, a0: Any, target: Any, t: Any, rates: Any = (1.0, 1.0)) -> Array:
    """Return the vector b - a w at time t, to full relative accuracy in its tail.

    Parameters, shapes and errors as in `flow`; the result is (..., d). For
    data with X^T X = I it is X^T (y - X a w), and the loss exceeds its least
    value by half its square.

    Raises
    ------
    InputError
        As `flow`, and when a rate is 0.

    Notes
    -----
    Source: own derivation from linear_nets 6.2.

    Examples
    --------
    >>> r = residual([1.0, 0.0], -0.5, [0.0, 2.0], 200.0)
    >>> print(np.array2string(r, precision=6))
    [5.465503e-144 4.799097e-287]
    """
    w0, a0, b, t = _arguments(w0, a0, target, t)
    eta_w, eta_a = neuron_rates(rates)
    if eta_w == 0 or eta_a == 0:
        raise InputError(f"rates: expected two factors > 0, got {rates!r}")
    with np.errstate(under="ignore", over="ignore"):
        lift, speed = unit_rates(eta_w, eta_a)
        z = _solve(w0 * lift, a0 / lift, b, speed * t)
        inner = z.residual[..., None] * z.e - z.a[..., None] * z.across
        shape = np.broadcast_shapes(a0.shape, t.shape) + w0.shape[-1:]
        return np.ldexp(inner, 2 * z.exponent[..., None]).reshape(shape)


def product(w0: Any, a0: Any, target: Any, t: Any, rates: Any = (1.0, 1.0)) -> Array:
    """Return the learned map beta = a w, (..., d), at time t; see `flow`.

    Examples
    --------
    >>> product([1.0, 0.0], -0.5, [0.0, 2.0], 3.0).round(6)
    array([-0.055839,  1.995111])
    """
    w, a = flow(w0, a0, target, t, rates)
    with np.errstate(under="ignore"):
        return a[..., None] * w


def excess_loss(w0: Any, a0: Any, target: Any, t: Any, rates: Any = (1.0, 1.0)) -> Array:
    """Return the loss above its least value, |b - a w|^2 / 2, at time t; see `residual`.

    Examples
    --------
    >>> excess_loss([1.0, 0.0], 0.0, [0.0, 2.0], 0.0)
    np.float64(2.0)
    """
    r = residual(w0, a0, target, t, rates)
    with np.errstate(under="ignore"):
        return (r * r).sum(-1) / 2
