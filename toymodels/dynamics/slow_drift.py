"""Drift along a manifold of minima in slow time tau = sum of lr², for noise of any covariance.

Descent ``theta - lr (grad L + noise)`` with noise of covariance Sigma follows, as
lr tends to 0, ``dY = P_T Sigma^{1/2} dW + D²Phi[Sigma] d tau / 2`` on the manifold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.dynamics.limit_map import second_derivative
from toymodels.dynamics.minima import Minimum
from toymodels.dynamics.third_derivatives import third
from toymodels.errors import AssumptionError
from toymodels.validation import positive_real

Array = np.ndarray


def noise_drift(point: Minimum, covariance: Any) -> Array:
    """Return the drift ``D²Phi[Sigma] / 2`` per slow time under noise of a covariance, runs + (p,).

    Parameters
    ----------
    point : Minimum
    covariance : array_like (..., p, p)

    Raises
    ------
    InputError
        When the covariance is not a symmetric matrix of the right size.

    Notes
    -----
    Source: after Li, Wang, Arora 2021, arXiv 2110.06914; minima_manifold B.1.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.DiagonalLinear([[1.0]], [1.0])
    >>> noise_drift(Minimum(problem, [1.0, 1.0]), np.eye(2)).round(12)
    array([0.25, 0.25])
    """
    return second_derivative(point, covariance) / 2


def label_noise_drift(point: Minimum, variance: float = 1.0, lr: float = 0.0) -> Array:
    """Return the drift ``-(c/4) grad_Gamma tr H`` under noise of covariance c H, runs + (p,).

    Parameters
    ----------
    point : Minimum
    variance : float
        c; sigma²/B for label noise of standard deviation sigma, batch B and the
        loss ``sum_i (f_i - y_i)² / (2n)`` (sigma²/n for the full batch).
    lr : float
        Learning rate, to weigh each eigenvalue h of H by 1/(1 - lr h / 2) as the
        regulariser of Damian, Ma, Lee does at a finite step.

    Raises
    ------
    InputError
        When variance or lr is negative.
    AssumptionError
        When lr times the sharpness is 2 or more.

    Notes
    -----
    Source: after Blanc et al. 2020 and Li, Wang, Arora 2021, arXiv 2110.06914;
    minima_manifold S-B2, and B.3 after Damian, Ma, Lee 2021, arXiv 2106.06530.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.DiagonalLinear([[1.0]], [1.0])
    >>> label_noise_drift(Minimum(problem, [2.0, 0.5])).round(6)
    array([-0.882353,  0.220588])
    """
    c = positive_real("variance", variance, allow_zero=True)
    step = positive_real("lr", lr, allow_zero=True)
    left = np.where(point.normal, 1 - step * point.values / 2, 1.0)
    if (left <= 0).any():
        raise AssumptionError("lr: expected lr times the sharpness below 2", float(2 * (1 - left.min())))
    return -c / 4 * point.tangent(_weighted(point, np.where(point.normal, 1 / left, 0.0)))


def isotropic_drift(point: Minimum, variance: float = 1.0) -> Array:
    """Return the drift under noise of covariance c I, runs + (p,).

    It is ``-(c/2) H⁺ T[P_T] - (c/4) grad_Gamma log |H|_+`` with the
    pseudo-determinant |H|_+, the product of the normal eigenvalues.

    Parameters
    ----------
    point : Minimum
    variance : float
        c.

    Raises
    ------
    InputError
        When the variance is negative.

    Notes
    -----
    Source: after Li, Wang, Arora 2021, arXiv 2110.06914; minima_manifold S-B4.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.DiagonalLinear([[1.0]], [1.0])
    >>> isotropic_drift(Minimum(problem, [1.0, 1.0])).round(12)
    array([0.25, 0.25])
    """
    c = positive_real("variance", variance, allow_zero=True)
    along = _weighted(point, np.where(point.normal, 0.0, 1.0))
    volume = _weighted(point, point.inverse_values)
    return -c / 2 * point.pseudo_inverse(along) - c / 4 * point.tangent(volume)


def _weighted(point: Minimum, weights: Array) -> Array:
    """T[sum_k weights_k v_k v_kᵀ] for the eigenvectors v_k of the Hessian."""
    return (weights[..., None] * third(point.problem, point.theta, point.vectors.mT)).sum(-2)
