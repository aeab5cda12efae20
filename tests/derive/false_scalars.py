"""Mistakes with powers, roots, logarithms and hyperbolic functions."""

import sympy as sp
from gallery import false_step

from toymodels.derive import sigmoid


@false_step("square root of a square without the absolute value", condition="x > 0")
def _(D):
    x = D.scalar("x")
    D.step(sp.sqrt(x**2), "=", x)


@false_step("square root of a sum of squares")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(sp.sqrt(x**2 + y**2), "=", x + y)


@false_step("logarithm of a sum")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(sp.log(x + y), "=", sp.log(x) + sp.log(y))


@false_step("logarithm of a product as a product")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(sp.log(x * y), "=", sp.log(x) * sp.log(y))


@false_step("exponential of a sum as a sum")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.exp(x + y), "=", sp.exp(x) + sp.exp(y))


@false_step("power of a power added")
def _(D):
    x, k = D.scalar("x", positive=True), D.scalar("k", integer=(2, 5))
    D.step((x**k) ** 2, "=", x ** (k + 2))


@false_step("hyperbolic identity with the circular sign")
def _(D):
    x = D.scalar("x")
    D.step(sp.cosh(x) ** 2 + sp.sinh(x) ** 2, "=", 1)


@false_step("double angle of tanh without its denominator")
def _(D):
    x = D.scalar("x")
    D.step(sp.tanh(2 * x), "=", 2 * sp.tanh(x))


@false_step("sigmoid of the negative as the negative")
def _(D):
    x = D.scalar("x")
    D.step(sigmoid(-x), "=", -sigmoid(x))


@false_step("square of a sum without the cross term")
def _(D):
    x, y = D.scalars("x y")
    D.step((x + y) ** 2, "=", x**2 + y**2)


@false_step("terms cancelled in a fraction", condition="y = z")
def _(D):
    x, y, z = D.scalars("x y z", positive=True)
    D.step((x + y) / (x + z), "=", y / z)


@false_step("wrong root of the quadratic equation of the imbalance")
def _(D):
    u, lam = D.scalar("u"), D.scalar("lam", positive=True)
    a2 = (-lam + sp.sqrt(lam**2 + 4 * u**2)) / 2
    D.step(a2 * (a2 - lam), "=", u**2)


@false_step("division by what may vanish", mark="ok", note="x - y")
def _(D):
    x, y = D.scalars("x y")
    D.step((x**2 - y**2) / (x - y), "=", x + y)


@false_step("logarithm of a square without the absolute value", note="assumes that x is positive")
def _(D):
    x = D.scalar("x")
    D.step(sp.log(x**2), "=", 2 * sp.log(x))


@false_step("square roots multiplied for numbers of any sign", note="assumes that x is not negative")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.sqrt(x) * sp.sqrt(y), "=", sp.sqrt(x * y))
