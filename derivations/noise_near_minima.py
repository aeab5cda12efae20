"""Label noise near any manifold of minima: covariance, plateau, drift, and the finite step in a valley.

On the minima the covariance of label noise is c H. So the fluctuation across
them is isotropic, (eta c/2) P_N, and what the third derivatives make of it is
the drift -(c/4) grad tr H along them. In the valley h(q) p²/2 the drift at a
finite step is that of the regulariser -log(1 - eta h/2)/(2 eta), exactly.

Source: after Li, Wang, Arora 2022 and Damian, Ma, Lee 2021; the derivations own.
"""

from sympy import log

from toymodels.derive import Derivation, norm, quad, trace
from toymodels.manifold import valley_formulas

D = Derivation(
    "Label noise descends the trace of the Hessian",
    source="after Li, Wang, Arora 2022 and Damian, Ma, Lee 2021; derived again",
)
n, N, r = D.sizes("n N r", most=4)

D.remark("L = |f - y|²/(2n): on the minima H = Jᵀ J/n. Sample i with noise sigma xi_i pulls along J_i.")
J, xi, sigma = D.matrix("J", n, N), D.vector("xi", n), D.scalar("sigma", positive=True)
H = D.let(H=J.T * J / n)
i = D.index("i", n)
D.step(D.mean_over(i, sigma**2 * J.row(i) * J.row(i).T), "=", sigma**2 * H, because="batch 1: c = sigma²")
D.step(
    D.expectation((sigma / n * J.T * xi) * (sigma / n * J.T * xi).T, xi),
    "=",
    sigma**2 / n * H,
    because="full batch: c = sigma²/n",
)
D.step(
    D.mean_over(i, 4 * sigma**2 * J.row(i) * J.row(i).T),
    "=",
    2 * sigma**2 * (2 * H),
    because="L = |f - y|²/n has the Hessian 2 Jᵀ J/n: there c = 2 sigma²",
)

D.remark("H = U K Uᵀ with K > 0: its range is the normals, P_N = U Uᵀ; Lyap(M) solves H C + C H = M.")
U, K = D.matrix("U", N, r, "frame"), D.matrix("K", r, r, "positive definite")
eta, c = D.scalar("eta", positive=True, constant=True), D.scalar("c", positive=True, constant=True)
hessian, normal, inverse = D.let(H_U=U * K * U.T, P_N=U * U.T, H_plus=U * K.I * U.T)
D.step(hessian * (normal / 2) + normal / 2 * hessian, "=", hessian, because="Lyap(H) = P_N/2")
fluctuation = D.let(C=eta * c / 2 * normal)
D.step(
    hessian * fluctuation + fluctuation * hessian,
    "=",
    eta * c * hessian,
    because="so C is the covariance of the fluctuation, to leading order",
)
D.step(
    hessian * (inverse / 2) + inverse / 2 * hessian, "=", normal, because="Lyap(P_N) = H⁺/2: isotropic noise"
)
D.step(
    trace(hessian * fluctuation) / 2,
    "=",
    eta * c * trace(hessian) / 4,
    because="the mean of the loss, E quad(H)/2",
)
z = D.vector("z", r)
D.step(
    quad(fluctuation, U * z),
    "=",
    eta * c / 2 * norm(U * z) ** 2,
    because="E r_i² is (eta c/2) |grad f_i|², as grad f_i is normal",
)

D.remark("The projection Φ along gradient flow of (u v - y)²/2 keeps u² - v² and ends where u v = y.")
D.remark("It takes (u + e v, v + e u), off the minimum (u, v) along its normal, to (U, V) up to e⁴.")
u, v = D.scalars("u v", positive=True)
e = D.scalar("e")
move = D.let(move=-(e**2) * (u**2 - v**2) / (2 * (u**2 + v**2)))
first, second = D.let(U_e=u * (1 + move), V_e=v * (1 - move))
D.step(first * second, "=", u * v * (1 - move**2), because="on the manifold")
D.step(
    first**2 - second**2,
    "=",
    (u + e * v) ** 2 - (v + e * u) ** 2 + (u**2 - v**2) * move**2,
    because="with the start's difference of squares, (u² - v²)(1 - e²)",
)
share = D.let(share=(2 * u**2 - 2 * v**2) / (u**2 + v**2))
D.step(
    c / 2 * D.hessian(u * (1 + move), e),
    "=",
    -c / 4 * share * u,
    because="the drift (c/2) Φ'' is -(c/4) times the part of grad (u² + v²) along (u, -v)",
)

