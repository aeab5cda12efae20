"""Steps that people write and that are false, one mistake each: the last step of a table entry is the mistake."""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from toymodels.derive import (
    Derivation,
    det,
    diag,
    diagonal,
    dot,
    gate,
    hadamard,
    identity,
    norm,
    ones,
    quad,
    relu,
    sigmoid,
    sum_over,
    trace,
)

R = sp.Rational


@dataclass(frozen=True)
class FalseStep:
    """A mistake, and what the check must say of it.

    `mark` is that of the last step. `largest` bounds numerators and denominators of the counterexample (None: it
    needs numbers that are no small rationals); `condition` and `note` are parts of the notes.
    """

    mistake: str
    write: Callable[[Derivation], None]
    mark: str
    largest: int | None
    condition: str
    note: str


FALSE_STEPS: list[FalseStep] = []


def false_step(mistake, *, mark="FALSE", largest=9, note=""):
    """Add a function that writes the mistake to the table."""

    def register(write):
        FALSE_STEPS.append(FalseStep(mistake, write, mark, largest, condition, note))
        return write

    return register


def two_layers(D):
    """Two linear layers under the gradient flow of the loss whose gradient by the product is G."""
    m, d, c = D.sizes("m d c", most=3)
    W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
    G = D.matrix("G", c, d, constant=True)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    return W1, W2, G


def regression(D):
    """Data, a linear model and its mean square loss."""
    n, d, c = D.sizes("n d c", most=3)
    X, Y, W = D.matrix("X", n, d), D.matrix("Y", n, c), D.matrix("W", c, d)
    return n, X, Y, W, norm(X * W.T - Y) ** 2 / (2 * n)


# --- gradients of losses ---------------------------------------------------------------------


@false_step("gradient of the loss transposed")
def _(D):
    d = D.sizes("d", most=3)
    S, A, W = D.matrix("S", d, d, "symmetric"), D.matrix("A", d, d), D.matrix("W", d, d)
    D.step(D.gradient(trace(W * S * W.T) / 2 - trace(A * W), W), "=", W * S - A)


@false_step("gradient with respect to W given for its transpose's place")
def _(D):
    n, X, Y, W, loss = regression(D)
    V = D.matrix("V", *W.shape)
    D.step(D.along(loss, {W: V}), "=", dot(V, (Y - X * W.T).T * X / n))


@false_step("the half of the square loss is forgotten")
def _(D):
    n, X, Y, W, loss = regression(D)
    D.step(D.gradient(loss, W), "=", 2 * (X * W.T - Y).T * X / n)


@false_step("sum for mean", condition="n = 1")
def _(D):
    n, X, Y, W, loss = regression(D)
    D.step(D.gradient(loss, W), "=", (X * W.T - Y).T * X)


@false_step("the sign of the residual")
def _(D):
    n, X, Y, W, loss = regression(D)
    D.step(D.gradient(loss, W), "=", (Y - X * W.T).T * X / n)


@false_step("chain rule without the derivative of the activation")
def _(D):
    n, d = D.sizes("n d", most=3)
    X, y, w, phi = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d), D.function("phi")
    i = D.index("i", n)
    f = phi(dot(w, X.row(i)))
    loss = sum_over(i, (f - y[i, 0]) ** 2) / 2
    D.step(D.gradient(loss, w), "=", sum_over(i, (f - y[i, 0]) * X.row(i)))


@false_step("backpropagation through the activation as a matrix product with the wrong factor")
def _(D):
    m, d = D.sizes("m d", most=3)
    W, x, g, phi = D.matrix("W", m, d), D.vector("x", d), D.vector("g", m), D.function("phi")
    D.step(D.gradient(dot(g, phi(W * x)), W), "=", hadamard(g, phi(W * x)) * x.T)


@false_step("gradient of a quadratic form of a matrix that need not be symmetric", condition="A is symmetric")
def _(D):
    d = D.sizes("d", most=3)
    A, v = D.matrix("A", d, d), D.vector("v", d)
    D.step(D.gradient(quad(A, v), v), "=", 2 * A * v)


@false_step("gradient of log det misses the transpose", condition="A is symmetric")
def _(D):
    d = D.sizes("d", least=2, most=3)
    A = D.matrix("A", d, d, "invertible")
    D.step(D.gradient(sp.log(det(A) ** 2) / 2, A), "=", A.I)


