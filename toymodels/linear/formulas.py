"""Two linear layers, f(x) = W2 W1 x, under the square loss: every formula once.

Shapes: W1 (m, d), W2 (c, m), data rows X (n, d) and Y (n, c), statistics
Sxx = XᵀX/n (d, d), Syx = YᵀX/n (c, d), tyy = tr(YᵀY)/n, G = dL/dW (c, d).
theta is W1 row-major, then W2; leading axes are runs.
"""

from __future__ import annotations

from toymodels.arithmetic import Array, concatenate, frobenius, identity_like, mT, polynomial
from toymodels.linear import map_formulas


@polynomial("(m,d),(c,m)->(c,d)", words=True)
def product(W1: Array, W2: Array) -> Array:
    """End-to-end matrix W = W2 W1. Source: linear_nets 1."""
    return W2 @ W1


@polynomial("(m,d),(c,m),(n,d)->(n,c)", words=True)
def outputs(W1: Array, W2: Array, X: Array) -> Array:
    """Outputs X Wᵀ on data rows. Source: linear_nets 1."""
    return map_formulas.outputs(product(W1, W2), X)


@polynomial("(m,d),(c,m),(n,d),(n,c)->()", words=True)
def sum_loss(W1: Array, W2: Array, X: Array, Y: Array) -> Array:
    """Square loss |X Wᵀ - Y|²/2, weights carried by the rows as square roots. Source: linear_nets 1."""
    return map_formulas.sum_loss(product(W1, W2), X, Y)


@polynomial("(m,d),(c,m),(n,d),(n,c)->()", words=True)
def loss(W1: Array, W2: Array, X: Array, Y: Array) -> Array:
    """Mean square loss |X Wᵀ - Y|²/(2n). Source: linear_nets 1."""
    return sum_loss(W1, W2, X, Y) / X.shape[-2]


@polynomial("(n,d),(n,c)->(d,d),(c,d),()", words=True)
def statistics(X: Array, Y: Array) -> tuple[Array, Array, Array]:
    """Sufficient statistics Sxx = XᵀX/n, Syx = YᵀX/n, tyy = |Y|²/n. Source: linear_nets 1."""
    n = X.shape[-2]
    return mT(X) @ X / n, mT(Y) @ X / n, frobenius(Y, Y) / n


