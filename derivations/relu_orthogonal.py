"""Orthogonal samples: each has a scalar flow of its own, with deaths at known thresholds; saddles in turn.

With fixed output weights a neuron moves along x_i by the integral of the
residual r_i alone; between deaths the residual decays at S |x_i|²/n, S the
mass a_k² of the neurons alive on x_i. With both layers trained a balanced
neuron aligned with a class of equal samples follows a logistic curve.

Source: own; the saddles in turn after Boursier, Pillaud-Vivien, Flammarion 2022.
"""

from sympy import exp, log

from toymodels.arithmetic import elementary
from toymodels.derive import Derivation, norm, ones
from toymodels.solutions import logistic

D = Derivation(
    "ReLU networks on orthogonal samples",
    source="own; the saddles in turn after Boursier, Pillaud-Vivien, Flammarion 2022",
)
d, n, q = D.sizes("d n q", most=4)

D.remark(
    "Samples x_i = l_i o_i with orthonormal o_i, the columns of O; R are the residuals that a neuron sees."
)
O, L = D.matrix("O", d, n, "frame", constant=True), D.matrix("L", n, n, "diagonal", constant=True)
w, a, R = D.vector("w", d), D.scalar("a", constant=True), D.vector("R", n)
D.flow({w: a / n * O * L * R}, because="gradient flow with the output weight a at rest")
D.step(
    D.dt((O * L).T * w),
    "=",
    a / n * L**2 * R,
    because="OᵀO = 1: z_i moves by a |x_i|²/n times its own residual",
)

D.remark("Between deaths, square loss: r is the size of one residual, I its integral.")
r, I = D.scalars("r I", positive=True)
lam, r0 = D.scalars("lambda r_0", positive=True, constant=True)
t = D.time()
D.flow({r: -lam * r, I: r}, because="lambda = S |x_i|²/n")
D.step(D.dt(r + lam * I), "=", 0, because="so r = r_0 - lambda I")
D.solution({r: r0 * exp(-lam * t), I: r0 * (1 - exp(-lam * t)) / lam}, t, {r: r0, I: 0})
share = D.scalar("p", between=(0, 1))
reached = D.let(t_death=-log(1 - share) / lam)
D.step(
    r0 * (1 - exp(-lam * reached)) / lam,
    "=",
    share * r0 / lam,
    because="a neuron dies on x_i at I = n z_0/(|a| |x_i|²), here a share p < 1 of all that I will be",
)
D.ships(elementary.decay_integral, (1 - exp(-lam * t)) / lam, rate=lam)
D.ships(elementary.growth_time, reached, rate=-lam, growth=share / lam)

D.remark(
    "Both layers, a class of q samples X p_i of target y: a balanced neuron w = a P1/√q along their sum."
)
P, one = D.matrix("P", d, q, "frame"), ones(q)
D.step(P.T * (P * one), "=", one, because="every sample has the same product with the sum")
D.step(norm(P * one) ** 2, "=", q, because="so |w| = a, and the outputs are f = k a² with k = X/√q")
b = D.scalar("a_c", positive=True)
y, k, g, f0 = D.scalars("y k g f_0", positive=True, constant=True)
f = D.let(f=k * b**2)
D.flow({b: b * g * (y - f)}, because="a' = w.U with U = (y - f) X P1/n, so g = X √q/n")
D.step(D.dt(f), "=", 2 * g * f * (y - f), because="chain rule")
F = D.scalar("F", positive=True)
D.flow({F: 2 * g * F * (y - F)})
D.solution({F: y / (1 + (y / f0 - 1) * exp(-2 * g * y * t))}, t, {F: f0})
small = D.scalar("eps", between=(0, 1))
D.step(
    log(y / (k * small**2) - 1) / (2 * g * y) / log(1 / small),
    "->",
    1 / (g * y),
    approach=(small, 0),
    because="the plateau ends at f = y/2, t = log(y/f_0 - 1)/(2 g y), from a = eps at the start",
)
E = exp(-2 * g * y * t)
D.ships(logistic.growing, y / (1 + (y / f0 - 1) * E), u0=f0, E=E, J=(1 - E) / (2 * y))
