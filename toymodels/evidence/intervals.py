"""Confidence statements about samples: means, probabilities, slopes."""

from __future__ import annotations

import numpy as np

from toymodels.arithmetic.measured import UNIT
from toymodels.errors import InputError

CONFIDENCE = 1 - 1e-6
"""Two-sided confidence of every statistical verdict."""


def mean_interval(samples: np.ndarray, confidence: float = CONFIDENCE) -> tuple[np.ndarray, np.ndarray]:
    """Return Student's interval for the mean over axis 0."""
    from scipy.stats import t

    count = len(samples)
    centre = samples.mean(0)
    half = t.ppf((1 + confidence) / 2, count - 1) * samples.std(0, ddof=1) / np.sqrt(count)
    half = half + 4 * UNIT * abs(samples).max(0)  # the rounding of the mean itself
    return centre - half, centre + half


def clopper_pearson(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval for a probability."""
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes == trials else float(beta.ppf(1 - tail, successes + 1, trials - successes))
    return low, high


def exponent_interval(
    x: np.ndarray, quantity: np.ndarray, error: np.ndarray | float = 0.0
) -> tuple[float, float]:
    """Return an interval for p in ``quantity ~ x**p log(x)**c``, from its last local slopes.

    Where the differences d of the slopes shrink, two corrections are told
    apart by nothing but the steps that are missing: one by a power of x leaves
    d r / (1 - r) with r = d_k / d_{k-1}, one by a logarithm leaves
    d (1 + r) / (1 - r), since its slopes are p + c / (k + const). The interval
    spans the last slope and both limits from each of the last three triples.
    Slopes whose differences do not shrink are taken to drift on for as many
    steps as the grid has.

    Parameters
    ----------
    x : array (n,)
        A geometric grid towards the limit, n >= 5.
    quantity, error : array (n,)
        The quantity and a bound on its error.

    Raises
    ------
    InputError
        When the grid is not geometric or not long enough.
    """
    steps = np.diff(np.log(x))
    geometric = steps.any() and abs(steps).max() <= 1.25 * abs(steps).min()
    if len(x) < 5 or not geometric or (steps * steps[0] < 0).any():
        raise InputError("a rate needs a geometric grid of at least 5 points towards the limit")
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.diff(np.log(quantity)) / steps
        relative = (error / abs(quantity) + 8 * UNIT * np.ones(len(x)))[-5:]
    noise = 2 * relative.max() / abs(steps).min()
    ends, logarithmic = [slopes[-1]], np.nan
    for k in range(max(2, len(slopes) - 3), len(slopes)):
        before, after = slopes[k - 1] - slopes[k - 2], slopes[k] - slopes[k - 1]
        if before * after > 0 and abs(after) < abs(before):
            power = slopes[k] + after * after / (before - after)
            previous, stretch = logarithmic, (before + after) / (before - after)
            logarithmic = slopes[k] + after * stretch
            # the model of a logarithm is itself extrapolated, as far again as it was
            doubt = stretch * abs(logarithmic - previous) if np.isfinite(previous) else 0.0
            ends += [power, logarithmic - doubt, logarithmic + doubt]
        else:
            drift = len(x) * abs(after)
            ends += [slopes[k] - drift, slopes[k] + drift]
    return float(np.min(ends) - noise), float(np.max(ends) + noise)