@polynomial("(n,d),(n,c),(n)->(d,d),(c,d),()")
def weighted_statistics(X: Array, Y: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Sufficient statistics with weight weights_i on sample i. Source: linear_nets 1."""
    heavy = weights[..., :, None] * X
    return mT(X) @ heavy, mT(Y) @ heavy, frobenius(weights[..., :, None] * Y, Y)


@polynomial("(m,d),(c,m),(d,d),(c,d),()->()", words=True)
def loss_from_statistics(W1: Array, W2: Array, Sxx: Array, Syx: Array, tyy: Array) -> Array:
    """Mean square loss tyy/2 - <W, Syx> + <W Sxx, W>/2. Source: linear_nets 1."""
    W = product(W1, W2)
    return tyy / 2 - frobenius(W, Syx) + frobenius(W @ Sxx, W) / 2


@polynomial("(m,d),(c,m),(d,d),(c,d)->(c,d)", words=True)
def residual(W1: Array, W2: Array, Sxx: Array, Syx: Array) -> Array:
    """Gradient in the product, G = dL/dW = W Sxx - Syx. Source: linear_nets 1."""
    return product(W1, W2) @ Sxx - Syx


@polynomial("(m,d),(c,m),(n,d),(n,c)->(c,d)", words=True)
def sum_residual(W1: Array, W2: Array, X: Array, Y: Array) -> Array:
    """Gradient in the product of `sum_loss`, (X Wᵀ - Y)ᵀ X. Source: linear_nets 1."""
    return map_formulas.sum_residual(product(W1, W2), X, Y)


@polynomial("(m,d),(c,m),(c,d)->(m,d),(c,m)", words=True)
def chain(W1: Array, W2: Array, G: Array) -> tuple[Array, Array]:
    """Gradient blocks W2ᵀ G and G W1ᵀ from G = dL/dW. Source: linear_nets 2.1."""
    return mT(W2) @ G, G @ mT(W1)


@polynomial("(m,d),(c,m),(d,d),(c,d)->(m,d),(c,m)", words=True)
def gradient(W1: Array, W2: Array, Sxx: Array, Syx: Array) -> tuple[Array, Array]:
    """Gradient blocks of the mean loss from its statistics. Source: linear_nets 2.1."""
    return chain(W1, W2, residual(W1, W2, Sxx, Syx))


@polynomial("(m,d),(c,m),(n,d),(n,c)->(m,d),(c,m)", words=True)
def sample_gradient(W1: Array, W2: Array, X: Array, Y: Array) -> tuple[Array, Array]:
    """Gradient blocks of the mean loss from its samples. Source: linear_nets 2.1."""
    return chain(W1, W2, sum_residual(W1, W2, X, Y) / X.shape[-2])


@polynomial("(m,d),(c,m),(n,d),(n,c)->(m,d),(c,m)", words=True)
def vjp(W1: Array, W2: Array, X: Array, cotangent: Array) -> tuple[Array, Array]:
    """Blocks of Jᵀ cotangent for a cotangent (n, c) of the outputs. Source: linear_nets 2.1."""
    return chain(W1, W2, mT(cotangent) @ X)


@polynomial("(m,d),(c,m),(m,d),(c,m)->(c,d)", words=True)
def product_tangent(W1: Array, W2: Array, D1: Array, D2: Array) -> Array:
    """Derivative of W along (D1, D2), W2 D1 + D2 W1. Source: linear_nets 2.2."""
    return W2 @ D1 + D2 @ W1


@polynomial("(m,d),(c,m),(m,d),(c,m),(d,d)->(m,d),(c,m)", words=True)
def gauss_newton_hvp(W1: Array, W2: Array, D1: Array, D2: Array, Sxx: Array) -> tuple[Array, Array]:
    """Gauss-Newton part of the Hessian along (D1, D2). Source: linear_nets 2.2."""
    return chain(W1, W2, product_tangent(W1, W2, D1, D2) @ Sxx)


@polynomial("(m,d),(c,m),(c,d)->(m,d),(c,m)", words=True)
def residual_hvp(D1: Array, D2: Array, G: Array) -> tuple[Array, Array]:
    """Residual part of the Hessian along (D1, D2): D2ᵀ G, G D1ᵀ. Source: linear_nets 2.2."""
    return chain(D1, D2, G)


@polynomial("(m,d),(c,m),(m,d),(c,m),(d,d),(c,d)->(m,d),(c,m)", words=True)
def hvp(W1: Array, W2: Array, D1: Array, D2: Array, Sxx: Array, Syx: Array) -> tuple[Array, Array]:
    """Hessian of the mean loss along (D1, D2), as blocks. Source: linear_nets 2.2."""
    first, second = gauss_newton_hvp(W1, W2, D1, D2, Sxx)
    third, fourth = residual_hvp(D1, D2, residual(W1, W2, Sxx, Syx))
    return first + third, second + fourth


def kron(A: Array, B: Array) -> Array:
    """Kronecker product over the last two axes, C order, leading axes broadcast."""
    blocks = A[..., :, None, :, None] * B[..., None, :, None, :]
    rows, columns = A.shape[-2] * B.shape[-2], A.shape[-1] * B.shape[-1]
    return blocks.reshape((*blocks.shape[:-4], rows, columns))


def _symmetric(first: Array, coupling: Array, second: Array) -> Array:
    """The matrix [[first, coupling], [couplingᵀ, second]]."""
    top = concatenate([first, coupling], -1)
    return concatenate([top, concatenate([mT(coupling), second], -1)], -2)


@polynomial("(m,d),(c,m),(d,d)->(p,p)")
def gauss_newton(W1: Array, W2: Array, Sxx: Array) -> Array:
    """Gauss-Newton part JᵀJ/n of the Hessian. Source: linear_nets 2.3."""
    return _symmetric(
        kron(mT(W2) @ W2, Sxx), kron(mT(W2), mT(W1 @ Sxx)), kron(identity_like(mT(W2)), W1 @ Sxx @ mT(W1))
    )


@polynomial("(m,d),(c,d)->(p,p)")
def residual_hessian(W1: Array, G: Array) -> Array:
    """Residual part of the Hessian; W1 only gives the width. Source: linear_nets 2.3, 2.4."""
    unit = identity_like(mT(W1))
    coupling = unit[:, None, None, :] * mT(G)[..., None, :, :, None]
    m, d, c = W1.shape[-2], G.shape[-1], G.shape[-2]
    return _symmetric(
        0 * kron(unit, mT(G) @ G),
        coupling.reshape((*coupling.shape[:-4], m * d, c * m)),
        0 * kron(G @ mT(G), unit),
    )


@polynomial("(m,d),(c,m),(d,d),(c,d)->(p,p)")
def hessian(W1: Array, W2: Array, Sxx: Array, Syx: Array) -> Array:
    """Hessian of the mean loss in theta. Source: linear_nets 2.3."""
    return gauss_newton(W1, W2, Sxx) + residual_hessian(W1, residual(W1, W2, Sxx, Syx))


@polynomial("(m,d),(c,m),(d,d)->()", words=True)
def hessian_trace(W1: Array, W2: Array, Sxx: Array) -> Array:
    """Trace of the Hessian, |W2|² tr Sxx + c tr(W1 Sxx W1ᵀ). Source: linear_nets 2.3."""
    weight = frobenius(identity_like(Sxx), Sxx)
    return frobenius(W2, W2) * weight + W2.shape[-2] * frobenius(W1 @ Sxx, W1)


@polynomial("(m,d),(c,m),(n,d)->(K,p)")
def jacobian(W1: Array, W2: Array, X: Array) -> Array:
    """Jacobian of the outputs in theta, output i c + k of sample i. Source: linear_nets 2.5."""
    n, d, (c, m) = X.shape[-2], X.shape[-1], W2.shape[-2:]
    first = W2[..., None, :, :, None] * X[..., :, None, None, :]
    unit = identity_like(mT(W2))
    second = unit[:, :, None] * (X @ mT(W1))[..., :, None, None, :]
    return concatenate(
        [
            first.reshape((*first.shape[:-4], n * c, m * d)),
            second.reshape((*second.shape[:-4], n * c, c * m)),
        ],
        -1,
    )


@polynomial("(m,d),(c,m),(n,d)->(K,K)")
def ntk(W1: Array, W2: Array, X: Array) -> Array:
    """Tangent kernel J Jᵀ = XXᵀ ⊗ W2W2ᵀ + XW1ᵀW1Xᵀ ⊗ I, sample-major. Source: linear_nets 2.5."""
    hidden = X @ mT(W1)
    return kron(X @ mT(X), W2 @ mT(W2)) + kron(hidden @ mT(hidden), identity_like(mT(W2)))


@polynomial("(m,d),(c,m)->(m,m)", words=True)
def imbalance(W1: Array, W2: Array) -> Array:
    """Imbalance W2ᵀW2 - W1W1ᵀ, conserved by gradient flow. Source: linear_nets 1, 7.1."""
    return mT(W2) @ W2 - W1 @ mT(W1)


@polynomial("(m,d),(c,m)->(N,N)")
def gram(W1: Array, W2: Array) -> Array:
    """Gram matrix Q Qᵀ of Q = [W1ᵀ; W2]. Source: linear_nets 5.1."""
    Q = concatenate([mT(W1), W2], -2)
    return Q @ mT(Q)


@polynomial("(m,d),(c,m),(c,d)->(m,d),(c,m)", words=True)
def update(W1: Array, W2: Array, step: Array) -> tuple[Array, Array]:
    """One gradient-descent step, with step = learning rate * G. Source: linear_nets 8."""
    first, second = chain(W1, W2, step)
    return W1 - first, W2 - second


@polynomial("(m,d),(c,m),(c,d)->(m,m)", words=True)
def imbalance_change(W1: Array, W2: Array, step: Array) -> Array:
    """Change of the imbalance in one `update`. Source: linear_nets 8.2."""
    first, second = chain(W1, W2, step)
    return mT(second) @ second - first @ mT(first)


def _per_run(scalar: Array) -> Array:
    """A scalar per run, shaped to multiply matrices."""
    return scalar[..., None, None] if getattr(scalar, "ndim", 0) else scalar


@polynomial("(m,d),(c,m),(d,d),(c,d),()->(m,d),(c,m)")
def descent_step(W1: Array, W2: Array, Sxx: Array, Syx: Array, lr: Array) -> tuple[Array, Array]:
    """One step of gradient descent on the mean loss. Source: linear_nets 8."""
    return update(W1, W2, _per_run(lr) * residual(W1, W2, Sxx, Syx))


@polynomial("(),(),(),()->(),()")
def mode_step(a: Array, b: Array, s: Array, lr: Array) -> tuple[Array, Array]:
    """One descent step of a scalar mode with target s, r = s - a b. Source: linear_nets 8.1."""
    r = s - a * b
    return a + lr * b * r, b + lr * a * r


@polynomial("(),(),(),()->(),()")
def mode_gram_step(u: Array, q: Array, s: Array, lr: Array) -> tuple[Array, Array]:
    """`mode_step` for the product u = a b and q = a² + b², closed in both. Source: linear_nets 8.1."""
    kick = lr * (s - u)
    return u + kick * q + kick * kick * u, q * (1 + kick * kick) + 4 * kick * u


@polynomial("(),(),()->()")
def mode_imbalance_step(delta: Array, r: Array, lr: Array) -> Array:
    """`mode_step` for the imbalance of a mode with residual r. Source: linear_nets 8.1."""
    return delta * (1 - lr * lr * r * r)


@polynomial("(),(),(),()->()")
def mode_residual_step(r: Array, u: Array, q: Array, lr: Array) -> Array:
    """`mode_step` for the residual, given u = a b and q = a² + b². Source: linear_nets 8.1."""
    return r * (1 - lr * q - lr * lr * r * u)
