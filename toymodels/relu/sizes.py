"""How many neurons fall into each class at a random start: laws of the sizes, and of empty classes.

Weight vectors are independent with an isotropic law. Signs of the output
weights are either "random", fair and independent of all else, or "halves":
exactly m/2 are positive.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb, exp, lgamma, log
from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.relu.position import data_rows
from toymodels.relu.probabilities import class_probabilities
from toymodels.validation import one_of, positive_int, positive_real, real_array

Array = np.ndarray

SIGNS = ("random", "halves")


def class_count_pmf(counts: Any, probabilities: Any) -> Array:
    """Return the probability that m neurons fall into classes in given numbers, the multinomial law.

    With probabilities 1/4 for each of TL, TD, FL, FD it is the law of the
    census of one sample, whatever the data.

    Parameters
    ----------
    counts : array_like (..., s) of int
        Neurons in each class; m is their sum.
    probabilities : array_like (s,)
        Class probabilities, with sum 1.

    Returns
    -------
    array (...,)

    Raises
    ------
    InputError
        When the probabilities are not a law, or the counts do not fit them.

    Notes
    -----
    Source: neuron_partition B4.

    Examples
    --------
    >>> round(float(class_count_pmf([1, 1, 0, 0], [0.25] * 4)), 12)
    0.125
    """
    p = _law(probabilities)
    k = real_array("counts", counts)
    if k.shape[-1:] != p.shape or (k < 0).any() or (k != np.floor(k)).any():
        raise InputError(f"counts: expected whole numbers >= 0 of shape (..., {len(p)}), got {k.shape}")
    log_factorial = np.vectorize(lgamma, otypes=[float])
    with np.errstate(divide="ignore"):
        terms = np.where(k > 0, k * np.log(np.where(k > 0, p, 1.0)), 0.0)
    logarithm = log_factorial(k.sum(-1) + 1) + (terms - log_factorial(k + 1)).sum(-1)
    return np.exp(logarithm)


def true_living_pmf(m: int, signs: str = "random") -> Array:
    """Return the law of the number of true-living neurons on one sample, (m + 1,) or (m/2 + 1,).

    Parameters
    ----------
    m : int
        Neurons.
    signs : {"random", "halves"}
        Binomial with m trials of probability 1/4, or m/2 trials of 1/2.

    Raises
    ------
    InputError
        When m is not a positive integer, or odd with halves.

    Notes
    -----
    Source: neuron_partition B4.

    Examples
    --------
    >>> true_living_pmf(2), true_living_pmf(2, signs="halves")
    (array([0.5625, 0.375 , 0.0625]), array([0.5, 0.5]))
    """
    m = _neurons(m, signs)
    trials, odds = (m, 3) if signs == "random" else (m // 2, 1)
    whole = (odds + 1) ** trials
    return np.array([comb(trials, k) * odds ** (trials - k) / whole for k in range(trials + 1)])


def true_living_tail_bound(m: int, excess: float) -> float:
    """Return Hoeffding's bound exp(-2 excess² m) on P(|TL_i| <= (1/4 - excess) m), for random signs.

    Parameters
    ----------
    m : int
        Neurons.
    excess : float
        At least 0.

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Source: neuron_partition B4 (Hoeffding 1963).

    Examples
    --------
    >>> true_living_tail_bound(100, 0.0)
    1.0
    """
    excess = positive_real("excess", excess, allow_zero=True)
    return exp(-2 * excess * excess * positive_int("m", m))


def some_empty_bound(n: int, m: int) -> float:
    """Return the union bound n (3/4)^m on the probability that some TL_i is empty, for random signs.

    Parameters
    ----------
    n, m : int
        Samples and neurons.

    Raises
    ------
    InputError
        When a size is not a positive integer.

    Notes
    -----
    Source: neuron_partition B4.

    Examples
    --------
    >>> some_empty_bound(2, 2)
    1.125
    """
    return positive_int("n", n) * 0.75 ** positive_int("m", m)


def sufficient_width(n: int, delta: float) -> float:
    """Return log(n/delta) / log(4/3): wider nets have no empty TL_i with probability at least 1 - delta.

    Parameters
    ----------
    n : int
        Samples.
    delta : float
        In (0, 1).

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Source: neuron_partition B4; also the width in Dana, Pillaud-Vivien, Bach 2025.

    Examples
    --------
    >>> round(sufficient_width(100, 0.01), 3)
    32.016
    """
    n, delta = positive_int("n", n), positive_real("delta", delta)
    if delta >= 1:
        raise InputError(f"delta: expected a number in (0, 1), got {delta}")
    return (log(n) - log(delta)) / log(4 / 3)


def some_empty_probability(X: Any, y: Any, m: int, signs: str = "random") -> float:
    """Return the probability that some sample has no true-living neuron, exactly.

    Parameters
    ----------
    X : array_like (n, d)
        Data rows, not zero; at most 16.
    y : array_like (n,)
        Labels, of which the signs count; none may be zero.
    m : int
        Neurons.
    signs : {"random", "halves"}
        Output signs.

    Raises
    ------
    InputError
        When data do not fit.
    AssumptionError
        When the probability that all gates of some samples of one label are closed has no elementary
        form; see `class_probabilities`.

    Notes
    -----
    Source: neuron_partition B4 for two samples and for orthogonal data; own
    derivation for all others, by inclusion and exclusion: a neuron is
    true-living on none of T+ and T- with probability (q(T+) + q(T-))/2, q the
    probability that all gates of a set are closed.

    Examples
    --------
    >>> some_empty_probability([[1.0, 0.0]], [1.0], m=2)
    0.5625
    """
    rows = np.asarray(data_rows("X", X), dtype=float)
    labels = real_array("y", y, 1)
    if len(labels) != len(rows) or (labels == 0).any() or len(rows) > 16:
        raise InputError(f"y: expected one label that is not zero for each of at most 16 rows, got {y!r}")
    m = _neurons(m, signs)
    parts = [list(_closed(rows[labels * sign > 0])) for sign in (1, -1)]
    if signs == "halves":
        full = [sum((-1) ** size * q ** (m // 2) for size, q in part) for part in parts]
        return float(1 - full[0] * full[1])
    total = sum((-1) ** (s + t) * ((q + p) / 2) ** m for s, q in parts[0] for t, p in parts[1])
    return float(1 - total)


def pair_empty_probability(theta: Any, m: int, same_label: bool) -> float:
    """Return the probability that one of two samples has no true-living neuron, for random signs.

    Parameters
    ----------
    theta : float
        Angle between the samples, in [0, pi].
    m : int
        Neurons.
    same_label : bool
        Whether the samples have one label or opposite ones; the angle then does not matter.

    Raises
    ------
    InputError
        When theta is not an angle between two directions, or m not a positive integer.

    Notes
    -----
    Source: neuron_partition B4.

    Examples
    --------
    >>> pair_empty_probability(0.0, 2, same_label=True)
    0.5625
    """
    angle, m = float(real_array("theta", theta, 0)), positive_int("m", m)
    if not 0 <= angle <= np.pi:
        raise InputError(f"theta: expected an angle in [0, pi], got {angle}")
    neither = 0.5 + (np.pi - angle) / (4 * np.pi) if same_label else 0.5
    return float(2 * 0.75**m - neither**m)


def all_occupied_probability(n_plus: int, n_minus: int, m: int) -> float:
    """Return the probability that every one of orthogonal samples has a true-living neuron, for random signs.

    Parameters
    ----------
    n_plus, n_minus : int
        Samples of either label, at least 0.
    m : int
        Neurons.

    Raises
    ------
    InputError
        When a size is out of range.

    Notes
    -----
    Source: neuron_partition B4: ``sum_j binom(m, j) 2^-m (1 - 2^-j)^(n_+) (1 - 2^-(m-j))^(n_-)``.

    Examples
    --------
    >>> all_occupied_probability(1, 0, 2)
    0.4375
    """
    n_plus, n_minus = positive_int("n_plus", n_plus, 0), positive_int("n_minus", n_minus, 0)
    m = positive_int("m", m)
    terms = (
        comb(m, j) / 2**m * (1 - 2.0**-j) ** n_plus * (1 - 2.0 ** -(m - j)) ** n_minus for j in range(m + 1)
    )
    return float(sum(terms))


def expected_occupied(probabilities: Any, m: int) -> float:
    """Return the expected number of classes with at least one of m neurons, sum_s (1 - (1 - p_s)^m).

    Parameters
    ----------
    probabilities : array_like (s,)
        Class probabilities, with sum 1.
    m : int
        Neurons.

    Raises
    ------
    InputError
        When the probabilities are not a law, or m not a positive integer.

    Notes
    -----
    Source: neuron_partition B4.

    Examples
    --------
    >>> expected_occupied([0.5, 0.5], 2)
    1.5
    """
    p, m = _law(probabilities), positive_int("m", m)
    with np.errstate(divide="ignore"):
        return float(-np.expm1(m * np.log1p(-p)).sum())


def _law(probabilities: Any) -> Array:
    p = real_array("probabilities", probabilities, 1)
    if (p < 0).any() or abs(p.sum() - 1) > 64 * len(p) * np.finfo(float).eps:
        raise InputError(f"probabilities: expected numbers >= 0 with sum 1, got the sum {p.sum():.17g}")
    return np.minimum(p, 1.0)


def _neurons(m: Any, signs: str) -> int:
    m = positive_int("m", m)
    if one_of("signs", signs, SIGNS) == "halves" and m % 2:
        raise InputError(f"m: expected an even number of neurons with signs='halves', got {m}")
    return m


def _closed(rows: Array) -> Iterator[tuple[int, float]]:
    """Size, and probability that all gates are closed, of every subset of the rows."""
    for size in range(len(rows) + 1):
        for subset in combinations(range(len(rows)), size):
            chosen = rows[list(subset)]
            closed = class_probabilities(chosen, np.zeros(size, dtype=int)) if size else 1.0
            yield size, float(closed)
