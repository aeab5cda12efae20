"""Flow from tiny starts is greedy low-rank learning, after Li, Luo, Lyu 2021; the exponent is our own."""

import numpy as np

from toymodels.arithmetic.jets import Jet
from toymodels.claims import Paper, identity, rate
from toymodels.linear import symmetric
from toymodels.linear.incremental import first_step
from toymodels.spaces import choice, integer, positive

FAMILY = "linear"
PAPER = Paper("after Li, Luo, Lyu 2021; the exponent is our own", arxiv="2012.09839")


@identity("linear_nets S5.11b", kap=positive, mu=positive, E=positive, broken={"rate mu": dict(speed=1)})
def first_step_is_a_logistic(kap, mu, E, *, speed=2):
    r"""The limit $x = \kappa e^{2\mu t}/(1 + \kappa e^{2\mu t}/\mu)$ solves $x' = 2x(\mu - x)$."""
    grown = Jet(E, speed * mu * E)
    x = kap * grown / (1 + kap * grown / mu)
    return x.first, 2 * x.value * (mu - x.value)


def distances(seed, ratio, exponents):
    """Distances of the flow from the first step at t = 0, for alpha = 10^-exponents."""
    rng = np.random.default_rng(seed)
    V = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    target = (V * np.array([1.0, ratio, -0.5])) @ V.T
    # a start that leans on all modes alike
    U0 = V @ (np.eye(3) + 0.5 * np.ones((3, 3)))
    limit = first_step(target, U0 @ U0.T, 0.0)
    alpha = 10.0**-exponents
    paths = [symmetric.symmetric_flow(target, np.sqrt(a) * U0, -np.log(a) / 2) for a in alpha]
    return alpha, np.array([np.linalg.norm(X - limit) for X in paths])


@rate(
    "linear_nets S5.11c",
    seed=integer(0, 999),
    ratio=choice([0.3, 0.5, 0.7]),
    rivals=(1.0,),
    broken={"order 1 - mu2/mu1": dict(share=1)},
)
def error_of_the_first_step(seed, ratio, *, share=2):
    r"""$X(\ln(1/\alpha)/(2\mu_1) + t)$ is off the first step by order $\alpha^{(1 - \mu_2/\mu_1)/2}$."""
    alpha, distance = distances(seed, ratio, np.arange(8.0, 40.0, 4.0))
    return alpha, distance, (1 - ratio) / share
