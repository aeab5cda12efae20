"""Learning-rate schedules: noisy descent on a quadratic, the two times of a schedule, what they decide."""

from functools import cache

import numpy as np

from toymodels import MinimaManifold, dynamics
from toymodels.arithmetic.elementary import atan, cos
from toymodels.claims import identity, mean, probability
from toymodels.solutions import schedule_variances
from toymodels.spaces import between, integer, positive, real

FAMILY = "manifold"


def cosine_rates(lr, steps):
    """Rates lr (1 + cos(pi s / T)) / 2 in the arithmetic of lr."""
    pi = 4 * atan(lr / lr)
    return [lr * (1 + cos(pi * s / steps)) / 2 for s in range(steps)]


def total(terms):
    """The sum of a list of ring elements."""
    return sum(terms[1:], terms[0])


def multiplied(factors):
    """The product of a list of ring elements."""
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def chebyshev(z, degree):
    """The Chebyshev polynomial of the second kind U at z, by its recurrence."""
    before, now = 0 * z, 0 * z + 1
    for _ in range(degree):
        before, now = now, 2 * z * now - before
    return now


@identity(
    "minima_manifold D.1a",
    v0=real,
    lr=real,
    curvature=positive,
    noise=real,
    steps=integer(1, 12),
    source="own",
    broken={"without the 2": dict(finite=2), "decay once a step": dict(power=1)},
)
def variance_of_constant_steps(v0, lr, curvature, noise, steps, *, finite=1, power=2):
    r"""$v_k = v_\infty + (1-\eta\lambda)^{2k}(v_0 - v_\infty)$ with $v_\infty = \frac{\eta c}{\lambda(2 -
    \eta\lambda)}$.
    """
    v = v0
    for _ in range(steps):
        v = schedule_variances.step(v, lr, curvature, noise)
    kept = schedule_variances.stationary(lr * finite, curvature, noise) / finite
    return v, kept + (1 - lr * curvature) ** (power * steps) * (v0 - kept)


@identity(
    "minima_manifold D.1b",
    lr=positive,
    curvature=positive,
    steps=integer(1, 40),
    source="own",
    broken={"T for T - 1": dict(more=1), "all of the steps": dict(first=0)},
)
def mean_of_cosine_steps(lr, curvature, steps, *, more=0, first=1):
    r"""For the cosine schedule $\prod_s(1 - \eta_s\lambda) = a^T(z-1)2^{1-T}U_{T-1}(z)$, $a =
    \eta_0\lambda/2$, $z = (1-a)/a$.
    """
    found = multiplied([1 - rate * curvature for rate in cosine_rates(lr, steps)])
    a = lr * curvature / 2
    z = (1 - a) / a
    return found, a**steps * (z - first) * 2 * chebyshev(z, steps - 1 + more) / 2**steps


@identity(
    "minima_manifold D.1c",
    q=real,
    steps=integer(1, 12),
    source="own",
    broken={"sum for difference": dict(sign=1)},
)
def chebyshev_form_summed(q, steps, *, sign=-1):
    r"""With $q = \sqrt{1 - \eta_0\lambda}$ that product is $q((\frac{1+q}2)^{2T} - (\frac{1-q}2)^{2T})$."""
    a = (1 - q * q) / 2
    z = (1 - a) / a
    product = a**steps * (z - 1) * 2 * chebyshev(z, steps - 1) / 2**steps
    return product, q * (((1 + q) / 2) ** (2 * steps) + sign * ((1 - q) / 2) ** (2 * steps))


@identity(
    "minima_manifold D.1d",
    a=positive,
    steps=integer(1, 12),
    source="own",
    broken={"Gamma one lower": dict(shift=1)},
)
def mean_of_linear_steps(a, steps, *, shift=0):
    r"""$\prod_s(1 - a(1 - s/T)) = (a/T)^T\,\Gamma(T/a)/\Gamma(T/a - T)$, $a = \eta_0\lambda$: the Gamma
    functions are the product of $T/a - k$, k = 1 to T.
    """
    found = multiplied([1 - a * (steps - s) / steps for s in range(steps)])
    falling = multiplied([steps / a - k - shift for k in range(1, steps + 1)])
    return found, (a / steps) ** steps * falling


@identity(
    "minima_manifold S-D1a",
    lr=positive,
    steps=integer(2, 60),
    source="own",
    broken={"3T/8": dict(rest=0), "T/2": dict(share=4)},
)
def times_of_the_cosine(lr, steps, *, rest=1, share=3):
    r"""For the cosine schedule $\sum\eta_s = \eta_0\frac{T+1}2$ and $\sum\eta_s^2 = \eta_0^2(\frac{3T}8 +
    \frac12)$, $T \ge 2$.
    """
    rates = cosine_rates(lr, steps)
    slow = lr * lr * (share * steps + 4 * rest) / 8
    return (total(rates), total([rate * rate for rate in rates])), (lr * (steps + 1) / 2, slow)


