"""The implicit bias of one linear neuron: a potential whose mirror flow its map follows, and its sign rule.

For f(x) = a w.x at unit rates and any data the map beta = a w obeys
beta' = -M Xᵀ(X beta - y) with M = a² + w wᵀ. With S = sqrt(delta² + 4|beta|²)
= a² + |w|² the potential Phi = (S - 2 delta) sqrt(S + delta)/3 has the
gradient sqrt(2) sign(a) w, and M times its Hessian is sqrt(S + delta): a mirror
flow in a time of its own. Where a changes sign the gradient jumps and w does
not, so the linear term of the variational problem carries sign(a_inf/a_0).

Source: after Kunin et al. 2024; the sign rule and the closed limit own.
"""

from sympy import sqrt

from toymodels.derive import Derivation, dot, identity, norm
from toymodels.solutions import one_neuron_bias

D = Derivation("The implicit bias of one linear neuron", source="after Kunin et al. 2024; the sign rule own")
n, d = D.sizes("n d")

D.remark("p = √2 a and q = √2 w obey the neuron's flow; f is minus the gradient of the loss in the map.")
p, q, f = D.scalar("p"), D.vector("q", d), D.vector("f", d)
D.flow({q: p * f, p: dot(q, f)}, because="gradient flow at unit rates")
beta, mobility = D.let(beta=p * q / 2, mobility=(p**2 * identity(d) + q * q.T) / 2)
imbalance, spread = D.let(imbalance=(p**2 - norm(q) ** 2) / 2, spread=(p**2 + norm(q) ** 2) / 2)
D.step(D.dt(imbalance), "=", 0, because="both squares move by 2 p q.f")
D.step(D.dt(beta), "=", mobility * f, because="product rule")
D.step(spread**2, "=", imbalance**2 + 4 * norm(beta) ** 2, because="4 |beta|² = p² |q|²")
D.remark("So the mobility is a function of the map: p² = spread + imbalance and q = 2 beta/p.")
D.ships(one_neuron_bias.mobility, mobility, root=p)

D.remark("The potential at |beta| = r and imbalance λ as it is printed.")
r, lam = D.scalar("r", positive=True), D.scalar("lam")
s = D.let(s=sqrt(lam**2 + 4 * r**2))
D.step(
    D.gradient((s - 2 * lam) * sqrt(s + lam) / 3, r),
    "=",
    sqrt(s - lam),
    because="chain rule through both roots",
)

D.remark(
    "The same without roots: P = √(S + δ) and Q = √(S - δ) move so that R = |beta| has speed 1 and δ rests."
)
P, Q = D.scalars("P Q", positive=True)
S, delta, R = D.let(S=(P**2 + Q**2) / 2, delta=(P**2 - Q**2) / 2, R=P * Q / 2)
Phi = D.let(Phi=(S - 2 * delta) * P / 3)
D.step((S - delta) * (S + delta), "=", 4 * R**2, because="both are P² Q²")
D.flow({P: Q / S, Q: P / S}, because="the motion along a ray")
D.step(D.dt(R), "=", 1, because="product rule")
D.step(D.dt(delta), "=", 0, because="P P' = Q Q'")
D.step(D.dt(Phi), "=", Q, because="δ rests, and S' = 4 R/S")
D.step(P / S / (Q / R), "=", (S + delta) / (2 * S), because="Φ'' = Q' over Φ'/R; P² = S + δ")
D.ships(one_neuron_bias.potential_value, Phi, spread=S, root=P)

D.remark("In space: R u moves along v at fixed δ.")
u, v = D.matrix("u", d, 1, "frame"), D.vector("v", d, constant=True)
D.flow(
    {u: (v - dot(u, v) * u) / R, P: dot(u, v) * Q / S, Q: dot(u, v) * P / S},
    because="its direction and its length",
)
D.step(D.dt(R * u), "=", v, because="product rule")
D.step(D.dt(Phi), "=", dot(Q * u, v), because="the gradient of Φ is Q u")
curvature = D.let(curvature=P / S * u * u.T + 2 / P * (identity(d) - u * u.T))
D.step(D.dt(Q * u), "=", curvature * v, because="Φ'' along u, Φ'/R across it")
D.step(
    (P**2 * identity(d) + Q**2 * u * u.T) / 2 * curvature,
    "=",
    P * identity(d),
    because="the mobility at p = P, q = Q u; u uᵀ is a projector",
)
D.remark("So the gradient of Φ moves as P f: a mirror flow in a time of speed P = √2 |a|.")
D.ships(one_neuron_bias.potential_curvature, curvature, direction=u, spread=S, root=P)

D.remark("The gradient of Φ is q for p > 0 and -q for p < 0, where the root √(S + δ) is -p: sign(p) q.")
D.ships(one_neuron_bias.mirror, q, root=p)
D.ships(one_neuron_bias.mirror, -q, root=-p)

D.remark("Data X = T Oᵀ of full row rank, O orthonormal; unseen is the part of any vector outside the rows.")
O, T = D.matrix("O", d, n, "frame", constant=True), D.matrix("T", n, n, "invertible", constant=True)
rho, g = D.vector("rho", n), D.vector("g", d, constant=True)
unseen = D.let(unseen=g - O * (O.T * g))
D.step(T * O.T * unseen, "=", 0, because="OᵀO = 1")
D.flow({q: p * (T * O.T).T * rho, p: dot(q, (T * O.T).T * rho)}, because="f = Xᵀ ρ for any residual ρ")
D.step(D.dt(dot(unseen, q)), "=", 0, because="f lies in the rows, whatever the sign of p")
D.remark(
    "So sign(a) times the gradient of Φ keeps its part outside the rows: the limit is stationary for "
    "Φ(b) - sign(a_inf/a_0) ψ.b on X b = y, ψ the gradient at the start."
)

D.remark("The limit: b in the rows fits the data, and w = b/a + unseen.")
a, c = D.scalar("a", nonzero=True), D.vector("c", n)
b = D.let(b=O * c)
k = D.let(k=a**2 - norm(b / a + unseen) ** 2 + norm(unseen) ** 2)
D.step(k, "=", a**2 - norm(b) ** 2 / a**2, because="b is orthogonal to unseen")
D.step(a**4 - k * a**2 - norm(b) ** 2, "=", 0, because="k = δ + |unseen|² is conserved")
D.step(
    k**2 + 4 * norm(b) ** 2,
    "=",
    (a**2 + norm(b) ** 2 / a**2) ** 2,
    because="4 |b|² completes the square of the line for k",
)
D.step((k + (a**2 + norm(b) ** 2 / a**2)) / 2, "=", a**2, because="the root with the plus sign")
D.remark("So a² = (k + √(k² + 4|b|²))/2, and the map is b + a unseen.")
