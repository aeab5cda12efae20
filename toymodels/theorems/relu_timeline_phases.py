"""Training on two acute directions: the three phases of small networks, how they end, and their limits.

Setting and phases after Wang and Ma 2023 (arXiv 2305.12467); the closed timeline is our own. See
`toymodels.relu.Timeline`; alpha and gamma are squared output weights of the living neurons, kappa is 1.
"""

import numpy as np

from toymodels.arithmetic import dot
from toymodels.arithmetic.jets import Jet
from toymodels.claims import identity
from toymodels.relu.timeline_cases import LABELS, directions, groups_of_phase, kernel_of_groups, slid
from toymodels.relu.timeline_formulas import KERNELS, LIMITS, kernel_B
from toymodels.solutions import lotka_volterra
from toymodels.spaces import choice, positive, real, vector

FAMILY = "relu"

OWN = "own; setting after Wang, Ma 2023"
GROUPS = dict(alpha=positive, gamma=positive, tangent=positive)


@identity(
    "neuron_partition E3a",
    **GROUPS,
    source=OWN,
    broken={"negatives not projected": dict(project=0), "positives inactive on x_-": dict(phase="B")},
)
def kernel_of_phase_A(alpha, gamma, tangent, *, project=1, phase="A"):
    """Phase A: positives active on both directions, negatives sliding on the kink of x_+."""
    X, c, _ = directions(tangent)
    return KERNELS["A"](alpha, gamma, 1 - c), kernel_of_groups(
        X, groups_of_phase(phase, X, alpha, gamma, project)
    )


@identity("neuron_partition E5a", **GROUPS, source=OWN, broken={"not projected": dict(project=0)})
def kernel_of_phase_B(alpha, gamma, tangent, *, project=1):
    """Phase B: positives slide on the kink of x_-, negatives on that of x_+: the directions decouple."""
    X, c, _ = directions(tangent)
    return KERNELS["B"](alpha, gamma, 1 - c), kernel_of_groups(
        X, groups_of_phase("B", X, alpha, gamma, project)
    )


@identity("neuron_partition E6a", **GROUPS, source=OWN, broken={"positives not projected": dict(project=0)})
def kernel_of_phase_C(alpha, gamma, tangent, *, project=1):
    """Phase C: positives slide on the kink of x_-, negatives are active on both."""
    X, c, _ = directions(tangent)
    return KERNELS["C"](alpha, gamma, 1 - c), kernel_of_groups(
        X, groups_of_phase("C", X, alpha, gamma, project)
    )


@identity(
    "neuron_partition E5b",
    **GROUPS,
    first=positive,
    second=positive,
    t=positive,
    source=OWN,
    broken={"c² for s²": dict(other=1)},
)
def phase_B_is_hyperbolic(alpha, gamma, tangent, first, second, t, *, other=0):
    r"""There $1/u = 1/u_A + \alpha s^2 (t - t_A)$, $1/v = 1/v_A + \gamma s^2 (t - t_A)$."""
    _, c, s = directions(tangent)
    square, time = (c * c if other else s * s), Jet(t, 0 * t + 1)
    u, v = 1 / (1 / first + alpha * square * time), 1 / (1 / second + gamma * square * time)
    K = kernel_B(alpha, gamma, 1 - c)
    return (u.first, v.first), lotka_volterra.velocity(K[0, 0], K[0, 1], K[1, 1], u.value, v.value)


@identity(
    "neuron_partition E5c",
    **GROUPS,
    first=positive,
    second=positive,
    source=OWN,
    broken={"v = uc": dict(other=1)},
)
def negatives_come_back(alpha, gamma, tangent, first, second, *, other=0):
    r"""Gates of negatives on $x_+$ reach 1, at $u = vc$ and $t_B = t_A + (1/v_A - c/u_A)/(s^2(c\alpha -
    \gamma))$.
    """
    _, c, s = directions(tangent)
    wait = (1 / second - c / first) / (s * s * (c * alpha - gamma))
    u, v = 1 / (1 / first + alpha * s * s * wait), 1 / (1 / second + gamma * s * s * wait)
    return (v, u * c) if other else (u, v * c)


