"""The conformal quadratic model, f(x) = x.beta(theta) with beta_j = theta.Q_j theta / 2: every formula once.

Shapes: theta (N), Q (d, N, N) symmetric, data rows X (n, d) and y (n,). With
anticommuting Q (see `clifford`) the Jacobian of beta has J Jᵀ = S I, S = |theta|²;
`ntk`, `hessian_trace`, `beta_step`, `scale_step` and `beta_velocity` hold for those alone.
Leading axes are runs.
"""

from __future__ import annotations

from toymodels.arithmetic import Array, dot, mT, polynomial


def _spread(scalar: Array, axes: int = 1) -> Array:
    """A scalar per run, shaped to multiply vectors or matrices."""
    return scalar[(..., *(None,) * axes)] if getattr(scalar, "ndim", 0) else scalar


@polynomial("(d,N,N),(d)->(N,N)")
def combination(Q: Array, v: Array) -> Array:
    """Q(v) = sum_j v_j Q_j. Source: minima_manifold A.1."""
    return (v[..., :, None, None] * Q).sum(-3)


@polynomial("(N),(d,N,N)->(d,N)")
def images(theta: Array, Q: Array) -> Array:
    """The vectors Q_j theta, which are the Jacobian of beta. Source: minima_manifold A.2."""
    return (theta[..., None, None, :] * Q).sum(-1)


@polynomial("(N),(d,N,N),(d)->(N)")
def turned(theta: Array, Q: Array, v: Array) -> Array:
    """Q(v) theta. Source: minima_manifold A.1."""
    return (v[..., :, None] * images(theta, Q)).sum(-2)


@polynomial("(N),(d,N,N)->(d)")
def beta(theta: Array, Q: Array) -> Array:
    """The linear map that theta stands for, beta_j = theta.Q_j theta / 2. Source: minima_manifold A.1."""
    return (images(theta, Q) * theta[..., None, :]).sum(-1) / 2


@polynomial("(d),(n,d)->(n)")
def predictions(b: Array, X: Array) -> Array:
    """X b on data rows. Source: minima_manifold A.1."""
    return (X * b[..., None, :]).sum(-1)


@polynomial("(N),(d,N,N),(n,d)->(n)")
def outputs(theta: Array, Q: Array, X: Array) -> Array:
    """Outputs x_i.beta. Source: minima_manifold A.1."""
    return predictions(beta(theta, Q), X)


@polynomial("(N),(d,N,N),(n,d),(n)->()")
def loss(theta: Array, Q: Array, X: Array, y: Array) -> Array:
    """Mean square loss sum_i (f_i - y_i)² / (2n). Source: minima_manifold A.1."""
    residual = outputs(theta, Q, X) - y
    return dot(residual, residual) / (2 * X.shape[-2])


@polynomial("(n,d),(n)->(d)")
def pulled(X: Array, cotangent: Array) -> Array:
    """Xᵀ cotangent. Source: minima_manifold A.2."""
    return (cotangent[..., :, None] * X).sum(-2)


@polynomial("(d),(n,d),(n)->(d)")
def slope(b: Array, X: Array, y: Array) -> Array:
    """g = dL/dbeta = Xᵀ(X b - y)/n. Source: minima_manifold A.2."""
    return pulled(X, predictions(b, X) - y) / X.shape[-2]


@polynomial("(N),(d,N,N),(n,d),(n)->(N)")
def vjp(theta: Array, Q: Array, X: Array, cotangent: Array) -> Array:
    """The outputs' Jᵀ cotangent = Q(Xᵀ cotangent) theta. Source: minima_manifold A.2."""
    return turned(theta, Q, pulled(X, cotangent))


@polynomial("(N),(d,N,N),(n,d),(n)->(N)")
def gradient(theta: Array, Q: Array, X: Array, y: Array) -> Array:
    """Gradient Q(g) theta of the loss. Source: minima_manifold A.2."""
    return turned(theta, Q, slope(beta(theta, Q), X, y))


@polynomial("(N),(d,N,N),(N)->(d)")
def beta_tangent(theta: Array, Q: Array, v: Array) -> Array:
    """Derivative of beta along v. Source: minima_manifold A.2."""
    return (images(theta, Q) * v[..., None, :]).sum(-1)


