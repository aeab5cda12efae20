"""Gradient descent on the balanced scalar mode is a cubic map, after Chen and Bruna 2022; depth-two facts
are our own.
"""

import numpy as np

from toymodels.arithmetic.elementary import sqrt
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import Paper, bound, identity, monotone
from toymodels.linear import formulas
from toymodels.solutions import cubic_map
from toymodels.spaces import between, constant, positive, real

FAMILY = "linear"
PAPER = Paper("after Chen, Bruna 2022; depth two is our own", arxiv="2206.04172")
EPS = np.finfo(float).eps


def iterate(z, rho, steps):
    """The orbit of z, (steps + 1,)."""
    orbit = [z]
    for _ in range(steps):
        orbit.append(cubic_map.step(orbit[-1], rho))
    return np.array(orbit)


@identity("linear_nets 8.5", x=real, s=real, root=positive, broken={"rho = s": dict(with_rate=0)})
def balanced_mode_is_cubic(x, s, root, *, with_rate=1):
    r"""With $z = \sqrt\eta x$ and $\rho = \eta s$ a balanced step is $z \mapsto z(1 + \rho - z^2)$."""
    lr = root * root
    moved, _ = formulas.mode_step(x, x, s, lr)
    rho = s * (with_rate * lr + 1 - with_rate)
    return root * moved, cubic_map.step(root * x, rho)


@monotone(
    "linear_nets S8.4a",
    rho=between(0, 0.5),
    share=between(0, 1),
    direction="increasing",
    broken={"rho = 0.8": dict(rho=between(0.79, 0.81))},
)
def monotone_convergence(rho, share):
    r"""For $\rho \le 1/2$ and $0 < z_0 \le \sqrt\rho$ the iterates increase (to $\sqrt\rho$)."""
    orbit = iterate(value_of(share * sqrt(rho)), value_of(rho), 60)
    # each iterate is judged against the rounding of its own step
    return Measured(orbit, 4 * EPS * orbit)


@identity("linear_nets S8.4b", z=positive, broken={"z1 z2 = 2": dict(product=2)})
def two_cycle_exists(z, *, product=1):
    r"""The points $z_1 z_2 = 1$, $z_1^2 + z_2^2 = 1 + \rho$ are exchanged by the map."""
    partner = product / z
    rho = z * z + partner * partner - 1
    return (cubic_map.step(z, rho), cubic_map.step(partner, rho)), (partner, z)


@identity("linear_nets S8.4c", z=positive, broken={"multiplier 9 - (1+rho)²": dict(square=1)})
def two_cycle_multiplier(z, *, square=2):
    r"""The 2-cycle's multiplier is $9 - 2(1+\rho)^2$, so it is stable for $1 < \rho < \sqrt 5 - 1$."""
    rho = z * z + 1 / (z * z) - 1
    slopes = cubic_map.slope(z, rho) * cubic_map.slope(1 / z, rho)
    return slopes, cubic_map.two_cycle_multiplier(rho) + (2 - square) * (1 + rho) ** 2


@identity(
    "linear_nets S8.4d",
    rho=between(1.05, 1.2),
    share=between(0.3, 0.9),
    cost="trajectory",
    broken={"period 2 at rho = 1.25": dict(rho=between(1.249, 1.251))},
)
def two_cycle_attracts(rho, share):
    r"""For $1 < \rho < \sqrt 5 - 1$ descent ends on the 2-cycle."""
    rho = float(value_of(rho))
    orbit = iterate(float(value_of(share)), rho, 2000)[-2:]
    contraction = 1 - abs(cubic_map.two_cycle_multiplier(rho))
    settled = Measured(np.sort(orbit), 64 * EPS / abs(contraction))
    return settled, Measured(np.sort(np.array(cubic_map.two_cycle(rho))), 8 * EPS)


@identity("linear_nets S8.4e", t=real, broken={"rho = 1.9": dict(tenths=19)})
def chaos_triples_the_angle(t, *, tenths=20):
    r"""At $\rho = 2$ the map is $2\sin\theta \mapsto 2\sin 3\theta$ ($\theta$ by its half-angle tangent t).
    """
    sine, cosine = 2 * t / (1 + t * t), (1 - t * t) / (1 + t * t)
    rho = (0 * t + tenths) / 10
    return cubic_map.step(2 * sine, rho), 2 * (3 * cosine * cosine * sine - sine * sine * sine)


@identity("linear_nets S8.4f", angle=between(0, 1.5), broken={"rho = 1.99": dict(rho=1.99)})
def chaotic_orbit(angle, *, rho=2.0):
    r"""$z_k = 2\sin(3^k \theta_0)$ for 11 steps at $\rho = 2$."""
    start = float(value_of(angle))
    orbit, exact = iterate(2 * np.sin(start), rho, 11), cubic_map.chaotic_orbit(start, 11)
    error = [4 * EPS]
    for z in orbit[:-1]:
        error.append(abs(cubic_map.slope(z, rho)) * error[-1] + 8 * EPS)
    # the angle 3^k theta is rounded once
    angles = EPS * start * 3.0 ** np.arange(12)
    return Measured(orbit, np.array(error)), Measured(exact, 2 * angles + 4 * EPS)


@bound(
    "linear_nets S8.4g",
    rho=between(0, 2),
    share=between(-1, 1),
    broken={"rho = 2.05": dict(rho=constant(2.05), share=between(-1, 1))},
)
def bounded_orbits(rho, share):
    r"""For $\rho \le 2$ the interval $|z| \le \sqrt{2+\rho}$ is mapped into itself."""
    edge = sqrt(2 + rho)
    moved = cubic_map.step(share * edge, rho)
    return (moved, -moved), (edge, edge)
