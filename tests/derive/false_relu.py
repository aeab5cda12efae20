"""Mistakes with piecewise functions."""

import sympy as sp
from gallery import false_step

from toymodels.derive import gate, relu


@false_step("relu additive", condition="x < 0 and y < 0")
def _(D):
    x, y = D.scalars("x y")
    D.step(relu(x + y), "=", relu(x) + relu(y))


@false_step("relu homogeneous for factors of any sign", condition="a > 0")
def _(D):
    a, x = D.scalars("a x")
    D.step(relu(a * x), "=", a * relu(x))


@false_step("the gates of relu at both signs add to one, at zero too", condition="x != 0")
def _(D):
    x = D.scalar("x")
    D.step(gate(x) + gate(-x), "=", 1)


@false_step("relu of a matrix product as product of relus")
def _(D):
    m, d = D.sizes("m d", most=3)
    W, x = D.matrix("W", m, d), D.vector("x", d)
    D.step(relu(W * x), "=", relu(W) * relu(x))


@false_step("two neurons of opposite sign give the absolute value's half")
def _(D):
    x = D.scalar("x")
    D.step(relu(x) - relu(-x), "=", sp.Abs(x))


@false_step("squared relu under the flow without its gate")
def _(D):
    w, x = D.scalar("w"), D.scalar("x", constant=True)
    D.flow({w: -x})
    D.step(D.dt(relu(w * x)), "=", -(x**2))


@false_step("a kink missed between the draws: true outside an interval")
def _(D):
    x = D.scalar("x")
    D.step(sp.Abs(x - 1) + sp.Abs(x + 1), "=", 2 * sp.Abs(x))
