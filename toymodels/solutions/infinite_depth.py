"""Infinite depth in the time L t: ``u' = u² (s - u)``, solved by the Wright omega function."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import rational
from toymodels.errors import InputError
from toymodels.solutions.scaling import broadcast

Array = Any


@rational("(),()->()")
def product_of(s: Array, odds: Array) -> Array:
    """The product with odds v = s/u - 1 left. Source: own derivation, linear_nets 4.2."""
    return s / (1 + odds)


@rational("(),()->()")
def odds_velocity(s: Array, odds: Array) -> Array:
    """v' for v + ln v falling at the speed s². Source: own derivation, linear_nets 4.2."""
    return -s * s * odds / (1 + odds)


def product(u0: Any, s: Any, t: Any) -> Array:
    """Return the product u of an infinitely deep balanced mode at the rescaled time t = L * time.

    u = s / (1 + omega(v0 + ln v0 - s² t)), v0 = s/u0 - 1, where omega + ln
    omega = z defines the Wright omega function. The delay is finite: at
    infinite depth a small u0 waits for about 1 / (s u0).

    Parameters
    ----------
    u0, s : array_like
        Initial product and target, 0 < u0 <= s.
    t : array_like
        Times L * time >= 0; inf gives the limit s. All three broadcast.

    Returns
    -------
    float64 array of the common shape

    Raises
    ------
    InputError
        When u0 is not in (0, s], or an argument is not real and finite (t:
        negative or nan).

    Notes
    -----
    `deep_mode.product` with depth=inf takes any real u0 and s. Source: own
    derivation, linear_nets 4.2.

    Examples
    --------
    >>> product(0.1, 1.0, [0.0, 10.0, 20.0]).round(6)
    array([0.1     , 0.475963, 0.99985 ])
    """
    from scipy.special import wrightomega

    u0, s, t = broadcast(u0=u0, s=s, t=t)
    if ((u0 <= 0) | (u0 > s)).any():
        raise InputError("u0: expected initial products in (0, s]; deep_mode takes any")
    with np.errstate(under="ignore", over="ignore"):
        odds = np.maximum((s - u0) / u0, np.finfo(float).tiny)
        left = wrightomega(odds + np.log(odds) - s * s * t)
        return np.where(t == 0, u0, product_of(s, left))[()]
