"""The scalar mode on its hyperbola a² - b² = delta: the ratio of the layers and the angle.

Source: the angle after Saxe, McClelland, Ganguli 2014; the ratio own.
"""

from sympy import cosh, sinh, sqrt

from toymodels.derive import Derivation
from toymodels.solutions import hyperbola
from toymodels.spaces import unit_vector

D = Derivation("The scalar mode on its hyperbola", source="after Saxe, McClelland, Ganguli 2014")
a, b = D.scalars("a b", nonzero=True)
s = D.scalar("s", constant=True)

D.remark("The ratio of the layers obeys a Riccati equation, in which the imbalance is conserved.")
imbalance, ratio = D.let(imbalance=a**2 - b**2, ratio=b / a)
D.flow({a: b * (s - a * b), b: a * (s - a * b)}, because="the mode equations")
D.step(D.dt(imbalance), "=", 0, because=D.lemma("modes"))
D.step(D.dt(ratio), "=", s - imbalance * ratio - s * ratio**2, because="quotient rule")
D.ships(hyperbola.ratio_velocity, D.dt(ratio), delta=imbalance)

D.remark("Its fixed points are x/y and -y/x, with s = 2 κ x y, δ = 2 κ (y² - x²) and x² + y² = 1.")
kappa, rho = D.scalar("kappa", positive=True, constant=True), D.scalar("rho")
x, y = D.drawn(unit_vector("2"), x=None, y=None, constant=True)
target, shell = D.let(target=2 * kappa * x * y, shell=2 * kappa * (y**2 - x**2))
D.flow({rho: target - shell * rho - target * rho**2}, because="the ratio")
D.step(D.dt(rho), "=", -target * (rho - x / y) * (rho + y / x), because="x² + y² = 1")
quotient = D.let(quotient=(rho - x / y) / (rho + y / x))
D.step(D.dt(quotient), "=", -2 * kappa * quotient, because="the fixed points are 1/(x y) apart")
D.ships(hyperbola.moebius, quotient, ratio=rho, stable=x / y, unstable=-y / x)

D.remark("For δ > 0 the layers are √δ cosh(θ/2) and √δ sinh(θ/2).")
delta, theta = D.scalar("delta", positive=True, constant=True), D.scalar("theta")
D.flow({theta: 2 * s - delta * sinh(theta)}, because="the angle")
first, second = D.let(first=sqrt(delta) * cosh(theta / 2), second=sqrt(delta) * sinh(theta / 2))
D.step(D.dt(first), "=", second * (s - first * second), because="sinh(θ) = 2 sinh(θ/2) cosh(θ/2)")
D.step(D.dt(second), "=", first * (s - first * second), because="sinh(θ) = 2 sinh(θ/2) cosh(θ/2)")
D.ships(hyperbola.point, (first, second), angle=theta)
D.ships(hyperbola.angle_velocity, D.dt(theta), angle=theta)
