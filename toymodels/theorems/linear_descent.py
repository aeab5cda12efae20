"""Exact facts about gradient descent on two-layer linear nets: imbalance, mode maps, stability of minima."""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import identity_like, mT
from toymodels.arithmetic.jets import derivative
from toymodels.arithmetic.measured import Measured
from toymodels.claims import equivalence, identity, rate
from toymodels.linear import TwoLayerLinear, formulas
from toymodels.linear.cases import aligned_weights
from toymodels.spaces import between, integer, log_uniform, matrix, positive, real

FAMILY = "linear"

MODE = dict(a=real, b=real, s=real, lr=real)


@identity("linear_nets S8.1a", **MODE, source="own", broken={"GD conserves the imbalance": dict(kept=0)})
def mode_imbalance(a, b, s, lr, *, kept=1):
    r"""One step multiplies $a^2 - b^2$ by $1 - \eta^2 r^2$, r = s - ab."""
    a1, b1 = formulas.mode_step(a, b, s, lr)
    return a1 * a1 - b1 * b1, formulas.mode_imbalance_step(a * a - b * b, kept * (s - a * b), lr)


@identity("linear_nets S8.1b", **MODE, source="own", broken={"first order in the step": dict(second=0)})
def mode_gram(a, b, s, lr, *, second=1):
    r"""The product u = ab and $q = a^2 + b^2$ move by a map closed in (u, q)."""
    a1, b1 = formulas.mode_step(a, b, s, lr)
    u, q = a * b, a * a + b * b
    u1, q1 = formulas.mode_gram_step(u, q, s, lr)
    kick = lr * (s - u)
    dropped = (1 - second) * kick * kick
    return (a1 * b1, a1 * a1 + b1 * b1), (u1 - dropped * u, q1 - dropped * q)


@identity("linear_nets S8.1c", **MODE, source="own", broken={"first order in the step": dict(second=0)})
def mode_residual(a, b, s, lr, *, second=1):
    r"""One step multiplies the residual by $1 - \eta q - \eta^2 r u$."""
    a1, b1 = formulas.mode_step(a, b, s, lr)
    u, q = a * b, a * a + b * b
    return s - a1 * b1, formulas.mode_residual_step(s - u, second * u, q, lr)


@identity(
    "linear_nets S8.1d",
    W1=matrix("m d"),
    W2=matrix("c m"),
    step=matrix("c d"),
    source="own",
    broken={"GD conserves the imbalance": dict(kept=0)},
)
def matrix_imbalance(W1, W2, step, *, kept=1):
    r"""One step changes $\Lambda$ by $\eta^2 (W_1 G^\top G W_1^\top - W_2^\top G G^\top W_2)$."""
    change = formulas.imbalance(*formulas.update(W1, W2, step)) - formulas.imbalance(W1, W2)
    return change, kept * (W1 @ mT(step) @ step @ mT(W1) - mT(W2) @ step @ mT(step) @ W2)


@identity(
    "linear_nets S8.1e",
    path=aligned_weights("m"),
    lr=positive,
    sizes=dict(m=(1, 3)),
    source="own",
    broken={"modes coupled: residuals exchanged": dict(roll=1, path=aligned_weights("2"))},
)
def aligned_modes_descend_alone(path, lr, *, roll=0):
    """Aligned weights stay aligned under gradient descent, each mode by its own map."""
    moved = formulas.descent_step(path.W1, path.W2, identity_like(path.W1), path.S, lr)
    s = path.s[[*range(roll, len(path.s)), *range(roll)]]
    a, b = formulas.mode_step(path.a, path.b, s, lr)
    after = path._replace(a=a, b=b)
    return moved, (after.W1, after.W2)


@identity(
    "linear_nets S8.1f",
    x=real,
    s=real,
    lr=real,
    steps=integer(1, 5),
    source="own",
    broken={"escape factor e^(eta s)": dict(second=1)},
)
def escape_factor(x, s, lr, steps, *, second=0):
    r"""Near 0 the k-th iterate from (x, x) grows like $(1 + \eta s)^k$, not $e^{\eta s k}$ (whose next term
    is $\eta^2 s^2/2$).
    """

    def iterate(a, b):
        for _ in range(steps):
            a, b = formulas.mode_step(a, b, s, lr)
        return a

    slope = derivative(iterate, (0 * x, 0 * x), (x, x))
    return slope, x * (1 + lr * s + second * lr * lr * s * s / 2) ** steps


@identity("linear_nets 8.3", a=real, b=real, lr=real, source="own", broken={"2 s for q": dict(share=0)})
def multiplier_at_minimum(a, b, lr, *, share=1):
    r"""At a minimum ab = s the step maps (b, a) to $(1 - \eta(a^2+b^2))(b, a)$ and keeps the tangent (a,
    -b).
    """
    step = lambda x, y: formulas.mode_step(x, y, a * b, lr)
    normal = tuple(derivative(lambda x, y, k=k: step(x, y)[k], (a, b), (b, a)) for k in (0, 1))
    tangent = tuple(derivative(lambda x, y, k=k: step(x, y)[k], (a, b), (a, -b)) for k in (0, 1))
    factor = 1 - lr * (share * (a * a + b * b) + (1 - share) * 2 * a * b)
    return (normal, tangent), ((factor * b, factor * a), (a, -b))


@equivalence(
    "linear_nets S8.2",
    a=log_uniform(0.5, 3),
    s=between(0.5, 2),
    ratio=between(0.9, 1.1),
    margin=0.01,
    source="own",
    broken={"threshold 2/s": dict(trace=0)},
)
def stable_minimum(a, s, ratio, *, trace=1):
    r"""A minimum (a, b), ab = s, is linearly stable iff $\eta < 2/(a^2+b^2)$."""
    b = s / a
    lr = ratio * 2 / (a * a + b * b)
    net = TwoLayerLinear([[1.0]], [s], width=1)
    kick = 1e-9 * np.array([b, a]) / np.hypot(a, b)
    run = dynamics.descend(net, np.array([a, b]) + kick, lr=lr, steps=50)
    with np.errstate(over="ignore"):
        grew = run["loss"][-1] > run["loss"][0]
    predicted = lr >= 2 / (a * a + b * b) if trace else lr >= 2 / s
    return bool(grew), bool(predicted), abs(ratio - 1)


@rate(
    "linear_nets S8.5",
    a=between(0.3, 1),
    b=between(-0.5, 1),
    s=between(1, 2),
    rivals=(0.5, 2),
    source="own",
    broken={"GD is second order": dict(order=2)},
)
def descent_follows_flow(a, b, s, *, order=1):
    """At a fixed time |GD - GF| is proportional to the learning rate."""
    net = TwoLayerLinear([[1.0]], [s], width=1)
    start, time = np.array([a, b]), 1.0
    flow = dynamics.exact(net, start).at(time)
    rates = 2.0 ** -np.arange(5, 12)
    ends = [dynamics.descend(net, start, lr=lr, steps=round(time / lr), record=()).theta[-1] for lr in rates]
    return rates, Measured(np.linalg.norm(np.array(ends) - flow, axis=-1)), order
