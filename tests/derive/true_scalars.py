"""True identities between scalars: removable singularities, cancellation, transcendental functions."""

import sympy as sp
from gallery import true_step

from toymodels.derive import sigmoid


@true_step("removable singularities", "proved")
def _(D):
    x, y = D.scalars("x y")
    D.step((x**3 - y**3) / (x - y), "=", x**2 + x * y + y**2)
    D.step(1 / (x - y) - 1 / (x + y), "=", 2 * y / (x**2 - y**2))


@true_step("roots by their conjugate")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(sp.sqrt(x + 1) - sp.sqrt(x), "=", 1 / (sp.sqrt(x + 1) + sp.sqrt(x)))


@true_step("root of the imbalance's quadratic equation")
def _(D):
    u, lam = D.scalar("u"), D.scalar("lam", positive=True)
    a2 = (lam + sp.sqrt(lam**2 + 4 * u**2)) / 2
    D.step(a2 * (a2 - lam), "=", u**2)
    D.step(1 / a2, "=", (sp.sqrt(lam**2 + 4 * u**2) - lam) / (2 * u**2))


@true_step("square root of a square is the absolute value", "exact")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.sqrt(x**2 * y**2), "=", sp.Abs(x * y))
    with D.case(x > 0):
        D.step(sp.sqrt((x + x**3) ** 2), "=", x + x**3)


@true_step("hyperbolic identities")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.cosh(x) ** 2 - sp.sinh(x) ** 2, "=", 1)
    D.step(sp.tanh(2 * x), "=", 2 * sp.tanh(x) / (1 + sp.tanh(x) ** 2))
    D.step(sp.tanh(x), "=", 2 * sigmoid(2 * x) - 1)
    D.step(sp.sinh(x + y), "=", sp.sinh(x) * sp.cosh(y) + sp.cosh(x) * sp.sinh(y))


@true_step("sigmoid's symmetry and its logarithm")
def _(D):
    x = D.scalar("x")
    D.step(sigmoid(-x), "=", 1 - sigmoid(x))
    D.step(sp.log(sigmoid(x)), "=", -sp.log(1 + sp.exp(-x)))
    D.step(sp.log(1 + sp.exp(x)) - sp.log(1 + sp.exp(-x)), "=", x)


@true_step("logarithms and powers of positive numbers")
def _(D):
    x, y = D.scalars("x y", positive=True)
    a = D.scalar("a")
    D.step(sp.log(x / y), "=", sp.log(x) - sp.log(y))
    D.step(sp.log(x**a), "=", a * sp.log(x))
    D.step((x * y) ** a, "=", x**a * y**a)


@true_step("an exponential of huge cancellation")
def _(D):
    x = D.scalar("x")
    D.step((sp.exp(40 + x) - sp.exp(40 - x)) / (2 * sp.exp(40)), "=", sp.sinh(x))


@true_step("inverse functions undone")
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.atanh(x), "=", (sp.log(1 + x) - sp.log(1 - x)) / 2)
    D.step(sp.asinh(x), "=", sp.log(x + sp.sqrt(1 + x**2)))


@true_step("inverse sine and cosine")
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.asin(x), "=", sp.pi / 2 - sp.acos(x))


@true_step("inverse sine of a cosine", "digits")
def _(D):
    theta = D.scalar("theta", between=(0, sp.pi))
    D.step(sp.asin(sp.cos(theta)), "=", sp.pi / 2 - theta)


@true_step("an exponential integral, which computer algebra alone knows")
def _(D):
    f = D.scalar("f", positive=True)
    D.step(D.gradient(sp.Ei(f), f), "=", sp.exp(f) / f)
    D.flow({f: f * sp.exp(-f)})
    D.step(D.dt(sp.Ei(f)), "=", 1)
