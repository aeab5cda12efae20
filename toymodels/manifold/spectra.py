"""The spectrum of the Hessian on one sample, off the minima manifold too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toymodels.arithmetic import Array, analytic
from toymodels.arithmetic.elementary import hypot
from toymodels.manifold import formulas
from toymodels.trajectory import euclidean_norm

if TYPE_CHECKING:
    from toymodels.manifold.problem import MinimaManifold


@analytic("(),(),(),()->(),()", positive="m")
def pair(b: Array, m: Array, target: Array, strength: Array) -> tuple[Array, Array]:
    """The two eigenvalues strength (R ± sqrt((2b - y)² + m²)), R = sqrt(b² + m²). Source: own derivation.

    Their product is strength² (y - b) (3b - y), so that the smaller vanishes with the residual.
    """
    R, root = hypot(b, m), hypot(2 * b - target, m)
    return strength * (target - b) * (3 * b - target) / (R + root), strength * (R + root)


def one_sample_spectrum(problem: MinimaManifold, theta: Array) -> Array:
    """Return the eigenvalues of the Hessian of a problem with one sample, (..., p), smallest first.

    With b = x.beta/|x|, y the target over |x| and m = om, they are |x|² (R ±
    sqrt((2b - y)² + m²)), once each, and ±|x|² (b - y), N/2 - 1 times each.

    Notes
    -----
    Source: own derivation; minima_manifold A.2 for two parameters.

    Examples
    --------
    >>> from toymodels.manifold import MinimaManifold
    >>> one_sample_spectrum(MinimaManifold([[1.0, 0.0]], [1.0]), np.array([2.0, 1.0]))
    array([-0.85410197,  5.85410197])
    """
    x = problem.inputs[0]
    length = float(np.linalg.norm(x))
    if length == 0:
        return np.zeros(theta.shape)
    turned = formulas.turned(theta, problem._Q, x / length)
    plus, minus = (euclidean_norm(theta + sign * turned) / 2 for sign in (1, -1))
    b, target = (plus - minus) * (plus + minus) / 2, problem.targets[0] / length
    m, strength = plus * minus, length * length
    lift = strength * np.abs(b - target)[..., None] * np.ones(problem.size // 2 - 1)
    flat = (plus == 0) & (minus == 0) & (target == 0)
    ends = np.stack(pair(b, np.where(flat, 1.0, m), target, strength), -1)
    ends = np.where(flat[..., None], 0.0, ends)
    return np.sort(np.concatenate([-lift, ends, lift], -1), axis=-1)
