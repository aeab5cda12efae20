"""Label noise shrinks the scale of a diagonal network: late decay is a smaller initialisation.

In slow time tau = sum of lr² the limit is a weighted l1 norm, which is the plain one for equal moments only.
"""

from functools import cache

import numpy as np

from toymodels import DiagonalLinear, dynamics
from toymodels.arithmetic import dot, mT
from toymodels.arithmetic.elimination import inverse
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import counterexample, identity, limit, mean
from toymodels.manifold import diagonal_formulas as formulas
from toymodels.manifold import scale_decay
from toymodels.manifold.diagonal_cases import flat_directions, points, signs, times
from toymodels.solutions.basis_pursuit import least_l1
from toymodels.solutions.hyperbolic_interpolator import interpolator
from toymodels.spaces import Rejected, between, integer, real, vector

FAMILY = "manifold"


SAMPLED = DiagonalLinear([[1.0, 0.5, -0.3], [0.2, -1.0, 0.6]], [0.8, 0.5])


@identity(
    "minima_manifold S-C6a",
    point=points(),
    variance=real,
    source="own",
    sizes=dict(n=(1, 2), d=(1, 3)),
    broken={"twice the rate": dict(factor=2), "rho follows its own rate": dict(projected=0)},
)
def drift_of_the_scale(point, variance, *, factor=1, projected=1):
    r"""Along $\theta' = -\frac{\sigma^2}4\nabla_\Gamma\,\mathrm{tr} H$ every $\alpha_j^2$ decays at the rate
    $\sigma^2M_j$, $\rho$ moves in the row space of X, and $X\beta$ stays.
    """
    X, M = point.X, point.moments
    slope = 2 * (M * point.W).reshape(-1)
    moved = -variance * times(point.tangent_projector, slope) / 4
    (du, dv), (u, v) = moved.reshape(point.W.shape), point.W
    u, v = Jet(u, du), Jet(v, dv)
    plus, minus = formulas.halves(u, v)
    scale = formulas.imbalance(u, v)
    turned = plus.first / plus.value - minus.first / minus.value
    rows = projected * times(mT(X) @ inverse(X @ mT(X)) @ X, turned)
    return (scale.first, turned, times(X, (u * v).first)), (
        -factor * variance * M * scale.value,
        rows,
        0 * X[:, 0],
    )


@identity(
    "minima_manifold S-C6b",
    tau=between(0.5, 3),
    alpha=vector("3"),
    sigma=between(0.5, 1),
    cost="trajectory",
    source="own",
    broken={"the scale e^{-sigma² M tau}": dict(share=1), "equal rates": dict(own=0)},
)
def late_decay_is_a_smaller_start(tau, alpha, sigma, *, share=2, own=1):
    r"""The drift along the minima, integrated to the slow time $\tau$, is where gradient flow ends from the
    scale $\alpha_je^{-\sigma^2M_j\tau/2}$.
    """
    tau, sigma, problem = float(value_of(tau)), float(value_of(sigma)), SAMPLED
    alpha = 0.5 + np.abs(np.tanh(value_of(alpha)))
    run = dynamics.slow_flow(problem, problem.start(alpha), tau, noise=sigma, batch=1, record=())
    M = own * problem.moments + (1 - own) * problem.moments.mean()
    smaller = problem.start(alpha * np.exp(-(sigma**2) * M * tau / share))
    end = dynamics.limit_map(problem, smaller)
    sizes = [np.linalg.norm(theta) for theta in (run.theta, end.theta)]
    return (
        Measured(problem.beta(run.theta), run.error * sizes[0]),
        Measured(problem.beta(end.theta), end.error * sizes[1]),
    )


@cache
def noisy_ends(lr, tau, sigma, runs):
    """A minimum, and where batch-1 descent with Rademacher labels from it is after the slow time tau."""
    start = dynamics.limit_map(SAMPLED, SAMPLED.start(0.8)).theta
    run = dynamics.descend(
        SAMPLED,
        np.tile(start, (runs, 1)),
        lr=lr,
        steps=round(tau / lr**2),
        batch=1,
        noise=("rademacher", sigma),
        every=10**6,
        record=(),
        rng=6,
        measure_error=False,
    )
    return start, run.theta[-1]


