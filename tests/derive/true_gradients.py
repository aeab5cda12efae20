"""True gradients, Hessians and Jacobians."""

import sympy as sp
from gallery import true_step

from toymodels.derive import (
    det,
    diag,
    dot,
    elementwise,
    hadamard,
    identity,
    mean_over,
    norm,
    quad,
    sigmoid,
    sum_over,
    trace,
)


@true_step("gradient of the square loss of two layers")
def _(D):
    m, d, c, n = D.sizes("m d c n")
    W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
    X, Y = D.matrix("X", n, d), D.matrix("Y", n, c)
    loss = norm(X * W1.T * W2.T - Y) ** 2 / (2 * n)
    D.step(D.gradient(loss, W1), "=", W2.T * (W2 * W1 * X.T * X - Y.T * X) / n)
    D.step(D.gradient(loss, W2), "=", (W2 * W1 * X.T * X - Y.T * X) * W1.T / n)


@true_step("second derivative of the loss along a direction of both layers")
def _(D):
    m, d, c = D.sizes("m d c")
    W1, W2, T = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("T", c, d)
    V1, V2 = D.matrix("V1", m, d), D.matrix("V2", c, m)
    loss = norm(W2 * W1 - T) ** 2 / 2
    change = V2 * W1 + W2 * V1
    D.step(D.along(loss, {W1: V1, W2: V2}, 2), "=", norm(change) ** 2 + 2 * dot(W2 * W1 - T, V2 * V1))


@true_step("Hessian of least squares", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, y, w = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d)
    D.step(D.hessian(norm(X * w - y) ** 2 / (2 * n), w), "=", X.T * X / n)


@true_step("Hessian of the quartic of a vector", "exact")
def _(D):
    d = D.sizes("d")
    w = D.vector("w", d)
    D.step(D.hessian(norm(w) ** 4 / 4, w), "=", norm(w) ** 2 * identity(d) + 2 * w * w.T)


@true_step("gradient of a quadratic form, symmetric or not")
def _(D):
    d = D.sizes("d")
    A, H, v = D.matrix("A", d, d), D.matrix("H", d, d, "symmetric"), D.vector("v", d)
    D.step(D.gradient(quad(A, v), v), "=", (A + A.T) * v)
    D.step(D.gradient(quad(H, v) / 2, v), "=", H * v)


@true_step("gradient of a quotient: Rayleigh's")
def _(D):
    d = D.sizes("d")
    H, v = D.matrix("H", d, d, "symmetric"), D.vector("v", d)
    rho = quad(H, v) / dot(v, v)
    D.step(D.gradient(rho, v), "=", 2 * (H * v - rho * v) / dot(v, v))


@true_step("gradient of an unknown activation over the samples", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, y, w, phi = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d), D.function("phi")
    i = D.index("i", n)
    f = phi(dot(w, X.row(i)))
    loss = mean_over(i, (f - y[i, 0]) ** 2) / 2
    D.step(D.gradient(loss, w), "=", mean_over(i, (f - y[i, 0]) * phi.d(dot(w, X.row(i))) * X.row(i)))


@true_step("second derivative of an unknown function: chain rule", "exact")
def _(D):
    x, phi = D.scalar("x"), D.function("phi")
    D.step(D.gradient(D.gradient(phi(x**2), x), x), "=", 2 * phi.d(x**2) + 4 * x**2 * phi.d(x**2, 2))


@true_step("backpropagation through one layer", "exact")
def _(D):
    m, d = D.sizes("m d")
    W, x, g, phi = D.matrix("W", m, d), D.vector("x", d), D.vector("g", m), D.function("phi")
    D.step(D.gradient(dot(g, phi(W * x)), W), "=", hadamard(g, phi.d(W * x)) * x.T)
    D.step(D.gradient(dot(g, phi(W * x)), x), "=", W.T * hadamard(g, phi.d(W * x)))


@true_step("a sum over samples is a product of matrices", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, i = D.matrix("X", n, d), D.index("i", n)
    D.step(sum_over(i, X.row(i) * X.row(i).T), "=", X.T * X)
    D.step(mean_over(i, norm(X.row(i)) ** 2), "=", trace(X * X.T) / n)


@true_step("double sum over samples", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, y = D.matrix("X", n, d), D.vector("y", n)
    i, j = D.index("i", n), D.index("j", n)
    kernel = sum_over(i, sum_over(j, y[i, 0] * dot(X.row(i), X.row(j)) * y[j, 0]))
    D.step(kernel, "=", norm(X.T * y) ** 2)


@true_step("Jacobian of a network's outputs and its kernel", "exact")
def _(D):
    n, d = D.sizes("n d", most=4)
    X, w, phi = D.matrix("X", n, d), D.vector("w", d), D.function("phi", degree=3)
    J = D.jacobian(phi(X * w), w)
    D.step(J, "=", diag(phi.d(X * w)) * X)
    D.step(J * J.T, "=", diag(phi.d(X * w)) * X * X.T * diag(phi.d(X * w)))


@true_step("gradient of log det", "digits")
def _(D):
    d = D.sizes("d", most=4)
    A, S = D.matrix("A", d, d, "invertible"), D.matrix("S", d, d, "positive definite")
    D.step(D.gradient(sp.log(det(A) ** 2) / 2, A), "=", A.I.T)
    D.step(D.gradient(sp.log(det(S)), S), "=", S.I)


@true_step("gradient of a determinant is the adjugate", "exact")
def _(D):
    d = D.sizes("d")
    A = D.matrix("A", d, d, "invertible")
    D.step(D.gradient(det(A), A), "=", det(A) * A.I.T)


@true_step("derivative of an inverse along a direction")
def _(D):
    d = D.sizes("d")
    A, V = D.matrix("A", d, d, "invertible"), D.matrix("V", d, d)
    D.step(D.along(A.I, {A: V}), "=", -A.I * V * A.I)
    D.step(D.along(A.I, {A: V}, 2), "=", 2 * A.I * V * A.I * V * A.I)


@true_step("gradient of a norm away from zero", "digits")
def _(D):
    d = D.sizes("d")
    w = D.vector("w", d)
    D.step(D.gradient(norm(w), w), "=", w / norm(w))


@true_step("derivatives of the sigmoid, softplus and tanh")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(sigmoid(x), x), "=", sigmoid(x) * (1 - sigmoid(x)))
    D.step(D.gradient(sp.log(1 + sp.exp(x)), x), "=", sigmoid(x))
    D.step(D.gradient(sp.tanh(x), x), "=", 1 - sp.tanh(x) ** 2)


@true_step("gradient of the logistic loss", "digits")
def _(D):
    d = D.sizes("d")
    w, x = D.vector("w", d), D.vector("x", d)
    D.step(D.gradient(sp.log(1 + sp.exp(-dot(w, x))), w), "=", -sigmoid(-dot(w, x)) * x)


@true_step("softmax of two outputs")
def _(D):
    x, y = D.scalars("x y")
    p = sp.exp(x) / (sp.exp(x) + sp.exp(y))
    D.step(D.gradient(p, x), "=", p * (1 - p))
    D.step(D.gradient(p, y), "=", -p * (1 - p))
    D.step(p, "=", sigmoid(x - y))


@true_step("cross-entropy of a softmax over many outputs", "digits")
def _(D):
    c = D.sizes("c")
    z, j = D.vector("z", c), D.index("j", c)
    total = sum_over(j, sp.exp(z[j, 0]))
    D.step(D.gradient(sp.log(total), z), "=", elementwise(sp.exp, z) / total)
