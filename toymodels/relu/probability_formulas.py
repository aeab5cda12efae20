"""Closed forms for the gates of an isotropic neuron on two and three samples, at angles theta between them.

The weight vector has the same law in every direction (Gaussian, or uniform on
a sphere). Angles are between the sg_i x_i, with sg = 1 for a living gate and
-1 for a dead one; with r = cos theta, asin r = pi/2 - theta.
"""

from __future__ import annotations

from toymodels.arithmetic import Array, analytic
from toymodels.arithmetic.elementary import atan, cos, sin


def _pi(x: Array) -> Array:
    """pi in the arithmetic of x."""
    return 4 * atan(1 + 0 * x)


@analytic("()->()")
def pair_probability(theta: Array) -> Array:
    """Probability of two given gates, (pi - theta)/(2 pi). Source: neuron_partition B3 (Sheppard)."""
    return (_pi(theta) - theta) / (2 * _pi(theta))


@analytic("(),(),()->()")
def triple_probability(theta12: Array, theta13: Array, theta23: Array) -> Array:
    """Probability of three given gates, (2 pi - sum of angles)/(4 pi). Source: neuron_partition B3."""
    return (2 * _pi(theta12) - theta12 - theta13 - theta23) / (4 * _pi(theta12))


@analytic("()->(),()")
def pair_of_kinds(theta: Array) -> tuple[Array, Array]:
    """P(TL_i, TL_j) and P(TL_i, TD_j), samples of one label, fair signs. Source: neuron_partition B5."""
    return pair_probability(theta) / 2, theta / (4 * _pi(theta))


@analytic("()->()")
def arc_cosine_zero(theta: Array) -> Array:
    """E[1(w.x>0) 1(w.y>0)] = (pi - theta)/(2 pi). Source: neuron_partition A4 (Cho, Saul 2009)."""
    return pair_probability(theta)


@analytic("()->()")
def arc_cosine_one(theta: Array) -> Array:
    """E[relu(w.x) relu(w.y)], unit x, y, normal w. Source: neuron_partition A4 (Cho, Saul 2009)."""
    return (sin(theta) + (_pi(theta) - theta) * cos(theta)) / (2 * _pi(theta))
