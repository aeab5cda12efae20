"""Balanced starts on whitened inputs, and the Riccati solution at many digits."""

import mpmath
import numpy as np
from hypothesis import strategies as st

from toymodels import TwoLayerLinear
from toymodels.linear import balanced_factors

widths = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


def rotation(rng, n):
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def imbalances(m, c, d):
    """Signs of lam that these widths allow."""
    return [0.0] + [1.0] * (m <= c) + [-1.0] * (m <= d)


@st.composite
def starts(draw, scales=(0, -3, -8)):
    """Target S (c, d), lam and layers W1, W2 of any widths, any lam that exists, small or not."""
    d, m, c = draw(widths), draw(widths), draw(widths)
    rng = np.random.default_rng(draw(seeds))
    scale = 10.0 ** draw(st.sampled_from(scales))
    lam = draw(st.sampled_from(imbalances(m, c, d))) * rng.uniform(0.2, 1.5) * scale**2
    S = rng.standard_normal((c, d))
    W = scale**2 * rng.standard_normal((c, m)) @ rng.standard_normal((m, d))
    return S, lam, *balanced_factors(W, lam, width=m, rotation=rotation(rng, m))


def white(S, width, variance=1.0):
    """The problem of inputs with Sxx = variance I."""
    tyy = 1.0 + float((S * S).sum()) / variance
    return TwoLayerLinear.from_statistics(variance * np.eye(S.shape[1]), S, tyy, width=width)


def in_digits(S, lam, Q0, t):
    """M(t) = e^{Ft} Q0 [I + Q0ᵀ (int e^{2Fs}) Q0]^{-1} Q0ᵀ e^{Ft} from the float start, at enough digits."""
    digits = 80 + int(2 * t * np.hypot(np.linalg.norm(S, 2), lam / 2))
    with mpmath.workdps(digits):
        (c, d), (N, m) = S.shape, Q0.shape
        F = mpmath.diag([-mpmath.mpf(lam) / 2] * d + [mpmath.mpf(lam) / 2] * c)
        for i, j in np.ndindex(c, d):
            F[d + i, j] = F[j, d + i] = mpmath.mpf(float(S[i, j]))
        rates, vectors = mpmath.eigsy(F)
        A = vectors.T * mpmath.matrix(Q0.tolist())
        P, JA = mpmath.matrix(N, m), mpmath.matrix(N, m)
        tiny = mpmath.mpf(10) ** (-digits // 2)
        for i, j in np.ndindex(N, m):
            f = rates[i]
            P[i, j] = mpmath.exp(f * t) * A[i, j]
            JA[i, j] = (mpmath.expm1(2 * f * t) / (2 * f) if abs(f) > tiny else mpmath.mpf(t)) * A[i, j]
        M = vectors * P * mpmath.inverse(mpmath.eye(m) + A.T * JA) * P.T * vectors.T
        return np.array([[float(M[i, j]) for j in range(N)] for i in range(N)])