@false_step("weight decay without its factor")
def _(D):
    d, lam = D.sizes("d", most=3), D.scalar("lam", positive=True)
    w, g = D.vector("w", d), D.vector("g", d)
    D.step(D.gradient(dot(g, w) + lam * norm(w) ** 2 / 2, w), "=", g + w)


@false_step("softmax derivative without the product of the outputs")
def _(D):
    x, y = D.scalars("x y")
    p = sp.exp(x) / (sp.exp(x) + sp.exp(y))
    D.step(D.gradient(p, x), "=", p)


@false_step("derivative of the sigmoid with s² for s(1 - s)")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(sigmoid(x), x), "=", sigmoid(x) ** 2)


@false_step("gradient of the logistic loss with the sigmoid of the wrong sign")
def _(D):
    d = D.sizes("d", most=3)
    w, x = D.vector("w", d), D.vector("x", d)
    D.step(D.gradient(sp.log(1 + sp.exp(-dot(w, x))), w), "=", -sigmoid(dot(w, x)) * x)


@false_step("Hessian of a least-squares loss without the mean", condition="n = 1")
def _(D):
    n, d = D.sizes("n d", most=3)
    X, y, w = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d)
    D.step(D.hessian(norm(X * w - y) ** 2 / (2 * n), w), "=", X.T * X)


@false_step("Gauss-Newton taken for the Hessian")
def _(D):
    a, b, x, y = D.scalars("a b x y")
    loss = (a * b * x - y) ** 2 / 2
    D.step(D.gradient(D.gradient(loss, a), b), "=", a * b * x**2)


@false_step("second derivative by squaring the first")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(D.gradient(x**3, x), x), "=", (3 * x**2) ** 2)


# --- flows and steps -------------------------------------------------------------------------


@false_step("product rule with a term forgotten")
def _(D):
    W1, W2, G = two_layers(D)
    D.step(D.dt(W2 * W1), "=", -G * W1.T * W1)


@false_step("product rule with both terms alike")
def _(D):
    W1, W2, G = two_layers(D)
    D.step(D.dt(W2.T * W2), "=", -2 * W1 * G.T * W2)


@false_step("the sum of the layers' Gram matrices conserved instead of the difference")
def _(D):
    W1, W2, G = two_layers(D)
    D.step(D.dt(W2.T * W2 + W1 * W1.T), "=", 0)


@false_step("the imbalance on the outer side", condition="d = 1")
def _(D):
    d = D.sizes("d", most=3)
    W1, W2, G = D.matrix("W1", d, d), D.matrix("W2", d, d), D.matrix("G", d, d, constant=True)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    D.step(D.dt(W2 * W2.T - W1.T * W1), "=", 0)


@false_step("the imbalance conserved by steps of gradient descent as by the flow")
def _(D):
    m, d, c = D.sizes("m d c", most=3)
    W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d)
    lr = D.scalar("lr", positive=True)
    D.steps({W1: W1 - lr * W2.T * G, W2: W2 - lr * G * W1.T})
    D.step(D.next(W2.T * W2 - W1 * W1.T), "=", W2.T * W2 - W1 * W1.T)


@false_step("layers updated one after the other taken for updated together")
def _(D):
    a, b, g, lr = D.scalars("a b g lr", constant=False)
    D.constant(g, lr)
    D.steps({a: a - lr * g * b, b: b - lr * g * a})
    D.step(D.next(a * b), "=", (a - lr * g * b) * (b - lr * g * (a - lr * g * b)))


@false_step("the learning rate is missing in the step map")
def _(D):
    d = D.sizes("d", most=3)
    H, w, lr = (
        D.matrix("H", d, d, "symmetric", constant=True),
        D.vector("w", d),
        D.scalar("lr", constant=True),
    )
    D.steps({w: w - lr * H * w})
    D.step(D.next(w), "=", (identity(d) - H) * w)


@false_step("decrease of a step by its first-order term alone")
def _(D):
    d = D.sizes("d", most=3)
    w, lr = D.vector("w", d), D.scalar("lr", positive=True, constant=True)
    D.steps({w: w - lr * w})
    D.step(D.next(norm(w) ** 2 / 2), "=", norm(w) ** 2 / 2 - lr * norm(w) ** 2)


