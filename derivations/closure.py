"""The product of two linear layers moves by itself where its Gram matrices are functions of it.

Always W' = -(C2 G + G C1) with C2 = W2W2ᵀ and C1 = W1ᵀW1. Two classes of
weights, which the flow keeps for any inputs, make C1 and C2 functions of W:
balanced ones, and isotropic ones, M J M = gamma² J for M = QQᵀ, J = diag(1, -1).

Source: own; balanced at lambda = 0 after Arora, Cohen, Hazan 2018; the isotropic
class is the finite-width form of the equation of Tu, Aranguri, Jacot 2024.
"""

from toymodels.derive import Derivation, block, identity, zeros
from toymodels.linear import closure

D = Derivation("The product of two linear layers obeys an equation of its own", source="own")
m, d, c = D.sizes("m d c")
W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)

D.remark("R = -G, minus the gradient of any loss in the product.")
R = D.matrix("R", c, d)
D.flow({W1: W2.T * R, W2: R * W1.T}, because="gradient flow")
W, C1, C2 = D.let(W=W2 * W1, C1=W1.T * W1, C2=W2 * W2.T)
D.step(D.dt(W), "=", C2 * R + R * C1, because="product rule")
D.step(D.dt(C2), "=", R * W.T + W * R.T, because="product rule")
D.step(D.dt(C1), "=", R.T * W + W.T * R, because="product rule")
D.ships(closure.product_velocity, D.dt(W), G=-R)

D.remark("In balance, Λ = λ, both Gram matrices solve a quadratic equation given the product.")
imbalance = D.let(Lambda=W2.T * W2 - W1 * W1.T)
D.step(C2 * C2 - W * W.T, "=", W2 * imbalance * W2.T, because="W1W1ᵀ = W2ᵀW2 - Λ")
D.step(C1 * C1 - W.T * W, "=", -W1.T * imbalance * W1, because="W2ᵀW2 = W1W1ᵀ + Λ")

D.remark("V, A, B for W, C1, C2, which move by the three equations above alone; M is QQᵀ.")
V, A, B = D.matrix("V", c, d), D.matrix("A", d, d, "symmetric"), D.matrix("B", c, c, "symmetric")
D.flow({V: B * R + R * A, A: R.T * V + V.T * R, B: R * V.T + V * R.T})
X, Y, Z = D.let(X=B * B - V * V.T, Y=A * A - V.T * V, Z=B * V - V * A)
M, J = D.let(M=block([[A, V.T], [V, B]]), J=block([[identity(d), zeros(d, c)], [zeros(c, d), -identity(c)]]))
D.step(M * J * M, "=", block([[Y, -Z.T], [-Z, -X]]), because="block by block")
D.step(D.dt(X), "=", Z * R.T + R * Z.T, because="product rule")
D.step(D.dt(Y), "=", -Z.T * R - R.T * Z, because="product rule")
D.step(D.dt(Z), "=", X * R - R * Y, because="product rule")
D.remark("So X = γ², Y = γ², Z = 0 stay: all three right sides vanish there, whatever R.")

D.remark("Whitened inputs, R = S - V: a Riccati equation with a source.")
S = D.matrix("S", c, d, constant=True)
F = D.let(F=block([[zeros(d, d), S.T], [S, zeros(c, c)]]))
D.flow({V: B * (S - V) + (S - V) * A, A: (S - V).T * V + V.T * (S - V), B: (S - V) * V.T + V * (S - V).T})
D.step(
    D.dt(M),
    "=",
    F * M + M * F - M * M + (J * M * J * M + M * J * M * J) / 2,
    because="the off-diagonal part of M is (M - J M J)/2; the last term is γ² on the class",
)
D.ships(closure.isotropy, (X, Y, Z), W=V, C2=B, C1=A)
