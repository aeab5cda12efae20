"""Confidence statements about samples: means, probabilities, slopes."""

from __future__ import annotations

import numpy as np

CONFIDENCE = 1 - 1e-6
"""Two-sided confidence of every statistical verdict."""


def mean_interval(samples: np.ndarray, confidence: float = CONFIDENCE) -> tuple[np.ndarray, np.ndarray]:
    """Return Student's interval for the mean over axis 0."""
    from scipy.stats import t

    count = len(samples)
    centre = samples.mean(0)
    half = t.ppf((1 + confidence) / 2, count - 1) * samples.std(0, ddof=1) / np.sqrt(count)
    return centre - half, centre + half


def clopper_pearson(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval for a probability."""
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes == trials else float(beta.ppf(1 - tail, successes + 1, trials - successes))
    return low, high


def slopes(x: np.ndarray, quantity: np.ndarray) -> np.ndarray:
    """Return the local slopes d log quantity / d log x between neighbours."""
    return np.diff(np.log(quantity)) / np.diff(np.log(x))


def extrapolated_slopes(x: np.ndarray, quantity: np.ndarray) -> np.ndarray:
    """Return local slopes after one Richardson step, which removes a correction linear in the small end of x.

    The grid must be geometric; slopes drift like their own correction term,
    whose ratio between neighbours is estimated from the grid ratio.
    """
    local = slopes(x, quantity)
    ratio = abs(np.log(x[1] / x[0]))
    factor = np.exp(ratio)
    return local[1:] + (local[1:] - local[:-1]) / (factor - 1)