@identity(
    "neuron_partition E5d",
    alpha=positive,
    gamma=positive,
    gap=positive,
    source=OWN,
    broken={"in phase B": dict(phase="B")},
)
def negatives_wait_for_positives(alpha, gamma, gap, *, phase="A"):
    r"""In phase A the ratio stays below $1/c$: with $c = 1/(1+g)$ its limit leaves $1/c - r^* = g + \gamma
    (1-c)/(\alpha + \gamma(1-c)) > 0$, so negatives do not come back to $x_+$ before positives leave $x_-$.
    """
    c = 1 / (1 + gap)
    r, _ = LIMITS[phase](alpha, gamma, 1 - c)
    return 1 / c - r, gap + gamma * (1 - c) / (alpha + gamma * (1 - c))


@identity(
    "neuron_partition E6b",
    **GROUPS,
    phase=choice(["A", "B", "C"]),
    source=OWN,
    broken={
        "r* inverted": dict(inverted=1),
        "constants of phase A": dict(other="A", phase=choice(["B", "C"])),
    },
)
def limits_of_the_phases(alpha, gamma, tangent, phase, *, inverted=0, other=""):
    r"""The limits of $v/u$ and $L t$ in each phase: $x_2/x_1$ and $x_1 + x_2$ with $x = \tilde K^{-1} 1$."""
    _, c, _ = directions(tangent)
    K = KERNELS[phase](alpha, gamma, 1 - c)
    A, B = K[0, 0] - K[0, 1], K[1, 1] - K[0, 1]
    total = (A + B) / (K[0, 0] * K[1, 1] - K[0, 1] * K[0, 1])
    return LIMITS[other or phase](alpha, gamma, 1 - c), (B / A if inverted else A / B, total)


@identity(
    "neuron_partition E6c",
    alpha=positive,
    gamma=positive,
    c=positive,
    source=OWN,
    broken={"1 + c for 1 - c": dict(sign=-1)},
)
def phase_C_lasts(alpha, gamma, c, *, sign=1):
    r"""$r^*_C - 1/c = (1-c)(c\alpha - \gamma)/(c\gamma)$: where phase C begins the ratio only grows from
    $1/c$, so the negatives stay active on both.
    """
    r, _ = LIMITS["C"](alpha, gamma, 1 - c)
    return r - 1 / c, (1 - sign * c) * (c * alpha - gamma) / (c * gamma)


@identity(
    "neuron_partition E6d",
    **GROUPS,
    U=positive,
    V=positive,
    phase=choice(["A", "B", "C"]),
    source=OWN,
    broken={"positives alone": dict(alone=1)},
)
def norm_of_the_direction(alpha, gamma, tangent, U, V, phase, *, alone=0):
    r"""Positives move by $U x_+ - V x_-$ and negatives by minus that, without what is off their kink: margins
    are $q = \tilde K (U, V)$ and $|W|_F^2 = (U, V) \cdot q$. Where all margins are 1, $\tilde K (U, V) = 1$,
    so the normalised margin of this direction, a KKT point, is $(U + V)^{-1/2} = (\lim L t)^{-1/2}$.
    """
    X, c, _ = directions(tangent)
    K, integrals = KERNELS[phase](alpha, gamma, 1 - c), np.stack([U, V], -1)
    square, margins = 0, 0
    for group, sign in zip(groups_of_phase(phase, X, alpha, gamma), (1, 1 - alone), strict=True):
        lifts = (LABELS * group.gates)[:, None] * (X if group.normal is None else slid(X, group.normal))
        moved = integrals @ lifts
        square = square + sign * group.mass * dot(moved, moved)
        margins = margins + group.mass * (lifts @ moved)
    return (margins, square), (K @ integrals, dot(integrals, K @ integrals))


@identity(
    "neuron_partition E9a",
    roots=vector("2"),
    between=real,
    source=OWN,
    broken={"no square roots": dict(power=2)},
)
def sharpness_times_time(roots, between, *, power=1):
    r"""At $u = x/t$ with $\tilde K x = 1$ the matrix of the sharpness, $D \tilde K D$ with $D^2 =
    \mathrm{diag}(u)$, has the eigenvalue $1/t$ with the eigenvector $\sqrt x$; the other is $(\tilde K_{11}
    x_1 + \tilde K_{22} x_2 - 1)/t$.
    """
    first, second = roots[0] * roots[0], roots[1] * roots[1]
    K11, K22 = (1 - between * second) / first, (1 - between * first) / second
    rows = np.stack([K11, between], -1), np.stack([between, K22], -1)
    D = roots**power
    M = np.stack(rows, -2) * D * D[:, None]
    return (M @ roots, M[0, 0] * M[1, 1] - M[0, 1] * M[1, 0]), (roots, K11 * first + K22 * second - 1)
