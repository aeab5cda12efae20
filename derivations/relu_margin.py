"""Margins of ReLU networks under the flow of the exponential loss: the smoothed one rises, and its limit.

For a network that is homogeneous of degree K in its trained parameters,
log(1/N)/|theta|^K with N = sum_i e^{-q_i} < 1 never falls. On two data
directions the margin with fixed output weights tends to (lim L t)^{-1/2}.

Source: the smoothed margin after Lyu, Li 2020; the rest own.
"""

from sympy import exp, log

from toymodels.derive import Derivation, diag, dot, elementwise, norm, ones, quad
from toymodels.relu import formulas, margins

D = Derivation("Margins of ReLU networks", source="own; the smoothed margin after Lyu, Li 2020")
n, q = D.sizes("n q", most=4)

D.remark("The flow of L = N/n: J are the slopes of the margins, e_i = e^{-q_i}, and J theta = K q (Euler).")
theta, J = D.vector("theta", q), D.matrix("J", n, q)
e, kappa = D.vector("e", n), D.scalar("K", positive=True, constant=True)
speed = D.let(speed=J.T * e / n)
D.flow({theta: speed, e: -diag(e) * J * speed}, because="gradient flow, and e_i' = -e_i q_i'")
N = D.let(N=dot(ones(n), e))
D.step(D.dt(N), "=", -n * norm(speed) ** 2, because="so n |theta'|² is the speed of -N")
D.step(
    D.dt(norm(theta) ** 2),
    "=",
    2 / n * dot(J * theta, e),
    because="J theta = K q: theta.theta' = K/n sum e_i q_i",
)

D.remark("Each q_i = log(1/e_i) is at least l = log(1/N), as N is e_i and the rest.")
one, rest = D.scalars("e_1 e_rest", positive=True)
D.step(
    one * log(1 / one) - one * log(1 / (one + rest)),
    "=",
    one * log(1 + rest / one),
    because="logarithm of a quotient",
)
D.step(one * log(1 + rest / one), ">=", 0, because="so sum e_i q_i ≥ N l")

D.remark(
    "Then l/|theta|^K rises: letters for l > 0, N, |theta|², |theta'|², theta.theta' = K (N l + h)/n, h ≥ 0."
)
l, total, square, count = D.scalars("l N_0 rho_2 n_0", positive=True)
h, excess = D.scalars("h Delta", nonnegative=True)
moved = D.let(moved=kappa * (total * l + h) / count)
energy = D.let(energy=moved**2 / square + excess)
D.step(
    count * energy / (total * l) - kappa * moved / square,
    ">=",
    0,
    slack=(kappa**2 * h * (total * l + h) / count / square + count * excess) / (total * l),
    because="l' = n |theta'|²/N and |theta|' |theta| = theta.theta'; excess is ≥ 0 by Cauchy-Schwarz",
)
v, w = D.vector("v", q), D.vector("w", q)
D.step(
    norm(v) ** 2 * norm(w) ** 2,
    ">=",
    dot(v, w) ** 2,
    slack=norm(v * w.T - w * v.T) ** 2 / 2,
    because="|theta'|² is at least (theta.theta')²/|theta|²",
)

D.remark(
    "Fixed output weights, two directions x_1, x_2: the weights follow the integrals U and V of u and v."
)
d = D.sizes("d")
x1, x2 = D.matrix("x_1", d, 1, "frame"), D.matrix("x_2", d, 1, "frame")
alpha, gamma = D.scalars("alpha gamma", positive=True)
U, V = D.scalars("U V")
c = D.let(c=dot(x1, x2))
s2 = 1 - c**2
full, low, high = norm(U * x1 - V * x2) ** 2, norm(V * (x2 - c * x1)) ** 2, norm(U * (x1 - c * x2)) ** 2
D.step(
    alpha * full + gamma * low,
    "=",
    alpha * U**2 - 2 * alpha * c * U * V + (alpha + gamma * s2) * V**2,
    because="phase A: |W|² is the quadratic form of the kernel at (U, V)",
)
D.step(alpha * high + gamma * low, "=", alpha * s2 * U**2 + gamma * s2 * V**2, because="phase B: the same")
D.step(
    alpha * high + gamma * full,
    "=",
    (alpha * s2 + gamma) * U**2 - 2 * gamma * c * U * V + gamma * V**2,
    because="phase C: the same",
)
K, z = D.matrix("K_t", n, n, "positive definite"), D.vector("z", n)
ell = D.scalar("ell", positive=True)
late = D.let(late=ell * K.I * ones(n))
D.step(K * late, "=", ell * ones(n), because="(U, V) = log t K⁻¹1 gives all margins log t, ell = log t")
D.step(quad(K, late), "=", ell**2 * dot(ones(n), K.I * ones(n)), because="|W|² is (log t)² 1ᵀK⁻¹1")
D.step(
    ell**2 / quad(K, late),
    "=",
    1 / dot(ones(n), K.I * ones(n)),
    because="the squared margin over the squared norm: one over the limit of L t",
)
D.ships(formulas.norm_growth, dot(J * theta, e) / n, outputs=J * theta, slope=-e / n)
margin, weights, shift = D.vector("q_i", n), D.vector("pi", n, "positive"), D.vector("shift", 1)
D.ships(margins.log_exponential_loss, log(dot(weights, elementwise(exp, -margin))), q=margin, weights=weights)
