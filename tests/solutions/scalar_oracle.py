"""The scalar equations at 700 digits, by projectors on the eigenspaces of F, and starts that try them."""

import mpmath
import numpy as np
from hypothesis import strategies as st

DIGITS = 700


def mode(a0, b0, s, t):
    """Return a, b, u = a b and r = s - u from q = (b, a) = p / sqrt(1 + integral of |p|^2), p' = F p."""
    with mpmath.workdps(DIGITS):
        a0, b0, s, t = (mpmath.mpf(float(v)) for v in (a0, b0, s, t))
        half = (a0 * a0 - b0 * b0) / 2
        kappa = mpmath.sqrt(s * s + half * half)
        if kappa == 0:
            turned = (a0**2 + b0**2) * t if a0 or b0 else mpmath.mpf(0)
            a, b = (v / mpmath.sqrt(1 + turned) for v in (a0, b0))
            return a, b, a * b, s - a * b
        moved = (s * a0 - half * b0) / kappa, (s * b0 + half * a0) / kappa
        plus = (b0 + moved[0]) / 2, (a0 + moved[1]) / 2
        minus = (b0 - moved[0]) / 2, (a0 - moved[1]) / 2
        sizes = [v[0] ** 2 + v[1] ** 2 for v in (plus, minus)]
        if mpmath.isinf(t):
            scale = mpmath.sqrt(2 * kappa / sizes[0]) if sizes[0] else 0
            a, b = scale * plus[1], scale * plus[0]
            return a, b, a * b, mpmath.mpf(0) if sizes[0] else s
        grow = mpmath.exp(kappa * t)
        N = 1 + (sizes[0] * (grow**2 - 1) + sizes[1] * (1 - grow**-2)) / (2 * kappa)
        b, a = ((grow * p + m / grow) / mpmath.sqrt(N) for p, m in zip(plus, minus, strict=True))
        return a, b, a * b, s - a * b


def wide(a0, b0, s, t):
    """Return lists a, b and the residual: the two directions turn by one angle, y = e^{2 theta}."""
    with mpmath.workdps(DIGITS):
        a0, b0 = ([mpmath.mpf(float(v)) for v in vector] for vector in (a0, b0))
        s, t = mpmath.mpf(float(s)), mpmath.mpf(float(t))
        p0 = [x + y for x, y in zip(a0, b0, strict=True)]
        q0 = [x - y for x, y in zip(a0, b0, strict=True)]
        P, Q = (sum(x * x for x in v) for v in (p0, q0))
        omega = mpmath.sqrt(4 * s * s + P * Q)
        T = t / 2 if omega == 0 else mpmath.tanh(omega * t / 2) / omega
        root = mpmath.sqrt((1 + T * (2 * s + Q)) / (1 + T * (P - 2 * s)))
        a = [(x * root + y / root) / 2 for x, y in zip(p0, q0, strict=True)]
        b = [(x * root - y / root) / 2 for x, y in zip(p0, q0, strict=True)]
        return a, b, s - sum(x * y for x, y in zip(a, b, strict=True))


def relative(value, exact, scale=None):
    """Distance in units of the exact value (or a scale), 0 below the floats' normal range."""
    with mpmath.workdps(DIGITS):
        distance = abs(mpmath.mpf(float(value)) - exact)
        if distance < mpmath.mpf(10) ** -290:
            return 0.0
        size = abs(exact) if scale is None else scale
        return float(distance / size) if size else np.inf


def signed(magnitudes):
    """Magnitudes with either sign."""
    return st.builds(lambda x, sign: sign * x, magnitudes, st.sampled_from((1.0, -1.0)))


amplitudes = st.one_of(
    st.sampled_from((0.0, 1.0, -1.0, 2.0, -0.5)),
    signed(st.floats(-150, 3).map(lambda e: 10.0**e)),
    signed(st.floats(1e-3, 1e3)),
)
targets = st.one_of(
    st.sampled_from((0.0, 1.0, -1.0, 2.5, -2.5)),
    signed(st.floats(1e-3, 1e3)),
    signed(st.floats(-100, 3).map(lambda e: 10.0**e)),
)


@st.composite
def starts(draw):
    """(a0, b0, s): free, on and near the saddle's stable manifold, near balance, near a minimum."""
    a0, s = draw(amplitudes), draw(targets)
    kind = draw(
        st.sampled_from(("free", "free", "manifold", "near manifold", "near balance", "near minimum"))
    )
    toward = np.sign(s) or 1.0
    shift = 1 + draw(st.sampled_from((1, -1))) * 2.0 ** -draw(st.integers(1, 53))
    if kind == "free" or (kind == "near minimum" and (a0 == 0 or not 1e-150 < abs(s / a0) < 1e3)):
        return a0, draw(amplitudes), s
    partner = {
        "manifold": -toward * a0,
        "near manifold": -toward * a0 * shift,
        "near balance": toward * a0 * shift,
    }
    return a0, partner[kind] if kind in partner else s / a0 * shift, s


@st.composite
def starts_and_times(draw):
    """(a0, b0, s, t), times spread over the scale on which the start moves, and 0, 1e3, inf."""
    a0, b0, s = draw(starts())
    rate = np.hypot(s, (a0 - b0) * (a0 + b0) / 2)
    turns = draw(st.floats(0, 720))
    times = st.sampled_from(
        (0.0, 1e-9, 1e-3, 1.0, 1e3, np.inf, min(turns / rate, 1e3) if rate > 0 else turns)
    )
    return a0, b0, s, draw(times)
