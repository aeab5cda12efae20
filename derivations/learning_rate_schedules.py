"""Learning-rate schedules on a noisy quadratic direction: means, variances, fast and slow times.

Descent multiplies the mean by 1 - eta_s lam and maps the variance linearly.
For the cosine schedule the product is a Chebyshev polynomial, for the linear
one a quotient of Gamma functions. The drift of label noise runs on the sum of
eta_s², which is 3T/8 + 1/2 for a cosine of height 1.

Source: own; the Chebyshev product is classical.
"""

from sympy import Rational, cos, gamma, pi, sin

from toymodels.derive import Derivation
from toymodels.solutions import schedule_variances

D = Derivation("Learning-rate schedules in closed form", source="own; the Chebyshev product is classical")
lam, c, eta = D.scalars("lambda c eta", positive=True, constant=True)

D.remark("One step x+ = (1 - eta λ) x + eta √c ξ.")
x, xi, root = D.scalar("x"), D.scalar("xi"), D.scalar("root", positive=True, constant=True)
kept = D.let(kept=1 - eta * lam)
D.step(D.expectation(kept * x + eta * root * xi, xi), "=", kept * x, because="the mean")
D.step(
    D.expectation((kept * x + eta * root * xi) ** 2, xi),
    "=",
    kept**2 * x**2 + eta**2 * root**2,
    because="the second moment; so the variance, with c = root²",
)
v = D.scalar("v", nonnegative=True)
D.steps({v: kept**2 * v + eta**2 * c})
D.ships(schedule_variances.step, D.next(v), lr=eta, curvature=lam, noise=c)
still = D.let(v_inf=eta * c / (lam * (2 - eta * lam)))
D.step(D.next(v) - still, "=", kept**2 * (v - still), because="so v_k - v_inf is a geometric sequence")
D.ships(schedule_variances.stationary, still, lr=eta, curvature=lam, noise=c)
D.step(still, "=", eta * c / (2 * lam), order=(eta, 2), because="the floor is proportional to eta")

D.remark(
    "Cosine: eta_j λ = a (1 + cos θ_j), θ_j = π j/T, j < T. So 1 - eta_j λ = a (z - cos θ_j), a z = 1 - a."
)
a, angle, z, T = D.scalar("a", positive=True), D.scalar("angle"), D.scalar("z"), D.scalar("T", positive=True)
D.step(
    1 - a * (1 + cos(angle)),
    "=",
    a * ((1 - a) / a - cos(angle)),
    because="z = (1 - a)/a; j = 0 gives a (z - 1)",
)
D.remark("The product of 2 z - 2 cos θ_j over 0 < j < T is U_{T-1}(z): small T, and the recurrence.")
U1, U2, U3 = D.let(U_1=2 * z, U_2=4 * z**2 - 1, U_3=8 * z**3 - 4 * z)
D.step((2 * z - 2 * cos(pi / 3)) * (2 * z - 2 * cos(2 * pi / 3)), "=", U2, because="T = 3")
D.step(
    (2 * z - 2 * cos(pi / 4)) * (2 * z - 2 * cos(pi / 2)) * (2 * z - 2 * cos(3 * pi / 4)),
    "=",
    U3,
    because="T = 4",
)
U5 = D.let(U_5=32 * z**5 - 32 * z**3 + 6 * z)
D.step(
    (2 * z - 2 * cos(pi / 6)) * U2 * 2 * z * (2 * z - 2 * cos(5 * pi / 6)),
    "=",
    U5,
    because="T = 6: the angles of T = 3 and three more",
)
D.step(U3, "=", 2 * z * U2 - U1, because="U_{k+1} = 2 z U_k - U_{k-1}")
phi, k = D.scalar("phi", between=(0, 3)), D.scalar("k", positive=True)
D.step(
    sin((k + 2) * phi),
    "=",
    2 * cos(phi) * sin((k + 1) * phi) - sin(k * phi),
    because="so U_{T-1}(cos φ) = sin(T φ)/sin φ, of T - 1 zeros θ_j and leading term (2 z)^(T-1)",
)

