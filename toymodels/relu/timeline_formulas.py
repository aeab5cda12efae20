"""Tangent kernels and limits of the three phases of training on two acute directions.

alpha and gamma are the fractions of living positive and living negative
neurons, h = 1 - c with the cosine c of the angle; see `toymodels.relu.timeline`.
"""

from __future__ import annotations

import numpy as np

from toymodels.arithmetic import Array, rational


@rational("(),(),()->(2,2)")
def kernel_A(alpha: Array, gamma: Array, h: Array) -> Array:
    """Label-signed tangent kernel of phase A over kappa². Source: neuron_partition E3."""
    return _symmetric(alpha, -alpha * (1 - h), alpha + gamma * h * (2 - h))


@rational("(),(),()->(2,2)")
def kernel_B(alpha: Array, gamma: Array, h: Array) -> Array:
    """Label-signed tangent kernel of phase B over kappa². Source: neuron_partition E5."""
    return _symmetric(alpha * h * (2 - h), 0 * alpha, gamma * h * (2 - h))


@rational("(),(),()->(2,2)")
def kernel_C(alpha: Array, gamma: Array, h: Array) -> Array:
    """Label-signed tangent kernel of phase C over kappa². Source: neuron_partition E6."""
    return _symmetric(alpha * h * (2 - h) + gamma, -gamma * (1 - h), gamma)


@rational("(),(),()->(),()")
def limits_A(alpha: Array, gamma: Array, h: Array) -> tuple[Array, Array]:
    """Limits of v/u and kappa² L t where phase A lasts. Source: neuron_partition E6."""
    return alpha / (alpha + gamma * h), (2 + (gamma / alpha) * h) / (h * (alpha + gamma))


@rational("(),(),()->(),()")
def limits_B(alpha: Array, gamma: Array, h: Array) -> tuple[Array, Array]:
    """Limits of v/u and kappa² L t where phase B lasts. Source: neuron_partition E6."""
    return alpha / gamma, (1 / alpha + 1 / gamma) / (h * (2 - h))


@rational("(),(),()->(),()")
def limits_C(alpha: Array, gamma: Array, h: Array) -> tuple[Array, Array]:
    """Limits of v/u and kappa² L t where phase C lasts. Source: neuron_partition E6."""
    return 1 + (alpha / gamma) * h, (2 + (alpha / gamma) * h) / (h * (alpha + gamma))


def _symmetric(first: Array, between: Array, second: Array) -> Array:
    """The matrix of three entries."""
    rows = np.stack([first, between], -1), np.stack([between, second], -1)
    return np.stack(rows, -2)


KERNELS = {"A": kernel_A, "B": kernel_B, "C": kernel_C}
LIMITS = {"A": limits_A, "B": limits_B, "C": limits_C}
