"""Early decrease of the loss on orthogonally separable data, and the later rate of each class.

While all margins stay below z_0 every slope |l'| is at least g_0, so
|grad L|² is at least sum_c pi_c² g_0² mu_c A_c, a rate that knows no n; and
margins rise at most at G R², which gives the time that this lasts. For
exponential loss 1/L_c grows at least at mu_c A_c.

Source: own, the idea of the early stage after Wang, Ma 2022.
"""

from toymodels.derive import Derivation, dot, norm, ones
from toymodels.relu import formulas

D = Derivation(
    "Early stage of training on orthogonally separable data", source="own; the idea after Wang, Ma 2022"
)
n, d = D.sizes("n d", most=4)
one = ones(n)

D.remark("The slopes of a class, g_j = g_0 + e_j as long as its margins are below z_0.")
g0, top, R2 = D.scalars("g_0 G R_2", positive=True)
e, f, g = D.vector("e", n, "positive"), D.vector("f", n, "positive"), D.vector("g", n, "positive")
D.step(
    dot(one, g0 * one + e) ** 2,
    ">=",
    n**2 * g0**2,
    slack=dot(one, e) * (2 * n * g0 + dot(one, e)),
    because="the class term of |grad L|² with least slopes g_0",
)

D.remark(
    "A margin rises at (1/n) sum_j k_j g_j with k_j ≤ R_2 = R² (masses a_k² sum to 1 at most) and g_j ≤ G."
)
D.step(dot(R2 * one - f, g), "<=", R2 * dot(one, g), slack=dot(f, g), because="k_j = R² - f_j, f_j ≥ 0")
D.step(
    R2 * dot(one, top * one - e), "<=", n * R2 * top, slack=R2 * dot(one, e), because="g_j = G - e_j, e_j ≥ 0"
)
x, y = D.vector("x", d), D.vector("y", d)
D.step(
    norm(x) ** 2 * norm(y) ** 2,
    ">=",
    dot(x, y) ** 2,
    slack=norm(x * y.T - y * x.T) ** 2 / 2,
    because="Cauchy-Schwarz: k_ij ≤ R² with R the largest |x_i|",
)
q, s, more = D.scalar("q"), D.time("s"), D.scalar("h", nonnegative=True)
rate = D.scalar("k", positive=True, constant=True)
D.flow({q: rate - more}, because="k = G R²")
D.step(D.dt(q - rate * s), "<=", 0, slack=more, because="so q ≤ z_0 up to T_1 = (z_0 - max q)/(G R²)")
loss, floor = D.scalar("L", positive=True), D.scalar("rho", positive=True, constant=True)
D.flow({loss: -(floor + more)}, because="rho = g_0² sum_c pi_c² mu_c A_c")
D.step(D.dt(loss + floor * s), "<=", 0, slack=more, because="so L falls by T_1 rho at least")

D.remark("Exponential loss, a class that is pure: |grad L_c|² ≥ mu A L_c², with a mass A that does not fall.")
mass = D.scalar("A", positive=True)
mu, extra = D.scalar("mu", positive=True, constant=True), D.scalar("j", nonnegative=True)
D.flow({loss: -(mu * mass * loss**2 + more), mass: extra}, because="gradient flow")
D.step(
    D.dt(1 / loss),
    ">=",
    mu * mass,
    slack=more / loss**2,
    because="so L_c ≤ 1/(1/L_c(t_0) + mu A(t_0) (t - t_0))",
)
w, a, U = D.vector("w", d), D.scalar("a", positive=True), D.vector("U", d)
D.flow({w: a * U, a: dot(w, U)}, because="U sums signed samples of the class with weights ≥ 0")
D.step(D.dt(a**2), "=", 2 * a * dot(w, U), because="w.U ≥ 0 for a neuron that sees the class alone: A rises")

D.remark(
    "Descent: every margin of the class gains at least c L_c, so L_c falls by the factor e^{-c L_c} at least."
)
c = D.scalar("c", positive=True)
E = D.scalar("E", positive=True)
with D.case(1 + c * loss <= E):
    D.step(
        1 / (loss / E),
        ">=",
        1 / loss + c,
        slack=(E - 1 - c * loss) / loss,
        because="E = e^{c L_c}, as for a single sample",
    )
o = D.vector("o", d)
D.ships(formulas.hidden_gradient_norm, a**2 * norm(o) ** 2, masses=a**2 * ones(1), sums=o.T)
