"""Training on two acute directions: the two shares of the loss, and the first phase of small networks.

Setting, phases and plateau after Wang and Ma 2023 (arXiv 2305.12467); the closed timeline is our own. Fixed
output weights, exponential loss; alpha and gamma are the squared output weights of the living positive and
negative neurons over kappa², here 1. Exponentials are adjoined, `grown` stands for e^{AU}, and logarithms are
differentiated by their own rates. The angle is drawn with a rational cosine c and sine s.
"""

import numpy as np

from toymodels.arithmetic import dot
from toymodels.arithmetic.jets import Jet
from toymodels.claims import identity
from toymodels.relu import formulas
from toymodels.relu.timeline_cases import LABELS, directions, slid
from toymodels.relu.timeline_formulas import LIMITS, kernel_A
from toymodels.solutions import lotka_volterra
from toymodels.spaces import choice, positive, real, symmetric, vector

FAMILY = "relu"

OWN = "own; setting after Wang, Ma 2023"
GROUPS = dict(alpha=positive, gamma=positive, tangent=positive)
KERNEL = dict(K11=real, K12=real, K22=real)


@identity(
    "neuron_partition E0a",
    a=real,
    u=positive,
    v=positive,
    tangent=real,
    gates=choice([(1, 1), (1, 0), (0, 1)]),
    source=OWN,
    broken={"directions taken for orthogonal": dict(kept=0)},
)
def condensation_field(a, u, v, tangent, gates, *, kept=1):
    r"""With shares u, v of the loss a neuron moves by $z_+' = a(G_+ u - G_- v c)$ and $z_-' = a(G_+ u c - G_-
    v)$: at the slopes $e_+ = u - vc$, $e_- = uc - v$ where it is active on both.
    """
    X, c, _ = directions(tangent)
    plus, minus = gates
    shares = np.array([u, v])
    sums = formulas.gated_sums(X, np.array([gates]), -LABELS * shares)
    W = -a * sums
    moved = formulas.preactivations(W, X)[0]
    expected = a * (plus * u - kept * minus * v * c), a * (kept * plus * u * c - minus * v)
    return (moved[0], moved[1]), expected


@identity(
    "neuron_partition E1a",
    **KERNEL,
    u=positive,
    r0=positive,
    grown=positive,
    source=OWN,
    broken={"without nu": dict(final=0), "the other species' kernel": dict(swapped=1)},
)
def closed_form_solves(K11, K12, K22, u, r0, grown, *, final=1, swapped=0):
    r"""In the clock $\lambda = B \int v$ the closed form $\log(u/u_0) = -(K_{11}/A) \log(r/r_0) - \nu
    \lambda$ and $v = ru$, with r logistic in $U = \int u$, solves $u' = -u(K_{11}u + K_{12}v)$, $v' =
    -v(K_{12}u + K_{22}v)$.
    """
    A, B = K11 - K12, K22 - K12
    # along U: grown = e^{A U}, lam' = B r and rise' = r'/r
    r = lotka_volterra.ratio(r0, A, B, Jet(grown, A * grown))
    rise, lam = Jet(0 * u, r.first / r.value), Jet(0 * u, B * r.value)
    nu = final * lotka_volterra.final_rate(K11, K12, K22)
    kernel = (K22, K12) if swapped else (K11, K12)
    log_u, log_v = lotka_volterra.log_changes(*kernel, A, nu, rise, lam)
    v = r.value * u
    found = u * u * log_u.first, v * u * log_v.first
    return found, lotka_volterra.velocity(K11, K12, K22, u, v)


@identity(
    "neuron_partition E1b",
    A=positive,
    B=positive,
    r0=positive,
    grown=positive,
    source=OWN,
    broken={"r* = B/A": dict(inverted=1)},
)
def ratio_on_the_clock(A, B, r0, grown, *, inverted=0):
    r"""$v/u = r^* - (r^* - r_0) e^{-\lambda}$ with $r^* = A/B$, and it solves $r' = r u (A - B r)$."""
    U = Jet(grown, A * grown)
    r = lotka_volterra.ratio(r0, A, B, U)
    last = B / A if inverted else A / B
    faded = 1 / (1 + r0 * (B / A) * (grown - 1))
    return (r.value, r.first), (last - (last - r0) * faded, r.value * (A - B * r.value))


