"""Mistakes in the algebra of matrices."""

from gallery import false_step

from toymodels.derive import det, diag, diagonal, dot, hadamard, identity, norm, ones, quad, trace


@false_step("matrices assumed to commute", condition="A and B commute")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d), D.matrix("B", d, d)
    D.step((A + B) ** 2, "=", A**2 + 2 * A * B + B**2)


@false_step("difference of squares of matrices")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "symmetric"), D.matrix("B", d, d, "symmetric")
    D.step((A - B) * (A + B), "=", A**2 - B**2)


@false_step("product of symmetric matrices symmetric")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d, "symmetric"), D.matrix("B", d, d, "symmetric")
    D.step((A * B).T, "=", A * B)


@false_step("inverse of a product in the same order")
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


@false_step("trace of a product as the product of traces")
def _(D):
    d = D.sizes("d", most=3)
    A, B = D.matrix("A", d, d), D.matrix("B", d, d)
    D.step(trace(A * B), "=", trace(A) * trace(B))


@false_step("determinant of a sum")
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


@false_step("full rank assumed of a low-rank matrix", condition="A is invertible")
def _(D):
    d = D.sizes("d", least=2, most=3)
    A = D.matrix("A", d, d, "low rank")
    D.step(det(A) ** 2, ">", 0)


@false_step("a symmetric matrix taken for positive")
def _(D):
    d = D.sizes("d", most=3)
    H, v = D.matrix("H", d, d, "symmetric"), D.vector("v", d)
    D.step(quad(H, v), ">=", 0)


@false_step("a semidefinite matrix taken for definite")
def _(D):
    d = D.sizes("d", least=2, most=3)
    A = D.matrix("A", d, d, "semidefinite")
    D.step(det(A), ">", 0)


@false_step("true for square only: XXᵀ for XᵀX in the trace's square")
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


@false_step("Frobenius norm of the identity is one")
def _(D):
    d = D.sizes("d", most=3)
    D.step(norm(identity(d)) ** 2, "=", 1)


@false_step("Frobenius norm taken for submultiplicative with equality")
def _(D):
    m, d, c = D.sizes("m d c", most=3)
    A, B = D.matrix("A", m, d), D.matrix("B", d, c)
    D.step(norm(A * B) ** 2, "=", norm(A) ** 2 * norm(B) ** 2)


@false_step("matrices that are similar taken for equal")
def _(D):
    d = D.sizes("d", most=3)
    Q, A = D.matrix("Q", d, d, "orthogonal"), D.matrix("A", d, d, "symmetric")
    D.step(Q * A * Q.T, "=", A)


@false_step("diagonal matrices from the wrong side")
def _(D):
    d = D.sizes("d", most=3)
    s, A = D.vector("s", d), D.matrix("A", d, d)
    D.step(diag(s) * A, "=", A * diag(s))


@false_step("Sylvester's determinant identity without the identity")
def _(D):
    d = D.sizes("d", most=3)
    u, v = D.vector("u", d), D.vector("v", d)
    D.step(det(identity(d) + u * v.T), "=", dot(u, v))
