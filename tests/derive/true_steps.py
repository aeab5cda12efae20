"""True steps of every kind, hard ones among them, each with the weakest evidence that will do for it."""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from toymodels.derive import (
    Derivation,
    det,
    diag,
    diagonal,
    dot,
    elementwise,
    gate,
    hadamard,
    identity,
    mean_over,
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
class TrueStep:
    """A derivation whose steps are all true.

    `evidence` is the weakest that each step may rest on; `undecided` says why the check need not decide it.
    """

    name: str
    write: Callable[[Derivation], None]
    evidence: str
    undecided: str


TRUE_STEPS: list[TrueStep] = []


def true_step(name, evidence="proved", *, undecided=""):
    """Add a function that writes true steps to the table."""

    def register(write):
        TRUE_STEPS.append(TrueStep(name, write, evidence, undecided))
        return write

    return register


def two_layers(D):
    """Two linear layers under the gradient flow of the loss whose gradient by the product is G."""
    m, d, c = D.sizes("m d c")
    W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
    G = D.matrix("G", c, d, constant=True)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    return W1, W2, G


# --- gradients and Hessians ------------------------------------------------------------------


@true_step("gradient of the square loss of two layers")
def _(D):
    m, d, c, n = D.sizes("m d c n")
    W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
    X, Y = D.matrix("X", n, d), D.matrix("Y", n, c)
    loss = norm(X * W1.T * W2.T - Y) ** 2 / (2 * n)
    D.step(D.gradient(loss, W1), "=", W2.T * (W2 * W1 * X.T * X - Y.T * X) / n)
    D.step(D.gradient(loss, W2), "=", (W2 * W1 * X.T * X - Y.T * X) * W1.T / n)


@true_step("second derivative of the loss along a direction of both layers")
def _(D):
    m, d, c = D.sizes("m d c")
    W1, W2, T = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("T", c, d)
    V1, V2 = D.matrix("V1", m, d), D.matrix("V2", c, m)
    loss = norm(W2 * W1 - T) ** 2 / 2
    change = V2 * W1 + W2 * V1
    D.step(D.along(loss, {W1: V1, W2: V2}, 2), "=", norm(change) ** 2 + 2 * dot(W2 * W1 - T, V2 * V1))


@true_step("Hessian of least squares", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, y, w = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d)
    D.step(D.hessian(norm(X * w - y) ** 2 / (2 * n), w), "=", X.T * X / n)


@true_step("Hessian of the quartic of a vector", "exact")
def _(D):
    d = D.sizes("d")
    w = D.vector("w", d)
    D.step(D.hessian(norm(w) ** 4 / 4, w), "=", norm(w) ** 2 * identity(d) + 2 * w * w.T)


@true_step("gradient of a quadratic form, symmetric or not")
def _(D):
    d = D.sizes("d")
    A, H, v = D.matrix("A", d, d), D.matrix("H", d, d, "symmetric"), D.vector("v", d)
    D.step(D.gradient(quad(A, v), v), "=", (A + A.T) * v)
    D.step(D.gradient(quad(H, v) / 2, v), "=", H * v)


@true_step("gradient of a quotient: Rayleigh's", "exact")
def _(D):
    d = D.sizes("d")
    H, v = D.matrix("H", d, d, "symmetric"), D.vector("v", d)
    rho = quad(H, v) / dot(v, v)
    D.step(D.gradient(rho, v), "=", 2 * (H * v - rho * v) / dot(v, v))


@true_step("gradient of an unknown activation over the samples", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, y, w, phi = D.matrix("X", n, d), D.vector("y", n), D.vector("w", d), D.function("phi")
    i = D.index("i", n)
    f = phi(dot(w, X.row(i)))
    loss = mean_over(i, (f - y[i, 0]) ** 2) / 2
    D.step(D.gradient(loss, w), "=", mean_over(i, (f - y[i, 0]) * phi.d(dot(w, X.row(i))) * X.row(i)))


@true_step("second derivative of an unknown function: chain rule", "exact")
def _(D):
    x, phi = D.scalar("x"), D.function("phi")
    D.step(D.gradient(D.gradient(phi(x**2), x), x), "=", 2 * phi.d(x**2) + 4 * x**2 * phi.d(x**2, 2))


@true_step("backpropagation through one layer", "exact")
def _(D):
    m, d = D.sizes("m d")
    W, x, g, phi = D.matrix("W", m, d), D.vector("x", d), D.vector("g", m), D.function("phi")
    D.step(D.gradient(dot(g, phi(W * x)), W), "=", hadamard(g, phi.d(W * x)) * x.T)
    D.step(D.gradient(dot(g, phi(W * x)), x), "=", W.T * hadamard(g, phi.d(W * x)))


@true_step("a sum over samples is a product of matrices", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, i = D.matrix("X", n, d), D.index("i", n)
    D.step(sum_over(i, X.row(i) * X.row(i).T), "=", X.T * X)
    D.step(mean_over(i, norm(X.row(i)) ** 2), "=", trace(X * X.T) / n)


@true_step("double sum over samples", "exact")
def _(D):
    n, d = D.sizes("n d")
    X, y = D.matrix("X", n, d), D.vector("y", n)
    i, j = D.index("i", n), D.index("j", n)
    kernel = sum_over(i, sum_over(j, y[i, 0] * dot(X.row(i), X.row(j)) * y[j, 0]))
    D.step(kernel, "=", norm(X.T * y) ** 2)


@true_step("Jacobian of a network's outputs and its kernel", "exact")
def _(D):
    n, d = D.sizes("n d", most=4)
    X, w, phi = D.matrix("X", n, d), D.vector("w", d), D.function("phi", degree=3)
    J = D.jacobian(phi(X * w), w)
    D.step(J, "=", diag(phi.d(X * w)) * X)
    D.step(J * J.T, "=", diag(phi.d(X * w)) * X * X.T * diag(phi.d(X * w)))


@true_step("gradient of log det", "digits")
def _(D):
    d = D.sizes("d", most=4)
    A, S = D.matrix("A", d, d, "invertible"), D.matrix("S", d, d, "positive definite")
    D.step(D.gradient(sp.log(det(A) ** 2) / 2, A), "=", A.I.T)
    D.step(D.gradient(sp.log(det(S)), S), "=", S.I)


@true_step("gradient of a determinant is the adjugate", "exact")
def _(D):
    d = D.sizes("d")
    A = D.matrix("A", d, d, "invertible")
    D.step(D.gradient(det(A), A), "=", det(A) * A.I.T)


@true_step("derivative of an inverse along a direction")
def _(D):
    d = D.sizes("d")
    A, V = D.matrix("A", d, d, "invertible"), D.matrix("V", d, d)
    D.step(D.along(A.I, {A: V}), "=", -A.I * V * A.I)
    D.step(D.along(A.I, {A: V}, 2), "=", 2 * A.I * V * A.I * V * A.I)


@true_step("gradient of a norm away from zero", "digits")
def _(D):
    d = D.sizes("d")
    w = D.vector("w", d)
    D.step(D.gradient(norm(w), w), "=", w / norm(w))


@true_step("derivatives of the sigmoid, softplus and tanh", "digits")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(sigmoid(x), x), "=", sigmoid(x) * (1 - sigmoid(x)))
    D.step(D.gradient(sp.log(1 + sp.exp(x)), x), "=", sigmoid(x))
    D.step(D.gradient(sp.tanh(x), x), "=", 1 - sp.tanh(x) ** 2)


@true_step("gradient of the logistic loss", "digits")
def _(D):
    d = D.sizes("d")
    w, x = D.vector("w", d), D.vector("x", d)
    D.step(D.gradient(sp.log(1 + sp.exp(-dot(w, x))), w), "=", -sigmoid(-dot(w, x)) * x)


@true_step("softmax of two outputs", "digits")
def _(D):
    x, y = D.scalars("x y")
    p = sp.exp(x) / (sp.exp(x) + sp.exp(y))
    D.step(D.gradient(p, x), "=", p * (1 - p))
    D.step(D.gradient(p, y), "=", -p * (1 - p))
    D.step(p, "=", sigmoid(x - y))


@true_step("cross-entropy of a softmax over many outputs", "digits")
def _(D):
    c = D.sizes("c")
    z, j = D.vector("z", c), D.index("j", c)
    total = sum_over(j, sp.exp(z[j, 0]))
    D.step(D.gradient(sp.log(total), z), "=", elementwise(sp.exp, z) / total)


# --- flows and steps -------------------------------------------------------------------------


@true_step("imbalance conserved by the flow")
def _(D):
    W1, W2, G = two_layers(D)
    a = D.step(D.dt(W2.T * W2), "=", -W1 * G.T * W2 - W2.T * G * W1.T)
    b = D.step(D.dt(W1 * W1.T), "=", -W2.T * G * W1.T - W1 * G.T * W2)
    D.conclude(D.dt(W2.T * W2 - W1 * W1.T), "=", 0, by=[a, b])


@true_step("imbalance after a step of gradient descent")
def _(D):
    m, d, c = D.sizes("m d c")
    W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d)
    lr = D.scalar("lr", positive=True)
    D.steps({W1: W1 - lr * W2.T * G, W2: W2 - lr * G * W1.T})
    D.constant(G, lr)
    D.step(
        D.next(W2.T * W2 - W1 * W1.T),
        "=",
        W2.T * W2 - W1 * W1.T + lr**2 * (W1 * G.T * G * W1.T - W2.T * G * G.T * W2),
    )


@true_step("speed of the product and the two-sided kernel")
def _(D):
    W1, W2, G = two_layers(D)
    D.step(D.dt(W2 * W1), "=", -W2 * W2.T * G - G * W1.T * W1)


@true_step("acceleration of the product")
def _(D):
    m, d, c = D.sizes("m d c")
    W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d, constant=True)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    D.step(
        D.dt(D.dt(W2 * W1)),
        "=",
        G * W1.T * W2.T * G + W2 * W1 * G.T * G + G * G.T * W2 * W1 + G * W1.T * W2.T * G,
    )