@identity("neuron_partition E1c", **KERNEL, source=OWN, broken={"the permanent": dict(sign=-1)})
def final_rate_is_the_determinant(K11, K12, K22, *, sign=1):
    r"""$\nu = K_{11}/A + K_{12}/B = \det K/(AB)$: not negative, and zero where the rows are proportional."""
    nu = lotka_volterra.final_rate(K11, K12, K22)
    return nu * (K11 - K12) * (K22 - K12), K11 * K22 - sign * K12 * K12


@identity(
    "neuron_partition E1d",
    K=symmetric("n"),
    x=vector("n"),
    t=positive,
    source=OWN,
    broken={"1/t²": dict(power=2)},
)
def common_decay(K, x, t, *, power=1):
    r"""n samples: $u_i' = -u_i (\tilde K u)_i$ has the solution $u = \tilde K^{-1} 1/t$, with $L t = 1^T
    \tilde K^{-1} 1$: along $x/t$ what is left is $x_i((\tilde K x)_i - 1)/t^2$.
    """
    time = Jet(t, 0 * t + 1)
    u = x / time if power == 1 else x / (time * time)
    return u.first + u.value * (K @ u.value), x * (K @ x - 1) / (t * t)


@identity("neuron_partition E3b", **GROUPS, source=OWN, broken={"s² for 1 - c in r*": dict(square=1)})
def constants_of_phase_A(alpha, gamma, tangent, *, square=0):
    r"""There $A = \alpha(1+c)$, $B = A + \gamma s^2$, $r^* = \alpha/(\alpha + \gamma(1-c))$, $b = 1/(1+c)$,
    $\nu = (1-c)(\alpha+\gamma)/B$.
    """
    _, c, s = directions(tangent)
    K = kernel_A(alpha, gamma, 1 - c)
    A, B = K[0, 0] - K[0, 1], K[1, 1] - K[0, 1]
    gap = s * s if square else 1 - c
    found = A, B, A / B, K[0, 0] / A, lotka_volterra.final_rate(K[0, 0], K[0, 1], K[1, 1])
    total = alpha * (1 + c) + gamma * s * s
    return found, (
        alpha * (1 + c),
        total,
        alpha / (alpha + gamma * gap),
        1 / (1 + c),
        (1 - c) * (alpha + gamma) / total,
    )


@identity(
    "neuron_partition E3c",
    u=positive,
    v=positive,
    tangent=real,
    source=OWN,
    broken={"gate 1/2": dict(half=1)},
)
def gates_of_sliding_neurons(u, v, tangent, *, half=0):
    r"""Negatives stay on the kink of $x_+$ with the gate $vc/u$, positives on that of $x_-$ with $uc/v$."""
    X, c, _ = directions(tangent)
    q = [(1 + 0 * u) / 2] * 2 if half else [v * c / u, u * c / v]
    gates = np.array([[q[0], 1 + 0 * q[0]], [1 + 0 * q[0], q[1]]])
    sums = formulas.gated_sums(X, gates, LABELS * np.array([u, v]))
    return (dot(sums[0], X[0]), dot(sums[1], X[1])), (0 * u, 0 * u)


@identity("neuron_partition E3d", **GROUPS, u=positive, source=OWN, broken={"s² for 1 - c": dict(square=1)})
def slow_manifold(alpha, gamma, tangent, u, *, square=0):
    r"""At $r = r^*$ phase A moves along its slow manifold, $(1/u)' = (1-c)\alpha(\alpha+\gamma)/(\alpha +
    \gamma(1-c))$.
    """
    _, c, s = directions(tangent)
    K, gap = kernel_A(alpha, gamma, 1 - c), s * s if square else 1 - c
    r, _ = LIMITS["A"](alpha, gamma, 1 - c)
    first, second = lotka_volterra.velocity(K[0, 0], K[0, 1], K[1, 1], u, r * u)
    speed = gap * alpha * (alpha + gamma) / (alpha + gamma * (1 - c))
    return (-first / (u * u), second), (speed, r * first)


