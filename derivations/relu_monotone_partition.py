"""Orthogonally separable data: neurons keep to their side, and the gradient is large.

In signed samples s_i = y_i x_i orthogonal separability says s_i.s_j ≥ 0, and
a_k y_i z_ki is a_k s_i.w_k. A step of any size moves it up, so true neurons
(a_k y_i > 0) stay alive and false ones die, and no term of |grad L|² is
negative: it is at least what single samples, or single classes, give.

Source: own; who stays alive, and that this bounds the gradient, after Wang, Ma 2022.
"""

from toymodels.derive import Derivation, diag, dot, hadamard, norm, ones, quad
from toymodels.relu import formulas

D = Derivation(
    "Monotone partitions on orthogonally separable data",
    source="own; the idea of the bounds after Wang, Ma 2022",
)
n, d, m = D.sizes("n d m", most=3)

D.remark("One step of a neuron: the samples that it sees have weights r_j = η π_j |l'_j|, the others none.")
w, a = D.vector("w", d), D.scalar("a", constant=True)
S, r = D.matrix("S", n, d, constant=True), D.vector("r", n, "positive", constant=True)
D.steps({w: w + a * S.T * r}, because="descent on any batch, of any size; a_k U_k sums signed samples")
D.step(D.next(a * S * w), "=", a * S * w + a**2 * S * S.T * r, because="every sample seen moves s_i.w")
D.flow({w: a * S.T * r}, because="gradient flow with a at rest")
D.step(D.dt(a * S * w), "=", a**2 * S * S.T * r, because="the same without a step size")
b = D.scalar("b")
D.flow({w: b * S.T * r, b: dot(w, S.T * r)}, because="gradient flow of both layers")
D.step(b * D.dt(S * w), "=", b**2 * S * S.T * r, because="the same, as long as b keeps its sign")
k, g = D.vector("k", n, "positive"), D.vector("g", n, "binary")
D.step(a**2 * dot(k, hadamard(g, r)), ">=", 0, because="k_j = s_i.s_j ≥ 0 for one sample i and any gates")
D.remark(
    "So a_k y_i z_ki never falls: true neurons cross kinks upwards, false ones downwards, and none slides."
)

D.remark("One more sample s, of residual g > 0, beside the sum V of those before it.")
s, V, size = D.vector("s", d), D.vector("V", d), D.scalar("g_s", positive=True)
with D.case(dot(s, V) >= 0):
    D.step(
        norm(V + size * s) ** 2,
        ">=",
        norm(V) ** 2 + size**2 * norm(s) ** 2,
        slack=2 * size * dot(s, V),
        because="induction: |sum g_i s_i|² ≥ sum g_i² |s_i|²",
    )

D.remark(
    "All samples and neurons: K + diag(l) are the products s_i.s_j, K ≥ 0 entry by entry, G any gates ≥ 0."
)
l, h = D.vector("l", n, "positive"), D.vector("h", n, "positive")
K, G, A = D.matrix("K", n, n, "positive"), D.matrix("G", m, n, "positive"), D.vector("A", m, "positive")
j = D.index("j", m)
field = hadamard(G.row(j), h)
D.step(
    D.sum_over(j, A[j, 0] * quad(K + diag(l), field)),
    ">=",
    dot(l, hadamard(hadamard(h, h), hadamard(G, G).T * A)),
    slack=D.sum_over(j, A[j, 0] * quad(K, field)),
    because="|grad_W L|² = sum_k a_k² |U_k|² ≥ sum_i g_i² |x_i|² S_i, as G² = G; A_k = a_k²",
)
X, c, weights = D.matrix("X", n, d), D.vector("c", n), D.vector("o", m)
sums = D.let(sums=G * diag(c) * X)
D.step(
    norm(diag(weights) * sums) ** 2,
    "=",
    dot(hadamard(weights, weights), hadamard(sums, sums) * ones(d)),
    because="neuron by neuron",
)
D.ships(
    formulas.hidden_gradient_norm,
    norm(diag(weights) * sums) ** 2,
    masses=hadamard(weights, weights),
    sums=sums,
)

D.remark("One class, of products s_i.s_j = μ + K_ij with μ ≥ 0 their least, for a neuron alive on all of it.")
mu = D.scalar("mu", nonnegative=True)
D.step(
    quad(mu * ones(n) * ones(n).T + K, h),
    ">=",
    mu * dot(ones(n), h) ** 2,
    slack=quad(K, h),
    because="|U_k|² ≥ μ_c (sum_{i in c} g_i)²: neurons that see a part of it add more",
)

D.remark(
    "Orthogonal samples x_i = l_i o_i and square loss, for gates and residuals R = diag(r_i): no other terms."
)
O, L, Q = D.matrix("O", d, n, "frame"), D.matrix("L", n, n, "diagonal"), D.matrix("Q", n, n, "diagonal")
res = D.vector("r_0", n)
D.step(
    norm(O * L * Q * res / n) ** 2,
    "=",
    norm(L * Q * res) ** 2 / n**2,
    because="OᵀO = 1: |U_k|² = n⁻² sum_i G_ki r_i² |x_i|²",
)
e, e_out, rho = D.vector("e", n, "positive"), D.scalar("e_a", nonnegative=True), D.vector("rho", n)
D.step(
    dot(mu * ones(n) + e, hadamard(rho, rho)) / n**2 + e_out,
    ">=",
    2 * mu / n * (norm(rho) ** 2 / (2 * n)),
    slack=dot(e, hadamard(rho, rho)) / n**2 + e_out,
    because="|x_i|² S_i = μ + e_i with μ their least; e_a is |grad_a L|², and L is |r|²/(2n)",
)
