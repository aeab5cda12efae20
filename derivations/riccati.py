"""Balanced two-layer flow on whitened inputs: a matrix Riccati equation and its solution.

With Q = [W1ᵀ; W2] and imbalance lambda the flow is Q' = F Q - Q QᵀQ/2, so
M = QQᵀ obeys M' = F M + M F - M². Its solution is P D^{-1} Pᵀ with P' = F P and
D' = PᵀP: a linear flow divided by its own growth.

Source: the Riccati equation after Fukumizu 1998, the balanced setting after
Braun et al. 2022; every lambda, any widths and the deviation from balance own.
"""

from toymodels.derive import Derivation, block, dot, identity, norm
from toymodels.linear import formulas, riccati

D = Derivation(
    "The balanced flow of two linear layers solves a matrix Riccati equation",
    source="after Fukumizu 1998; every lambda and any widths own",
)
m, d, c, N = D.sizes("m d c N")
W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
S = D.matrix("S", c, d, constant=True)
lam = D.scalar("lam", constant=True)

D.remark(
    "Whitened inputs. Both Gram matrices of the hidden layer follow from their sum and their difference."
)
D.flow({W1: W2.T * (S - W2 * W1), W2: (S - W2 * W1) * W1.T}, because="gradient flow with Sxx = 1, Syx = S")
gram, imbalance = D.let(gram=W1 * W1.T + W2.T * W2, Lambda=W2.T * W2 - W1 * W1.T)
D.step(D.dt(W1.T), "=", S.T * W2 - W1.T * (gram + imbalance) / 2, because="2 W2ᵀW2 is gram + Λ")
D.step(D.dt(W2), "=", S * W1.T - W2 * (gram - imbalance) / 2, because="2 W1W1ᵀ is gram - Λ")

D.remark("Stacked: a linear flow, a cubic term, and the deviation from balance, zero for λ-balanced weights.")
Q = D.let(Q=block([[W1.T], [W2]]))
F = D.let(F=block([[-lam / 2 * identity(d), S.T], [S, lam / 2 * identity(c)]]))
deviation = D.let(deviation=imbalance - lam * identity(m))
D.step(Q.T * Q, "=", gram, because="the blocks multiply and add")
D.step(
    D.dt(Q),
    "=",
    F * Q - Q * (Q.T * Q) / 2 + block([[-W1.T * deviation], [W2 * deviation]]) / 2,
    because="the two lines above, with λ moved into F",
)
D.step(D.dt(deviation), "=", 0, because=D.lemma("conservation"))
x = D.vector("x", m)
D.step(
    norm(W2 * x) ** 2,
    "=",
    norm(W1.T * x) ** 2 + lam * norm(x) ** 2 + dot(x, deviation * x),
    because="the quadratic form of Λ",
)
D.remark("So in balance λ > 0 makes W2 injective, m ≤ c, and λ < 0 makes W1ᵀ injective, m ≤ d.")
D.ships(formulas.gram, Q * Q.T)

D.remark("From here on Z (N, m) is any Q and A any symmetric F: M = ZZᵀ obeys an equation of its own.")
Z, A = D.matrix("Z", N, m), D.matrix("A", N, N, "symmetric", constant=True)
D.flow({Z: A * Z - Z * (Z.T * Z) / 2}, because="the balanced flow")
M = D.let(M=Z * Z.T)
law = D.step(D.dt(Z), "=", A * Z - Z * (Z.T * Z) / 2, because="the law of Z")
both = D.step(D.dt(M), "=", D.dt(Z) * Z.T + Z * D.dt(Z).T, because="product rule")
D.conclude(D.dt(M), "=", A * M + M * A - M * M, by=[both, law], because="A is symmetric")
D.ships(riccati.stacked_velocity, D.dt(Z), Q=Z, F=A)
D.ships(riccati.velocity, D.dt(M), F=A)

D.remark("A solution: P follows the linear flow, the bracket K its growth.")
P, K = D.matrix("P", N, m), D.matrix("K", m, m, "positive definite")
D.flow({P: A * P, K: P.T * P})
quotient = D.let(quotient=P * K.I * P.T)
top = D.step(D.dt(P), "=", A * P, because="the law of P")
bottom = D.step(D.dt(K.I), "=", -K.I * P.T * P * K.I, because="derivative of an inverse")
three = D.step(
    D.dt(quotient),
    "=",
    D.dt(P) * K.I * P.T + P * D.dt(K.I) * P.T + P * K.I * D.dt(P).T,
    because="product rule",
)
D.conclude(
    D.dt(quotient),
    "=",
    A * quotient + quotient * A - quotient * quotient,
    by=[three, top, bottom],
    because="the inverse gives the last term",
)
D.ships(riccati.quotient, quotient, inverse=K.I)

D.remark("From the start Q0: E = exp(A t), which is symmetric, and J the integral of exp(2 A t).")
E, J, Q0 = D.matrix("E", N, N), D.matrix("J", N, N), D.matrix("Q0", N, m, constant=True)
D.flow({E: A * E, J: E.T * E})
D.step(D.dt(E * Q0), "=", A * (E * Q0), because="Q0 rests")
D.step(D.dt(identity(m) + Q0.T * J * Q0), "=", (E * Q0).T * (E * Q0), because="Q0 rests")
D.remark("So P = exp(A t) Q0 and K = 1 + Q0ᵀ J Q0, which are Q0 and 1 at the start.")
D.ships(riccati.growth, identity(m) + Q0.T * J * Q0)
