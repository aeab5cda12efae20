"""Mistakes along flows and over steps."""

import sympy as sp
from gallery import false_step, two_layers

from toymodels.derive import dot, identity, norm, sum_over


@false_step("product rule with a term forgotten")
def _(D):
    W1, W2, G = two_layers(D)
    D.step(D.dt(W2 * W1), "=", -G * W1.T * W1)


@false_step("product rule with both terms alike")
def _(D):
    W1, W2, G = two_layers(D)
    D.step(D.dt(W2.T * W2), "=", -2 * W1 * G.T * W2)


@false_step("the sum of the layers' Gram matrices conserved instead of the difference")
def _(D):
    W1, W2, _ = two_layers(D)
    D.step(D.dt(W2.T * W2 + W1 * W1.T), "=", 0)


@false_step("the imbalance on the outer side")
def _(D):
    d = D.sizes("d", most=3)
    W1, W2, G = D.matrix("W1", d, d), D.matrix("W2", d, d), D.matrix("G", d, d, constant=True)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    D.step(D.dt(W2 * W2.T - W1.T * W1), "=", 0)


@false_step("the imbalance conserved by steps of gradient descent as by the flow")
def _(D):
    m, d, c = D.sizes("m d c", most=3)
    W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d)
    lr = D.scalar("lr", positive=True)
    D.steps({W1: W1 - lr * W2.T * G, W2: W2 - lr * G * W1.T})
    D.step(D.next(W2.T * W2 - W1 * W1.T), "=", W2.T * W2 - W1 * W1.T)


@false_step("layers updated one after the other taken for updated together")
def _(D):
    a, b, g, lr = D.scalars("a b g lr", constant=False)
    D.constant(g, lr)
    D.steps({a: a - lr * g * b, b: b - lr * g * a})
    D.step(D.next(a * b), "=", (a - lr * g * b) * (b - lr * g * (a - lr * g * b)))


@false_step("the learning rate is missing in the step map")
def _(D):
    d = D.sizes("d", most=3)
    H, w, lr = (
        D.matrix("H", d, d, "symmetric", constant=True),
        D.vector("w", d),
        D.scalar("lr", constant=True),
    )
    D.steps({w: w - lr * H * w})
    D.step(D.next(w), "=", (identity(d) - H) * w)


@false_step("decrease of a step by its first-order term alone")
def _(D):
    d = D.sizes("d", most=3)
    w, lr = D.vector("w", d), D.scalar("lr", positive=True, constant=True)
    D.steps({w: w - lr * w})
    D.step(D.next(norm(w) ** 2 / 2), "=", norm(w) ** 2 / 2 - lr * norm(w) ** 2)


@false_step("two steps of a map taken for twice one step")
def _(D):
    x, lr = D.scalar("x"), D.scalar("lr", constant=True)
    D.steps({x: x - lr * x**3})
    D.step(D.next(D.next(x)), "=", x - 2 * lr * x**3)


@false_step("time of the flow taken for the number of steps")
def _(D):
    x, k = D.scalar("x", constant=True), D.scalar("k", integer=(1, 5))
    lr = D.scalar("lr", between=(0, 1))
    D.step((1 - lr) ** k * x, "=", sp.exp(-lr * k) * x)


@false_step("off by one in a geometric sum over steps")
def _(D):
    r, k = D.scalar("r", between=(0, 1)), D.sizes("k", most=3)
    j = D.index("j", k)
    D.step(sum_over(j, r**j), "=", (1 - r ** (k + 1)) / (1 - r))


@false_step("off by one in the number of steps")
def _(D):
    k = D.sizes("k", most=3)
    j = D.index("j", k)
    D.step(sum_over(j, j), "=", k * (k + 1) / 2)


@false_step("the loss decays at the rate of the parameters")
def _(D):
    d = D.sizes("d", most=3)
    w = D.vector("w", d)
    D.flow({w: -w})
    D.step(D.dt(norm(w) ** 2), "=", -(norm(w) ** 2))


@false_step("the speed of the norm with the square's factor")
def _(D):
    d = D.sizes("d", most=3)
    w, g = D.vector("w", d), D.vector("g", d, constant=True)
    D.flow({w: -g})
    D.step(D.dt(norm(w)), "=", -2 * dot(w, g) / norm(w))


@false_step("a letter without a flow taken for a constant", mark="UNDECIDED")
def _(D):
    a, b = D.scalars("a b")
    D.flow({a: -b})
    D.step(D.dt(a * b), "=", -(b**2))


@false_step("logistic solution with the rate of one layer")
def _(D):
    t = D.time()
    u, s, u0 = (
        D.scalar("u"),
        D.scalar("s", positive=True, constant=True),
        D.scalar("u0", positive=True, constant=True),
    )
    D.flow({u: 2 * u * (s - u)})
    formula = s * u0 * sp.exp(s * t) / (s + u0 * (sp.exp(s * t) - 1))
    D.step(D.gradient(formula, t), "=", 2 * formula * (s - formula))


@false_step("second derivative along a flow as if the speed stood still")
def _(D):
    x = D.scalar("x")
    D.flow({x: -(x**2)})
    D.step(D.dt(D.dt(x)), "=", 0)


@false_step("gradient flow ascends")
def _(D):
    x, y = D.scalars("x y")
    D.flow({x: 2 * x, y: 2 * y})
    D.step(D.dt(x**2 + y**2), "<=", 0)


@false_step("second derivative with the other letter held still")
def _(D):
    x, y = D.scalars("x y")
    D.flow({x: x * y, y: -(x**2)})
    D.step(D.dt(D.dt(x)), "=", x * y**2)


@false_step("momentum's second step with the old velocity")
def _(D):
    x, v = D.scalars("x v")
    D.steps({x: x + v, v: v - x})
    D.step(D.next(D.next(x)), "=", x + 2 * v)
