"""Two residuals that decay together: ``u' = -u (K11 u + K12 v)``, ``v' = -v (K12 u + K22 v)``.

K is positive semidefinite. It is the gradient flow of two samples under the exponential loss whose tangent
kernel does not change, with u and v the samples' shares of the loss. With A =
K11 - K12 and B = K22 - K12 the ratio r = v/u is logistic in the integral U of
u, ``dr/dU = r (A - B r)``; so everything is elementary in U, the integral V of
v included, and time is one quadrature. The clock is the integral of the species
whose share does not fall (of the one that may outlast the other where the ratio
has no positive limit): then no quantity cancels, and it runs to infinity.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic import polynomial, rational
from toymodels.arithmetic.elementary import growth_time
from toymodels.errors import InputError
from toymodels.solutions.clock_time import ClockTime, log_growth
from toymodels.solutions.scaling import times
from toymodels.validation import real_array

Array = Any

_EPS = np.finfo(float).eps
_OUT_OF_SIGHT = 40.0
"""Units of the logistic's logarithm from its middle at which it is exponential to rounding."""
_LONGEST = 1500.0
"""Growth of the logarithm of the pace past which time is out of reach of floats."""
_MOST_STEPS = 200


@polynomial("(),(),(),(),()->(),()")
def velocity(K11: Array, K12: Array, K22: Array, u: Array, v: Array) -> tuple[Array, Array]:
    """u' and v'. Source: neuron_partition E1."""
    return -u * (K11 * u + K12 * v), -v * (K12 * u + K22 * v)


@rational("(),(),(),()->()")
def ratio(r0: Array, A: Array, B: Array, grown: Array) -> Array:
    """v/u where e^{A U} is `grown`. Source: neuron_partition E1."""
    return r0 * grown / (1 + r0 * (B / A) * (grown - 1))


@rational("(),(),()->()")
def final_rate(K11: Array, K12: Array, K22: Array) -> Array:
    """nu, the rate at which log u falls with the clock lam = B V in the end. Source: neuron_partition E1."""
    return K11 / (K11 - K12) + K12 / (K22 - K12)


@rational("(),(),(),(),(),()->(),()")
def log_changes(K11: Array, K12: Array, A: Array, nu: Array, rise: Array, lam: Array) -> tuple[Array, Array]:
    """log(u/u0) and log(v/v0) where log(r/r0) is `rise` and B V is lam. Source: neuron_partition E1."""
    return -(K11 / A) * rise - nu * lam, -(K12 / A) * rise - nu * lam


class Shares(NamedTuple):
    """Logs of u and v, and their integrals U and V from time 0 on."""

    log_u: Array
    log_v: Array
    U: Array
    V: Array


def _product(a: float, x: Array) -> Array:
    """a x, 0 for a = 0 even where x is inf."""
    return a * x if a != 0 else np.zeros(np.shape(x))


