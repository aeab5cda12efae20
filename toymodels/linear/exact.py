"""Closed forms of gradient flow on two linear layers, and which start has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from toymodels.errors import AssumptionError
from toymodels.linear.balanced import Balanced, balance_of
from toymodels.linear.closure import Closed, closure_of
from toymodels.linear.escape import Escape
from toymodels.linear.forms import Flow, Units, rounding_level
from toymodels.linear.isotropic import Isotropic
from toymodels.linear.modes import Modes, aligned_modes, signed_permutation
from toymodels.linear.statistics import EPS
from toymodels.problem import ClosedForm
from toymodels.solutions import layer_rates

if TYPE_CHECKING:
    from toymodels.linear.problem import TwoLayerLinear

Array = np.ndarray

_LARGEST_EXPONENT = 745.0
"""Past it e^-x is zero in floats, and so is the error that a factor e^-x carries."""


_NO_FORM = (
    "theta0: expected weights that share their singular vectors with the target and the inputs, or one input "
    "and one output, or W2ᵀW2/r2 - W1W1ᵀ/r1 = lam I (rates r1, r2) with whitened inputs, with lam = 0, or "
    "with as many neurons as outputs (lam > 0) or inputs (lam < 0), or isotropic weights M J M = gamma² J"
)


def closed_form(problem: TwoLayerLinear, theta0: Array, rates: Array) -> ClosedForm:
    """Return the exact gradient flow of a two-layer linear network, if its start has one.

    These starts have one: aligned ones, where weights, target and inputs share
    their singular vectors and each mode solves a scalar equation; any start of
    a net with one input and one output; balanced ones, W2ᵀW2 - W1W1ᵀ = lam I,
    with whitened inputs, Sxx = l I, where a matrix Riccati equation gives the
    layers up to a rotation of the hidden units (see `balanced.Balanced`; one
    neuron is always balanced, and leaves nothing to rotate); and those whose
    product obeys an equation of its own, whatever the inputs (see
    `closure.Closed`).

    Parameters
    ----------
    problem : TwoLayerLinear
    theta0 : runs + (p,)
        The start.
    rates : (2,)
        Factors on the velocities of W1 and W2; where they differ, balanced
        means balanced in the units in which they are equal,
        W2ᵀW2/r2 - W1W1ᵀ/r1 = lam I.

    Returns
    -------
    ClosedForm
        With `.at`, `.product`, `.gram`, `.ntk`, `.limit()`, and `.determined`
        for what of the parameters is known. Its `.error` bounds the distance to
        the flow of the problem's float statistics; a start near a saddle's
        stable manifold has a large one, since what separates it from alignment
        or balance grows there. At t = inf it is the limit; where the product's
        own equation is integrated (coloured inputs), AssumptionError says when
        the way there decides it.

    Raises
    ------
    AssumptionError
        When the start is of no such kind, with the smallest residual measured.

    Examples
    --------
    >>> from toymodels.linear import TwoLayerLinear
    >>> problem = TwoLayerLinear.from_statistics(np.eye(2), np.diag([3.0, 1.0]), 10.0, width=2)
    >>> start = problem.pack(np.eye(2) / 10, np.eye(2) / 10)
    >>> problem.product(closed_form(problem, start, np.ones(2)).at(np.inf)).round(12)
    array([[3., 0.],
           [0., 1.]])
    """
    W1, W2 = problem.unpack(np.asarray(theta0, dtype=float))
    pair = (float(rates[0]), float(rates[1]))
    d, c = len(problem.statistics.Sxx), len(problem.statistics.Syx)
    if c == d == 1:
        return OneInputOneOutput(problem, W1, W2, pair)
    modes = aligned_modes(W1, W2, problem.statistics)
    unaligned = float(modes.residual.max())
    if unaligned <= rounding_level(problem):
        return Aligned(problem, W1, W2, modes, pair)
    if 0.0 in pair:
        raise AssumptionError(
            "rates: expected positive factors, or a start that shares its singular vectors with the target "
            "and the inputs",
            unaligned,
        )
    units = Units.of(problem, pair)
    balance = balance_of(units, W1, W2)
    unbalanced = float(balance.residual.max())
    if unbalanced <= rounding_level(problem) and units.colour <= rounding_level(problem):
        return Balanced(problem, W1, W2, units, balance)
    closure = closure_of(units, balance, W1, W2, rounding_level(problem))
    if closure.residual <= rounding_level(problem):
        form = Isotropic if units.colour <= rounding_level(problem) and not closure.shift.any() else Closed
        return form(problem, W1, W2, units, closure)
    raise AssumptionError(_NO_FORM, min(unaligned, max(unbalanced, units.colour), closure.residual))


class _Parameters(Flow):
    """What the forms that know the parameters share; `rates` are factors on the layers' velocities."""

    def __init__(self, problem: TwoLayerLinear, W1: Array, W2: Array, rates: tuple[float, float]):
        super().__init__(problem, W1, W2)
        self.rates = rates

    def _size(self, t: Array) -> Array:
        """The larger of the norms of theta at 0 and at t."""
        return np.maximum(np.linalg.norm(self.at(t), axis=-1), np.linalg.norm(self.at(0.0), axis=-1))

    def _unit_error(self) -> float:
        """Relative error that unequal rates put into the start, by fourth roots of their ratio."""
        return 0.0 if self.rates[0] == self.rates[1] or 0.0 in self.rates else 4 * EPS

    def _bound(self, t: Array, exponent: Array, defect: Any, forcing: Any) -> Array:
        """Add rounding to a relative defect, which grows by e^exponent and pushes all the while."""
        rounding = (64 + 8 * np.minimum(exponent, _LARGEST_EXPONENT)) * EPS
        unequal = 1.0 if 0.0 in self.rates else max(self.rates) / min(self.rates)
        with np.errstate(over="ignore"):
            kept = np.sqrt(unequal) * (1 + exponent) * (1 + forcing)
            first, size = np.broadcast_arrays(self._size(np.zeros(())), self._size(t))
            # What departs at the start grows with it; what the equations add later is relative to the end.
            grown = np.multiply(first, np.exp(exponent), out=np.zeros(size.shape), where=first > 0) + size
            defect = np.broadcast_to(defect, size.shape)
            moved = np.multiply(defect, grown, out=np.zeros(size.shape), where=(defect > 0) & (grown > 0))
            moved = np.multiply(moved, kept, out=moved, where=moved > 0)
        return size * rounding + moved


