"""True inequalities, tight ones among them."""

import sympy as sp
from gallery import true_step

from toymodels.derive import dot, hadamard, mean_over, norm, ones, quad, sigmoid, trace

R = sp.Rational


@true_step("arithmetic and geometric means, tight at equality")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(2 * x * y, "<=", x**2 + y**2)
    D.step(sp.sqrt(x * y), "<=", (x + y) / 2, slack=(sp.sqrt(x) - sp.sqrt(y)) ** 2 / 2)


@true_step("arithmetic and geometric means without a hint", "sampled")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(sp.sqrt(x * y), "<=", (x + y) / 2)


@true_step("Cauchy-Schwarz for vectors", "sampled")
def _(D):
    d = D.sizes("d")
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(dot(u, v) ** 2, "<=", norm(u) ** 2 * norm(v) ** 2)


@true_step("Cauchy-Schwarz for vectors with its slack", "proved")
def _(D):
    d = D.sizes("d")
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(dot(u, v) ** 2, "<=", norm(u) ** 2 * norm(v) ** 2, slack=norm(u * v.T - v * u.T) ** 2 / 2)


@true_step("Young's inequality for vectors", "proved")
def _(D):
    d, e = D.sizes("d"), D.scalar("e", positive=True)
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(2 * dot(u, v), "<=", e * norm(u) ** 2 + norm(v) ** 2 / e, slack=norm(e * u - v) ** 2 / e)


@true_step("Jensen for the square, with its slack", "proved")
def _(D):
    x, y, p = D.scalar("x"), D.scalar("y"), D.scalar("p", between=(0, 1))
    D.step((p * x + (1 - p) * y) ** 2, "<=", p * x**2 + (1 - p) * y**2, slack=p * (1 - p) * (x - y) ** 2)


@true_step("Jensen over samples: the square of a mean", "sampled")
def _(D):
    n = D.sizes("n")
    x, i = D.vector("x", n), D.index("i", n)
    D.step(mean_over(i, x[i, 0]) ** 2, "<=", mean_over(i, x[i, 0] ** 2))


@true_step("Jensen for the logarithm, tight where the numbers are equal", "sampled")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(sp.log(x) / 2, "<=", sp.log((x + 1) / 2))


@true_step("the exponential above its tangent", "enclosed")
def _(D):
    x = D.scalar("x")
    D.step(sp.exp(x), ">=", 1 + x)


@true_step("the logarithm below its tangent", "enclosed")
def _(D):
    x = D.scalar("x", between=(-1, 8))
    D.step(sp.log(1 + x), "<=", x)


@true_step("sigmoid's slope is at most a quarter")
def _(D):
    x = D.scalar("x")
    D.step(sigmoid(x) * (1 - sigmoid(x)), "<=", R(1, 4))


@true_step("tanh below its argument", "enclosed")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(sp.tanh(x), "<", x)


@true_step("a polynomial with a double root", "proved")
def _(D):
    x = D.scalar("x")
    D.step(x**4 - 2 * x**2 + 1, ">=", 0)
    D.step(x**4 - 4 * x + 3, ">=", 0)


@true_step("a polynomial positive on the half line only", "proved")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(x**3 - 2 * x**2 + 2 * x, ">", 0)


@true_step("quadratic forms and Gram matrices", "proved")
def _(D):
    n, d = D.sizes("n d")
    X, v, A = D.matrix("X", n, d), D.vector("v", d), D.matrix("A", d, d, "positive definite")
    D.step(quad(X.T * X, v), ">=", 0)
    D.step(quad(A, v) + norm(v) ** 2, ">=", 0)
    D.step(trace(X * A * X.T), ">=", 0)
    D.step(trace(A * X.T * X), ">=", 0)


@true_step("triangle inequality", "sampled")
def _(D):
    d = D.sizes("d")
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(norm(u + v), "<=", norm(u) + norm(v))


@true_step("Frobenius norm is submultiplicative", "sampled")
def _(D):
    m, d, c = D.sizes("m d c", most=3)
    A, B = D.matrix("A", m, d), D.matrix("B", d, c)
    D.step(norm(A * B) ** 2, "<=", norm(A) ** 2 * norm(B) ** 2)


@true_step("trace of a product of positive matrices")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "positive definite"), D.matrix("B", d, d, "positive definite")
    D.step(trace(A * B), ">", 0)


@true_step("descent lemma of a quadratic below the edge", "proved")
def _(D):
    w, lr = D.scalar("w"), D.scalar("lr", between=(0, 2), constant=True)
    D.steps({w: w - lr * w})
    D.step(D.next(w**2), "<=", w**2, slack=lr * (2 - lr) * w**2)


@true_step("an inequality multiplied by a positive factor", "proved")
def _(D):
    x, y = D.scalars("x y")
    z = D.scalar("z", positive=True)
    D.assume((x, "<=", y))
    D.step(x * z, "<=", y * z, slack=(y - x) * z)


@true_step("the moment bound of a random sign", "sampled")
def _(D):
    x = D.scalar("x")
    D.step(sp.cosh(x), "<=", sp.exp(x**2 / 2))


@true_step("logarithm between its second and first order", "enclosed")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(x - x**2 / 2, "<", sp.log(1 + x))


@true_step("means of three numbers, with their slack")
def _(D):
    x, y, z = D.scalars("x y z", positive=True)
    spread = ((x - y) ** 2 + (y - z) ** 2 + (z - x) ** 2) / 2
    D.step(3 * x * y * z, "<=", x**3 + y**3 + z**3, slack=(x + y + z) * spread)


@true_step("variance is not negative")
def _(D):
    n = D.sizes("n", most=3)
    x, i = D.vector("x", n), D.index("i", n)
    D.step(mean_over(i, (x[i, 0] - trace(ones(n) * x.T) / n) ** 2), ">=", 0)


@true_step("a quadratic form of a matrix of positive entries", "exact")
def _(D):
    n = D.sizes("n", most=3)
    K, h = D.matrix("K", n, n, "positive"), D.vector("h", n, "positive")
    D.step(quad(K + ones(n) * ones(n).T, h), ">=", dot(ones(n), h) ** 2, slack=quad(K, h))
    g, v = D.vector("g", n, "binary"), D.vector("v", n)
    D.step(dot(h, hadamard(v, v)) + dot(h, g), ">=", 0)