@false_step("two steps of a map taken for twice one step")
def _(D):
    x, lr = D.scalar("x"), D.scalar("lr", constant=True)
    D.steps({x: x - lr * x**3})
    D.step(D.next(D.next(x)), "=", x - 2 * lr * x**3)


@false_step("time of the flow taken for the number of steps")
def _(D):
    x, k = D.scalar("x", constant=True), D.scalar("k", integer=(1, 5))
    lr = D.scalar("lr", between=(0, 1))
    D.step((1 - lr) ** k * x, "=", sp.exp(-lr * k) * x)


@false_step("off by one in a geometric sum over steps")
def _(D):
    r, k = D.scalar("r", between=(0, 1)), D.sizes("k", most=3)
    j = D.index("j", k)
    D.step(sum_over(j, r**j), "=", (1 - r ** (k + 1)) / (1 - r))


@false_step("off by one in the number of steps")
def _(D):
    k = D.sizes("k", most=3)
    j = D.index("j", k)
    D.step(sum_over(j, j), "=", k * (k + 1) / 2)


@false_step("the loss decays at the rate of the parameters")
def _(D):
    d = D.sizes("d", most=3)
    w = D.vector("w", d)
    D.flow({w: -w})
    D.step(D.dt(norm(w) ** 2), "=", -(norm(w) ** 2))


@false_step("the speed of the norm with the square's factor")
def _(D):
    d = D.sizes("d", most=3)
    w, g = D.vector("w", d), D.vector("g", d, constant=True)
    D.flow({w: -g})
    D.step(D.dt(norm(w)), "=", -2 * dot(w, g) / norm(w))


@false_step("a letter without a flow taken for a constant", mark="UNDECIDED")
def _(D):
    a, b = D.scalars("a b")
    D.flow({a: -b})
    D.step(D.dt(a * b), "=", -(b**2))


@false_step("logistic solution with the rate of one layer")
def _(D):
    t = D.time()
    u, s, u0 = (
        D.scalar("u"),
        D.scalar("s", positive=True, constant=True),
        D.scalar("u0", positive=True, constant=True),
    )
    D.flow({u: 2 * u * (s - u)})
    formula = s * u0 * sp.exp(s * t) / (s + u0 * (sp.exp(s * t) - 1))
    D.step(D.gradient(formula, t), "=", 2 * formula * (s - formula))


@false_step("second derivative along a flow as if the speed stood still")
def _(D):
    x = D.scalar("x")
    D.flow({x: -(x**2)})
    D.step(D.dt(D.dt(x)), "=", 0)


@false_step("gradient flow ascends")
def _(D):
    x, y = D.scalars("x y")
    D.flow({x: 2 * x, y: 2 * y})
    D.step(D.dt(x**2 + y**2), "<=", 0)


# --- matrices --------------------------------------------------------------------------------


@false_step("matrices assumed to commute", condition="A and B commute")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d), D.matrix("B", d, d)
    D.step((A + B) ** 2, "=", A**2 + 2 * A * B + B**2)


@false_step("difference of squares of matrices", condition="A and B commute")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "symmetric"), D.matrix("B", d, d, "symmetric")
    D.step((A - B) * (A + B), "=", A**2 - B**2)


@false_step("product of symmetric matrices symmetric", condition="A and B commute")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "symmetric"), D.matrix("B", d, d, "symmetric")
    D.step((A * B).T, "=", A * B)


@false_step("inverse of a product in the same order", condition="A and B commute")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "invertible"), D.matrix("B", d, d, "invertible")
    D.step((A * B).I, "=", A.I * B.I)


@false_step("inverse of a sum")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "positive definite"), D.matrix("B", d, d, "positive definite")
    D.step((A + B).I, "=", A.I + B.I)


@false_step("trace of three factors turned the wrong way")
def _(D):
    d = D.sizes("d", most=3)
    A, B, C = (D.matrix(name, d, d) for name in "ABC")
    D.step(trace(A * B * C), "=", trace(A * C * B))


@false_step("trace of a product as the product of traces", condition="d = 1")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d), D.matrix("B", d, d)
    D.step(trace(A * B), "=", trace(A) * trace(B))


@false_step("determinant of a sum", condition="d = 1")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d), D.matrix("B", d, d)
    D.step(det(A + B), "=", det(A) + det(B))


