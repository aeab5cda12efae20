"""The tangent kernel of infinitely many neurons with a Gaussian start."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.relu.position import data_rows, nonzero, unit_rows
from toymodels.validation import positive_real

Array = np.ndarray


def infinite_width_ntk(
    X: Any, *, hidden_variance: float = 1.0, output_variance: float = 1.0, trains_output: bool = True
) -> Array:
    """Return the limit of K/m, the tangent kernel per neuron, as the width m grows, (n, n).

    Parameters
    ----------
    X : array_like (n, d)
        Data rows.
    hidden_variance : float
        Variance of each entry of W, independent and normal with mean 0.
    output_variance : float
        Variance of each entry of a, independent with mean 0.
    trains_output : bool
        Whether the output layer is trained too; else only the first term below.

    Raises
    ------
    InputError
        When X is not a real matrix, or a variance is negative.

    Notes
    -----
    ``output_variance x.y arc_cosine_zero + hidden_variance |x||y| arc_cosine_one`` at the angle between
    x and y. Source: neuron_partition A4 (Cho, Saul 2009). The second kernel
    vanishes like the cube of the angle by which x and y miss being opposite,
    and keeps its relative accuracy there.

    Examples
    --------
    >>> infinite_width_ntk([[1.0, 0.0], [-1.0, 0.0]])
    array([[1., 0.],
           [0., 1.]])
    """
    rows = np.asarray(data_rows("X", X), dtype=float)
    hidden = positive_real("hidden_variance", hidden_variance, allow_zero=True)
    output = positive_real("output_variance", output_variance, allow_zero=True)
    live = nonzero(rows)
    length = np.linalg.norm(rows, axis=1)
    kernel = np.zeros((len(rows), len(rows)))
    opening = _openings(unit_rows(rows[live]))
    block = np.ix_(live, live)
    kernel[block] = output * (rows @ rows.T)[block] * opening / (2 * np.pi)
    if trains_output:
        scale = np.outer(length, length)[block]
        kernel[block] += hidden * scale * sine_minus_angle_cosine(opening) / (2 * np.pi)
    return kernel


def _openings(units: Array) -> Array:
    """Angles pi - theta of the wedges where both gates are open, accurate near both ends."""
    apart = np.linalg.norm(units[:, None] - units, axis=-1)
    together = np.linalg.norm(units[:, None] + units, axis=-1)
    return 2 * np.arctan2(together, apart)


def sine_minus_angle_cosine(x: Array) -> Array:
    """Return sin x - x cos x for x in [0, pi], to relative accuracy; it is x³/3 near 0."""
    small = np.minimum(x, 1.0)
    series = np.ones_like(small)
    # the ratio of neighbouring terms of the power series is -x²/(2j (2j + 3))
    for j in range(8, 0, -1):
        series = 1 - small * small * series / (2 * j * (2 * j + 3))
    return np.where(x < 1, small**3 * series / 3, np.sin(x) - x * np.cos(x))
