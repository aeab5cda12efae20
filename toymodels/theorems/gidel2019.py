"""Tiny starts learn the modes one after another: the staircase, after Gidel, Bach, Lacoste-Julien 2019.

The thresholds in units of ln(1/alpha) are our own.
"""

import numpy as np

from toymodels.arithmetic.measured import Measured
from toymodels.claims import Paper, identity
from toymodels.linear.factors import balanced_factors
from toymodels.linear.generator import generator
from toymodels.linear.incremental import staircase
from toymodels.linear.riccati import Propagator
from toymodels.spaces import choice, integer, positive, real

FAMILY = "linear"
PAPER = Paper("after Gidel, Bach, Lacoste-Julien 2019; thresholds are our own", arxiv="1904.13262")
STRENGTHS = np.array([2.0, 1.0, 0.3])


def rotation(rng, n):
    """A random rotation, determinant one."""
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    Q[0] *= np.sign(np.linalg.det(Q))
    return Q


@identity(
    "linear_nets S5.11a",
    seed=integer(0, 999),
    tau=choice([0.35, 0.8, 3.0]),
    cost="trajectory",
    broken={"threshold tau > 1/s": dict(factor=2)},
)
def modes_switch_on_in_order(seed, tau, *, factor=1):
    r"""$Q_0 = \sqrt\alpha\bar Q$ with $\alpha = 10^{-60}$ (determinant matched): at $\tau\ln(1/\alpha)$
    exactly the modes of $s_j > 1/(2\tau)$ are learned.
    """
    rng, log_alpha = np.random.default_rng(seed), -60 * np.log(10.0)
    U, V = rotation(rng, 3), rotation(rng, 3)
    S = (U * STRENGTHS) @ V.T
    W1, W2 = balanced_factors(U @ rotation(rng, 3) @ V.T, 0.0, width=3)
    Q0 = np.concatenate([W1.T, W2])
    flow = Propagator(generator(S, 0.0), 1e-30 * Q0)
    M = flow.gram(np.array([-tau * log_alpha]))[0]
    # a mode switches like alpha^(|2 tau s - 1|), times the inverse square of the start's smallest pivot
    pivots = np.abs(np.diagonal(Propagator(generator(S, 0.0), Q0).echelon.L))
    distance = np.abs(2 * tau * STRENGTHS - 1).min()
    room = 8 * np.exp(distance * log_alpha / 2) * (1 + pivots.max() / pivots.min()) ** 4
    return Measured(M, 1e-12 + room), Measured(staircase(S, tau / factor))


@identity("linear_nets 5.11", s=positive, D=positive, T=real, broken={"T/4": dict(share=2)})
def published_scaling(s, D, T, *, share=1):
    r"""Starts of size $e^{-D}$ at time $DT$ are $\alpha = e^{-2D}$ at $\tau = T/2$: the threshold $2\tau s
    = 1$ is $T = 1/s$.
    """
    log_inverse_alpha = 2 * D
    tau = D * T / log_inverse_alpha
    return 2 * tau * s, share * T * s
