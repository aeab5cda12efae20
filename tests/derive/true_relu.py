"""True steps with piecewise functions, cell by cell."""

import sympy as sp
from gallery import true_step

from toymodels.derive import dot, gate, hadamard, norm, relu


@true_step("relu and the absolute value")
def _(D):
    x = D.scalar("x")
    D.step(relu(x), "=", (x + sp.Abs(x)) / 2)
    D.step(relu(x) - relu(-x), "=", x)
    D.step(relu(x) * relu(-x), "=", 0)
    D.step(relu(x), "=", gate(x) * x)


@true_step("relu is homogeneous for positive factors", "exact")
def _(D):
    a, x = D.scalar("a", positive=True), D.scalar("x")
    D.step(relu(a * x), "=", a * relu(x))


@true_step("a relu network's derivative along a direction", "exact")
def _(D):
    m, d = D.sizes("m d", most=3)
    W, V, a, x = D.matrix("W", m, d), D.matrix("V", m, d), D.vector("a", m), D.vector("x", d)
    f = dot(a, relu(W * x))
    D.step(D.along(f, {W: V}), "=", dot(a, hadamard(gate(W * x), V * x)))
    D.step(D.gradient(f, W), "=", hadamard(a, gate(W * x)) * x.T)


@true_step("Euler's identity of a relu network", "exact")
def _(D):
    m, d = D.sizes("m d", most=3)
    W, a, x = D.matrix("W", m, d), D.vector("a", m), D.vector("x", d)
    f = dot(a, relu(W * x))
    D.step(dot(D.gradient(f, W), W), "=", f)
    D.step(dot(D.gradient(f, a), a), "=", f)


@true_step("neurons of a relu network keep their imbalance", "exact")
def _(D):
    d = D.sizes("d")
    w, a = D.vector("w", d), D.scalar("a")
    x, r = D.vector("x", d, constant=True), D.scalar("r", constant=True)
    D.flow({w: -r * a * gate(dot(w, x)) * x, a: -r * relu(dot(w, x))})
    D.step(D.dt(a**2 - norm(w) ** 2), "=", 0)


@true_step("maximum and minimum")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.Max(x, y) + sp.Min(x, y), "=", x + y)
    D.step(sp.Max(x, y), "=", y + relu(x - y))
    D.step(sp.Max(x, y) - sp.Min(x, y), "=", sp.Abs(x - y))


@true_step("signs at zero", "exact")
def _(D):
    x = D.scalar("x")
    D.step(sp.sign(x) * x, "=", sp.Abs(x))
    D.step(sp.sign(x), "=", gate(x) - gate(-x))


@true_step("cells between kinks", "proved")
def _(D):
    x = D.scalar("x")
    D.step(sp.Abs(x - 10) + sp.Abs(x - 20), "=", 10 + 2 * relu(x - 20) + 2 * relu(10 - x))
    D.step(sp.Max(x, -100) + sp.Min(x, -100), "=", x - 100)


@true_step("bounds with kinks", "proved")
def _(D):
    x, y = D.scalars("x y")
    D.step(relu(x), ">=", x)
    D.step(sp.Abs(x + y), "<=", sp.Abs(x) + sp.Abs(y))
    D.step(sp.Max(x, y), ">=", (x + y) / 2)


@true_step("derivatives of piecewise functions")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(relu(x), x), "=", gate(x))
    D.step(D.gradient(sp.Abs(x), x), "=", sp.sign(x))
    D.step(D.gradient(relu(x) ** 2, x), "=", 2 * relu(x))
