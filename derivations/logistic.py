"""The balanced mode, a = b: its product follows the logistic law.

Source: after Saxe, McClelland, Ganguli 2014; the forms for s <= 0 and weight
decay own.
"""

from toymodels.derive import Derivation
from toymodels.solutions import logistic

D = Derivation("A balanced mode learns along a sigmoid", source="after Saxe, McClelland, Ganguli 2014")
s = D.scalar("s", nonzero=True, constant=True)
u0 = D.scalar("u0", positive=True, constant=True)

D.remark("Both layers are x and stay equal; u = x² is the product.")
x = D.scalar("x")
D.flow({x: x * (s - x**2)}, because="the mode equations at a = b = x")
D.step(D.dt(x**2), "=", 2 * x**2 * (s - x**2), because="chain rule")
D.step(
    D.dt(x**2 / (s - x**2)), "=", 2 * s * x**2 / (s - x**2), because="quotient rule for the odds u/(s - u)"
)

D.remark("Weight decay takes its strength γ off the target: a = b stays, with s - γ in place of s.")
decay = D.scalar("gamma", nonnegative=True, constant=True)
a, b = D.scalars("a b")
r = D.let(r=s - a * b)
D.flow({a: b * r - decay * a, b: a * r - decay * b}, because="penalty γ (a² + b²)/2")
D.step(D.dt(a**2 - b**2), "=", -2 * decay * (a**2 - b**2), because="both squares lose 2 γ of themselves")
D.step(
    D.dt(a * b),
    "=",
    2 * a * b * (r - decay) + (a - b) ** 2 * r,
    because="product rule, with a² + b² = 2 a b + (a - b)²",
)

D.remark("The solution in E = exp(-2 s t), which is 1 at the start, and its integral J.")
E = D.scalar("E", positive=True)
D.flow({E: -2 * s * E})
J = D.let(J=(1 - E) / (2 * s))
D.step(D.dt(J), "=", E, because="J is 0 at the start")
u = D.let(u=u0 / (E + 2 * u0 * J))
D.step(D.dt(u), "=", 2 * u * (s - u), because="quotient rule")
D.step(u - u0, "=", (1 - E) * (s - u0) * u / s, because="over the common denominator; it vanishes at E = 1")
D.step(u, "=", s * u0 / (s * E + u0 * (1 - E)), because="both parts of the fraction are multiplied by s")
D.step(D.substitute(u, {E: u0 / (s - u0)}), "=", s / 2, because="at this E the odds are 1")
D.remark("So the half time is ln(s/u0 - 1)/(2 s).")
D.ships(logistic.growing, u)

D.remark("For s ≤ 0 the same in H = 1/E and its integral K, which stay bounded.")
H, K = D.let(H=1 / E, K=(1 - 1 / E) / (-2 * s))
D.step(u, "=", u0 * H / (1 + 2 * u0 * K), because="both parts of the fraction are multiplied by H")
D.ships(logistic.shrinking, u, E=H, J=K)
