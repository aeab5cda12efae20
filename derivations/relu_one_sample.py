"""One sample, both layers trained: every living neuron turns through one hyperbolic angle tau.

With p = w.x/|x| the flow is a' = X g p, p' = X g a, a hyperbolic rotation with
the clock tau' = X g, X = |x|. So f is a function of E = e^{2 tau}, and for the
square loss E solves a Riccati equation with fixed points E_plus > 0 > E_minus.
A balanced aligned neuron has f' = 2 X f g(f): the logistic equation, or
exponential integrals.

Source: own.
"""

from sympy import Ei, cosh, exp, log, oo, sinh, sqrt, tanh

from toymodels.derive import Derivation, dot, norm
from toymodels.relu import one_sample
from toymodels.solutions import logistic

D = Derivation("One sample with both layers trained", source="own")
m = D.sizes("m")

D.remark("In the clock tau, with s = e^tau, for all living neurons at once.")
a0, p0 = D.vector("a_0", m, constant=True), D.vector("p_0", m, constant=True)
s, X = D.scalar("s", positive=True), D.scalar("X", positive=True, constant=True)
ch, sh = D.let(cosh=(s + 1 / s) / 2, sinh=(s - 1 / s) / 2)
D.flow({s: s})
a, p = D.let(a=ch * a0 + sh * p0, p=ch * p0 + sh * a0)
D.step(D.dt(a), "=", p, because="cosh' = sinh and sinh' = cosh")
D.step(D.dt(p), "=", a, because="cosh' = sinh and sinh' = cosh")
D.step(a + p, "=", s * (a0 + p0), because="it grows by s")
D.step(a - p, "=", (a0 - p0) / s, because="it shrinks by s")
P, Q = D.let(P=dot(a0, p0), Q=(norm(a0) ** 2 + norm(p0) ** 2) / 2)
D.step(
    X * dot(a, p),
    "=",
    X * (P * (s**2 + 1 / s**2) / 2 + Q * (s**2 - 1 / s**2) / 2),
    because="f = X (P cosh 2 tau + Q sinh 2 tau)",
)
D.step(X * dot(a, p), "=", X * ((P + Q) * s**2 + (P - Q) / s**2) / 2, because="E = s²")
D.step(Q + P, "=", norm(a0 + p0) ** 2 / 2, because="so Q ≥ -P")
D.step(Q - P, "=", norm(a0 - p0) ** 2 / 2, because="so Q ≥ P")
angle, aa, pp = D.scalar("tau"), D.scalar("aa", positive=True), D.scalar("pp")
D.step(
    pp * cosh(angle) + aa * sinh(angle),
    "=",
    aa * cosh(angle) * (tanh(angle) + pp / aa),
    because="a neuron dies where tanh tau = -p_0/a_0",
)
D.ships(
    one_sample.turn,
    (aa * (s + 1 / s) / 2 + pp * (s - 1 / s) / 2 - aa, pp * (s + 1 / s) / 2 + aa * (s - 1 / s) / 2 - pp),
    a=aa,
    p=pp,
)

D.remark("Square loss: E' = 2 X E (y - f). B = P + Q > 0, and P - Q = -A ≤ 0.")
E, B, A = D.scalars("E B A", positive=True)
y = D.scalar("y", constant=True)
D.constant(A, B)
f = D.let(f=X * (B * E - A / E) / 2)
rate = D.let(D=sqrt(y**2 + X**2 * A * B))
plus, minus = D.let(E_plus=(y + rate) / (X * B), E_minus=(y - rate) / (X * B))
D.step(2 * E * X * (y - f) + X**2 * B * (E - plus) * (E - minus), "=", 0, because="its two fixed points")
D.step(rate**2, ">=", y**2, slack=X**2 * A * B, because="the final rate 2 X D is at least 2 X |y|")
D.ships(one_sample.output, f, plus=X * B / 2, minus=X * A / 2)

D.remark("Its solution by a Moebius map: e falls as exp(-2 X D t).")
(up, low, R), e = D.scalars("E_1 E_2 R", constant=True), D.scalar("e")
D.flow({e: -R * (up - low) * e})
clock = D.let(clock=(up - low * e) / (1 - e))
D.step(D.dt(clock), "=", -R * (clock - up) * (clock - low), because="R = X² B, and R (E_1 - E_2) = 2 X D")
start = D.scalar("E_0", constant=True)
D.step(D.substitute(clock, {e: (start - up) / (start - low)}), "=", start, because="e at the start")
D.step(X**2 * B * (plus - minus), "=", 2 * X * rate, because="difference of the fixed points")
D.remark(
    "The same with T = tanh(D t)/D for E' = -a E² + 2 b E + c and D² = b² + a c, which T = t joins at D = 0."
)
(qa, qb, qc), T = D.scalars("a_2 b_2 c_2", constant=True), D.scalar("T")
D.flow({T: 1 - (qb**2 + qa * qc) * T**2})
moved = D.let(moved=(start + T * (qb * start + qc)) / (1 + T * (qa * start - qb)))
D.step(D.dt(moved), "=", -qa * moved**2 + 2 * qb * moved + qc, because="quotient rule")
D.ships(one_sample.square_clock, moved, E0=start, A=qa, B=qb, C=qc)

D.remark("All p = -a, so B = 0: E' is affine in E.")
t = D.time()
first, slope = D.scalar("P_0", constant=True), D.scalar("k", nonzero=True, constant=True)
D.flow({E: 2 * slope * E - 2 * slope * first})
D.solution(
    {E: (1 - first) * exp(2 * slope * t) + first}, t, {E: 1}, because="k = X y and P_0 = X P/y; f = X P/E"
)

D.remark("Balanced and aligned, p = a: f' = 2 X f g(f).")
h, target = D.scalar("h", positive=True), D.scalar("y_1", positive=True, constant=True)
h0 = D.scalar("h_0", positive=True, constant=True)
D.flow({h: 2 * X * h * (target - h)}, because="square loss")
D.solution({h: target / (1 + (target / h0 - 1) * exp(-2 * X * target * t))}, t, {h: h0})
D.flow({h: 2 * X * h * exp(-h)}, because="exponential loss")
D.step(D.gradient(Ei(h), h), "=", exp(h) / h, because="the exponential integral")
D.step(D.dt(Ei(h)), "=", 2 * X, because="so t = (Ei(f) - Ei(f_0))/(2 X)")
D.step(h * exp(-h) * Ei(h), "->", 1, approach=(h, oo), because="so L t f tends to 1/(2 X), with L = e^{-f}")
D.step(
    D.gradient(log(Ei(h)), h),
    "=",
    exp(h) / (h * Ei(h)),
    because="which tends to 1: log t is f to first order, and L t log t tends to 1/(2 X)",
)
D.flow({h: 2 * X * h / (1 + exp(h))}, because="logistic loss")
D.step(D.dt(log(h) + Ei(h)), "=", 2 * X, because="so t = (ln(f/f_0) + Ei(f) - Ei(f_0))/(2 X)")
k, z = D.scalar("E_y", positive=True), D.scalar("K", positive=True)
D.ships(logistic.growing, h0 / (k + 2 * h0 * (1 - k) / (2 * target)), u0=h0, E=k, J=(1 - k) / (2 * target))
