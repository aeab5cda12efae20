"""What the statements about diagonal networks of depth 2 range over: minima, any points, flat directions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic import Array, dot, mT
from toymodels.arithmetic.elimination import inverse
from toymodels.arithmetic.jets import Jet
from toymodels.manifold import diagonal_formulas as formulas
from toymodels.spaces import Domain, Refused, Source, Space


class DiagonalPoint(NamedTuple):
    """A network beta = u * v, W (2, d) with rows u and v, on data rows X (n, d).

    Where the targets are its own outputs it is a minimum, and the projectors
    and H are those of the manifold of minima there, for the loss
    ``sum_i r_i² / (2n)`` and independent rows.
    """

    X: Array
    W: Array

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.X.shape[0]

    @property
    def beta(self) -> Array:
        """Coefficients u * v, (d,)."""
        return formulas.product(self.W)

    @property
    def slopes(self) -> Array:
        """dbeta / dW, (2, d)."""
        return formulas.product_slopes(self.W)

    @property
    def second_moment(self) -> Array:
        """Sigma = XᵀX/n, (d, d)."""
        return mT(self.X) @ self.X / self.n

    @property
    def moments(self) -> Array:
        """M_j = (1/n) sum_i x_ij², (d,)."""
        return (self.X * self.X).sum(-2) / self.n

    @property
    def outputs(self) -> Array:
        """X beta, (n,)."""
        return formulas.outputs(self.beta, self.X)

    @property
    def jacobian(self) -> Array:
        """J = d outputs / d theta, (n, 2d)."""
        return formulas.jacobian(self.slopes, self.X)

    @property
    def kernel(self) -> Array:
        """J Jᵀ, (n, n)."""
        return formulas.ntk(self.slopes, self.X)

    @property
    def hessian(self) -> Array:
        """H at a minimum, JᵀJ/n, (2d, 2d)."""
        J = self.jacobian
        return mT(J) @ J / self.n

    @property
    def identity(self) -> Array:
        """The identity of the parameters, in the ring of W."""
        return np.eye(2 * self.X.shape[-1], dtype=int) + 0 * self.W.reshape(-1)

    @property
    def normal_projector(self) -> Array:
        """P_N = Jᵀ (J Jᵀ)⁻¹ J."""
        J = self.jacobian
        return mT(J) @ inverse(self.kernel) @ J

    @property
    def tangent_projector(self) -> Array:
        """P_T = I - P_N."""
        return self.identity - self.normal_projector

    @property
    def pseudo_inverse(self) -> Array:
        """H⁺ = n Jᵀ (J Jᵀ)⁻² J."""
        J, turned = self.jacobian, inverse(self.kernel)
        return mT(J) @ turned @ turned @ J * self.n

    def third(self, M: Array) -> Array:
        """Return T[M]_i = sum_jk d_ijk L M_jk at a minimum, (2d,)."""
        terms = [
            self._bent(column, direction) for column, direction in zip(mT(M), self.identity, strict=True)
        ]
        return sum(terms[1:], terms[0])

    def tangent_gradient(self, moved: Any) -> Array:
        """Return P_T times a gradient, given as the derivative along each parameter."""
        slopes = [moved(direction) for direction in self.identity]
        return times(self.tangent_projector, np.array(slopes))

    def along(self, direction: Array) -> Jet:
        """W moving along a direction (2d,)."""
        return Jet(self.W, np.asarray(direction).reshape(self.W.shape))

    def _bent(self, v: Array, direction: Array) -> Array:
        """Derivative of H v along a direction; the targets stay."""
        W = self.along(direction)
        g = (self.second_moment @ (formulas.product(W) - self.beta)[..., None])[..., 0]
        moved = formulas.hvp(
            formulas.product_slopes(W),
            formulas.product_curvatures(W),
            v.reshape(self.W.shape),
            self.second_moment,
            g,
        )
        return moved.first.reshape(v.shape)


def times(A: Array, x: Array) -> Array:
    """Return the matrix A times the vector x."""
    return (A @ x[..., None])[..., 0]


def points() -> Space:
    """Networks with any layers on any data of n <= d rows."""

    def draw(source: Source, name: str) -> DiagonalPoint:
        n, d = source.size("n"), source.size("d")
        source.require(n <= d, "n <= d")
        return DiagonalPoint(source.array((n, d)), source.array((2, d)))

    return Space(draw, "diagonal network (2, d) on n <= d samples")


def one_direction() -> Space:
    """Networks on one sample with entries ±s, n = 1."""

    def draw(source: Source, name: str) -> DiagonalPoint:
        d = source.size("d")
        signs = np.array([[2 * source.integer(0, 1) - 1 for _ in range(d)]])
        return DiagonalPoint(signs * source.array((1,)), source.array((2, d)))

    return Space(draw, "diagonal network (2, d) on one sample of entries ±s")


def signs(size: str) -> Space:
    """Vectors of ones and minus ones, as plain integers."""

    def draw(source: Source, name: str) -> np.ndarray:
        return np.array([2 * source.integer(0, 1) - 1 for _ in range(source.size(size))])

    return Space(draw, f"signs ({size},)")


class FlatDirection(NamedTuple):
    """Data rows X (n, d), a move (d,) with X move = 0, and q = Xᵀ nu (d,) in the row space."""

    X: Array
    move: Array
    q: Array


def flat_directions() -> Space:
    """Data with a move that no output sees, and a vector of the row space; d >= 2."""

    def draw(source: Source, name: str) -> FlatDirection:
        n, d = source.size("n"), source.size("d")
        source.require(d >= 2, "d >= 2")
        move = source.array((d,))
        square = dot(move, move)
        source.require(source.plain(square) > 0, "zero vector")
        free = source.array((n, d))
        X = free - (free @ move)[:, None] * move / square
        return FlatDirection(X, move, source.array((n,)) @ X)

    return Space(draw, "data (n, d) with a flat direction and a vector of the row space")


class DiagonalTraining(NamedTuple):
    """Float data that a network fits: X (n, d), y (n,), and a start of scales alpha and rho."""

    X: np.ndarray
    y: np.ndarray
    alpha: np.ndarray
    rho: np.ndarray


def trainings(low: float = 0.2, high: float = 1.5) -> Space:
    """Starts of trainings: fewer rows than inputs, entries in (-2, 2), log-uniform scales in (low, high)."""

    def draw(source: Source, name: str) -> DiagonalTraining:
        if source.system.name != "floats":
            raise Refused("starts of trainings are floats")
        n, d = source.size("n"), source.size("d")
        source.require(n < d, "n < d")
        X = source.array((n, d), Domain(-2.0, 2.0))
        values = np.linalg.svd(X, compute_uv=False)
        source.require(values[-1] > 0.7, "nearly dependent rows")
        alpha = source.array((d,), Domain(low, high, logarithmic=True))
        rho = source.array((d,), Domain(-1.0, 1.0))
        side = np.array([2 * source.integer(0, 1) - 1 for _ in range(d)])
        return DiagonalTraining(X, X @ (side * source.array((d,), Domain(0.2, 1.5))), alpha, rho)

    return Space(draw, f"data (n, d) with n < d and a start of scales in ({low:g}, {high:g})")