@false_step("determinant of a multiple without the power")
def _(D):
    d, x = D.sizes("d", most=3), D.scalar("x")
    A = D.matrix("A", d, d)
    D.step(det(x * A), "=", x * det(A))


@false_step("a frame taken for orthogonal on both sides", condition="d = n")
def _(D):
    n, d = D.sizes("n d", most=3)
    W = D.matrix("W", n, d, "frame")
    D.step(W * W.T, "=", identity(n))


@false_step("a projector has full trace", condition="P is invertible")
def _(D):
    d = D.sizes("d", most=3)
    P = D.matrix("P", d, d, "projector")
    D.step(trace(P), "=", d)


@false_step("the complement of a projector added twice")
def _(D):
    d = D.sizes("d", most=3)
    P = D.matrix("P", d, d, "projector")
    D.step((identity(d) - 2 * P) ** 2, "=", identity(d) - 2 * P)


@false_step("elementwise product for matrix product", condition="d = 1")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d), D.matrix("B", d, d)
    D.step(hadamard(A, B), "=", A * B)


@false_step("the push-through identity with the factor left where it was")
def _(D):
    m, d = D.sizes("m d", most=3)
    A, B = D.matrix("A", m, d), D.matrix("B", d, m)
    D.step((identity(d) + B * A).I * B * A, "=", B * (identity(m) + A * B).I * A * B * A)


@false_step("Woodbury with the sign of the correction wrong")
def _(D):
    d = D.sizes("d", most=3)
    A, u = D.matrix("A", d, d, "positive definite"), D.vector("u", d)
    D.step((A + u * u.T).I, "=", A.I + A.I * u * u.T * A.I / (1 + quad(A.I, u)))


@false_step(
    "singular matrix inverted in a pseudo-inverse", condition="d = n", note="assumes that X.T*X is invertible"
)
def _(D):
    n, d = D.sizes("n d", most=3)
    X, y = D.matrix("X", n, d), D.vector("y", n)
    D.step(X * (X.T * X).I * X.T * y, "=", y)


@false_step("inverse cancelled without a word", mark="ok", note="assumes that A is invertible")
def _(D):
    d = D.sizes("d", most=3)
    A, x, y = D.matrix("A", d, d), D.vector("x", d), D.vector("y", d)
    D.step(A.I * (A * x + A * y), "=", x + y)


@false_step("full rank assumed of a low-rank matrix", condition="A is invertible", mark="FALSE")
def _(D):
    d = D.sizes("d", least=2, most=3)
    A = D.matrix("A", d, d, "low rank")
    D.step(det(A) ** 2, ">", 0)


@false_step("a symmetric matrix taken for positive")
def _(D):
    d = D.sizes("d", most=3)
    H, v = D.matrix("H", d, d, "symmetric"), D.vector("v", d)
    D.step(quad(H, v), ">=", 0)


@false_step("a semidefinite matrix taken for definite", condition="A is invertible")
def _(D):
    d = D.sizes("d", least=2, most=3)
    A = D.matrix("A", d, d, "semidefinite")
    D.step(det(A), ">", 0)


@false_step("true for square only: XXᵀ for XᵀX in the trace's square", condition="n = 1")
def _(D):
    n, d = D.sizes("n d", most=3)
    X = D.matrix("X", n, d)
    D.step(trace((X.T * X) * (X.T * X)), "=", trace(X * X.T) ** 2)


@false_step("true for size 1 only: norm of an outer product's trace", condition="d = 1")
def _(D):
    d = D.sizes("d", most=3)
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(norm(u) ** 2 * norm(v) ** 2, "=", dot(u, v) ** 2)


@false_step("true for one neuron only", condition="m = 1")
def _(D):
    m = D.sizes("m", most=3)
    a, b = D.vector("a", m), D.vector("b", m)
    D.step(dot(a, b) ** 2, "=", dot(hadamard(a, a), hadamard(b, b)))


@false_step("diagonal of an inverse as inverse of the diagonal")
def _(D):
    d = D.sizes("d", least=2, most=3)
    A = D.matrix("A", d, d, "positive definite")
    D.step(hadamard(diagonal(A.I), diagonal(A)), "=", ones(d))


@false_step("Frobenius norm of the identity is one", condition="d = 1")
def _(D):
    d = D.sizes("d", most=3)
    D.step(norm(identity(d)) ** 2, "=", 1)


