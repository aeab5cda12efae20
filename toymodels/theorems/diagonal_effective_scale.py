"""Descent of diagonal networks ends where gradient flow would end from a smaller scale.

A move x = lr g_j of a step multiplies alpha_j² by 1 - x² and e^{rho_j} by (1 - x)/(1 + x), whatever its rows.
"""

from fractions import Fraction
from functools import cache

import numpy as np

from toymodels import DiagonalLinear, dynamics
from toymodels.arithmetic import dot, mT
from toymodels.arithmetic.elementary import exp, log
from toymodels.arithmetic.measured import Measured
from toymodels.claims import counterexample, identity, limit, mean
from toymodels.errors import AssumptionError
from toymodels.manifold import diagonal_formulas as formulas
from toymodels.manifold import effective_scale, scale_decay
from toymodels.manifold.diagonal_cases import points, signs, trainings
from toymodels.spaces import between, choice, matrix, positive, real, vector

FAMILY = "manifold"
EVEN = "after Even, Pesme, Gunasekar, Flammarion 2023 (arXiv 2302.08982), recalled"
PESME = "after Pesme, Pillaud-Vivien, Flammarion 2021 (arXiv 2106.09524), recalled"
EPS = np.finfo(float).eps


@identity(
    "minima_manifold S-C4a",
    point=points(),
    cotangents=matrix("3 n"),
    lr=vector("3"),
    source=EVEN,
    sizes=dict(n=(1, 2), d=(1, 3)),
    broken={"alpha is kept": dict(shrinks=0), "rho moves by -2x": dict(exact=0)},
)
def scale_and_angle_after_steps(point, cotangents, lr, *, shrinks=1, exact=1):
    r"""After any steps, of any size and on any rows, $\alpha^2$ has shrunk by $\prod_s(1 - x_s^2)$ and
    $e^{\rho}$ by $\prod_s\frac{1-x_s}{1+x_s} = e^{-2\sum_s\mathrm{atanh}\,x_s}$, $x_s = \eta_sg_s$.
    """
    u, v = point.W
    scale, ratio = formulas.imbalance(u, v), (u + v) / (u - v)
    for c, step in zip(cotangents, lr, strict=True):
        x = step * formulas.signal(point.X, c)
        u, v = formulas.update(u, v, x)
        scale = scale * (1 - shrinks * x * x)
        ratio = ratio * (1 - x) / (1 + exact * x)
    return (formulas.imbalance(u, v), (u + v) / (u - v)), (scale, ratio)


@identity(
    "minima_manifold S-C4b",
    scale=positive,
    x=real,
    grown=positive,
    source=EVEN,
    broken={"q_+ and q_- exchanged": dict(sign=-1), "alpha for the scale that is left": dict(shrinks=0)},
)
def two_forms_of_the_start(scale, x, grown, *, sign=1, shrinks=1):
    r"""With $\alpha_\pm^2 = \alpha^2e^{-q_\pm}$, $q_\pm = \mp2x - \log(1 \mp x)^2$, the start
    $\frac12(\alpha_+^2 - \alpha_-^2)$ is $\alpha_\infty^2\sinh\tilde\rho_0$ with $\alpha_\infty^2 =
    \alpha_+\alpha_- = \alpha^2(1-x^2)$, $\tilde\rho_0 = -2(\mathrm{atanh}\,x - x)$.
    """
    # grown stands for e^{2x}, and e^{atanh x} for the root of (1 + x)/(1 - x)
    up = scale * grown * (1 - sign * x) ** 2
    down = scale / grown * (1 + sign * x) ** 2
    left = scale * (1 - shrinks * x * x)
    turn = grown * (1 - x) / (1 + x)
    return ((up - down) / 2, up * down), (left * (turn - 1 / turn) / 2, left * left)


@identity(
    "minima_manifold S-C4c",
    x=between(-0.99, 0.99),
    source=EVEN,
    broken={"atanh x for atanh x - x": dict(centred=0), "1 - x": dict(power=1)},
)
def shipped_shifts(x, *, centred=1, power=2):
    r"""$\log(1-x) - \log(1+x) = -2x - 2(\mathrm{atanh}\,x - x)$: the shift of the start, and the logarithm of
    $1 - x^2$, as computed.
    """
    shrunk, shifted = effective_scale.log_shrinkage(x), effective_scale.start_shift(x)
    return (exp(shrunk), shifted - 2 * centred * x), (1 - x**power, log((1 - x) / (1 + x)))


