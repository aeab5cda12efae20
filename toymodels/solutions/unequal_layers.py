"""Scalar layers of unequal size: ``a_j' = (s - u) u / a_j`` for the product u = a_1 ... a_L.

All a_j² move together: with the smallest layer z = a_1² and the conserved c_j =
a_j² - a_1², ``z' = 2 u (s - u)`` and u² = prod_j (z + c_j). The log-odds y =
-ln|s/u - 1| then move at the speed s u sum_j a_j^-2, which is smooth and tends
to the tail rate, so the time is one Gauss-Legendre quadrature in y.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import InputError
from toymodels.solutions.scaling import times
from toymodels.validation import real_array

Array = np.ndarray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_SETTLED = 40.0
"""Log-odds past which s - u is below rounding, and the speed constant."""
_MOST_STEPS = 200


class _Net(NamedTuple):
    """A start with positive layers and target: smallest square, the offsets of the others, the target."""

    z: float
    offsets: Array
    s: float
    signs: Array


class _Path(NamedTuple):
    """Log-odds at the edges of the panels, and the times there."""

    y: Array
    t: Array


def _net(a: Array, s: float) -> _Net:
    """Turn every layer and the target positive."""
    smallest = float(np.abs(a).min())
    size = np.abs(a)
    return _Net(smallest**2, (size - smallest) * (size + smallest), abs(s), np.where(a < 0, -1.0, 1.0))


def _log_product(net: _Net, q: Array) -> Array:
    """ln u at z = e^q."""
    return np.log(np.exp(q)[..., None] + net.offsets).sum(-1) / 2


def _square_at(net: _Net, log_u: Array) -> Array:
    """ln z of a given ln u: Newton's method on a convex function, from above since u >= z^{L/2}."""
    q = 2 * log_u / len(net.offsets)
    for _ in range(_MOST_STEPS):
        z = np.exp(q)[..., None]
        slope = (z / (z + net.offsets)).sum(-1) / 2
        step = (_log_product(net, q) - log_u) / slope
        q = q - step
        if (np.abs(step) <= 1e-9 * (1 + np.abs(q))).all():
            break
    return q


def _log_product_at(net: _Net, y: Array, rising: bool) -> Array:
    """ln u at log-odds y: u = s / (1 ± e^-y)."""
    return np.log(net.s) - (np.log1p(np.exp(-y)) if rising else np.log(-np.expm1(-y)))


def _squares(net: _Net, y: Array, rising: bool) -> Array:
    """All a_j² at log-odds y, (..., L)."""
    q = _square_at(net, _log_product_at(net, y, rising))
    return np.exp(q)[..., None] + net.offsets


def _slowness(net: _Net, y: Array, rising: bool) -> Array:
    """dt/dy."""
    u = np.exp(_log_product_at(net, y, rising))
    return 1 / (net.s * u * (1 / _squares(net, y, rising)).sum(-1))


def _integral(net: _Net, first: Array, last: Array, rising: bool) -> Array:
    """The time from log-odds `first` to `last`, panel by panel."""
    half = (last - first) / 2
    nodes = (first + half)[..., None] + half[..., None] * _NODES
    return half * (_slowness(net, nodes, rising) * _WEIGHTS).sum(-1)


def _edges(start: float, end: float, rising: bool) -> Array:
    """Panels of length at most 1, and shorter than half the distance to the singularity y = 0 of a fall."""
    edges = [start]
    while edges[-1] < end:
        width = 1.0 if rising else min(1.0, edges[-1] / 2)
        edges.append(min(edges[-1] + width, end))
    return np.array(edges)


def _odds(net: _Net, u: float) -> float:
    """-ln|s/u - 1|, positive above the target."""
    return float(-np.log1p(-net.s / u) if u > 2 * net.s else np.log(u) - np.log(abs(net.s - u)))


def _checked(a: Any, s: Any) -> tuple[Array, float]:
    a, s = real_array("a", a, 1), float(real_array("s", s, 0))
    u = np.prod(a)
    if not u * s > 0:
        raise InputError("a, s: expected layers whose product is not zero and has the target's sign")
    return a, s


