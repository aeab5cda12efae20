"""Linear networks of any depth under the square loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.linear import deep_formulas, formulas
from toymodels.linear.deep_factors import balanced_layers
from toymodels.linear.statistics import Statistics, compress
from toymodels.problem import ClosedForm, Problem, runs_of
from toymodels.validation import positive_int, real_array

Array = np.ndarray


class DeepLinear(Problem):
    """L linear layers ``f(x) = W_L ... W_1 x`` with ``L = sum_i pi_i |f(x_i) - y_i|²/2``.

    The parameters are theta = [W1 row-major, W2, ..., WL]. Loss, gradient and
    Hessian-vector products run on compressed data, at a cost that does not
    depend on the number of samples.

    Parameters
    ----------
    X : array_like (n, d)
        Data rows.
    Y : array_like (n,) or (n, c)
        Targets; outputs have their shape.
    widths : sequence of int
        Numbers of neurons of the L - 1 hidden layers, at least one.
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
        the widths are not positive integers.

    Examples
    --------
    >>> problem = DeepLinear([[1.0, 0.0], [0.0, 1.0]], [1.0, 3.0], widths=(1, 1))
    >>> problem.outputs([1.0, 2.0, 1.0, 0.5])
    array([0.5, 1. ])
    >>> round(float(problem.loss([1.0, 2.0, 1.0, 0.5])), 15)
    1.0625
    """

    def __init__(self, X: Any, Y: Any, *, widths: Iterable[int], weights: Any = None):
        hidden = _widths(widths)
        X, Y = real_array("X", X, 2), real_array("Y", Y, (1, 2))
        sizes = (X.shape[1], *hidden, 1 if Y.ndim == 1 else Y.shape[1])
        blocks: dict[str, tuple[int, ...]] = {
            f"W{j + 1}": (sizes[j + 1], sizes[j]) for j in range(len(sizes) - 1)
        }
        super().__init__(X, Y, blocks, weights=weights)
        matrix = self._as_matrix(self.targets)
        self.statistics = Statistics(*formulas.weighted_statistics(self.inputs, matrix, self.weights))
        self.compressed = compress(self.inputs, matrix, self.weights)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of all layers, from the d inputs to the c outputs."""
        shapes = list(self.blocks.values())
        return (shapes[0][1], *(rows for rows, _ in shapes))

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.blocks)

    @property
    def least_loss(self) -> float:
        """Loss of the best linear map of any rank."""
        return self.compressed.least

    def outputs(self, theta: Array) -> Array:
        """Return ``X Wᵀ`` in the shape of the targets, runs first."""
        return self._as_targets(deep_formulas.outputs(self.unpack(theta), self.inputs))

    def vjp(self, theta: Array, cotangent: Array, rows: Array | None = None) -> Array:
        """Return ``J(theta)ᵀ cotangent``, (..., p); see `Problem.vjp`.

        Raises
        ------
        InputError
            When the cotangent does not fit the outputs, or rows are out of range.
        """
        layers = self.unpack(theta)
        rows = self.check_rows(rows, runs_of(theta))
        X = self.inputs if rows is None else self.inputs[rows]
        cotangent = self._as_matrix(self.check_samples("cotangent", cotangent, rows, None))
        return self.pack(*deep_formulas.chain(layers, cotangent.mT @ X))

    def jvp(self, theta: Array, v: Array) -> Array:
        """Return ``J(theta) v`` in the shape of the outputs."""
        tangent = deep_formulas.product_tangent(self.unpack(theta), self._unpack_tangent(v))
        return self._as_targets(self.inputs @ tangent.mT)

    def loss(self, theta: Array) -> Array:
        """Return the loss, shape runs; never negative for real theta."""
        layers, data = self.unpack(theta), self.compressed
        return deep_formulas.sum_loss(layers, data.X, data.Y) + self.least_loss

    def residual(self, theta: Array) -> Array:
        """Return G = dL/dW at the product W, (..., c, d)."""
        return deep_formulas.sum_residual(self.unpack(theta), self.compressed.X, self.compressed.Y)

    def gradient(self, theta: Array, rows: Array | None = None, targets: Array | None = None) -> Array:
        """Return the gradient of the loss, (..., p); see `Problem.gradient`.

        Raises
        ------
        InputError
            When rows are not sample indices, or targets do not fit the outputs.

        Examples
        --------
        >>> problem = DeepLinear([[1.0], [2.0]], [0.0, 0.0], widths=(1, 1))
        >>> problem.gradient([1.0, 1.0, 1.0])
        array([2.5, 2.5, 2.5])
        """
        if rows is None and targets is None:
            return self.pack(*deep_formulas.chain(self.unpack(theta), self.residual(theta)))
        return super().gradient(theta, rows=rows, targets=targets)

    def hvp(self, theta: Array, v: Array) -> Array:
        """Return Hessian times v, (..., p), without forming the Hessian."""
        layers, directions = self.unpack(theta), self._unpack_tangent(v)
        slope = deep_formulas.product_tangent(layers, directions) @ self.compressed.X.mT @ self.compressed.X
        return self.pack(*deep_formulas.chain_tangent(layers, directions, self.residual(theta), slope))

    def product(self, theta: Array) -> Array:
        """Return the end-to-end matrix W = W_L ... W_1, (..., c, d)."""
        return deep_formulas.product(self.unpack(theta))

    def imbalances(self, theta: Array) -> tuple[Array, ...]:
        """Return W_{j+1}ᵀW_{j+1} - W_jW_jᵀ, (..., m_j, m_j), of each adjacent pair; flow conserves them."""
        return deep_formulas.imbalances(self.unpack(theta))

    def imbalance(self, theta: Array) -> Array:
        """Return the entries of all imbalances in a row, (..., m_1² + ... + m_{L-1}²)."""
        parts = self.imbalances(theta)
        return np.concatenate([part.reshape((*part.shape[:-2], -1)) for part in parts], axis=-1)

    def singular_values(self, theta: Array) -> Array:
        """Return the singular values of the product, (..., min(c, d)), descending; nan where not finite."""
        W = self.product(theta)
        finite = np.isfinite(W).all((-1, -2))
        values = np.linalg.svd(np.where(finite[..., None, None], W, 0), compute_uv=False)
        return np.where(finite[..., None], values, np.nan)

    def balanced(self, W: Any, rotations: Any = None) -> Array:
        """Return balanced parameters (..., p) with product W.

        Parameters
        ----------
        W : array_like (..., c, d)
            Product, of rank at most the smallest width.
        rotations : sequence of array_like (m_j, m_j), optional
            One orthogonal matrix per hidden layer; identities by default.

        Raises
        ------
        InputError
            When W has another shape or too large a rank, or a rotation is not
            orthogonal.

        Examples
        --------
        >>> problem = DeepLinear([[1.0]], [2.0], widths=(1, 1))
        >>> problem.balanced([[8.0]]).round(12)
        array([2., 2., 2.])
        """
        d, *hidden, c = self.sizes
        if np.shape(W)[-2:] != (c, d):
            raise InputError(f"W: expected shape (..., {c}, {d}), got {np.shape(W)}")
        return self.pack(*balanced_layers(W, tuple(hidden), rotations))

    def closed_form(self, theta0: Array, rates: Array) -> ClosedForm:
        """Return the exact gradient flow from a balanced aligned start, or say which hypothesis fails."""
        from toymodels.linear.deep_exact import closed_form

        return closed_form(self, theta0, rates)

    def observable_names(self) -> Iterable[str]:
        """Return the names that `record=` understands besides "theta"."""
        return (*super().observable_names(), "product", "imbalance", "singular_values")

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


def _widths(widths: Any) -> tuple[int, ...]:
    """The hidden widths, checked."""
    if isinstance(widths, str) or not isinstance(widths, Iterable):
        raise InputError(f"widths: expected a sequence of hidden widths, got {widths!r}")
    hidden = tuple(positive_int("widths", width) for width in widths)
    if not hidden:
        raise InputError("widths: expected at least one hidden layer")
    return hidden
