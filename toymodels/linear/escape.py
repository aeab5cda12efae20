"""How much gradient flow along an aligned path can enlarge a perturbation of its start.

Perturbations grow at most at the rate -(smallest Hessian eigenvalue). The
Gauss-Newton part of the Hessian is positive; the rest couples hidden and output
directions by the residuals of the modes, in blocks of two where a mode has no
hidden unit of its own.
"""

from __future__ import annotations

import numpy as np

from toymodels.linear.modes import Modes
from toymodels.solutions import layer_rates

Array = np.ndarray

_NODES = 256


class Escape:
    """The exponent I(t) = integral of the growth rate; perturbations grow by at most about e^I.

    Parameters
    ----------
    modes : Modes
        An aligned start; leading axes are runs.
    rates : (float, float)
        Factors on the velocities of the two layers.

    Examples
    --------
    >>> from toymodels.linear.modes import aligned_modes
    >>> from toymodels.linear.statistics import Statistics
    >>> saddle = aligned_modes(np.zeros((1, 1)), np.zeros((1, 1)), Statistics(np.eye(1), 2 * np.eye(1), 4.0))
    >>> print(Escape(saddle, (1.0, 1.0)).exponent(np.array(3.0)).round(1))
    6.3
    """

    def __init__(self, modes: Modes, rates: tuple[float, float]):
        self.modes, self.rates = modes, rates
        self.moving = np.abs(modes.O).max(-2) > 0
        scale = float(self._rate(np.zeros(1)).max()) or 1.0
        self.times = np.concatenate([[0.0], np.geomspace(1e-4, 1e8, _NODES) / scale])
        rate = self._rate(self.times)
        step = np.diff(self.times).reshape((-1,) + (1,) * (rate.ndim - 1))
        # The larger end bounds a monotone rate on each interval, and the rates here turn at most once.
        self.integral = np.concatenate(
            [np.zeros_like(rate[:1]), np.cumsum(np.maximum(rate[1:], rate[:-1]) * step, axis=0)]
        )
        self.last = rate[-1]

    def exponent(self, t: Array) -> Array:
        """Return I at the times t, shape t.shape + runs."""
        node = np.minimum(np.searchsorted(self.times, t), _NODES)
        beyond = np.maximum(t - self.times[-1], 0.0).reshape(t.shape + (1,) * self.last.ndim)
        rest = np.multiply(beyond, self.last, out=np.zeros(t.shape + self.last.shape), where=self.last > 0)
        return self.integral[node] + rest

    def _rate(self, times: Array) -> Array:
        """Growth rate at the times (T,), shape (T,) + runs."""
        m = self.modes
        later = times.reshape((-1,) + (1,) * m.a.ndim)
        s = np.where(m.l > 0, m.s, 0.0)
        a, b = layer_rates.flow(m.a, m.b, s, later, m.l, self.rates)
        speed = np.sqrt(self.rates[0] * self.rates[1])
        own = (speed * np.abs(layer_rates.residual(m.a, m.b, s, later, m.l, self.rates))).max(-1)
        return np.maximum(own, self._rate_of_idle(a, b, speed))

    def _rate_of_idle(self, a: Array, b: Array, speed: float) -> Array:
        """Growth rate of the target's modes that have no hidden unit, through the hidden units of others."""
        m = self.modes
        if not m.idle.any():
            return np.zeros(a.shape[:-1])
        spare = self.moving.sum(-1) < m.O.shape[-2]
        lowest = np.where(self.moving[..., :, None], self._lowest(a, b, speed), np.inf).min((-1, -2))
        empty = np.where(spare, speed * m.idle.max(-1), 0.0)
        return np.maximum(np.maximum(-lowest, 0.0), empty)

    def _lowest(self, a: Array, b: Array, speed: float) -> Array:
        """Smallest Hessian eigenvalue in the block of hidden unit i and resting input direction j."""
        m = self.modes
        across = self.rates[0] * b[..., :, None] ** 2 * m.l[..., None, :]
        along = (self.rates[1] * m.l * a**2)[..., :, None]
        half, pull = (across + along) / 2, speed * m.idle[..., None, :]
        top = half + np.hypot((across - along) / 2, pull)
        # Product over sum: the difference of the two roots would cancel.
        return np.divide(across * along - pull * pull, top, out=np.zeros(top.shape), where=top > 0)

    def settling(self) -> Array:
        """Return the slowest rate, shape runs, at which the end state answers a change of the target.

        It is 0 or less where the flow ends at a saddle or on a degenerate minimum.
        """
        m = self.modes
        a, b = layer_rates.flow(m.a, m.b, np.where(m.l > 0, m.s, 0.0), np.inf, m.l, self.rates)
        r1, r2 = self.rates
        together = (r1 * b[..., :, None] ** 2 + r2 * a[..., None, :] ** 2) * m.l[..., None, :]
        speed = np.sqrt(self.rates[0] * self.rates[1])
        rate = np.where(self.moving[..., None, :], together, self._lowest(a, b, speed))
        asked = self.moving[..., :, None] & (m.l > 0)[..., None, :]
        return np.where(asked, rate, np.inf).min((-1, -2))
