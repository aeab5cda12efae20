"""Linear networks of any depth under the square loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.linear import deep_formulas
from toymodels.linear.deep_factors import balanced_layers
from toymodels.linear.net import Layers, LinearNet, StatisticsOnly
from toymodels.problem import ClosedForm
from toymodels.validation import positive_int

Array = np.ndarray


class DeepLinear(LinearNet):
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
        super().__init__(X, Y, _widths(widths), weights)

    @classmethod
    def from_statistics(cls, Sxx: Any, Syx: Any, tyy: Any, *, widths: Iterable[int]) -> DeepLinear:
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
        widths : sequence of int
            Numbers of neurons of the hidden layers.

        Raises
        ------
        InputError
            When no data have these statistics.

        Examples
        --------
        >>> problem = DeepLinear.from_statistics([[1.0]], [[8.0]], 64.0, widths=(1, 1))
        >>> float(problem.loss([2.0, 2.0, 2.0]))
        0.0
        """
        return _FromStatistics(Sxx, Syx, tyy, widths=widths)

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.blocks)

    def _product(self, layers: Layers) -> Array:
        return deep_formulas.product(layers)

    def _product_tangent(self, layers: Layers, directions: Layers) -> Array:
        return deep_formulas.product_tangent(layers, directions)

    def _chain(self, layers: Layers, G: Array) -> Layers:
        return deep_formulas.chain(layers, G)

    def hvp(self, theta: Array, v: Array) -> Array:
        """Return Hessian times v, (..., p), without forming the Hessian."""
        layers, directions = self.unpack(theta), self._unpack_tangent(v)
        slope = deep_formulas.product_tangent(layers, directions) @ self.compressed.X.mT @ self.compressed.X
        return self.pack(*deep_formulas.chain_tangent(layers, directions, self._residual(layers), slope))

    def imbalances(self, theta: Array) -> tuple[Array, ...]:
        """Return W_{j+1}ᵀW_{j+1} - W_jW_jᵀ, (..., m_j, m_j), of each adjacent pair; flow conserves them."""
        return deep_formulas.imbalances(self.unpack(theta))

    def imbalance(self, theta: Array) -> Array:
        """Return the entries of all imbalances in a row, (..., m_1² + ... + m_{L-1}²)."""
        parts = self.imbalances(theta)
        return np.concatenate([part.reshape((*part.shape[:-2], -1)) for part in parts], axis=-1)

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
        self._check_product(W)
        return self.pack(*balanced_layers(W, self.sizes[1:-1], rotations))

    def closed_form(self, theta0: Array, rates: Array) -> ClosedForm:
        """Return the exact gradient flow from a balanced aligned start, or say which hypothesis fails."""
        from toymodels.linear.deep_exact import closed_form

        return closed_form(self, theta0, rates)


class _FromStatistics(StatisticsOnly, DeepLinear):
    """Deep layers without samples."""


def _widths(widths: Any) -> tuple[int, ...]:
    """The hidden widths, checked."""
    if isinstance(widths, str) or not isinstance(widths, Iterable):
        raise InputError(f"widths: expected a sequence of hidden widths, got {widths!r}")
    hidden = tuple(positive_int("widths", width) for width in widths)
    if not hidden:
        raise InputError("widths: expected at least one hidden layer")
    return hidden
