"""The conformal quadratic model: anticommuting matrices make the tangent kernel a multiple of the data's.

With f(x) = theta.Q(x) theta / 2 and Q(v)² = |v|² the map beta of the model has
J Jᵀ = S, S = |theta|². So 0 is the one critical point besides the minima,
gradient flow in the map is linear regression in the clock ds = S dt, and what
the data do not see, P_ beta and mu, is conserved.

Source: own.
"""

from toymodels.derive import Derivation, block, dot, identity, norm, ones, quad, trace, zeros
from toymodels.manifold import clifford, formulas

D = Derivation("The conformal quadratic model and its gradient flow", source="own")
m, N = D.sizes("m N", most=3)

D.remark("For any number of inputs: from k matrices Q_j of size m, k + 1 of size 2m.")
V, s = D.matrix("V", m, m, "symmetric"), D.scalar("s")
u, w = D.vector("u", m), D.vector("w", m)
D.remark("They are (u, w) -> (Q(v) w + s u, Q(v) u - s w); V = Q(v), and we apply them twice.")
D.step(V * (V * u - s * w) + s * (V * w + s * u), "=", V * V * u + s**2 * u, because="the mixed terms cancel")
D.step(V * (V * w + s * u) - s * (V * u - s * w), "=", V * V * w + s**2 * w, because="the mixed terms cancel")
D.remark("So Q(v)² = |v|² grows to |v|² + s²; with v + w for v it says Q_j Q_k + Q_k Q_j = 2 δ_jk.")

D.remark("G = Q(g) with |g| = c is c (1 - 2P), P a projector. A = Q(v) for another v, with v.g = a c.")
P, c = D.matrix("P", N, N, "projector", constant=True), D.scalar("c", positive=True, constant=True)
a, B = D.scalar("a", constant=True), D.matrix("B", N, N, constant=True)
Y, theta, one = D.matrix("Y", N, N), D.vector("theta", N), identity(N)
flip = D.let(R=one - 2 * P)
D.remark("What anticommutes with R maps the range of P to its complement and back: it is P B (1 - P) + ...ᵀ.")
D.step(P * (Y * flip + flip * Y) * P, "=", -2 * P * Y * P, because="P R = R P = -P")
D.step(
    (one - P) * (Y * flip + flip * Y) * (one - P),
    "=",
    2 * (one - P) * Y * (one - P),
    because="R leaves the complement alone",
)
swap = D.let(B_R=P * B * (one - P) + (one - P) * B.T * P)
G, A = D.let(G=c * flip, A=a * flip + swap)
D.step(A * G + G * A, "=", 2 * a * c * one, because="B_R anticommutes with R")
D.step(dot(A * theta, G * theta), "=", a * c * norm(theta) ** 2, because="J Jᵀ = S: v.J Jᵀ g = S v.g")
D.step(norm(G * theta) ** 2, "=", c**2 * norm(theta) ** 2, because="|grad L| = |g| |theta|")
D.remark("So theta = 0 and g = 0 are the only critical points.")
D.step(trace(swap), "=", 0, because="tr P B (1 - P) = 0; so tr Q = 0 from two inputs on")

D.remark("One sample x with A = Q(x), f = theta.A theta/2 and any smooth loss φ(f).")
phi, h, f = D.function("phi"), D.vector("h", N), D.let(f=quad(A, theta) / 2)
D.step(D.gradient(phi(f), theta), "=", phi.d(f) * A * theta, because="chain rule; A is symmetric")
D.step(
    D.along(phi(f), {theta: h}, order=2),
    "=",
    phi.d(f, 2) * dot(A * theta, h) ** 2 + phi.d(f) * quad(A, h),
    because="the Hessian is Jᵀ φ'' J + φ' Q(x)",
)

D.remark("Gradient flow theta' = -Q(g) theta at one moment, seen along a fixed v and in S.")
D.flow({theta: -G * theta})
D.step(D.dt(quad(A, theta) / 2), "=", -(norm(theta) ** 2) * a * c, because="(v.beta)' = -S v.g")
D.step(D.dt(norm(theta) ** 2), "=", -4 * (quad(G, theta) / 2), because="S' = -4 g.beta")
D.step(
    norm(theta) ** 2 / 2,
    ">=",
    quad(flip, theta) / 2,
    slack=norm(P * theta) ** 2,
    because="|beta| ≤ S/2; the difference of the squares is mu²",
)
D.step(
    quad(A, (one - P) * theta) / 2,
    "=",
    a * norm((one - P) * theta) ** 2 / 2,
    because="and |beta| = S/2 at eigenvectors, R theta = theta: points with mu = 0 over any beta",
)