@false_step("Frobenius norm taken for submultiplicative with equality", condition="d = 1")
def _(D):
    m, d, c = D.sizes("m d c", most=3)
    A, B = D.matrix("A", m, d), D.matrix("B", d, c)
    D.step(norm(A * B) ** 2, "=", norm(A) ** 2 * norm(B) ** 2)


@false_step("matrices that are similar taken for equal", condition="A and Q commute")
def _(D):
    d = D.sizes("d", most=3)
    Q, A = D.matrix("Q", d, d, "orthogonal"), D.matrix("A", d, d, "symmetric")
    D.step(Q * A * Q.T, "=", A)


@false_step("diagonal matrices from the wrong side", condition="d = 1")
def _(D):
    d = D.sizes("d", most=3)
    s, A = D.vector("s", d), D.matrix("A", d, d)
    D.step(diag(s) * A, "=", A * diag(s))


@false_step("Sylvester's determinant identity without the identity")
def _(D):
    d = D.sizes("d", most=3)
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(det(identity(d) + u * v.T), "=", dot(u, v))


# --- scalars: powers, roots, logarithms ------------------------------------------------------


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


# --- inequalities ----------------------------------------------------------------------------


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


@false_step("descent for every step size", condition="|lr| < 1")
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


# --- relu ------------------------------------------------------------------------------------


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


@false_step("two neurons of opposite sign give the absolute value's half", condition="x > 0")
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


# --- limits, series, integrals ---------------------------------------------------------------


@false_step("limits in the wrong order", largest=None)
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step(x / (x + y), "->", 1, approach=(x, 0))


@false_step("one to the power infinity is one", largest=None)
def _(D):
    x, n = D.scalar("x"), D.scalar("n", positive=True)
    D.step((1 + x / n) ** n, "->", 1, approach=(n, sp.oo))


@false_step("zero times infinity is infinite", largest=None)
def _(D):
    x = D.scalar("x", positive=True)
    D.step(x * sp.log(x), "->", -sp.oo, approach=(x, 0))


@false_step("the limit at the other end", largest=None)
def _(D):
    x = D.scalar("x")
    D.step(sp.tanh(x), "->", 1, approach=(x, -sp.oo))


@false_step("the logistic solution tends to its start", largest=None)
def _(D):
    s, u0, t = D.scalars("s u0 t", positive=True)
    D.step(s * u0 * sp.exp(2 * s * t) / (s + u0 * (sp.exp(2 * s * t) - 1)), "->", u0, approach=(t, sp.oo))


@false_step("series of the exponential without the factorial", largest=None)
def _(D):
    x = D.scalar("x")
    D.step(sp.exp(x), "=", 1 + x + x**2, order=(x, 3))


@false_step("series of the logarithm with the sign of the second term", largest=None)
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.log(1 + x), "=", x + x**2 / 2, order=(x, 3))


@false_step("series of the square root with the coefficient of the inverse", largest=None)
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.sqrt(1 + x), "=", 1 + x / 2 - x**2 / 4, order=(x, 3))


@false_step("flow and step agree to second order in the learning rate", largest=None)
def _(D):
    x, lr = D.scalar("x"), D.scalar("lr")
    D.step(sp.exp(-lr) * x, "=", (1 - lr) * x, order=(lr, 3))


@false_step("integral with the lower boundary forgotten")
def _(D):
    t, s = D.scalars("t s")
    D.step(D.integral(sp.exp(-s), s, 0, t), "=", -sp.exp(-t))


@false_step("integral without the factor of the substitution")
def _(D):
    t, s = D.scalars("t s")
    D.step(D.integral(sp.exp(2 * s), s, 0, t), "=", sp.exp(2 * t) - 1)


@false_step("integration by parts without the boundary term")
def _(D):
    t, s = D.scalars("t s")
    D.step(D.integral(s * sp.exp(s), s, 0, t), "=", 1 - sp.exp(t))


@false_step("a solution with the wrong start")
def _(D):
    t = D.time()
    x = D.scalar("x")
    x0 = D.scalar("x0", constant=True)
    D.flow({x: -2 * x})
    D.solution({x: 2 * x0 * sp.exp(-2 * t)}, t, {x: x0})


# --- expectations ----------------------------------------------------------------------------


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


@false_step("expected square norm without the dimension", condition="d = 1")
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


# --- the proof's own logic -------------------------------------------------------------------


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
