"""Largest margins: of a class by itself, in the limit on orthogonally separable data, and over all measures.

On orthogonally separable data training ends, both layers trained and from a
small start, with every neuron along the max-margin vector of its class. The
F1-margin is the largest margin of any net of given size, of any width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import AssumptionError, ConvergenceError, InputError
from toymodels.relu.cells import activation_patterns
from toymodels.validation import positive_int, positive_real, real_array

Array = np.ndarray

EPS = np.finfo(float).eps


class ClassMargin(NamedTuple):
    """The shortest u with ``u . x_i >= 1`` for all rows, u = sum_i mu_i x_i."""

    vector: Array
    multipliers: Array

    @property
    def norm(self) -> float:
        """|u|; the rows lie 1/|u| or more from the origin along u."""
        return float(np.linalg.norm(self.vector))


def class_max_margin(X: Any) -> ClassMargin:
    """Return the shortest u with ``u . x_i >= 1`` for all rows of X, and its multipliers mu >= 0.

    Parameters
    ----------
    X : array_like (n, d)
        Rows of one class; no labels.

    Returns
    -------
    ClassMargin

    Raises
    ------
    InputError
        When X is not a real matrix.
    AssumptionError
        When no u has ``u . x_i > 0`` for all rows; with what is left of 1 in
        the hull of the rows.

    Notes
    -----
    Source: neuron_partition F3: non-negative least squares of (Xᵀ; 1ᵀ) z on
    (0; 1) leave a residual proportional to (-u, -1). On the support found so,
    u is solved for once more, which squares no condition number.

    Examples
    --------
    >>> found = class_max_margin([[2.0, 0.0], [0.0, 2.0], [5.0, 5.0]])
    >>> found.vector.round(12), found.multipliers.round(12)
    (array([0.5, 0.5]), array([0.25, 0.25, 0.  ]))
    """
    from scipy.optimize import nnls

    X = real_array("X", X, 2)
    size = _size(X)
    rows = np.concatenate([X.T / size, np.ones((1, len(X)))])
    z, _ = nnls(rows, np.eye(rows.shape[0])[-1])
    left = 1 - z.sum()
    if left <= 16 * sum(X.shape) * EPS:
        raise AssumptionError(
            "X: expected rows on one side of some hyperplane through the origin", float(left)
        )
    support = z > 0
    u = np.linalg.lstsq(X[support] / size, np.ones(support.sum()), rcond=None)[0] / size
    return ClassMargin(u, z / left / size / size)


class MaxMarginLimit(NamedTuple):
    """Where training of both layers ends on orthogonally separable data.

    Attributes
    ----------
    vectors : (2, d)
        u_+ and u_-, zero for a class without samples.
    multipliers : (n,)
        Of each sample in the vector of its class.
    """

    vectors: Array
    multipliers: Array
    labels: Array

    @property
    def norms(self) -> Array:
        """|u_+| and |u_-|."""
        return np.linalg.norm(self.vectors, axis=-1)

    @property
    def masses(self) -> Array:
        """Shares M_+ and M_- of sum_k a_k², in the ratio of the norms."""
        return self.norms / self.norms.sum()

    @property
    def margin(self) -> float:
        """The limit of min_i q_i / |theta|², 1/(2 (|u_+| + |u_-|))."""
        return self.f1_margin / 2

    @property
    def f1_margin(self) -> float:
        """The F1-margin, 1/(|u_+| + |u_-|)."""
        return float(1 / self.norms.sum())

    @property
    def weights(self) -> Array:
        """Dual weights of the samples, (n,), >= 0 with sum 1: mu_i/(|u_c| (|u_+| + |u_-|))."""
        own = np.where(self.labels > 0, *self.norms)
        return self.multipliers / (own * self.norms.sum())

    def layers(self) -> tuple[Array, Array]:
        """Return the limit direction, |theta| = 1: W (c, d) and a (c,), a neuron per class with samples."""
        signs = np.array([1.0, -1.0])
        some = self.norms > 0
        size = np.sqrt(self.masses[some] / 2)
        return size[:, None] * (self.vectors[some] / self.norms[some, None]), size * signs[some]


def max_margin_limit(X: Any, y: Any) -> MaxMarginLimit:
    """Return the limit of training both layers from a small start on orthogonally separable data.

    Parameters
    ----------
    X : array_like (n, d)
    y : array_like (n,)
        Labels -1 or 1.

    Returns
    -------
    MaxMarginLimit

    Raises
    ------
    InputError
        When shapes or labels do not fit, or a row is zero.
    AssumptionError
        When some ``y_i y_j x_i . x_j`` is negative beyond rounding, with that cosine.

    Notes
    -----
    After Phuong, Lampert 2021 and Min, Mallada, Vidal 2024; neuron_partition F3, F4.

    Examples
    --------
    >>> found = max_margin_limit([[2.0, 0.0], [0.0, 1.0]], [1.0, -1.0])
    >>> found.masses.round(6), round(found.f1_margin, 6), found.weights.round(6)
    (array([0.333333, 0.666667]), 0.666667, array([0.333333, 0.666667]))
    """
    X, y = _labelled(X, y)
    largest = np.abs(X).max(-1, keepdims=True)
    if not (largest > 0).all():
        raise InputError("X: expected rows that are not zero")
    signed = y[:, None] * (X / largest)
    signed = signed / np.linalg.norm(signed, axis=-1, keepdims=True)
    worst = float((signed @ signed.T).min())
    if worst < -8 * X.shape[1] * EPS:
        raise AssumptionError("X, y: expected orthogonally separable data, y_i y_j x_i . x_j >= 0", -worst)
    vectors, multipliers = np.zeros((2, X.shape[1])), np.zeros(len(y))
    for c, label in enumerate((1.0, -1.0)):
        if (own := y == label).any():
            vectors[c], multipliers[own] = class_max_margin(X[own])
    return MaxMarginLimit(vectors, multipliers, y)


class F1Margin(NamedTuple):
    """The F1-margin between two certificates.

    Attributes
    ----------
    value : float
        The least margin of the measure: the F1-margin is at least this.
    upper : float
        The largest ``|sum_i lambda_i y_i relu(w . x_i)|`` over unit w: the F1-margin is at most this.
    directions : (k, d)
        Unit vectors that the measure lives on.
    masses : (k,)
        With sign, their sizes add up to 1.
    weights : (n,)
        Dual weights lambda >= 0 of the samples, with sum 1.
    """

    value: float
    upper: float
    directions: Array
    masses: Array
    weights: Array

    @property
    def gap(self) -> float:
        """upper - value, which certifies both."""
        return self.upper - self.value


def f1_margin(X: Any, y: Any, *, tolerance: float = 1e-8, rounds: int = 200) -> F1Margin:
    """Return the F1-margin ``max min_i y_i int relu(w . x_i) d nu(w)``.

    The maximum is over signed measures nu of total mass 1 on the unit sphere.
    Half of it is the largest ``min_i q_i / |theta|²`` of any net of any width.

    Parameters
    ----------
    X : array_like (n, d)
        Few rows: all cells of the space of directions are visited.
    y : array_like (n,)
        Labels -1 or 1.
    tolerance : float
        Gap to reach, relative to the largest entry of X.
    rounds : int
        Linear programs at most.

    Returns
    -------
    F1Margin

    Raises
    ------
    InputError
        When shapes or labels do not fit, or there are too many cells.
    ConvergenceError
        When the gap is not reached.

    Notes
    -----
    Source: after Chizat, Bach 2020; neuron_partition F4. The dual is to
    minimise over weights lambda of the samples the largest ``|sum_i lambda_i
    y_i relu(w . x_i)|`` over unit w. In a cell the sum is w . v, and the
    largest is the length of the projection of v (or -v) on its closed cone,
    so that is exact in every dimension. A linear program over the directions
    found so far gives a measure and new weights, these give new directions,
    and each round ends with certificates for both sides.

    Examples
    --------
    >>> import numpy as np
    >>> half = f1_margin([[1.0, 0.0], [0.6, 0.8]], [1.0, -1.0])
    >>> round(half.value, 8), bool(0 <= half.gap < 1e-8)
    (0.4, True)
    """
    X, y = _labelled(X, y)
    tolerance, rounds = positive_real("tolerance", tolerance), positive_int("rounds", rounds)
    size = _size(X)
    search = _Directions(X / size, y)
    weights = np.full(len(y), 1 / len(y))
    # the measure that is zero has margin 0
    best = F1Margin(0.0, np.inf, np.zeros((0, X.shape[1])), np.zeros(0), weights)
    for _ in range(rounds):
        upper = search.extend(weights)
        if upper < best.upper:
            best = best._replace(upper=upper, weights=weights)
        if best.gap > tolerance:
            masses, weights = search.solve()
            value = float((search.columns @ masses).min())
            if value > best.value:
                some = masses > 0
                directions, signs = search.rows[some, :-1], search.rows[some, -1]
                best = best._replace(value=value, directions=directions, masses=signs * masses[some])
        if best.gap <= tolerance:
            return best._replace(value=size * best.value, upper=size * best.upper)
    raise ConvergenceError(f"rounds: expected a gap below {tolerance:g} within {rounds}, got {best.gap:.3g}")


class _Directions:
    """Directions with signs, rows (w, sign), and what they add to each margin."""

    def __init__(self, X: Array, y: Array):
        self._X, self._y = X, y
        self._sides = 2 * activation_patterns(X) - 1
        self.rows = np.zeros((0, X.shape[1] + 1))
        self.columns = np.zeros((len(y), 0))

    def extend(self, weights: Array) -> float:
        """Add the best direction of every cell and sign, and return the largest sum over all."""
        found = [
            (w, sign, height)
            for side in self._sides
            for sign in (1.0, -1.0)
            for w, height in [self._best(side, sign * weights * self._y)]
            if height > 0
        ]
        if found:
            new = np.array([[*w, sign] for w, sign, _ in found])
            self.rows = np.concatenate([self.rows, new])
            hidden = np.maximum(self._X @ new[:, :-1].T, 0.0)
            self.columns = np.concatenate([self.columns, self._y[:, None] * hidden * new[:, -1]], axis=1)
        return max((height for _, _, height in found), default=0.0)

    def _best(self, side: Array, pushes: Array) -> tuple[Array, float]:
        """The unit w of a closed cell with the largest w . v, v the sum over its living samples."""
        from scipy.optimize import nnls

        v = (pushes * (side > 0)) @ self._X
        walls = side[:, None] * self._X
        if (walls @ v < 0).any():
            v = v + nnls(walls.T, -v)[0] @ walls
        height = float(np.linalg.norm(v))
        return (v / height, height) if height > 8 * EPS else (v, 0.0)

    def solve(self) -> tuple[Array, Array]:
        """Return the masses >= 0 of sum 1 with the largest least margin, and the dual weights."""
        from scipy.optimize import linprog

        n, k = self.columns.shape
        result = linprog(
            np.append(np.zeros(k), -1.0),
            A_ub=np.hstack([-self.columns, np.ones((n, 1))]),
            b_ub=np.zeros(n),
            A_eq=np.append(np.ones(k), 0.0)[None],
            b_eq=[1.0],
            bounds=[(0, None)] * k + [(None, None)],
            method="highs",
            options=dict(primal_feasibility_tolerance=1e-10, dual_feasibility_tolerance=1e-10),
        )
        masses, weights = np.maximum(result.x[:-1], 0.0), np.maximum(-result.ineqlin.marginals, 0.0)
        return masses / masses.sum(), weights / weights.sum()


def _size(X: Array) -> float:
    """The largest entry, to scale by: a norm would underflow for tiny rows."""
    return float(np.abs(X).max()) or 1.0


def _labelled(X: Any, y: Any) -> tuple[Array, Array]:
    """Data and labels, checked."""
    X, y = real_array("X", X, 2), real_array("y", y, 1)
    if len(X) != len(y):
        raise InputError(f"y: expected {len(X)} entries as X has rows, got shape {y.shape}")
    if not np.isin(y, (-1.0, 1.0)).all():
        raise InputError("y: expected labels -1 or 1")
    return X, y
