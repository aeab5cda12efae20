"""Probabilities of activation patterns of an isotropic neuron, and of samples that no true neuron sees.

Two gates are on together with probability (pi - theta)/(2 pi), the share of
the angle that both half planes have in common; three by inclusion and
exclusion and the symmetry w -> -w. A neuron of fair sign is true-living for a
sample with probability 1/4, whence counts with (3/4)^m.

Source: own; the orthant probabilities are Sheppard's.
"""

from sympy import Rational, acos, asin, log, pi

from toymodels.derive import Derivation
from toymodels.relu import probability_formulas

D = Derivation("Probabilities of activation patterns", source="own; the orthant probabilities are Sheppard's")
quarter, three_quarters = Rational(1, 4), Rational(3, 4)

D.remark("Two samples of cosine r: the neuron's angle phi in the plane that they span is uniform.")
r, phi = D.scalar("r", between=(-1, 1)), D.scalar("phi")
D.step(asin(r), "=", pi / 2 - acos(r), because="the sine of pi/2 - theta is cos theta")
theta, pair = D.let(theta=acos(r), pair=quarter + asin(r) / (2 * pi))
D.step(
    D.integral(1, phi, theta - pi / 2, pi / 2) / (2 * pi),
    "=",
    (pi - theta) / (2 * pi),
    because="both gates are on for |phi| < pi/2 and |phi - theta| < pi/2",
)
D.step(pair, "=", (pi - theta) / (2 * pi), because="asin r = pi/2 - theta")
D.ships(probability_formulas.pair_probability, pair)

D.remark("Three gates: all on is as likely as all off, which inclusion and exclusion gives from the pairs.")
r12, r13, r23 = (D.scalar(name, between=(-1, 1)) for name in ("r_12", "r_13", "r_23"))
pairs = sum(quarter + asin(x) / (2 * pi) for x in (r12, r13, r23))
triple = D.let(triple=Rational(1, 8) + (asin(r12) + asin(r13) + asin(r23)) / (4 * pi))
D.step(1 - 3 * Rational(1, 2) + pairs - triple, "=", triple, because="each gate is on with probability 1/2")
D.step(
    triple,
    "=",
    (2 * pi - acos(r12) - acos(r13) - acos(r23)) / (4 * pi),
    because="asin r = pi/2 - theta, three times",
)
D.ships(
    probability_formulas.triple_probability, triple, theta12=acos(r12), theta13=acos(r13), theta23=acos(r23)
)

D.remark("A neuron of fair sign: true-living for both of two samples of one label, or for the first alone.")
D.step(pair / 2 + theta / (4 * pi), "=", quarter, because="together: true-living for the first")
D.ships(probability_formulas.pair_of_kinds, (pair / 2, theta / (4 * pi)))
D.step(
    1 - 2 * quarter + pair / 2,
    "=",
    Rational(1, 2) + (pi - theta) / (4 * pi),
    because="for neither of them, by inclusion and exclusion",
)

D.remark("Signs s of two neurons and their gates on two samples of opposite label, g and h, all fair.")
s, g, h = D.vector("s", 2), D.vector("g", 2), D.vector("h", 2)
seen = [(1 + s[k, 0]) * (1 + g[k, 0]) / 4 for k in range(2)]
other = [(1 - s[k, 0]) * (1 + h[k, 0]) / 4 for k in range(2)]
law = dict(law="rademacher")
D.step(
    D.expectation(1 - seen[0], s, g, **law), "=", three_quarters, because="one of four cases is true-living"
)
D.step(
    D.expectation((1 - seen[0]) * (1 - other[0]), s, g, h, **law),
    "=",
    Rational(1, 2),
    because="for neither sample",
)
first, second = D.let(unseen_1=(1 - seen[0]) * (1 - seen[1]), unseen_2=(1 - other[0]) * (1 - other[1]))
D.step(
    D.expectation(first + second - first * second, s, g, h, **law),
    "=",
    2 * three_quarters**2 - Rational(1, 2) ** 2,
    because="some sample is seen by none of m = 2: 2 (3/4)^m - (1/2)^m",
)
n, delta = D.scalars("n delta", positive=True)
width = D.let(m=log(n / delta) / log(Rational(4, 3)))
D.step(
    log(n) + width * log(three_quarters),
    "=",
    log(delta),
    because="the union bound n (3/4)^m is delta at this width",
)
