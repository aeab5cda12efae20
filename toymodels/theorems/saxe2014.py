"""Learning in linear nets mode by mode: sigmoids, hyperbolas, hierarchies, and the sharpness on the way.

After Saxe, McClelland and Ganguli 2014; what they do not state is marked as our own.
"""

from fractions import Fraction

import numpy as np

from toymodels import data
from toymodels.arithmetic.elementary import cosh, sinh
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, svdvals, value_of
from toymodels.claims import Paper, counterexample, identity, monotone
from toymodels.linear.spectra import mode_sharpness
from toymodels.solutions import hyperbola, logistic, scalar_mode
from toymodels.spaces import between, integer, positive, real

FAMILY = "linear"
PAPER = Paper("after Saxe, McClelland, Ganguli 2014", arxiv="1312.6120")
EPS = np.finfo(float).eps


@identity("linear_nets S3.8a", a=real, b=real, s=real, broken={"delta halved": dict(half=1)})
def ratio_equation(a, b, s, *, half=0):
    r"""On $a^2 - b^2 = \delta$ the ratio $\rho = b/a$ moves by $\rho' = s - \delta\rho - s\rho^2$."""
    r, delta = s - a * b, a * a - b * b
    ratio = Jet(b, a * r) / Jet(a, b * r)
    return ratio.first, hyperbola.ratio_velocity(delta * (2 - half) / 2, s, ratio.value)


@identity(
    "linear_nets S3.8b",
    ratio=real,
    stable=real,
    s=real,
    source="own",
    broken={"decay rate kappa": dict(share=Fraction(1, 2))},
)
def moebius_decay(ratio, stable, s, *, share=1):
    r"""$(\rho - \rho_+)/(\rho - \rho_-)$ decays like $e^{-2\kappa t}$: its logarithmic derivative is
    $-2\kappa$ ($\rho_+\rho_- = -1$).
    """
    # rho+ solves s - delta rho - s rho² = 0, hence delta and 2 kappa = s (rho+ - rho-)
    unstable = -1 / stable
    delta = s * (1 / stable - stable)
    moving = Jet(ratio, hyperbola.ratio_velocity(delta, s, ratio))
    quotient = hyperbola.moebius(moving, stable, unstable)
    return quotient.first, -share * s * (stable - unstable) * quotient.value


@identity(
    "linear_nets S3.8c", delta=positive, s=real, angle=between(-3, 3), broken={"2s for s": dict(twice=2)}
)
def hyperbola_angle(delta, s, angle, *, twice=1):
    r"""$a = \sqrt\delta\cosh(\theta/2)$, $b = \sqrt\delta\sinh(\theta/2)$ with $\theta' = 2s -
    \delta\sinh\theta$ solve the mode.
    """
    # the squared root of delta enters both sides once, so it may be divided out
    moving = Jet(angle, hyperbola.angle_velocity(delta, twice * s, angle))
    a, b = cosh(moving / 2), sinh(moving / 2)
    r = s - delta * a.value * b.value
    return (a.first, b.first), (b.value * r, a.value * r)


@identity(
    "linear_nets S3.8d",
    branching=integer(1, 4),
    depth=integer(0, 3),
    broken={"one level more": dict(deeper=1)},
    source="own",
)
def hierarchy_spectrum(branching, depth, *, deeper=0):
    r"""A balanced tree has the singular values $\sqrt{\sum_{j \ge l} B^{D-j}}$ with multiplicities $1, B^l
    - B^{l-1}$.
    """
    normalised = data.hierarchical(branching, depth, normalise=True)
    _, Syx, _ = normalised.statistics
    values = data.hierarchy_singular_values(branching, depth + deeper)[: depth + 1]
    expected = np.repeat(values, data.hierarchy_multiplicities(branching, depth))
    size = max(Syx.shape)
    return svdvals(Measured(Syx, 64 * size * EPS)), Measured(expected, 4 * EPS * expected)


@identity(
    "linear_nets 3.6 half", u0=between(1e-6, 0.5), s=between(1, 3), broken={"time 1/s ln": dict(factor=2)}
)
def half_time(u0, s, *, factor=1):
    r"""A balanced mode reaches s/2 at $t = \ln(s/u_0 - 1)/(2s)$."""
    u0, s = float(value_of(u0)), float(value_of(s))
    t = factor * logistic.half_time(u0, s)
    u = logistic.logistic(u0, s, t)
    # rounding the time by t eps moves u by u' = 2u(s-u) <= s²/2 times that
    return Measured(u, 1e-13 * s + 8 * EPS * t * s * s), Measured(s / 2)


@identity(
    "linear_nets S2.10e",
    a=between(0.02, 0.5),
    s=between(1, 3),
    steps=integer(1, 60),
    source="own",
    broken={"sharpness 2 s on the way": dict(constant=1)},
)
def sharpness_on_the_way(a, s, steps, *, constant=0):
    r"""Balanced training has sharpness $u + |2u - s|$: from s at the saddle down to s/2, then up to 2s."""
    a, s = float(value_of(a)), float(value_of(s))
    x, y = scalar_mode.flow(a, a, s, steps / 10)
    u = scalar_mode.product(a, a, s, steps / 10)
    expected = 2 * s if constant else u + abs(2 * u - s)
    return Measured(mode_sharpness(x, y, s), 1e-12 * s), Measured(expected, 1e-12 * s)


def _shares(first, last):
    """Products u from first to last, as shares of the target."""
    return np.linspace(first, last, 30)


@monotone(
    "linear_nets S2.10f", s=positive, source="own", broken={"all the way to the minimum": dict(last=1.0)}
)
def sharpness_falls_first(s, *, last=0.5):
    r"""Along balanced flow the sharpness falls until u = s/2."""
    a = np.sqrt(_shares(0.001, last) * s)
    sharpness = mode_sharpness(a, a, s + 0 * a)
    return Measured(sharpness, 16 * EPS * sharpness)


@monotone(
    "linear_nets S2.10g",
    s=positive,
    direction="increasing",
    source="own",
    broken={"from the start": dict(first=0.001)},
)
def sharpness_rises_last(s, *, first=0.5):
    r"""From u = s/2 on the sharpness rises, to 2s."""
    a = np.sqrt(_shares(first, 1.0) * s)
    sharpness = mode_sharpness(a, a, s + 0 * a)
    return Measured(sharpness, 16 * EPS * sharpness)


@counterexample("linear_nets S2.10h", source="own", broken={"after the halving": dict(start=1.2)})
def sharpness_is_not_monotone(*, start=0.02):
    """ "The sharpness is non-decreasing along gradient flow" is false: from a = b = 0.02, s = 1.5 it first
    halves.
    """
    a, b = scalar_mode.flow(
        start, start, 1.5, np.array([0.0, scalar_mode.time_to_residual(0.02, 0.02, 1.5, 0.5)])
    )
    first, later = mode_sharpness(a, b, 1.5 + 0 * a)
    return first, later