@mean(
    "minima_manifold S-C6c",
    rivals=(np.zeros(3), np.full(3, 0.5)),
    source="own",
    broken={"twice the rate": dict(factor=2)},
)
def measured_rate(*, factor=1):
    r"""Under label noise and single rows $E\log(\alpha_j^2(\tau)/\alpha_j^2) \to -\sigma^2M_j\tau$ as $\eta
    \to 0$, extrapolated from two steps.
    """
    tau, sigma = 0.8, 0.4
    expected = -factor * scale_decay.label_noise_rate(SAMPLED, sigma) * tau

    def shrunk(lr):
        start, ends = noisy_ends(lr, tau, sigma, 400)
        return np.log(SAMPLED.alpha_squared(ends) / SAMPLED.alpha_squared(start))

    return (2 * shrunk(0.02) - shrunk(0.04)) / expected, np.ones(3)


@cache
def squares_on_the_plateau(lr, sigma, runs=2000, settle=150, steps=60):
    """A minimum, and E g_j² of batch-1 descent around it, averaged over rows, labels and time, (runs, d)."""
    start = dynamics.limit_map(SAMPLED, SAMPLED.start(0.8)).theta
    run = dynamics.descend(
        SAMPLED,
        np.tile(start, (runs, 1)),
        lr=lr,
        steps=settle + steps,
        batch=1,
        noise=("rademacher", sigma),
        every=10,
        record=(),
        rng=7,
        measure_error=False,
    )
    later = run.theta[run.step >= settle]
    return start, scale_decay.mean_square_slope(SAMPLED, later, batch=1, sigma=sigma).mean(0)


@mean(
    "minima_manifold S-C6d",
    source="own",
    broken={"without the correction": dict(corrected=0), "lr for lr/2": dict(corrected=2)},
)
def measured_first_order_correction(*, corrected=1):
    r"""On the plateau $E\,g_j^2 = \sigma^2(M_j + \frac\eta2\frac1n\sum_ix_{ij}^2|\nabla f_i|^2) + O(\eta^2)$
    at batch 1.
    """
    sigma, lr = 0.1, 0.03
    start, squares = squares_on_the_plateau(lr, sigma)
    rate = scale_decay.label_noise_rate(SAMPLED, sigma, theta=start, lr=corrected * lr)
    plain = scale_decay.label_noise_rate(SAMPLED, sigma)
    return (squares - plain) / plain, (rate - plain) / plain


@identity(
    "minima_manifold S-C7a",
    data=flat_directions(),
    side=signs("d"),
    kept=signs("d"),
    size=vector("d"),
    off=vector("d"),
    other=vector("d"),
    source="own",
    sizes=dict(n=(1, 3), d=(2, 4)),
    broken={"a dual that is slack on the support": dict(tight=2)},
)
def duality_of_the_weighted_norm(data, side, kept, size, off, other, *, tight=1):
    r"""Where $q = X^T\nu$ has $q_j = M_j\,\mathrm{sign}\,\beta_j$ on the support of $\beta$ and $|q| \le M$
    off it, every b with $Xb = X\beta$ has $\sum_jM_j|b_j| - \sum_jM_j|\beta_j| = \sum_j(M_j|b_j| - q_jb_j)
    \ge 0$.
    """
    on = (1 + kept) // 2
    # |b| enters linearly, so it may be any vector
    M = on * side * data.q * tight + (1 - on) * off
    beta = on * side * size
    return dot(M, other) - dot(M, on * size), dot(M, other) - dot(data.q, beta + data.move)