class Aligned(_Parameters):
    """The flow from an aligned start: a scalar equation for each mode; see `closed_form`."""

    def __init__(
        self, problem: TwoLayerLinear, W1: Array, W2: Array, modes: Modes, rates: tuple[float, float]
    ):
        super().__init__(problem, W1, W2, rates)
        self.modes = modes
        self._escape: Escape | None = None

    def layers(self, t: Array) -> tuple[Array, Array]:
        """Return W1 and W2 at the times t, t.shape + runs + matrix."""
        m = self.modes
        later = t.reshape(t.shape + (1,) * m.a.ndim)
        s = np.where(m.l > 0, m.s, 0.0)
        return m.weights(*layer_rates.flow(m.a, m.b, s, later, m.l, self.rates))

    def error(self, t: Any) -> Array:
        """Return a first-order bound on the error of theta (Euclidean norm), t.shape + runs."""
        t = np.asarray(t, dtype=float)
        self._escape = self._escape or Escape(self.modes, self.rates)
        return self._bound(t, self._escape.exponent(t), self._misalignment(), self._forcing(t, self._escape))

    def _forcing(self, t: Array, escape: Escape) -> Array:
        """How far a unit defect of the equations moves the end, relative to its size."""
        settling = escape.settling()
        Sxx, Syx, _ = self.problem.statistics
        largest = np.maximum(np.linalg.norm(self.product(0.0), axis=(-2, -1)), np.linalg.norm(Syx))
        push = 2 * max(self.rates) * (np.linalg.norm(Syx) + np.linalg.norm(Sxx) * largest)
        stay = np.divide(1.0, settling, out=np.full(settling.shape, np.inf), where=settling > 0)
        t = t.reshape(t.shape + (1,) * settling.ndim)
        stay = np.minimum(t, stay)
        return np.multiply(push, stay, out=np.zeros(stay.shape), where=push > 0)

    def _misalignment(self) -> Array:
        """Relative distance of the start from the aligned one that `at` follows."""
        m = self.modes
        dims = sum(m.O.shape[-2:]) + m.U.shape[-2]
        frames = [signed_permutation(x) for x in (m.O, m.U, m.V)]
        rounded = np.where(np.all(frames, axis=0), 0.0, 4 * dims * EPS)
        return m.residual + rounded + self._unit_error()


class OneInputOneOutput(_Parameters):
    """The flow of a net with one input and one output, from any start; see `closed_form`."""

    def layers(self, t: Array) -> tuple[Array, Array]:
        """Return W1 and W2 at the times t, t.shape + runs + matrix."""
        a, b = self._vectors(t)
        return a[..., :, None], b[..., None, :]

    def _vectors(self, t: Array) -> tuple[Array, Array]:
        a, b = self.W1[..., 0], self.W2[..., 0, :]
        later = t.reshape(t.shape + (1,) * (a.ndim - 1))
        s, l = self.problem.statistics.Syx[0, 0], self.problem.statistics.Sxx[0, 0]
        solve: Callable[..., tuple[Array, Array]] = layer_rates.wide_flow
        if a.shape[-1] == 1:
            a, b = a[..., 0], b[..., 0]
            solve = layer_rates.flow
            a, b = solve(a, b, s, later, l, self.rates)
            return a[..., None], b[..., None]
        return solve(a, b, s, later, l, self.rates)

    def error(self, t: Any) -> Array:
        """Return a first-order bound on the error of theta (Euclidean norm), t.shape + runs."""
        t = np.asarray(t, dtype=float)
        return self._bound(t, self._exponent(t), self._unit_error(), 0.0)

    def _exponent(self, t: Array) -> Array:
        """The hyperbolic angle through which the layers turn: a + b and a - b grow and shrink by its e^."""
        a0, b0 = self.W1[..., 0], self.W2[..., 0, :]
        a, b = self._vectors(t)
        lift = 1.0 if 0.0 in self.rates else (self.rates[1] / self.rates[0]) ** 0.25
        angle = np.zeros(a.shape[:-1])
        for sign in (1, -1):
            start = np.linalg.norm(lift * a0 + sign * b0 / lift, axis=-1)
            end = np.linalg.norm(lift * a + sign * b / lift, axis=-1)
            start, end = np.broadcast_arrays(start, end)
            turned = np.full(angle.shape, np.inf)
            np.log(np.divide(end, start, out=np.ones(end.shape), where=start > 0), out=turned, where=end > 0)
            angle = np.maximum(angle, np.where(start > 0, np.abs(turned), 0.0))
        return angle
