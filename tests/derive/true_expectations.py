"""True Gaussian and Rademacher expectations."""

import sympy as sp
from gallery import true_step

from toymodels.derive import dot, identity, norm, quad, relu, trace

R = sp.Rational


@true_step("moments of normal numbers", "exact")
def _(D):
    x, a, b = D.scalars("x a b")
    D.step(D.expectation(x**4, x), "=", 3)
    D.step(D.expectation(x**6, x), "=", 15)
    D.step(D.expectation((a * x + b) ** 2, x), "=", a**2 + b**2)


@true_step("moments of normal vectors", "exact")
def _(D):
    d = D.sizes("d", most=3)
    x, w, v = D.vector("x", d), D.vector("w", d), D.vector("v", d)
    A = D.matrix("A", d, d, "symmetric")
    D.step(D.expectation(x * x.T, x), "=", identity(d))
    D.step(D.expectation(dot(w, x) * dot(v, x), x), "=", dot(w, v))
    D.step(D.expectation(norm(x) ** 4, x), "=", d**2 + 2 * d)
    D.step(D.expectation(quad(A, x) ** 2, x), "=", trace(A) ** 2 + 2 * trace(A**2))


@true_step("Stein's identity for an unknown function", "digits")
def _(D):
    x, phi = D.scalar("x"), D.function("phi")
    D.step(D.expectation(x * phi(x), x), "=", D.expectation(phi.d(x), x))


@true_step("random signs", "exact")
def _(D):
    d = D.sizes("d", most=3)
    s, w, x = D.vector("s", d), D.vector("w", d), D.scalar("x")
    D.step(D.expectation(dot(w, s) ** 2, s, law="rademacher"), "=", norm(w) ** 2)
    D.step(D.expectation(x**4, x, law="rademacher"), "=", 1)


@true_step("Gaussian expectations by quadrature", "digits")
def _(D):
    x, a = D.scalar("x"), D.scalar("a", between=(-1, 1))
    D.step(D.expectation(sp.exp(a * x), x), "=", sp.exp(a**2 / 2))
    D.step(D.expectation(sp.Abs(x), x), "=", sp.sqrt(2 / sp.pi))
    D.step(D.expectation(relu(x) ** 2, x), "=", R(1, 2))
