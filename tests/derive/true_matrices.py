"""True identities between matrices."""

import sympy as sp
from gallery import true_step

from toymodels.derive import det, diag, diagonal, dot, hadamard, identity, norm, ones, quad, trace


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


@true_step("Kronecker-free Sylvester equation of commuting data")
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