@identity(
    "neuron_partition E3e", root=positive, half=positive, source=OWN, broken={"2/(1 + p)": dict(other=1)}
)
def plateau_is_a_common_output(root, half, *, other=0):
    r"""$(p e^{-f} + e^f)/(1+p) - 2\sqrt p/(1+p)$ is a square: no common output has a lower loss, and
    $f = \log(p)/2$ attains it.
    """
    p, E = root * root, half * half
    least = 2 + 0 * p if other else 2 * root
    gap = half - root / half
    return (p / E + E - least) / (1 + p), gap * gap / (1 + p)


@identity(
    "neuron_partition E3f",
    alpha=positive,
    root=positive,
    tanh=positive,
    source=OWN,
    broken={"p for its root": dict(power=2)},
)
def escape_at_angle_zero(alpha, root, tanh, *, power=1):
    r"""At angle 0, $e^f = \sqrt p \tanh(\alpha \sqrt p t/(1+p) + \mathrm{artanh}(1/\sqrt p))$ solves $f' =
    \alpha (p e^{-f} - e^f)/(1+p)$.
    """
    p = root * root
    speed = alpha * root**power / (1 + p)
    E = root * Jet(tanh, (1 - tanh * tanh) * speed)
    return E.first, alpha * (p - E.value * E.value) / (1 + p)


@identity("neuron_partition E4a", **GROUPS, source=OWN, broken={"1 - c for s²": dict(plain=1)})
def slopes_at_the_end(alpha, gamma, tangent, *, plain=0):
    r"""$cB - A = -s^2(\alpha - c\gamma)$, $B - cA = s^2(\alpha + \gamma)$: positives reach the kink of $x_-$
    iff $\alpha > c\gamma$, and $x_-$ always ends on the right side.
    """
    _, c, s = directions(tangent)
    A, B = alpha * (1 + c), alpha * (1 + c) + gamma * s * s
    gap = 1 - c if plain else s * s
    return (c * B - A, B - c * A), (-gap * (alpha - c * gamma), gap * (alpha + gamma))


@identity("neuron_partition E4b", **GROUPS, p=positive, source=OWN, broken={"p for cp": dict(plain=1)})
def slopes_at_the_start(alpha, gamma, tangent, p, *, plain=0):
    r"""$Acp - cB - s^2(\alpha - c\gamma) = \alpha(1+c)(cp-1)$, $Acp - cB - s^2(\alpha+\gamma) =
    (1+c)(\alpha(cp-1) - \gamma s^2)$: when positives first move away from the kink, and $f(x_-)$ upwards.
    """
    _, c, s = directions(tangent)
    A, B = alpha * (1 + c), alpha * (1 + c) + gamma * s * s
    start, beyond = A * c * p - c * B, (p if plain else c * p) - 1
    left = start - s * s * (alpha - c * gamma), start - s * s * (alpha + gamma)
    return left, (alpha * (1 + c) * beyond, (1 + c) * (alpha * beyond - gamma * s * s))


@identity(
    "neuron_partition E4c",
    **GROUPS,
    U=positive,
    V=positive,
    source=OWN,
    broken={"negatives not projected": dict(project=0)},
)
def events_of_phase_A(alpha, gamma, tangent, U, V, *, project=1):
    r"""In phase A positives move on $x_-$ by $cU - V$, and $-f(x_-)$ by $(\alpha + \gamma s^2)V - \alpha cU$:
    the events are zeros of these.
    """
    X, c, s = directions(tangent)
    integrals = np.stack([U, V], -1)
    positives = (LABELS * integrals) @ X
    negatives = (np.array([0, 1]) * integrals) @ (slid(X, X[0]) if project else X)
    on_minus = X @ positives, X @ negatives
    output = alpha * on_minus[0][1] - gamma * on_minus[1][1]
    return (on_minus[0][1], -output), (c * U - V, (alpha + gamma * s * s) * V - alpha * c * U)
