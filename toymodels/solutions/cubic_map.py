"""The cubic map ``z -> z (1 + rho - z^2)``: gradient descent on the balanced scalar mode.

With learning rate lr, target s and equal weights x, ``z = sqrt(lr) x`` and
``rho = lr s``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import Array, polynomial
from toymodels.errors import InputError
from toymodels.validation import real_array


@polynomial("(),()->()")
def step(z: Array, rho: Array) -> Array:
    """One step of the map. Source: Chen, Bruna 2022; linear_nets 8.5."""
    return z * (1 + rho - z * z)


@polynomial("(),()->()")
def slope(z: Array, rho: Array) -> Array:
    """Derivative of the map. Source: linear_nets 8.5."""
    return 1 + rho - 3 * z * z


@polynomial("()->()")
def two_cycle_multiplier(rho: Array) -> Array:
    """Product of the slopes over the 2-cycle; stable inside (-1, 1). Source: linear_nets 8.5."""
    return 9 - 2 * (1 + rho) * (1 + rho)


def two_cycle(rho: Any) -> tuple[Array, Array]:
    """Return the positive points z1 >= z2 of the 2-cycle, with z1 z2 = 1 and z1² + z2² = 1 + rho.

    Parameters
    ----------
    rho : array_like
        At least 1, where the cycle is born at z = 1. It is stable for
        ``1 < rho < sqrt(5) - 1``.

    Raises
    ------
    InputError
        When rho is below 1.

    Notes
    -----
    Source: Chen, Bruna 2022, arXiv 2206.04172 (the map); own derivation. linear_nets 8.5.

    Examples
    --------
    >>> z1, z2 = two_cycle(1.1)
    >>> bool(abs(step(z1, 1.1) - z2) < 1e-15)
    True
    """
    rho = real_array("rho", rho)
    if (rho < 1).any():
        raise InputError("rho: expected rho >= 1, where a 2-cycle exists")
    z1 = (np.sqrt(rho + 3) + np.sqrt(rho - 1)) / 2
    return z1, 1 / z1


def chaotic_orbit(angle: Any, steps: int) -> Array:
    """Return the exact orbit at rho = 2, ``z_k = 2 sin(3^k angle)``, k = 0 … steps.

    Parameters
    ----------
    angle : array_like
        Start, in radians.
    steps : int
        At most 33: 3^k is then an exact float.

    Returns
    -------
    array (steps + 1,) + angle.shape

    Notes
    -----
    The rounding of the angle grows by 3 a step, as chaos has it.
    Source: own derivation; linear_nets 8.5.

    Examples
    --------
    >>> chaotic_orbit(0.5, 1)
    array([0.95885108, 1.99498997])
    """
    angle = real_array("angle", angle)
    if not 0 <= steps <= 33:
        raise InputError(f"steps: expected 0 to 33, got {steps!r}")
    powers = 3.0 ** np.arange(steps + 1)
    return 2 * np.sin(np.multiply.outer(powers, angle))