class LotkaVolterra:
    """Two residuals from a start, at any time.

    Parameters
    ----------
    kernel : array_like (2, 2)
        K, symmetric and positive semidefinite.
    log_u, log_v : float
        Logs of the start.
    determinant : float, optional
        Of K, where it is known better than from the entries.

    Attributes
    ----------
    A, B : float
        K11 - K12 and K22 - K12.

    Raises
    ------
    InputError
        When K is not symmetric and semidefinite to rounding, or the logs are not finite.

    Notes
    -----
    All results are accurate to about 1e-13 relative, those of a degenerate
    kernel included (one species at rest, proportional rows, A or B <= 0).
    Source: neuron_partition E1; own: A or B <= 0.

    Examples
    --------
    >>> flow = LotkaVolterra([[1.0, 0.0], [0.0, 2.0]], 0.0, 0.0)
    >>> flow.at([0.0, 1.0, np.inf]).log_u.round(12)
    array([ 0.        , -0.69314718,        -inf])
    >>> coupled = LotkaVolterra([[1.0, -0.5], [-0.5, 1.0]], 0.0, -2.0)
    >>> log_u, log_v, _, _ = coupled.at(1e6)
    >>> np.exp([log_u, log_v]).round(9), float(coupled.log_ratio_limit)
    (array([2.e-06, 2.e-06]), 0.0)
    """

    def __init__(self, kernel: Any, log_u: float, log_v: float, *, determinant: float | None = None):
        K = real_array("kernel", kernel, 2)
        if K.shape != (2, 2) or abs(K[0, 1] - K[1, 0]) > 64 * _EPS * np.abs(K).max():
            raise InputError("kernel: expected a symmetric 2 by 2 matrix")
        start = real_array("log_u, log_v", [log_u, log_v], 1)
        (K11, k), (_, K22) = K.tolist()
        unit = float(np.abs(K).max()) or 1.0
        share, square = (K11 / unit) * (K22 / unit), (k / unit) ** 2
        if min(K11, K22) < 0 or share - square < -64 * _EPS * (share + square):
            raise InputError(f"kernel: expected a positive semidefinite matrix, got {K.tolist()}")
        # both are negative by rounding alone: their sum is a square
        excess: tuple[float, float] = (0.0, 0.0) if max(K11, K22) < k else (K11 - k, K22 - k)
        self.A, self.B = excess
        self._swapped = _swapped(self.A, self.B, start)
        diagonal = K11, K22
        if self._swapped:
            diagonal, excess, start = diagonal[::-1], excess[::-1], start[::-1]
        # from here on u leads: its integral is the clock
        (self._K, _), self._k, (self._a, self._b) = diagonal, k, excess
        self._log_u, self._log_v = start
        self._log_r = float(start[1] - start[0])
        self._logistic = self._a > 0
        self._nu = 0.0
        if self._logistic and determinant is not None:
            self._nu = float(determinant) / self._a / self._b
        elif self._logistic:
            # det K / (A B), a sum of positive terms for k >= 0
            gap = max(share - square, 0.0) / (self._a / unit) / (self._b / unit)
            self._nu = gap if k < 0 else 1 + k / self._a + k / self._b
        self._log_share = min(self._log_r + np.log(self._b / self._a), 0.0) if self._logistic else 0.0

    @property
    def log_ratio_limit(self) -> float:
        """Log of v/u as t goes to inf; infinite where one outlasts the other."""
        return float(self._oriented_log(self._log_r + self._rise(np.array(np.inf))))

    def _oriented_log(self, log_ratio: Array) -> Array:
        return -log_ratio if self._swapped else log_ratio

    def _lam(self, U: Array) -> Array:
        """b V = log(1 + b r0 (e^{a U} - 1)/a)."""
        return (
            np.zeros(np.shape(U))
            if self._b == 0
            else np.logaddexp(0, np.log(self._b) + self._log_r + log_growth(self._a, U))
        )

    def _V(self, U: Array) -> Array:
        """The other integral at clocks U."""
        if self._b == 0:
            with np.errstate(over="ignore"):
                return np.exp(self._log_r + log_growth(self._a, U))
        return self._lam(U) / self._b

    def _rise(self, U: Array) -> Array:
        """log(r/r0) at clocks U."""
        if not self._logistic:
            return _product(self._a, U) - self._lam(U)
        left = np.exp(-self._a * U)
        away = -np.expm1(self._log_share) * -np.expm1(-self._a * U)
        with np.errstate(divide="ignore"):
            far = -np.logaddexp(-self._a * U, self._log_share + np.log1p(-left))
        return np.where(away < 0.5, -np.log1p(-np.minimum(away, 0.5)), far)

    def _changes(self, U: Array) -> tuple[Array, Array]:
        """Changes of log u and log v at clocks U."""
        if self._logistic:
            lam = self._lam(U) if self._nu > 0 else np.zeros(np.shape(U))
            return log_changes(self._K, self._k, self._a, self._nu, self._rise(U), lam)
        V = self._V(U)
        first = -_product(self._K, U) - _product(self._k, V)
        return first, -_product(self._k, U) - _product(self._k + self._b, V)

    def at_clock(self, clock: Any) -> Shares:
        """Return logs and integrals at values of the clock, inf allowed."""
        U = np.asarray(clock, dtype=float)
        V, (of_u, of_v) = self._V(U), self._changes(U)
        found = (self._log_u + of_u, self._log_v + of_v), (U, V)
        return Shares(*(part for pair in found for part in (pair[::-1] if self._swapped else pair)))

    def at(self, t: Any) -> Shares:
        """Return logs and integrals at times t, of its shape; inf allowed.

        Raises
        ------
        InputError
            When a time is negative or nan.
        """
        return self.at_clock(self.clock(t))

    def clock(self, t: Any) -> Array:
        """Return the clock at times t, inf allowed."""
        return self._time.clock(times("t", t))[()]

    def time(self, clock: Any) -> Array:
        """Return the times at which the clock shows given values, inf allowed."""
        return self._time.time(np.asarray(clock, dtype=float))[()]

    @cached_property
    def _time(self) -> ClockTime:
        """t = integral of dU / u."""
        edges, before = self._panels()
        after = float(self._nu * self._a) if self._logistic else self._slope(self._ratio_at(edges[-1]))
        return ClockTime(lambda U: -self._log_u - self._changes(U)[0], np.array(edges), after, before)

    def _slope(self, r: float) -> float:
        """Slope of log(1/u) in the clock."""
        return self._K + (self._k * r if self._k != 0 else 0.0)

    def _ratio_at(self, U: float) -> float:
        """r at one clock, at most what floats hold."""
        return float(np.exp(min(self._log_r + float(self._rise(np.array(U))), 700.0)))

    def _panels(self) -> tuple[list[float], float | None]:
        """Edges of panels on which the pace changes by a few units, and its rate on a long first one."""
        start, end = self._zone()
        edges, U = [0.0] if start == 0 else [0.0, start], start
        r, reach = self._ratio_at(start), 0.0
        longest = _LONGEST + abs(self._log_u)
        while reach < longest and end > U and not self._is_settled(r):
            step = 2 / (self._K + abs(self._a) + (abs(self._k) + self._b) * r)
            U += step
            later = self._ratio_at(U)
            reach += step * min(self._slope(r), self._slope(later))
            r = later
            edges.append(U)
        return edges, self._K if start > 0 else None

    def _zone(self) -> tuple[float, float]:
        """Clocks between which the pace is not exponential."""
        if self._k == 0:
            return 0.0, 0.0
        if not self._logistic:
            return 0.0, np.inf
        margin = _OUT_OF_SIGHT + np.log1p(abs(self._k) / self._b)
        start = max(-self._log_share - margin, 0.0)
        with np.errstate(divide="ignore"):
            end = np.log(-np.expm1(self._log_share)) - self._log_share + margin
        return start / self._a, max(end, 0.0) / self._a

    def _is_settled(self, r: float) -> bool:
        """Whether the pace is exponential from a ratio r on, with the leading species alone left."""
        return not self._logistic and (self._k * r <= 0.1 * _EPS * -self._a or self._a == self._b == 0)

    def _oriented(self, of_u: Any, of_v: Any) -> tuple[Array, Array]:
        pair = np.broadcast_arrays(np.asarray(of_u, dtype=float), np.asarray(of_v, dtype=float))
        return (pair[1], pair[0]) if self._swapped else (pair[0], pair[1])

    def clock_of_rates(self, of_u: Any, of_v: Any) -> Array:
        """Return the clocks at which ``of_u u + of_v v`` first falls through zero; inf where never.

        Parameters
        ----------
        of_u, of_v : array_like
            Coefficients; the sum is >= 0 at the start, up to rounding.
        """
        p, q = self._oriented(of_u, of_v)
        growing = -1.0 if not self._logistic else 1.0
        falls = q * growing < 0
        rise = self._rise_to(p, q)
        clock = np.where(falls, self._clock_of_rise(np.where(falls, rise, 0.0)), np.inf)
        return clock[()]

    def _rise_to(self, p: Array, q: Array) -> Array:
        """log(r/r0) where p + q r = 0; -inf or nan where no ratio makes it so."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            return np.log(np.maximum(-p / q, 0.0)) - self._log_r

    def _clock_of_rise(self, rise: Array) -> Array:
        """The clock at which log(r/r0) is `rise`: 0 if it was before, inf if never."""
        if self._logistic:
            away = -np.expm1(self._log_share)
            with np.errstate(divide="ignore", invalid="ignore"):
                clock = -np.log1p(np.expm1(-rise) / away) / self._a
            return np.where(rise <= 0, 0.0, np.where(rise < -self._log_share, clock, np.inf))
        if self._a == self._b == 0:
            return np.where(rise >= 0, 0.0, np.inf)
        with np.errstate(over="ignore"):
            # with w = 1/r: w' = b - a w
            grown = np.maximum(np.expm1(-rise) / (self._b * np.exp(self._log_r) - self._a), 0.0)
        ever = grown < np.inf
        return np.where(ever, growth_time(-self._a, np.where(ever, grown, 0.0)), np.inf)

    def clock_of_integrals(
        self, start: Any, of_U: Any, of_V: Any, floor: Any = 0.0, *, final: Any = None
    ) -> Array:
        """Return the clocks at which ``start + of_U U + of_V V`` first falls through zero; inf where never.

        Parameters
        ----------
        start : array_like
            Values >= 0 at time 0, up to the floor.
        of_U, of_V : array_like
            Coefficients.
        floor : array_like
            How far below zero a least value may be by rounding.
        final : array_like, optional
            of_U/A + of_V/B, where it is known better than from its terms.

        Notes
        -----
        V is convex or concave in U, as the ratio grows or falls; so Newton's
        method from the right side is monotone. Source: own derivation.
        """
        p, q = self._oriented(of_U, of_V)
        if self._logistic:
            terms = p / self._a, q / self._b
            last = terms[0] + terms[1] if final is None else np.asarray(final, dtype=float)
            blurred = np.abs(last) <= 4 * _EPS * (np.abs(terms[0]) + np.abs(terms[1]))
            last = np.where(blurred & (final is None), 0.0, last)
        else:
            last = p + (q * np.exp(self._log_r) if self._a == self._b == 0 else 0.0)
        given = np.broadcast_arrays(np.maximum(start, 0.0), p, q, last, floor)
        *parts, floor = (np.ravel(x) for x in given)
        line = _Line(*parts)
        convex = line.q * (1.0 if self._logistic else -1.0) > 0
        clock = np.full(line.start.shape, np.inf)
        for kind, find in ((convex, self._through_convex), (~convex, self._through_concave)):
            if kind.any():
                clock[kind] = find(line.at(kind), floor[kind])
        return clock.reshape(given[0].shape)[()]

    def _value(self, line: _Line, U: Array) -> Array:
        if self._logistic:
            return line.start + line.p / self._a * self._rise(U) + line.last * self._lam(U)
        return line.start + line.p * U + _products(line.q, self._V(U))

    def _tangent(self, line: _Line, U: Array) -> Array:
        with np.errstate(over="ignore", under="ignore"):
            return line.p + _products(line.q, np.exp(self._log_r + self._rise(U)))

    def _through_convex(self, line: _Line, floor: Array) -> Array:
        """The slope rises: zeros lie before the lowest point, and Newton's steps from 0 never pass them."""
        begin = np.zeros(line.start.shape)
        falling = self._tangent(line, begin) < 0
        rise = self._rise_to(line.p, line.q)
        bottom = self._clock_of_rise(np.where(falling, rise, 0.0))
        lowest = self._value(line, np.where(bottom < np.inf, bottom, 0.0))
        lowest = np.where(bottom < np.inf, lowest, self._lowest_limit(line))
        clock, there = np.full(line.start.shape, np.inf), falling & (lowest < -floor)
        if there.any():
            clock[there] = self._newton(line.at(there), begin[there])
        return clock

    def _lowest_limit(self, line: _Line) -> Array:
        """The limit of a convex function that falls for ever."""
        left = (
            -line.p / self._a * self._log_share
            if self._logistic
            else _products(line.q, self._V(np.array(np.inf)))
        )
        return np.where(line.last < 0, -np.inf, line.start + left)

    def _through_concave(self, line: _Line, floor: Array) -> Array:
        """The slope falls: from a point where the value is negative Newton's steps come back to the zero."""
        ends = line.last < 0
        clock = np.full(line.start.shape, np.inf)
        if not ends.any():
            return clock
        some, unit = line.at(ends), 1 / (max(self._K + abs(self._a), abs(self._k) + self._b) or 1.0)
        gone = (some.start == 0) & (self._tangent(some, np.zeros(some.start.shape)) <= 0)
        U = np.full(some.start.shape, unit)
        while (short := self._value(some, U) >= 0).any():
            U = np.where(short, 2 * U, U)
        clock[ends] = np.where(gone, 0.0, self._newton(some, U))
        return clock

    def _newton(self, line: _Line, U: Array) -> Array:
        """The zeros; inf where they lie beyond the floats, as V may grow like a logarithm."""
        U, going = np.array(U), np.ones(U.shape, dtype=bool)
        for _ in range(_MOST_STEPS):
            some, now = line.at(going), U[going]
            slope = self._tangent(some, now)
            with np.errstate(over="ignore"):
                step = np.divide(self._value(some, now), slope, out=np.zeros(now.shape), where=slope < 0)
                U[going] = np.maximum(now - step, 0.0)
            going[going] = (np.abs(step) > 4 * _EPS * U[going]) & np.isfinite(U[going])
            if not going.any():
                break
        return U


class _Line(NamedTuple):
    """Functions start + p U + q V of the clock, and the sign and size of their slope in the end."""

    start: Array
    p: Array
    q: Array
    last: Array

    def at(self, mask: Array) -> _Line:
        """Return some of them."""
        return _Line(*(part[mask] for part in self))


def _products(q: Array, V: Array) -> Array:
    """q V, 0 where q is."""
    return np.multiply(q, V, out=np.zeros(np.broadcast_shapes(np.shape(q), np.shape(V))), where=q != 0)


def _swapped(A: float, B: float, start: Array) -> bool:
    """Whether the integral of v is the clock."""
    if A > 0 and B > 0:
        return bool(start[1] - start[0] > np.log(A / B))
    return A > 0 >= B
