"""Which margins ReLU networks end with: what dead neurons cost, and the largest margin per total variation.

With fixed output weights on two directions the limit L t of every phase is at
least what it would be were all neurons alive, 4/s². The largest margin per
total variation is 1/(|u_plus| + |u_minus|) on orthogonally separable data and
s/2 for two samples of opposite label at an acute angle, where a network with
both layers trained reaches its half.

Source: own; the margin per total variation after Chizat, Bach 2020.
"""

from sympy import Rational

from toymodels.derive import Derivation, dot, norm, ones, relu
from toymodels.relu import formulas

D = Derivation(
    "Margins that ReLU networks end with",
    source="own; the margin per total variation after Chizat, Bach 2020",
)
d = D.sizes("d")

D.remark("Fixed output weights, masses α and γ of the living neurons, at most 1/2 each; s2 = 1 - c².")
alpha, gamma = D.scalar("alpha", between=(0, Rational(1, 2))), D.scalar("gamma", between=(0, Rational(1, 2)))
D.step(
    1 / alpha + 1 / gamma,
    ">=",
    4,
    slack=(1 - 2 * alpha) / alpha + (1 - 2 * gamma) / gamma,
    because="phase B, the limit of L t times s2; 4 is that of living neurons alone",
)
D.remark("Phase A, α ≤ c γ: let c γ = α + h and γ = α + h + g. Phase C is the same with α and γ exchanged.")
a, h, g = D.scalar("a", positive=True), D.scalar("h", nonnegative=True), D.scalar("g", positive=True)
big, c = D.let(gamma_A=a + h + g, c_A=(a + h) / (a + h + g))
D.step(
    (1 - c) * (1 + c) * (2 + big / a * (1 - c)) / ((1 - c) * (a + big)),
    "=",
    (2 * a + 2 * h + g) * (2 * a + g) / (a * big * (2 * a + h + g)),
    because="the limit of L t in phase A times s2",
)
D.step(
    (2 * a + 2 * h + g) * (2 * a + g) / (a * (2 * a + h + g)),
    ">=",
    2,
    slack=(2 * a * g + 2 * a * h + 2 * h * g + g**2) / (a * (2 * a + h + g)),
    because="and 1/γ ≥ 2: at least 4",
)

D.remark(
    "Orthogonally separable data, A = |u_plus|, B = |u_minus|: a share m of the mass gives m/A and (1 - m)/B."
)
A, B = D.scalars("A B", positive=True)
m = D.scalar("m", between=(0, 1))
D.step(
    A / (A + B) * (m / A) + B / (A + B) * ((1 - m) / B),
    "=",
    1 / (A + B),
    because="an average of both, so the smaller is at most 1/(A + B); it is at m = A/(A + B)",
)
S, T, w = D.vector("S", d), D.vector("T", d), D.vector("w", d)
with D.case(dot(S, T) >= 0):
    D.step(
        norm(S + T) ** 2,
        ">=",
        norm(S) ** 2,
        slack=2 * dot(S, T) + norm(T) ** 2,
        because="u is the sum of μ_i y_i x_i over samples that w sees, S, and others, T: w gains at most |u|",
    )

D.remark(
    "Two unit samples of opposite labels at an acute angle of cosine k: directions across the other one."
)
x1, x2 = D.matrix("x_1", d, 1, "frame"), D.matrix("x_2", d, 1, "frame")
k = D.let(k=dot(x1, x2))
across = D.let(across=x1 - k * x2)
D.step(dot(across, x2), "=", 0, because="|x_2| = 1")
D.step(dot(across, x1), "=", 1 - k**2, because="|x_1| = 1")
D.step(
    norm(across) ** 2,
    "=",
    1 - k**2,
    because="so a unit vector along it has the product s with x_1: margins s/2",
)
x, y, share = D.scalar("x"), D.scalar("y"), D.scalar("c", between=(0, 1))
D.step(relu(x + y), "<=", relu(x) + relu(y), because="with x = z_1 - c z_2 and y = c z_2")
D.step(
    relu(y) - share * relu(y),
    "=",
    (1 - share) * relu(y),
    because="so relu(z_1) - relu(z_2) ≤ relu(z_1 - c z_2) ≤ s |w|",
)

D.remark("Both layers trained, pulled by h = u x_1 - v x_2: in a limit all living groups feel the same |h|.")
u, v = D.scalars("u v", positive=True)
pull = D.let(pull=u * x1 - v * x2)
D.step(norm(u * across) ** 2, "=", u**2 * (1 - k**2), because="positives that slide across x_2 feel u s")
D.step(
    norm(v * (x2 - k * x1)) ** 2,
    "=",
    v**2 * (1 - k**2),
    because="negatives that slide across x_1 feel v s: u = v",
)
D.step(
    norm(pull) ** 2 - v**2 * (1 - k**2),
    "=",
    (u - k * v) ** 2,
    because="a group active on both would need u = c v, where h.x_1 = 0: it is not active",
)
D.step(norm(pull) ** 2 - u**2 * (1 - k**2), "=", (v - k * u) ** 2, because="the same against the positives")
o = D.scalar("o")
D.step(
    (o * dot(o * across, x1)) ** 2,
    "=",
    (1 - k**2) * o**2 * norm(o * across) ** 2,
    because="a balanced group of mass M = a² = |w|² has output s M; four such masses make rho²: margin s/4",
)
D.ships(
    formulas.outputs, o**2 * (1 - k**2) * ones(1), W=o * across.T, a=o * ones(1), X=x1.T, gates=ones(1, 1)
)
