"""One neuron in polar variables: size, direction and alignment, and the Riccati equation of w.b / a.

mu = a |w| is the size of the learned map with its sign, the direction is
w / |w|, phi its cosine with the target b and s = |b|. With delta = eta_w a^2 -
eta_a |w|^2 and spread = sqrt(delta^2 + 4 eta_a eta_w mu^2) = eta_w a^2 + eta_a
|w|^2 these close. The same equations hold for each neuron of a net with
piecewise-linear activation, with the force g that it feels from the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import mT, polynomial, rational
from toymodels.arithmetic.elementary import decay_integral
from toymodels.errors import InputError
from toymodels.solutions.one_neuron_start import neuron_arrays, neuron_rates
from toymodels.solutions.scaling import broadcast
from toymodels.solutions.vectors import norm

Array = Any


@rational("(),(),(),(),(),()->(),()")
def phase_velocity(mu: Array, phi: Array, s: Array, spread: Array, delta: Array, rates: Array) -> Array:
    """Velocities of mu and phi; rates is eta_a eta_w. Source: Kunin et al. 2024; linear_nets 6.3."""
    return spread * (phi * s - mu), 2 * rates * mu * s / (spread - delta) * (1 - phi * phi)


@rational("(1),(d),(d),(1),(1),(1)->(1),(d)")
def polar_velocity(
    mu: Array, direction: Array, force: Array, spread: Array, delta: Array, rates: Array
) -> tuple[Array, Array]:
    """Velocities of mu and of the direction under a force g, w' = eta_w a g, a' = eta_a w.g.

    Source: after Kunin et al. 2024; linear_nets 6.12.
    """
    radial = (direction * force).sum(-1, keepdims=True)
    return spread * radial, 2 * rates * mu / (spread - delta) * (force - direction * radial)


@polynomial("(n,d),(n,1),(n,m)->(m,d)")
def piecewise_force(X: Array, residual: Array, slopes: Array) -> Array:
    """Forces g_i = -(1/n) sum_k r_k sigma'(w_i.x_k) x_k on m neurons, slopes[k, i] = sigma'(w_i.x_k).

    Source: after Kunin et al. 2024; linear_nets 6.12.
    """
    return -mT(slopes * residual) @ X / X.shape[-2]


@polynomial("(),(),()->()")
def ratio_velocity(nu: Array, s: Array, delta: Array) -> Array:
    """Velocity of nu = w.b / a at unit rates. Source: Kunin et al. 2024; linear_nets 6.3."""
    return s * s - delta * nu - nu * nu


@polynomial("(),(),(),(),(),()->(),()")
def ratio_parts(nu0: Array, upper: Array, lower: Array, E: Array, K: Array, J: Array) -> tuple[Array, Array]:
    """Numerator and denominator of nu(t), upper and lower = kappa ± delta/2. Source: own derivation."""
    return nu0 * (E * K + lower * J) + upper * lower * J, E * K + (upper + nu0) * J


def phase(w: Any, a: Any, target: Any) -> tuple[Array, Array]:
    """Return mu = a |w| and phi, the cosine between w and the target.

    Parameters
    ----------
    w : array_like (..., d)
    a : array_like (...)
    target : array_like (..., d)

    Returns
    -------
    mu, phi : float64 arrays (...)
        phi is 0 where w or the target is zero and has no direction.

    Raises
    ------
    InputError
        When an argument is not valid.

    Notes
    -----
    After Kunin et al. 2024, arXiv 2406.06158; linear_nets 6.3.

    Examples
    --------
    >>> phase([3.0, 4.0], -2.0, [0.0, 1.0])
    (np.float64(-10.0), np.float64(0.8))
    """
    w, a, b = neuron_arrays(w, a, target, ("w", "a", "target"))
    size, length = norm(w), norm(b)
    unit_w, unit_b = (
        np.divide(v, n[..., None], out=np.zeros(v.shape), where=n[..., None] > 0)
        for v, n in ((w, size), (b, length))
    )
    with np.errstate(under="ignore"):
        return (a * size)[()], (unit_w * unit_b).sum(-1)[()]


def phase_velocities(mu: Any, phi: Any, s: Any, delta: Any, rates: Any = (1.0, 1.0)) -> tuple[Array, Array]:
    """Return the velocities of mu and phi, without cancellation for any imbalance.

    mu' = spread (phi s - mu), phi' = eta_w (a / |w|) s (1 - phi^2); at mu = 0
    the direction turns infinitely fast for delta > 0.

    Parameters
    ----------
    mu, phi : array_like
        Size with its sign and alignment, of `phase`.
    s : array_like
        Length of the target, >= 0.
    delta : array_like
        Conserved imbalance.
    rates : (float, float)
        Learning rates eta_w, eta_a >= 0.

    Raises
    ------
    InputError
        When an argument is not valid, or mu = 0 where delta >= 0, where w
        has no direction.

    Notes
    -----
    After Kunin et al. 2024, arXiv 2406.06158; linear_nets 6.3.

    Examples
    --------
    >>> phase_velocities(1.0, 0.5, 2.0, 0.0)
    (np.float64(0.0), np.float64(1.5))
    """
    mu, phi, s, delta = broadcast(mu=mu, phi=phi, s=s, delta=delta)
    eta_w, eta_a = neuron_rates(rates)
    if ((mu == 0) & (delta >= 0)).any():
        raise InputError("mu: expected numbers != 0 where delta >= 0; w = 0 has no direction there")
    with np.errstate(under="ignore", over="ignore"):
        twice = 2 * np.sqrt(eta_a) * np.sqrt(eta_w) * mu
        spread = np.hypot(delta, twice)
        larger = spread + np.abs(delta)
        # (spread - delta)(spread + delta) = 4 eta_a eta_w mu^2
        upstream = delta >= 0
        turn = np.where(upstream, larger / (2 * np.where(upstream, mu, 1.0)), 0.0)
        turn = np.divide(eta_a * eta_w * 2 * mu, larger, out=turn, where=~upstream)
        return (spread * (phi * s - mu))[()], (turn * s * (1 - phi) * (1 + phi))[()]


def ratio(nu0: Any, s: Any, delta: Any, t: Any) -> Array:
    """Return nu = w.b / a at time t from its start nu0, at unit rates.

    The published form is an inverse hyperbolic tangent with two branches; this
    is one quotient, through the pole where a changes sign.

    Parameters
    ----------
    nu0 : array_like
        Start.
    s : array_like
        Length of the target, >= 0.
    delta : array_like
        Imbalance a^2 - |w|^2.
    t : array_like
        Times, >= 0; inf gives the limit, kappa - delta/2.

    Returns
    -------
    nu : float64 array
        inf at the pole.

    Raises
    ------
    InputError
        When an argument is not valid.

    Notes
    -----
    Near its pole and its zero the error is that of a relative change 1e-14 of
    the start. Source: own derivation from the equation of Kunin et al. 2024.

    Examples
    --------
    >>> ratio(-5.0, 1.0, 0.0, [0.0, 0.1, 0.3, np.inf]).round(6)
    array([-5.      , -9.768233, 10.313334,  1.      ])
    """
    nu0, s, delta, t = broadcast(nu0=nu0, s=s, delta=delta, t=t)
    if (s < 0).any():
        raise InputError("s: expected numbers >= 0")
    with np.errstate(under="ignore", over="ignore"):
        kappa = np.hypot(s, delta / 2)
        larger = kappa + np.abs(delta) / 2
        smaller = s * np.divide(s, larger, out=np.zeros(s.shape), where=larger > 0)
        upper, lower = np.where(delta >= 0, (larger, smaller), (smaller, larger))
        turns = np.multiply(2 * kappa, t, out=np.zeros(t.shape), where=(kappa > 0) & (t > 0))
        J = decay_integral(2 * kappa, t)
        long = J > 1
        K = np.divide(1.0, J, out=np.ones(t.shape), where=long)
        top, bottom = ratio_parts(nu0, upper, lower, np.exp(-turns), K, np.where(long, 1.0, J))
        # both vanish at t = inf for a start that stays where it is
        still = (top == 0) & (bottom == 0)
        with np.errstate(divide="ignore"):
            return np.where(still, nu0, top / np.where(still, 1.0, bottom))[()]