def time_to_product(a: Any, u: Any, s: Any) -> float:
    """Return the time in which scalar layers move from their start to the product u.

    Parameters
    ----------
    a : array_like (L,)
        Initial layers, of any sizes.
    u : float
        Product to reach, between the initial one and s.
    s : float
        Target, of the sign of the initial product.

    Returns
    -------
    float
        inf for u = s, unless it is the start.

    Raises
    ------
    InputError
        When the product of the layers is zero or of the wrong sign, or the
        flow does not pass u.

    Notes
    -----
    Accurate to about 1e-13 relative where s - u is not a small difference of
    the inputs. Source: own derivation, linear_nets 4.4.

    Examples
    --------
    >>> print(f"{time_to_product([0.1, 0.1], 0.9, 1.0):.9f}", f"{np.log(891) / 2:.9f}")
    3.396172214 3.396172214
    """
    a, s = _checked(a, s)
    u, net, start = float(real_array("u", u, 0) * np.sign(s)), _net(a, s), float(abs(np.prod(a)))
    rising = start < net.s
    if not min(start, net.s) <= u <= max(start, net.s):
        raise InputError("u: expected a product between the initial one and s")
    if u == start:
        return 0.0
    if u == net.s:
        return float("inf")
    edges = _edges(_odds(net, start), _odds(net, u), rising)
    return float(_integral(net, edges[:-1], edges[1:], rising).sum())


def _path(net: _Net, start: float, rising: bool) -> _Path:
    """Times at the panels' edges from the start to where the tail rate holds."""
    first = _odds(net, start)
    edges = _edges(first, max(_SETTLED, first), rising)
    spent = _integral(net, edges[:-1], edges[1:], rising)
    return _Path(edges, np.concatenate([[0.0], np.cumsum(spent)]))


def _odds_at(net: _Net, path: _Path, t: Array, rising: bool) -> Array:
    """Log-odds at times: a panel, then Newton's method inside it; the tail rate past the last."""
    panel = np.clip(np.searchsorted(path.t, t, side="right") - 1, 0, len(path.t) - 1)
    left, spare = path.y[panel], t - path.t[panel]
    inside = panel < len(path.t) - 1
    y = left + np.where(inside, 0.0, spare / _slowness(net, left, rising))
    if not inside.any():
        return y
    first, spare = left[inside], spare[inside]
    last = path.y[panel[inside] + 1]
    found = first.copy()
    for _ in range(_MOST_STEPS):
        step = (spare - _integral(net, first, found, rising)) / _slowness(net, found, rising)
        found = np.clip(found + step, first, last)
        if (np.abs(step) <= 1e-9).all():
            break
    y[inside] = found
    return y


def flow(a: Any, s: Any, t: Any) -> Array:
    """Return the layers of a scalar deep net at time t, from any sizes.

    Parameters
    ----------
    a : array_like (L,)
        Initial layers.
    s : float
        Target, of the sign of the initial product, so that no layer crosses zero.
    t : array_like
        Times >= 0; inf gives the limit.

    Returns
    -------
    float64 array, t.shape + (L,)

    Raises
    ------
    InputError
        When the product of the layers is zero or of the wrong sign, or t is
        negative or nan.

    Notes
    -----
    Errors are those of a relative change of about 1e-14 in the time. Source: own
    derivation, linear_nets 4.4.

    Examples
    --------
    >>> flow([0.1, 1.0, 2.0], 1.0, [0.0, np.inf]).prod(-1).round(12)
    array([0.2, 1. ])
    """
    a, s = _checked(a, s)
    t, net, start = times("t", t), _net(a, s), float(abs(np.prod(a)))
    if start == net.s:
        return np.broadcast_to(a, t.shape + a.shape).copy()
    rising = start < net.s
    with np.errstate(under="ignore", over="ignore"):
        path = _path(net, start, rising)
        y = _odds_at(net, path, np.ravel(t), rising).reshape(t.shape)
        layers = net.signs * np.sqrt(_squares(net, y, rising))
    return np.where((t == 0)[..., None], a, layers)
