"""How large theta is, and how far theta and its tangent kernel have moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from toymodels.problem import Problem
from toymodels.trajectory import euclidean_norm
from toymodels.validation import real_array

Array = np.ndarray
Observable = Callable[[Problem, Array], Array]


def norm(problem: Problem, theta: Array) -> Array:
    """Return the Euclidean norm of theta, shape runs.

    Parameters
    ----------
    problem : Problem
        Not used; observables take it.
    theta : array, runs + (p,)

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.TwoLayerLinear([[1.0]], [1.0], width=1)
    >>> tm.descend(problem, [3.0, 4.0], lr=0.1, steps=0, record=norm)["norm"]
    array([5.])
    """
    return euclidean_norm(theta)


def distance_from(theta0: Any) -> Observable:
    """Return the observable "distance": how far theta is from a point.

    Parameters
    ----------
    theta0 : array_like, (p,) or runs + (p,)

    Raises
    ------
    InputError
        When theta0 is not real and finite.

    Examples
    --------
    >>> float(distance_from([0.0, 0.0])(None, np.array([3.0, 4.0])))
    5.0
    """
    start = real_array("theta0", theta0)

    def distance(problem: Problem, theta: Array) -> Array:
        return euclidean_norm(theta - start)

    return distance


def kernel_distance_from(theta0: Any) -> Observable:
    """Return the observable "kernel_distance": ``1 - <K0, K> / (|K0| |K|)`` of tangent kernels.

    It is 0 while training is lazy and at most 1; nan where a kernel is zero.

    Parameters
    ----------
    theta0 : array_like, (p,) or runs + (p,)
        Where K0 is taken, usually the start.

    Raises
    ------
    InputError
        When theta0 is not real and finite.

    References
    ----------
    Fort et al. 2020, "Deep learning versus kernel learning".

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.TwoLayerLinear([[1.0]], [1.0], width=1)
    >>> float(kernel_distance_from([1.0, 1.0])(problem, np.array([2.0, 0.0])))
    0.0
    """
    start = real_array("theta0", theta0)

    def kernel_distance(problem: Problem, theta: Array) -> Array:
        # Half the squared distance of unit kernels: 1 - cosine would lose its digits near 0.
        difference = _unit(problem.ntk(theta)) - _unit(problem.ntk(start))
        return (difference * difference).sum((-2, -1)) / 2

    return kernel_distance


def _unit(kernel: Array) -> Array:
    size = np.sqrt((kernel * kernel).sum((-2, -1), keepdims=True))
    with np.errstate(invalid="ignore"):
        return kernel / size
