"""Mistakes in limits, series and integrals."""

import sympy as sp
from gallery import false_step

from toymodels.derive import identity

R = sp.Rational


@false_step("limits in the wrong order", small=False)
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(x / (x + y), "->", 1, approach=(x, 0))


@false_step("one to the power infinity is one", small=False)
def _(D):
    x, n = D.scalar("x"), D.scalar("n", positive=True)
    D.step((1 + x / n) ** n, "->", 1, approach=(n, sp.oo))


@false_step("zero times infinity is infinite", small=False)
def _(D):
    x = D.scalar("x", positive=True)
    D.step(x * sp.log(x), "->", -sp.oo, approach=(x, 0))


@false_step("the limit at the other end", small=False)
def _(D):
    x = D.scalar("x")
    D.step(sp.tanh(x), "->", 1, approach=(x, -sp.oo))


@false_step("the logistic solution tends to its start", small=False)
def _(D):
    s, u0, t = D.scalars("s u0 t", positive=True)
    D.step(s * u0 * sp.exp(2 * s * t) / (s + u0 * (sp.exp(2 * s * t) - 1)), "->", u0, approach=(t, sp.oo))


@false_step("series of the exponential without the factorial", small=False)
def _(D):
    x = D.scalar("x")
    D.step(sp.exp(x), "=", 1 + x + x**2, order=(x, 3))


@false_step("series of the logarithm with the sign of the second term", small=False)
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.log(1 + x), "=", x + x**2 / 2, order=(x, 3))


@false_step("series of the square root with the coefficient of the inverse", small=False)
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.sqrt(1 + x), "=", 1 + x / 2 - x**2 / 4, order=(x, 3))


@false_step("flow and step agree to second order in the learning rate", small=False)
def _(D):
    x, lr = D.scalar("x"), D.scalar("lr")
    D.step(sp.exp(-lr) * x, "=", (1 - lr) * x, order=(lr, 3))


@false_step("a root taken for a term of its next whole order", mark="UNDECIDED")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(x ** R(3, 2), "=", 0, order=(x, 2))


@false_step("series of a matrix inverse with the sign of the first term", small=False)
def _(D):
    n = D.sizes("n", most=2)
    A, s = D.matrix("A", n, n, "symmetric"), D.scalar("s")
    D.step((identity(n) + s * A).I, "=", identity(n) + s * A, order=(s, 2))


@false_step("integral with the lower boundary forgotten")
def _(D):
    t, s = D.scalars("t s")
    D.step(D.integral(sp.exp(-s), s, 0, t), "=", -sp.exp(-t))


@false_step("integral without the factor of the substitution")
def _(D):
    t, s = D.scalars("t s")
    D.step(D.integral(sp.exp(2 * s), s, 0, t), "=", sp.exp(2 * t) - 1)


@false_step("integration by parts without the boundary term")
def _(D):
    t, s = D.scalars("t s")
    D.step(D.integral(s * sp.exp(s), s, 0, t), "=", 1 - sp.exp(t))


@false_step("a solution with the wrong start")
def _(D):
    t = D.time()
    x = D.scalar("x")
    x0 = D.scalar("x0", constant=True)
    D.flow({x: -2 * x})
    D.solution({x: 2 * x0 * sp.exp(-2 * t)}, t, {x: x0})
