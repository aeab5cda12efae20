"""Two data directions, the timeline: plateau, jump of the accuracy, and which phases there are.

alpha and gamma are the masses of the living positive and negative neurons, c
the cosine of the angle, s2 = 1 - c², p = n_plus/n_minus > 1. First positives
are active on both directions and negatives slide (phase A), then both slide (B),
then negatives are active on both (C). The phases that occur, their constants
and the limits of L t follow from the kernels alone.

Source: own; the phases after Wang, Ma 2023.
"""

from sympy import exp, log, oo, sqrt

from toymodels.derive import Derivation, block, ones, zeros
from toymodels.relu import timeline_formulas

D = Derivation("Two data directions: phases, events and limits", source="own; the phases after Wang, Ma 2023")
alpha, gamma, p = D.scalars("alpha gamma p", positive=True)
c = D.scalar("c", between=(0, 1))
s2 = D.let(s2=(1 - c) * (1 + c))

D.remark(
    "The plateau: while x_minus has not come apart from x_plus, L is the best loss of one common output f."
)
f, root = D.scalar("f"), D.scalar("P", positive=True, constant=True)
D.step(
    (p * exp(-f) + exp(f)) / (1 + p),
    ">=",
    2 * sqrt(p) / (1 + p),
    slack=(sqrt(p) * exp(-f / 2) - exp(f / 2)) ** 2 / (1 + p),
    because="a square is not negative; equal at e^f = √p",
)
T, mass = D.scalar("T"), D.scalar("k", constant=True)
D.flow({T: mass * root / (1 + root**2) * (1 - T**2)}, because="T = tanh(k P t/(1 + P²) + artanh(1/P))")
D.step(
    D.dt(root * T),
    "=",
    (root * T) * mass * (root**2 / (root * T) - root * T) / (1 + root**2),
    because="e^f = P T with P² = p solves f' = k (p e^{-f} - e^f)/(1 + p), both directions in one",
)

D.remark("Phase A: positives active on both, negatives slide; K11 = α, k = -α c, K22 = α + γ s2.")
A, B = D.let(A=alpha * (1 + c), B=alpha * (1 + c) + gamma * s2)
D.step(alpha - (-alpha * c), "=", A, because="K11 - k")
D.step(alpha + gamma * s2 - (-alpha * c), "=", B, because="K22 - k")
star = D.let(r_A=alpha / (alpha + gamma * (1 - c)))
D.step(A / B, "=", star, because="1 + c is a common factor")
D.step(
    1 - star,
    "=",
    gamma * (1 - c) / (alpha + gamma * (1 - c)),
    because="so r* < 1: negatives stay on the kink",
)
D.step(alpha / A, "=", 1 / (1 + c), because="the exponent K11/A")
D.step(alpha / A - alpha * c / B, "=", (1 - c) * (alpha + gamma) / B, because="the exponent nu = K11/A + k/B")
D.step(
    alpha - alpha * c * star,
    "=",
    (1 - c) * alpha * (alpha + gamma) / (alpha + gamma * (1 - c)),
    because="the slope K11 + k r* of 1/u on the slow manifold",
)
D.step(
    (1 + star) * p / (1 + p) * (star * p) ** (-1 / (1 + c)),
    "->",
    2 * sqrt(p) / (1 + p),
    approach=(c, 1, "-"),
    because="from u = p/(1 + p), r = 1/p the slow manifold starts on the plateau",
)

D.remark("Events of phase A, with lam its clock, g = ln(r/r_0), U = (g + lam)/A and V = lam/B.")
lam, g = D.scalars("lam g", positive=True)
D.step(c * B - A, "=", -s2 * (alpha - c * gamma), because="expand")
D.step(B - c * A, "=", s2 * (alpha + gamma), because="expand")
D.step(
    -alpha * c * (g + lam) / A + (alpha + gamma * s2) * lam / B,
    "=",
    -(alpha / A) * (c * g - lam * s2 * (alpha + gamma) / B),
    because="f(x_minus) = 0, the jump of the accuracy, is at c g = lam s2 (α + γ)/B",
)
D.step(
    c * (g + lam) / A - lam / B,
    "=",
    (c * g - lam * s2 * (alpha - c * gamma) / B) / A,
    because="positives reach the kink of x_minus, c U = V, at c g = lam s2 (α - c γ)/B",
)
r, x, r1, slope = (
    D.scalar("r", positive=True),
    D.scalar("x"),
    D.scalar("r_1", constant=True),
    D.scalar("m", constant=True),
)
bend = D.scalar("c_0", positive=True, constant=True)
D.flow({r: r1 - r, x: 1}, because="r' = r* - r in the clock x = lam, for r* = r_1")
D.step(D.dt(bend * log(r) - slope * x), "=", bend * (r1 - r) / r - slope, because="chain rule")
D.step(
    D.dt(bend * (r1 - r) / r - slope),
    "=",
    -bend * r1 * (r1 - r) / r**2,
    because="c g - m lam is concave for r < r*: it has a second zero if it rises at first and m > 0",
)
D.step(
    B * (c * (star * p - 1) - s2 * (alpha - c * gamma) / B),
    "=",
    alpha * (1 + c) * (c * p - 1),
    because="its slope at r_0 = 1/p: so positives leave x_minus in phase A if α > c γ, for c p > 1",
)
D.step(
    B * (c * (star * p - 1) - s2 * (alpha + gamma) / B),
    "=",
    (1 + c) * (alpha * (c * p - 1) - gamma * s2),
    because="its slope at r_0 = 1/p: the accuracy jumps later if α c p > α + γ s2",
)
D.step(
    s2 * (alpha + gamma) / B - s2 * (alpha - c * gamma) / B,
    "=",
    gamma * s2 * (1 + c) / B,
    because="positive: it jumps before positives leave",
)