@true_step("loss decreases along its gradient flow")
def _(D):
    n, d = D.sizes("n d")
    X, y, w = D.matrix("X", n, d, constant=True), D.vector("y", n, constant=True), D.vector("w", d)
    loss = norm(X * w - y) ** 2 / (2 * n)
    g = X.T * (X * w - y) / n
    D.flow({w: -g})
    a = D.step(D.dt(loss), "=", -(norm(g) ** 2))
    D.conclude(D.dt(loss), "<=", 0, by=[a])


@true_step("loss decreases: the bound by itself", "sampled")
def _(D):
    d = D.sizes("d")
    H, w = D.matrix("H", d, d, "positive definite", constant=True), D.vector("w", d)
    D.flow({w: -H * w})
    D.step(D.dt(quad(H, w)), "<=", 0)


@true_step("momentum's energy decays")
def _(D):
    d = D.sizes("d")
    H, x, v = D.matrix("H", d, d, "symmetric", constant=True), D.vector("x", d), D.vector("v", d)
    b = D.scalar("b", positive=True, constant=True)
    D.flow({x: v, v: -b * v - H * x})
    D.step(D.dt(norm(v) ** 2 / 2 + quad(H, x) / 2), "=", -b * norm(v) ** 2)


@true_step("logistic solution of u' = 2 u (s - u)", "digits")
def _(D):
    t = D.time()
    u = D.scalar("u")
    s, u0 = (D.scalar(name, positive=True, constant=True) for name in ("s", "u0"))
    D.flow({u: 2 * u * (s - u)})
    D.solution({u: s * u0 * sp.exp(2 * s * t) / (s + u0 * (sp.exp(2 * s * t) - 1))}, t, {u: u0})


