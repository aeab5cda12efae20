"""The two-layer linear network under the square loss."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from toymodels.linear import factors, formulas
from toymodels.linear.aligned import aligned_factors
from toymodels.linear.landscape import CriticalPoint, critical_points
from toymodels.linear.net import Layers, LinearNet, StatisticsOnly
from toymodels.linear.whitening import TargetModes, modes_of
from toymodels.problem import ClosedForm
from toymodels.validation import positive_int

Array = np.ndarray


class TwoLayerLinear(LinearNet):
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
        super().__init__(X, Y, (positive_int("width", width),), weights)

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
        return _FromStatistics(Sxx, Syx, tyy, width=width)

    @property
    def width(self) -> int:
        """Number of hidden neurons m."""
        return self.blocks["W1"][0]

    def _product(self, layers: Layers) -> Array:
        return formulas.product(*layers)

    def _product_tangent(self, layers: Layers, directions: Layers) -> Array:
        return formulas.product_tangent(*layers, *directions)

    def _chain(self, layers: Layers, G: Array) -> Layers:
        W1, W2 = layers
        return formulas.chain(W1, W2, G)

    def jacobian(self, theta: Array) -> Array:
        """Return d outputs / d theta, (..., nc, p), outputs flattened sample-major."""
        W1, W2 = self.unpack(theta)
        return formulas.jacobian(W1, W2, self.inputs)

    def ntk(self, theta: Array) -> Array:
        """Return the neural tangent kernel J Jᵀ, (..., nc, nc), sample-major."""
        W1, W2 = self.unpack(theta)
        return formulas.ntk(W1, W2, self.inputs)

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

    def imbalance(self, theta: Array) -> Array:
        """Return W2ᵀW2 - W1W1ᵀ, (..., m, m); gradient flow conserves it."""
        return formulas.imbalance(*self.unpack(theta))

    def gram(self, theta: Array) -> Array:
        """Return QQᵀ, (..., d + c, d + c), of Q = [W1ᵀ; W2]."""
        return formulas.gram(*self.unpack(theta))

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
        self._check_product(W)
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
        return (*super().observable_names(), "gram")


class _FromStatistics(StatisticsOnly, TwoLayerLinear):
    """Two layers without samples."""