@identity(
    "minima_manifold S-C7b",
    point=points(),
    side=signs("d"),
    source="own",
    sizes=dict(n=(1, 3), d=(1, 3)),
    broken={"without the moments": dict(weighted=0)},
)
def trace_over_the_norm(point, side, *, weighted=1):
    r"""$\mathrm{tr} H - 2\sum_jM_js_j\beta_j = \sum_jM_j(u_j - s_jv_j)^2 \ge 0$ and $|\theta|^2 -
    2\sum_js_j\beta_j = \sum_j(u_j - s_jv_j)^2$ for all signs s: the least trace on minima is $2\min\sum_jM_j
    |\beta_j|$, and the least $|\theta|^2$ twice the least $|\beta|_1$.
    """
    (u, v), M = point.W, point.moments
    curvatures = formulas.product_curvatures(point.W)
    trace = formulas.hessian_trace(point.slopes, curvatures, M, 0 * M)
    norm = dot(weighted * M + 1 - weighted, side * u * v)
    gaps = (u - side * v) * (u - side * v)
    return (trace - 2 * norm, dot(u, u) + dot(v, v) - 2 * dot(side, u * v)), (dot(M, gaps), gaps.sum(-1))


@limit(
    "minima_manifold S-C7c",
    seed=integer(0, 10**6),
    order=1,
    source="own",
    broken={"the plain l1 norm": dict(weighted=0)},
)
def label_noise_selects_the_weighted_norm(seed, *, weighted=1):
    r"""As $\tau \to \infty$ under label noise $\beta$ tends to the interpolator of least
    $\sum_jM_j|\beta_j|$, faster than $1/\tau$.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2, 5)) * np.array([0.5, 0.7, 1.0, 1.4, 2.0])
    y = X @ rng.uniform(-1.5, 1.5, 5)
    problem = DiagonalLinear(X, y)
    sparse = least_l1(X, y, problem.moments if weighted else None)
    if least_l1(X, y, problem.moments).gap < 0.2 or np.allclose(
        sparse.beta != 0, least_l1(X, y, None if weighted else problem.moments).beta != 0
    ):
        raise Rejected("a nearly tied program, or one minimum for both norms")
    slow = 8.0 * 2 ** np.arange(6) / problem.moments.min()
    found = [
        scale_decay.at_slow_time(problem, problem.start(1.0), tau, 1.0).interpolator(problem) for tau in slow
    ]
    gaps = np.array([np.linalg.norm(each.beta - sparse.beta) for each in found])
    return 1 / slow, Measured(gaps, np.array([each.error for each in found])), 0.0


ONE_SAMPLE = DiagonalLinear([[1.0, 2.0, 0.5]], [1.0])


@cache
def ends_on_one_sample():
    """Where label noise leads on x = (1, 2, 1/2), y = 1, and where a small start leads."""
    noisy = scale_decay.at_slow_time(ONE_SAMPLE, ONE_SAMPLE.start(1.0), 1e4, 1.0).interpolator(ONE_SAMPLE)
    return noisy, interpolator(ONE_SAMPLE.inputs, ONE_SAMPLE.targets, log_alpha=-5000.0)


@identity("minima_manifold S-C7d", source="own", broken={"exchanged": dict(exchanged=1)})
def smallest_and_largest_input(*, exchanged=0):
    r"""On x = (1, 2, 1/2), y = 1, label noise ends at (0, 0, 2), on the smallest input, and gradient flow
    from a vanishing scale at (0, 1/2, 0), on the largest.
    """
    noisy, small = ends_on_one_sample()
    expected = (np.array([0.0, 0.0, 2.0]), np.array([0.0, 0.5, 0.0]))
    # at these scales the other coordinates are below e^-1000
    found = tuple(Measured(each.beta, each.error) for each in (noisy, small))
    return found, expected[::-1] if exchanged else expected


@counterexample("minima_manifold S-C7e", margin=1.0, source="own", broken={"equal inputs": dict(equal=1)})
def label_noise_need_not_find_the_least_norm(*, equal=0):
    """ "Label noise ends at the interpolator of least l1 norm, for any inputs" is false: on x = (1, 2, 1/2),
    y = 1, it ends at norm 2, and the least is 1/2.
    """
    noisy, _ = ends_on_one_sample()
    row = np.ones(3) if equal else ONE_SAMPLE.inputs[0]
    if equal:
        noisy = interpolator([row], [1.0], log_alpha=-5000.0)
    return np.abs(noisy.beta).sum(), least_l1([row], [1.0]).norm
