"""How much gradient flow along a balanced aligned deep path can enlarge a perturbation of its start.

Perturbations grow at most at the rate -(smallest Hessian eigenvalue). On the
path the Hessian splits into one block of size L per mode and one of size 2L per
pair of modes: the entries (i, j) and (j, i) of all layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toymodels.linear.statistics import EPS

if TYPE_CHECKING:
    from toymodels.linear.deep_exact import BalancedAligned

Array = np.ndarray

_NODES = 128


def mode_growth(x: Array, s: Array, l: Array, depth: int) -> Array:
    """Return the largest growth rate in the block of each mode, x its size in every layer.

    Source: own derivation from linear_nets 2.9, 4.1.
    """
    pull = (s - l * x**depth) * x ** (depth - 2)
    along = (depth - 1) * pull - depth * l * x ** (2 * depth - 2)
    return np.maximum(-pull, along)


def pair_blocks(xi: Array, xj: Array, gi: Array, gj: Array, li: Array, lj: Array, depth: int) -> Array:
    """Return the Hessian blocks (..., 2L, 2L) of the entries (i, j), then (j, i), of all layers.

    x are the sizes of the modes in every layer, g = l x^L - s their residuals,
    l their input variances. Source: own derivation from linear_nets 2.9.
    """
    p = np.arange(1, depth + 1)
    first = xi[..., None] ** (depth - p) * xj[..., None] ** (p - 1)
    second = xj[..., None] ** (depth - p) * xi[..., None] ** (p - 1)
    gap = p[:, None] - p[None, :]
    between = np.abs(gap) - 1
    inner = np.maximum(between, 0)
    outer = depth - 2 - inner
    xi, xj, gi, gj = (z[..., None, None] for z in (xi, xj, gi, gj))
    coupling = np.where(gap > 0, gi * xi**outer * xj**inner, gj * xj**outer * xi**inner) * (gap != 0)
    top = np.concatenate([lj[..., None, None] * first[..., :, None] * first[..., None, :], coupling], -1)
    below = li[..., None, None] * second[..., :, None] * second[..., None, :]
    return np.concatenate([top, np.concatenate([coupling.mT, below], -1)], -2)


class DeepEscape:
    """The exponent I(t) = integral of the growth rate; perturbations grow by at most about e^I."""

    def __init__(self, form: BalancedAligned, depth: int):
        self.form, self.depth = form, depth
        self.alive = np.abs(form.frames[-1]).max(-2) > 0
        self.outside = max(form.problem.sizes) > self.alive.sum(-1).min()
        s = np.where(self.alive, form.modes.s * np.sign(form.start), form.modes.idle)
        self.s, self.l = (self._with_null(z) for z in (s, form.modes.l))
        self.times = self._nodes()
        rate = self._rate(self.times)
        step = np.diff(self.times).reshape((-1,) + (1,) * (rate.ndim - 1))
        # The larger end bounds a monotone rate on each interval.
        risen = np.cumsum(np.maximum(rate[1:], rate[:-1]) * step, axis=0)
        self.integral = np.concatenate([np.zeros_like(rate[:1]), risen])
        self.last = rate[-1]

    def exponent(self, t: Array) -> Array:
        """Return I at the times t, shape t.shape + runs."""
        node = np.minimum(np.searchsorted(self.times, t), len(self.times) - 1)
        beyond = np.maximum(t - self.times[-1], 0.0).reshape(t.shape + (1,) * self.last.ndim)
        rest = np.multiply(beyond, self.last, out=np.zeros(t.shape + self.last.shape), where=self.last > 0)
        return self.integral[node] + rest

    def forcing(self, t: Array) -> Array:
        """How far a unit defect of the equations moves the end, relative to its size."""
        x = self._sizes(np.array([0.0, np.inf]))
        largest = x.max((0, -1))
        push = self.form.speed * (np.abs(self.s) + self.l * largest[..., None] ** self.depth).max(-1)
        push = push * largest ** (self.depth - 2)
        last = self.form.speed * self.depth * self.l * x[1] ** (2 * self.depth - 2)
        settling = np.where(last > 0, last, np.inf).min(-1)
        stay = np.minimum(t.reshape(t.shape + (1,) * settling.ndim), np.divide(1.0, settling))
        return np.multiply(push, stay, out=np.zeros(stay.shape), where=push > 0)

    def _nodes(self) -> Array:
        """Times that resolve the escape of every mode, slow ones included."""
        scale = float(self._fastest().max()) or 1.0
        return np.concatenate([[0.0], np.geomspace(1e-4, 1e8, _NODES) / scale])

    def _fastest(self) -> Array:
        """The fastest rate between start and end."""
        largest = self._sizes(np.array([0.0, np.inf])).max((0, -1))
        force = (np.abs(self.s) + self.l * largest[..., None] ** self.depth).max(-1)
        return self.form.speed * self.depth * force * largest ** (self.depth - 2)

    def _sizes(self, times: Array) -> Array:
        """Sizes x of the modes in every layer, times + runs + (modes,)."""
        return self._with_null(np.abs(self.form.modes_at(times)) ** (1 / self.depth))

    def _rate(self, times: Array) -> Array:
        """The growth rate at the times, times + runs."""
        x = self._sizes(times)
        s, l = np.broadcast_arrays(self.s, self.l)
        g = l * x**self.depth - s
        alone = mode_growth(x, s, l, self.depth).max(-1)
        i, j = np.triu_indices(x.shape[-1], 1)
        l = np.broadcast_to(l, x.shape)
        blocks = pair_blocks(x[..., i], x[..., j], g[..., i], g[..., j], l[..., i], l[..., j], self.depth)
        eigenvalues = np.linalg.eigvalsh(blocks)
        rounding = 64 * self.depth * EPS * np.abs(eigenvalues).max((-1, -2), initial=0.0)
        rate = np.maximum(alone, -eigenvalues[..., 0].min(-1, initial=0.0))
        return self.form.speed * np.where(rate > rounding, rate, 0.0)

    def _with_null(self, z: Array) -> Array:
        """Append a mode of no size, which stands for all directions outside the modes, if there are any."""
        return np.concatenate([z, np.zeros((*z.shape[:-1], 1))], axis=-1) if self.outside else z
