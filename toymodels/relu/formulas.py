"""Two-layer ReLU networks f(x) = sum_k a_k relu(w_k . x): every formula once, gates as arguments.

Shapes: W (m, d) rows are neurons, a (m,), data rows X (n, d), gates G (m, n)
with G_ki = 1 where w_k . x_i > 0 and 0 elsewhere. A cotangent (n,) of the
outputs is pi_i dl/df_i for the gradient of the loss; then the `gated_sums`
are -U_k, U_k = sum_i pi_i g_i G_ki x_i with the residual g = -dl/df. theta is
W row-major, then a; leading axes are runs. With the output layer fixed the
parameters are W alone: take the leading block, or a direction b = 0.
"""

from __future__ import annotations

import numpy as np

from toymodels.arithmetic import Array, concatenate, dot, identity_like, mT, outer, polynomial


@polynomial("(m,d),(n,d)->(m,n)", words=True)
def preactivations(W: Array, X: Array) -> Array:
    """Preactivations z_ki = w_k . x_i. Source: neuron_partition 0."""
    return W @ mT(X)


@polynomial("(m,d),(m),(n,d),(m,n)->(n)")
def outputs(W: Array, a: Array, X: Array, gates: Array) -> Array:
    """Outputs f_i = sum_k a_k G_ki z_ki; linear in W at fixed gates. Source: neuron_partition 0."""
    return (a[..., None, :] @ (gates * preactivations(W, X)))[..., 0, :]


@polynomial("(m,d),(m),(n,d),(n),(n),(m,n)->()")
def square_loss(W: Array, a: Array, X: Array, y: Array, weights: Array, gates: Array) -> Array:
    """Square loss sum_i pi_i (f_i - y_i)²/2. Source: neuron_partition 0."""
    residual = outputs(W, a, X, gates) - y
    return dot(weights, residual * residual) / 2


@polynomial("(n,d),(m,n),(n)->(m,d)")
def gated_sums(X: Array, gates: Array, cotangent: Array) -> Array:
    """Sums over the living samples, sum_i c_i G_ki x_i, per neuron or pattern. Source: neuron_partition 2."""
    return (gates * cotangent[..., None, :]) @ X


@polynomial("(m,d),(m),(m,d)->(m,d),(m)")
def chain(W: Array, a: Array, sums: Array) -> tuple[Array, Array]:
    """Gradient blocks a_k S_k and w_k . S_k from the gated sums S. Source: neuron_partition A1."""
    return a[..., None] * sums, dot(W, sums)


@polynomial("(m,d),(m),(n,d),(m,n),(n)->(m,d),(m)")
def vjp(W: Array, a: Array, X: Array, gates: Array, cotangent: Array) -> tuple[Array, Array]:
    """Blocks of Jᵀ cotangent. Source: neuron_partition A1."""
    return chain(W, a, gated_sums(X, gates, cotangent))


@polynomial("(m,d),(m),(m,d),(m),(n,d),(m,n)->(n)")
def jvp(W: Array, a: Array, D: Array, b: Array, X: Array, gates: Array) -> Array:
    """Derivative of the outputs along (D, b). Source: neuron_partition A2."""
    return outputs(D, a, X, gates) + outputs(W, b, X, gates)


@polynomial("(m,d),(m),(n,d),(m,n)->(n,p)")
def jacobian(W: Array, a: Array, X: Array, gates: Array) -> Array:
    """Jacobian of the outputs; row i is (a_k G_ki x_i)_k, then (G_ki z_ki)_k. Source: neuron_partition A2."""
    stretched = a + 0 * W[..., 0]  # to the runs of W
    hidden = mT(stretched[..., None] * gates)[..., None] * X[..., :, None, :]
    flat = hidden.reshape((*hidden.shape[:-2], hidden.shape[-2] * hidden.shape[-1]))
    return concatenate([flat, mT(gates * preactivations(W, X))], -1)


@polynomial("(m,d),(m),(n,d),(m,n),(n),(n)->(p,p)")
def hessian(W: Array, a: Array, X: Array, gates: Array, slope: Array, curvature: Array) -> Array:
    """Hessian inside a cell, Jᵀ diag(pi l'') J + M, from pi l' and pi l''. Source: neuron_partition A2."""
    J = jacobian(W, a, X, gates)
    return mT(J) @ (curvature[..., None] * J) + coupling(gated_sums(X, gates, slope))