@identity(
    "minima_manifold S-D1b",
    lr=positive,
    steps=integer(1, 40),
    source="own",
    broken={"T/3, the integral": dict(summed=0)},
)
def times_of_linear_decay(lr, steps, *, summed=1):
    r"""For $\eta_s = \eta_0(1 - s/T)$, $\sum\eta_s^2 = \eta_0^2\frac{(T+1)(2T+1)}{6T}$."""
    rates = [lr * (steps - s) / steps for s in range(steps)]
    whole = (steps + summed) * (2 * steps + summed)
    return total([rate * rate for rate in rates]), lr * lr * whole / (6 * steps)


@identity(
    "minima_manifold S-D1c",
    lr=positive,
    factor=between(0.1, 0.9),
    steps=integer(1, 20),
    source="own",
    broken={"1 - g": dict(power=1)},
)
def times_of_exponential_decay(lr, factor, steps, *, power=2):
    r"""For $\eta_s = \eta_0g^s$, $\sum\eta_s^2 = \eta_0^2\frac{1 - g^{2T}}{1 - g^2}$."""
    rates = [lr * factor**s for s in range(steps)]
    return total([rate * rate for rate in rates]), lr * lr * (1 - factor ** (2 * steps)) / (1 - factor**power)


MODEL = MinimaManifold([[1.0, 0.0]], [0.3])
START = [1.3, 0.3 / 1.3]
"""A minimum of MODEL with two parameters, and its imbalance."""


def log_imbalance(rates, steps, sigma, runs=200):
    """log om after steps of label noise from START, (runs,)."""
    run = dynamics.descend(
        MODEL,
        np.tile(START, (runs, 1)),
        lr=rates,
        steps=steps,
        noise=("rademacher", sigma),
        every=10**6,
        record=(),
        rng=8,
        measure_error=False,
    )
    return np.log(MODEL.total_imbalance(run.theta[-1]))


@cache
def after_cosine(lr, steps, sigma):
    """log om after a cosine decay, (runs,)."""
    return log_imbalance(dynamics.schedules.cosine(lr, steps), steps, sigma)


@mean(
    "minima_manifold S-D1d",
    rivals=(0.03, -0.03),
    source="own",
    broken={"a constant rate for T/2 steps, the fast time": dict(slow=0)},
)
def equal_slow_times_drift_alike(*, slow=1):
    r"""Cosine decay over T steps moves the log imbalance as far as the constant rate $\eta_0$ over $3T/8 +
    1/2$, as $\eta_0 \to 0$: the difference, a share of the drift and extrapolated from two rates, is 0.
    """
    sigma, time = 0.3, 5.0

    def difference(lr):
        # 3T/8 + 1/2 is an integer for T = 8k + 4
        k = round((time / lr**2 - 2) / 3)
        steps, held = 8 * k + 4, 3 * k + 2 if slow else 4 * k + 2
        constant = log_imbalance(dynamics.schedules.constant(lr), held, sigma)
        return (after_cosine(lr, steps, sigma) - constant) / (sigma**2 * time)

    return 2 * difference(0.05) - difference(0.1), np.array(0.0)


@identity(
    "minima_manifold S-D2a",
    rate=positive,
    first=positive,
    second=positive,
    early=positive,
    budget=positive,
    source="own",
    broken={"in fast time": dict(power=1)},
)
def later_decay_drifts_further(rate, first, second, early, budget, *, power=2):
    r"""With N steps in all, of which T at $\eta_1$ and then at $\eta_2$, the log shrinkage $-K(\eta_1^2T +
    \eta_2^2(N-T))$ falls by $K(\eta_1 - \eta_2)(\eta_1 + \eta_2)$ for each step that T is longer: it
    decreases in T if and only if $\eta_1 > \eta_2$.
    """

    def shrinkage(steps):
        return -rate * (first**power * steps + second**power * (budget - steps))

    return shrinkage(early + 1) - shrinkage(early), -rate * (first - second) * (first + second)


@probability("minima_manifold S-D2b", source="own", broken={"lr_1 < lr_2": dict(rates=(0.02, 0.05))})
def measured_order_of_decays(*, rates=(0.05, 0.02)):
    r"""Of 3000 noisy steps with decay at T = 0, 1000, 2500 a later decay leaves less imbalance, with
    probability at least 0.9.
    """
    first, second = rates
    held = (0, 1000, 2500)

    def schedule(T):
        return lambda step: first if step < T else second

    left = [log_imbalance(schedule(T), 3000, 0.5) for T in held]
    return (left[0] > left[1]) & (left[1] > left[2]), 0.9
