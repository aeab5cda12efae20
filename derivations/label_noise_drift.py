"""The drift of the conformal quadratic model under label noise: exact rate, step corrections, fluctuations.

On the minima the gradient of a noisy label is all noise, g = -xi x. So each
step shrinks P_ beta and mu by 1 - eta² xi² |x|², and both decay at the rate
K = sigma² tr Σ in the slow time tau = sum of eta². It is the descent of
(sigma²/4) tr H along the minima. The residual that the noise keeps up raises
the rate at a finite step; for one sample the resummed drift is solved.

Source: own.
"""

from sympy import asinh, log, sqrt

from toymodels.derive import Derivation, dot, identity, norm, quad, trace
from toymodels.manifold import valley_formulas
from toymodels.solutions import resummed_drift

D = Derivation("Label noise steers to the point of least norm", source="own")
n, d, N = D.sizes("n d N", most=4)

D.remark("The noise of one step on the minima, for labels with noise sigma xi.")
X, xi = D.matrix("X", n, d), D.vector("xi", n)
sigma, eta = D.scalar("sigma", positive=True), D.scalar("eta", positive=True)
i = D.index("i", n)
mean_square = D.let(tr_Sigma=trace(X.T * X) / n)
D.step(
    D.mean_over(i, sigma**2 * norm(X.row(i)) ** 2),
    "=",
    sigma**2 * mean_square,
    because="E |g|² for one sample a step: K",
)
D.step(
    D.expectation(norm(sigma / n * X.T * xi) ** 2, xi),
    "=",
    sigma**2 * mean_square / n,
    because="for the full batch the n noises average: K/n",
)
power = D.scalar("power", positive=True)
D.step(
    log(1 - eta**2 * power), "=", -(eta**2) * power, order=(eta, 4), because="log of the factor, |g|² = power"
)
S = D.scalar("S", positive=True)
D.step(
    D.mean_over(i, norm(X.row(i)) ** 2 * (sigma**2 + eta * sigma**2 / 2 * S * norm(X.row(i)) ** 2)),
    "=",
    sigma**2 * (mean_square + eta * S / 2 * D.mean_over(i, norm(X.row(i)) ** 4)),
    because="with the residuals' E r_i² = (eta sigma²/2) S |x_i|²: the rate to first order in eta",
)

D.remark("G = Q(beta_dag) = b (1 - 2P) and A = Q(v), v.beta_dag = a b, as in the document clifford_model.")
P, B = D.matrix("P", N, N, "projector", constant=True), D.matrix("B", N, N, constant=True)
b, a = D.scalar("b", positive=True, constant=True), D.scalar("a", constant=True)
theta, one = D.vector("theta", N), identity(N)
K = D.scalar("K", positive=True, constant=True)
G, A = D.let(G=b * (one - 2 * P), A=a * (one - 2 * P) + P * B * (one - P) + (one - P) * B.T * P)
scale = D.let(S_theta=norm(theta) ** 2)
D.remark("tr H = S tr Σ has the gradient 2 tr Σ theta, and Jᵀ Π J theta = 2 Q(Π beta) theta = 2 G theta.")
D.remark("So -(sigma²/4) times its part along the minima, which is without Jᵀ Π J/S, is this flow.")
D.flow({theta: -K / 2 * (theta - 2 / scale * G * theta)}, because="K = sigma² tr Σ")
D.step(
    D.dt(quad(A, theta) / 2),
    "=",
    -K * (quad(A, theta) / 2 - a * b),
    because="v.beta' = -K v.(beta - beta_dag)",
)
D.step(
    D.dt(scale),
    "=",
    -K * (scale - 4 * (quad(G, theta) / 2) / scale),
    because="theta.G theta is 2 beta.beta_dag",
)

D.remark("In the map, for Π z = beta_dag in the row space: the part across it and mu decay alike.")
seen, z = D.matrix("Pi", d, d, "projector", constant=True), D.vector("z", d, constant=True)
beta = D.vector("beta", d)
rest = (identity(d) - seen) * beta
D.flow({beta: -K * (beta - seen * z), S: -K * (S - 4 * dot(seen * z, beta) / S)})
D.step(D.dt(rest), "=", -K * rest, because="beta_dag lies in the row space")
D.step(
    D.dt(seen * beta - seen * z), "=", -K * (seen * beta - seen * z), because="zero on the minima, so kept"
)
turning = D.step(D.dt(S**2), "=", -2 * K * (S**2 - 4 * dot(seen * z, beta)), because="chain rule")
mapping = D.step(
    D.dt(norm(beta) ** 2), "=", -2 * K * (norm(beta) ** 2 - dot(seen * z, beta)), because="chain rule"
)
D.conclude(
    D.dt(S**2 / 4 - norm(beta) ** 2),
    "=",
    -2 * K * (S**2 / 4 - norm(beta) ** 2),
    by=[turning, mapping],
    because="mu² decays at 2 K",
)
om, size = D.scalar("om", positive=True), D.scalar("b_dag", positive=True, constant=True)
D.flow({om: -K * om}, because="om² = |P_ beta|² + mu²")
R = D.let(R=sqrt(size**2 + om**2))
D.step(
    D.dt(2 * R),
    "=",
    -2 * K * om**2 / R,
    because="the sharpness 2 κ_max R falls all the way to 2 κ_max |beta_dag|",
)
D.step(
    D.dt(R + size),
    "=",
    -2 * (K / 2 * (1 - size / R)) * (R + size),
    because="Q(beta_dag) theta = b theta keeps the share sqrt(R + b): S = 2 R in the flow above",
)

