"""Descent with noise near a manifold of minima: the limit map, label noise, its drift and its fluctuations.

Third derivatives are exact jets of the shipped Hessian. Diagonal networks are decided on any data; where the
limit map itself enters, on one sample per coordinate, on which it is explicit.
"""

from itertools import product

import numpy as np

from toymodels import DiagonalLinear, dynamics
from toymodels.arithmetic import dot, mT, outer, trace
from toymodels.arithmetic.elimination import inverse
from toymodels.arithmetic.jets import Jet
from toymodels.claims import identity, mean
from toymodels.manifold import diagonal_formulas as formulas
from toymodels.manifold.diagonal_cases import DiagonalPoint, decoupled_points, points, stacked, times
from toymodels.spaces import frame, integer, matrix, real, vector

FAMILY = "manifold"
LI = "after Li, Wang, Arora 2021 (arXiv 2110.06914), recalled"
DAMIAN = "after Damian, Ma, Lee 2021 (arXiv 2106.06530), recalled"
SMALL = dict(n=(1, 2), d=(1, 3))


def root_of(square, value):
    """The square root of a jet, from its value."""
    first = square.first / (2 * value)
    return Jet(value, first, (square.second / 2 - first * first) / value)


def limit_of(point, direction):
    """Phi along a line from a minimum of the decoupled network: u v = y and u² - v² is kept."""
    W = Jet(point.W, direction.reshape(point.W.shape), 0 * point.W)
    (a, b), (u, v) = point.W, (W[0], W[1])
    kept = u * u - v * v
    total = root_of(kept * kept + 4 * (a * b) * (a * b), a * a + b * b)
    return stacked(root_of((total + kept) / 2, a), root_of((total - kept) / 2, b))


def curvature_of_limit(point, factor):
    """The second derivative of Phi, contracted with factor factorᵀ; factor (2d, r)."""
    bends = [limit_of(point, column).second.reshape(-1) for column in mT(factor)]
    return sum(bends[1:], bends[0])


def lyapunov(point, M, mean_of_rates=1):
    """S on the normal space with H S + S H = P_N M P_N, by the orthogonal rows of J; or lam_a + lam_a."""
    J, squares = point.jacobian, (point.jacobian * point.jacobian).sum(-1)
    rates = squares / point.n
    own = rates[:, None] + 0 * rates
    sums = own + mean_of_rates * mT(own) + (1 - mean_of_rates) * own
    return mT(J) @ ((J @ M @ mT(J)) / outer(squares, squares) / sums) @ J


@identity(
    "minima_manifold B.1a",
    point=decoupled_points(),
    factor=vector("12"),
    source=LI,
    sizes=dict(d=(2, 3)),
    broken={"one mixed term": dict(mixed=1), "2 lam_a for lam_a + lam_b": dict(symmetric=0)},
)
def second_derivative_of_the_limit_map(point, factor, *, mixed=2, symmetric=1):
    r"""On minima $\partial^2\Phi[\Sigma] = -H^+ T[P_T\Sigma P_T] - 2P_T T[H^+P_N\Sigma P_T] - P_T T[S]$, $HS
    + SH = P_N\Sigma P_N$, here against the explicit limit map of $L = \frac12\sum_j\lambda_j(u_jv_j - y_j)^2$.
    """
    factor = factor[: 4 * point.X.shape[-1]].reshape(-1, 2)
    Sigma = factor @ mT(factor)
    tangent, flat = point.tangent_projector, point.pseudo_inverse
    crossed = flat @ Sigma @ tangent
    along = times(flat, point.third(tangent @ Sigma @ tangent))
    across = mixed * point.third((crossed + mT(crossed)) / 2) + point.third(lyapunov(point, Sigma, symmetric))
    return curvature_of_limit(point, factor), -along - times(tangent, across)


@identity(
    "minima_manifold B.1b",
    point=decoupled_points(),
    direction=vector("6"),
    source=LI,
    sizes=dict(d=(1, 3)),
    broken={"the identity": dict(projected=0)},
)
def derivative_of_the_limit_map(point, direction, *, projected=1):
    r"""On minima $\partial\Phi = P_T$, here against the explicit limit map of decoupled coordinates."""
    direction = direction[: 2 * point.X.shape[-1]]
    normal = projected * times(point.normal_projector, direction)
    return limit_of(point, direction).first.reshape(-1), direction - normal


def covariance_of_steps(point, sigma, batch, residual):
    """Mean of the outer square of a step's gradient over all batches of rows and all signs of label noise."""
    total, count = 0 * point.hessian, 0
    for rows in product(range(point.n), repeat=batch):
        total, more = total + _over_signs(point, sigma, list(rows), residual), 2**batch
        count += more
    return total / count


