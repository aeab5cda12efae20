"""Steps whose proof, not whose formula, is at fault."""

import sympy as sp
from gallery import false_step

from toymodels.derive import Derivation


@false_step("a case split that forgets zero", mark="ok", note="checked alone")
def _(D):
    x = D.scalar("x")
    with D.case(x > 0):
        a = D.step(sp.Abs(x) * x, "=", x**2)
    with D.case(x < 0):
        b = D.step(sp.Abs(x) * x, "=", -(x**2))
    D.conclude(sp.Abs(x) * x - x**2, "<=", 0, by=[a, b])


@false_step("a conclusion from a false line", mark="UNDECIDED")
def _(D):
    x, y = D.scalars("x y")
    a = D.step((x + y) ** 2, "=", x**2 + y**2)
    D.conclude((x + y) ** 2, ">=", 0, by=[a])


@false_step("a conclusion from lines that do not give it", mark="ok", note="checked alone")
def _(D):
    x, y = D.scalars("x y")
    D.flow({x: y, y: -x})
    a = D.step(D.dt(x**2), "=", 2 * x * y)
    D.conclude(D.dt(x**2 + y**2), "=", 0, by=[a])


@false_step("a lemma whose own proof fails", mark="UNDECIDED")
def _(D):
    other = Derivation("the square of a sum is the sum of squares")
    x, y = other.scalars("x y")
    other.step((x + y) ** 2, "=", x**2 + y**2)
    a = D.scalar("a")
    D.step((a + 1) ** 2 - a**2, "=", 2 * a + 1, because=D.lemma(other))


@false_step("hypotheses that exclude each other", mark="VACUOUS")
def _(D):
    x = D.scalar("x")
    D.step(x**2, "<=", x - 1, given=[x > 1, x < 1])


@false_step("a side repeated", mark="VACUOUS")
def _(D):
    x = D.scalar("x")
    D.step(x**2 + x, "=", x + x**2)
