"""A linear map f(x) = W x under the square loss: what depends on the product of the layers alone.

Shapes: W (c, d), data rows X (n, d) and Y (n, c); leading axes are runs.
"""

from __future__ import annotations

from toymodels.arithmetic import Array, frobenius, mT, polynomial


@polynomial("(c,d),(n,d)->(n,c)", words=True)
def outputs(W: Array, X: Array) -> Array:
    """Outputs X Wᵀ on data rows. Source: linear_nets 1."""
    return X @ mT(W)


@polynomial("(c,d),(n,d),(n,c)->()", words=True)
def sum_loss(W: Array, X: Array, Y: Array) -> Array:
    """Square loss |X Wᵀ - Y|²/2, weights carried by the rows as square roots. Source: linear_nets 1."""
    residual = outputs(W, X) - Y
    return frobenius(residual, residual) / 2


@polynomial("(c,d),(n,d),(n,c)->(c,d)", words=True)
def sum_residual(W: Array, X: Array, Y: Array) -> Array:
    """Gradient of `sum_loss`, (X Wᵀ - Y)ᵀ X. Source: linear_nets 1."""
    return mT(outputs(W, X) - Y) @ X
