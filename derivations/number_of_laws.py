"""How many independent conservation laws the imbalance of two linear layers holds.

Stack the weights, Q = [W1ᵀ; W2] of shape (N, m), N = d + c. The imbalance is
QᵀJQ with J = diag(-I_d, I_c). At a point of full column rank (m <= N) its
differential reaches every symmetric matrix: m (m + 1)/2 independent laws. At a
point of full row rank (m >= N) its kernel is exactly {J R Q: R antisymmetric},
of dimension N (N - 1)/2: N m - N (N - 1)/2 independent laws.

Source: own argument, in agreement with the Lie algebra of Marcotte, Gribonval,
Peyre 2023.
"""

from toymodels.derive import Derivation, identity
from toymodels.linear import conservation

D = Derivation("The number of independent conservation laws of two linear layers", source="own")
N, m, d, c = D.sizes("N m d c")

D.remark("P projects on the coordinates of the outputs; the imbalance of Q = [W1ᵀ; W2] is QᵀJQ.")
Q, X, P = D.matrix("Q", N, m), D.matrix("X", N, m), D.matrix("P", N, N, "projector")
J = D.let(J=P - (identity(N) - P))
D.step(J * J, "=", identity(N), because="P is a projector")
slope = D.let(slope=X.T * J * Q + Q.T * J * X)
D.step(D.along(Q.T * J * Q, {Q: X}), "=", slope, because="product rule; J is symmetric")

D.remark("m ≤ N, full column rank: every symmetric Z is the slope of the imbalance in some direction V.")
Z = D.matrix("Z", m, m, "symmetric")
V = D.let(V=J * Q * (Q.T * Q).I * Z / 2)
D.step(V.T * J * Q + Q.T * J * V, "=", Z, because="J J = 1, so each term is Z/2")
D.remark("So all m (m + 1)/2 entries are independent.")

D.remark(
    "m ≥ N, full row rank: T is the right inverse of Q. Where the slope along X vanishes, X = J R Q with R "
    "antisymmetric; and every antisymmetric K - Kᵀ gives such a direction, from which it can be recovered."
)
T = D.let(T=Q.T * (Q * Q.T).I)
R = D.let(R=-T.T * X.T * J)
D.step(Q * T, "=", identity(N), because="T is a right inverse")
D.step(J * X, "=", R * Q + T.T * slope, because="TᵀQᵀ = 1")
D.step(R + R.T, "=", -T.T * slope * T, because="QT = 1")
K = D.matrix("K", N, N)
back = D.let(back=J * (K - K.T) * Q)
D.step(back.T * J * Q + Q.T * J * back, "=", 0, because="J J = 1, and K - Kᵀ is antisymmetric")
D.step(J * back * T, "=", K - K.T, because="J J = 1 and QT = 1")
D.remark("So the kernel has the dimension N (N - 1)/2.")

D.remark("In the layers: rotations of inputs, rotations of outputs, and boosts between them.")
W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
A, B, C = D.matrix("A", d, d), D.matrix("B", c, d), D.matrix("C", c, c)
first, second = W1 * (A.T - A) + W2.T * B, B * W1.T + (C - C.T) * W2
D.step(
    D.along(W2.T * W2 - W1 * W1.T, {W1: first, W2: second}),
    "=",
    0,
    because="A - Aᵀ and C - Cᵀ are antisymmetric, and B enters twice with opposite signs",
)
D.ships(conservation.orbit_direction, (first, second))