D.remark("Phase B: both slide, and the directions decouple.")
u, v = D.scalars("u v", positive=True)
mu, nu = D.scalars("alpha_s gamma_s", positive=True, constant=True)
D.flow({u: -mu * u**2, v: -nu * v**2}, because="alpha_s = α s2, gamma_s = γ s2")
D.step(D.dt(1 / u), "=", mu, because="chain rule")
D.step(D.dt(1 / v), "=", nu, because="chain rule")
u_A, v_A, t = D.scalars("u_A v_A t", positive=True)
D.step((1 / u_A + mu * t) / (1 / v_A + nu * t), "->", mu / nu, approach=(t, oo), because="r tends to α/γ")
D.step(
    t * (1 / (1 / u_A + mu * t) + 1 / (1 / v_A + nu * t)),
    "->",
    1 / mu + 1 / nu,
    approach=(t, oo),
    because="L = u + v",
)
later = D.let(t_B=(1 / v_A - c / u_A) / (c * mu - nu))
D.step(
    c * (1 / u_A + mu * later),
    "=",
    1 / v_A + nu * later,
    because="negatives see x_plus again when u = c v: in the future iff c α > γ, as u_A > c v_A",
)
D.remark("Phase C: negatives active on both, positives slide; K11 = α s2 + γ, k = -γ c, K22 = γ.")
last = D.let(r_C=1 + alpha / gamma * (1 - c))
D.step((alpha * s2 + gamma + gamma * c) / (gamma + gamma * c), "=", last, because="(K11 - k)/(K22 - k)")
D.step(
    last - 1 / c,
    "=",
    (1 - c) * (c * alpha - gamma) / (c * gamma),
    because="it starts at r = 1/c and for c α > γ rises to r*: it lasts for ever",
)

D.remark(
    "The limits of L t, (K11 + K22 - 2 k)/(K11 K22 - k²): in A if α ≤ c γ, in B if c γ < α ≤ γ/c, else in C."
)
det_A, det_C = D.let(det_A=alpha * (alpha + gamma) * s2, det_C=gamma * (alpha + gamma) * s2)
D.step(alpha * (alpha + gamma * s2) - (alpha * c) ** 2, "=", det_A, because="s2 = 1 - c²")
D.step(
    (alpha + (alpha + gamma * s2) + 2 * alpha * c) / det_A,
    "=",
    (2 + gamma / alpha * (1 - c)) / ((1 - c) * (alpha + gamma)),
    because="phase A",
)
D.step(
    (alpha * s2 + gamma * s2) / (alpha * s2 * gamma * s2),
    "=",
    (1 / alpha + 1 / gamma) / s2,
    because="phase B",
)
D.step((alpha * s2 + gamma) * gamma - (gamma * c) ** 2, "=", det_C, because="s2 = 1 - c²")
D.step(
    (alpha * s2 + gamma + gamma + 2 * gamma * c) / det_C,
    "=",
    (2 + alpha / gamma * (1 - c)) / ((1 - c) * (alpha + gamma)),
    because="phase C",
)
one, none, k_A, k_C = ones(1), zeros(1, 1), -alpha * c * ones(1), -gamma * c * ones(1)
D.ships(timeline_formulas.kernel_A, block([[alpha * one, k_A], [k_A, (alpha + gamma * s2) * one]]), h=1 - c)
D.ships(timeline_formulas.kernel_B, block([[alpha * s2 * one, none], [none, gamma * s2 * one]]), h=1 - c)
D.ships(timeline_formulas.kernel_C, block([[(alpha * s2 + gamma) * one, k_C], [k_C, gamma * one]]), h=1 - c)
D.ships(timeline_formulas.limits_A, (A / B, (A + B) / det_A), h=1 - c)
D.ships(timeline_formulas.limits_B, (alpha / gamma, (1 / alpha + 1 / gamma) / s2), h=1 - c)
D.ships(timeline_formulas.limits_C, (last, (alpha * s2 + 2 * gamma + 2 * gamma * c) / det_C), h=1 - c)
