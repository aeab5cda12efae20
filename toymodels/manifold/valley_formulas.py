"""The valley V(p, q) = h(q) p²/2 with minima p = 0 of sharpness h(q): formulas.

The height is a polynomial, h(q) = sum_k c_k q^k with coefficients c (k,). Label
noise of covariance c_n H pushes p by a kick sqrt(c_n h) xi a unit of time.
"""

from __future__ import annotations

from toymodels.arithmetic import Array, polynomial, rational


@polynomial("(k),()->()")
def height(coefficients: Array, q: Array) -> Array:
    """h(q) by Horner's rule. Source: minima_manifold B.4."""
    total = coefficients[..., 0] * 0 + q * 0
    for k in reversed(range(coefficients.shape[-1])):
        total = total * q + coefficients[..., k]
    return total


@polynomial("(k),()->()")
def height_slope(coefficients: Array, q: Array) -> Array:
    """h'(q). Source: minima_manifold B.4."""
    total = coefficients[..., 0] * 0 + q * 0
    for k in reversed(range(1, coefficients.shape[-1])):
        total = total * q + k * coefficients[..., k]
    return total


@polynomial("(k),()->()")
def height_curvature(coefficients: Array, q: Array) -> Array:
    """h''(q). Source: minima_manifold B.4."""
    total = coefficients[..., 0] * 0 + q * 0
    for k in reversed(range(2, coefficients.shape[-1])):
        total = total * q + k * (k - 1) * coefficients[..., k]
    return total


@polynomial("(),(),(),(),(),()->(),()")
def step(p: Array, q: Array, h: Array, slope: Array, lr: Array, kick: Array) -> tuple[Array, Array]:
    """One descent step with noise `kick` on the gradient in p. Source: minima_manifold B.4."""
    return p - lr * h * p - lr * kick, q - lr * slope * p * p / 2


@polynomial("(),(),(),()->()")
def variance_step(variance: Array, h: Array, lr: Array, noise: Array) -> Array:
    """Variance of p after a step at frozen q, noise = c_n. Source: minima_manifold B.4."""
    kept = 1 - lr * h
    return kept * kept * variance + lr * lr * noise * h


@rational("(),(),(),()->()")
def variance(h: Array, lr: Array, noise: Array, momentum: Array) -> Array:
    """Stationary variance of p at frozen q under the heavy ball, for lr h < 2 (1 + b).

    Source: own derivation, minima_manifold B.4.
    """
    return lr * noise * (1 + momentum) / ((1 - momentum) * (2 * (1 + momentum) - lr * h))


@rational("(),(),(),(),()->()")
def drift(h: Array, slope: Array, lr: Array, noise: Array, momentum: Array) -> Array:
    """Mean move of q a step, -lr h' V / (2 (1 - b)) with V the `variance`. Source: minima_manifold B.4."""
    return -lr * slope * variance(h, lr, noise, momentum) / (2 * (1 - momentum))
