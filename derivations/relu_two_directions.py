"""Two data directions, exponential loss, fixed output weights: any cell is a Lotka-Volterra equation, solved.

n_plus copies of x_plus with label 1 and n_minus of x_minus with label -1, at an
angle of cosine c. With u and v the shares of the two directions in the loss,
u' = -u (K11 u + k v) and v' = -v (k u + K22 v), with a kernel that depends on
who is active or slides. The ratio v/u solves a linear equation in the clock
lam = B int v, A = K11 - k and B = K22 - k, and L t tends to 1ᵀK⁻¹1.

Source: own; the model after Wang, Ma 2023.
"""

from sympy import exp, log, oo

from toymodels.derive import Derivation, dot, hadamard, ones
from toymodels.solutions import lotka_volterra

D = Derivation(
    "Two data directions: a cell is a Lotka-Volterra equation", source="own; the model after Wang, Ma 2023"
)
d = D.sizes("d")

D.remark(
    "What a neuron of output weight b or -b adds to the velocities of the margins on x_plus and x_minus."
)
plus, minus = (
    D.matrix("x_plus", d, 1, "frame", constant=True),
    D.matrix("x_minus", d, 1, "frame", constant=True),
)
u, v, b = D.scalar("u", positive=True), D.scalar("v", positive=True), D.scalar("b", constant=True)
c = D.let(c=dot(plus, minus))
w = D.vector("w", d)
D.flow({w: b * (u * plus - v * minus)}, because="active on both; the sign of b does not matter")
D.step(D.dt(b * dot(w, plus)), "=", b**2 * (u - c * v), because="|x_plus| = 1")
D.step(D.dt(-b * dot(w, minus)), "=", b**2 * (v - c * u), because="|x_minus| = 1")
D.flow(
    {w: -b * (c * v * plus - v * minus)}, because="negative, sliding on the kink of x_plus: its gate is v c/u"
)
D.step(D.dt(dot(w, plus)), "=", 0, because="it stays on the kink")
D.step(D.dt(b * dot(w, minus)), "=", b**2 * (1 - c**2) * v, because="only the part across x_plus acts")
D.flow(
    {w: b * (u * plus - c * u * minus)}, because="positive, sliding on the kink of x_minus: its gate is u c/v"
)
D.step(D.dt(dot(w, minus)), "=", 0, because="it stays on the kink")
D.step(D.dt(b * dot(w, plus)), "=", b**2 * (1 - c**2) * u, because="only the part across x_minus acts")

D.remark("With the sums over the neurons, K11 = A + k and K22 = B + k; U and V are the integrals of u and v.")
A, B = D.scalar("A", positive=True, constant=True), D.scalar("B", positive=True, constant=True)
k, r0 = D.scalar("k", constant=True), D.scalar("r_0", positive=True, constant=True)
K11, K22 = D.let(K11=A + k, K22=B + k)
U, V, lam, h = D.scalars("U V lam h", positive=True)
D.flow(
    {u: -u * (K11 * u + k * v), v: -v * (k * u + K22 * v), U: u, V: v, lam: B * v, h: -B * v * h},
    because="u and v are e^{-margin}, weighted; h = e^{-lam}",
)
r = D.let(r=v / u)
D.step(D.dt(r), "=", r * u * (A - B * r), because="quotient rule")
solved = D.let(solved=A / B - (A / B - r0) * h)
D.step(D.dt((r - solved) / h), "=", 0, because="r* = A/B: equal at the start, r is r* - (r* - r_0) e^{-lam}")
D.step(D.dt(log(r) + lam - A * U), "=", 0, because="so U = (ln(r/r_0) + lam)/A")
D.step(D.dt(lam - B * V), "=", 0, because="so V = lam/B")
D.step(D.dt(log(u) + K11 * U + k * V), "=", 0, because="so u = u_0 exp(-K11 U - k V)")
rise = D.scalar("g")
nu = D.let(nu=K11 / A + k / B)
fallen = D.let(fallen=K11 * (rise + lam) / A + k * lam / B)
D.step(fallen, "=", K11 / A * rise + nu * lam, because="g = ln(r/r_0): u = u_0 (r/r_0)^(-K11/A) e^{-nu lam}")
D.step(rise - fallen, "=", -k / A * rise - nu * lam, because="ln(v/v_0), as v = r u")
D.ships(lotka_volterra.velocity, (D.dt(u), D.dt(v)), K11=K11, K12=k, K22=K22)
D.ships(lotka_volterra.final_rate, nu, K11=K11, K12=k, K22=K22)
D.ships(lotka_volterra.log_changes, (-fallen, rise - fallen), K11=K11, K12=k, rise=rise)

D.remark("In the integral U of u the ratio is logistic, with G = e^{A U}.")
G = D.scalar("G", positive=True)
D.flow({G: A * u * G})
logistic = D.let(logistic=r0 * G / (1 + r0 * (B / A) * (G - 1)))
D.step(D.dt(logistic), "=", u * logistic * (A - B * logistic), because="it is r_0 at G = 1")
D.ships(lotka_volterra.ratio, logistic, r0=r0, grown=G)

D.remark("The same in the clock alone, dt = dlam/(B r u).")
x, u0, star = D.scalars("x u_0 r_star", positive=True)
ratio = D.let(ratio=star - (star - r0) * exp(-x))
size = D.let(
    size=u0 * exp(-(B * star + k) / (B * star) * log(ratio / r0) - ((B * star + k) / (B * star) + k / B) * x)
)
D.step(D.gradient(ratio, x), "=", star - ratio, because="r' = B v (r* - r)")
D.step(
    D.gradient(size, x) * B * ratio * size,
    "=",
    -size * ((B * star + k) * size + k * ratio * size),
    because="u' = -u (K11 u + k v), with A = B r*",
)

D.remark("Late, at r = r*: 1/u grows linearly, and so does 1/L.")
D.step(D.dt(1 / u), "=", K11 + k * r, because="chain rule")
determinant = D.let(det=K11 * K22 - k**2)
D.step(K11 + k * (A / B), "=", determinant / B, because="det = A B + k (A + B)")
u1, t = D.scalar("u_1", positive=True), D.scalar("t", positive=True)
slope = D.scalar("det_B", positive=True)
D.step(
    t * (1 + A / B) / (1 / u1 + slope * t),
    "->",
    (1 + A / B) / slope,
    approach=(t, oo),
    because="L = u + v = (1 + r) u",
)
first, second = D.let(x_1=B / determinant, x_2=A / determinant)
D.step(K11 * first + k * second, "=", 1, because="x = K⁻¹ 1, first row")
D.step(k * first + K22 * second, "=", 1, because="x = K⁻¹ 1, second row")
D.step((1 + A / B) / (determinant / B), "=", first + second, because="so L t tends to 1ᵀ K⁻¹ 1")

D.remark("Any number of samples: u_i = x_i/T with K x = 1 solves u_i' = -u_i (K u)_i.")
n = D.sizes("n", most=4)
K, T = D.matrix("K", n, n, "positive definite", constant=True), D.scalar("T", positive=True)
D.flow({T: 1})
limit = D.let(limit=K.I * ones(n) / T)
D.step(D.dt(limit), "=", -hadamard(limit, K * limit), because="K K⁻¹ 1 = 1")
