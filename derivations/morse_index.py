"""Morse index and spectrum of the Hessian at every critical point of two linear layers.

Whitened inputs; a critical point learns some modes of the target exactly and
none of the others. In frames adapted to it the second variation falls into
three parts: learned with learned, learned with missing, empty neurons with
missing. Each is a sum of 2x2 blocks, with eigenvalues s_i + s_j and 0,
s_i - s_k and s_i + s_k, and s_k and -s_k; so the index counts the pairs with
s_k > s_i, and every missing mode once per empty neuron.

Source: own; the critical points after Baldi, Hornik 1989.
"""

from toymodels.derive import Derivation, dot, identity, norm, sum_over
from toymodels.linear import formulas

D = Derivation("The Morse index of two linear layers", source="own")
m, d, c, r, k = D.sizes("m d c r k")
W1, W2, S = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("S", c, d)
D1, D2 = D.matrix("D1", m, d), D.matrix("D2", c, m)

D.remark("The second variation of the whitened loss |S - W2 W1|²/2, and moves that change nothing in it.")
dW = D.let(dW=W2 * D1 + D2 * W1)
D.step(
    D.along(norm(W2 * W1 - S) ** 2 / 2, {W1: D1, W2: D2}, order=2),
    "=",
    norm(dW) ** 2 + 2 * dot(W2 * W1 - S, D2 * D1),
    because=D.lemma("gradient_and_hessian"),
)
Z = D.matrix("Z", m, m, "invertible")
D.step(
    (W2 * Z.I) * (Z * D1) + (D2 * Z.I) * (Z * W1),
    "=",
    dW,
    because="along the gauge orbit (Z W1, W2 Z⁻¹); D2 D1 stays too",
)
R = D.matrix("R", d, d, "positive definite")
D.step(
    dot(dW * R * R, dW) + 2 * dot(W2 * W1 * R * R - S * R, D2 * D1),
    "=",
    norm(W2 * (D1 * R) + D2 * (W1 * R)) ** 2 + 2 * dot(W2 * (W1 * R) - S, D2 * (D1 * R)),
    because="Sxx = R² and Syx = S R: W1 R and D1 R are the whitened layer",
)

D.remark("A critical point: frames U, O, V of the r learned modes, A² their strengths; the rest is missing.")
U, O, V = D.matrix("U", c, r, "frame"), D.matrix("O", m, r, "frame"), D.matrix("V", d, r, "frame")
A, T = D.matrix("A", r, r, "diagonal"), D.matrix("T", c, d)
PU, PO, PV = D.let(PU=identity(c) - U * U.T, PO=identity(m) - O * O.T, PV=identity(d) - V * V.T)
missing = D.let(missing=PU * T * PV)
first, second, target = D.let(first=O * A * V.T, second=U * A * O.T, target=U * A * A * V.T + missing)
D.step(second * first - target, "=", -missing, because="OᵀO = 1: what is learned is exact")
D.step(second.T * missing, "=", 0, because="UᵀPU = 0: no gradient in the first layer")
D.step(missing * first.T, "=", 0, because="PV V = 0: no gradient in the second layer")
D.ships(formulas.residual, -missing, W1=first, W2=second, Sxx=identity(d), Syx=target)

D.remark("Every direction (E1, E2), in the same frames.")
X, Y = D.matrix("X", r, r), D.matrix("Y", r, r)
B, C = D.matrix("B", r, d), D.matrix("C", c, r)
E, F = D.matrix("E", m, d), D.matrix("F", c, m)
G, H = D.matrix("G", m, r), D.matrix("H", r, m)
E1, E2 = D.let(
    E1=O * X * V.T + O * B * PV + PO * G * V.T + PO * E * PV,
    E2=U * Y * O.T + PU * C * O.T + U * H * PO + PU * F * PO,
)
D.step(
    second * E1 + E2 * first,
    "=",
    U * (A * X + Y * A) * V.T + U * A * B * PV + PU * C * A * V.T,
    because="UᵀU = OᵀO = VᵀV = 1; three orthogonal blocks",
)
D.step(PU * E2 * E1 * PV, "=", PU * (C * B + F * PO * E) * PV, because="PU U = 0 and PV V = 0")
D.step(
    norm(second * E1 + E2 * first) ** 2 - 2 * dot(missing, E2 * E1),
    "=",
    norm(A * X + Y * A) ** 2
    + (norm(A * B * PV) ** 2 + norm(PU * C * A) ** 2 - 2 * dot(missing, C * B))
    - 2 * dot(missing, F * PO * E),
    because="the blocks are orthogonal; G and H do not enter",
)

D.remark("Learned with learned: one block per ordered pair, strengths a² and b², on x_ij and y_ij.")
i, j = D.index("i", r), D.index("j", r)
D.step(
    norm(A * X + Y * A) ** 2,
    "=",
    sum_over(i, sum_over(j, (A[i, i] * X[i, j] + A[j, j] * Y[i, j]) ** 2)),
    because="A is diagonal",
)
a, b, s, x, y = D.scalars("a b s x y")
D.step(
    (a * x + b * y) ** 2 + (b * x - a * y) ** 2,
    "=",
    (a**2 + b**2) * (x**2 + y**2),
    because="eigenvalue a² + b² along (a, b), zero along (b, -a)",
)

D.remark("Learned with missing, in the singular vectors of what is missing, strengths on the diagonal of K.")
P, Q, K = D.matrix("P", r, k), D.matrix("Q", k, r), D.matrix("K", k, k, "diagonal")
n = D.index("n", k)
D.step(
    norm(A * P) ** 2 + norm(Q * A) ** 2 - 2 * dot(K, Q * P),
    "=",
    sum_over(i, sum_over(n, A[i, i] ** 2 * (P[i, n] ** 2 + Q[n, i] ** 2) - 2 * K[n, n] * P[i, n] * Q[n, i])),
    because="P and Q are the coordinates of B and C; A and K are diagonal",
)
D.step(
    a**2 * (x**2 + y**2) - 2 * s * x * y,
    "=",
    (a**2 - s) * ((x + y) ** 2 / 2) + (a**2 + s) * ((x - y) ** 2 / 2),
    because="eigenvalues s_i - s_k along (1, 1), s_i + s_k along (1, -1)",
)
D.step(
    a**2 * (1 + 1) - 2 * s,
    "<",
    0,
    given=[(s, ">", a**2)],
    because="the form at (1, 1) is negative if s_k > s_i",
)

D.remark("Empty neurons with missing modes.")
h = D.index("h", m)
M, N = D.matrix("M", m, k), D.matrix("N", k, m)
D.step(
    -2 * dot(K, N * M),
    "=",
    -2 * sum_over(h, sum_over(n, K[n, n] * N[n, h] * M[h, n])),
    because="M and N are the coordinates of PO E and F PO: m - r free ones per missing mode",
)
D.step(
    -2 * s * x * y,
    "=",
    s * ((x - y) ** 2 / 2) - s * ((x + y) ** 2 / 2),
    because="eigenvalues s_k along (1, -1) and -s_k along (1, 1)",
)
D.remark("So the index is the number of pairs (i, k) with s_k > s_i, plus m - r times the number of s_k > 0.")
D.ships(
    formulas.hvp,
    (
        second.T * (U * (A * X + Y * A) * V.T + U * A * B * PV) - E2.T * missing,
        (U * (A * X + Y * A) * V.T + PU * C * A * V.T) * first.T - missing * E1.T,
    ),
    W1=first,
    W2=second,
    D1=E1,
    D2=E2,
    Sxx=identity(d),
    Syx=target,
)
