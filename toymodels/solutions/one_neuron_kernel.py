"""How far the tangent kernel of one linear neuron moves: lazy or rich.

With X^T X = I the kernel X M X^T, M = a^2 I + w w^T, has the geometry of M.
Its distance from the start is 1 minus a cosine; the cosine is never formed:
with A = a^2, B = |w|^2 and the angle theta between the two w,

    |M|^2 |M'|^2 - <M, M'>^2
        = (d - 1)(A B' - A' B)^2 + z (2 (d A A' + A B' + A' B + B B') - z),
    z = B B' sin^2 theta,

a sum of positive terms, so small distances keep their digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import polynomial, rational
from toymodels.errors import InputError
from toymodels.solutions import one_neuron, one_neuron_limits
from toymodels.solutions.one_neuron_start import neuron_arrays, neuron_rates, unit_rates
from toymodels.solutions.vectors import across, norm

Array = Any


@polynomial("(),(),(),(),(),()->()")
def inner_product(A: Array, B: Array, C: Array, D: Array, overlap: Array, d: Array) -> Array:
    """<M, M'> for M of (A, B), M' of (C, D) in d dimensions, overlap = B D cos^2. Source: linear_nets 6.9."""
    return d * A * C + A * D + C * B + overlap


@polynomial("(),(),(),(),(),()->()")
def angle_square(A: Array, B: Array, C: Array, D: Array, z: Array, d: Array) -> Array:
    """|M|^2 |M'|^2 - <M, M'>^2 with z = B D sin^2. Source: own derivation."""
    cross = A * D - C * B
    return (d - 1) * cross * cross + z * (2 * (d * A * C + A * D + C * B + B * D) - z)


@rational("(),(),()->()")
def distance_share(square: Array, inner: Array, sizes: Array) -> Array:
    """1 - cos from sin^2 sizes^2 = square and cos sizes = inner. Source: own derivation."""
    return square / (sizes * (sizes + inner))


def kernel_distance(w0: Any, a0: Any, w: Any, a: Any, rates: Any = (1.0, 1.0)) -> Array:
    """Return S = 1 - <M0, M> / (|M0| |M|) between two states, in [0, 1].

    Parameters
    ----------
    w0, w : array_like (..., d)
        Input weights of the two states; each state has its own norm.
    a0, a : array_like (...)
        Output weights.
    rates : (float, float)
        Learning rates eta_w, eta_a > 0; M = eta_w a^2 I + eta_a w w^T.

    Returns
    -------
    float64 array (...)

    Raises
    ------
    InputError
        When an argument is not valid, or a state is zero (its kernel is).

    Notes
    -----
    The relative error is a few units in the last place. After Kunin et al.
    2024, arXiv 2406.06158; the form without cancellation: own derivation.

    Examples
    --------
    >>> print(f"{kernel_distance([1.0, 0.0], 1.0, [0.0, 1.0], 1.0):.12f}")
    0.200000000000
    """
    first = neuron_arrays(w0, a0, w, ("w0", "a0", "w"))
    second = neuron_arrays(w, a, w0, ("w", "a", "w0"))
    eta_w, eta_a = neuron_rates(rates)
    if eta_w == 0 or eta_a == 0:
        raise InputError(f"rates: expected two factors > 0, got {rates!r}")
    lift, _ = unit_rates(eta_w, eta_a)
    with np.errstate(under="ignore", over="ignore"):
        w0, a0 = _scaled(lift * first[0], first[1] / lift)
        w, a = _scaled(lift * second[0], second[1] / lift)
        w0, w, a0, a = *np.broadcast_arrays(w0, w), *np.broadcast_arrays(a0, a)
        d = w.shape[-1]
        A, C = a0 * a0, a * a
        B, D = norm(w0) ** 2, norm(w) ** 2
        z = norm(across(w0, w)) ** 2 * D
        cosine = np.square((w0 * w).sum(-1))
        sizes = np.sqrt(inner_product(A, B, A, B, B * B, d)) * np.sqrt(inner_product(C, D, C, D, D * D, d))
        return distance_share(angle_square(A, B, C, D, z, d), inner_product(A, B, C, D, cosine, d), sizes)[()]


def _scaled(w: Array, a: Array) -> tuple[Array, Array]:
    """The state times a power of two, so that its square is about 1."""
    size = np.maximum(norm(w), np.abs(a))
    if (size == 0).any():
        raise InputError("w, a: expected states that are not zero; the kernel of a zero state vanishes")
    e = -np.frexp(size)[1]
    return np.ldexp(w, e[..., None]), np.ldexp(a, e)


def distance_along(w0: Any, a0: Any, target: Any, t: Any, rates: Any = (1.0, 1.0)) -> Array:
    """Return the kernel distance S(0, t) along the flow, (...), t = inf included.

    Parameters and errors as in `toymodels.solutions.one_neuron.flow`, with rates
    > 0; InputError also when the start or a limit is zero.

    Notes
    -----
    After Kunin et al. 2024, arXiv 2406.06158; linear_nets 6.9.

    Examples
    --------
    >>> distance_along([-1.0, 0.0], 1.0, [0.0, 1.0], [0.0, 1.0, np.inf]).round(6)
    array([0.      , 0.116005, 0.2     ])
    """
    w, a = one_neuron.flow(w0, a0, target, t, rates)
    w0, a0, _ = neuron_arrays(w0, a0, target)
    return kernel_distance(w0, a0, w, a, rates)


def distance_at_end(w0: Any, a0: Any, target: Any, rates: Any = (1.0, 1.0)) -> Array:
    """Return S(0, inf), the kernel distance between the start and the limit of the flow.

    At balance it is (1 - phi^2)/(d + 3), phi the start's alignment; for delta
    to +inf it vanishes (lazy), for delta to -inf it is 1 - phi^2 (rich, late).
    Parameters and errors as in `distance_along`.

    Notes
    -----
    Source: own derivation, linear_nets 6.9.

    Examples
    --------
    >>> print(f"{distance_at_end([-1.0, 0.0], 1.0, [0.0, 1.0]):.12f}")
    0.200000000000
    """
    return kernel_distance(w0, a0, *one_neuron_limits.limit(w0, a0, target, rates), rates)
