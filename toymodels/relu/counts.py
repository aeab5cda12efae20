"""How many activation patterns a neuron can have on given data, and regions a layer can cut: exact counts."""

from __future__ import annotations

from math import comb
from typing import Any

from toymodels.relu.position import Span, data_rows, empty_span, is_exact, nonzero, unit_rows
from toymodels.validation import positive_int


def cover_count(n: int, d: int) -> int:
    """Return the number of patterns of one neuron on n samples in general position in d dimensions.

    It is ``2 sum_{k<d} binom(n-1, k)``, which is 2^n for n <= d: the number of
    cells that the hyperplanes w . x_i = 0 cut the weight space into. With a
    bias, d counts the constant coordinate.

    Parameters
    ----------
    n, d : int
        At least 1.

    Raises
    ------
    InputError
        When a size is not a positive integer.

    References
    ----------
    Schlaefli 1852; Cover 1965, "Geometrical and statistical properties of systems of linear inequalities".

    Examples
    --------
    >>> cover_count(5, 3), cover_count(3, 5)
    (22, 8)
    """
    n, d = positive_int("n", n), positive_int("d", d)
    return 2 * sum(comb(n - 1, k) for k in range(d))


def zaslavsky_count(m: int, d: int, bias: bool = True) -> int:
    """Return the number of linear regions that m neurons in general position cut the input space into.

    It is ``sum_{k<=d} binom(m, k)`` with biases and `cover_count(m, d)` without.

    Parameters
    ----------
    m, d : int
        Neurons and input dimension, at least 1.
    bias : bool
        Whether the neurons' hyperplanes miss the origin.

    Raises
    ------
    InputError
        When a size is not a positive integer.

    References
    ----------
    Zaslavsky 1975, "Facing up to arrangements".

    Examples
    --------
    >>> zaslavsky_count(3, 2), zaslavsky_count(3, 2, bias=False)
    (7, 6)
    """
    m, d = positive_int("m", m), positive_int("d", d)
    return sum(comb(m, k) for k in range(d + 1)) if bias else cover_count(m, d)


def whitney_count(X: Any) -> int:
    """Return the number of patterns of one neuron on any samples, in general position or not.

    It is Whitney's sum of ``(-1)^(|B| - rank X_B)`` over all subsets B of the
    rows that are not zero, from which pairs of subsets that cancel are left
    out, so that the cost grows with the count and not with 2^n.

    Parameters
    ----------
    X : array_like (n, d)
        Rationals are taken exactly; floats count as dependent when they are so
        up to the rounding of their entries.

    Raises
    ------
    InputError
        When X is not a real matrix.

    Notes
    -----
    Source: neuron_partition B1. Where a row lies in the span of B, the subsets
    that differ by it alone cancel; what is left counts the subsets without a
    broken circuit.

    References
    ----------
    Whitney 1932, "A logical expansion in mathematics"; Zaslavsky 1975.

    Examples
    --------
    >>> whitney_count([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [2, 0, 0]])
    12
    """
    rows = data_rows("X", X)
    rows = rows[nonzero(rows)]
    if len(rows) == 0:
        return 1
    if not is_exact(rows):
        rows = unit_rows(rows)

    def total(span: Span, first: int) -> int:
        """The sum over the subsets of the rows from `first` on, added to those of the span."""
        wider: list[Span] = []
        for x in rows[first:]:
            more = span.extended(x)
            if more is None:
                return 0
            wider.append(more)
        return 1 + sum(total(more, first + k + 1) for k, more in enumerate(wider))

    return total(empty_span(rows), 0)
