"""The balanced solution with decaying exponentials only: the shift by its fixed point.

With |F| = sqrt(F²) the matrix F + |F| is a fixed point of M' = F M + M F - M²,
and M = F + |F| + E turns the equation into E' = -|F| E - E |F| - E², which a
decaying exponential solves. With a source gamma² (isotropic weights) the same
shift takes Omega = sqrt(F² + gamma²) in place of |F|.

Source: own.
"""

from toymodels.derive import Derivation, diag, elementwise, hadamard, identity
from toymodels.linear import riccati

D = Derivation("The balanced Riccati solution in decaying exponentials", source="own")
n = D.sizes("n")

D.remark("F has the eigenvectors V and the eigenvalues σ f, its modulus the eigenvalues f.")
V, M = D.matrix("V", n, n, "orthogonal"), D.matrix("M", n, n, "symmetric")
rates, signs = D.vector("f", n, "positive"), D.vector("sigma", n, "signs")
F, modulus = D.let(F=V * diag(hadamard(signs, rates)) * V.T, modulus=V * diag(rates) * V.T)
fixed = D.let(fixed=F + modulus)
D.step(modulus * modulus, "=", F * F, because="σ² = 1")
D.step(F * modulus, "=", modulus * F, because="the same eigenvectors")
D.step(
    F * fixed + fixed * F - fixed * fixed,
    "=",
    0,
    because="F and its modulus commute, and their squares agree",
)
E = D.let(E=M - fixed)
D.step(F * M + M * F - M * M, "=", -modulus * E - E * modulus - E * E, because="the terms without E cancel")

D.remark("A for the modulus, C for E at the start, H = exp(-A t), and J the integral of HᵀH.")
A, C = D.matrix("A", n, n, "symmetric", constant=True), D.matrix("C", n, n, "symmetric", constant=True)
H, J = D.matrix("H", n, n), D.matrix("J", n, n)
D.flow({H: -A * H, J: H.T * H})
bracket = D.let(bracket=identity(n) + J * C)
solution = D.let(solution=H * C * bracket.I * H.T)
decays = D.step(D.dt(H), "=", -A * H, because="the law of H")
inverse = D.step(
    D.dt(bracket.I), "=", -bracket.I * (H.T * H) * C * bracket.I, because="derivative of an inverse"
)
three = D.step(
    D.dt(solution),
    "=",
    D.dt(H) * C * bracket.I * H.T + H * C * D.dt(bracket.I) * H.T + H * C * bracket.I * D.dt(H).T,
    because="product rule",
)
D.conclude(
    D.dt(solution),
    "=",
    -A * solution - solution * A - solution * solution,
    by=[three, decays, inverse],
    because="the inverse gives the last term",
)

D.remark("With a source γ²: G and Ω = √(G² + γ²) have the eigenvalues (τ ∓ γ²/τ)/2.")
gamma, tau = D.scalar("gamma", nonnegative=True), D.vector("tau", n, "positive")
G, Omega = D.let(
    G=V * diag(elementwise(lambda z: (z - gamma**2 / z) / 2, tau)) * V.T,
    Omega=V * diag(elementwise(lambda z: (z + gamma**2 / z) / 2, tau)) * V.T,
)
D.step(Omega * Omega, "=", G * G + gamma**2 * identity(n), because="(z + 1/z)² = (z - 1/z)² + 4")
X = D.let(X=M + Omega - G)
D.step(
    G * M + M * G - M * M + gamma**2 * identity(n),
    "=",
    Omega * X + X * Omega - X * X,
    because="G and Ω commute, and Ω² takes up the source",
)
D.ships(riccati.velocity, Omega * X + X * Omega - X * X, M=X, F=Omega)
