"""The two-layer linear network under the square loss."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.linear import factors, formulas
from toymodels.linear.aligned import aligned_factors
from toymodels.linear.landscape import CriticalPoint, critical_points
from toymodels.linear.statistics import Statistics, check_statistics, compress, compress_statistics
from toymodels.linear.whitening import TargetModes, modes_of
from toymodels.problem import ClosedForm, Problem, runs_of
from toymodels.validation import positive_int, real_array

Array = np.ndarray


class TwoLayerLinear(Problem):
    """Two linear layers ``f(x) = W2 W1 x`` with ``L = sum_i pi_i |f(x_i) - y_i|²/2``.

    The parameters are theta = [W1 (m, d) row-major, W2 (c, m) row-major].
    Loss, gradient, Hessian and sharpness run on compressed data, at a cost
    O(mcd + cd²) that does not depend on the number of samples.

    Parameters
    ----------
    X : array_like (n, d)
        Data rows.
    Y : array_like (n,) or (n, c)
        Targets; outputs have their shape.
    width : int
        Number of hidden neurons m.
    weights : array_like (n,), optional
        Sample weights pi; 1/n each by default (ones give the sum loss).

    Attributes
    ----------
    statistics : Statistics
        Sxx (d, d), Syx (c, d), tyy.
    compressed : Compressed
        Rows that carry the whole loss, at most min(n, d) of them.

    Raises
    ------
    InputError
        When data are not real, finite, non-empty and of matching shapes, or
        the width is not a positive integer.

    Examples
    --------
    >>> problem = TwoLayerLinear([[1.0, 0.0], [0.0, 1.0]], [1.0, 3.0], width=1)
    >>> problem.outputs([1.0, 2.0, 1.0])
    array([1., 2.])
    >>> round(float(problem.loss([1.0, 2.0, 1.0])), 15)
    0.25
    """

    def __init__(self, X: Any, Y: Any, *, width: int, weights: Any = None):
        width = positive_int("width", width)
        X, Y = real_array("X", X, 2), real_array("Y", Y, (1, 2))
        d, c = X.shape[1], 1 if Y.ndim == 1 else Y.shape[1]
        super().__init__(X, Y, {"W1": (width, d), "W2": (c, width)}, weights=weights)
        matrix = self.targets.reshape(-1, c)
        self.statistics = Statistics(*formulas.weighted_statistics(self.inputs, matrix, self.weights))
        self.compressed = compress(self.inputs, matrix, self.weights)

    @classmethod
    def from_statistics(cls, Sxx: Any, Syx: Any, tyy: Any, *, width: int) -> TwoLayerLinear:
        """Return the problem that only its sufficient statistics define.

        Questions about single samples (outputs, jacobian, ntk, jvp, vjp,
        minibatches) raise InputError.

        Parameters
        ----------
        Sxx : array_like (d, d)
            Input second moment, symmetric positive semidefinite.
        Syx : array_like (c, d) or (d,)
            Target-input moment.
        tyy : float
            Mean squared norm of the targets.
        width : int
            Number of hidden neurons m.

        Raises
        ------
        InputError
            When no data have these statistics.

        Examples
        --------
        >>> problem = TwoLayerLinear.from_statistics([[1.0]], [[2.0]], 4.0, width=1)
        >>> float(problem.loss([1.0, 2.0]))
        0.0
        """
        return _StatisticsOnly(check_statistics(Sxx, Syx, tyy), width)

    @property
    def width(self) -> int:
        """Number of hidden neurons m."""
        return self.blocks["W1"][0]

    @property
    def least_loss(self) -> float:
        """Loss of the best linear map of any rank."""
        return self.compressed.least

    def outputs(self, theta: Array) -> Array:
        """Return ``X (W2 W1)ᵀ`` in the shape of the targets, runs first."""
        W1, W2 = self.unpack(theta)
        return self._as_targets(formulas.outputs(W1, W2, self.inputs))

    def vjp(self, theta: Array, cotangent: Array, rows: Array | None = None) -> Array:
        """Return ``J(theta)ᵀ cotangent``, (..., p).

        Parameters
        ----------
        theta : (..., p)
        cotangent : (..., n) or (..., n, c)
            Shape of the outputs (of the rows, when given).
        rows : int array (B,) or runs + (B,), optional
            Samples to use instead of all.

        Raises
        ------
        InputError
            When the cotangent does not fit the outputs, or rows are out of range.
        """
        W1, W2 = self.unpack(theta)
        rows = self.check_rows(rows, runs_of(theta))
        X = self.inputs if rows is None else self.inputs[rows]
        cotangent = self._as_matrix(self.check_samples("cotangent", cotangent, rows, None))
        return self.pack(*formulas.vjp(W1, W2, X, cotangent))

    def jvp(self, theta: Array, v: Array) -> Array:
        """Return ``J(theta) v`` in the shape of the outputs."""
        tangent = formulas.product_tangent(*self.unpack(theta), *self._unpack_tangent(v))
        return self._as_targets(self.inputs @ tangent.mT)

    def jacobian(self, theta: Array) -> Array:
        """Return d outputs / d theta, (..., nc, p), outputs flattened sample-major."""
        W1, W2 = self.unpack(theta)
        return formulas.jacobian(W1, W2, self.inputs)

    def ntk(self, theta: Array) -> Array:
        """Return the neural tangent kernel J Jᵀ, (..., nc, nc), sample-major."""
        W1, W2 = self.unpack(theta)
        return formulas.ntk(W1, W2, self.inputs)

    def loss(self, theta: Array) -> Array:
        """Return the loss, shape runs; never negative for real theta."""
        W1, W2 = self.unpack(theta)
        return formulas.sum_loss(W1, W2, self.compressed.X, self.compressed.Y) + self.least_loss

    def residual(self, theta: Array) -> Array:
        """Return G = dL/dW at the product W = W2 W1, (..., c, d)."""
        W1, W2 = self.unpack(theta)
        return formulas.sum_residual(W1, W2, self.compressed.X, self.compressed.Y)

    def gradient(self, theta: Array, rows: Array | None = None, targets: Array | None = None) -> Array:
        """Return the gradient of the loss, (..., p); see `Problem.gradient`.

        Raises
        ------
        InputError
            When rows are not sample indices, or targets do not fit the outputs.

        Examples
        --------
        >>> problem = TwoLayerLinear([[1.0], [2.0]], [0.0, 0.0], width=1)
        >>> problem.gradient([1.0, 1.0])
        array([2.5, 2.5])
        >>> problem.gradient([1.0, 1.0], rows=[0])
        array([1., 1.])
        """
        if rows is None and targets is None:
            W1, W2 = self.unpack(theta)
            G = formulas.sum_residual(W1, W2, self.compressed.X, self.compressed.Y)
            return self.pack(*formulas.chain(W1, W2, G))
        return self._sample_gradient(np.asarray(theta), rows, targets)

    def _sample_gradient(self, theta: Array, rows: Any, targets: Any) -> Array:
        """The gradient on a minibatch or with other targets, through the samples."""
        W1, W2 = self.unpack(theta)
        rows = self.check_rows(rows, runs_of(theta))
        X, weights, given = self.inputs, self.weights, self.targets
        if rows is not None:
            X, given = X[rows], given[rows]
            weights = weights[rows] * (self.n / rows.shape[-1])
        if targets is not None:
            given = self.check_targets(targets, rows, runs_of(theta))
        slope = formulas.outputs(W1, W2, X) - self._as_matrix(given)
        return self.pack(*formulas.vjp(W1, W2, X, weights[..., None] * slope))

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian of the loss, (..., p, p)."""
        W1, W2 = self.unpack(theta)
        curvature = formulas.gauss_newton(W1, W2, self.statistics.Sxx)
        return curvature + formulas.residual_hessian(W1, self.residual(theta))

    def hvp(self, theta: Array, v: Array) -> Array:
        """Return Hessian times v, (..., p), without forming the Hessian."""
        W1, W2 = self.unpack(theta)
        D1, D2 = self._unpack_tangent(v)
        first, second = formulas.gauss_newton_hvp(W1, W2, D1, D2, self.statistics.Sxx)
        third, fourth = formulas.residual_hvp(D1, D2, self.residual(theta))
        return self.pack(first + third, second + fourth)

    def product(self, theta: Array) -> Array:
        """Return the end-to-end matrix W2 W1, (..., c, d)."""
        return formulas.product(*self.unpack(theta))

    def imbalance(self, theta: Array) -> Array:
        """Return W2ᵀW2 - W1W1ᵀ, (..., m, m); gradient flow conserves it."""
        return formulas.imbalance(*self.unpack(theta))

    def gram(self, theta: Array) -> Array:
        """Return QQᵀ, (..., d + c, d + c), of Q = [W1ᵀ; W2]."""
        return formulas.gram(*self.unpack(theta))

    def singular_values(self, theta: Array) -> Array:
        """Return the singular values of the product, (..., min(c, d)), largest first.

        They are nan where the product is not finite.
        """
        W = self.product(theta)
        finite = np.isfinite(W).all((-1, -2))
        values = np.linalg.svd(np.where(finite[..., None, None], W, 0), compute_uv=False)
        return np.where(finite[..., None], values, np.nan)

    @cached_property
    def modes(self) -> TargetModes:
        """Singular modes of the whitened target."""
        return modes_of(self.compressed)

    def critical_points(self) -> list[CriticalPoint]:
        """Return one critical point per subset of at most m positive modes, smallest subsets first.

        Raises
        ------
        AssumptionError
            When two positive singular values of the whitened target coincide.

        Examples
        --------
        >>> problem = TwoLayerLinear.from_statistics([[1.0]], [[2.0]], 4.0, width=1)
        >>> [(point.subset, point.loss, point.morse_index) for point in problem.critical_points()]
        [((), 2.0, 1), ((0,), 0.0, 0)]
        """
        return critical_points(self.modes, self.width)

    def global_minimum(self, lam: float = 0.0, rotation: Any = None) -> Array:
        """Return the parameters (p,) of a global minimum with imbalance lam I.

        With whitened inputs and enough width its sharpness is
        sqrt(4 s_1² + lam²); lam = 0 is the flattest.

        Parameters
        ----------
        lam : float
            Imbalance; see `factors.balanced_factors`.
        rotation : array_like (m, m), optional
            Orthogonal matrix that turns the hidden layer.

        Raises
        ------
        InputError
            When no pair of layers has that imbalance.
        """
        best = self.modes.product(tuple(range(min(self.width, self.modes.positive))))
        return self.balanced(best, lam, rotation)

    def balanced(self, W: Any, lam: float = 0.0, rotation: Any = None) -> Array:
        """Return parameters (..., p) with product W and imbalance lam I.

        Parameters
        ----------
        W : array_like (..., c, d)
            Product, of rank at most m.
        lam : float
            Imbalance; see `factors.balanced_factors`.
        rotation : array_like (m, m), optional
            Orthogonal matrix that turns the hidden layer.

        Raises
        ------
        InputError
            When no pair of layers has that product and imbalance.

        Examples
        --------
        >>> problem = TwoLayerLinear([[1.0]], [2.0], width=1)
        >>> theta = problem.balanced([[2.0]], lam=3.0)
        >>> float(problem.product(theta)[0, 0]), float(problem.imbalance(theta)[0, 0])
        (2.0, 3.0)
        """
        shape = (self.blocks["W2"][0], self.blocks["W1"][1])
        if np.shape(W)[-2:] != shape:
            raise InputError(f"W: expected shape (..., {shape[0]}, {shape[1]}), got {np.shape(W)}")
        return self.pack(*factors.balanced_factors(W, lam, width=self.width, rotation=rotation))

    def aligned(self, a: Any, b: Any, rotation: Any = None) -> Array:
        """Return parameters (..., p) that share the singular vectors of Syx.

        Parameters
        ----------
        a, b : array_like (..., k)
            Sizes of the modes in the first and the second layer.
        rotation : array_like (m, m), optional
            Orthogonal matrix that turns the hidden layer.

        Raises
        ------
        InputError
            When there are more modes than room.
        """
        U, _, Vt = np.linalg.svd(self.statistics.Syx)
        return self.pack(*aligned_factors(a, b, U, Vt.T, width=self.width, rotation=rotation))

    def gauge(self, theta: Array, T: Any) -> Array:
        """Return theta with (W1, W2) moved to (T W1, W2 T⁻¹), which has the same product."""
        W1, W2 = self.unpack(theta)
        return self.pack(*factors.gauge(W1, W2, T))

    def closed_form(self, theta0: Array, rates: Array) -> ClosedForm:
        """Return the exact gradient flow from theta0, or say which hypothesis fails."""
        from toymodels.linear.exact import closed_form

        return closed_form(self, theta0, rates)

    def observable_names(self) -> Iterable[str]:
        """Return the names that `record=` understands besides "theta"."""
        return (*super().observable_names(), "product", "imbalance", "gram", "singular_values")

    def _unpack_tangent(self, v: Array) -> tuple[Array, ...]:
        if np.ndim(v) == 0 or np.shape(v)[-1] != self.size:
            raise InputError(f"v: expected shape (..., {self.size}), got {np.shape(v)}")
        return self.unpack(v)

    def _as_targets(self, values: Array) -> Array:
        """(..., n, c) in the shape of the targets."""
        return values[..., 0] if self.targets.ndim == 1 else values

    def _as_matrix(self, values: Array) -> Array:
        """(..., n) or (..., n, c) as (..., n, c)."""
        return values[..., None] if self.targets.ndim == 1 else values


class _StatisticsOnly(TwoLayerLinear):
    """A problem without samples: its rows are made from the statistics."""

    def __init__(self, statistics: Statistics, width: int):
        compressed = compress_statistics(statistics)
        super().__init__(compressed.X, compressed.Y, width=width, weights=np.ones(len(compressed.X)))
        self.statistics, self.compressed = statistics, compressed

    @property
    def n(self) -> int:
        """Unknown: raises InputError."""
        raise _no_samples("the number of samples")

    def outputs(self, theta: Array) -> Array:
        raise _no_samples("outputs")

    def vjp(self, theta: Array, cotangent: Array, rows: Array | None = None) -> Array:
        raise _no_samples("vjp")

    def jvp(self, theta: Array, v: Array) -> Array:
        raise _no_samples("jvp")

    def jacobian(self, theta: Array) -> Array:
        raise _no_samples("jacobian")

    def ntk(self, theta: Array) -> Array:
        raise _no_samples("ntk")

    def _sample_gradient(self, theta: Array, rows: Any, targets: Any) -> Array:
        raise _no_samples("rows and targets")


def _no_samples(what: str) -> InputError:
    return InputError(f"{what}: expected samples, got a problem made from statistics; build it from X and Y")