@polynomial("(N),(d,N,N),(n,d),(N)->(n)")
def jvp(theta: Array, Q: Array, X: Array, v: Array) -> Array:
    """Derivative of the outputs along v. Source: minima_manifold A.2."""
    return predictions(beta_tangent(theta, Q, v), X)


@polynomial("(N),(d,N,N),(n,d),(n),(N)->(N)")
def hvp(theta: Array, Q: Array, X: Array, y: Array, v: Array) -> Array:
    """Hessian of the loss times v, Jᵀ Sigma J v + Q(g) v. Source: minima_manifold A.2."""
    bend = pulled(X, jvp(theta, Q, X, v)) / X.shape[-2]
    return turned(theta, Q, bend) + turned(v, Q, slope(beta(theta, Q), X, y))


@polynomial("(N),(d,N,N),(n,d)->(n,N)")
def jacobian(theta: Array, Q: Array, X: Array) -> Array:
    """Jacobian of the outputs. Source: minima_manifold A.2."""
    return X @ images(theta, Q)


@polynomial("(N),(d,N,N),(n,d),(n)->(N,N)")
def hessian(theta: Array, Q: Array, X: Array, y: Array) -> Array:
    """Hessian of the loss. Source: minima_manifold A.2."""
    J = jacobian(theta, Q, X)
    return mT(J) @ J / X.shape[-2] + combination(Q, slope(beta(theta, Q), X, y))


@polynomial("(N)->()")
def scale(theta: Array) -> Array:
    """S = |theta|², the scale of the tangent kernel. Source: minima_manifold A.1."""
    return dot(theta, theta)


@polynomial("(N),(n,d)->(n,n)")
def ntk(theta: Array, X: Array) -> Array:
    """Tangent kernel S X Xᵀ. Source: minima_manifold A.2."""
    return _spread(scale(theta), 2) * (X @ mT(X))


@polynomial("(N),(n,d)->()")
def hessian_trace(theta: Array, X: Array) -> Array:
    """Trace of the Hessian, S tr Sigma, at every theta. Source: minima_manifold A.2."""
    return scale(theta) * (X * X).sum((-1, -2)) / X.shape[-2]


@polynomial("(N),(d,N,N)->(N)")
def hidden(theta: Array, Q: Array) -> Array:
    """S times the part of theta across all Q_j theta; its norm is 2 sqrt(S) mu. Source: own derivation."""
    return _spread(scale(theta)) * theta - 2 * turned(theta, Q, beta(theta, Q))


@polynomial("(),(d)->()")
def imbalance_square(S: Array, b: Array) -> Array:
    """Hidden imbalance mu² = S²/4 - |beta|². Source: minima_manifold A.1."""
    return S * S / 4 - dot(b, b)


@polynomial("(),(d)->(d)")
def beta_velocity(S: Array, g: Array) -> Array:
    """Velocity of beta in gradient flow, -S g. Source: minima_manifold A.3."""
    return -_spread(S) * g


@polynomial("(d),(d)->()")
def scale_velocity(b: Array, g: Array) -> Array:
    """Velocity of S in gradient flow, -4 g.beta. Source: minima_manifold A.3."""
    return -4 * dot(g, b)


@polynomial("(N),(d,N,N),(d)->(N)")
def step(theta: Array, Q: Array, kick: Array) -> Array:
    """One step theta - Q(kick) theta, kick = learning rate times any g. Source: minima_manifold A.4."""
    return theta - turned(theta, Q, kick)


@polynomial("(d),(),(d)->(d)")
def beta_step(b: Array, S: Array, kick: Array) -> Array:
    """`step` for beta, closed in beta and S. Source: minima_manifold A.4."""
    square, along = dot(kick, kick), dot(kick, b)
    return b - _spread(S) * kick + 2 * _spread(along) * kick - _spread(square) * b


@polynomial("(d),(),(d)->()")
def scale_step(b: Array, S: Array, kick: Array) -> Array:
    """`step` for S, closed in beta and S. Source: minima_manifold A.4."""
    return S + dot(kick, kick) * S - 4 * dot(kick, b)


@polynomial("(d)->()")
def contraction(kick: Array) -> Array:
    """The factor 1 - |kick|² of what the data do not see, P_ beta and mu. Source: minima_manifold S-A5."""
    return 1 - dot(kick, kick)
