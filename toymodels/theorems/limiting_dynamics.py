"""Descent with noise near a manifold of minima: the limit map, label noise, its drift and its fluctuations.

What holds on every manifold is decided in words or on diagonal networks with any data: third derivatives are
jets of the shipped Hessian, and derivatives of the limit map follow from what its flow keeps.
"""

from itertools import product

import numpy as np

from toymodels import DiagonalLinear, dynamics
from toymodels.arithmetic import concatenate, mT, outer, trace
from toymodels.arithmetic.elimination import inverse
from toymodels.arithmetic.jets import Jet
from toymodels.claims import identity, mean
from toymodels.manifold import diagonal_formulas as formulas
from toymodels.manifold.diagonal_cases import points, times
from toymodels.spaces import frame, integer, matrix, real, vector

FAMILY = "manifold"
LI = "after Li, Wang, Arora 2021 (arXiv 2110.06914), recalled"
SMALL = dict(n=(1, 2), d=(1, 3))


class ImplicitLimit:
    """Phi near a minimum of a diagonal network, by what its flow keeps: alpha², and rho off the row space.

    Its equations G(Phi(W)) = K(W) are differentiated twice; G holds alpha² and
    (I - P) rho + XᵀX beta, K the same with the targets for X beta.
    """

    def __init__(self, point):
        self.point, X = point, point.X
        self._rows = mT(X) @ inverse(X @ mT(X)) @ X
        slopes = [self._seen(direction, 0 * direction).first for direction in point.identity]
        self._solve = inverse(mT(np.array(slopes)))

    def derivatives(self, direction):
        """First and second derivative of Phi along a direction (2d,)."""
        still = 0 * direction
        kept = self._seen(direction, still, fitted=0)
        first = times(self._solve, kept.first)
        return first, times(self._solve, kept.second - self._seen(first, still).second)

    def curvature(self, Sigma):
        """The second derivative of Phi contracted with a symmetric Sigma, by polarisation."""
        total = 0 * Sigma[0]
        for unit, column in zip(self.point.identity, Sigma, strict=True):
            ends = [self.derivatives(unit + sign * column)[1] for sign in (1, -1)]
            total = total + (ends[0] - ends[1]) / 4
        return total

    def _seen(self, first, second, fitted=1):
        """G (K where not fitted) along the path W + s first + s² second / 2, (2d,)."""
        shape = self.point.W.shape
        W = Jet(self.point.W, first.reshape(shape), second.reshape(shape))
        up, down = (_logarithm(w) for w in formulas.halves(W[0], W[1]))
        outputs = formulas.outputs(formulas.product(W), self.point.X) * fitted
        off_rows = np.eye(len(self._rows), dtype=int) - self._rows
        rho = Jet(0 * up[0], *(times(off_rows, x - y) for x, y in zip(up, down, strict=True)))
        return concatenate([formulas.imbalance(W[0], W[1]), rho + formulas.signal(self.point.X, outputs)], -1)


def _logarithm(x):
    """First and second derivative of the logarithm of a jet."""
    first = x.first / x.value
    return first, x.second / x.value - first * first


@identity(
    "minima_manifold B.1a",
    point=points(),
    root=matrix("6 2"),
    normal=vector("4"),
    source=LI,
    sizes=dict(n=(1, 2), d=(2, 3)),
    broken={"one mixed term": dict(mixed=1), "2 lam_a for lam_a + lam_b": dict(own=1)},
)
def second_derivative_of_the_limit_map(point, root, normal, *, mixed=2, own=0):
    r"""On minima $\partial^2\Phi[\Sigma] = -H^+ T[P_T\Sigma P_T] - 2P_T T[H^+P_N\Sigma P_T] - P_T T[S]$ where
    $P_N\Sigma P_N = HS + SH$, here against the limit map of a diagonal network on any data.
    """
    n, J, H, tangent = point.n, point.jacobian, point.hessian, point.tangent_projector
    Z = normal[: n * n].reshape(n, n)
    S = mT(J) @ (Z + mT(Z)) @ J
    free = root[: len(H)] @ mT(root[: len(H)])
    Sigma = free - point.normal_projector @ free @ point.normal_projector + H @ S + S @ H
    flat = point.pseudo_inverse
    crossed = flat @ Sigma @ tangent
    solved = (1 - own) * S + own * (2 * S + flat @ S @ H + H @ S @ flat) / 4
    along = times(flat, point.third(tangent @ Sigma @ tangent))
    across = point.third(mixed * (crossed + mT(crossed)) / 2 + solved)
    return ImplicitLimit(point).curvature(Sigma), -along - times(tangent, across)


@identity(
    "minima_manifold B.1b",
    point=points(),
    direction=vector("6"),
    source=LI,
    sizes=SMALL,
    broken={"the identity": dict(projected=0)},
)
def derivative_of_the_limit_map(point, direction, *, projected=1):
    r"""On minima $\partial\Phi = P_T$, here against the limit map of a diagonal network on any data."""
    direction = direction[: len(point.identity)]
    normal = projected * times(point.normal_projector, direction)
    return ImplicitLimit(point).derivatives(direction)[0], direction - normal


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
    broken={"whatever the batch": dict(shared=0, batch=integer(2, 2)), "off the minima": dict(residual=1)},
)
def label_noise_covariance(point, sigma, batch, *, shared=1, residual=0):
    r"""On minima the gradient of $L = \frac1{2n}\sum r^2$ under label noise has the covariance
    $(\sigma^2/B)H$ for B rows drawn with replacement: all rows and signs enumerated.
    """
    scale = sigma * sigma / batch**shared
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
    return found, sigma * sigma * point.hessian / n**averaged


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
    point=points(),
    c=real,
    source=LI,
    sizes=SMALL,
    broken={"c/2": dict(share=2), "c/8": dict(share=8)},
)
def drift_by_label_noise(point, c, *, share=4):
    r"""The drift $\frac12\partial^2\Phi[cH]$ is $-\frac c4\nabla_\Gamma\,\mathrm{tr} H$, here against the
    limit map of a diagonal network on any data.
    """
    trace_slope = 2 * (point.moments * point.W).reshape(-1)
    drift = c * ImplicitLimit(point).curvature(point.hessian) / 2
    return drift, -c * times(point.tangent_projector, trace_slope) / share


@identity("minima_manifold S-B3a", **WORDS, lr=real, source="own", broken={"without the half": dict(share=1)})
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
    point=points(),
    source=LI,
    sizes=SMALL,
    broken={"half the logarithm's gradient": dict(share=2)},
)
def drift_by_isotropic_noise(point, *, share=4):
    r"""The drift $\frac12\partial^2\Phi[I]$ is $-\frac12H^+T[P_T] - \frac14\nabla_\Gamma\log|H|_+$ with the
    pseudo-determinant, here against the limit map of a diagonal network on any data.
    """
    along = times(point.pseudo_inverse, point.third(point.tangent_projector))
    volume = point.tangent_gradient(lambda direction: _log_volume(point, direction))
    return ImplicitLimit(point).curvature(point.identity) / 2, -along / 2 - volume / share


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
