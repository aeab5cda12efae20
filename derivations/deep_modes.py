"""Products of L layers: conserved differences, the balanced mode, its times, and balanced matrices.

Source: the balanced mode after Saxe, McClelland, Ganguli 2014, the balanced
matrices after Arora, Cohen, Hazan 2018; depth 3 in closed form, infinite depth
and the curvature at a minimum own.
"""

from sympy import atan, log, sqrt

from toymodels.derive import Derivation, sum_over
from toymodels.linear import deep_formulas
from toymodels.solutions import deep_times, infinite_depth

D = Derivation("Modes of deep linear nets", source="after Saxe, McClelland, Ganguli 2014")
s = D.scalar("s", positive=True, constant=True)

D.remark("Two of L scalar layers, a and b; the others multiply to c and may move as they like.")
a, b, c = D.scalars("a b c", nonzero=True)
u = D.let(u=a * b * c)
D.step(D.gradient((s - u) ** 2 / 2, a), "=", -b * c * (s - u), because="chain rule")
D.flow({a: b * c * (s - u), b: a * c * (s - u)}, because="gradient flow of (s - u)²/2")
D.step(D.dt(a**2 - b**2), "=", 0, because="every square grows by 2 u (s - u)")

D.remark("The curvature at a minimum u = s of three layers: rank one.")
x1, x2, x3 = D.scalars("x1 x2 x3")
D.step(
    D.along((s - u) ** 2 / 2, {a: x1, b: x2, c: x3}, order=2),
    "=",
    (b * c * x1 + a * c * x2 + a * b * x3) ** 2 - 2 * (s - u) * (c * x1 * x2 + b * x1 * x3 + a * x2 * x3),
    because="product rule; the last term vanishes at u = s",
)
D.step(
    (b * c) ** 2 + (a * c) ** 2 + (a * b) ** 2,
    "=",
    u**2 * (1 / a**2 + 1 / b**2 + 1 / c**2),
    because="the eigenvalue along (b c, a c, a b); b c = u/a",
)
n = D.sizes("n")
layers, i = D.vector("layers", n, "positive"), D.index("i", n)
D.ships(deep_times.minimum_eigenvalue, sum_over(i, s**2 / layers[i, 0] ** 2), a=layers)

D.remark("Balanced: all L layers are x, and the product is x^L.")
L, x = D.scalar("L", integer=(1, 7)), D.scalar("x", positive=True)
D.flow({x: x ** (L - 1) * (s - x**L)}, because="the other layers multiply to x^(L-1)")
D.step(D.dt(x**L), "=", L * x ** (2 * L - 2) * (s - x**L), because="chain rule")
D.ships(deep_times.velocity, D.dt(x**L), depth=L)

D.remark("Depth 3, with k³ for s and k > y: the time as a function of the layer y.")
y, k = D.scalar("y", positive=True), D.scalar("k", positive=True, constant=True)
D.flow({y: y**2 * (k**3 - y**3)}, because="the balanced mode at L = 3")
D.assume((y, "<", k))
square = D.let(square=y**2 + k * y + k**2)
D.step(
    k**3 / (y**2 * (k**3 - y**3)),
    "=",
    1 / y**2 + (1 / (k - y) + (2 * y + k) / (2 * square) - 3 * k / (2 * square)) / (3 * k),
    because="partial fractions",
)
bracket = D.let(
    bracket=(log(square) / 2 - log(k - y) - sqrt(3) * atan((2 * y + k) / (sqrt(3) * k))) / (3 * k) - 1 / y
)
D.step(
    D.gradient(bracket, y),
    "=",
    k**3 / (y**2 * (k**3 - y**3)),
    because="3 k² + (2 y + k)² is 4 (y² + k y + k²), and partial fractions",
)
D.step(D.dt(bracket / k**3), "=", 1, because="chain rule: it is the time, up to a constant")
D.ships(deep_times.time_3, bracket / k**3, x=y)

D.remark("Infinite depth in the time L t, for the product w.")
w = D.scalar("w", positive=True)
D.flow({w: w**2 * (s - w)}, because="w^(2 - 2/L) goes to w²")
odds = D.let(odds=s / w - 1)
D.step(D.dt(odds), "=", -(s**2) * odds / (1 + odds), because="quotient rule")
D.ships(infinite_depth.product_of, w)
D.ships(infinite_depth.odds_velocity, D.dt(odds))
with D.case(w < s):
    D.step(
        D.dt((log(w / (s - w)) - s / w) / s**2),
        "=",
        1,
        because="chain rule: it is the time, up to a constant",
    )

D.remark("Three balanced matrices W_j = O_j A O_{j-1}ᵀ share their singular values, the diagonal of A.")
d0, d1, d2, d3, r = D.sizes("d0 d1 d2 d3 r")
O = [D.matrix(f"O{j}", size, r, "frame") for j, size in enumerate((d0, d1, d2, d3))]
A, G = D.matrix("A", r, r, "diagonal"), D.matrix("G", d3, d0)
W1, W2, W3 = D.let(W1=O[1] * A * O[0].T, W2=O[2] * A * O[1].T, W3=O[3] * A * O[2].T)
left, right = D.let(left=O[3] * A * A * O[3].T, right=O[0] * A * A * O[0].T)
W = D.let(W=W3 * W2 * W1)
D.step(W2.T * W2, "=", W1 * W1.T, because="frames reduce: balanced")
D.step(W3.T * W3, "=", W2 * W2.T, because="frames reduce: balanced")
D.step(W * W.T, "=", left * left * left, because="frames reduce: left is (WWᵀ)^(1/3)")
D.step(W.T * W, "=", right * right * right, because="frames reduce: right is (WᵀW)^(1/3)")
velocity = D.let(velocity=-(left * left * G + left * G * right + G * right * right))
D.step(
    -W3 * W2 * (W2.T * W3.T * G) - W3 * (W3.T * G * W1.T) * W1 - (G * W1.T * W2.T) * W2 * W1,
    "=",
    velocity,
    because="there is one term per layer, its factors powers of left and right",
)
D.ships(deep_formulas.balanced_velocity, velocity, depth=3)