@true_step("mode equation with imbalance from the layers")
def _(D):
    a, b = D.scalars("a b")
    s = D.scalar("s", constant=True)
    D.flow({a: b * (s - a * b), b: a * (s - a * b)})
    D.step(D.dt(a * b), "=", (a**2 + b**2) * (s - a * b))
    D.step(D.dt(a**2 - b**2), "=", 0)
    D.step((a**2 + b**2) ** 2, "=", (a**2 - b**2) ** 2 + 4 * (a * b) ** 2)


@true_step("cubic map of a balanced neuron", "proved")
def _(D):
    a, lr, s = D.scalar("a"), D.scalar("lr", constant=True), D.scalar("s", constant=True)
    D.steps({a: a + lr * a * (s - a**2)})
    D.step(D.next(a**2), "=", a**2 * (1 + lr * (s - a**2)) ** 2)
    D.step(
        D.next(D.next(a)), "=", (a + lr * a * (s - a**2)) * (1 + lr * (s - (a + lr * a * (s - a**2)) ** 2))
    )


@true_step("two steps and the curvature they meet", "proved")
def _(D):
    d = D.sizes("d")
    H, w, lr = (
        D.matrix("H", d, d, "symmetric", constant=True),
        D.vector("w", d),
        D.scalar("lr", constant=True),
    )
    D.steps({w: w - lr * H * w})
    D.step(D.next(D.next(w)), "=", w - 2 * lr * H * w + lr**2 * H**2 * w)
    D.step(D.next(quad(H, w)), "=", quad(H, w) - 2 * lr * norm(H * w) ** 2 + lr**2 * quad(H**3, w))


