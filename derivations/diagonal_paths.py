"""Diagonal networks whose path is closed: one direction of inputs, and limits at any depth.

One sample with entries ±s turns the whole net into one logistic law with
imbalance. For beta = w+^D - w-^D with D > 2 the powers w±^(2-D) move linearly
with the integral of the gradient, so beta = a^D h_D(z) with z in the row space.

Source: after Woodworth et al. 2020; the paths own.
"""

from sympy import log, sinh

from toymodels.derive import Derivation
from toymodels.manifold import diagonal_formulas
from toymodels.solutions import imbalanced_logistic

D = Derivation("Closed paths of diagonal networks", source="after Woodworth et al. 2020; the paths own")

D.remark("A coordinate with moment λ and least squares y: beta' = -2 sqrt(beta² + alpha⁴) λ (beta - y).")
w, m = D.scalars("w_p w_m", positive=True)
lam, y = D.scalar("lambda", positive=True, constant=True), D.scalar("y", constant=True)
beta, scale = D.let(beta=w**2 - m**2, scale=2 * w * m)
slope = D.let(slope=lam * (beta - y))
D.flow({w: -slope * w, m: slope * m}, because="gradient flow on an orthogonal design")
D.step(D.dt(beta), "=", -2 * lam * (beta - y) * (w**2 + m**2), because="product rule")
D.ships(imbalanced_logistic.velocity, -2 * lam * (beta - y) * (w**2 + m**2), p=beta, m=scale, rate=lam)

D.remark(
    "One sample with entries ±s: A and B sum alpha_j² e^(±rho_j), signed as x_j; all rho_j share e = e^nu."
)
A, B, s = D.scalars("A B s", positive=True, constant=True)
e = D.scalar("e", positive=True)
p = D.let(p=(A * e - B / e) / 2)
D.flow({e: -2 * s**2 * (p - y) * e}, because="rho_j' = -2 g_j and g_j = ±s (f - s y), f = s p")
size = D.step(p**2 + A * B, "=", ((A * e + B / e) / 2) ** 2, because="m² = A B")
D.step(D.dt(p), "=", -2 * s**2 * (p - y) * (A * e + B / e) / 2, because="the logistic law, with rate s²")
k, size = D.scalars("k m", positive=True)
D.step(
    size * sinh(log(k * e)),
    "=",
    D.substitute(p, {A: size * k, B: size / k}),
    because="so nu = asinh(p/m) - log(A/B)/2, and every beta_j follows from p",
)

D.remark("Depth D: gradient flow moves each power w^(2-D) linearly in s, s' = -g.")
depth = D.scalar("D", integer=(3, 6))
u, v, a = D.scalars("u v a", positive=True)
g = D.scalar("g", constant=True)
D.flow({u: -depth * u ** (depth - 1) * g, v: depth * v ** (depth - 1) * g}, because="beta = u^D - v^D")
D.step(D.dt(u ** (2 - depth)), "=", depth * (depth - 2) * g, because="w_plus: the power rule")
D.step(D.dt(v ** (2 - depth)), "=", -depth * (depth - 2) * g, because="w_minus: the power rule")

D.remark("From weights a: z = -a^(D-2) D (D-2) times the integral of g; r^(D-2) = 1 - z and q^(D-2) = 1 + z.")
D.constant(a, depth)
r, q = D.scalars("r q", positive=True)
turn = D.let(turn=a ** (depth - 2) * depth * g)
D.flow({r: turn * r ** (3 - depth), q: -turn * q ** (3 - depth)})
D.step(D.dt(r ** (depth - 2)), "=", (depth - 2) * turn, because="-z'")
D.step(D.dt(r ** (depth - 2) + q ** (depth - 2)), "=", 0, because="their sum stays 2")
D.step(D.dt(a / r), "=", -depth * (a / r) ** (depth - 1) * g, because="w_plus = a (1 - z)^(-1/(D-2))")
D.step(D.dt(a / q), "=", depth * (a / q) ** (depth - 1) * g, because="w_minus = a (1 + z)^(-1/(D-2))")
D.step(
    (a / r) ** depth - (a / q) ** depth,
    "=",
    a**depth * (r**-depth - q**-depth),
    because="beta = a^D h_D(z), h_D(z) = (1 - z)^(-D/(D-2)) - (1 + z)^(-D/(D-2))",
)
D.step(
    D.dt(r**-depth - q**-depth),
    "=",
    -depth * turn * (r ** (2 - 2 * depth) + q ** (2 - 2 * depth)),
    because="h_D increases with z: it has an inverse, the slope of the potential",
)
D.ships(diagonal_formulas.difference, u**depth - v**depth, w_plus=u, w_minus=v, depth=depth)
