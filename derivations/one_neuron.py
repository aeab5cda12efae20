"""One linear neuron f(x) = a w.x on whitened inputs: its flow and its solution from every start.

Along the target the neuron is the scalar mode; the part of w across it only
shrinks or grows by e^{-delta t/2}, delta = a² - |w|², and adds a third square
to the common growth.

Source: the setting after Kunin et al. 2024; the solution own.
"""

from toymodels.derive import Derivation, dot, norm
from toymodels.solutions import one_neuron, one_neuron_phase, scalar_mode
from toymodels.spaces import unit_vector

D = Derivation(
    "The flow of one linear neuron from every start", source="own, in the setting of Kunin et al. 2024"
)
n, d = D.sizes("n d")

D.remark("The loss |X a w - Y|²/2 with XᵀX = 1.")
X, Y = D.matrix("X", n, d, "frame", constant=True), D.vector("Y", n, constant=True)
w, a = D.vector("w", d), D.scalar("a")
loss, gap = D.let(loss=norm(a * X * w - Y) ** 2 / 2, gap=X.T * Y - a * w)
D.step(D.gradient(loss, w), "=", -a * gap, because="XᵀX = 1")
D.step(D.gradient(loss, a), "=", -dot(w, gap), because="XᵀX = 1")

D.remark("With layer rates an imbalance is conserved; the rescaled weights ρ w and a/ρ have equal rates.")
rate_w, rate_a = D.scalars("eta_w eta_a", positive=True, constant=True)
D.flow({w: rate_w * a * gap, a: rate_a * dot(w, gap)}, because="gradient flow with layer rates")
D.step(D.dt(rate_w * a**2 - rate_a * norm(w) ** 2), "=", 0, because="both squares move by 2 a w.gap")
g, rho = D.scalars("g rho", positive=True, constant=True)
D.flow({w: g / rho**2 * a * gap, a: g * rho**2 * dot(w, gap)}, because="the rates are g/ρ² and g ρ²")
D.step(D.dt(rho * w), "=", g * (a / rho) * (X.T * Y - (a / rho) * (rho * w)), because="ρ w has the rate g")
D.step(D.dt(a / rho), "=", g * dot(rho * w, X.T * Y - (a / rho) * (rho * w)), because="a/ρ has the rate g")

D.remark(
    "Unit rates and XᵀY = s e with |e| = 1: on the shell of a start the cubic terms are a common factor."
)
s, e = D.scalar("s", positive=True, constant=True), D.matrix("e", d, 1, "frame", constant=True)
D.flow({w: a * (s * e - a * w), a: dot(w, s * e - a * w)})
imbalance, size = D.let(imbalance=a**2 - norm(w) ** 2, size=a**2 + norm(w) ** 2)
D.step(D.dt(imbalance), "=", 0, because="both squares move by 2 a w.(s e - a w)")
D.step(D.dt(w), "=", a * s * e - imbalance / 2 * w - size / 2 * w, because="2 a² is size + imbalance")
D.step(D.dt(a), "=", s * dot(e, w) + imbalance / 2 * a - size / 2 * a, because="2 |w|² is size - imbalance")
nu = D.let(nu=s * dot(e, w) / a)
D.step(D.dt(nu), "=", s**2 - imbalance * nu - nu**2, because="quotient rule")
D.ships(one_neuron_phase.ratio_velocity, D.dt(nu), delta=imbalance)

D.remark("A linear flow p and the square root of its growth N, for any constant δ.")
pw, pa = D.vector("p_w", d), D.scalar("p_a")
root, delta = D.scalar("root", positive=True), D.scalar("delta", constant=True)
q2 = D.let(q2=norm(pw) ** 2 + pa**2)
D.flow({pw: pa * s * e - delta / 2 * pw, pa: s * dot(e, pw) + delta / 2 * pa, root: q2 / (2 * root)})
grows = D.step(D.dt(root**2), "=", q2, because="chain rule")
apart = D.step(D.dt(pa**2 - norm(pw) ** 2), "=", delta * q2, because="the terms with s cancel")
D.conclude(D.dt(pa**2 - norm(pw) ** 2 - delta * root**2), "=", 0, by=[apart, grows])
D.step(
    D.dt(pw / root),
    "=",
    (pa / root) * s * e - delta / 2 * (pw / root) - q2 / root**2 / 2 * (pw / root),
    because="quotient rule: w = p_w/√N solves its equation",
)
D.step(
    D.dt(pa / root),
    "=",
    s * dot(e, pw / root) + delta / 2 * (pa / root) - q2 / root**2 / 2 * (pa / root),
    because="quotient rule: a = p_a/√N solves its equation",
)

D.remark(
    "In the span of a and e as for a scalar mode, target and shell its s and δ; across e by k = exp(-δ t/2)."
)
kappa = D.scalar("kappa", positive=True, constant=True)
x, y = D.drawn(unit_vector("2"), x=None, y=None, constant=True)
target, shell = D.let(target=2 * kappa * x * y, shell=2 * kappa * (y**2 - x**2))
v = D.vector("v", d, constant=True)
across = D.let(across=v - dot(e, v) * e)
plus, minus = D.scalars("c_plus c_minus", constant=True)
h, k = D.scalars("h k", positive=True)
D.flow({h: -kappa * h, k: -shell / 2 * k})
top_a, top_w = D.let(top_a=y * plus - x * minus * h**2, top_w=x * plus + y * minus * h**2)
grown = D.let(grown=top_w / h * e + k * across)
D.step(D.dt(top_a / h), "=", target * dot(e, grown) + shell / 2 * top_a / h, because=D.lemma("mode_solution"))
D.step(
    D.dt(grown),
    "=",
    top_a / h * target * e - shell / 2 * grown,
    because="along e as for the mode, across it k' = -δ k/2",
)
J, spread = D.let(J=(1 - h**2) / (2 * kappa), spread=norm(across) ** 2 * (1 - k**2) / shell)
growth = D.let(growth=1 + plus**2 * J / h**2 + minus**2 * J + spread)
D.step(
    D.dt(growth),
    "=",
    (top_a / h) ** 2 + norm(grown) ** 2,
    because="e is orthogonal to across; 1 at the start",
)
a0, w0 = D.let(a0=y * plus - x * minus, w0=x * plus + y * minus)
D.step(
    dot(e, target * e - top_a / h * grown / growth),
    "=",
    (target - a0 * w0 + target * spread) / growth,
    because="s N - p_a e.p_w gains s times the spread",
)
D.step(
    (kappa + shell / 2) / target,
    "=",
    target / (kappa - shell / 2),
    because="κ ± δ/2 are 2 κ y² and 2 κ x², the limits of a² and |w|²",
)
square = D.let(square=growth * h**2)
D.ships(scalar_mode.numerators, (top_a, top_w), b0=w0, P=plus, H=h, D=1 - h**2)
D.ships(one_neuron.common_square, square, P=plus, H=h, K=1, spill=spread * h**2)
D.ships(
    one_neuron.residual_along,
    (target - a0 * w0 + target * spread) / growth,
    r0=target - a0 * w0,
    s=target,
    H=h,
    K=1,
    spill=spread * h**2,
)
