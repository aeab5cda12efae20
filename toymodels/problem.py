"""What every problem answers, and the slow answers that serve as oracles.

A problem holds the data and knows the loss; the parameters are one flat array
``theta (..., p)`` that routes move. Families override what they can do faster;
everything here is derived from `outputs`, `vjp` and the output loss, so it
stays correct for every family and tests hold the fast answers against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from toymodels import losses
from toymodels.errors import AssumptionError, InputError
from toymodels.randomness import streams
from toymodels.validation import one_of, positive_int, positive_real, real_array

Array = np.ndarray


@runtime_checkable
class ClosedForm(Protocol):
    """A solution known for all times; see `toymodels.exact`."""

    determined: str

    def at(self, t: Any) -> Array:
        """Return theta at the times `t`, shape ``t.shape + runs + (p,)``."""

    def error(self, t: Any) -> Array:
        """Return a bound on the absolute error of `at`, shape ``t.shape + runs``."""


class Switch(NamedTuple):
    """What happens to a flow with kinks at one instant.

    Attributes
    ----------
    theta : array (p,)
        The state, moved onto the kinks that it has met.
    mode : Any
        The mode from now on; None where the flow has no unique continuation.
    log : list of dict
        The changes, each with its kind; the last one says why a flow ends.
    """

    theta: Array
    mode: Any
    log: list[dict[str, Any]]


@runtime_checkable
class Events(Protocol):
    """A flow with kinks, for one run at a time: smooth in each mode, which some margins keep positive.

    A resolution is the error that a step of the route may make in an entry of
    theta, as the pair of a relative and an absolute one: what is smaller is no
    event.
    """

    def enter(self, theta: Array) -> Switch:
        """Return the mode at the start of a run, theta (p,)."""

    def velocity(self, theta: Array, mode: Any) -> Array:
        """Return d theta / dt in the mode, (p,); smooth beyond the mode's margins too."""

    def margins(self, theta: Array, mode: Any) -> Array:
        """Return what is positive inside the mode, (..., c), at states theta (..., p)."""

    def floors(self, theta: Array, mode: Any, resolution: tuple[float, float]) -> Array:
        """Return how far below zero the margins of theta (p,) may be by the resolution alone, (c,)."""

    def switch(self, theta: Array, mode: Any, margin: int, resolution: tuple[float, float]) -> Switch:
        """Return what follows when a margin has reached zero."""


class DescentKernel(Protocol):
    """Plain full-batch gradient descent of many runs, in coordinates of the problem's choice.

    Attributes
    ----------
    state : array
        The coordinates of all runs, changed in place.
    """

    state: Array

    def advance(self, lr: Array, targets: Array) -> None:
        """Take steps with learning rates (S,) or (S,) + runs and targets (S,) + runs + (n,)."""

    def theta(self) -> Array:
        """Return the parameters now, runs + (p,)."""

    def rest(self, runs: Array) -> None:
        """Put the runs of a boolean mask where no step moves them."""


def runs_of(theta: Array) -> tuple[int, ...]:
    """Return the leading axes of a parameter array."""
    return np.shape(theta)[:-1]


