"""The flattest minima of two-layer linear nets, after Mulayoff and Michaeli 2020; lambda-balanced ones are
our own.
"""

import numpy as np

from toymodels.arithmetic import identity_like
from toymodels.arithmetic.measured import Measured, eigvalsh, value_of
from toymodels.claims import Paper, bound, counterexample, identity
from toymodels.linear import formulas
from toymodels.linear.factors import balanced_factors
from toymodels.linear.spectra import interpolating_sharpness
from toymodels.spaces import between, integer, invertible, matrix, positive, real
from toymodels.spaces.source import Rejected

FAMILY = "linear"
PAPER = Paper("after Mulayoff, Michaeli 2020")


def sharpness(W1, W2):
    """Largest Hessian eigenvalue at an interpolating point of whitened data."""
    return eigvalsh(formulas.gauss_newton(W1, W2, identity_like(W1)))[-1]


def largest_singular_value(S):
    """Spectral norm, with its rounding."""
    s = np.linalg.svd(value_of(S), compute_uv=False)[0]
    return Measured(s, 64 * max(S.shape) * np.finfo(float).eps * s)


@bound(
    "linear_nets S2.6a",
    W1=matrix("m d"),
    W2=matrix("c m"),
    T=invertible("m"),
    sizes=dict(m=(1, 4), d=(1, 4), c=(1, 4)),
    broken={"flatter than 2 s1": dict(factor=3)},
)
def flattest_is_twice_the_target(W1, W2, T, *, factor=2):
    """No factorisation W2 T⁻¹ T W1 of a target S has sharpness below 2 s1."""
    s1 = largest_singular_value(W2 @ W1)
    return factor * s1, sharpness(T.matrix @ W1, W2 @ T.inverse)


@identity(
    "linear_nets S2.6b",
    S=matrix("c d"),
    lam=between(-3, 3),
    extra=integer(0, 2),
    source="own",
    sizes=dict(d=(1, 4), c=(1, 4)),
    broken={"a lambda-balanced minimum has sharpness 2 s1": dict(imbalance=0)},
)
def balanced_minimum_sharpness(S, lam, extra, *, imbalance=1):
    r"""Every $\lambda$-balanced minimum has sharpness exactly $\sqrt{4 s_1^2 + \lambda^2}$."""
    c, d = S.shape
    level, product = float(value_of(lam)), value_of(S)
    width = min(c, d) + extra
    if width > (c if level > 0 else d):
        raise Rejected("no such imbalance at this width")
    W1, W2 = balanced_factors(product, level, width=width)
    # the factors carry rounding of their own size
    rounding = 64 * width * np.finfo(float).eps * np.sqrt(np.linalg.norm(product) + abs(level))
    s1 = largest_singular_value(S)
    right = interpolating_sharpness(s1, imbalance * Measured(level))
    return sharpness(Measured(W1, rounding), Measured(W2, rounding)), right


@identity(
    "linear_nets 2.7", a=real, b=real, source="own", broken={"2 s1 for any imbalance": dict(imbalance=0)}
)
def mode_norm_at_minimum(a, b, *, imbalance=1):
    r"""At a minimum of one mode with s = ab and $\lambda = b^2 - a^2$, $(a^2+b^2)^2 = 4s^2 + \lambda^2$."""
    s, lam = a * b, imbalance * (b * b - a * a)
    return (a * a + b * b) ** 2, 4 * s * s + lam * lam


@counterexample(
    "linear_nets S2.6c", s=positive, source="own", broken={"at zero imbalance it is": dict(lam=0)}
)
def balanced_minimum_is_not_flattest(s, *, lam=1):
    """ "Every lambda-balanced minimum has sharpness at most 2 s1" is false already for lambda = 1."""
    return interpolating_sharpness(Measured(s), Measured(float(lam))), Measured(2.0) * s