@true_step("geometric sum over steps", "exact")
def _(D):
    r, k = D.scalar("r", between=(0, 1)), D.sizes("k")
    j = D.index("j", k)
    D.step(sum_over(j, r**j), "=", (1 - r**k) / (1 - r))


@true_step("sum of the first integers and squares", "exact")
def _(D):
    k = D.sizes("k")
    j = D.index("j", k)
    D.step(sum_over(j, j), "=", k * (k - 1) / 2)
    D.step(sum_over(j, j**2), "=", k * (k - 1) * (2 * k - 1) / 6)


@true_step("Riccati equation of the product of balanced square layers", "proved")
def _(D):
    d = D.sizes("d")
    Q, F = D.matrix("Q", d, d), D.matrix("F", d, d, "symmetric", constant=True)
    D.flow({Q: F * Q - Q * Q.T * Q})
    D.step(D.dt(Q * Q.T), "=", F * (Q * Q.T) + (Q * Q.T) * F - 2 * (Q * Q.T) ** 2)


@true_step("spectrum under a rotating flow: traces of powers stand still")
def _(D):
    d = D.sizes("d")
    L, B = D.matrix("L", d, d), D.matrix("B", d, d, constant=True)
    D.flow({L: B * L - L * B})
    D.step(D.dt(trace(L**3)), "=", 0)


@true_step("orthogonality is kept by a flow of antisymmetric speed")
def _(D):
    d = D.sizes("d")
    Q, A = D.matrix("Q", d, d), D.matrix("A", d, d, constant=True)
    D.flow({Q: Q * (A - A.T)})
    D.step(D.dt(Q * Q.T), "=", 0)


# --- matrices --------------------------------------------------------------------------------


@true_step("push-through identity", "exact")
def _(D):
    m, d = D.sizes("m d")
    A, B = D.matrix("A", m, d), D.matrix("B", d, m)
    D.step((identity(m) + A * B).I * A, "=", A * (identity(d) + B * A).I)


@true_step("Woodbury's identity", "exact")
def _(D):
    d, k = D.sizes("d k", most=4)
    A, C = D.matrix("A", d, d, "positive definite"), D.matrix("C", k, k, "positive definite")
    U = D.matrix("U", d, k)
    D.step((A + U * C * U.T).I, "=", A.I - A.I * U * (C.I + U.T * A.I * U).I * U.T * A.I)


@true_step("Sherman-Morrison", "exact")
def _(D):
    d = D.sizes("d")
    A, u = D.matrix("A", d, d, "positive definite"), D.vector("u", d)
    D.step((A + u * u.T).I, "=", A.I - A.I * u * u.T * A.I / (1 + quad(A.I, u)))


@true_step("Sylvester's determinant identity", "exact")
def _(D):
    m, d = D.sizes("m d")
    A, B = D.matrix("A", m, d), D.matrix("B", d, m)
    D.step(det(identity(m) + A * B), "=", det(identity(d) + B * A))


