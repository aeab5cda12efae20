"""How far the kernel of one neuron moves: lazy for delta -> +inf, rich at balance and below.

After Kunin et al. 2024, as `kunin2024`; what is marked as our own is not stated
there. M = a² I + w wᵀ is the tangent kernel in the inputs' space.
"""

import numpy as np

from toymodels.arithmetic import dot, frobenius, identity_like, outer
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import identity, limit
from toymodels.solutions import one_neuron_kernel
from toymodels.solutions.one_neuron import flow
from toymodels.spaces import Rejected, between, choice, positive, real, unit_vector, vector
from toymodels.theorems import kunin2024

FAMILY, PAPER, SMALL = kunin2024.FAMILY, kunin2024.PAPER, kunin2024.SMALL
EPS = np.finfo(float).eps


@identity(
    "linear_nets S6.9a",
    w=vector("d"),
    a=real,
    v=vector("d"),
    b=real,
    sizes=SMALL,
    broken={"a(0) in the second norm": dict(stale=1)},
)
def kernel_inner_products(w, a, v, b, *, stale=0):
    r"""$\langle M,M'\rangle = d\,a^2a'^2 + a^2|w'|^2 + a'^2|w|^2 + (w\cdot w')^2$, and both norms."""
    d = len(w)
    M, N = (x * x * identity_like(w) + outer(y, y) for x, y in ((a, w), (b, v)))
    A, B, C, D = a * a, dot(w, w), b * b, dot(v, v)
    second = A if stale else C
    inner = one_neuron_kernel.inner_product(A, B, C, D, dot(w, v) * dot(w, v), d)
    square = one_neuron_kernel.inner_product(second, D, second, D, D * D, d)
    return (frobenius(M, N), frobenius(N, N)), (inner, square)


@identity(
    "linear_nets S6.9b",
    w=vector("d"),
    a=real,
    v=vector("d"),
    b=real,
    sizes=SMALL,
    source="own",
    broken={"d for d - 1": dict(more=1)},
)
def kernel_angle(w, a, v, b, *, more=0):
    """The sum of positive terms for |M|²|M'|² - <M, M'>² that the shipped distance is made of."""
    d = len(w)
    A, B, C, D, overlap = a * a, dot(w, w), b * b, dot(v, v), dot(w, v) * dot(w, v)
    inner = one_neuron_kernel.inner_product
    sizes = inner(A, B, A, B, B * B, d) * inner(C, D, C, D, D * D, d)
    along = inner(A, B, C, D, overlap, d)
    return one_neuron_kernel.angle_square(A, B, C, D, B * D - overlap, d + more), sizes - along * along


@identity(
    "linear_nets S6.9c",
    w=vector("d"),
    a=real,
    b=vector("d"),
    t=between(0, 5),
    cost="trajectory",
    sizes=SMALL,
    broken={"a(0) in the second norm": dict(stale=1)},
)
def kernel_distance_along_the_flow(w, a, b, t, *, stale=0):
    """The shipped S(0, t) is 1 minus the cosine between M(0) and M(t)."""
    w, a, b, t = (np.asarray(value_of(x), dtype=float) for x in (w, a, b, t))
    if np.hypot(np.linalg.norm(w), a) < 1e-3:
        raise Rejected("no kernel at the start")
    w_t, a_t = flow(w, a, b, t)
    M, N, stale_N = (x * x * np.eye(len(w)) + np.outer(y, y) for x, y in ((a, w), (a_t, w_t), (a, w_t)))
    norm = np.linalg.norm(M) * np.linalg.norm(stale_N if stale else N)
    return Measured(1 - (M * N).sum() / norm, 64 * len(w) * EPS), one_neuron_kernel.distance_along(w, a, b, t)


@identity(
    "linear_nets S6.9d",
    p=positive,
    q=positive,
    w=unit_vector("d"),
    e=unit_vector("d"),
    sizes=SMALL,
    broken={"d + 2": dict(more=-1)},
)
def balanced_kernel_distance(p, q, w, e, *, more=0):
    r"""At balance $S(0,\infty) = (1-\varphi_0^2)/(d+3)$."""
    d, A, C, phi = len(w), p * p, q * q, dot(w, e)
    sine = 1 - phi * phi
    along = one_neuron_kernel.inner_product(A, A, C, C, A * C * phi * phi, d)
    square = one_neuron_kernel.angle_square(A, A, C, C, A * C * sine, d)
    # |M| = A sqrt(d + 3) at balance
    return one_neuron_kernel.distance_share(square, along, A * C * (d + 3)), sine / (d + 3 + more)


@identity(
    "linear_nets S6.9e",
    w=vector("d"),
    a=real,
    b=vector("d"),
    cost="trajectory",
    sizes=SMALL,
    broken={"the start's imbalance forgotten at the end": dict(keep=0)},
)
def kernel_distance_at_the_end(w, a, b, *, keep=1):
    r"""$S(0,\infty)$ from $A, B = (S \pm \delta)/2$ at $|\beta_0|$ and at s, and the start's alignment."""
    w, a, b = (np.asarray(value_of(x), dtype=float) for x in (w, a, b))
    size, s, d = np.linalg.norm(w), np.linalg.norm(b), len(w)
    delta = a * a - w @ w
    if size < 1e-3 or s < 1e-3 or abs(a) < 1e-3:
        raise Rejected("no direction")
    spread, end = np.hypot(delta, 2 * abs(a) * size), np.hypot(keep * delta, 2 * s)
    A, B = (spread + delta) / 2, (spread - delta) / 2
    C, D = (end + keep * delta) / 2, (end - keep * delta) / 2
    phi = w @ b / (size * s)
    along = d * A * C + A * D + C * B + B * D * phi**2
    norms = np.sqrt((d * A * A + 2 * A * B + B * B) * (d * C * C + 2 * C * D + D * D))
    if abs(w @ b + (np.hypot(s, delta / 2) + delta / 2) * a) < 1e-9:
        raise Rejected("too near to the separatrix")
    budget = 256 * d * EPS * (1 + abs(delta) / min(spread, end))
    return Measured(1 - along / norms, budget), one_neuron_kernel.distance_at_end(w, a, b)


@limit(
    "linear_nets S6.9f",
    beta=unit_vector("3"),
    e=unit_vector("3"),
    side=choice([1.0, -1.0]),
    order=1,
    broken={"upstream is rich too": dict(side=choice([1.0]), rich=1)},
)
def kernel_distance_of_large_imbalance(beta, e, side, *, rich=0):
    r"""$S(0,\infty)$ tends to 0 for $\delta \to +\infty$ (lazy), to $1-\varphi_0^2$ for $-\infty$ (rich)."""
    beta, e = np.asarray(beta), np.asarray(e)
    deltas = 10.0 ** np.arange(1, 7)
    sequence = []
    for delta in side * deltas:
        large = np.sqrt((np.hypot(delta, 2.0) + abs(delta)) / 2)
        a = large if delta > 0 else 1 / large
        sequence.append(one_neuron_kernel.distance_at_end(beta / a, a, e))
    rich_end = 1 - (beta @ e) ** 2
    return 1 / deltas, Measured(np.array(sequence), 1e3 * EPS), rich_end if side < 0 or rich else 0.0
