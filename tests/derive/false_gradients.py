"""Mistakes in gradients and Hessians of losses."""

import sympy as sp
from gallery import false_step, regression

from toymodels.derive import det, dot, hadamard, norm, quad, sigmoid, sum_over, trace


@false_step("gradient of the loss transposed")
def _(D):
    d = D.sizes("d", most=3)
    S, A, W = D.matrix("S", d, d, "symmetric"), D.matrix("A", d, d), D.matrix("W", d, d)
    D.step(D.gradient(trace(W * S * W.T) / 2 - trace(A * W), W), "=", W * S - A)


@false_step("gradient with respect to W given for its transpose's place")
def _(D):
    n, X, Y, W, loss = regression(D)
    V = D.matrix("V", *W.shape)
    D.step(D.along(loss, {W: V}), "=", dot(V, (Y - X * W.T).T * X / n))


@false_step("the half of the square loss is forgotten")
def _(D):
    n, X, Y, W, loss = regression(D)
    D.step(D.gradient(loss, W), "=", 2 * (X * W.T - Y).T * X / n)


@false_step("sum for mean", condition="n = 1")
def _(D):
    _, X, Y, W, loss = regression(D)
    D.step(D.gradient(loss, W), "=", (X * W.T - Y).T * X)


@false_step("the sign of the residual")
def _(D):
    n, X, Y, W, loss = regression(D)
    D.step(D.gradient(loss, W), "=", (Y - X * W.T).T * X / n)


@false_step("chain rule without the derivative of the activation")
def _(D):
    n, d = D.sizes("n d", most=3)
    X, y, w, phi = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d), D.function("phi")
    i = D.index("i", n)
    f = phi(dot(w, X.row(i)))
    loss = sum_over(i, (f - y[i, 0]) ** 2) / 2
    D.step(D.gradient(loss, w), "=", sum_over(i, (f - y[i, 0]) * X.row(i)))


@false_step("backpropagation through the activation as a matrix product with the wrong factor")
def _(D):
    m, d = D.sizes("m d", most=3)
    W, x, g, phi = D.matrix("W", m, d), D.vector("x", d), D.vector("g", m), D.function("phi")
    D.step(D.gradient(dot(g, phi(W * x)), W), "=", hadamard(g, phi(W * x)) * x.T)


@false_step("gradient of a quadratic form of a matrix that need not be symmetric", condition="A is symmetric")
def _(D):
    d = D.sizes("d", most=3)
    A, v = D.matrix("A", d, d), D.vector("v", d)
    D.step(D.gradient(quad(A, v), v), "=", 2 * A * v)


@false_step("gradient of log det misses the transpose")
def _(D):
    d = D.sizes("d", least=2, most=3)
    A = D.matrix("A", d, d, "invertible")
    D.step(D.gradient(sp.log(det(A) ** 2) / 2, A), "=", A.I)


@false_step("weight decay without its factor")
def _(D):
    d, lam = D.sizes("d", most=3), D.scalar("lam", positive=True)
    w, g = D.vector("w", d), D.vector("g", d)
    D.step(D.gradient(dot(g, w) + lam * norm(w) ** 2 / 2, w), "=", g + w)


@false_step("softmax derivative without the product of the outputs")
def _(D):
    x, y = D.scalars("x y")
    p = sp.exp(x) / (sp.exp(x) + sp.exp(y))
    D.step(D.gradient(p, x), "=", p)


@false_step("derivative of the sigmoid with s² for s(1 - s)")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(sigmoid(x), x), "=", sigmoid(x) ** 2)


@false_step("gradient of the logistic loss with the sigmoid of the wrong sign")
def _(D):
    d = D.sizes("d", most=3)
    w, x = D.vector("w", d), D.vector("x", d)
    D.step(D.gradient(sp.log(1 + sp.exp(-dot(w, x))), w), "=", -sigmoid(dot(w, x)) * x)


@false_step("Hessian of a least-squares loss without the mean")
def _(D):
    n, d = D.sizes("n d", most=3)
    X, y, w = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d)
    D.step(D.hessian(norm(X * w - y) ** 2 / (2 * n), w), "=", X.T * X)


@false_step("Gauss-Newton taken for the Hessian")
def _(D):
    a, b, x, y = D.scalars("a b x y")
    loss = (a * b * x - y) ** 2 / 2
    D.step(D.gradient(D.gradient(loss, a), b), "=", a * b * x**2)


@false_step("second derivative by squaring the first")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(D.gradient(x**3, x), x), "=", (3 * x**2) ** 2)
