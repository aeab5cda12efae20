"""True steps along flows and over steps of descent."""

import sympy as sp
from gallery import true_step, two_layers

from toymodels.derive import norm, quad, sum_over, trace


@true_step("imbalance conserved by the flow")
def _(D):
    W1, W2, G = two_layers(D)
    a = D.step(D.dt(W2.T * W2), "=", -W1 * G.T * W2 - W2.T * G * W1.T)
    b = D.step(D.dt(W1 * W1.T), "=", -W2.T * G * W1.T - W1 * G.T * W2)
    D.conclude(D.dt(W2.T * W2 - W1 * W1.T), "=", 0, by=[a, b])


@true_step("imbalance after a step of gradient descent")
def _(D):
    m, d, c = D.sizes("m d c")
    W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d)
    lr = D.scalar("lr", positive=True)
    D.steps({W1: W1 - lr * W2.T * G, W2: W2 - lr * G * W1.T})
    D.constant(G, lr)
    D.step(
        D.next(W2.T * W2 - W1 * W1.T),
        "=",
        W2.T * W2 - W1 * W1.T + lr**2 * (W1 * G.T * G * W1.T - W2.T * G * G.T * W2),
    )


@true_step("speed of the product and the two-sided kernel")
def _(D):
    W1, W2, G = two_layers(D)
    D.step(D.dt(W2 * W1), "=", -W2 * W2.T * G - G * W1.T * W1)


@true_step("acceleration of the product")
def _(D):
    m, d, c = D.sizes("m d c")
    W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d, constant=True)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    D.step(
        D.dt(D.dt(W2 * W1)),
        "=",
        G * W1.T * W2.T * G + W2 * W1 * G.T * G + G * G.T * W2 * W1 + G * W1.T * W2.T * G,
    )


@true_step("loss decreases along its gradient flow")
def _(D):
    n, d = D.sizes("n d")
    X, y, w = D.matrix("X", n, d, constant=True), D.vector("y", n, constant=True), D.vector("w", d)
    loss = norm(X * w - y) ** 2 / (2 * n)
    g = X.T * (X * w - y) / n
    D.flow({w: -g})
    a = D.step(D.dt(loss), "=", -(norm(g) ** 2))
    D.conclude(D.dt(loss), "<=", 0, by=[a])


@true_step("loss decreases: the bound by itself", "sampled")
def _(D):
    d = D.sizes("d")
    H, w = D.matrix("H", d, d, "positive definite", constant=True), D.vector("w", d)
    D.flow({w: -H * w})
    D.step(D.dt(quad(H, w)), "<=", 0)


@true_step("momentum's energy decays")
def _(D):
    d = D.sizes("d")
    H, x, v = D.matrix("H", d, d, "symmetric", constant=True), D.vector("x", d), D.vector("v", d)
    b = D.scalar("b", positive=True, constant=True)
    D.flow({x: v, v: -b * v - H * x})
    D.step(D.dt(norm(v) ** 2 / 2 + quad(H, x) / 2), "=", -b * norm(v) ** 2)


@true_step("logistic solution of u' = 2 u (s - u)")
def _(D):
    t = D.time()
    u = D.scalar("u")
    s, u0 = (D.scalar(name, positive=True, constant=True) for name in ("s", "u0"))
    D.flow({u: 2 * u * (s - u)})
    D.solution({u: s * u0 * sp.exp(2 * s * t) / (s + u0 * (sp.exp(2 * s * t) - 1))}, t, {u: u0})


@true_step("mode equation with imbalance from the layers")
def _(D):
    a, b = D.scalars("a b")
    s = D.scalar("s", constant=True)
    D.flow({a: b * (s - a * b), b: a * (s - a * b)})
    D.step(D.dt(a * b), "=", (a**2 + b**2) * (s - a * b))
    D.step(D.dt(a**2 - b**2), "=", 0)
    D.step((a**2 + b**2) ** 2, "=", (a**2 - b**2) ** 2 + 4 * (a * b) ** 2)


@true_step("cubic map of a balanced neuron", "proved")
def _(D):
    a, lr, s = D.scalar("a"), D.scalar("lr", constant=True), D.scalar("s", constant=True)
    D.steps({a: a + lr * a * (s - a**2)})
    D.step(D.next(a**2), "=", a**2 * (1 + lr * (s - a**2)) ** 2)
    D.step(
        D.next(D.next(a)), "=", (a + lr * a * (s - a**2)) * (1 + lr * (s - (a + lr * a * (s - a**2)) ** 2))
    )


@true_step("two steps and the curvature they meet", "proved")
def _(D):
    d = D.sizes("d")
    H, w, lr = (
        D.matrix("H", d, d, "symmetric", constant=True),
        D.vector("w", d),
        D.scalar("lr", constant=True),
    )
    D.steps({w: w - lr * H * w})
    D.step(D.next(D.next(w)), "=", w - 2 * lr * H * w + lr**2 * H**2 * w)
    D.step(D.next(quad(H, w)), "=", quad(H, w) - 2 * lr * norm(H * w) ** 2 + lr**2 * quad(H**3, w))


@true_step("geometric sum over steps", "exact")
def _(D):
    r, k = D.scalar("r", between=(0, 1)), D.sizes("k")
    j = D.index("j", k)
    D.step(sum_over(j, r**j), "=", (1 - r**k) / (1 - r))


@true_step("sum of the first integers and squares", "exact")
def _(D):
    k = D.sizes("k")
    j = D.index("j", k)
    D.step(sum_over(j, j), "=", k * (k - 1) / 2)
    D.step(sum_over(j, j**2), "=", k * (k - 1) * (2 * k - 1) / 6)


@true_step("Riccati equation of the product of balanced square layers", "proved")
def _(D):
    d = D.sizes("d")
    Q, F = D.matrix("Q", d, d), D.matrix("F", d, d, "symmetric", constant=True)
    D.flow({Q: F * Q - Q * Q.T * Q})
    D.step(D.dt(Q * Q.T), "=", F * (Q * Q.T) + (Q * Q.T) * F - 2 * (Q * Q.T) ** 2)


@true_step("spectrum under a rotating flow: traces of powers stand still")
def _(D):
    d = D.sizes("d")
    L, B = D.matrix("L", d, d), D.matrix("B", d, d, constant=True)
    D.flow({L: B * L - L * B})
    D.step(D.dt(trace(L**3)), "=", 0)


@true_step("orthogonality is kept by a flow of antisymmetric speed")
def _(D):
    d = D.sizes("d")
    Q, A = D.matrix("Q", d, d), D.matrix("A", d, d, constant=True)
    D.flow({Q: Q * (A - A.T)})
    D.step(D.dt(Q * Q.T), "=", 0)


@true_step("second derivative of an oscillator, whose letters move each other")
def _(D):
    x, y = D.scalars("x y")
    D.flow({x: y, y: -x})
    D.step(D.dt(D.dt(x)), "=", -x)
    D.step(D.dt(D.dt(D.dt(x))), "=", -y)


@true_step("two steps of momentum")
def _(D):
    x, v = D.scalars("x v")
    lr, b = D.scalars("lr b", constant=True)
    D.steps({x: x + b * v - lr * x, v: b * v - lr * x})
    D.step(D.next(x) - x, "=", D.next(v))
    D.step(D.next(D.next(x)), "=", (1 + b - lr) * D.next(x) - b * x)
