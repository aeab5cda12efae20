"""Diagonal linear networks beta = u v: exact steps, mirror flow, implicit bias of the flow and of descent.

In w± = (u ± v)/2 a step multiplies w+ by 1 - x and w- by 1 + x, x = eta g. So
alpha² = 2 |w+ w-| shrinks by 1 - x², rho = log(w+/w-) falls by 2 atanh x, and
beta = alpha² sinh rho. Gradient flow is the mirror flow of the hyperbolic
entropy; descent ends where it would from a smaller alpha and a moved start.

Source: after Woodworth et al. 2020 and Even et al. 2023; the derivations own.
"""

from sympy import asinh, atanh, exp, log, sinh, sqrt

from toymodels.derive import Derivation, dot, hadamard, norm, ones
from toymodels.manifold import diagonal_formulas, effective_scale
from toymodels.solutions import hyperbolic_entropy

D = Derivation(
    "Diagonal linear networks and the hyperbolic entropy",
    source="after Woodworth et al. 2020 and Even et al. 2023; derived again",
)
n, d = D.sizes("n d", most=4)

D.remark("All coordinates at once, with the slope g = Xᵀ(X beta - y)/n; step is eta g of any one step.")
u, v = D.vector("u", d), D.vector("v", d)
X, y = D.matrix("X", n, d, constant=True), D.vector("y", n, constant=True)
beta = D.let(beta=hadamard(u, v))
loss = D.let(loss=norm(X * beta - y) ** 2 / (2 * n))
slope = D.let(slope=X.T * (X * beta - y) / n)
D.step(D.gradient(loss, u), "=", hadamard(slope, v), because="chain rule")
D.step(D.gradient(loss, v), "=", hadamard(slope, u), because="chain rule")
step = D.vector("step", d, constant=True)
D.steps({u: u - hadamard(step, v), v: v - hadamard(step, u)}, because="descent, any sampled or noisy g")
one = ones(d)
plus, minus = D.let(w_plus=(u + v) / 2, w_minus=(u - v) / 2)
D.step(hadamard(plus, plus) - hadamard(minus, minus), "=", beta, because="difference of squares")
D.step(D.next(plus), "=", hadamard(one - step, plus), because="sum of both")
D.step(D.next(minus), "=", hadamard(one + step, minus), because="difference of both")
imbalance = D.let(imbalance=2 * hadamard(plus, minus))
D.step(
    D.next(imbalance),
    "=",
    hadamard(one - hadamard(step, step), imbalance),
    because="it is (u² - v²)/2: exact, at every step size",
)
D.ships(diagonal_formulas.update, (u - hadamard(step, v), v - hadamard(step, u)))
D.ships(diagonal_formulas.halves, (plus, minus))
D.ships(diagonal_formulas.imbalance, imbalance)

D.remark("One coordinate, alpha² = scale: beta = scale sinh rho and u² + v² = 2 scale cosh rho.")
p, m = D.scalars("w_p w_m", positive=True)
b, scale = D.let(b=p**2 - m**2, scale=2 * p * m)
G = D.scalar("G", constant=True)
D.flow({p: -G * p, m: G * m}, because="gradient flow u' = -g v, v' = -g u")
D.step(D.dt(scale), "=", 0, because="the rates cancel")
D.step(D.dt(log(p / m)), "=", -2 * G, because="rho' = -2 g")
D.step(
    b**2 + scale**2, "=", (p**2 + m**2) ** 2, because="so u² + v² = 2 (w+² + w-²) is 2 sqrt(beta² + alpha⁴)"
)
D.step(D.dt(b), "=", -2 * (p**2 + m**2) * G, because="beta' = -2 sqrt(beta² + alpha⁴) g")
D.step(scale * sinh(log(p / m)), "=", b, because="e^rho = w+/w-")