D.remark("A valley h(q) p²/2 with any h: on p = 0 the Hessian is diag(h, 0).")
p, q, h = D.scalar("p"), D.scalar("q"), D.function("h")
valley = D.let(V=h(q) * p**2 / 2)
D.step(
    D.gradient(D.gradient(D.gradient(valley, p), p), q), "=", h.d(q), because="T[P_N] along q is grad tr H"
)
D.step(
    D.gradient(D.hessian(valley, q), q), "=", h.d(q, 3) * p**2 / 2, because="T[P_T] along q vanishes at p = 0"
)
D.flow({p: -h(q) * p, q: -h.d(q) * p**2 / 2}, because="gradient flow")
D.step(
    D.dt(q - h.d(q) / (4 * h(q)) * p**2),
    "=",
    (h.d(q, 2) * h(q) - h.d(q) ** 2) / (4 * h(q) ** 2) * h.d(q) * p**4 / 2,
    because="so Φ = q - h' p²/(4 h) up to p⁴: Φ'' c h/2 = -(c/4) h', and -(1/4) (log h)' for noise 1",
)
with D.case(q > 0):
    D.flow({p: -(1 + q**2) * p, q: -q * p**2}, because="h = 1 + q²")
    D.step(
        D.dt(log(q) + q**2 / 2 - p**2 / 2),
        "=",
        0,
        because="so q_inf² exp(q_inf²) = q_0² exp(q_0² - p_0²): Lambert's function",
    )

D.remark("The finite step: p+ = p - eta h p - eta kick, the kick of variance c h.")
s, x, kick = D.scalar("s", positive=True), D.scalar("h_0", positive=True), D.scalar("kick")
b, spread = D.scalar("b", between=(0, 1)), D.scalar("variance")
D.step(
    D.expectation((p - eta * x * p - eta * s * kick) ** 2, kick),
    "=",
    (1 - eta * x) ** 2 * p**2 + eta**2 * s**2,
    because="the kick is independent of p",
)
still = D.let(still=eta * c / (2 - eta * x))
D.step((1 - eta * x) ** 2 * still + eta**2 * c * x, "=", still, because="the stationary variance at frozen q")
heavy = D.let(heavy=eta * c * (1 + b) / ((1 - b) * (2 * (1 + b) - eta * x)))
turn = D.let(turn=1 + b - eta * x)
D.step(
    turn**2 * heavy + b**2 * heavy - 2 * turn * b * (turn * heavy / (1 + b)) + eta**2 * c * x,
    "=",
    heavy,
    because="heavy ball p+ = turn p - b p_before - eta kick; E p p_before = turn V/(1 + b)",
)
D.step(
    turn * heavy - b * (turn * heavy / (1 + b)), "=", turn * heavy / (1 + b), because="E p+ p is E p p_before"
)

D.remark("The regulariser R = -(1 + b) log(1 - eta h/(2 (1 + b)))/(2 eta) of the heavy ball; b = 0 without.")
D.step(
    -log(1 - eta * x / 2) / (2 * eta),
    "=",
    x / 4 + eta * x**2 / 16,
    order=(eta, 2),
    because="tr H/4 at small steps; large eigenvalues count for more",
)
gap = D.scalar("gap", positive=True)
D.constant(b)
D.flow({gap: -eta / (2 * (1 + b))}, because="h at speed 1; gap = 1 - eta h/(2 (1 + b))")
D.step(D.dt(-(1 + b) / (2 * eta) * log(gap)), "=", 1 / (4 * gap), because="so dR/dh is 1/(4 gap)")
D.step(
    eta / (2 * (1 - b)) * heavy,
    "=",
    eta**2 * c / (1 - b) ** 2 / (4 * (1 - eta * x / (2 * (1 + b)))),
    because="the mean move of q, -eta h' V/(2 (1 - b)), is a step down R of strength eta c/(1 - b)",
)
slope, lr = D.scalar("slope"), D.scalar("lr", positive=True)
D.ships(valley_formulas.step, (p - lr * x * p - lr * kick, q - lr * slope * p**2 / 2), h=x)
D.ships(valley_formulas.variance_step, (1 - lr * x) ** 2 * spread + lr**2 * c * x, h=x, noise=c)
D.ships(valley_formulas.variance, heavy, h=x, lr=eta, noise=c, momentum=b)
D.ships(valley_formulas.drift, -eta * slope / (2 * (1 - b)) * heavy, h=x, lr=eta, noise=c, momentum=b)