class Problem:
    """A training problem ``L(theta) = sum_i pi_i l(f_i(theta), y_i)``.

    Parameters
    ----------
    inputs : array_like (n, d)
        Data rows.
    targets : array_like (n,) or (n, c)
        Targets; outputs have their shape.
    blocks : dict of str to tuple of int
        Names and shapes of the parameter blocks, in the order of theta.
    loss : {"square", "logistic", "exponential"}
        Loss of one output; square is ``|f - y|**2 / 2``.
    weights : array_like (n,), optional
        Sample weights pi; 1/n each by default.

    Raises
    ------
    InputError
        When data are not real, finite, non-empty and of matching shapes.
    """

    def __init__(
        self,
        inputs: Any,
        targets: Any,
        blocks: dict[str, tuple[int, ...]],
        loss: str = "square",
        weights: Any = None,
    ):
        self.inputs = real_array("X", inputs, 2)
        self.targets = real_array("Y", targets, (1, 2))
        if len(self.inputs) != len(self.targets):
            raise InputError(
                f"Y: expected {len(self.inputs)} rows as in X, got shape {self.targets.shape}"
            )
        self.output_loss = losses.LOSSES[one_of("loss", loss, losses.LOSSES)]
        self.output_loss.check_targets(self.targets)
        self.weights = self._weights(weights, len(self.inputs))
        self.blocks = {name: tuple(shape) for name, shape in blocks.items()}

    @staticmethod
    def _weights(weights: Any, n: int) -> Array:
        if weights is None:
            return np.full(n, 1 / n)
        array = real_array("weights", weights, 1)
        if array.shape != (n,) or (array < 0).any():
            raise InputError(f"weights: expected {n} numbers >= 0, got shape {array.shape}")
        return array

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.inputs)

    @property
    def size(self) -> int:
        """Number of parameters p."""
        return sum(prod(shape) for shape in self.blocks.values())

    def init(self, scale: float = 1.0, runs: int | None = None, rng: Any = None) -> Array:
        """Draw theta with independent normal entries of standard deviation `scale`.

        Parameters
        ----------
        scale : float
            Standard deviation, >= 0.
        runs : int, optional
            Number of runs; the result is (runs, p), else (p,). Run r is the
            same whatever the number of runs.
        rng : seed, Generator, optional
            Whatever `numpy.random.default_rng` takes; 0 by default.
        """
        scale = positive_real("scale", scale, allow_zero=True)
        if runs is None:
            return scale * streams(rng, 1)[0].standard_normal(self.size)
        rows = [g.standard_normal(self.size) for g in streams(rng, positive_int("runs", runs))]
        return scale * np.stack(rows)

    def pack(self, *arrays: Any) -> Array:
        """Join parameter blocks, each (..., *shape), into theta (..., p)."""
        if len(arrays) != len(self.blocks):
            names = ", ".join(self.blocks)
            raise InputError(f"pack: expected {len(self.blocks)} blocks ({names}), got {len(arrays)}")
        flat = []
        for (name, shape), array in zip(self.blocks.items(), map(np.asarray, arrays), strict=True):
            if array.shape[array.ndim - len(shape) :] != shape or array.ndim < len(shape):
                raise InputError(f"{name}: expected shape (..., {str(shape)[1:-1]}), got {array.shape}")
            flat.append(array.reshape(array.shape[: array.ndim - len(shape)] + (prod(shape),)))
        leads = {block.shape[:-1] for block in flat}
        if len(leads) == 1:
            return np.concatenate(flat, axis=-1)
        runs = np.broadcast_shapes(*leads)
        return np.concatenate([np.broadcast_to(block, runs + block.shape[-1:]) for block in flat], axis=-1)

    def unpack(self, theta: Array) -> tuple[Array, ...]:
        """Return the parameter blocks as views of theta (..., p)."""
        theta = np.asarray(theta)
        if theta.ndim == 0 or theta.shape[-1] != self.size:
            raise InputError(f"theta: expected shape (..., {self.size}), got {theta.shape}")
        views, start = [], 0
        for shape in self.blocks.values():
            stop = start + prod(shape)
            views.append(theta[..., start:stop].reshape(theta.shape[:-1] + shape))
            start = stop
        return tuple(views)

    def check_theta(self, theta0: Any) -> Array:
        """Return a start as a finite float64 array; routes call it at the door."""
        theta = real_array("theta0", theta0)
        if theta.ndim == 0 or theta.shape[-1] != self.size:
            raise InputError(f"theta0: expected shape (..., {self.size}), got {theta.shape}")
        return theta

    def rate_vector(self, rates: Any) -> Array:
        """Return one learning-rate factor per parameter, (p,), from one factor per block."""
        if rates is None:
            return np.ones(self.size)
        factors = real_array("rates", rates, 1)
        if factors.shape != (len(self.blocks),) or (factors < 0).any():
            names = ", ".join(self.blocks)
            raise InputError(f"rates: expected one factor >= 0 for each of {names}, got {rates!r}")
        return np.repeat(factors, [prod(shape) for shape in self.blocks.values()])

    def check_rows(self, rows: Any, runs: tuple[int, ...]) -> Array | None:
        """Return sample indices as an int array, (B,) or runs + (B,)."""
        if rows is None:
            return None
        index = np.asarray(rows)
        if index.dtype.kind not in "iu":
            raise InputError(f"rows: expected integer sample indices, got {index.dtype}")
        if index.ndim == 0 or index.size == 0:
            raise InputError(f"rows: expected a non-empty array of sample indices, got shape {index.shape}")
        if index.shape[:-1] not in ((), runs):
            expected = " or ".join(str((*lead, "B")) for lead in dict.fromkeys(((), runs)))
            raise InputError(f"rows: expected shape {expected}, got {index.shape}".replace("'", ""))
        if index.min() < 0 or index.max() >= self.n:
            raise InputError(
                f"rows: expected indices from 0 to {self.n - 1}, got {index.min()} to {index.max()}"
            )
        return index

    def check_samples(
        self, name: str, values: Any, rows: Array | None, runs: tuple[int, ...] | None
    ) -> Array:
        """Return one value per output, for all samples or the rows; leading axes must fit the runs.

        A column (n, 1) against outputs (n,) would broadcast to (n, n), so it is refused.
        """
        array = np.asarray(values)
        if array.dtype.kind not in "biufcO":
            raise InputError(f"{name}: expected numbers, got {array.dtype}")
        count = self.n if rows is None else rows.shape[-1]
        tail = (count, *self.targets.shape[1:])
        lead = array.shape[: max(array.ndim - len(tail), 0)]
        fits = runs is None or (len(lead) <= len(runs) and _broadcasts(lead, runs))
        if array.shape[len(lead) :] != tail or not fits:
            before = "..., " if runs is None else "".join(f"{size}, " for size in runs)
            raise InputError(f"{name}: expected shape ({before}{str(tail)[1:-1]}), got {array.shape}")
        return array

    def check_targets(self, targets: Any, rows: Array | None, runs: tuple[int, ...]) -> Array:
        """Return finite targets for all samples or the rows; see `check_samples`."""
        array = self.check_samples("targets", targets, rows, runs)
        if array.dtype.kind != "O" and not np.isfinite(array).all():
            raise InputError("targets: expected finite numbers, got nan or inf")
        return array

    def outputs(self, theta: Array) -> Array:
        """Return the outputs on the data, shape runs + targets.shape."""
        raise NotImplementedError

    def vjp(self, theta: Array, cotangent: Array, rows: Array | None = None) -> Array:
        """Return ``J(theta)^T cotangent``, (..., p); the hand-derived primitive.

        Parameters
        ----------
        theta : (..., p)
        cotangent : (..., n) or (..., n, c)
            Shape of the outputs (of the rows, when given).
        rows : int array (B,) or runs + (B,), optional
            Samples to use instead of all.
        """
        raise NotImplementedError

    def jvp(self, theta: Array, v: Array) -> Array:
        """Return ``J(theta) v``, shape runs + targets.shape."""
        return np.einsum("...kp,...p->...k", self.jacobian(theta), v).reshape(
            np.broadcast_shapes(runs_of(theta), runs_of(v)) + self.targets.shape
        )

    def loss(self, theta: Array) -> Array:
        """Return the loss, shape runs."""
        values = self.output_loss.value(self.outputs(theta), self.targets)
        return _over_samples(values, self.targets.ndim) @ self.weights

    def gradient(self, theta: Array, rows: Array | None = None, targets: Array | None = None) -> Array:
        """Return the gradient of the loss, (..., p).

        Parameters
        ----------
        theta : (..., p)
        rows : int array (B,) or runs + (B,), optional
            A minibatch: the result is then the unbiased estimate
            ``(n / B) sum_{i in rows} pi_i grad l_i``.
        targets : array, optional
            Targets in place of the problem's, for all samples or for the rows.

        Raises
        ------
        InputError
            When rows are not sample indices, or targets do not fit the outputs.
        """
        rows = self.check_rows(rows, runs_of(theta))
        outputs, weights, given = self.outputs(theta), self.weights, self.targets
        if rows is not None:
            outputs, given = take_rows(outputs, rows, self.targets.ndim), given[rows]
            weights = weights[rows] * (self.n / rows.shape[-1])
        if targets is not None:
            given = self.check_targets(targets, rows, runs_of(theta))
        if self.targets.ndim == 2:
            weights = weights[..., None]
        return self.vjp(theta, weights * self.output_loss.slope(outputs, given), rows)

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian of the loss, (..., p, p), by complex steps of the gradient."""
        theta = np.asarray(theta, dtype=float)
        step = 1e-30
        shifted = theta[..., None, :] + 1j * step * np.eye(self.size)
        hessian = self.gradient(shifted).imag / step
        return (hessian + hessian.mT) / 2

    def hvp(self, theta: Array, v: Array) -> Array:
        """Return Hessian times v, (..., p), by one complex step of the gradient."""
        step = 1e-30
        return self.gradient(np.asarray(theta, dtype=float) + 1j * step * np.asarray(v)).imag / step

    def jacobian(self, theta: Array) -> Array:
        """Return d outputs / d theta, (..., K, p), outputs flattened sample-major."""
        theta = np.asarray(theta)
        shape = self.targets.shape
        basis = np.eye(prod(shape)).reshape((prod(shape), *shape))
        return self.vjp(theta[..., None, :], basis)

    def ntk(self, theta: Array) -> Array:
        """Return the neural tangent kernel J Jᵀ, (..., K, K), sample-major."""
        jacobian = self.jacobian(theta)
        return jacobian @ jacobian.mT

    def sharpness(self, theta: Array) -> Array:
        """Return the largest eigenvalue of the Hessian, shape runs; nan where it is not finite."""
        hessian = self.hessian(theta)
        finite = np.isfinite(hessian).all((-1, -2))
        largest = np.linalg.eigvalsh(np.where(finite[..., None, None], hessian, 0))[..., -1]
        return np.where(finite, largest, np.nan)[()]

    def closed_form(self, theta0: Array, rates: Array) -> ClosedForm:
        """Return the exact gradient flow from theta0, or say which hypothesis fails."""
        raise AssumptionError(f"{type(self).__name__} has no closed form for the gradient flow")

    def events(self, rates: Array) -> Events | None:
        """Return the rules of the flow where it has kinks; None where it is smooth.

        Parameters
        ----------
        rates : array (blocks,)
            One learning-rate factor per parameter block.
        """
        return None

    def descent_kernel(self, theta0: Array) -> DescentKernel | None:
        """Return a faster way to take plain steps of gradient descent; None where there is none."""
        return None

    def observable(self, name: str) -> Callable[[Any, Array], Array]:
        """Return the function (problem, theta) behind an observable's name.

        A family adds its own by defining methods and listing them in
        `observable_names`.
        """
        one_of("record", name, self.observable_names())
        return lambda problem, theta: getattr(problem, name)(theta)

    def observable_names(self) -> Iterable[str]:
        """Return the names that `record=` understands besides "theta"."""
        return ("loss", "gradient", "outputs", "sharpness", "hessian", "ntk", "jacobian")


def _over_samples(values: Array, target_ndim: int) -> Array:
    """Sum a loss over the outputs of each sample: (..., n, c) or (..., n) to (..., n)."""
    return values.sum(-1) if target_ndim == 2 else values


def _broadcasts(lead: tuple[int, ...], runs: tuple[int, ...]) -> bool:
    """Whether leading axes stretch to the runs."""
    return all(a in (1, b) for a, b in zip(lead[::-1], runs[::-1], strict=False))


def take_rows(array: Array, rows: Array, target_ndim: int) -> Array:
    """Return array[..., rows, :] where `rows` may differ from run to run."""
    if rows.ndim == 1:
        return array[..., rows] if target_ndim == 1 else array[..., rows, :]
    index = rows if target_ndim == 1 else rows[..., None]
    return np.take_along_axis(array, index, axis=-target_ndim)