@true_step("determinants multiply and turn", "exact")
def _(D):
    d, x = D.sizes("d"), D.scalar("x")
    A, B, Q = D.matrix("A", d, d), D.matrix("B", d, d), D.matrix("Q", d, d, "orthogonal")
    D.step(det(A * B), "=", det(A) * det(B))
    D.step(det(Q.T * A * Q), "=", det(A))
    D.step(det(x * A), "=", x**d * det(A))
    D.step(det(Q) ** 2, "=", 1)


@true_step("log det of a product", "digits")
def _(D):
    d = D.sizes("d", most=4)
    A, B = D.matrix("A", d, d, "positive definite"), D.matrix("B", d, d, "positive definite")
    D.step(sp.log(det(A * B)), "=", sp.log(det(A)) + sp.log(det(B)))


@true_step("traces turn")
def _(D):
    m, d, c = D.sizes("m d c")
    A, B, C = D.matrix("A", m, d), D.matrix("B", d, c), D.matrix("C", c, m)
    D.step(trace(A * B * C), "=", trace(C * A * B))
    D.step(trace(A * B * C), "=", trace(C.T * B.T * A.T))


@true_step("inverse of a product, of a transpose")
def _(D):
    d = D.sizes("d")
    A, B = D.matrix("A", d, d, "invertible"), D.matrix("B", d, d, "invertible")
    D.step((A * B).I, "=", B.I * A.I)
    D.step((A.T).I * A.T * B, "=", B)


@true_step("projectors")
def _(D):
    d = D.sizes("d")
    P = D.matrix("P", d, d, "projector")
    one = identity(d)
    D.step((one - P) ** 2, "=", one - P)
    D.step((one - 2 * P) ** 2, "=", one)
    D.step(P * (one - P), "=", 0)
    D.step((one + P) * (one - P / 2), "=", one)


@true_step("frames: orthonormal columns")
def _(D):
    n, d = D.sizes("n d")
    W, A = D.matrix("W", n, d, "frame"), D.matrix("A", d, d)
    D.step(W.T * W * A, "=", A)
    D.step((W * W.T) ** 2, "=", W * W.T)
    D.step(trace(W * A * W.T), "=", trace(A))
    D.step(norm(W) ** 2, "=", d)


@true_step("orthogonal matrices keep inner products")
def _(D):
    d = D.sizes("d")
    Q, A, B = D.matrix("Q", d, d, "orthogonal"), D.matrix("A", d, d), D.matrix("B", d, d)
    D.step(dot(Q * A, Q * B), "=", dot(A, B))
    D.step((Q * A * Q.T) ** 3, "=", Q * A**3 * Q.T)


@true_step("least squares: the residual is orthogonal to the data", "exact")
def _(D):
    d = D.sizes("d", most=3)
    n = 4
    X, y = D.matrix("X", n, d), D.vector("y", n)
    w = (X.T * X).I * X.T * y
    D.step(X.T * (X * w - y), "=", 0)


@true_step("ridge regression in primal and dual form", "exact")
def _(D):
    n, d, lam = *D.sizes("n d"), D.scalar("lam", positive=True)
    X, y = D.matrix("X", n, d), D.vector("y", n)
    primal = (X.T * X + lam * identity(d)).I * X.T * y
    D.step(primal, "=", X.T * (X * X.T + lam * identity(n)).I * y)


@true_step("Kronecker-free Sylvester equation of commuting data", "exact")
def _(D):
    d = D.sizes("d")
    A, B = D.matrix("A", d, d, "positive definite"), D.matrix("B", d, d)
    D.step(A * (A.I * B - B * A.I) * A, "=", B * A - A * B)


@true_step("diagonal matrices and Hadamard products", "exact")
def _(D):
    m, d = D.sizes("m d")
    A, s, t = D.matrix("A", m, d), D.vector("s", m), D.vector("t", d)
    D.step(diag(s) * A * diag(t), "=", hadamard(A, s * t.T))
    D.step(trace(diag(s) ** 2), "=", norm(s) ** 2)
    D.step(diagonal(A * A.T), "=", hadamard(A, A) * ones(d))