D.remark("In the map alone. The rows of X = Z Π span the range of the projector Π, y = X b.")
n, d = D.sizes("n d", most=4)
Z, seen = D.matrix("Z", n, d, constant=True), D.matrix("Pi", d, d, "projector", constant=True)
b, beta, S = D.vector("b", d, constant=True), D.vector("beta", d), D.scalar("S", positive=True)
X, g = D.let(X=Z * seen, g=seen * Z.T * Z * seen * (beta - b) / n)
L = D.let(L=norm(Z * seen * (beta - b)) ** 2 / (2 * n))
D.flow({beta: -S * g, S: -4 * dot(g, beta)}, because="from theta, above")
D.step(D.gradient(L, beta), "=", g, because="Xᵀ(X beta - y)/n")
D.step(D.dt((identity(d) - seen) * beta), "=", 0, because="g lies in the row space")
moved = D.step(D.dt(S**2), "=", -8 * S * dot(g, beta), because="chain rule")
mapped = D.step(D.dt(norm(beta) ** 2), "=", -2 * S * dot(g, beta), because="chain rule")
D.conclude(D.dt(S**2 / 4 - norm(beta) ** 2), "=", 0, by=[moved, mapped], because="mu² is conserved")
D.step(D.dt(L), "=", -S * norm(g) ** 2, because="chain rule")
D.ships(formulas.beta_velocity, D.dt(beta), g=g)
D.ships(formulas.scale_velocity, D.dt(S), b=beta, g=g)
D.ships(formulas.imbalance_square, S**2 / 4 - norm(beta) ** 2, b=beta)
D.ships(formulas.slope, g, b=beta, X=X, y=X * b)
D.ships(formulas.ntk, norm(theta) ** 2 * X * X.T)
D.ships(formulas.hessian_trace, norm(theta) ** 2 * trace(X.T * X) / n)

D.remark(
    "On the minima beta = Π b + rest with the rest across the row space: S is least where it and mu vanish."
)
mu = D.scalar("mu", nonnegative=True)
rest = D.let(rest=(identity(d) - seen) * beta)
D.step(
    norm(seen * b + rest) ** 2 + mu**2,
    "=",
    norm(seen * b) ** 2 + (norm(rest) ** 2 + mu**2),
    because="Pythagoras: S²/4 = |beta_dag|² + om²",
)

D.remark("The clock ds = S dt: E = Π exp(-Σ s) solves the flow, whatever S is.")
E, start = D.matrix("E", d, d), D.vector("beta_0", d, constant=True)
D.flow({E: -S * X.T * X / n * E, S: -4 * dot(g, beta)}, because="E' = -S Σ E")
path = D.let(path=b + (identity(d) - seen) * (start - b) + E * (start - b))
D.step(D.dt(path), "=", -S * X.T * X / n * (path - b), because="Σ does not see what is across the row space")

D.remark("The rate: Σ = U (κ + e) Uᵀ on the row space, e ≥ 0 diagonal, and beta - b = U z + across.")
r = D.sizes("r", most=4)
U, z = D.matrix("U", d, r, "frame", constant=True), D.vector("z", r)
kap, e = D.scalar("kappa", positive=True, constant=True), D.matrix("e", r, r, "semidefinite", constant=True)
Sigma = D.let(Sigma=U * (kap * identity(r) + e) * U.T)
excess = D.let(excess=quad(Sigma, U * z) / 2)
D.step(
    norm(Sigma * U * z) ** 2,
    ">=",
    2 * kap * excess,
    slack=quad(e, z) * kap + norm(e * z) ** 2,
    because="|g|² ≥ 2 κ L",
)
om, slope, left = D.scalars("om slope L_t", nonnegative=True)
D.step(
    S * slope,
    ">=",
    4 * om * kap * left,
    given=[(S, ">=", 2 * om), (slope, ">=", 2 * kap * left)],
    slack=(S - 2 * om) * slope + 2 * om * (slope - 2 * kap * left),
    because="slope is |g|²: L' ≤ -4 om κ L, so L(t) ≤ L(0) exp(-4 om κ t)",
)

D.remark("On the minima H = Jᵀ Σ J, with J = √S Oᵀ for orthonormal columns O since J Jᵀ = S.")
O, K, root = D.matrix("O", N, d, "frame"), D.matrix("K", r, r, "diagonal"), D.scalar("root", positive=True)
J, H = D.let(J=root * O.T, H=root**2 * O * U * K * U.T * O.T)
D.step(H * J.T * U, "=", root**2 * J.T * U * K, because="the spectrum of H is S that of Σ")
normal = D.let(P_N=J.T * U * U.T * J / root**2)
D.step(normal * normal, "=", normal, because="Jᵀ Π J/S with Π = U Uᵀ is a projector")
D.step(normal * H, "=", H, because="onto the normals")

