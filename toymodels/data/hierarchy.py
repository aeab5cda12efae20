"""Items at the leaves of a balanced tree, and the singular values of their properties."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.data.dataset import Data
from toymodels.errors import InputError
from toymodels.validation import positive_int

Array = np.ndarray

_MOST_ENTRIES = 10**7
_DEEPEST = 1000


def hierarchical(branching: int = 2, depth: int = 2, *, normalise: bool = False) -> Data:
    """Return the items and properties of a balanced tree.

    The items are the n = B**D leaves of a tree with branching B and depth D,
    one-hot coded. Every node is a property, which the leaves below it have:
    property columns go level by level from the root, items from left to right.

    Parameters
    ----------
    branching : int
        Children of each inner node, B >= 1.
    depth : int
        Levels below the root, D >= 0.
    normalise : bool
        With the 1/(2n) loss, X = I has Sxx = XᵀX/n = I/n and Syx = YᵀX/n the
        singular values of Y divided by n: everything is learned n times more
        slowly. With ``normalise=True`` X and Y are both multiplied by sqrt(n),
        so that Sxx = I and Syx has the singular values
        `hierarchy_singular_values` themselves.

    Returns
    -------
    Data
        X (n, n) the identity, Y (n, c) of zeros and ones with one column for
        each of the c = 1 + B + ... + B**D nodes (both times sqrt(n) with
        `normalise`), and the teacher (c, n) with Y = X teacherᵀ.

    Raises
    ------
    InputError
        When branching or depth is not an integer in range, or the tree is too
        large to hold.

    Notes
    -----
    Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120 (hierarchical
    structure); linear_nets 3.11.

    Examples
    --------
    >>> X, Y = hierarchical(2, 1)
    >>> Y
    array([[1., 1., 0.],
           [1., 0., 1.]])
    """
    branching, depth = _check(branching, depth)
    if (depth + 1) * branching ** (2 * depth) > _MOST_ENTRIES:
        raise InputError(f"depth: a tree with {branching}**{depth} leaves is too large to hold")
    leaves = np.arange(branching**depth)
    levels = [
        leaves[:, None] // branching ** (depth - level) == np.arange(branching**level)
        for level in range(depth + 1)
    ]
    properties = np.concatenate(levels, axis=1).astype(float)
    scale = np.sqrt(len(leaves)) if normalise else 1.0
    return Data(scale * np.eye(len(leaves)), scale * properties, teacher=properties.T.copy())


def hierarchy_singular_values(branching: int, depth: int) -> Array:
    """Return the distinct singular values of the hierarchy's properties, one per level.

    The singular vectors of level l are constant on the subtrees below its
    nodes and sum to zero over siblings (for l = 0, constant everywhere). The
    levels' values decrease from the root to the leaves.

    Parameters
    ----------
    branching : int
        B >= 1.
    depth : int
        D >= 0.

    Returns
    -------
    (D + 1,) array
        ``sqrt(sum_{j=l}^D B**(D-j))`` for l = 0 ... D.

    Raises
    ------
    InputError
        When branching or depth is not an integer in range, or a value overflows.

    Notes
    -----
    Source: linear_nets 3.11 (own derivation, from the number of leaves that
    share a node).

    Examples
    --------
    >>> hierarchy_singular_values(2, 2) ** 2
    array([7., 3., 1.])
    >>> np.repeat(hierarchy_singular_values(2, 2), hierarchy_multiplicities(2, 2)).round(4)
    array([2.6458, 1.7321, 1.    , 1.    ])
    """
    branching, depth = _check(branching, depth)
    squares = [sum(branching**power for power in range(depth - level + 1)) for level in range(depth + 1)]
    try:
        return np.sqrt(np.array([float(square) for square in squares]))
    except OverflowError as error:
        raise InputError(f"depth: the singular values of {branching}**{depth} leaves overflow") from error


def hierarchy_multiplicities(branching: int, depth: int) -> Array:
    """Return how often each of `hierarchy_singular_values` occurs.

    Parameters
    ----------
    branching : int
        B >= 1.
    depth : int
        D >= 0.

    Returns
    -------
    (D + 1,) int array
        1 for the root, ``B**l - B**(l-1)`` for level l >= 1; they sum to B**D.

    Raises
    ------
    InputError
        When branching or depth is not an integer in range, or a number overflows.

    Notes
    -----
    Source: linear_nets 3.11 (own derivation).

    Examples
    --------
    >>> hierarchy_multiplicities(3, 2)
    array([1, 2, 6])
    """
    branching, depth = _check(branching, depth)
    counts = [1] + [branching**level - branching ** (level - 1) for level in range(1, depth + 1)]
    try:
        return np.array(counts, dtype=np.int64)
    except OverflowError as error:
        raise InputError(f"depth: the multiplicities of {branching}**{depth} leaves overflow") from error


def _check(branching: Any, depth: Any) -> tuple[int, int]:
    """Return the two as integers, small enough for their powers to be formed."""
    branching, depth = positive_int("branching", branching), positive_int("depth", depth, least=0)
    if depth > _DEEPEST:
        raise InputError(f"depth: expected at most {_DEEPEST} levels, got {depth}")
    return branching, depth
