"""Aligned modes of two linear layers: the mode equations, what they conserve, and how fast they learn.

On whitened inputs with the target U diag(s) Vᵀ, weights W1 = O diag(a) Vᵀ,
W2 = U diag(b) Oᵀ keep their singular vectors, and each mode follows
a' = b (s - a b), b' = a (s - a b) by itself.

Source: after Saxe, McClelland, Ganguli 2014; widths, signs and the equation of
the residual own.
"""

from toymodels.derive import Derivation, diagonal, hadamard, identity
from toymodels.linear import formulas
from toymodels.solutions import scalar_mode

D = Derivation(
    "Aligned modes of two linear layers learn independently", source="after Saxe, McClelland, Ganguli 2014"
)
p, m, d, c = D.sizes("p m d c")

D.remark("p modes in orthonormal frames: U of the outputs, O of the hidden layer, V of the inputs.")
U = D.matrix("U", c, p, "frame", constant=True)
O = D.matrix("O", m, p, "frame", constant=True)
V = D.matrix("V", d, p, "frame", constant=True)
A, B = D.matrix("A", p, p, "diagonal"), D.matrix("B", p, p, "diagonal")
S = D.matrix("S", p, p, "diagonal", constant=True)
W1, W2, target = D.let(W1=O * A * V.T, W2=U * B * O.T, target=U * S * V.T)
R = D.let(R=S - B * A)
D.step(target - W2 * W1, "=", U * R * V.T, because="OᵀO = 1")
D.flow({A: B * R, B: R * A}, because="the mode equations, all modes at once")
D.step(
    diagonal(B * R),
    "=",
    hadamard(diagonal(B), diagonal(S) - hadamard(diagonal(A), diagonal(B))),
    because="diagonal matrices multiply entry by entry",
)
D.step(D.dt(W1), "=", W2.T * (target - W2 * W1), because="UᵀU = OᵀO = 1; the frames rest")
D.step(D.dt(W2), "=", (target - W2 * W1) * W1.T, because="VᵀV = OᵀO = 1; the frames rest")
D.remark("So the aligned weights obey gradient flow.")
D.ships(formulas.gradient, (-D.dt(W1), -D.dt(W2)), Sxx=identity(d), Syx=target)

D.remark("One mode, with the product u and the residual r.")
a, b = D.scalars("a b")
s = D.scalar("s", constant=True)
u, r = D.let(u=a * b, r=s - a * b)
D.flow({a: b * r, b: a * r}, because="the mode equations")
D.step(D.dt(a**2 - b**2), "=", 0, because="both squares grow by 2 u r")
D.step(
    (a**2 + b**2) ** 2, "=", (a**2 - b**2) ** 2 + 4 * u**2, because="4 u² is the difference of the squares"
)
rises = D.step(D.dt(u), "=", (a**2 + b**2) * r, because="product rule")
falls = D.conclude(D.dt(r), "=", -(a**2 + b**2) * r, by=[rises], because="the target rests")
D.step(D.dt(r**2 / 2), "=", -(a**2 + b**2) * r**2, because="chain rule")

D.remark("N grows at the rate at which the residual falls; N = 1 at the start.")
N = D.scalar("N", positive=True)
D.flow({N: (a**2 + b**2) * N})
whole = D.step(D.dt(r * N), "=", D.dt(r) * N + r * D.dt(N), because="product rule")
grows = D.step(D.dt(N), "=", (a**2 + b**2) * N, because="the law of N")
D.conclude(D.dt(r * N), "=", 0, by=[whole, falls, grows], because="the rates cancel")
D.remark("So r(t) = r(0)/N(t), and the loss is r(0)²/(2 N(t)²).")
D.ships(scalar_mode.residual_rate, a**2 + b**2)