def converged(problem, run):
    """The last residual's size, or an AssumptionError where it is not small."""
    left = np.abs(problem.outputs(run.theta[-1]) - problem.targets).max()
    if not left < 1e-10:
        raise AssumptionError("the run did not converge", float(left))
    return left


@identity(
    "minima_manifold S-C4d",
    training=trainings(),
    batch=choice([None, 1]),
    share=between(0.1, 0.5),
    cost="trajectory",
    source=EVEN,
    sizes=dict(n=(1, 2), d=(2, 4)),
    broken={"the scale of the start": dict(shrinks=0), "the start unmoved": dict(shifted=0)},
)
def descent_ends_at_the_effective_interpolator(training, batch, share, *, shrinks=1, shifted=1):
    r"""Gradient descent and SGD that converge with $|\eta g| < 1$ end at the hyperbolic interpolator of the
    scale $\alpha_\infty$ and the start $\tilde\rho_0$.
    """
    X, y, alpha, rho = training
    problem = DiagonalLinear(X, y)
    theta = problem.start(alpha, rho)
    scale = effective_scale.scale_of(problem, theta)
    size = max(problem.sharpness(theta), 2 * np.abs(X).max() ** 2 * (alpha**2).max())
    run = dynamics.descend(problem, theta, lr=share / size, steps=600, batch=batch, rng=3)
    left = converged(problem, run)
    x = effective_scale.steps_of(problem, run)
    if np.abs(x).max() > 0.9:
        raise AssumptionError("a weight comes near a change of sign", float(np.abs(x).max()))
    after = effective_scale.after_steps(scale, x)
    given = effective_scale.EffectiveScale(
        after.log_alpha if shrinks else scale.log_alpha, after.rho if shifted else scale.rho
    )
    predicted = given.interpolator(problem)
    end = run.theta[-1]
    # a move is read off theta to a rounding, and there is one a step
    read = 8 * len(x) * EPS * (np.abs(end).max() ** 2 + (alpha**2).max())
    rest = (
        left / np.linalg.svd(X, compute_uv=False)[-1] * np.sqrt(len(y)) * np.abs(problem.jacobian(end)).max()
    )
    budget = run.error[-1] * np.linalg.norm(end) + read + rest
    return Measured(problem.beta(end), budget), Measured(predicted.beta, predicted.error)


@identity(
    "minima_manifold S-C5a",
    point=points(),
    r=vector("n"),
    source="own",
    sizes=dict(n=(2, 3), d=(1, 3)),
    broken={"2 M_j L": dict(mixed=1)},
)
def shrinkage_of_a_sampled_step(point, r, *, mixed=0):
    r"""On one row at random $E\,g_j^2 = \frac1n\sum_ix_{ij}^2r_i^2$."""
    X, n = point.X, point.n
    drawn = [formulas.signal(X[i : i + 1], r[i : i + 1]) for i in range(n)]
    found = sum((g * g for g in drawn[1:]), drawn[0] * drawn[0]) / n
    loss = dot(r, r) / (2 * n)
    return found, mixed * 2 * point.moments * loss + (1 - mixed) * ((X * X * (r * r)[:, None]).sum(0) / n)


@identity(
    "minima_manifold S-C5b",
    point=points(),
    side=signs("n"),
    size=real,
    r=vector("n"),
    source=PESME,
    sizes=dict(n=(2, 3), d=(1, 3)),
    broken={"unequal residuals": dict(equal=0)},
)
def shrinkage_from_the_loss(point, side, size, r, *, equal=1):
    r"""Where all residuals have one size, $\frac1n\sum_ix_{ij}^2r_i^2 = 2M_jL$."""
    residual = equal * size * side + (1 - equal) * r
    found = mT(point.X * point.X) @ (residual * residual)[:, None] / point.n
    return found[:, 0], 2 * point.moments * dot(residual, residual) / (2 * point.n)


