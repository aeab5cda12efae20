"""The conformal quadratic model, whose training minima form a manifold."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.manifold import formulas
from toymodels.manifold.clifford import generators
from toymodels.manifold.data import Rows, rows_of
from toymodels.manifold.fibres import fibre_point
from toymodels.manifold.spectra import one_sample_spectrum
from toymodels.manifold.teacher import Teacher
from toymodels.problem import ClosedForm, DescentKernel, Problem, runs_of
from toymodels.trajectory import euclidean_norm
from toymodels.validation import real_array

Array = np.ndarray

_HOPF = (2, 3)
"""Numbers of inputs for which |beta| = |theta|²/2 at every theta."""


class MinimaManifold(Problem):
    """``f(x) = theta.Q(x) theta / 2`` with ``Q(x) = sum_j x_j Q_j`` and anticommuting symmetric Q_j.

    The model is linear in x, ``f(x) = x.beta(theta)``, and quadratic in its N =
    2^(d-1) parameters (two for d = 1 and 2). With two inputs, theta = (a, b) and
    beta = (a b, (a² - b²)/2). The minima of the training loss, beta = beta_dag on
    the row space of X, form a manifold Gamma; the test loss has its minima at
    isolated values of beta.

    Parameters
    ----------
    X : array_like (n, d)
        Data rows, d <= 10.
    y : array_like (n,)
        Targets. Where no beta interpolates them, beta_dag is the least-squares
        map of least norm, and Gamma its minima.
    teacher : array_like (d,), optional
        The map beta* of the test loss.
    covariance : array_like (d, d), optional
        Second moment Lam of the test inputs; the identity by default.

    Attributes
    ----------
    Q : int array (d, N, N)
        The matrices Q_j.
    interpolator : (d,)
        beta_dag = X^+ y.
    teacher : Teacher or None
        beta* and Lam.
    curvatures : (r,)
        Nonzero eigenvalues of Sigma = XᵀX/n, largest first.

    Raises
    ------
    InputError
        When data are not real, finite, non-empty and of matching shapes, there
        are more than 10 inputs, or the covariance is not symmetric positive
        semidefinite.

    Notes
    -----
    Source: own construction with the properties that the abstract of Ren, Ma,
    Ying 2024, arXiv 2401.11600, asserts; minima_manifold A.1, A.2.

    Examples
    --------
    >>> problem = MinimaManifold([[1.0, 0.0]], [1.0], teacher=[1.0, 0.0])
    >>> theta = [2.0, 0.5]
    >>> problem.beta(theta), float(problem.loss(theta)), float(problem.test_loss(theta))
    (array([1.   , 1.875]), 0.0, 1.7578125)
    >>> problem.spectrum(theta)
    array([0.  , 4.25])
    """

    def __init__(self, X: Any, y: Any, teacher: Any = None, covariance: Any = None):
        X, y = real_array("X", X, 2), real_array("y", y, 1)
        if len(X) != len(y):
            raise InputError(f"y: expected {len(X)} entries as X has rows, got shape {y.shape}")
        self.Q = generators(X.shape[1])
        super().__init__(X, y, {"theta": self.Q.shape[-1:]})
        self._Q = self.Q.astype(float)
        if teacher is None and covariance is not None:
            raise InputError("covariance: expected a teacher beta* with it")
        self.teacher = None if teacher is None else Teacher(teacher, covariance, X.shape[1])

    @cached_property
    def rows(self) -> Rows:
        """The singular vectors of the data, and beta_dag in them."""
        return rows_of(self.inputs, self.targets)

    @property
    def curvatures(self) -> Array:
        """Nonzero eigenvalues of Sigma = XᵀX/n, (r,), largest first."""
        return self.rows.curvatures

    @property
    def interpolator(self) -> Array:
        """The map of least norm among the best ones, beta_dag = X^+ y, (d,)."""
        return self.rows.basis @ self.rows.fit

    def beta(self, theta: Array) -> Array:
        """Return the linear map that theta stands for, (..., d)."""
        return formulas.beta(self._real(theta), self._Q)

    def outputs(self, theta: Array) -> Array:
        """Return the outputs on the data, (..., n)."""
        return formulas.outputs(self._real(theta), self._Q, self.inputs)

    def vjp(self, theta: Array, cotangent: Array, rows: Array | None = None) -> Array:
        """Return ``J(theta)ᵀ cotangent``, (..., p).

        Parameters
        ----------
        theta : (..., p)
        cotangent : (..., n)
            Shape of the outputs (of the rows, when given).
        rows : int array (B,) or runs + (B,), optional
            Samples to use instead of all.

        Raises
        ------
        InputError
            When the cotangent does not fit the outputs, or rows are out of range.
        """
        rows = self.check_rows(rows, runs_of(theta))
        cotangent = self.check_samples("cotangent", cotangent, rows, None)
        X = self.inputs if rows is None else self.inputs[rows]
        return formulas.vjp(self._real(theta), self._Q, X, cotangent)

    def jvp(self, theta: Array, v: Array) -> Array:
        """Return ``J(theta) v``, (..., n)."""
        return formulas.jvp(self._real(theta), self._Q, self.inputs, self._real(v))

    def jacobian(self, theta: Array) -> Array:
        """Return d outputs / d theta, (..., n, p)."""
        return formulas.jacobian(self._real(theta), self._Q, self.inputs)

    def ntk(self, theta: Array) -> Array:
        """Return the neural tangent kernel |theta|² X Xᵀ, (..., n, n)."""
        return formulas.ntk(self._real(theta), self.inputs)

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian of the training loss, (..., p, p)."""
        return formulas.hessian(self._real(theta), self._Q, self.inputs, self.targets)

    def hvp(self, theta: Array, v: Array) -> Array:
        """Return Hessian times v, (..., p), without forming the Hessian."""
        return formulas.hvp(self._real(theta), self._Q, self.inputs, self.targets, self._real(v))

    def trace_hessian(self, theta: Array) -> Array:
        """Return the trace of the Hessian, |theta|² tr Sigma, shape runs."""
        return formulas.hessian_trace(self._real(theta), self.inputs)

    def spectrum(self, theta: Array) -> Array:
        """Return the eigenvalues of the Hessian, (..., p), smallest first; nan where it is not finite.

        On Gamma those that do not vanish are |theta|² times the `curvatures`.
        With one sample they are explicit everywhere.
        """
        if self.n == 1:
            return one_sample_spectrum(self, self._real(theta))
        hessian = self.hessian(theta)
        finite = np.isfinite(hessian).all((-1, -2))[..., None]
        return np.where(finite, np.linalg.eigvalsh(np.where(finite[..., None], hessian, 0)), np.nan)

    def sharpness_on_manifold(self, total_imbalance: Any) -> Array:
        """Return the sharpness at the points of Gamma of given total imbalance om, the shape of om.

        It is 2 kap_max sqrt(|beta_dag|² + om²), whatever else the point is.

        Notes
        -----
        Source: minima_manifold A.2.

        Examples
        --------
        >>> problem = MinimaManifold([[1.0, 0.0]], [3.0])
        >>> float(problem.sharpness_on_manifold(4.0))
        10.0
        """
        om = real_array("total_imbalance", total_imbalance)
        largest = self.curvatures.max(initial=0.0)
        return (2 * largest * np.hypot(self.rows.size, om))[()]

    def test_loss(self, theta: Array) -> Array:
        """Return the test loss (beta - beta*).Lam (beta - beta*) / 2, shape runs.

        Raises
        ------
        InputError
            When the problem has no teacher.
        """
        return self.known_teacher.test_loss(self.beta(theta))

    @property
    def known_teacher(self) -> Teacher:
        """The teacher, or InputError where the problem has none."""
        if self.teacher is None:
            raise InputError("teacher: expected a problem with a teacher beta*, since the test loss is asked")
        return self.teacher

    def scale(self, theta: Array) -> Array:
        """Return S = |theta|², the scale of the tangent kernel, shape runs."""
        return formulas.scale(self._real(theta))

    def imbalance(self, theta: Array) -> Array:
        """Return the hidden imbalance mu >= 0, with |theta|² = 2 sqrt(|beta|² + mu²), shape runs.

        Gradient flow conserves it; it vanishes for two and three inputs. Its
        error is a rounding of |theta|², not the root of one.

        Notes
        -----
        Source: minima_manifold A.1, S-A3.

        Examples
        --------
        >>> MinimaManifold([[1.0]], [1.0]).imbalance([3.0, 1.0])
        np.float64(4.0)
        """
        theta = self._real(theta)
        d = self.inputs.shape[1]
        if d == 1:
            return np.abs((theta[..., 0] - theta[..., 1]) * (theta[..., 0] + theta[..., 1])) / 2
        if d in _HOPF:
            return np.zeros(runs_of(theta))[()]
        norm = euclidean_norm(theta)
        unit = theta / np.where(norm > 0, norm, 1.0)[..., None]
        return norm * (norm * euclidean_norm(formulas.hidden(unit, self._Q))) / 2

    def unseen(self, theta: Array) -> Array:
        """Return P_ beta, the part of beta across the row space of X, (..., d)."""
        return self.rows.across(self.beta(theta))

    def total_imbalance(self, theta: Array) -> Array:
        """Return om = sqrt(|P_ beta|² + mu²), all that the training data do not see, shape runs."""
        return np.hypot(euclidean_norm(self.unseen(theta)), self.imbalance(theta))

    def normal_projector(self, theta: Array) -> Array:
        """Return the projector on the normals of the manifold P beta = const through theta, (..., p, p).

        On Gamma that manifold is Gamma.

        Raises
        ------
        InputError
            When a theta is zero, where there is no manifold.

        Notes
        -----
        It is Jᵀ P J / |theta|². Source: minima_manifold A.2.
        """
        theta = self._real(theta)
        norm = euclidean_norm(theta)[..., None]
        if not (norm > 0).all():
            raise InputError("theta: expected a point other than 0, where the level sets of beta meet")
        along = self.rows.basis.T @ formulas.images(theta / norm, self._Q)
        return along.mT @ along

    def tangent_projector(self, theta: Array) -> Array:
        """Return the projector on the tangents of the manifold P beta = const, (..., p, p).

        Raises
        ------
        InputError
            When a theta is zero.

        Examples
        --------
        >>> problem = MinimaManifold([[1.0, 0.0]], [1.0])
        >>> problem.tangent_projector([1.0, 1.0])
        array([[ 0.5, -0.5],
               [-0.5,  0.5]])
        """
        return np.eye(self.size) - self.normal_projector(theta)

    def point(self, beta: Any, imbalance: Any = 0.0, near: Any = None) -> Array:
        """Return a theta with a given beta and hidden imbalance.

        Parameters
        ----------
        beta : array_like (..., d)
        imbalance : array_like (...)
            mu >= 0; zero for two and three inputs, where there is no other.
        near : array_like (p,), optional
            Where there are many such theta: the one nearest in direction,
            eigenspace by eigenspace of Q(beta). By default a fixed choice.

        Returns
        -------
        theta : (..., p)

        Raises
        ------
        InputError
            When shapes do not fit, mu is negative, or not zero for two or three
            inputs.

        Notes
        -----
        With mu = 0 it is sqrt(2 |beta|) times a unit eigenvector of
        Q(beta/|beta|). Source: minima_manifold A.2; own derivation for mu > 0.

        Examples
        --------
        >>> problem = MinimaManifold([[1.0, 0.0]], [1.0])
        >>> problem.point([1.0, 0.0])
        array([1., 1.])
        """
        beta, mu = real_array("beta", beta), real_array("imbalance", imbalance)
        d = self.inputs.shape[1]
        if beta.ndim == 0 or beta.shape[-1] != d:
            raise InputError(f"beta: expected shape (..., {d}), got {beta.shape}")
        if (mu < 0).any() or (d in _HOPF and mu.any()):
            raise InputError(f"imbalance: expected {'0' if d in _HOPF else 'numbers >= 0'} for {d} inputs")
        try:
            mu = np.broadcast_to(mu, np.broadcast_shapes(mu.shape, beta.shape[:-1]))
        except ValueError as error:
            raise InputError(f"imbalance: expected shape {beta.shape[:-1]}, got {mu.shape}") from error
        target = None if near is None else real_array("near", near, 1)
        if target is not None and target.shape != (self.size,):
            raise InputError(f"near: expected shape ({self.size},), got {target.shape}")
        return fibre_point(np.broadcast_to(beta, (*mu.shape, d)), mu, self._Q, target)

    def minimum_norm_point(self, near: Any = None) -> Array:
        """Return a point of Gamma of least norm, (p,): beta = beta_dag and no imbalance.

        It is also the flattest, in trace and largest eigenvalue of the Hessian,
        and its map the interpolator of least norm.

        Parameters
        ----------
        near : array_like (p,), optional
            Which of them; see `point`.

        Raises
        ------
        InputError
            When `near` does not fit.

        Notes
        -----
        Source: minima_manifold S-A2.

        Examples
        --------
        >>> MinimaManifold([[2.0, 0.0]], [8.0]).minimum_norm_point()
        array([2., 2.])
        """
        return self.point(self.interpolator, near=near)

    def limit(self, theta: Any) -> Array:
        """Return where gradient flow from theta ends, runs + (p,); the map Phi onto Gamma.

        Raises
        ------
        AssumptionError
            As `toymodels.exact` on this problem.

        Notes
        -----
        Source: minima_manifold S-A3.

        Examples
        --------
        >>> MinimaManifold([[1.0, 0.0]], [1.0]).limit([2.4, 0.2]).round(6)
        array([2.426888, 0.41205 ])
        """
        return self.closed_form(self.check_theta(theta), np.ones(1)).at(np.inf)

    def closed_form(self, theta0: Array, rates: Array) -> ClosedForm:
        """Return the exact gradient flow; see `toymodels.manifold.exact.closed_form`."""
        from toymodels.manifold.exact import closed_form

        return closed_form(self, theta0, rates)

    def descent_kernel(self, theta0: Array) -> DescentKernel | None:
        """Return a kernel for plain descent of many runs where there is one sample."""
        from toymodels.manifold.kernel import OneSampleKernel

        if self.n > 1:
            return None
        return OneSampleKernel(theta0, formulas.combination(self._Q, self.inputs[0]), float(self.weights[0]))

    def observable_names(self) -> Iterable[str]:
        """Return the names that `record=` understands besides "theta"."""
        own = ("beta", "imbalance", "scale", "spectrum", "test_loss", "total_imbalance", "trace_hessian")
        return (*super().observable_names(), *own, "unseen")

    def _real(self, theta: Any) -> Array:
        """Theta as an array of the right length, of whatever numbers."""
        return self.unpack(theta)[0]
