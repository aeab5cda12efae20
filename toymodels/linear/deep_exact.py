"""The closed form of gradient flow on deep linear layers from a balanced aligned start."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from toymodels.errors import AssumptionError
from toymodels.linear import deep_formulas
from toymodels.linear.deep_escape import DeepEscape
from toymodels.linear.modes import Modes, aligned_modes, orthonormal, signed_permutation
from toymodels.linear.statistics import EPS
from toymodels.problem import ClosedForm
from toymodels.solutions import deep_mode

if TYPE_CHECKING:
    from toymodels.linear.deep import DeepLinear

Array = np.ndarray

_LARGEST_EXPONENT = 700.0


def closed_form(problem: DeepLinear, theta0: Array, rates: Array) -> ClosedForm:
    """Return the exact gradient flow of a deep linear network from a balanced aligned start.

    Layers are balanced when W_{j+1}ᵀW_{j+1} = W_jW_jᵀ for every adjacent pair
    (each divided by its rate, where rates differ), and aligned when their
    product, the target and the inputs share singular vectors. Then each mode
    solves the scalar equation of `deep_mode`.

    Parameters
    ----------
    problem : DeepLinear
    theta0 : runs + (p,)
        The start.
    rates : (L,)
        Factors on the velocities of the layers, all positive or all zero.

    Raises
    ------
    AssumptionError
        When the start is not balanced, or not aligned, with the measured
        residual; when some rates are zero and others are not.

    Examples
    --------
    >>> from toymodels.linear.deep import DeepLinear
    >>> problem = DeepLinear(np.eye(2), np.diag([3.0, 1.0]), widths=(2, 2), weights=[1.0, 1.0])
    >>> form = closed_form(problem, problem.balanced(np.eye(2) / 8), np.ones(3))
    >>> problem.product(form.at(np.inf)).round(12)
    array([[3., 0.],
           [0., 1.]])
    """
    rates = np.asarray(rates, dtype=float)
    if (rates == 0).any() and (rates != 0).any():
        raise AssumptionError(
            "rates: expected all positive or all zero; a frozen layer unbalances the others"
        )
    speed = float(np.exp(np.log(rates).mean())) if (rates > 0).all() else 0.0
    # In units of its rate each layer flows at the geometric mean of the rates; the product is the same.
    units = np.sqrt(speed / rates) if len(set(rates)) > 1 else np.ones(len(rates))
    layers = [unit * W for unit, W in zip(units, problem.unpack(theta0), strict=True)]
    unbalanced = _unbalanced(layers)
    if not unbalanced.max() <= 1e-12 * sum(problem.sizes):
        raise AssumptionError(
            "theta0: expected balanced layers, W_{j+1}ᵀW_{j+1} = W_jW_jᵀ (each over its rate)",
            float(unbalanced.max()),
        )
    modes = aligned_modes(layers[0], deep_formulas.product(layers[1:]), problem.statistics)
    worst = float(modes.residual.max())
    if not worst <= 1e-12 * sum(problem.sizes):
        raise AssumptionError(
            "theta0: expected a product that shares its singular vectors with the target and the inputs",
            worst,
        )
    return BalancedAligned(problem, layers, modes, units, speed, np.maximum(unbalanced, modes.residual))


def _unbalanced(layers: list[Array]) -> Array:
    """The largest imbalance, relative to the layers."""
    size = sum(np.linalg.norm(W, axis=(-2, -1)) ** 2 for W in layers) / len(layers)
    worst = np.max([np.linalg.norm(B, axis=(-2, -1)) for B in deep_formulas.imbalances(layers)], axis=0)
    return np.divide(worst, size, out=np.zeros(np.shape(worst)), where=np.asarray(size) > 0)


class BalancedAligned:
    """The flow from a balanced aligned start: one scalar equation per mode; see `closed_form`."""

    determined = "parameters"

    def __init__(
        self,
        problem: DeepLinear,
        layers: list[Array],
        modes: Modes,
        units: Array,
        speed: float,
        defect: Array,
    ):
        self.problem, self.modes, self.units, self.speed = problem, modes, units, speed
        self.frames, self.sizes = _frames(layers, modes)
        self.defect = defect + self._rounding_of_frames()
        self.start = modes.a * modes.b

    @cached_property
    def escape(self) -> DeepEscape:
        """How perturbations of the start grow."""
        return DeepEscape(self, self.problem.depth)

    def modes_at(self, t: Array) -> Array:
        """Return the products u_i of the modes at times t, t.shape + runs + (d,)."""
        m, depth = self.modes, self.problem.depth
        moving = (m.l > 0) & (self.start != 0) & (self.speed > 0)
        variance = np.where(moving, m.l, 1.0)
        # l u solves the equation of unit variance, l^{2/L-1} times as fast
        pace = np.where(moving, self.speed * variance ** (2 / depth - 1), 1.0)
        later = pace * t.reshape(t.shape + (1,) * m.a.ndim)
        moved = deep_mode.product(variance * self.start, m.s, later, depth=depth) / variance
        return np.where(moving, moved, self.start)

    def layers(self, t: Array) -> list[Array]:
        """Return the layers at the times t, t.shape + runs + matrix each."""
        still = self.start == 0
        share = np.divide(self.modes_at(t), self.start, out=np.ones(t.shape + still.shape), where=~still)
        grown = np.sqrt(share) if self.problem.depth == 2 else share ** (1 / self.problem.depth)
        pairs = zip(self.frames[:-1], self.frames[1:], self.sizes, self.units, strict=True)
        return [
            (upper * (size * grown)[..., None, :]) @ lower.mT / unit for lower, upper, size, unit in pairs
        ]

    def at(self, t: Any) -> Array:
        """Return theta at the times t, shape t.shape + runs + (p,)."""
        return self.problem.pack(*self.layers(np.asarray(t, dtype=float)))

    def product(self, t: Any) -> Array:
        """Return the end-to-end matrix at the times t, t.shape + runs + (c, d)."""
        return deep_formulas.product(self.layers(np.asarray(t, dtype=float)))

    def error(self, t: Any) -> Array:
        """Return a first-order bound on the error of theta (Euclidean norm), t.shape + runs."""
        t = np.asarray(t, dtype=float)
        theta = self.at(t)
        first, size = np.linalg.norm(self.at(0.0), axis=-1), np.linalg.norm(theta, axis=-1)
        exponent = self.escape.exponent(t)
        # what departs at the start grows with it; what the equations add later is relative to the end
        grown = first * np.exp(np.minimum(exponent, _LARGEST_EXPONENT)) + size
        kept = (1 + exponent) * (1 + self.escape.forcing(t)) * self._unequal()
        wrong = np.broadcast_to(self.defect, size.shape) * grown
        with np.errstate(over="ignore"):
            moved = np.multiply(wrong, kept, out=np.zeros(size.shape), where=wrong > 0)
        return (64 * self.problem.depth * size + 16 * self._lateness(t, theta)) * EPS + moved

    def _lateness(self, t: Array, theta: Array) -> Array:
        """How far theta moves while the time doubles, to first order; the time is rounded."""
        drift = np.linalg.norm(self.problem.gradient(theta), axis=-1) * self.speed
        times = t.reshape(t.shape + (1,) * (drift.ndim - t.ndim))
        return np.multiply(times, drift, out=np.zeros(drift.shape), where=np.isfinite(times) & (drift > 0))

    def _unequal(self) -> float:
        """How much unequal rates stretch an error."""
        return float(self.units.max() / self.units.min())

    def _rounding_of_frames(self) -> float:
        """Rounding of the frames' products, zero where they round nothing."""
        exact = all(signed_permutation(frame).all() for frame in self.frames) and len(set(self.units)) == 1
        return 0.0 if exact else 8 * sum(self.problem.sizes) * EPS


def _frames(layers: list[Array], modes: Modes) -> tuple[list[Array], list[Array]]:
    """Orthonormal directions O_0 = V, ..., O_L of the modes, and their sizes in each layer."""
    frames, sizes = [modes.V], []
    for W in layers:
        columns = W @ frames[-1]
        norm = np.linalg.norm(W, axis=(-2, -1))
        frames.append(orthonormal(columns, 4 * max(W.shape[-2:]) * EPS * norm))
        sizes.append((frames[-1] * columns).sum(-2))
    return frames, sizes
