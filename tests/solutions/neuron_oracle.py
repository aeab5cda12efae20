"""One linear neuron at 700 digits, by projectors on the eigenspaces of its linear flow; starts to try."""

import mpmath
import numpy as np
from hypothesis import strategies as st
from scalar_oracle import DIGITS, amplitudes, signed


def neuron(w0, a0, b, t):
    """Return w (list), a and the residual b - a w of q = p / sqrt(1 + integral of |p|^2), p' = F p."""
    with mpmath.workdps(DIGITS):
        w0, b = ([mpmath.mpf(float(x)) for x in v] for v in (w0, b))
        a0, t = mpmath.mpf(float(a0)), mpmath.mpf(float(t))
        half = (a0**2 - sum(x * x for x in w0)) / 2
        square = sum(x * x for x in b)
        kappa = mpmath.sqrt(square + half * half)
        inner = sum(x * y for x, y in zip(w0, b, strict=True))
        along = [inner * x / square if square else mpmath.mpf(0) for x in b]
        wide = [x - y for x, y in zip(w0, along, strict=True)]
        q = [*along, a0]
        moved = [a0 * x - half * y for x, y in zip(b, along, strict=True)] + [inner + half * a0]
        plus = [(x + y / kappa) / 2 if kappa else x for x, y in zip(q, moved, strict=True)]
        minus = [x - y for x, y in zip(q, plus, strict=True)]
        sizes = [sum(x * x for x in v) for v in (plus, minus, wide)]
        if mpmath.isinf(t):
            rates = [kappa, -kappa, -half]
            top = max((r for r, n in zip(rates, sizes, strict=True) if n), default=None)
            if top is None or top <= 0:
                # nothing grows: at rest for a zero start, else the integral diverges or the flow stays
                scale = [mpmath.mpf(0)] * 3
            else:
                total = sum(n / (2 * r) for r, n in zip(rates, sizes, strict=True) if n and r == top)
                scale = [1 / mpmath.sqrt(total) if n and r == top else mpmath.mpf(0)
                         for r, n in zip(rates, sizes, strict=True)]  # fmt: skip
        else:
            rates = [kappa, -kappa, -half]
            grown = [t if r == 0 else mpmath.expm1(2 * r * t) / (2 * r) for r in rates]
            root = mpmath.sqrt(1 + sum(n * g for n, g in zip(sizes, grown, strict=True)))
            scale = [mpmath.exp(r * t) / root for r in rates]
        end = [scale[0] * x + scale[1] * y for x, y in zip(plus, minus, strict=True)]
        w = [x + scale[2] * y for x, y in zip(end[:-1], wide, strict=True)]
        return w, end[-1], [x - end[-1] * y for x, y in zip(b, w, strict=True)]


def distance(value, exact):
    """Length of the difference of two vectors, 0 below the floats' normal range."""
    with mpmath.workdps(DIGITS):
        gap = length([mpmath.mpf(float(x)) - y for x, y in zip(value, exact, strict=True)])
        return gap if gap > mpmath.mpf(10) ** -290 else mpmath.mpf(0)


def length(v):
    """Euclidean length."""
    return mpmath.sqrt(sum(x * x for x in v))


@st.composite
def starts(draw):
    """(w0, a0, b): free, balanced, on and near the saddle's stable manifold, nearly parallel, with zeros."""
    d = draw(st.integers(1, 4))
    unit = st.floats(-1, 1).map(lambda x: 0.0 if abs(x) < 1e-3 else x)
    scale = st.one_of(st.just(1.0), st.floats(1e-3, 1e3), st.floats(-140, 2).map(lambda e: 10.0**e))
    w0 = np.array(draw(st.lists(unit, min_size=d, max_size=d))) * draw(scale)
    b = np.array(draw(st.lists(unit, min_size=d, max_size=d))) * draw(
        st.one_of(st.just(0.0), st.floats(1e-3, 1e3), st.floats(-100, 3).map(lambda e: 10.0**e))
    )
    kind = draw(st.sampled_from(("free", "balanced", "manifold", "parallel", "no output", "no input")))
    shift = 1 + draw(st.sampled_from((1, -1, 0))) * 2.0 ** -draw(st.integers(1, 53))
    size, s = np.linalg.norm(w0), np.linalg.norm(b)
    if kind == "no input":
        return 0 * w0, draw(amplitudes), b
    if kind == "no output":
        return w0, 0.0, b
    if kind == "balanced":
        return w0, draw(st.sampled_from((1, -1))) * size * shift, b
    if kind == "parallel" and s > 0 and np.linalg.norm(w0) > 0:
        w0 = -(b / s) * size * (1 + (shift - 1) * np.eye(d)[0])
        return w0, size * shift, b
    if kind == "manifold" and s > 0 and size > 0:
        # a0 with w.b + (kappa + delta/2) a0 = 0, delta = a0^2 - |w|^2, by bisection
        return w0, saddle_side(w0, b) * shift, b
    return w0, draw(signed(st.floats(1e-3, 1e3))) if draw(st.booleans()) else draw(amplitudes), b


def saddle_side(w0, b):
    """The output weight that puts w0 on the stable manifold of the saddle, to rounding."""
    with mpmath.workdps(60):
        w0, b = ([mpmath.mpf(float(x)) for x in v] for v in (w0, b))
        inner = sum(x * y for x, y in zip(w0, b, strict=True))
        square, size = sum(x * x for x in b), sum(x * x for x in w0)

        def side(a):
            half = (a * a - size) / 2
            return abs(inner) - (mpmath.sqrt(square + half * half) + half) * a

        low, high = mpmath.mpf(0), mpmath.sqrt(size)
        for _ in range(190):
            middle = (low + high) / 2
            low, high = (middle, high) if side(middle) > 0 else (low, middle)
        return float(low * (-1 if inner > 0 else 1))


@st.composite
def starts_and_times(draw):
    """(w0, a0, b, t), times spread over the scales on which the start moves, and 0, 1e3, inf."""
    w0, a0, b = draw(starts())
    delta = a0 * a0 - (w0 * w0).sum()
    s = np.sqrt((b * b).sum())
    kappa = np.hypot(s, delta / 2)
    slow = kappa + delta / 2 if delta >= 0 else s * (s / (kappa - delta / 2)) if kappa else 0.0
    turns = draw(st.floats(0, 720))
    rates = [r for r in (kappa, slow) if r > 1e-300] or [1.0]
    options = [0.0, 1e-9, 1e-3, 1.0, 1e3, np.inf, *(min(turns / r, 1e200) for r in rates)]
    return w0, a0, b, draw(st.sampled_from(options))
