"""Relatives of the scalar mode that its solution serves: input variance, weight decay, layerwise rates."""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import identity
from toymodels.linear import TwoLayerLinear
from toymodels.linear.cases import commuting_start
from toymodels.solutions import layer_rates, logistic
from toymodels.spaces import between, log_uniform, positive, real
from toymodels.theorems.scalar_mode import measured_exact, measured_flow

FAMILY = "linear"


@identity(
    "linear_nets S3.5a",
    start=commuting_start(),
    cost="trajectory",
    source="own",
    broken={"rate 2s/l: the target rescaled, the time not": dict(fast=1)},
)
def input_variance(start, *, fast=0):
    r"""Aligned weights with commuting $S_{xx}$: mode i solves $a' = b(s - l a b)$, and the closed form is
    the flow.
    """
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=start.width)
    times = np.array([0.3, 1.0, 3.0])
    flow = measured_flow(net, start.theta, times)
    if fast:
        closed = dynamics.exact(net, start.theta)
        return Measured(closed.at(2 * times), closed.error(2 * times)[..., None]), flow
    return measured_exact(net, start.theta, times), flow


@identity(
    "linear_nets S3.5b",
    a=real,
    b=real,
    s=real,
    root=positive,
    source="own",
    broken={"rate not scaled": dict(power=1)},
)
def variance_by_units(a, b, s, root, *, power=2):
    r"""$\sqrt l$ times a solution of $a' = b(s - l a b)$ moves with $(s, l) \to (s, 1)$."""
    variance = root**power
    A, B = root * a, root * b
    return (root * b * (s - variance * a * b), root * a * (s - variance * a * b)), (
        B * (s - A * B),
        A * (s - A * B),
    )


@identity(
    "linear_nets S3.6a",
    a=real,
    b=real,
    s=real,
    decay=real,
    source="own",
    broken={"delta conserved": dict(shrinks=0)},
)
def imbalance_decays(a, b, s, decay, *, shrinks=1):
    r"""With weight decay $\gamma$, $\delta' = -2\gamma\delta$."""
    r = s - a * b
    velocity_a, velocity_b = b * r - decay * a, a * r - decay * b
    return 2 * a * velocity_a - 2 * b * velocity_b, -2 * shrinks * decay * (a * a - b * b)


@identity(
    "linear_nets S3.6b",
    u0=real,
    rate=real,
    E=real,
    source="own",
    broken={"limit s with weight decay": dict(shift=1)},
)
def logistic_with_decay(u0, rate, E, *, shift=0):
    r"""The shipped logistic solves $u' = 2u((s-\gamma) - u)$, $E = e^{-2(s-\gamma)t}$ adjoined."""
    decaying = Jet(E, -2 * rate * E)
    u = logistic.growing(u0, decaying, (1 - decaying) / (2 * rate))
    return u.first, 2 * u.value * (rate + shift - u.value)


@identity(
    "linear_nets 3.6",
    u0=real,
    rate=real,
    E=real,
    source="own",
    broken={"limit s with weight decay": dict(shift=1)},
)
def logistic_dying(u0, rate, E, *, shift=0):
    r"""For $s < \gamma$ the same solution multiplied through by the decaying exponential."""
    decaying = Jet(E, 2 * rate * E)
    u = logistic.shrinking(u0, decaying, (decaying - 1) / (2 * rate))
    return u.first, 2 * u.value * (rate + shift - u.value)


@identity("linear_nets 3.9", u=real, s=real, decay=real, source="own", broken={"limit s": dict(keeps=0)})
def balanced_weight_decay(u, s, decay, *, keeps=1):
    r"""A balanced mode (a = b, u = a²) under weight decay: $u' = 2u(s - \gamma - u)$."""
    # u = a b: u' = a'b + ab' = (a² + b²) r - 2 decay u, with a² = b² = u
    return (u + u) * (s - u) - 2 * decay * u, 2 * u * (s - keeps * decay - u)


@identity(
    "linear_nets 3.8",
    a=real,
    b=real,
    s=real,
    variance=positive,
    r1=positive,
    r2=positive,
    source="own",
    broken={"plain imbalance with layerwise rates": dict(weighted=0)},
)
def layerwise_imbalance(a, b, s, variance, r1, r2, *, weighted=1):
    r"""With layer rates $r_1, r_2$ the flow conserves $a^2/r_1 - b^2/r_2$."""
    r = s - variance * a * b
    weight_a, weight_b = (1 / r1, 1 / r2) if weighted else (1, 1)
    return 2 * a * (r1 * b * r) * weight_a, 2 * b * (r2 * a * r) * weight_b


@identity(
    "linear_nets 3.8 rates",
    a=between(-2, 2),
    b=between(-2, 2),
    s=between(-2, 2),
    variance=log_uniform(0.3, 3),
    r1=log_uniform(0.3, 3),
    r2=log_uniform(0.3, 3),
    cost="trajectory",
    source="own",
    broken={"rates exchanged": dict(swap=1)},
)
def layerwise_rates(a, b, s, variance, r1, r2, *, swap=0):
    """The closed form with input variance and layerwise rates is the flow."""
    a, b, s, variance, r1, r2 = (float(value_of(x)) for x in (a, b, s, variance, r1, r2))
    net = TwoLayerLinear.from_statistics([[variance]], [[s]], 1 + s * s / variance, width=1)
    times = np.array([0.3, 1.0, 3.0])
    run = dynamics.flow(net, [a, b], times, rates=(r1, r2), record=())
    rates = (r2, r1) if swap else (r1, r2)
    closed = np.stack(layer_rates.flow(a, b, s, times, variance=variance, rates=rates), axis=-1)
    return Measured(closed, 1e-12 * (1 + abs(closed))), Measured(run.theta, run.error[..., None])