D.remark("Two parameters, theta = (p, q) on p q = y: minus a quarter of (2p, 2q), projected on (p, -q).")
p, q = D.scalar("p", positive=True), D.scalar("q", positive=True)
share = D.let(share=(2 * p * p - 2 * q * q) / (p**2 + q**2))
D.flow({p: -(sigma**2) / 4 * share * p, q: sigma**2 / 4 * share * q})
D.constant(sigma)
D.step(D.dt(p * q), "=", 0, because="(p, -q) is tangent to the hyperbola")
D.step(D.dt(p**2 - q**2), "=", -(sigma**2) * (p**2 - q**2), because="both squares share out tr H = p² + q²")

D.remark("At any step: a mode r of the residual, r+ = (1 - eta λ) r + eta λ sigma xi with λ = S κ.")
lam, V, r, noise = D.scalar("lambda", positive=True), D.scalar("V"), D.scalar("r"), D.scalar("xi_0")
D.step(
    D.expectation(((1 - eta * lam) * r + eta * lam * sigma * noise) ** 2, noise),
    "=",
    (1 - eta * lam) ** 2 * r**2 + eta**2 * lam**2 * sigma**2,
    because="the noise is independent of r: so is the step of the variance",
)
fixed = D.let(V_inf=eta * lam * sigma**2 / (2 - eta * lam))
D.step(
    (1 - eta * lam) ** 2 * V + eta**2 * lam**2 * sigma**2 - V,
    "=",
    eta * lam * (2 - eta * lam) * (fixed - V),
    because="so V is stationary exactly at V_inf",
)
D.ships(valley_formulas.variance_step, (1 - eta * lam) ** 2 * V + eta**2 * lam**2 * sigma**2,
        variance=V, h=lam, lr=eta, noise=lam * sigma**2)  # fmt: skip
D.step(fixed / 2, "=", eta * sigma**2 * lam / 4, order=(eta, 2), because="the plateau eta sigma² tr H/4")
D.step(
    fixed + sigma**2,
    "=",
    sigma**2 / (1 - eta * lam / 2),
    because="residual and label noise together: what |g|² is multiplied by at a finite step",
)
y = D.scalar("y")
D.step(
    D.gradient(2 * sqrt(y**2 + om**2), y),
    "=",
    4 * y / (2 * sqrt(y**2 + om**2)),
    because="S = 2 R: S' = 4 y/S",
)
h = D.scalar("h", positive=True)
mean, spread = D.let(mean=-eta * sigma**2 * y / h, spread=eta * h * sigma**2 / (2 - eta * h))
D.step(
    h * mean + 4 * y / h * spread,
    "=",
    eta * (sigma**2 + spread) * y,
    order=(eta, 2),
    because="where E (p+ - p) = 0: E S r = h E r + S' V balances eta p E e²",
)

D.remark("One sample, s = |x|²: λ = 2 s R, and om falls as follows; F is its clock.")
D.constant(eta)
u, s = D.scalar("u", positive=True), D.scalar("s", positive=True, constant=True)
root = D.let(root=sqrt(size**2 + u**2))
D.step(D.gradient(root - size * asinh(size / u), u), "=", root / u, because="chain rule")
clock = D.let(F=log(u) - eta * s * (root - size * asinh(size / u)))
D.step(D.gradient(clock, u), "=", (1 - eta * s * root) / u, because="by the line above")
D.flow({u: -s * sigma**2 * u / (1 - eta * s * root)}, because="the rate with λ = 2 s R")
D.step(D.dt(clock), "=", -s * sigma**2, because="so F falls at a constant rate")
D.ships(resummed_drift.potential, clock, b=size, q=eta * s)
Rs = D.scalar("R_s", positive=True)
D.ships(resummed_drift.log_rate, -s * sigma**2 / (1 - eta * s * Rs), R=Rs, q=eta * s, c=s * sigma**2)

D.remark("The spread of log om: a step loses eta² s sigma² xi², whose variance is")
D.step(
    D.expectation((eta**2 * s * sigma**2 * (noise**2 - 1)) ** 2, noise),
    "=",
    2 * (eta**2 * s * sigma**2) ** 2,
    because="kurtosis 3; over tau/eta² steps (eta s sigma²)² 2 tau",
)
D.step(
    D.expectation((noise**2 - 1) ** 2, noise, law="rademacher"),
    "=",
    0,
    because="signs have kurtosis 1: no spread to this order",
)

D.remark(
    "Two samples of one input with labels y ± sigma are one with a random sign: whatever φ the step takes."
)
phi, sign = D.function("phi"), D.scalar("sign")
D.step(
    D.expectation(phi(r - sigma * sign), sign, law="rademacher"),
    "=",
    (phi(r - sigma) + phi(r + sigma)) / 2,
    because="either sample is drawn half of the time",
)

D.remark("Without label noise, gradient flow on one sample: v = om sinh ψ, and R = om cosh ψ.")
v, Rv, psi = D.scalars("v R_v psi")
D.flow(
    {v: -2 * s * (v - size) * Rv, Rv: -2 * s * (v - size) * v, psi: -2 * s * (v - size)},
    because="the logistic law with imbalance",
)
D.step(
    D.dt(s / 2 * (Rv - size * psi)),
    "=",
    -((s * (v - size)) ** 2),
    because="minus |g|²: log(om_inf/om_0)/eta tends to its integral, and there the drift stops",
)
