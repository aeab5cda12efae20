"""The balanced deep mode ``u' = L |u|^{2-2/L} (s - u)``: the product of L equal scalar layers.

Every layer is |u|^{1/L} up to its sign. With a = 1 - 2/L the path falls into at
most two phases, each a power law that saturates (`incomplete_beta`): away from
where it is far from the target in some share c < 1/2, then towards its limit.

    0 < u < s      c = u/s, then (s - u)/s
    u > s >= 0     c = s/u, then (u - s)/u
    s < 0 < u      c = |s|/(|s| + u), then u/(|s| + u)

Depth inf is the limit L -> inf in the time L t. u and u - s keep their relative
accuracy, up to the rounding of the time: escaping from a small u0 a relative
change x of the time moves u by about x (u / u0)^a relative.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import InputError
from toymodels.solutions.incomplete_beta import Clock, advance, elapsed
from toymodels.solutions.scaling import broadcast
from toymodels.validation import positive_int

Array = Any


class _Depth(NamedTuple):
    """L as the equation needs it: a = 1 - 2/L, and the factor L (1 at depth inf, whose time is L t)."""

    a: float
    factor: float


class _Phase(NamedTuple):
    """One phase of each path: its clock, its pace per unit of time, and which of the laws it obeys."""

    clock: Clock
    pace: Array
    below: Array
    above: Array


def _depth(depth: Any) -> _Depth:
    if isinstance(depth, float) and depth == np.inf:
        return _Depth(1.0, 1.0)
    L = positive_int("depth", depth)
    return _Depth(1 - 2 / L, float(L))


def _laws(u: Array, s: Array) -> tuple[Array, Array]:
    """Where u rises to s, and where it falls to s >= 0; elsewhere it falls to zero, s < 0."""
    return (u < s) & (u > 0), (u >= s) & (s >= 0)


def _share(first: Array, second: Array) -> Array:
    """The share first / second, zero for 0/0."""
    return np.divide(first, second, out=np.zeros(second.shape), where=second > 0)


def _early(u: Array, s: Array, depth: _Depth) -> _Phase:
    """The phase in which a share grows from that of u up to 1/2."""
    a, size = depth.a, np.abs(s)
    below, above = _laws(u, s)
    c = np.where(below, _share(u, size), np.where(above, _share(size, u), _share(size, size + u)))
    beta = np.where(below, -a, 1 + a)
    e = np.where(below | above, 1.0, 1 + a)
    pace = np.where(below, s * u**a, np.where(above, u, size + u) ** (1 + a))
    shift = np.where(below | above, 0.0, size)
    most = _distance_early(below, shift, u, _middle(u, s))
    return _Phase(Clock(c, beta, e, np.ones(u.shape, bool), most), depth.factor * pace, below, above)


def _late(u: Array, s: Array, depth: _Depth) -> _Phase:
    """The phase in which a share of at most 1/2 decays from that of u."""
    a, size = depth.a, np.abs(s)
    below, above = _laws(u, s)
    c = np.where(below, _share(s - u, size), np.where(above, _share(u - s, u), _share(u, size + u)))
    beta = np.where(below | above, 0.0, -a)
    e = np.where(below, 1 + a, -a)
    pace = np.where(below | above, size ** (1 + a), size * (size * c) ** a)
    clock = Clock(np.minimum(c, 0.5), beta, e, np.zeros(u.shape, bool), np.full(u.shape, np.inf))
    return _Phase(clock, depth.factor * pace, below, above)


def _after_early(phase: _Phase, u0: Array, s: Array, distance: Array) -> Array:
    """u after a distance of the early phase."""
    half = np.exp(np.where(phase.below, distance, -distance) / 2)
    moved = u0 * half * half
    return np.where(phase.below | phase.above, moved, moved + np.abs(s) * np.expm1(-distance))


def _after_late(phase: _Phase, s: Array, distance: Array) -> tuple[Array, Array]:
    """u and s - u after a distance of the late phase."""
    share = phase.clock.c * np.exp(-distance)
    size = np.abs(s)
    u = np.where(phase.below, size * (1 - share), size * np.where(phase.above, 1.0, share) / (1 - share))
    rest = np.where(phase.below, size * share, -u * np.where(phase.above, share, 1.0))
    return u, np.where(phase.below | phase.above, rest, s - u)


def _middle(u: Array, s: Array) -> Array:
    """Where the early phase ends: the u of share 1/2."""
    below, above = _laws(u, s)
    return np.where(below, s / 2, np.where(above, 2 * s, np.abs(s)))


def _is_early(u: Array, s: Array) -> Array:
    """Whether the path has its early phase before it."""
    middle = _middle(u, s)
    return np.where(_laws(u, s)[0], u < middle, u > middle)


def _distance_early(below: Array, shift: Array, u0: Array, u: Array) -> Array:
    """|ln c| moved from u0 to u in the early phase, where c or 1/c is proportional to u + shift."""
    first, last = np.where(below, u, u0) + shift, np.where(below, u0, u) + shift
    return _log_ratio(first, last, np.abs(u - u0))


def _distance_late(phase: _Phase, u0: Array, u: Array, s: Array) -> Array:
    """|ln c| moved from u0 to u in the late phase."""
    size = np.abs(s)
    over0 = np.where(phase.below, size, np.where(phase.above, u0, size + u0))
    over = np.where(phase.below, size, np.where(phase.above, u, size + u))
    gaps = [np.where(phase.below | phase.above, np.abs(x - s), x) for x in (u0, u)]
    change = _share(np.abs(u - u0), over0) * np.where(phase.below, 1.0, _share(size, over))
    return _log_ratio(_share(gaps[0], over0), _share(gaps[1], over), change)


def _log_ratio(first: Array, last: Array, difference: Array) -> Array:
    """ln(first / last) >= 0, given first - last to full relative accuracy; inf for last = 0."""
    near = (difference < last / 2) & (last > 0)
    far = np.log(first, out=np.zeros(first.shape), where=first > 0) - np.log(
        last, out=np.full(last.shape, -np.inf), where=last > 0
    )
    log = np.log1p(np.divide(difference, last, out=np.zeros(last.shape), where=near))
    return np.where(near, log, np.where(difference > 0, far, 0.0))


def _turned(u0: Array, s: Array) -> tuple[Array, Array, Array]:
    """The sign of u0, and the same problem with u0 >= 0."""
    sign = np.where(u0 < 0, -1.0, 1.0)
    return sign, sign * u0, sign * s


def _times(pace: Array, t: Array) -> Array:
    """The time in units of the pace, without 0 * inf."""
    return np.multiply(pace, t, out=np.zeros(t.shape), where=(pace > 0) & (t > 0))


def _flow(u0: Array, s: Array, t: Array, depth: _Depth) -> tuple[Array, Array]:
    """u and s - u at time t, for u0 > 0 (at rest where u0 = 0 or u0 = s)."""
    early = _is_early(u0, s)
    start = _early(u0, s, depth)
    spent = _spent(start, np.where(early, start.clock.most, 0.0))
    begins = early & ((t < spent) | np.isinf(start.clock.most))
    moved = advance(_only(start.clock, begins), _times(np.where(begins, start.pace, 0.0), t))
    u_early = _after_early(start, u0, s, moved)

    from_u = np.where(early, _middle(u0, s), u0)
    end = _late(from_u, s, depth)
    left = np.subtract(t, spent, out=np.where(begins, 0.0, np.inf), where=~begins & np.isfinite(t))
    moved = advance(_only(end.clock, ~begins), _times(end.pace, left))
    u_late, rest = _after_late(end, s, moved)
    u, rest = np.where(begins, u_early, u_late), np.where(begins, s - u_early, rest)
    still = (t == 0) | (u0 == s) | (u0 == 0)
    return np.where(still, u0, u), np.where(still, s - u0, rest)


def _only(clock: Clock, where: Array) -> Clock:
    """The clock with harmless numbers where it does not run."""
    most = np.where(where, clock.most, np.log(2))
    return clock._replace(c=np.where(where, clock.c, 0.25), beta=np.where(where, clock.beta, 0.0), most=most)


def _solve(u0: Any, s: Any, t: Any, depth: Any) -> tuple[Array, Array]:
    L = _depth(depth)
    u0, s, t = broadcast(u0=u0, s=s, t=t)
    if L.a == -1:
        decay = np.exp(-t)
        return u0 * decay - s * np.expm1(-t), (s - u0) * decay
    with np.errstate(under="ignore", over="ignore", divide="ignore"):
        sign, u0, s = _turned(u0, s)
        u, rest = _flow(u0, s, t, L)
        # adding zero turns -0 into 0
        return sign * u + 0.0, sign * rest + 0.0


def product(u0: Any, s: Any, t: Any, *, depth: Any) -> Array:
    """Return the product u of a balanced deep mode at time t.

    It solves ``u' = L |u|^{2-2/L} (s - u)``, the gradient flow of (s - u)²/2
    for the product u of L scalar layers of equal size.

    Parameters
    ----------
    u0, s : array_like
        Initial product and target; any real numbers. From depth 2 on a product
        never changes its sign, so one of the wrong sign ends at 0.
    t : array_like
        Times >= 0; inf gives the limit. All three broadcast.
    depth : int or inf
        Number of layers L >= 1. With ``depth=inf`` the equation is
        u' = u² (s - u), the limit of large L in the time L t.

    Returns
    -------
    float64 array of the common shape

    Raises
    ------
    InputError
        When an argument is not real and finite (t: negative or nan), the
        shapes do not broadcast, or depth is not a positive integer or inf.

    Notes
    -----
    Where the answer is not more sensitive to a rounding of the time, it is
    accurate to about 1e-14 relative, for u0 and s between 1e-150 and 1e150 in
    size. Source: the equation is that of Saxe, McClelland, Ganguli 2014, arXiv
    1312.6120 (their N_l = L + 1 counts layers of units); the solution is an own
    derivation, linear_nets 4.1.

    Examples
    --------
    >>> product(0.001, 1.0, [0.0, 3.0, np.inf], depth=3)
    array([0.001     , 0.00290897, 1.        ])
    """
    return _solve(u0, s, t, depth)[0][()]


def residual(u0: Any, s: Any, t: Any, *, depth: Any) -> Array:
    """Return the residual s - u at time t, to full relative accuracy in its tail; see `product`.

    Examples
    --------
    >>> print(f"{residual(0.5, 1.0, 200.0, depth=3):.6e}")
    3.548341e-261
    """
    return _solve(u0, s, t, depth)[1][()]


def time_to_product(u0: Any, u: Any, s: Any, *, depth: Any) -> Array:
    """Return the time in which a balanced deep mode moves from u0 to u.

    Parameters
    ----------
    u0, u, s : array_like
        Initial product, later product and target. The flow must pass u:
        between u0 and s, or between u0 and 0 where s has the other sign
        (depth >= 2).
    depth : int or inf
        As in `product`.

    Returns
    -------
    float64 array
        inf where u is a limit that is never reached.

    Raises
    ------
    InputError
        As `product`, and when the flow from u0 does not pass u.

    Notes
    -----
    Source: own derivation; elementary for every integer depth, and a
    hypergeometric function for all. linear_nets 4.1.

    Examples
    --------
    >>> print(f"{time_to_product(0.1, 0.9, 1.0, depth=2):.9f}", f"{np.log(81) / 2:.9f}")
    2.197224577 2.197224577
    """
    L = _depth(depth)
    u0, u, s = broadcast(u0=u0, u=u, s=s)
    if L.a == -1:
        _check_passed(u0, u, s)
        return _log_ratio(np.abs(s - u0), np.abs(s - u), np.abs(u - u0))[()]
    sign, u0, s = _turned(u0, s)
    u = sign * u
    _check_passed(u0, u, np.where(u0 == 0, 0.0, np.maximum(s, 0.0)))
    with np.errstate(under="ignore", over="ignore", divide="ignore"):
        early, middle = _is_early(u0, s), _middle(u0, s)
        up = u0 < s
        turn = np.where(up, np.minimum(u, middle), np.maximum(u, middle))
        first, last = _early(u0, s, L), _late(np.where(early, middle, u0), s, L)
        shift = np.where(first.below | first.above, 0.0, np.abs(s))
        spent = _spent(first, np.where(early, _distance_early(first.below, shift, u0, turn), 0.0))
        starts = np.where(early, middle, u0)
        beyond = np.where(up, u > starts, u < starts)
        rest = np.where(beyond, _distance_late(last, starts, u, s), 0.0)
        return (spent + _spent(last, rest))[()]


def _spent(phase: _Phase, distance: Array) -> Array:
    """The time of a distance in a phase."""
    finite = np.isfinite(distance)
    moved = (distance > 0) & finite
    units = elapsed(_only(phase.clock, moved), np.where(finite, distance, 0.0))
    time = np.divide(units, phase.pace, out=np.zeros(units.shape), where=moved)
    return np.where(finite, time, np.inf)


def _check_passed(u0: Array, u: Array, end: Array) -> None:
    """Refuse a u outside the path from u0 to its limit."""
    low, high = np.minimum(u0, end), np.maximum(u0, end)
    if ((u < low) | (u > high)).any():
        raise InputError("u: expected products that the flow from u0 passes on its way to the limit")
