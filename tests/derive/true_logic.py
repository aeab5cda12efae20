"""Conclusions, case splits and lemmas."""

import sympy as sp
from gallery import true_step

from toymodels.derive import Derivation, norm, quad


@true_step("a case split that covers everything")
def _(D):
    x, y = D.scalars("x y")
    with D.case(x >= y):
        a = D.step(sp.Max(x, y) - sp.Min(x, y), "=", x - y)
    with D.case(x < y):
        b = D.step(sp.Max(x, y) - sp.Min(x, y), "=", y - x)
    D.conclude(sp.Max(x, y) - sp.Min(x, y), ">=", 0, by=[a, b])


@true_step("a lemma that holds")
def _(D):
    other = Derivation("a square expands")
    x, y = other.scalars("x y")
    other.step((x + y) ** 2, "=", x**2 + 2 * x * y + y**2)
    a = D.scalar("a")
    D.step((a + 1) ** 2 - a**2, "=", 2 * a + 1, because=D.lemma(other))


@true_step("a chain of bounds")
def _(D):
    x, y, z = D.scalars("x y z")
    a = D.step(2 * x * y, "<=", x**2 + y**2)
    b = D.step(2 * y * z, "<=", y**2 + z**2)
    c = D.step(2 * z * x, "<=", z**2 + x**2)
    D.conclude(x * y + y * z + z * x, "<=", x**2 + y**2 + z**2, by=[a, b, c])


@true_step("the step is the flow's Euler scheme", "proved")
def _(D):
    d, lr = D.sizes("d"), D.scalar("lr", constant=True)
    w, H = D.vector("w", d), D.matrix("H", d, d, "symmetric", constant=True)
    D.flow({w: -H * w})
    D.steps({w: w - lr * H * w})
    D.step(D.next(w) - w, "=", lr * D.dt(w))
    D.step(
        D.next(quad(H, w) / 2), "=", quad(H, w) / 2 + lr * D.dt(quad(H, w) / 2) + lr**2 * quad(H**3, w) / 2
    )


@true_step("Hessian-vector product of a matrix quartic", "proved")
def _(D):
    m, d = D.sizes("m d")
    W, V, S = D.matrix("W", m, d), D.matrix("V", m, d), D.matrix("S", m, m, "symmetric")
    loss = norm(W * W.T - S) ** 2 / 4
    D.step(D.gradient(loss, W), "=", (W * W.T - S) * W)
    D.step(D.along(D.gradient(loss, W), {W: V}), "=", (W * W.T - S) * V + (V * W.T + W * V.T) * W)