D.remark("The hyperbolic entropy of one coordinate.")
z, s = D.scalar("z"), D.scalar("s", positive=True)
psi = D.let(psi=(z * asinh(z / s) - sqrt(z**2 + s**2) + s) / 2)
D.step(D.gradient(psi, z), "=", asinh(z / s) / 2, because="the other terms cancel; rho/2, so a mirror flow")
D.step(D.gradient(asinh(z / s) / 2, z), "=", 1 / (2 * sqrt(z**2 + s**2)), because="positive: psi is convex")
D.ships(hyperbolic_entropy.entropy, psi, beta=z, scale=s)
D.ships(hyperbolic_entropy.slope, asinh(z / s) / 2, beta=z, scale=s)
D.ships(hyperbolic_entropy.curvature, 1 / (2 * sqrt(z**2 + s**2)), beta=z, scale=s)
D.step(
    psi / s,
    "=",
    D.substitute(psi, {z: z / s, s: 1}),
    because="so one variable is enough for large and small alpha",
)
D.step(
    D.substitute(psi, {s: 1}),
    "=",
    z**2 / 4 - z**4 / 48,
    order=(z, 6),
    because="lazy, alpha → ∞: beta²/(4 alpha²) - beta⁴/(48 alpha⁶)",
)
D.step(
    D.substitute(psi, {z: 1}) - (log(2 / s) - 1) / 2,
    "->",
    0,
    approach=(s, 0),
    because="rich, alpha → 0: |beta| (log(2 |beta|/alpha²) - 1)/2",
)
D.step(
    2 * D.substitute(psi, {s: 2 * s}),
    "=",
    s * (2 - sqrt(4 + (z / s) ** 2) + z / s * asinh(z / s / 2)),
    because="Woodworth's Q, for alpha² = 2 s",
)

D.remark("Implicit bias: rho moves in the row space, by Xᵀ nu.")
rho, nu = D.vector("rho", d), D.vector("nu", n)
D.flow(
    {
        rho: -2 * X.T * (X * beta - y) / n,
        nu: -2 * (X * beta - y) / n,
        u: -hadamard(slope, v),
        v: -hadamard(slope, u),
    }
)
D.step(D.dt(rho - X.T * nu), "=", 0, because="so grad psi(beta) - grad psi(beta_0) stays in the row space")
b1, b2, r1, r0 = D.vector("z_1", d), D.vector("beta_inf", d), D.vector("rho_inf", d), D.vector("rho_0", d)
start = D.vector("beta_0", d)
D.step(
    dot(r0, b2 - start) - dot(r0, b1 - start) + dot(r1, b1 - b2),
    "=",
    dot(r1 - r0, b1 - b2),
    because="D(z_1, beta_0) - D(beta_inf, beta_0) - D(z_1, beta_inf), twice: the values of psi cancel",
)
D.step(
    dot(X.T * nu, b1 - b2),
    "=",
    dot(nu, X * b1 - X * b2),
    because="zero where both interpolate: the limit beta_inf is the minimiser, as D ≥ 0",
)

D.remark("Descent: a step x = eta g shrinks the scale and moves the start, as it moves rho.")
x = D.scalar("x", between=(-1, 1), constant=True)
D.steps({p: (1 - x) * p, m: (1 + x) * m}, because="the exact step")
D.step(D.next(p / m), "=", (1 - x) / (1 + x) * p / m, because="e^rho")
D.step(
    log(1 - x) - log(1 + x),
    "=",
    -2 * x - 2 * (atanh(x) - x),
    because="-2 eta g lies in the row space, the rest need not",
)
D.step(D.next(scale), "=", (1 - x**2) * scale, because="both factors")
D.ships(effective_scale.log_shrinkage, log(1 - x**2))
D.ships(effective_scale.start_shift, -2 * (atanh(x) - x))
D.remark(
    "So it ends at alpha_inf² sinh(rho_0 - 2 sum (atanh x - x) + Xᵀ nu), alpha_inf² = alpha² prod (1 - x²)."
)
D.remark("The other form, from rho_0 = 0: log alpha_±² falls by q_±(x) = ∓2 x - log((1 ∓ x)²) at each step.")
lost_p, lost_m = D.let(q_plus=-2 * x - 2 * log(1 - x), q_minus=2 * x - 2 * log(1 + x))
D.step(exp(-(lost_p + lost_m) / 2), "=", 1 - x**2, because="so alpha_inf² is alpha_+ alpha_-")
D.step((lost_m - lost_p) / 2, "=", -2 * (atanh(x) - x), because="so the moved start is log(alpha_+/alpha_-)")
up, down = D.scalars("alpha_p alpha_m", positive=True)
D.step(
    up * down * sinh(log(up / down)),
    "=",
    (up**2 - down**2) / 2,
    because="and beta_0 is the half difference of their squares: both forms are one",
)