D.remark("One sample: theta turns by exp(-ψ R) along the flow, R = Q(x/|x|), and rise is e^ψ.")
rise, l, first = D.scalar("rise", positive=True), D.scalar("gap"), D.vector("theta_0", N, constant=True)
D.flow({rise: l * rise}, because="gap = g.x/|x|")
turned = D.let(turned=((rise + 1 / rise) / 2 * one - (rise - 1 / rise) / 2 * flip) * first)
D.step(D.dt(turned), "=", -l * flip * turned, because="R² = 1; Q(g) = gap R")
D.step(
    quad(flip, turned) / 2,
    "=",
    (rise**2 + rise**-2) / 2 * quad(flip, first) / 2 - (rise**2 - rise**-2) / 2 * norm(first) ** 2 / 2,
    because="its coordinate is om sinh(asinh(b_0/om) - 2 ψ), where |theta_0|²/2 = sqrt(b_0² + om²)",
)

D.remark("Two parameters: f = x_1 a b + x_2 (a² - b²)/2, of which the data see a b.")
p, q, target = D.scalars("p q y_1")
square, miss = D.let(square=(p * q - target) ** 2 / 2, miss=2 * p * q - target)
two = block([[D.gradient(D.gradient(square, x1), x2) * ones(1) for x2 in (p, q)] for x1 in (p, q)])
centred = D.let(H_c=two - (p**2 + q**2) / 2 * identity(2))
D.step(
    centred * centred,
    "=",
    ((p**2 - q**2) ** 2 / 4 + miss**2) * identity(2),
    because="the eigenvalues are S/2 ± sqrt(D²/4 + (2 a b - y)²)",
)
D.step(
    (p * q) ** 2 + ((p**2 - q**2) / 2) ** 2,
    "=",
    ((p**2 + q**2) / 2) ** 2,
    because="so |beta| = R and a² = R + beta_2, b² = R - beta_2 invert the map",
)

D.remark("Three inputs, explicitly, as they ship: four parameters, and the Hopf map.")
nil, unit = zeros(1, 1), ones(1)
cross, mirror = block([[nil, unit], [unit, nil]]), block([[unit, nil], [nil, -unit]])
flat = zeros(2, 2)
Q1, Q2, Q3 = D.let(
    Q1=block([[flat, cross], [cross, flat]]),
    Q2=block([[cross, flat], [flat, -cross]]),
    Q3=block([[mirror, flat], [flat, mirror]]),
)
k = D.sizes("k", most=2)
x, y, t = D.matrix("x", k, 3), D.vector("y", k), D.vector("t", 4)
hopf, slopes = D.let(
    hopf=block([[quad(Q, t) / 2 * unit] for Q in (Q1, Q2, Q3)]),
    J_3=block([[(Q * t).T] for Q in (Q1, Q2, Q3)]),
)
D.step(norm(hopf) ** 2, "=", norm(t) ** 4 / 4, because="Hopf: |beta| = |theta|²/2, so mu = 0")
D.step(D.jacobian(hopf, t), "=", slopes, because="the rows are Q_j theta")
D.step(slopes * slopes.T, "=", norm(t) ** 2 * identity(3), because="they are orthogonal")
loss, pull = D.let(loss=norm(x * hopf - y) ** 2 / (2 * k), pull=x.T * (x * hopf - y) / k)
bend = D.let(Q_g=pull[0, 0] * Q1 + pull[1, 0] * Q2 + pull[2, 0] * Q3)
D.step(D.gradient(loss, t), "=", bend * t, because="Jᵀ g = Q(g) theta")
D.step(bend * bend, "=", norm(pull) ** 2 * identity(4), because="Q(g)² = |g|²: at theta = 0 a strict saddle")
hessian = D.let(hessian=slopes.T * x.T * x * slopes / k + bend)
v = D.vector("v", 4)
D.step(D.along(loss, {t: v}, order=2), "=", quad(hessian, v), because="Jᵀ Σ J + Q(g)")
D.step(trace(hessian), "=", norm(t) ** 2 * trace(x.T * x) / k, because="tr Q = 0, at every theta")


def beta_of_three(theta):
    """`formulas.beta` on the matrices for three inputs."""
    return formulas.beta(theta.reshape(-1), clifford.generators(3))


def gradient_of_three(theta, X, y):
    """`formulas.gradient` on the matrices for three inputs."""
    return formulas.gradient(theta.reshape(-1), clifford.generators(3), X, y.reshape(-1))


def hessian_of_three(theta, X, y):
    """`formulas.hessian` on the matrices for three inputs."""
    return formulas.hessian(theta.reshape(-1), clifford.generators(3), X, y.reshape(-1))


D.ships(beta_of_three, hopf, theta=t)
D.ships(gradient_of_three, bend * t, theta=t, X=x)
D.ships(hessian_of_three, hessian, theta=t, X=x)