@true_step("cancellation of huge terms", "proved")
def _(D):
    x, y = D.scalars("x y")
    N = 10**12
    D.step((x + N * y) ** 3 - (x - N * y) ** 3, "=", 6 * N * x**2 * y + 2 * N**3 * y**3)


@true_step("polynomial identity of four squares", "proved")
def _(D):
    a, b, c, d, x, y, z, w = D.scalars("a b c d x y z w")
    D.step(
        (a**2 + b**2 + c**2 + d**2) * (x**2 + y**2 + z**2 + w**2),
        "=",
        (a * x + b * y + c * z + d * w) ** 2
        + (a * y - b * x + c * w - d * z) ** 2
        + (a * z - b * w - c * x + d * y) ** 2
        + (a * w + b * z - c * y - d * x) ** 2,
    )


@true_step("Cayley-Hamilton for two by two", "exact")
def _(D):
    A = D.matrix("A", 2, 2)
    D.step(A**2 - trace(A) * A + det(A) * identity(2), "=", 0)


# --- scalars ---------------------------------------------------------------------------------


@true_step("removable singularities", "proved")
def _(D):
    x, y = D.scalars("x y")
    D.step((x**3 - y**3) / (x - y), "=", x**2 + x * y + y**2)
    D.step(1 / (x - y) - 1 / (x + y), "=", 2 * y / (x**2 - y**2))


@true_step("roots by their conjugate", "digits")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(sp.sqrt(x + 1) - sp.sqrt(x), "=", 1 / (sp.sqrt(x + 1) + sp.sqrt(x)))


@true_step("root of the imbalance's quadratic equation", "digits")
def _(D):
    u, lam = D.scalar("u"), D.scalar("lam", positive=True)
    a2 = (lam + sp.sqrt(lam**2 + 4 * u**2)) / 2
    D.step(a2 * (a2 - lam), "=", u**2)
    D.step((2 * a2 - lam) ** 2, "=", lam**2 + 4 * u**2)


@true_step("square root of a square is the absolute value", "exact")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.sqrt(x**2 * y**2), "=", sp.Abs(x * y))
    with D.case(x > 0):
        D.step(sp.sqrt((x + x**3) ** 2), "=", x + x**3)


@true_step("hyperbolic identities", "digits")
def _(D):
    x, y = D.scalars("x y")
    D.step(sp.cosh(x) ** 2 - sp.sinh(x) ** 2, "=", 1)
    D.step(sp.tanh(2 * x), "=", 2 * sp.tanh(x) / (1 + sp.tanh(x) ** 2))
    D.step(sp.tanh(x), "=", 2 * sigmoid(2 * x) - 1)
    D.step(sp.sinh(x + y), "=", sp.sinh(x) * sp.cosh(y) + sp.cosh(x) * sp.sinh(y))


@true_step("sigmoid's symmetry and its logarithm", "digits")
def _(D):
    x = D.scalar("x")
    D.step(sigmoid(-x), "=", 1 - sigmoid(x))
    D.step(sp.log(sigmoid(x)), "=", -sp.log(1 + sp.exp(-x)))
    D.step(sp.log(1 + sp.exp(x)) - sp.log(1 + sp.exp(-x)), "=", x)


@true_step("logarithms and powers of positive numbers", "digits")
def _(D):
    x, y = D.scalars("x y", positive=True)
    a = D.scalar("a")
    D.step(sp.log(x / y), "=", sp.log(x) - sp.log(y))
    D.step(sp.log(x**a), "=", a * sp.log(x))
    D.step((x * y) ** a, "=", x**a * y**a)


@true_step("an exponential of huge cancellation", "digits")
def _(D):
    x = D.scalar("x")
    D.step((sp.exp(40 + x) - sp.exp(40 - x)) / (2 * sp.exp(40)), "=", sp.sinh(x))


@true_step("inverse functions undone", "digits")
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.atanh(x), "=", (sp.log(1 + x) - sp.log(1 - x)) / 2)
    D.step(sp.sinh(sp.atanh(x)), "=", x / sp.sqrt(1 - x**2))


