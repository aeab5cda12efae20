"""Imbalance as the knob from rich to lazy, after Domine, Anguita, Proca, Braun, Kunin, Mediano, Saxe 2025."""

import numpy as np

from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import Paper, bound, identity
from toymodels.linear import formulas
from toymodels.linear.factors import balanced_factors
from toymodels.linear.kernel import kernel_distance
from toymodels.spaces import between, matrix, positive, real
from toymodels.spaces.source import Rejected

FAMILY = "linear"
PAPER = Paper("after Domine et al. 2025; no singular lam is our own", arxiv="2409.14623")
EPS = np.finfo(float).eps


@identity("linear_nets S5.7c", x=positive, y=positive, kappa=positive, broken={"s halved": dict(half=1)})
def eigenvectors_of_the_generator(x, y, kappa, *, half=2):
    r"""With $s = 2\kappa xy$, $\lambda = 2\kappa(y^2 - x^2)$, $x^2 + y^2 = 1$: $(x; y)$ and $(y; -x)$ are
    eigenvectors of $F = [[-\lambda/2, s], [s, \lambda/2]]$ for $\pm\kappa$.
    """
    # a rational unit vector from the ratio
    ratio = y / x
    a, b = (1 - ratio * ratio) / (1 + ratio * ratio), 2 * ratio / (1 + ratio * ratio)
    s, lam = half * kappa * a * b, 2 * kappa * (b * b - a * a)
    up = (-lam / 2 * a + s * b, s * a + lam / 2 * b)
    down = (-lam / 2 * b - s * a, s * b - lam / 2 * a)
    return (*up, *down), (kappa * a, kappa * b, -kappa * b, kappa * a)


@identity("linear_nets 5.2", X=between(0, 1), lam=positive, broken={"A/2": dict(share=2)})
def published_eigenvectors(X, lam, *, share=1):
    r"""The published parameter $X = (\sqrt{\lambda^2 + 4s^2} - 2s)/\lambda$ gives the same pair:
    $x^2 = A^2(1 - X)^2/2 = (\kappa - \lambda/2)/(2\kappa)$, $y^2 = A^2(1 + X)^2/2$.
    """
    # lam X + 2 s = 2 kappa and 4 kappa² = lam² + 4 s² give s and kappa in terms of X
    s = lam * (1 - X * X) / (4 * X)
    kappa = lam * (1 + X * X) / (4 * X)
    A_squared = 1 / (share * (1 + X * X))
    return (A_squared * (1 - X) ** 2 / 2, A_squared * (1 + X) ** 2 / 2, kappa * kappa), (
        (kappa - lam / 2) / (2 * kappa),
        (kappa + lam / 2) / (2 * kappa),
        s * s + lam * lam / 4,
    )


@bound(
    "linear_nets S5.7d",
    W=matrix("n d"),
    lam=between(0.1, 30),
    sizes=dict(n=(1, 4), d=(1, 4)),
    source="own",
    broken={"without the square": dict(power=1)},
)
def large_imbalance_is_lazy(W, lam, *, power=2):
    r"""$m = c$, $\lambda > 0$: $\|W_2W_2^\top - \lambda I\|$ and $\|W_1^\top W_1\|$ are at most
    $\|W\|^2/\lambda$.
    """
    W, lam = value_of(W), float(value_of(lam))
    W1, W2 = balanced_factors(W, lam, width=len(W))
    size = np.linalg.norm(W, 2)
    rounding = 32 * (sum(W.shape)) * EPS * (lam + size)
    moved = np.linalg.norm(W2 @ W2.T - lam * np.eye(len(W)), 2), np.linalg.norm(W1.T @ W1, 2)
    limit = size**power / lam if power == 2 else size / (2 * lam + 2 * size)
    return (Measured(moved[0], rounding), Measured(moved[1], rounding)), (Measured(limit), Measured(limit))


@bound(
    "linear_nets P10",
    W=matrix("3 3"),
    sign=between(-1, 1),
    source="own",
    broken={"balanced": dict(strength=0.0)},
)
def square_nets_are_lazy_for_both_signs(W, sign, *, strength=1e4):
    r"""m = c = d: for large $|\lambda|$ of either sign the kernel hardly depends on the product."""
    W = value_of(W)
    size = np.linalg.norm(W)
    if not 0.1 < size < 10 or abs(float(value_of(sign))) < 1e-3:
        raise Rejected("a product of order one")
    lam = strength * size * float(np.sign(value_of(sign)))
    states = [balanced_factors(V, lam, width=3) for V in (W, np.diag([size, 0.0, 0.0]))]
    grams = [(W1.T @ W1, W2 @ W2.T) for W1, W2 in states]
    # |C - |lam| I| and |C'| are at most |W|²/|lam|, against a kernel of norm |lam|
    return Measured(kernel_distance(*grams[0], *grams[1]), 1e-12), 64 / max(strength, 1e3) ** 2


@identity(
    "linear_nets 5.0",
    W=matrix("c d"),
    lam=real,
    sizes=dict(c=(1, 4), d=(1, 4)),
    source="own",
    broken={"product doubled": dict(factor=2)},
)
def balanced_factors_exist(W, lam, *, factor=1):
    r"""Every product has layers of imbalance $\lambda I$, as wide as c ($\lambda > 0$) or d (otherwise)."""
    W, lam = value_of(W), float(value_of(lam))
    m = W.shape[0] if lam > 0 else W.shape[1]
    W1, W2 = balanced_factors(W, lam, width=m)
    rounding = 32 * sum(W.shape) * EPS * (np.linalg.norm(W) + abs(lam))
    imbalance = formulas.imbalance(W1, W2)
    return (Measured(factor * W2 @ W1, rounding), Measured(imbalance, rounding)), (
        Measured(W),
        Measured(lam * np.eye(m)),
    )
