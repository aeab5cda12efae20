"""Gradient descent on a scalar mode and on aligned layers: exact maps, thresholds, cycles.

One step multiplies the imbalance by 1 - lr^2 r^2; the product u = a b and
q = a^2 + b^2 form a closed map; a minimum is stable for lr q < 2. The balanced
mode is the cubic map z -> z (1 + rho - z^2), with a 2-cycle z1 z2 = 1, bounded
for rho <= 2 and a tripling of angles at rho = 2.

Source: own; the cubic map after Chen, Bruna 2022, the sharpness after Kreisler
et al. 2023.
"""

from sympy import sin

from toymodels.derive import Derivation
from toymodels.linear import formulas
from toymodels.solutions import cubic_map

D = Derivation(
    "Exact maps of gradient descent on a linear mode", source="own; the cubic map after Chen, Bruna 2022"
)
lr, s = D.scalar("lr", positive=True, constant=True), D.scalar("s", constant=True)
a, b = D.scalars("a b")
r, u, q = s - a * b, a * b, a**2 + b**2
D.steps({a: a + lr * b * r, b: b + lr * a * r}, because="gradient descent on (s - a b)^2/2")
D.ships(formulas.mode_step, (a + lr * b * r, b + lr * a * r))

D.remark("What one step does, exactly.")
D.step(
    D.next(a**2 - b**2),
    "=",
    (a**2 - b**2) * (1 - lr**2 * r**2),
    because="the terms of first order cancel, as under the flow",
)
D.step(D.next(u), "=", u + lr * r * q + lr**2 * r**2 * u, because="expand")
D.step(D.next(q), "=", q * (1 + lr**2 * r**2) + 4 * lr * r * u, because="expand")
D.step(D.next(r), "=", r * (1 - lr * q - lr**2 * r * u), because="u rises by the rest")
D.ships(formulas.mode_imbalance_step, D.next(a**2 - b**2), delta=a**2 - b**2, r=r)
D.ships(formulas.mode_gram_step, (D.next(u), D.next(q)), u=u, q=q)
D.ships(formulas.mode_residual_step, D.next(r), r=r, u=u, q=q)
D.step(
    (a**2 - b**2) ** 2,
    ">=",
    D.next(a**2 - b**2) ** 2,
    given=[(2 - lr**2 * r**2, ">=", 0)],
    slack=(a**2 - b**2) ** 2 * (lr * r) ** 2 * (2 - lr**2 * r**2),
    because="x - x (1 - y)^2 = x y (2 - y)",
)
D.remark(
    "So while lr |r| <= sqrt 2 the sharpness sqrt(delta^2 + 4 s^2) that the flow would reach does not rise."
)

D.remark(
    "At a minimum, r = 0, one direction rests and the other is multiplied by 1 - lr q: stable for lr q < 2."
)
D.step(
    D.along(a + lr * b * r, {a: b, b: a}),
    "=",
    (1 - lr * q) * b + lr * a * r,
    because="along (b, a) the residual falls by q",
)
D.step(D.along(b + lr * a * r, {a: b, b: a}), "=", (1 - lr * q) * a + lr * b * r, because="second component")
D.step(D.along(a + lr * b * r, {a: a, b: -b}), "=", a - lr * b * r, because="along (a, -b) the product rests")
D.step(D.along(b + lr * a * r, {a: a, b: -b}), "=", -b + lr * a * r, because="second component")
D.step(
    q,
    ">=",
    2 * u,
    slack=(a - b) ** 2,
    because="the flattest minimum is balanced: none is stable for lr > 1/s",
)

D.remark("Aligned layers step as their modes do.")
p, m, d, c = D.sizes("p m d c")
U, O, V = D.matrix("U", c, p, "frame"), D.matrix("O", m, p, "frame"), D.matrix("V", d, p, "frame")
A, B, S = D.matrix("A", p, p, "diagonal"), D.matrix("B", p, p, "diagonal"), D.matrix("S", p, p, "diagonal")
R = S - B * A
D.ships(
    formulas.update,
    (O * (A + lr * B * R) * V.T, U * (B + lr * R * A) * O.T),
    W1=O * A * V.T,
    W2=U * B * O.T,
    step=-lr * U * R * V.T,
)

D.remark("Balanced: a = b = z/sqrt(lr) with rho = lr s.")
z, rho = D.scalar("z"), D.scalar("rho", constant=True)
step = z * (1 + rho - z**2)
D.steps({z: step}, because="the mode step in these units")
D.ships(cubic_map.step, D.next(z))
D.ships(cubic_map.slope, D.gradient(step, z))
D.step(D.gradient(step, z), "=", (1 - 2 * rho) + 3 * (rho - z**2), because="at the minimum z^2 = rho")

D.remark("A 2-cycle z1 -> z2 -> z1; k stands for 1 + rho.")
z1, z2, k = D.scalars("z1 z2 k", positive=True)
there, back = z1 * (k - z1**2) - z2, z2 * (k - z2**2) - z1
D.step(z2 * there - z1 * back, "=", (z2**2 - z1**2) * (z1 * z2 - 1), because="the terms with k cancel")
D.remark("Both vanish on a cycle, so z1 z2 = 1 unless z1 = z2; then z1^2 + z2^2 = k, and these two suffice.")
D.step(there, "=", z1 * (k - z1**2 - z2**2) + z2 * (z1 * z2 - 1), because="add and subtract z1 z2^2")
D.step(back, "=", z2 * (k - z1**2 - z2**2) + z1 * (z1 * z2 - 1), because="add and subtract z1^2 z2")
multiplier = 9 - 2 * k**2
D.step(
    (k - 3 * z1**2) * (k - 3 * z2**2),
    "=",
    multiplier + 3 * k * (k - z1**2 - z2**2) + 9 * (z1 * z2 + 1) * (z1 * z2 - 1),
    because="expand; the last two terms vanish on the cycle",
)
D.step(multiplier, "<", 1, given=[(k, ">", 2)], because="k > 2: from its birth at rho = 1")
D.step(
    multiplier,
    ">",
    -1,
    given=[(10, ">", 2 * k**2)],
    because="k < sqrt 5: the cycle is stable until rho = sqrt 5 - 1",
)
D.ships(cubic_map.two_cycle_multiplier, multiplier, rho=k - 1)

D.remark("Bounded up to rho = 2, where it is chaos in closed form.")
w, low = D.scalar("w", nonnegative=True), D.scalar("sigma", between=(0, 2))
square = 2 + low - w
D.step(
    square * (1 + low - square) ** 2,
    "<=",
    2 + low,
    slack=w * ((w - (4 + low) / 2) ** 2 + (2 - low) * (2 + low) / 4),
    because="z^2 = 2 + rho - w: the square of a step stays below 2 + rho",
)
t = D.scalar("t")
chaotic = 2 * sin(t)
D.step(2 * sin(3 * t), "=", chaotic * (3 - chaotic**2), because="the sine of three times an angle")
D.remark("So at rho = 2 the orbit is z_k = 2 sin(3^k t).")
D.ships(cubic_map.step, 2 * sin(3 * t), z=chaotic, rho=2)
