"""Inequalities that are reversed, too good, or lack a hypothesis."""

import sympy as sp
from gallery import false_step

from toymodels.derive import dot, norm, trace

R = sp.Rational


@false_step("reversed inequality of the means")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step((x + y) / 2, "<=", sp.sqrt(x * y))


@false_step("Jensen backwards")
def _(D):
    x, y, p = D.scalar("x"), D.scalar("y"), D.scalar("p", between=(0, 1))
    D.step(p * x**2 + (1 - p) * y**2, "<=", (p * x + (1 - p) * y) ** 2)


@false_step("Jensen backwards for the logarithm")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(sp.log((x + y) / 2), "<=", (sp.log(x) + sp.log(y)) / 2)


@false_step("Cauchy-Schwarz backwards")
def _(D):
    d = D.sizes("d", most=3)
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(norm(u) ** 2 * norm(v) ** 2, "<=", dot(u, v) ** 2)


@false_step("triangle inequality backwards")
def _(D):
    d = D.sizes("d", most=3)
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(norm(u) + norm(v), "<=", norm(u + v))


@false_step("a square below its base", condition="|x| < 1")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(x**2, "<=", x)


@false_step("multiplied by a factor whose sign is not known", condition="z > 0")
def _(D):
    x, y, z = D.scalars("x y z")
    D.assume((x, "<=", y))
    D.step(x * z, "<=", y * z)


@false_step("squared an inequality between numbers of any sign")
def _(D):
    x, y = D.scalars("x y")
    D.assume((x, "<=", y))
    D.step(x**2, "<=", y**2)


@false_step("strict for non-strict: equality at the minimum")
def _(D):
    x, y = D.scalars("x y")
    D.step(2 * x * y, "<", x**2 + y**2)


@false_step("strict descent at a critical point")
def _(D):
    d = D.sizes("d", most=3)
    w = D.vector("w", d)
    D.flow({w: -w})
    D.step(D.dt(norm(w) ** 2), "<", 0)


@false_step("the tangent above the exponential")
def _(D):
    x = D.scalar("x")
    D.step(sp.exp(x), "<=", 1 + x)


@false_step("a constant too good in the inequality of squares")
def _(D):
    x, y = D.scalars("x y")
    D.step((x + y) ** 2, "<=", R(3, 2) * (x**2 + y**2))


@false_step("descent for every step size")
def _(D):
    w, lr = D.scalar("w"), D.scalar("lr", positive=True, constant=True)
    D.steps({w: w - lr * w})
    D.step(D.next(w**2), "<=", w**2)


@false_step("trace of a product of positive matrices bounded by one trace")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "positive definite"), D.matrix("B", d, d, "positive definite")
    D.step(trace(A * B), "<=", trace(A))


@false_step("absolute value dropped in a bound")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.Abs(x - y), "<=", sp.Abs(x) - sp.Abs(y))
