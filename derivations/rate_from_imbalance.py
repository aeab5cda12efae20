"""The loss of two linear layers decays at a rate that the conserved imbalance guarantees.

The excess loss falls by |W2ᵀG|² + |G W1ᵀ|², at least (alpha + beta)|G|² where
W2W2ᵀ >= alpha and W1ᵀW1 >= beta. The imbalance bounds both for all time:
W2ᵀW2 >= Lambda, W1W1ᵀ >= -Lambda, and with c eigenvalues of Lambda at or above
alpha the c x c matrix W2W2ᵀ is at least alpha. So excess loss is at most its
start times exp(-2 (alpha + beta) mu t), Sxx >= mu.

Source: after Min, Tarmoun, Vidal, Mallada 2021; the constants own.
"""

from toymodels.derive import Derivation, dot, identity, norm, quad
from toymodels.linear import formulas

D = Derivation(
    "Imbalance guarantees a rate of decay of the loss",
    source="after Min, Tarmoun, Vidal, Mallada 2021; the constants own",
)
m, d, c = D.sizes("m d c")

D.remark("W is a minimiser, G the gradient in the product; Sxx is at least μ, by a semidefinite Z.")
W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
W, Z = D.matrix("W", c, d, constant=True), D.matrix("Z", d, d, "semidefinite", constant=True)
mu = D.scalar("mu", positive=True, constant=True)
Sxx, gap = D.let(Sxx=mu * identity(d) + Z, gap=W2 * W1 - W)
G = D.let(G=gap * Sxx)
excess = D.let(excess=dot(G, gap) / 2)
D.flow({W1: -W2.T * G, W2: -G * W1.T}, because="gradient flow")
falls = D.step(
    D.dt(excess),
    "=",
    -(norm(W2.T * G) ** 2) - norm(G * W1.T) ** 2,
    because="chain rule: minus the squared gradient",
)
D.ships(formulas.residual, G, Syx=W * Sxx)
D.ships(formulas.chain, (W2.T * G, G * W1.T))

D.remark("What the imbalance leaves to each layer, whatever the other one does; it is conserved.")
imbalance = D.let(Lambda=W2.T * W2 - W1 * W1.T)
D.step(D.dt(imbalance), "=", 0, because=D.lemma("conservation"))
x = D.vector("x", m)
D.step(quad(W2.T * W2, x), ">=", quad(imbalance, x), slack=norm(W1.T * x) ** 2, because="W1W1ᵀ ≥ 0")
D.step(quad(W1 * W1.T, x), ">=", -quad(imbalance, x), slack=norm(W2 * x) ** 2, because="W2ᵀW2 ≥ 0")

D.remark("V spans c directions in which the imbalance is at least α, so BᵀB ≥ α for the square B = W2 V.")
V, z = D.matrix("V", m, c, "frame"), D.vector("z", c)
B = D.let(B=W2 * V)
across = (identity(m) - V * V.T) * W2.T * z
D.step(
    quad(W2 * W2.T, z), ">=", norm(B.T * z) ** 2, slack=norm(across) ** 2, because="1 - V Vᵀ is a projector"
)
alpha, beta = D.scalars("alpha beta", nonnegative=True, constant=True)
K, y = D.matrix("K", c, c, "semidefinite"), D.vector("y", c)
BB = D.let(BB=alpha * identity(c) + K)
D.step(
    norm(BB * y) ** 2,
    ">=",
    alpha * quad(BB, y),
    slack=alpha * quad(K, y) + norm(K * y) ** 2,
    because="BB is BᵀB, and z = B y is any vector: |Bᵀz|² ≥ α |z|²",
)

D.remark("So W2W2ᵀ ≥ α, and likewise W1ᵀW1 ≥ β: both layers keep a share of the gradient at all times.")
D.assume((norm(W2.T * G) ** 2, ">=", alpha * norm(G) ** 2), (norm(G * W1.T) ** 2, ">=", beta * norm(G) ** 2))
upper = D.step(norm(W2.T * G) ** 2, ">=", alpha * norm(G) ** 2, because="W2W2ᵀ ≥ α on each column of G")
lower = D.step(norm(G * W1.T) ** 2, ">=", beta * norm(G) ** 2, because="W1ᵀW1 ≥ β on each row of G")
floor = D.step(
    (alpha + beta) * norm(G) ** 2,
    ">=",
    2 * mu * (alpha + beta) * excess,
    slack=(alpha + beta) * (mu * dot(gap, gap * Z) + norm(gap * Z) ** 2),
    because="Sxx² ≥ μ Sxx",
)
rate = 2 * mu * (alpha + beta)
D.conclude(D.dt(excess), "<=", -rate * excess, by=[falls, upper, lower, floor])

D.remark("E = exp(2 (α + β) μ t).")
growth = D.scalar("E", positive=True)
D.flow({growth: rate * growth})
D.step(
    D.dt(excess * growth),
    "=",
    growth * (D.dt(excess) + rate * excess),
    because="product rule; the bracket is ≤ 0",
)
D.remark("So the excess loss is at most its start over E.")
D.ships(formulas.imbalance, imbalance)
