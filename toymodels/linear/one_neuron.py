"""One linear neuron on given data: its exact flow where the inputs are white, its limit on any.

The loss is ``|X a w - y|^2 / 2``, with no 1/n. What the neuron sees of the
data lies in the row space of X; the part of w across it never moves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import AssumptionError, InputError
from toymodels.linear.statistics import EPS
from toymodels.solutions import one_neuron
from toymodels.solutions.one_neuron_bias import limit_output
from toymodels.solutions.one_neuron_limits import basin
from toymodels.solutions.one_neuron_start import imbalance, neuron_arrays, neuron_rates, unit_rates
from toymodels.validation import real_array

Array = Any


class Rows(NamedTuple):
    """Data in coordinates on their row space.

    Attributes
    ----------
    V : (d, r)
        Orthonormal basis of the row space of X.
    strengths : (r,)
        Singular values of X, largest first.
    pull : (r,)
        V^T X^T y.
    fit : (d,)
        Least-norm least-squares map X^+ y.
    """

    V: Array
    strengths: Array
    pull: Array
    fit: Array


class InterpolatingLimit(NamedTuple):
    """Where the flow ends: the learned map beta (..., d) and the output weight a (...)."""

    beta: Array
    a: Array


def rows_of(X: Any, y: Any) -> Rows:
    """Reduce data to what one neuron sees of them.

    Parameters
    ----------
    X : array_like (n, d)
    y : array_like (n,)

    Raises
    ------
    InputError
        When the shapes do not fit, or X is zero.

    Examples
    --------
    >>> rows_of([[0.0, 2.0]], [6.0]).fit
    array([0., 3.])
    """
    X, y = real_array("X", X, 2), real_array("y", y, 1)
    if len(X) != len(y):
        raise InputError(f"y: expected shape {(len(X),)}, got {y.shape}")
    U, strengths, Vt = np.linalg.svd(X, full_matrices=False)
    kept = strengths > max(X.shape) * EPS * strengths[0]
    if not kept.any():
        raise InputError("X: expected a matrix that is not zero")
    U, strengths, V = U[:, kept], strengths[kept], Vt[kept].T
    along = U.T @ y
    return Rows(V, strengths, strengths * along, V @ (along / strengths))


def whitened_flow(X: Any, y: Any, w0: Any, a0: Any, t: Any, rates: Any = (1.0, 1.0)) -> tuple[Array, Array]:
    """Return the exact weights (w, a) at time t on data whose nonzero singular values are equal.

    Orthonormal columns (X^T X = I) and, with n < d, orthonormal rows are the
    usual cases: the solution of `toymodels.solutions.one_neuron.flow` in
    coordinates on the row space, what lies across it frozen.

    Parameters
    ----------
    X : array_like (n, d)
    y : array_like (n,)
    w0 : array_like (..., d)
    a0 : array_like (...)
    t : array_like (...)
        Times, >= 0, inf allowed; leading axes broadcast.
    rates : (float, float)
        Learning rates eta_w, eta_a >= 0.

    Returns
    -------
    w : float64 array (..., d)
    a : float64 array (...)

    Raises
    ------
    InputError
        When an argument is not valid.
    AssumptionError
        When the nonzero singular values of X differ.

    Notes
    -----
    Source: own derivation, linear_nets 6.8.

    Examples
    --------
    >>> w, a = whitened_flow([[0.0, 1.0]], [2.0], [1.0, 0.0], 1.0, np.inf)
    >>> (a * w).round(6)
    array([1.600485, 2.      ])
    """
    data = rows_of(X, y)
    w0, a0 = _fitting(data, w0, a0)
    strength = _equal(data.strengths)
    along = w0 @ data.V
    frozen = w0 - along @ data.V.T
    moved, a = one_neuron.flow(strength * along, strength * a0, data.pull, t, rates)
    return frozen + moved / strength @ data.V.T, a / strength


def _fitting(data: Rows, w0: Any, a0: Any) -> tuple[Array, Array]:
    """Return the start, checked against the data."""
    w0, a0, _ = neuron_arrays(w0, a0, w0)
    if w0.shape[-1] != len(data.V):
        raise InputError(f"w0: expected {len(data.V)} entries as X has columns, got shape {w0.shape}")
    return w0, a0


def _equal(strengths: Array) -> float:
    """Return the common singular value, or say how far they are from one."""
    strength = float(strengths.mean())
    spread = float(np.ptp(strengths)) / strength
    if spread > 64 * len(strengths) * EPS:
        raise AssumptionError("X: expected equal nonzero singular values, as of orthonormal rows", spread)
    return strength


def interpolating_limit(
    X: Any, y: Any, w0: Any, a0: Any, rates: Any = (1.0, 1.0), sign: Any = None
) -> InterpolatingLimit:
    """Return the map that gradient flow of one neuron reaches on any data, beta = X^+ y + a w_across.

    w_across is the part of w0 across the rows of X, which is frozen; a^2 =
    (k + sqrt(k^2 + 4 |X^+ y|^2)) / 2 with k = delta + |w_across|^2. Unless n >=
    d determines beta, it depends on the start: the implicit bias.

    Parameters
    ----------
    X : array_like (n, d)
        Of any rank.
    y : array_like (n,)
    w0 : array_like (..., d)
    a0 : array_like (...)
    rates : (float, float)
        Learning rates eta_w, eta_a > 0.
    sign : array_like (...), optional
        Sign of the output weight at the end. It is known, and need not be
        given, for k > 0, where a cannot vanish, and where the nonzero singular
        values of X are equal.

    Returns
    -------
    InterpolatingLimit
        beta (..., d) and a (...), for a flow that does not end at a saddle.

    Raises
    ------
    InputError
        When an argument is not valid.
    AssumptionError
        When the sign is needed and not known, or the start is a saddle's.

    Notes
    -----
    The least-norm interpolator only where w_across = 0, also at delta = 0.
    Source: own derivation, linear_nets 6.6.

    Examples
    --------
    >>> interpolating_limit([[0.0, 1.0]], [2.0], [1.0, 0.0], 1.0).beta.round(6)
    array([1.600485, 2.      ])
    """
    data = rows_of(X, y)
    w0, a0 = _fitting(data, w0, a0)
    eta_w, eta_a = neuron_rates(rates)
    if eta_w == 0 or eta_a == 0:
        raise InputError(f"rates: expected two factors > 0, got {rates!r}")
    lift, _ = unit_rates(eta_w, eta_a)
    along = lift * w0 @ data.V
    frozen = lift * w0 - along @ data.V.T
    k = imbalance(along, a0 / lift)
    if sign is None:
        sign = _known_sign(data, along, a0 / lift, k)
    a = limit_output(k, np.linalg.norm(data.fit), sign)
    return InterpolatingLimit(data.fit + a[..., None] * frozen, a * lift)


def _known_sign(data: Rows, along: Array, a0: Array, k: Array) -> Array:
    """The sign of the output weight at the end, where the start alone gives it."""
    if np.ptp(data.strengths) <= 64 * len(data.strengths) * EPS * data.strengths[0]:
        strength = data.strengths.mean()
        sign = basin(strength * along, strength * a0, data.pull)
    elif (k > 0).all():
        sign = np.sign(a0)
    else:
        raise AssumptionError(
            "sign: expected the sign of a at the end; with so short a frozen part of w it may change",
            float(-np.min(k)),
        )
    if (sign == 0).any():
        raise AssumptionError("w0, a0: expected a start that does not end at a saddle")
    return sign