def _over_signs(point, sigma, rows, residual):
    """Sum over the signs of label noise on given rows."""
    total = 0 * point.hessian
    for signs in product((-1, 1), repeat=len(rows)):
        error = (residual + sigma * np.array(signs)) / len(rows)
        step = formulas.chain(point.slopes, formulas.signal(point.X[rows], error)).reshape(-1)
        total = total + outer(step, step)
    return total


@identity(
    "minima_manifold S-B1a",
    point=points(),
    sigma=real,
    batch=integer(1, 2),
    source="own",
    sizes=SMALL,
    broken={"whatever the batch": dict(shared=0), "off the minima": dict(residual=1)},
)
def label_noise_covariance(point, sigma, batch, *, shared=1, residual=0):
    r"""On minima the gradient of $L = \frac1{2n}\sum r^2$ under label noise has the covariance $(\sigma^2/B)H$
    for B rows drawn with replacement: all rows and signs enumerated.
    """
    scale = sigma * sigma / (shared * batch + (1 - shared) * (3 - batch))
    return covariance_of_steps(point, sigma, batch, residual), scale * point.hessian


@identity(
    "minima_manifold S-B1b",
    point=points(),
    sigma=real,
    source="own",
    sizes=SMALL,
    broken={"c = sigma²": dict(twice=1)},
)
def covariance_in_the_other_normalisation(point, sigma, *, twice=2):
    r"""For $L = \frac1n\sum r^2$, whose gradients and Hessian are doubled, it is $2\sigma^2$ times its H."""
    return 4 * covariance_of_steps(point, sigma, 1, 0), twice * sigma * sigma * (2 * point.hessian)


@identity(
    "minima_manifold S-B1c",
    point=points(),
    sigma=real,
    source="own",
    sizes=dict(n=(2, 3), d=(2, 3)),
    broken={"c = sigma²": dict(averaged=0)},
)
def covariance_of_the_full_batch(point, sigma, *, averaged=1):
    r"""For the full batch it is $(\sigma^2/n)H$."""
    n = point.n
    found = _over_signs(point, sigma, list(range(n)), 0) / 2**n
    return found, sigma * sigma * point.hessian / (averaged * n + 1 - averaged)


def hessian_of(G, V, weight):
    """H = w JᵀJ and P_N of a Jacobian J = G Vᵀ whose rows lie in the span of orthonormal columns V."""
    J = G @ mT(V)
    return weight * (mT(J) @ J), V @ mT(V)


WORDS = dict(G=matrix("n k"), V=frame("p k"), weight=real, c=real)


@identity("minima_manifold S-B2a", **WORDS, source=LI, broken={"c P_N": dict(share=1)})
def lyapunov_of_the_hessian(G, V, weight, c, *, share=2):
    r"""$HS + SH = cH$ on the normal space is solved by $S = \frac c2 P_N$."""
    H, normal = hessian_of(G, V, weight)
    S = c * normal / share
    return H @ S + S @ H, c * H


@identity(
    "minima_manifold S-B2b",
    point=points(),
    source=LI,
    sizes=SMALL,
    broken={"half of it": dict(parts=2), "off the tangent space": dict(tangent=0)},
)
def third_derivative_on_the_normal_space(point, *, parts=1, tangent=1):
    r"""$P_T T[P_N] = \nabla_\Gamma\,\mathrm{tr} H$, on every diagonal network."""

    def moved(direction):
        W = point.along(direction)
        slopes, curvatures = formulas.product_slopes(W), formulas.product_curvatures(W)
        return formulas.hessian_trace(slopes, curvatures, point.moments, 0 * point.beta).first / parts

    found = point.third(point.normal_projector)
    return tangent * times(point.tangent_projector, found) + (1 - tangent) * found, point.tangent_gradient(
        moved
    )


@identity(
    "minima_manifold S-B2c",
    point=points(),
    source=LI,
    sizes=SMALL,
    broken={"the normal part too": dict(everything=1)},
)
def third_derivative_on_the_tangent_space(point, *, everything=0):
    r"""$P_T T[P_T] = 0$, on every diagonal network."""
    tangent = point.tangent_projector
    return times(tangent, point.third(tangent + everything * point.normal_projector)), 0 * point.third(
        tangent
    )


@identity(
    "minima_manifold S-B2d",
    point=decoupled_points(),
    c=real,
    source=LI,
    sizes=dict(d=(1, 3)),
    broken={"c/2": dict(share=2), "c/8": dict(share=8)},
)
def drift_by_label_noise(point, c, *, share=4):
    r"""The drift $\frac12\partial^2\Phi[cH]$ is $-\frac c4\nabla_\Gamma\,\mathrm{tr} H$, here against the
    explicit limit map of decoupled coordinates.
    """
    trace_slope = 2 * (point.moments * point.W).reshape(-1)
    drift = c * curvature_of_limit(point, mT(point.jacobian)) / point.n / 2
    return drift, -c * times(point.tangent_projector, trace_slope) / share