# --- inequalities ----------------------------------------------------------------------------


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


@true_step("Jensen for the logarithm", "sampled")
def _(D):
    x, y = D.scalars("x y", positive=True)
    D.step((sp.log(x) + sp.log(y)) / 2, "<=", sp.log((x + y) / 2))


@true_step("the exponential above its tangent", "sampled")
def _(D):
    x = D.scalar("x")
    D.step(sp.exp(x), ">=", 1 + x)


@true_step("the logarithm below its tangent", "sampled")
def _(D):
    x = D.scalar("x", between=(-1, 8))
    D.step(sp.log(1 + x), "<=", x)


@true_step("sigmoid's slope is at most a quarter", "sampled")
def _(D):
    x = D.scalar("x")
    D.step(sigmoid(x) * (1 - sigmoid(x)), "<=", R(1, 4))


@true_step("tanh below its argument", "sampled")
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


@true_step("trace of a product of positive matrices", "sampled")
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


# --- relu ------------------------------------------------------------------------------------


@true_step("relu and the absolute value", "exact")
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


@true_step("maximum and minimum", "exact")
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


@true_step("derivatives of piecewise functions", "exact")
def _(D):
    x = D.scalar("x")
    D.step(D.gradient(relu(x), x), "=", gate(x))
    D.step(D.gradient(sp.Abs(x), x), "=", sp.sign(x))
    D.step(D.gradient(relu(x) ** 2, x), "=", 2 * relu(x))


# --- limits, series, integrals ---------------------------------------------------------------


@true_step("limits at infinity", "digits")
def _(D):
    x, n = D.scalar("x"), D.scalar("n", positive=True)
    D.step((1 + x / n) ** n, "->", sp.exp(x), approach=(n, sp.oo))
    D.step(sp.tanh(x), "->", -1, approach=(x, -sp.oo))
    D.step(n * (sp.sqrt(1 + 1 / n) - 1), "->", R(1, 2), approach=(n, sp.oo))


@true_step("limits at removable singularities", "digits")
def _(D):
    x = D.scalar("x")
    D.step((sp.exp(x) - 1) / x, "->", 1, approach=(x, 0, "+-"))
    D.step((x - sp.sin(x)) / x**3, "->", R(1, 6), approach=(x, 0, "+-"))
    D.step((1 - sp.cosh(x)) / x**2, "->", -R(1, 2), approach=(x, 0))


@true_step("limits of products that compete", "digits")
def _(D):
    x, a = D.scalar("x", positive=True), D.scalar("a", positive=True)
    D.step(x * sp.log(x), "->", 0, approach=(x, 0))
    D.step(x**3 * sp.exp(-a * x), "->", 0, approach=(x, sp.oo))
    D.step(x / (x + a), "->", 0, approach=(x, 0))


@true_step("where the logistic solution goes", "digits")
def _(D):
    s, u0, t = D.scalars("s u0 t", positive=True)
    D.step(s * u0 * sp.exp(2 * s * t) / (s + u0 * (sp.exp(2 * s * t) - 1)), "->", s, approach=(t, sp.oo))


@true_step("series with their order", "digits")
def _(D):
    x = D.scalar("x", between=(-1, 1))
    D.step(sp.exp(x), "=", 1 + x + x**2 / 2, order=(x, 3))
    D.step(sp.log(1 + x), "=", x - x**2 / 2, order=(x, 3))
    D.step(sp.sqrt(1 + x), "=", 1 + x / 2 - x**2 / 8, order=(x, 3))
    D.step(sp.tanh(x), "=", x - x**3 / 3, order=(x, 5))
    D.step(1 / (1 - x), "=", 1 + x + x**2, order=(x, 3))


@true_step("flow and step agree to first order", "digits")
def _(D):
    x, lr = D.scalar("x"), D.scalar("lr")
    D.step(sp.exp(-lr) * x, "=", (1 - lr) * x, order=(lr, 2))


@true_step("integrals from zero", "digits")
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


