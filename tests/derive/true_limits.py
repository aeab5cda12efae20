"""True limits, series, integrals and solutions."""

import sympy as sp
from gallery import true_step

from toymodels.derive import det, dot, identity, norm, relu, trace

R = sp.Rational


@true_step("limits at infinity")
def _(D):
    x, n = D.scalar("x"), D.scalar("n", positive=True)
    D.step((1 + x / n) ** n, "->", sp.exp(x), approach=(n, sp.oo))
    D.step(sp.tanh(x), "->", -1, approach=(x, -sp.oo))
    D.step(n * (sp.sqrt(1 + 1 / n) - 1), "->", R(1, 2), approach=(n, sp.oo))


@true_step("limits at removable singularities")
def _(D):
    x = D.scalar("x")
    D.step((sp.exp(x) - 1) / x, "->", 1, approach=(x, 0, "+-"))
    D.step((x - sp.sin(x)) / x**3, "->", R(1, 6), approach=(x, 0, "+-"))
    D.step((1 - sp.cosh(x)) / x**2, "->", -R(1, 2), approach=(x, 0))


@true_step("limits of products that compete")
def _(D):
    x, a = D.scalar("x", positive=True), D.scalar("a", positive=True)
    D.step(x * sp.log(x), "->", 0, approach=(x, 0))
    D.step(x**3 * sp.exp(-a * x), "->", 0, approach=(x, sp.oo))
    D.step(x / (x + a), "->", 0, approach=(x, 0))


@true_step("where the logistic solution goes")
def _(D):
    s, u0, t = D.scalars("s u0 t", positive=True)
    D.step(s * u0 * sp.exp(2 * s * t) / (s + u0 * (sp.exp(2 * s * t) - 1)), "->", s, approach=(t, sp.oo))


@true_step("series with their order")
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.exp(x), "=", 1 + x + x**2 / 2, order=(x, 3))
    D.step(sp.log(1 + x), "=", x - x**2 / 2, order=(x, 3))
    D.step(sp.sqrt(1 + x), "=", 1 + x / 2 - x**2 / 8, order=(x, 3))
    D.step(sp.tanh(x), "=", x - x**3 / 3, order=(x, 5))
    D.step(1 / (1 - x), "=", 1 + x + x**2, order=(x, 3))


@true_step("series of a matrix inverse and of a determinant", "digits")
def _(D):
    n = D.sizes("n", most=2)
    A, s = D.matrix("A", n, n, "symmetric"), D.scalar("s")
    D.step((identity(n) + s * A).I, "=", identity(n) - s * A, order=(s, 2))
    D.step(det(identity(n) + s * A), "=", 1 + s * trace(A), order=(s, 2))


@true_step("integrals of piecewise functions", "digits")
def _(D):
    x, s = D.scalar("x", between=(-1, 1)), D.scalar("s")
    D.step(D.integral(sp.Abs(s - x), s, -1, 1), "=", 1 + x**2)
    D.step(D.integral(relu(s - 1), s, 0, 2), "=", R(1, 2))


@true_step("norm of a moving vector to first order", "digits")
def _(D):
    n, s = D.sizes("n"), D.scalar("s")
    v, w = D.vector("v", n), D.vector("w", n)
    D.step(norm(v + s * w), "=", norm(v) + s * dot(v, w) / norm(v), order=(s, 2))


@true_step("flow and step agree to first order")
def _(D):
    x, lr = D.scalar("x"), D.scalar("lr")
    D.step(sp.exp(-lr) * x, "=", (1 - lr) * x, order=(lr, 2))


@true_step("integrals from zero")
def _(D):
    t, s = D.scalars("t s")
    D.step(D.integral(sp.exp(-s), s, 0, t), "=", 1 - sp.exp(-t))
    D.step(D.integral(s * sp.exp(s), s, 0, t), "=", (t - 1) * sp.exp(t) + 1)
    D.step(D.integral(s**3, s, 0, t), "=", t**4 / 4)


@true_step("integrals over fixed ends", "digits")
def _(D):
    s, a = D.scalar("s"), D.scalar("a", positive=True)
    D.step(D.integral(sp.exp(-a * s), s, 0, sp.oo), "=", 1 / a)
    D.step(D.integral(1 / (1 + s**2), s, 0, 1), "=", sp.pi / 4)
    D.step(D.integral(sp.exp(-(s**2)), s, -sp.oo, sp.oo), "=", sp.sqrt(sp.pi))


@true_step("solution of a linear flow")
def _(D):
    t = D.time()
    x, a = D.scalar("x"), D.scalar("a", constant=True)
    x0 = D.scalar("x0", constant=True)
    D.flow({x: -a * x})
    D.solution({x: x0 * sp.exp(-a * t)}, t, {x: x0})


@true_step("solution of the cubic flow of a balanced neuron")
def _(D):
    t = D.time()
    a = D.scalar("a")
    a0 = D.scalar("a0", positive=True, constant=True)
    D.flow({a: -(a**3)})
    D.solution({a: a0 / sp.sqrt(1 + 2 * a0**2 * t)}, t, {a: a0})
