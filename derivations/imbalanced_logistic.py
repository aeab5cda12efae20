"""The logistic law with imbalance, p' = -2 λ (p - y) sqrt(p² + m²), solved from every start.

With R = sqrt(p² + m²) the numbers R + p and R - p have the constant product m²;
(R + p)/m obeys a Riccati equation, whose solution is a quotient of linear
functions of tanh. It is the flow of the conformal quadratic model on one
sample; on whitened rows the way left to go is closed too.

Source: own.
"""

from sympy import log, tanh

from toymodels.derive import Derivation
from toymodels.solutions import imbalanced_logistic, logistic

D = Derivation("The logistic law with imbalance", source="own")
lam, y = D.scalar("lambda", positive=True, constant=True), D.scalar("y", constant=True)

D.remark("A = R + p and B = R - p, so that p = (A - B)/2, R = (A + B)/2 and m² = A B.")
A, B = D.scalars("A B", positive=True)
p, R = D.let(p=(A - B) / 2, R=(A + B) / 2)
D.flow({A: -2 * lam * (p - y) * A, B: 2 * lam * (p - y) * B})
D.step(D.dt(p), "=", -2 * lam * (p - y) * R, because="the difference of both")
D.step(D.dt(R), "=", -2 * lam * (p - y) * p, because="the sum of both")
kept = D.step(D.dt(A * B), "=", 0, because="the rates cancel")
split = D.step(R**2 - p**2, "=", A * B, because="difference of squares")
D.conclude(D.dt(R**2 - p**2), "=", 0, by=[kept, split], because="m is at rest")
z, m = D.scalar("z", positive=True), D.scalar("m", positive=True, constant=True)
riccati = D.let(riccati=lam * (m + 2 * y * z - m * z**2))
D.step(
    D.substitute(-2 * lam * (p - y) * A / m, {A: m * z, B: m / z}),
    "=",
    riccati,
    because="(R + p)/m = z and (R - p)/m = 1/z: the velocity of z",
)
D.ships(imbalanced_logistic.riccati, riccati, rate=lam)
D.ships(
    imbalanced_logistic.velocity,
    D.substitute(-2 * lam * (p - y) * R, {A: m * z, B: m / z}),
    p=m * (z - 1 / z) / 2,
    rate=lam,
)

D.remark("The solution: T = tanh(λ Y t), Y = sqrt(y² + m²), from A_0 and B_0 with A_0 B_0 = Y² - y².")
t = D.time()
Y, A0 = D.scalars("Y A_0", positive=True, constant=True)
T = D.scalar("T")
D.flow({T: lam * Y * (1 - T**2)})
D.solution({T: tanh(lam * Y * t)}, t, {T: 0})
B0 = D.let(B_0=(Y**2 - y**2) / A0)
up, down = D.let(a_A=Y + y * T + B0 * T, a_B=Y - y * T + A0 * T)
plus, minus = D.let(A_t=A0 * up / down, B_t=B0 * down / up)
path = D.let(p_t=(plus - minus) / 2)
D.step(plus * minus, "=", Y**2 - y**2, because="it keeps m²")
D.step(D.dt(plus), "=", -2 * lam * (path - y) * plus, because="A solves its equation, and is A_0 at T = 0")
D.step(D.dt(minus), "=", 2 * lam * (path - y) * minus, because="B solves its equation, and is B_0 at T = 0")
D.step(D.substitute(plus, {T: 1}), "=", Y + y, because="A_0 B_0 = (Y - y)(Y + y): in the end R + p = Y + y")
D.step(D.substitute(path, {T: 1}), "=", y, because="so p ends at y")
e = D.scalar("e", positive=True)
D.step(
    Y - y * (1 - e) / (1 + e),
    "=",
    (Y**2 - y**2) / (Y + y) + y * 2 * e / (1 + e),
    because="e = exp(-2 λ Y t): for y ≥ 0 no cancellation, m² = Y² - y²",
)

D.remark("No imbalance, m = 0 and y, p_0 > 0: then B = 0, Y = y, and the law is logistic.")
p0, y0 = D.scalars("p_0 y_0", positive=True, constant=True)
D.step(
    p0 * (y0 + y0 * (1 - e) / (1 + e)) / (y0 - y0 * (1 - e) / (1 + e) + 2 * p0 * (1 - e) / (1 + e)),
    "=",
    y0 * p0 / (e * y0 + p0 * (1 - e)),
    because="A_0 = 2 p_0; both parts of the fraction are multiplied by (1 + e)/2",
)
D.ships(logistic.growing, y0 * p0 / (e * y0 + p0 * (1 - e)), u0=p0, E=e, J=(1 - e) / (2 * y0))
D.step(
    D.dt(p0 / (1 + 2 * lam * p0 * t)),
    "=",
    -2 * lam * (p0 / (1 + 2 * lam * p0 * t)) ** 2,
    because="y = m = 0: p' = -2 λ p |p|",
)

D.remark("The time back, on the way up: A runs at λ (A - y + Y)(Y + y - A).")
low, gap = D.scalars("low gap", positive=True)
D.step(
    D.substitute(-2 * lam * (p - y) * A, {B: (Y**2 - y**2) / A}),
    "=",
    lam * (A - y + Y) * (Y + y - A),
    because="the roots y ± Y of the Riccati equation",
)
D.flow({low: lam * low * gap, gap: -lam * low * gap}, because="low = A - y + Y and gap = Y + y - A")
D.step(D.dt(low + gap), "=", 0, because="the sum is 2 Y")
D.step(D.dt(log(low / gap)), "=", lam * (low + gap), because="so 2 λ Y t = log(low/low_0) + log(gap_0/gap)")

D.remark("Whitened rows, Σ = λ Π: |beta|² + mu² = a² + 2 b w + c w² for the share w = exp(-λ s) left to go.")
a, b, r, E = D.scalar("a", positive=True, constant=True), *D.scalars("b r", constant=True), D.scalar("E")
D.flow({E: -2 * lam * a * E}, because="E = exp(-2 λ a t), a² = |beta_dag|² + om²")
c = D.let(c=(r / a) ** 2 - a**2 - 2 * b)
D.step(a**2 * (a**2 + 2 * b + c), "=", r**2, because="r is a S_0/2")
G = D.let(G=r + a**2 + b)
share = D.let(w=2 * a**2 * G * E / ((G - b * E) ** 2 - a**2 * c * E**2))
D.step(D.substitute(share, {E: 1}), "=", 1, because="(G - b)² - a² c = 2 a² G")
half = D.let(half=a * (G**2 - (b**2 - a**2 * c) * E**2) / ((G - b * E) ** 2 - a**2 * c * E**2))
D.step(half**2, "=", a**2 + 2 * b * share + c * share**2, because="half is S/2")
D.step(D.dt(share), "=", -2 * lam * half * share, because="w' = -λ S w")