D.remark(
    "As computed: w = (1 + q)/(1 - q), q² = 1 - 2a, so 2 z = w + 1/w and U_{T-1} = (w^T - w^-T)/(w - 1/w)."
)
q, steps = D.scalar("q", between=(0, 1)), D.scalar("n", integer=(1, 6))
half, w = D.let(a_q=(1 - q**2) / 2, w=(1 + q) / (1 - q))
centre = D.let(z_q=(w + 1 / w) / 2)
D.step((1 - half) / half, "=", centre, because="both are (1 + q²)/(1 - q²)")
D.step(
    half**steps * (centre - 1) * 2 ** (1 - steps) * (w**steps - w ** (-steps)) / (w - 1 / w),
    "=",
    q * (((1 + q) / 2) ** (2 * steps) - ((1 - q) / 2) ** (2 * steps)),
    because="the product a^T (z - 1) 2^(1-T) U_{T-1}(z) of n steps",
)

D.remark("Linear: eta_s λ = a (1 - s/T), whose factors rise from (a/T)(T/a - T) by a/T.")
s, y = D.scalars("s y", positive=True)
D.step(1 - a * (1 - s / T), "=", a / T * (T / a - T + s), because="factor by factor")
D.step(
    gamma(y + 1), "=", y * gamma(y), because="y = T/a - T + s: so the product is (a/T)^T Γ(T/a)/Γ(T/a - T)"
)

D.remark("Sums by induction: what is added to the total is what the closed form grows by.")
n, total, squares, power = D.scalar("N"), D.scalar("total"), D.scalar("squares"), D.scalar("power")
factor = D.scalar("factor", between=(0, 1), constant=True)
D.steps({n: n + 1, total: total + n, squares: squares + n**2, power: power * factor})
D.step(
    D.next(total - n * (n - 1) / 2),
    "=",
    total - n * (n - 1) / 2,
    because="s summed over s < N: so 1 - s/T sums to (T + 1)/2",
)
D.step(
    D.next(squares - n * (n - 1) * (2 * n - 1) / 6),
    "=",
    squares - n * (n - 1) * (2 * n - 1) / 6,
    because="s² summed over s < N",
)
D.step(
    T - 2 / T * (T * (T - 1) / 2) + T * (T - 1) * (2 * T - 1) / (6 * T**2),
    "=",
    (T + 1) * (2 * T + 1) / (6 * T),
    because="linear: (1 - s/T)² summed over s < T",
)
D.steps({total: total + power**2, power: power * factor})
D.step(
    D.next(total * (1 - factor**2) + power**2),
    "=",
    total * (1 - factor**2) + power**2,
    because="exponential: factor^(2s) sums to (1 - factor^(2T))/(1 - factor²)",
)
j = D.scalar("j", positive=True)
D.step(
    sin((2 * j + 1) * phi) - sin((2 * j - 1) * phi),
    "=",
    2 * sin(phi) * cos(2 * j * phi),
    because="telescopes: cos 2φj sums over j < T to (sin((2T - 1) φ) + sin φ)/(2 sin φ)",
)
D.step(sin((2 * T - 1) * pi / T) + sin(pi / T), "=", 0, because="which vanishes at φ = π/T, for T ≥ 2")
D.step(
    sin((j + Rational(1, 2)) * phi) - sin((j - Rational(1, 2)) * phi),
    "=",
    2 * sin(phi / 2) * cos(j * phi),
    because="cos φj sums to (sin((T - 1/2) φ) + sin(φ/2))/(2 sin(φ/2)), which is 1 at φ = π/T",
)
D.step(sin((T - Rational(1, 2)) * pi / T), "=", sin(pi / (2 * T)), because="sin(π - x) = sin x")
D.step(
    ((1 + cos(angle)) / 2) ** 2,
    "=",
    Rational(3, 8) + cos(angle) / 2 + cos(2 * angle) / 8,
    because="so cosine steps have the slow time 3T/8 + 1/2 and the fast time (T + 1)/2",
)
D.remark("Equal slow time: a cosine over T steps drifts as 3T/8 + 1/2 constant ones; T/2 is the fast time.")

D.remark("At a fixed budget: a decay from eta_1 to eta_2 at step T.")
e1, e2, K, N = D.scalars("eta_1 eta_2 K budget", positive=True)
D.step(
    D.gradient(-K * (e1**2 * T + e2**2 * (N - T)), T),
    "=",
    -K * (e1 - e2) * (e1 + e2),
    because="the later the decay the farther the drift, exactly if eta_1 > eta_2",
)