@polynomial("(m,d)->(p,p)")
def coupling(sums: Array) -> Array:
    """The matrix M that couples a_k with w_k alone, M_{w_k,a_k} = S_k = -U_k. Source: neuron_partition A2."""
    *runs, m, d = sums.shape
    block = (sums[..., None] * identity_like(mT(sums))[:, None, :]).reshape((*runs, m * d, m))
    hidden, output = (np.zeros((*runs, size, size), dtype=int) for size in (m * d, m))
    rows = concatenate([hidden, block], -1), concatenate([mT(block), output], -1)
    return concatenate(list(rows), -2)


@polynomial("(m,d),(m),(m,d),(m),(n,d),(m,n),(n),(n)->(m,d),(m)")
def hvp(
    W: Array, a: Array, D: Array, b: Array, X: Array, gates: Array, slope: Array, curvature: Array
) -> tuple[Array, Array]:
    """Blocks of the Hessian inside a cell times (D, b). Source: neuron_partition A2."""
    pushed = curvature * jvp(W, a, D, b, X, gates)
    first, second = vjp(W, a, X, gates, pushed)
    third, fourth = chain(D, b, gated_sums(X, gates, slope))
    return first + third, second + fourth


@polynomial("(m),(n,d),(m,n)->(n,n)")
def hidden_ntk(a: Array, X: Array, gates: Array) -> Array:
    """Tangent kernel of the hidden layer, x_i . x_j sum_k a_k² G_ki G_kj. Source: neuron_partition A3."""
    active = a[..., None] * gates
    return (X @ mT(X)) * (mT(active) @ active)


@polynomial("(m,d),(n,d),(m,n)->(n,n)")
def output_ntk(W: Array, X: Array, gates: Array) -> Array:
    """Tangent kernel of the output layer, sum_k G_ki z_ki G_kj z_kj. Source: neuron_partition A3."""
    hidden = gates * preactivations(W, X)
    return mT(hidden) @ hidden


@polynomial("(m,d),(m),(s,m)->(s),(s,d,d)")
def class_sums(W: Array, a: Array, members: Array) -> tuple[Array, Array]:
    """Masses A_S = sum a_k² and C_S = sum w_k w_kᵀ over each class; members_Sk = 1 where k is in S.

    Source: neuron_partition A3.
    """
    d = W.shape[-1]
    squares = outer(W, W)
    flat = members @ squares.reshape((*squares.shape[:-2], d * d))
    return (members @ (a * a)[..., None])[..., 0], flat.reshape((*flat.shape[:-1], d, d))


@polynomial("(s),(n,d),(s,n)->(n,n)")
def hidden_ntk_of_classes(A: Array, X: Array, patterns: Array) -> Array:
    """Hidden part of the kernel, x_i . x_j sum_S s_i s_j A_S. Source: neuron_partition A3."""
    return (X @ mT(X)) * (mT(patterns) @ (A[..., None] * patterns))


@polynomial("(s,d,d),(n,d),(s,n)->(n,n)")
def output_ntk_of_classes(C: Array, X: Array, patterns: Array) -> Array:
    """Output part of the kernel, sum_S s_i s_j x_iᵀ C_S x_j. Source: neuron_partition A3."""
    gated = patterns[..., None] * X[..., None, :, :]
    left, right = _side_by_side(gated @ C), _side_by_side(gated)
    return left @ mT(right)


def _side_by_side(blocks: Array) -> Array:
    """Blocks (s, n, d) as one matrix (n, s d)."""
    *runs, s, n, d = blocks.shape
    return blocks.swapaxes(-3, -2).reshape((*runs, n, s * d))


@polynomial("(m,d),(m)->(m)")
def imbalance(W: Array, a: Array) -> Array:
    """Imbalance a_k² - |w_k|² of each neuron, conserved by gradient flow. Source: neuron_partition A5."""
    return a * a - dot(W, W)


@polynomial("(m,d),(m)->(m)")
def imbalance_change(first: Array, second: Array) -> Array:
    """Change of the imbalance in one descent step, of -(first, second). Source: neuron_partition A5."""
    return imbalance(first, second)


@polynomial("(n),(n)->()")
def norm_growth(outputs: Array, slope: Array) -> Array:
    """Half of d/dt |W|² and of d/dt |a|² along flow, -sum_i pi_i l'_i f_i. Source: neuron_partition A6."""
    return -dot(outputs, slope)


@polynomial("(m),(m,d)->()")
def hidden_gradient_norm(masses: Array, sums: Array) -> Array:
    """Squared norm of dL/dW, sum_S A_S |U_S|² over classes or neurons. Source: neuron_partition C2."""
    return dot(masses, dot(sums, sums))