@counterexample("minima_manifold S-C5c", source="own", margin=Fraction(1, 5), broken={"equal": dict(first=1)})
def shrinkage_is_not_the_loss(*, first=0):
    r""" "SGD shrinks $\log\alpha_j^2$ at the rate $2M_jL$ or faster" is false where residuals differ: X = I,
    r = (0, 1).
    """
    X, r = np.eye(2, dtype=int), np.array([Fraction(first), Fraction(1)])
    rate = (X * X * (r * r)[:, None]).sum(0) / Fraction(2)
    guess = 2 * (X * X).sum(0) * Fraction(1, 2) * dot(r, r) / Fraction(4)
    return guess[0], rate[0]


def shrinkage(problem, theta0, theta, lr):
    """(1/lr) log(alpha²/alpha_0²), (..., d)."""
    return (np.log(problem.alpha_squared(theta)) - np.log(problem.alpha_squared(theta0))) / lr


UNEQUAL = DiagonalLinear([[1.0, 0.5, -0.3], [0.2, -1.0, 0.6]], [1.0, -0.2])
"""Two samples whose residuals differ along the way."""


@cache
def start_and_ends(lrs, batch, runs, end=16.0):
    """A start, and where descent on UNEQUAL without label noise is at time `end`, for each learning rate."""
    theta = UNEQUAL.start(0.8)
    starts = np.tile(theta, (runs, 1))
    ends = [
        dynamics.descend(
            UNEQUAL,
            starts,
            lr=lr,
            steps=round(end / lr),
            batch=batch,
            every=10**6,
            record=(),
            rng=5,
            measure_error=False,
        ).theta[-1]
        for lr in lrs
    ]
    return theta, ends


@cache
def path_of_the_flow(count, end=16.0):
    """Gradient flow of UNEQUAL at so many times."""
    return dynamics.flow(UNEQUAL, UNEQUAL.start(0.8), np.linspace(0, end, count), record=())


def integrated_shrinkage(batch):
    """-int E g² dt along gradient flow, by Simpson's rule with and without every other time."""
    fine, coarse = (scale_decay.small_step(UNEQUAL, path_of_the_flow(k), 1.0, batch) for k in (201, 101))
    return Measured(fine, np.abs(fine - coarse))


@limit(
    "minima_manifold S-C5d",
    order=1,
    source="own",
    broken={"half of it": dict(factor=0.5), "the batch-1 law": dict(batch=1)},
)
def full_batch_shrinkage(*, factor=1.0, batch=None):
    r"""Without noise, $\frac1\eta\log(\alpha_\infty^2/\alpha^2) \to -\int g^2\,dt$ along gradient flow for
    the full batch, as $\eta \to 0$.
    """
    rates = tuple(0.4 * 2.0 ** -np.arange(6))
    theta, ends = start_and_ends(rates, None, 1)
    found = [shrinkage(UNEQUAL, theta, there, lr)[0, 0] for there, lr in zip(ends, rates, strict=True)]
    return np.array(rates), np.array(found), factor * integrated_shrinkage(batch)[0]


@mean(
    "minima_manifold S-C5e",
    source="own, with the idea of Pesme, Pillaud-Vivien, Flammarion 2021",
    broken={"-2 M_j times the integral of L": dict(mixed=1), "twice as much": dict(factor=2)},
)
def sampled_shrinkage(*, mixed=0, factor=1):
    r"""Without label noise, $\frac1\eta E\log(\alpha_\infty^2/\alpha^2)_j \to -\int\frac1n\sum_ix_{ij}^2r_i^2
    \,dt$ for SGD on single rows, extrapolated to $\eta = 0$ from two steps.
    """
    theta, ends = start_and_ends((0.02, 0.04), 1, 400)
    small, large = (
        shrinkage(UNEQUAL, theta, there, lr) for there, lr in zip(ends, (0.02, 0.04), strict=True)
    )
    path = path_of_the_flow(201)
    by_loss = -2 * UNEQUAL.moments * np.trapezoid(UNEQUAL.loss(path.theta), path.t)
    return 2 * small - large, by_loss if mixed else factor * integrated_shrinkage(1).value
