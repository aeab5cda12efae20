"""Margins of two-layer ReLU nets and of their directions, and how far a net is from a KKT point."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic import Array, analytic, dot
from toymodels.arithmetic.elementary import exp, log
from toymodels.errors import AssumptionError, InputError
from toymodels.relu import formulas
from toymodels.relu.problem import TwoLayerReLU
from toymodels.validation import real_array


@analytic("(n),(n),(1)->()", positive="weights")
def log_exponential_loss(q: Array, weights: Array, shift: Array) -> Array:
    """log sum_i pi_i e^{-q_i}; no float overflows with shift = min q. Source: neuron_partition F1."""
    return log(dot(weights, exp(shift - q))) - shift[..., 0]


def homogeneity(problem: TwoLayerReLU) -> int:
    """Return the order K in ``f(c theta) = c^K f(theta)``: 1 with fixed output weights, 2 without.

    Examples
    --------
    >>> homogeneity(TwoLayerReLU([[1.0]], [1.0], width=3))
    2
    """
    return 2 if problem.trains_output else 1


def margins(problem: TwoLayerReLU, theta: Any) -> Array:
    """Return the margins ``q_i = y_i f(x_i)``, (..., n).

    Raises
    ------
    InputError
        When a target is not a label -1 or 1.

    Notes
    -----
    Source: neuron_partition 0.

    Examples
    --------
    >>> margins(TwoLayerReLU([[1.0], [-1.0]], [1.0, -1.0], output=[1.0, -1.0]), [2.0, -3.0])
    array([2., 3.])
    """
    y = problem.targets
    if not np.isin(y, (-1.0, 1.0)).all():
        raise InputError("y: expected labels -1 or 1, for margins")
    return y * problem.outputs(problem.check_theta(theta))


def normalised_margin(problem: TwoLayerReLU, theta: Any) -> Array:
    """Return ``min_i q_i / |theta|^K``, the margin of the direction of theta.

    Parameters
    ----------
    problem : TwoLayerReLU
        With labels -1 and 1.
    theta : (..., p)
        Not zero.

    Returns
    -------
    shape of the runs

    Raises
    ------
    InputError
        When targets are not labels, or theta is zero.

    Notes
    -----
    Source: neuron_partition F1, F2.

    Examples
    --------
    >>> problem = TwoLayerReLU([[3.0, 4.0]], [1.0], width=1)
    >>> float(normalised_margin(problem, problem.pack([[3.0, 4.0]], [5.0])).round(12))
    2.5
    """
    return margins(problem, theta).min(-1) / _scale(problem, theta)


def smoothed_margin(problem: TwoLayerReLU, theta: Any) -> Array:
    """Return ``log(min pi / L) / |theta|^K`` with the exponential loss L.

    Gradient flow of L never lowers it once it is positive. With equal weights
    this is ``log(1/(n L)) / |theta|^K``. It is at most the normalised margin, and
    falls short of it by at most ``log(sum pi / min pi) / |theta|^K``.

    Parameters
    ----------
    problem : TwoLayerReLU
        With labels -1 and 1, and any loss: this is a function of the margins.
        Samples of weight 0 do not count.
    theta : (..., p)
        Not zero.

    Returns
    -------
    shape of the runs

    Raises
    ------
    InputError
        When targets are not labels, or theta is zero.

    Notes
    -----
    After Lyu, Li 2020; neuron_partition F1. The logarithm is taken of the
    margins, so that it is finite where the loss underflows.

    Examples
    --------
    >>> problem = TwoLayerReLU([[1.0]], [1.0], output=[1.0], loss="exponential")
    >>> float(smoothed_margin(problem, [1e4]))
    1.0
    """
    counted = problem.weights > 0
    q, weights = margins(problem, theta)[..., counted], problem.weights[counted]
    level = -log_exponential_loss(q, weights / weights.min(), q.min(-1, keepdims=True))
    return level / _scale(problem, theta)


def _scale(problem: TwoLayerReLU, theta: Any) -> Array:
    """|theta|^K."""
    norm = np.linalg.norm(np.asarray(theta, dtype=float), axis=-1)
    if not (norm > 0).all():
        raise InputError("theta: expected parameters that are not all zero, to have a direction")
    return norm ** homogeneity(problem)


class KKT(NamedTuple):
    """How far a direction is from a KKT point of ``min |theta|²/2`` over ``q_i >= 1``.

    Attributes
    ----------
    multipliers : (n,)
        lambda >= 0, of theta scaled to the least margin 1.
    stationarity : float
        ``|theta - sum lambda_i grad q_i| / |theta|``.
    slackness : float
        ``sum lambda_i (q_i - 1)`` over ``sum lambda_i`` at a KKT point, |theta|²/K.
    """

    multipliers: Array
    stationarity: float
    slackness: float


def kkt_residual(problem: TwoLayerReLU, theta: Any, gates: Any = None) -> KKT:
    """Return how far theta, scaled to the least margin 1, is from a KKT point.

    Parameters
    ----------
    problem : TwoLayerReLU
        With labels -1 and 1.
    theta : (p,)
        With positive margins.
    gates : array_like (m, n), optional
        In [0, 1]; those of the signs by default. A neuron that rests on a kink
        has there any gate between, and one of Clarke's derivatives for each.

    Returns
    -------
    KKT
        With the multipliers that make the sum of squares of the residuals, of
        stationarity and sample by sample of slackness, least.

    Raises
    ------
    InputError
        When theta is not one vector, targets are not labels, or gates do not fit.
    AssumptionError
        When a margin is not positive.

    Notes
    -----
    Source: after Lyu, Li 2020; neuron_partition F3, F6.

    Examples
    --------
    >>> problem = TwoLayerReLU([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0], width=2)
    >>> balanced = problem.pack([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0])
    >>> kkt_residual(problem, balanced).stationarity < 1e-15
    True
    >>> bool(kkt_residual(problem, problem.pack([[1.0, 0.0], [0.0, 1.0]], [2.0, -1.0])).stationarity > 0.3)
    True
    """
    from scipy.optimize import nnls

    theta = real_array("theta", theta, 1)
    q, K = margins(problem, theta), homogeneity(problem)
    if not q.min() > 0:
        raise AssumptionError("theta: expected positive margins", float(-q.min()))
    theta, q = theta / q.min() ** (1 / K), q / q.min()
    norm = np.linalg.norm(theta)
    slopes = problem.targets[:, None] * _jacobian(problem, theta, gates)
    system = np.concatenate([slopes.T / norm, np.diag((q - 1) * K / norm**2)])
    target = np.concatenate([theta / norm, np.zeros(problem.n)])
    multipliers, _ = nnls(system, target)
    apart = np.linalg.norm(theta - multipliers @ slopes) / norm
    return KKT(multipliers, float(apart), float(multipliers @ (q - 1) * K / norm**2))


def _jacobian(problem: TwoLayerReLU, theta: Array, gates: Any) -> Array:
    """Derivative of the outputs (n, p) with any gates."""
    if gates is None:
        return problem.jacobian(theta)
    G = real_array("gates", gates, 2)
    if G.shape != (problem.width, problem.n) or (G < 0).any() or (G > 1).any():
        raise InputError(f"gates: expected shape {(problem.width, problem.n)} with entries in [0, 1]")
    W, a = problem.layers(theta)
    return formulas.jacobian(W, a, problem.inputs, G)[:, : problem.size]
