"""The scalar mode on its hyperbola ``a^2 - b^2 = delta``: the angle and the ratio of the layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import analytic, polynomial, rational
from toymodels.arithmetic.elementary import cosh, sinh, sqrt
from toymodels.errors import InputError
from toymodels.solutions.scaling import broadcast

Array = Any


@analytic("(),()->(),()", positive="delta")
def point(delta: Array, angle: Array) -> tuple[Array, Array]:
    """a = sqrt(delta) cosh(angle/2), b = sqrt(delta) sinh(angle/2). Source: Saxe et al. 2014."""
    root = sqrt(delta)
    return root * cosh(angle / 2), root * sinh(angle / 2)


@analytic("(),(),()->()")
def angle_velocity(delta: Array, s: Array, angle: Array) -> Array:
    """angle' = 2 s - delta sinh(angle). Source: Saxe et al. 2014; linear_nets 3.7."""
    return 2 * s - delta * sinh(angle)


@polynomial("(),(),()->()")
def ratio_velocity(delta: Array, s: Array, ratio: Array) -> Array:
    """rho' = s - delta rho - s rho^2 for rho = b / a. Source: own derivation, linear_nets 3.7."""
    return s - delta * ratio - s * ratio * ratio


@rational("(),(),()->()")
def moebius(ratio: Array, stable: Array, unstable: Array) -> Array:
    """(rho - rho+) / (rho - rho-), which decays as e^{-2 kappa t}. Source: linear_nets 3.7."""
    return (ratio - stable) / (ratio - unstable)


def angle(a: Any, b: Any) -> Array:
    """Return the hyperbolic angle of a point with a > |b|: tanh(angle / 2) = b / a.

    Parameters
    ----------
    a, b : array_like
        Input and output weight, a > |b|; they broadcast.

    Returns
    -------
    float64 array of the common shape

    Raises
    ------
    InputError
        When an argument is not real and finite, or a <= |b|: the other
        branches are the same with a and b exchanged or with both signs turned.

    Notes
    -----
    Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120; linear_nets 3.7.

    Examples
    --------
    >>> print(angle(np.cosh(1.0), np.sinh(1.0)).round(12))
    2.0
    """
    a, b = broadcast(a=a, b=b)
    if (a <= np.abs(b)).any():
        raise InputError("a, b: expected a > |b|")
    size = np.abs(b)
    return (np.sign(b) * np.log1p(2 * size / (a - size)))[()]


def ratio_fixed_points(delta: Any, s: Any) -> tuple[Array, Array]:
    """Return the stable and the unstable fixed point of the ratio rho = b / a.

    They are (-delta/2 ± kappa) / s with kappa^2 = s^2 + delta^2/4; their
    product is -1.

    Parameters
    ----------
    delta, s : array_like
        Conserved a^2 - b^2, and the target, not 0.

    Returns
    -------
    stable, unstable : float64 arrays of the common shape

    Raises
    ------
    InputError
        When an argument is not real and finite, or s is 0.

    Notes
    -----
    Source: own derivation, linear_nets 3.7.

    Examples
    --------
    >>> ratio_fixed_points(0.0, 2.0)
    (np.float64(1.0), np.float64(-1.0))
    """
    delta, s = broadcast(delta=delta, s=s)
    if (s == 0).any():
        raise InputError("s: expected targets other than 0")
    half = np.abs(delta) / 2
    with np.errstate(under="ignore", over="ignore"):
        larger = np.sign(s) * (half / np.abs(s) + np.hypot(1.0, half / s))
        smaller = 1 / larger
    upward = delta < 0
    return np.where(upward, larger, smaller)[()], -np.where(upward, smaller, larger)[()]
