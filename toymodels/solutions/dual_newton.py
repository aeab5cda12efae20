"""Interpolators in mirror coordinates: ``beta = h(Vᵀ nu)``, ``V beta = b``, by damped Newton steps on nu.

The equations say that nu minimises a convex function, whose Hessian is V diag(w)
Vᵀ with w = h'. While no w grows faster than by ``1 / (1 - x)^(q + 1)`` along a
step of relative length x = t delta, the step t = (1 - (1 + q delta)^(-1/q)) /
delta decreases that function (own derivation; q = inf, for exponentials, gives t
= log(1 + delta) / delta, the step of generalised self-concordant functions in
Sun, Tran-Dinh 2019, arXiv 1703.04599). It tends to the full step.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from toymodels.errors import AssumptionError, InputError
from toymodels.validation import real_array

Array = np.ndarray

EPS = float(np.finfo(float).eps)
_STEPS = 200
_LARGEST_WEIGHT = 1e150
"""Weights beyond it, in units of the solution, belong to a guess that is hopelessly far."""
_LARGEST_RATIO = 1e8
"""Of beta to the least interpolator; the ratio is a condition number of columns of V."""


class Mirror(Protocol):
    """An increasing map of each coordinate."""

    order: float

    def primal(self, s: Array) -> tuple[Array, Array]:
        """Return h(s) and w = h'(s) > 0."""

    def length(self, s: Array, ds: Array) -> float:
        """Return the relative length of a step ds from s."""

    def rounding(self, s: Array) -> Array:
        """Return the relative rounding error of h(s), against w."""


class Dual(NamedTuple):
    """Where the Newton steps ended."""

    nu: Array
    beta: Array
    weight: Array
    residual: Array
    allowed: float
    """Rounding of the residual's largest entry."""

    @property
    def converged(self) -> bool:
        """Whether the residual is at rounding."""
        return bool(np.abs(self.residual).max() <= self.allowed)


class Rows(NamedTuple):
    """Orthonormal rows V (r, d) that span the row space of X, and V beta for all interpolators beta."""

    V: Array
    target: Array
    condition: float


def rows_of(X: Array, y: Array, weights: Array | None = None) -> Rows:
    """Return the equations V beta = b that all least-squares solutions of X beta = y obey."""
    root = np.ones(len(X)) if weights is None else np.sqrt(weights)
    U, sizes, V = np.linalg.svd(root[:, None] * X, full_matrices=False)
    rank = int((sizes > max(X.shape) * EPS * sizes[0]).sum())
    if rank == 0:
        return Rows(V[:0], np.zeros(0), 1.0)
    target = (U[:, :rank].T @ (root * y)) / sizes[:rank]
    return Rows(V[:rank], target, float(sizes[0] / sizes[rank - 1]))


def interpolating_rows(X: Any, y: Any) -> Rows:
    """Return `rows_of` data that some beta interpolates.

    Raises
    ------
    InputError
        When the data are not real and finite or do not fit together.
    AssumptionError
        When X beta = y has no solution.
    """
    X, y = real_array("X", X, 2), real_array("y", y, 1)
    if len(X) != len(y):
        raise InputError(f"y: expected {len(X)} entries as X has rows, got shape {y.shape}")
    rows = rows_of(X, y)
    residual = np.linalg.norm(X @ (rows.V.T @ rows.target) - y)
    allowed = 8 * (sum(X.shape)) * EPS * (rows.condition * np.linalg.norm(y))
    if residual > allowed:
        raise AssumptionError("y: expected targets that some beta interpolates", float(residual))
    return rows


def curvature(V: Array, weight: Array) -> Array:
    """Return V diag(w) Vᵀ, lifted by its rounding where it is singular."""
    H = (V * weight) @ V.T
    return H + EPS * np.trace(H) * np.eye(len(H))


def newton(V: Array, target: Array, mirror: Mirror, nu: Array) -> Dual:
    """Return the solution from a first guess of nu, or the last step where it has not converged.

    A beta beyond all proportion to its start and to the least interpolator solves
    nothing: its terms cancel, and the residual is their rounding.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        start, _ = mirror.primal(np.zeros(V.shape[1]))
        largest = _LARGEST_RATIO * max(np.abs(V.T @ target).max(), np.abs(start).max())
        for _ in range(_STEPS):
            here = evaluate(V, target, mirror, nu)
            if not np.abs(here.beta).max() <= largest:
                here = here._replace(allowed=-1.0)
            if here.converged or not 1 / _LARGEST_WEIGHT < here.weight.max() < _LARGEST_WEIGHT:
                break
            step = np.linalg.solve(curvature(V, here.weight), here.residual)
            nu = nu + damping(mirror.length(V.T @ nu, V.T @ step), mirror.order) * step
    return here


def evaluate(V: Array, target: Array, mirror: Mirror, nu: Array) -> Dual:
    """Return the point of coordinates nu."""
    s = V.T @ nu
    beta, weight = mirror.primal(s)
    terms = np.abs(V) @ (weight * (mirror.rounding(s) + len(s) * EPS)) + len(V) * EPS * np.abs(target)
    return Dual(nu, beta, weight, target - V @ beta, float(terms.max()))


def damping(length: float, order: float) -> float:
    """Return the factor of a Newton step of relative length `length`; see the module."""
    if length == 0:
        return 1.0
    if np.isinf(order):
        return float(np.log1p(length) / length)
    return float(-np.expm1(-np.log1p(order * length) / order) / length)


def polish(rows: Rows, target: Array, end: Dual, mirror: Mirror) -> tuple[Array, float]:
    """Return beta with the last residual taken away, and a first-order bound on its error.

    An error of s moves beta along W, and the equations V beta = b take back what
    they see of it.
    """
    V = rows.V
    back = np.linalg.solve(curvature(V, end.weight), V * end.weight).T
    s = V.T @ end.nu
    slip = mirror.rounding(s) + EPS * rows.condition * np.linalg.norm(end.nu)
    kept = np.abs(np.eye(len(s)) - back @ V) @ (end.weight * slip)
    seen = 2 * sum(V.shape) * EPS * rows.condition * np.linalg.norm(target)
    lost = len(s) * EPS * np.linalg.norm(end.beta) + seen
    error = np.linalg.norm(kept) + np.linalg.norm(back, 2) * lost
    return end.beta + back @ end.residual, float(error)
