"""Two routes from one start: what their errors explain of the difference, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toymodels.dynamics.closed_form import Exact
from toymodels.errors import InputError
from toymodels.trajectory import Trajectory, euclidean_norm

Array = np.ndarray


@dataclass(frozen=True)
class Comparison:
    """The distance between two routes, taken apart; `compare` makes it.

    Attributes
    ----------
    t : array (T,)
        Times.
    difference : array (T,) + runs
        Euclidean distance between the two theta; nan where one has diverged.
    explained : array (T,) + runs
        The sum of the two error bounds (rounding and truncation).
    discretisation : array (T,) + runs
        What the errors leave of the difference: the least distance between the
        two processes themselves, such as descent and flow.
    """

    t: Array
    difference: Array
    explained: Array
    discretisation: Array

    def __str__(self) -> str:
        known = np.isfinite(self.difference)
        if not known.any():
            return "the two routes have diverged; there is nothing to compare"
        difference = float(self.difference[known].max())
        left = np.where(known, self.discretisation, 0.0)
        if left.max() == 0:
            explained = float(self.explained[known].max())
            return f"the routes differ by at most {difference:.3g}, within their errors ({explained:.3g})"
        worst = np.unravel_index(left.argmax(), left.shape)
        t = self.t[worst[: self.t.ndim]]
        return (
            f"the routes differ by at most {difference:.3g}; their errors explain "
            f"{self.explained[worst]:.3g} of it, discretisation is {left[worst]:.3g} at t = {t:.6g}"
        )


def compare(a: Trajectory | Exact, b: Trajectory | Exact) -> Comparison:
    """Compare two routes from one start on common times.

    Parameters
    ----------
    a, b : Trajectory or Exact
        Results of `exact`, `flow` or `descend`; a closed form is evaluated at
        the other's times.

    Returns
    -------
    Comparison
        Distance per time, the part that the error bounds explain, the rest, and
        (as ``str``) a sentence.

    Raises
    ------
    InputError
        When starts or times do not match, or when a closed form determines the
        parameters only up to a symmetry.

    Examples
    --------
    >>> import numpy as np, toymodels as tm
    >>> problem = tm.TwoLayerLinear([[1.0]], [1.0], width=1)
    >>> descent = tm.descend(problem, [0.5, 0.5], lr=0.01, steps=100)
    >>> result = tm.compare(descent, tm.flow(problem, [0.5, 0.5], descent.t))
    >>> bool((result.explained < 1e-9).all()), bool(1e-4 < result.discretisation.max() < 1e-2)
    (True, True)
    """
    for name, route in (("a", a), ("b", b)):
        if not isinstance(route, (Trajectory, Exact)):
            raise InputError(f"{name}: expected a Trajectory or a closed form, got {type(route).__name__}")
    if isinstance(a, Exact) and isinstance(b, Exact):
        raise InputError("a, b: expected times from at least one of them; use .trajectory(times)")
    a, b = _at_times_of(a, b), _at_times_of(b, a)
    _check_common(a, b)
    with np.errstate(invalid="ignore"):
        difference = euclidean_norm(a.theta - b.theta)
        explained = a.error + b.error
        discretisation = np.maximum(difference - explained, 0)
    return Comparison(a.t, difference, explained, discretisation)


def _at_times_of(route: Trajectory | Exact, other: Trajectory | Exact) -> Trajectory:
    if isinstance(route, Trajectory):
        return route
    if route.determined != "parameters":
        raise InputError(f"compare: the closed form determines {route.determined}, not the parameters")
    if other.t.ndim > 1:
        raise InputError("compare: expected common times (T,), got times that differ from run to run")
    return route.trajectory(other.t, record=())


def _check_common(a: Trajectory, b: Trajectory) -> None:
    if a.start is None or b.start is None or not np.array_equal(a.start, b.start):
        raise InputError("compare: expected two routes from the same start")
    # Times that are equal up to the rounding of learning rate times step are the same times.
    rounding = 8 * np.finfo(float).eps
    same = a.t.shape == b.t.shape and np.allclose(a.t, b.t, rtol=rounding, atol=0)
    if not same:
        raise InputError(f"compare: expected the same times, got {_span(a.t)} and {_span(b.t)}")


def _span(t: Any) -> str:
    return f"{np.size(t)} in [{np.min(t):.6g}, {np.max(t):.6g}]"
