"""Diagonal linear networks f(x) = beta . x, every beta_j a function of its own parameters: formulas.

Shapes: parameters W (k, d), one row a layer (product form, k = depth) or a sign
(difference form, k = 2), beta (d,), data rows X (n, d), second moment Sxx (d, d),
g = dL/dbeta (d,). A form is known by beta, its slopes S_kj = dbeta_j / dW_kj and
its curvatures C_klj; the answers follow from them. theta is W row-major.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce

from toymodels.arithmetic import Array, concatenate, dot, identity_like, mT, polynomial


def _rows(W: Array) -> list[Array]:
    """The rows of W, each (..., d)."""
    return [W[..., k, :] for k in range(W.shape[-2])]


def _stack(rows: Sequence[Array]) -> Array:
    """Rows (..., d) as a matrix (..., k, d)."""
    return concatenate([row[..., None, :] for row in rows], -2)


def _product(rows: Sequence[Array], one: Array) -> Array:
    """The entrywise product of the rows; one where there is none."""
    return reduce(operator.mul, rows) if rows else one


@polynomial("(k,d)->(d)")
def product(W: Array) -> Array:
    """Entrywise product of the layers, beta_j = prod_k W_kj. Source: minima_manifold C."""
    return reduce(operator.mul, _rows(W))


@polynomial("(k,d)->(k,d)")
def product_slopes(W: Array) -> Array:
    """Products of all layers but one. Source: minima_manifold C."""
    rows = _rows(W)
    one = rows[0] * 0 + 1
    return _stack([_product(rows[:k] + rows[k + 1 :], one) for k in range(len(rows))])


@polynomial("(k,d)->(k,k,d)")
def product_curvatures(W: Array) -> Array:
    """Products of all layers but two, zero on the diagonal. Source: own derivation."""
    rows = _rows(W)
    zero = rows[0] * 0
    table = [
        _stack(
            [
                zero if k == l else _product([rows[i] for i in range(len(rows)) if i not in (k, l)], zero + 1)
                for l in range(len(rows))
            ]
        )
        for k in range(len(rows))
    ]
    return concatenate([block[..., None, :, :] for block in table], -3)


def difference(w_plus: Array, w_minus: Array, depth: int) -> Array:
    """Difference of powers, beta = w_plus^D - w_minus^D. Source: Woodworth et al. 2020; minima_manifold C."""
    return w_plus**depth - w_minus**depth


def difference_slopes(w_plus: Array, w_minus: Array, depth: int) -> Array:
    """Slopes D w_plus^{D-1} and -D w_minus^{D-1}, (2, d). Source: minima_manifold C."""
    return _stack([depth * w_plus ** (depth - 1), -depth * w_minus ** (depth - 1)])


def difference_curvatures(w_plus: Array, w_minus: Array, depth: int) -> Array:
    """Curvatures ±D (D-1) w^{D-2}, (2, 2, d), zero off the diagonal. Source: own derivation."""
    scale, zero = depth * (depth - 1), w_plus * 0
    upper = _stack([scale * w_plus ** (depth - 2), zero])
    lower = _stack([zero, -scale * w_minus ** (depth - 2)])
    return concatenate([upper[..., None, :, :], lower[..., None, :, :]], -3)


@polynomial("(d),(n,d)->(n)")
def outputs(beta: Array, X: Array) -> Array:
    """Outputs X beta on data rows. Source: minima_manifold C."""
    return (X @ beta[..., None])[..., 0]


@polynomial("(n,d),(n)->(d)")
def signal(X: Array, cotangent: Array) -> Array:
    """Gradient in beta of what has this cotangent in the outputs, Xᵀ c. Source: minima_manifold C."""
    return (mT(X) @ cotangent[..., None])[..., 0]


@polynomial("(k,d),(d)->(k,d)")
def chain(slopes: Array, g: Array) -> Array:
    """Gradient blocks S_k * g. Source: minima_manifold C."""
    return slopes * g[..., None, :]


@polynomial("(k,d),(k,d)->(d)")
def tangent(slopes: Array, D: Array) -> Array:
    """Derivative of beta along D (k, d). Source: minima_manifold C."""
    return (slopes * D).sum(-2)


@polynomial("(k,d),(n,d)->(n,p)")
def jacobian(slopes: Array, X: Array) -> Array:
    """Jacobian of the outputs, X diag(S_k) side by side. Source: minima_manifold C."""
    blocks = slopes[..., None, :, :] * X[..., :, None, :]
    return blocks.reshape((*blocks.shape[:-2], blocks.shape[-2] * blocks.shape[-1]))


@polynomial("(k,d),(n,d)->(n,n)")
def ntk(slopes: Array, X: Array) -> Array:
    """Tangent kernel X diag(sum_k S_k²) Xᵀ. Source: minima_manifold C."""
    return (X * (slopes * slopes).sum(-2)[..., None, :]) @ mT(X)


@polynomial("(k,d),(k,k,d),(k,d),(d,d),(d)->(k,d)")
def hvp(slopes: Array, curvatures: Array, D: Array, Sxx: Array, g: Array) -> Array:
    """Hessian of the loss along D (k, d). Source: minima_manifold C."""
    turned = (curvatures * D[..., None, :, :]).sum(-2)
    moved = (Sxx @ tangent(slopes, D)[..., None])[..., 0]
    return chain(slopes, moved) + chain(turned, g)


@polynomial("(k,d),(k,k,d),(d,d),(d)->(p,p)")
def hessian(slopes: Array, curvatures: Array, Sxx: Array, g: Array) -> Array:
    """Hessian of the loss, Jᵀ Sxx J + diagonal blocks diag(g * C_kl). Source: minima_manifold C."""
    first = slopes[..., :, :, None, None] * slopes[..., None, None, :, :] * Sxx[..., None, :, None, :]
    bent = mT(curvatures * g[..., None, None, :])  # entry (k, j, l)
    blocks = first + bent[..., None] * identity_like(Sxx)[:, None, :]
    p = blocks.shape[-4] * blocks.shape[-3]
    return blocks.reshape((*blocks.shape[:-4], p, p))


@polynomial("(k,d),(k,k,d),(d),(d)->()")
def hessian_trace(slopes: Array, curvatures: Array, moments: Array, g: Array) -> Array:
    """Trace of the Hessian, sum_j M_j sum_k S_kj² + sum_kj g_j C_kkj. Source: minima_manifold C."""
    own = sum((curvatures[..., k, k, :] for k in range(curvatures.shape[-2])), 0 * g)
    return dot(moments, (slopes * slopes).sum(-2)) + dot(g, own)


@polynomial("(d,d),(d)->()")
def excess_loss(covariance: Array, distance: Array) -> Array:
    """Loss xᵀ Lam x / 2 on fresh inputs of a distance x = beta - beta*. Source: minima_manifold 0."""
    return ((covariance @ distance[..., None])[..., 0] * distance).sum(-1) / 2


@polynomial("(d),(d),(d)->(d),(d)")
def update(u: Array, v: Array, step: Array) -> tuple[Array, Array]:
    """One descent step of beta = u * v, with step = learning rate * g. Source: minima_manifold C."""
    return u - step * v, v - step * u


@polynomial("(d),(d)->(d),(d)")
def halves(u: Array, v: Array) -> tuple[Array, Array]:
    """The difference form of beta = u * v: w_plus = (u+v)/2, w_minus = (u-v)/2. Source: minima_manifold C."""
    return (u + v) / 2, (u - v) / 2


@polynomial("(d),(d)->(d)")
def imbalance(u: Array, v: Array) -> Array:
    """The conserved (u² - v²)/2 of beta = u * v; alpha² is its size. Source: minima_manifold C."""
    return (u + v) * (u - v) / 2
