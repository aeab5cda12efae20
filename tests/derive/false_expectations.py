"""Mistakes in Gaussian and Rademacher expectations."""

import sympy as sp
from gallery import false_step

from toymodels.derive import norm


@false_step("expectation of a square as square of the expectation")
def _(D):
    a, x = D.scalars("a x")
    D.step(D.expectation((a * x) ** 2, x), "=", D.expectation(a * x, x) ** 2)


@false_step("fourth moment of a normal number as the square of the second")
def _(D):
    x = D.scalar("x")
    D.step(D.expectation(x**4, x), "=", 1)


@false_step("mean absolute value as root of the mean square")
def _(D):
    x = D.scalar("x")
    D.step(D.expectation(sp.Abs(x), x), "=", sp.sqrt(D.expectation(x**2, x)))


@false_step("expected square norm without the dimension")
def _(D):
    d = D.sizes("d", most=3)
    x = D.vector("x", d)
    D.step(D.expectation(norm(x) ** 2, x), "=", 1)


@false_step("fourth power of a random norm without its correction")
def _(D):
    d = D.sizes("d", most=3)
    x = D.vector("x", d)
    D.step(D.expectation(norm(x) ** 4, x), "=", d**2)


@false_step("Gaussian moment for random signs")
def _(D):
    x = D.scalar("x")
    D.step(D.expectation(x**4, x, law="rademacher"), "=", 3)


@false_step("expectation through a nonlinear activation")
def _(D):
    x, b = D.scalars("x b")
    D.step(D.expectation((x + b) ** 2, x), "=", b**2)


@false_step("expected exponential as exponential of the mean")
def _(D):
    x = D.scalar("x")
    D.step(D.expectation(sp.exp(x), x), "=", 1)
