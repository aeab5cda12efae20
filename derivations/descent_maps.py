"""Gradient descent on a scalar mode and on aligned layers: exact maps, thresholds, cycles.

One step multiplies the imbalance by 1 - lr² r²; the product u = a b and
q = a² + b² form a closed map; a minimum is stable for lr q < 2. The balanced
mode is the cubic map z -> z (1 + rho - z²), with a 2-cycle z1 z2 = 1, bounded
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

D.remark("One step on (s - a b)²/2, exactly.")
r, u, q, delta = D.let(r=s - a * b, u=a * b, q=a**2 + b**2, delta=a**2 - b**2)
D.steps({a: a + lr * b * r, b: b + lr * a * r}, because="gradient descent")
D.step(D.next(delta), "=", delta * (1 - lr**2 * r**2), because="the first order cancels, as under the flow")
rises = D.step(D.next(u), "=", u + lr * r * q + lr**2 * r**2 * u, because="the product of both steps")
D.step(D.next(q), "=", q * (1 + lr**2 * r**2) + 4 * lr * r * u, because="the squares of both steps")
D.conclude(D.next(r), "=", r * (1 - lr * q - lr**2 * r * u), by=[rises], because="r is s - u")
D.ships(formulas.mode_step, (a + lr * b * r, b + lr * a * r))
D.ships(formulas.mode_imbalance_step, D.next(delta))
D.ships(formulas.mode_gram_step, (D.next(u), D.next(q)))
D.ships(formulas.mode_residual_step, D.next(r))
D.step(
    delta**2,
    ">=",
    D.next(delta) ** 2,
    given=[(2 - lr**2 * r**2, ">=", 0)],
    slack=delta**2 * (lr * r) ** 2 * (2 - lr**2 * r**2),
    because="1 - (1 - y)² = y (2 - y)",
)
D.remark("So while lr |r| ≤ √2 the sharpness √(δ² + 4 s²) that the flow would reach does not rise.")

D.remark(
    "At a minimum, r = 0, one direction rests and the other is multiplied by 1 - lr q: stable for lr q < 2."
)
D.step(
    D.along(a + lr * b * r, {a: b, b: a}),
    "=",
    (1 - lr * q) * b + lr * a * r,
    because="along (b, a) the residual falls by q",
)
D.step(
    D.along(b + lr * a * r, {a: b, b: a}),
    "=",
    (1 - lr * q) * a + lr * b * r,
    because="along (b, a) the residual falls by q",
)
D.step(D.along(a + lr * b * r, {a: a, b: -b}), "=", a - lr * b * r, because="along (a, -b) the product rests")
D.step(
    D.along(b + lr * a * r, {a: a, b: -b}), "=", -b + lr * a * r, because="along (a, -b) the product rests"
)
D.step(q, ">=", 2 * u, slack=(a - b) ** 2, because="a square is not negative")
D.remark("So no minimum is stable for lr > 1/s; the flattest is balanced.")

D.remark("Aligned layers step as their modes do.")
p, m, d, c = D.sizes("p m d c")
U, O, V = D.matrix("U", c, p, "frame"), D.matrix("O", m, p, "frame"), D.matrix("V", d, p, "frame")
A, B, S = D.matrix("A", p, p, "diagonal"), D.matrix("B", p, p, "diagonal"), D.matrix("S", p, p, "diagonal")
R = D.let(R=S - B * A)
D.ships(
    formulas.update,
    (O * (A + lr * B * R) * V.T, U * (B + lr * R * A) * O.T),
    W1=O * A * V.T,
    W2=U * B * O.T,
    step=-lr * U * R * V.T,
)

D.remark("Balanced, a = b = z/√lr with ρ = lr s.")
z, rho = D.scalar("z"), D.scalar("rho", constant=True)
D.steps({z: z * (1 + rho - z**2)}, because="the mode step in these units")
D.step(
    D.gradient(z * (1 + rho - z**2), z),
    "=",
    (1 - 2 * rho) + 3 * (rho - z**2),
    because="1 - 2 ρ at the minimum z² = ρ",
)
D.ships(cubic_map.slope, D.gradient(z * (1 + rho - z**2), z))

D.remark("A 2-cycle z1 -> z2 -> z1, for k = 1 + ρ: where there and back vanish.")
z1, z2, k = D.scalars("z1 z2 k", positive=True)
there, back = D.let(there=z1 * (k - z1**2) - z2, back=z2 * (k - z2**2) - z1)
D.step(z2 * there - z1 * back, "=", (z2**2 - z1**2) * (z1 * z2 - 1), because="the terms with k cancel")
D.step(there, "=", z1 * (k - z1**2 - z2**2) + z2 * (z1 * z2 - 1), because="z1 z2² is added and subtracted")
D.step(back, "=", z2 * (k - z1**2 - z2**2) + z1 * (z1 * z2 - 1), because="z1² z2 is added and subtracted")
D.remark("So z1 z2 = 1 unless z1 = z2; then z1² + z2² = k; and the two together suffice.")
multiplier = D.let(multiplier=9 - 2 * k**2)
D.step(
    (k - 3 * z1**2) * (k - 3 * z2**2),
    "=",
    multiplier + 3 * k * (k - z1**2 - z2**2) + 9 * (z1 * z2 + 1) * (z1 * z2 - 1),
    because="on the cycle the last two terms vanish",
)
D.step(multiplier, "<", 1, given=[(k, ">", 2)], because="the cycle is born at ρ = 1")
D.step(multiplier, ">", -1, given=[(10, ">", 2 * k**2)], because="the cycle is stable until ρ = √5 - 1")
D.ships(cubic_map.two_cycle_multiplier, multiplier, rho=k - 1)

D.remark("Bounded up to ρ = 2: a step from z² = 2 + ρ - w, for w ≥ 0.")
w, low = D.scalar("w", nonnegative=True), D.scalar("sigma", between=(0, 2))
square = D.let(square=2 + low - w)
D.step(
    square * (1 + low - square) ** 2,
    "<=",
    2 + low,
    slack=w * ((w - (4 + low) / 2) ** 2 + (2 - low) * (2 + low) / 4),
    because="the discriminant in w is ρ² - 4",
)

D.remark("Chaos in closed form at ρ = 2: z_k = 2 sin(3^k t).")
t = D.scalar("t")
orbit = D.let(orbit=2 * sin(t))
D.step(2 * sin(3 * t), "=", orbit * (3 - orbit**2), because="the sine of three times an angle")
D.ships(cubic_map.step, 2 * sin(3 * t), z=orbit, rho=2)