@true_step("solution of a linear flow", "digits")
def _(D):
    t = D.time()
    x, a = D.scalar("x"), D.scalar("a", constant=True)
    x0 = D.scalar("x0", constant=True)
    D.flow({x: -a * x})
    D.solution({x: x0 * sp.exp(-a * t)}, t, {x: x0})


@true_step("solution of the cubic flow of a balanced neuron", "digits")
def _(D):
    t = D.time()
    a = D.scalar("a")
    a0 = D.scalar("a0", positive=True, constant=True)
    D.flow({a: -(a**3)})
    D.solution({a: a0 / sp.sqrt(1 + 2 * a0**2 * t)}, t, {a: a0})


# --- expectations ----------------------------------------------------------------------------


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


@true_step("Stein's identity for an unknown function", "exact")
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


# --- conclusions -----------------------------------------------------------------------------


@true_step("a case split that covers everything")
def _(D):
    x, y = D.scalars("x y")
    with D.case(x >= y):
        a = D.step(sp.Max(x, y) - sp.Min(x, y), "=", x - y)
    with D.case(x < y):
        b = D.step(sp.Max(x, y) - sp.Min(x, y), "=", y - x)
    D.conclude(sp.Max(x, y) - sp.Min(x, y), ">=", 0, by=[a, b])


@true_step("a lemma that holds")
def _(D):
    other = Derivation("a square expands")
    x, y = other.scalars("x y")
    other.step((x + y) ** 2, "=", x**2 + 2 * x * y + y**2)
    a = D.scalar("a")
    D.step((a + 1) ** 2 - a**2, "=", 2 * a + 1, because=D.lemma(other))


@true_step("a chain of bounds")
def _(D):
    x, y, z = D.scalars("x y z")
    a = D.step(2 * x * y, "<=", x**2 + y**2)
    b = D.step(2 * y * z, "<=", y**2 + z**2)
    c = D.step(2 * z * x, "<=", z**2 + x**2)
    D.conclude(x * y + y * z + z * x, "<=", x**2 + y**2 + z**2, by=[a, b, c])


@true_step("the step is the flow's Euler scheme", "proved")
def _(D):
    d, lr = D.sizes("d"), D.scalar("lr", constant=True)
    w, H = D.vector("w", d), D.matrix("H", d, d, "symmetric", constant=True)
    D.flow({w: -H * w})
    D.steps({w: w - lr * H * w})
    D.step(D.next(w) - w, "=", lr * D.dt(w))
    D.step(
        D.next(quad(H, w) / 2), "=", quad(H, w) / 2 + lr * D.dt(quad(H, w) / 2) + lr**2 * quad(H**3, w) / 2
    )


@true_step("Hessian-vector product of a matrix quartic", "proved")
def _(D):
    m, d = D.sizes("m d")
    W, V, S = D.matrix("W", m, d), D.matrix("V", m, d), D.matrix("S", m, m, "symmetric")
    loss = norm(W * W.T - S) ** 2 / 4
    D.step(D.gradient(loss, W), "=", (W * W.T - S) * W)
    D.step(D.along(D.gradient(loss, W), {W: V}), "=", (W * W.T - S) * V + (V * W.T + W * V.T) * W)


# --- hard to decide --------------------------------------------------------------------------


@true_step("the moment bound of a random sign", "sampled")
def _(D):
    x = D.scalar("x")
    D.step(sp.cosh(x), "<=", sp.exp(x**2 / 2))


@true_step("logarithm between its second and first order", "sampled")
def _(D):
    x = D.scalar("x", positive=True)
    D.step(x - x**2 / 2, "<", sp.log(1 + x))


@true_step("means of three numbers", "sampled")
def _(D):
    x, y, z = D.scalars("x y z", positive=True)
    D.step(3 * x * y * z, "<=", x**3 + y**3 + z**3)


@true_step("variance is not negative", "sampled")
def _(D):
    n = D.sizes("n", most=3)
    x, i = D.vector("x", n), D.index("i", n)
    D.step(mean_over(i, (x[i, 0] - trace(ones(n) * x.T) / n) ** 2), ">=", 0)