@identity(
    "minima_manifold S-B3a", **WORDS, lr=real, source="own", broken={"without the half": dict(share=1)}
)
def normal_fluctuation(G, V, weight, c, lr, *, share=2):
    r"""To leading order the stationary covariance across the minima is $\frac{\eta c}2 P_N$: it solves $HC +
    CH = \eta cH$.
    """
    H, normal = hessian_of(G, V, weight)
    C = lr * c * normal / share
    return H @ C + C @ H, lr * c * H


@identity("minima_manifold S-B3b", **WORDS, lr=real, source="own", broken={"eta c tr H / 2": dict(share=2)})
def plateau_of_the_loss(G, V, weight, c, lr, *, share=4):
    r"""Then $E L = \frac12\mathrm{tr}(HC) = \eta c\,\mathrm{tr} H/4$."""
    H, normal = hessian_of(G, V, weight)
    return trace(H @ (lr * c * normal / 2)) / 2, lr * c * trace(H) / share


@identity("minima_manifold S-B3c", **WORDS, lr=real, source="own", broken={"twice as much": dict(share=1)})
def residuals_on_the_plateau(G, V, weight, c, lr, *, share=2):
    r"""Then the residuals have the covariance $\frac{\eta c}2 JJ^T$, so $E r_i^2 = \frac{\eta c}2|\nabla
    f_i|^2$.
    """
    J, (_, normal) = G @ mT(V), hessian_of(G, V, weight)
    return J @ (lr * c * normal / 2) @ mT(J), lr * c * (J @ mT(J)) / share


@mean(
    "minima_manifold S-B3d",
    rivals=(0.0, 2.0, 0.5),
    source="own",
    broken={"twice the plateau": dict(factor=2)},
)
def measured_plateau(*, factor=1):
    r"""The mean loss of batch-1 descent with Rademacher labels on a diagonal network is $\eta\sigma^2
    \mathrm{tr} H/4$ as $\eta \to 0$, extrapolated from two steps.
    """
    problem = DiagonalLinear([[1.0, 0.5, -0.3], [0.2, -1.0, 0.6]], [0.8, 0.5])
    start = dynamics.limit_map(problem, problem.start(0.7)).theta
    sigma, runs = 0.3, 1000
    expected = sigma**2 * problem.trace_hessian(start) / 4

    def per_step(lr):
        run = dynamics.descend(
            problem,
            np.tile(start, (runs, 1)),
            lr=lr,
            steps=round(12 / lr),
            batch=1,
            noise=("rademacher", sigma),
            every=round(0.5 / lr),
            rng=1,
            measure_error=False,
        )
        return run["loss"][len(run.t) // 2 :].mean(0) / lr

    return (2 * per_step(0.025) - per_step(0.05)) / expected, np.array(1.0 * factor)


@identity(
    "minima_manifold S-B4a",
    point=decoupled_points(),
    source=LI,
    sizes=dict(d=(1, 3)),
    broken={"half the logarithm's gradient": dict(share=2)},
)
def drift_by_isotropic_noise(point, *, share=4):
    r"""The drift $\frac12\partial^2\Phi[I]$ is $-\frac12H^+T[P_T] - \frac14\nabla_\Gamma\log|H|_+$ with the
    pseudo-determinant, here against the explicit limit map of decoupled coordinates.
    """
    along = times(point.pseudo_inverse, point.third(point.tangent_projector))
    volume = point.tangent_gradient(lambda direction: _log_volume(point, direction))
    return curvature_of_limit(point, point.identity) / 2, -along / 2 - volume / share


def _log_volume(point, direction):
    """Derivative of log|H|_+ = log det(J Jᵀ / n)."""
    kernel = formulas.ntk(formulas.product_slopes(point.along(direction)), point.X)
    return trace(inverse(kernel.value) @ kernel.first)


@identity(
    "minima_manifold S-B4b",
    point=points(),
    source=LI,
    sizes=SMALL,
    broken={"without the half": dict(share=1)},
)
def gradient_of_the_pseudo_determinant(point, *, share=2):
    r"""$P_T T[S] = \frac12\nabla_\Gamma\log|H|_+$ where $HS + SH = P_N$, that is $S = \frac12H^+$, on every
    diagonal network.
    """
    S = point.pseudo_inverse / share
    return (
        times(point.tangent_projector, point.third(S)),
        point.tangent_gradient(lambda direction: _log_volume(point, direction)) / 2,
    )
