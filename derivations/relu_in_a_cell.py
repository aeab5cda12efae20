"""Exact flows of ReLU neurons inside a cell: fixed output weights, frozen fields, balanced neurons.

With fixed output weights and square loss the residuals obey r' = -K r/n with
a kernel that is constant in the cell, and the weights follow their integral.
With both layers trained in a constant field g, (a, w) turn through the
hyperbolic angle |g| t: a balanced neuron turns to g by tan(phi/2) ~ e^{-|g| t}.

Source: own.
"""

from sympy import atan, cos, cosh, exp, log, pi, sin, sinh, tan

from toymodels.derive import Derivation, diag, dot, hadamard, identity, norm, ones
from toymodels.relu import formulas, frozen

D = Derivation("Exact flows of ReLU neurons inside a cell", source="own")
n, d, m = D.sizes("n d m", most=3)

D.remark("Fixed output weights a and gates G: the outputs are linear in W, and the kernel K is constant.")
X, y = D.matrix("X", n, d, constant=True), D.vector("y", n, constant=True)
W, a, G = D.matrix("W", m, d), D.vector("a", m, constant=True), D.matrix("G", m, n, constant=True)
r = D.let(r=y - hadamard(G, W * X.T).T * a)
K = D.let(K=hadamard(X * X.T, G.T * diag(hadamard(a, a)) * G))
D.flow({W: diag(a) * G * diag(r) * X / n}, because="gradient flow of |r|²/(2n)")
D.step(D.dt(r), "=", -K * r / n, because="w_k moves along the samples that it sees")
D.ships(formulas.hidden_ntk, K, gates=G)

D.remark("K/n = O Λ Oᵀ, the decay E = exp(-Λ t), its integral J.")
O = D.matrix("O", n, n, "orthogonal", constant=True)
Lam = D.matrix("Lambda", n, n, "diagonal", constant=True)
E, J = D.matrix("E", n, n, "diagonal"), D.matrix("J", n, n, "diagonal")
r0, w0, b = D.vector("r_0", n, constant=True), D.vector("w_0", d, constant=True), D.scalar("b", constant=True)
S = D.matrix("S", n, d, constant=True)
D.flow({E: -Lam * E, J: E}, because="E = 1 and J = 0 at the start")
D.step(D.dt(O * E * O.T * r0), "=", -(O * Lam * O.T) * (O * E * O.T * r0), because="OᵀO = 1: r = O E Oᵀ r_0")
D.step(
    D.dt(w0 + b / n * S.T * (O * J * O.T * r0)),
    "=",
    b / n * S.T * (O * E * O.T * r0),
    because="w_k = w_k(0) + a_k/n sum_i G_ki I_i x_i with I the integral of r; S are the samples it sees",
)
s, t, lam = D.scalars("s t lambda", positive=True)
D.step(D.integral(exp(-lam * s), s, 0, t), "=", (1 - exp(-lam * t)) / lam, because="an entry of J")

D.remark("Both layers in a constant field γ e, |e| = 1, with q = e^{γ t}; p_0 is the part of w_0 along e.")
e = D.matrix("e", d, 1, "frame", constant=True)
gam, q = D.scalar("gamma", positive=True, constant=True), D.scalar("q", positive=True)
a0 = D.scalar("a_0", constant=True)
p0, ch, sh = D.let(p0=dot(e, w0), cosh=(q + 1 / q) / 2, sinh=(q - 1 / q) / 2)
D.flow({q: gam * q})
at, wt = D.let(a_t=a0 * ch + p0 * sh, w_t=w0 + (p0 * (ch - 1) + a0 * sh) * e)
D.step(D.dt(at), "=", gam * dot(e, wt), because="a' = w.g")
D.step(D.dt(wt), "=", at * gam * e, because="w' = a g")
D.step(at**2 - norm(wt) ** 2, "=", a0**2 - norm(w0) ** 2, because="cosh² - sinh² = 1")
time = D.scalar("tau", positive=True)
frozen_a = a0 * cosh(gam * time) + p0 * sinh(gam * time)
frozen_w = w0 + (p0 * (cosh(gam * time) - 1) + a0 * sinh(gam * time)) * e
D.ships(frozen.flow, (frozen_w.T, frozen_a * ones(1)), W=w0.T, a=a0 * ones(1), U=gam * e.T, t=time * ones(1))
D.ships(
    frozen.hidden_flow, (w0 + a0 * time * gam * e).T, W=w0.T, a=a0 * ones(1), U=gam * e.T, t=time * ones(1)
)

D.remark(
    "The direction h of w = ρ h turns to the part of g across it; what is trained sets only its clock a/ρ."
)
h, rho, g = D.matrix("h", d, 1, "frame"), D.scalar("rho", positive=True), D.vector("g", d, constant=True)
v = D.scalar("a_v")
D.flow({h: v / rho * (identity(d) - h * h.T) * g, rho: v * dot(h, g)}, because="direction and length")
D.step(D.dt(rho * h), "=", v * g, because="w' = a g, with a at rest or not")

D.remark("Balanced, a = s |w| with s = ±1: the cosine C of the angle to g is s e.w/a.")
w, f, sign = D.vector("w", d), D.scalar("a_w", nonzero=True), D.scalar("s_a", constant=True)
D.flow({w: f * gam * e, f: gam * dot(e, w)})
C = D.let(C=sign * dot(e, w) / f)
D.step(D.dt(C), "=", sign * gam * (1 - (dot(e, w) / f) ** 2), because="quotient rule; (e.w/a)² = C²")
phi, later, speed = D.scalar("phi", between=(0, pi)), D.scalar("later", between=(0, pi)), D.scalar("speed")
angle = D.let(angle=2 * atan(tan(phi / 2) * exp(-speed * t)))
D.step(D.gradient(angle, t), "=", -speed * sin(angle), because="half angles: so (cos)' is speed sin²")
size, u = D.scalar("size", positive=True), D.scalar("u", positive=True, constant=True)
D.flow({q: gam * q})
stretch = D.let(stretch=ch + (1 - u**2) / (1 + u**2) * sh)
turned = u / q
D.step(
    D.dt(stretch),
    "=",
    gam * (1 - turned**2) / (1 + turned**2) * stretch,
    because="u = tan(φ_0/2), so (1 - u²)/(1 + u²) is a cosine: |w|' = s w.g for a = s |w|",
)
T = D.let(T=log(tan(phi / 2) / tan(later / 2)) / speed)
D.step(tan(phi / 2) * exp(-speed * T), "=", tan(later / 2), because="the time between two angles")
D.ships(frozen.angle, angle)
D.ships(frozen.norm, size * (cosh(speed * t) + cos(phi) * sinh(speed * t)))
D.ships(frozen.passage_time, T)
