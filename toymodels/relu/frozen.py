"""Neurons in constant fields U_k: what training does while the residuals hardly move.

Inside a cell U_k = sum_i pi_i g_i G_ki x_i, and a_k' = w_k . U_k, w_k' = a_k U_k
(both layers trained) is linear; with fixed output weights neurons move on
straight lines.
"""

from __future__ import annotations

from toymodels.arithmetic import Array, analytic, dot, polynomial
from toymodels.arithmetic.elementary import atan, cos, cosh, decay_integral, exp, log, sin, sinh, sqrt


@analytic("(m,d),(m),(m,d),(1)->(m,d),(m)")
def flow(W: Array, a: Array, U: Array, t: Array) -> tuple[Array, Array]:
    """W and a at time t under w' = a U, a' = w . U, for nonzero U. Source: neuron_partition D2."""
    size = sqrt(dot(U, U))
    # half is sinh(|U| t / 2) / |U|: its products have no quotient that vanishes with |U|
    half, cosine = exp(size * t / 2) * decay_integral(size, t) / 2, cosh(size * t / 2)
    along = dot(W, U)
    lifted, risen = 2 * half * cosine, 2 * half * half
    change = along * risen + a * lifted
    return W + change[..., None] * U, a + a * dot(U, U) * risen + along * lifted


@polynomial("(m,d),(m),(m,d),(1)->(m,d)")
def hidden_flow(W: Array, a: Array, U: Array, t: Array) -> Array:
    """W at time t under w' = a U with a fixed. Source: neuron_partition D2b."""
    return W + (a * t)[..., None] * U


@analytic("(),(),()->()")
def angle(phi: Array, speed: Array, t: Array) -> Array:
    """Angle to g of a balanced neuron, phi at time 0; the speed is |g| times the sign of a.

    Source: neuron_partition D2a.
    """
    return 2 * atan(_half_tangent(phi) * exp(-speed * t))


@analytic("(),(),(),()->()")
def norm(size: Array, phi: Array, speed: Array, t: Array) -> Array:
    """|w(t)| of a balanced neuron of norm `size` at the angle phi to g; the speed is |g| times the sign of a.

    Source: neuron_partition D2a.
    """
    return size * (cosh(speed * t) + cos(phi) * sinh(speed * t))


@analytic("(),(),()->()", positive="phi later speed")
def passage_time(phi: Array, later: Array, speed: Array) -> Array:
    """Time in which a balanced neuron turns from the angle phi to `later`. Source: neuron_partition D2b."""
    return log(_half_tangent(phi) / _half_tangent(later)) / speed


def _half_tangent(phi: Array) -> Array:
    """tan(phi/2)."""
    return sin(phi / 2) / cos(phi / 2)
