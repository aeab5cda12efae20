"""The route that needs no steps: a closed form asked at any times."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.dynamics.recording import Recorder
from toymodels.problem import ClosedForm, Problem
from toymodels.trajectory import Trajectory
from toymodels.validation import time_array

Array = np.ndarray


class Exact:
    """A gradient flow known for all times; `exact` makes it.

    What the problem's closed form answers beyond `at` and `error` (a network's
    end-to-end product, say) is asked by the same name.

    Attributes
    ----------
    problem : Problem
    theta0 : array, runs + (p,)
        The start.
    determined : str
        What the closed form determines: "parameters", or up to what.
    """

    def __init__(self, problem: Problem, theta0: Array, form: ClosedForm):
        self.problem, self.theta0, self._form = problem, theta0, form
        self.determined = form.determined

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._form, name)

    def at(self, t: Any) -> Array:
        """Return theta at the times `t`.

        Parameters
        ----------
        t : float or array_like (T,)
            Times >= 0 that do not decrease; ``np.inf`` is the limit.

        Returns
        -------
        array, t.shape + runs + (p,)

        Raises
        ------
        InputError
            When the times are negative, decreasing or nan.
        """
        return self._form.at(time_array("t", t))

    def error(self, t: Any) -> Array:
        """Return a bound on the absolute error of `at` (Euclidean norm), t.shape + runs."""
        return self._form.error(time_array("t", t))

    def trajectory(self, times: Any, record: Any = ("loss",)) -> Trajectory:
        """Return the path at given times, as the other routes do.

        Parameters
        ----------
        times : float or array_like (T,)
            Times >= 0 that do not decrease; ``np.inf`` allowed.
        record : names or callables (problem, theta)
            Observables to evaluate.

        Raises
        ------
        InputError
            When the times or an observable are not valid.
        """
        t = time_array("times", times)
        recorder = Recorder(self.problem, record, t.shape, self.theta0)
        theta = self._form.at(t)
        for index in np.ndindex(t.shape):
            recorder.write(index, theta[index])
        return Trajectory(
            t=t,
            theta=recorder.theta,
            error=np.asarray(self._form.error(t), dtype=float),
            message=f"closed form of the gradient flow; it determines {self.determined}",
            start=self.theta0,
            events=[event for event in getattr(self._form, "events", []) if event["time"] <= t.max()],
            records=recorder.records,
        )


def exact(problem: Problem, theta0: Any, rates: Any = None) -> Exact:
    """Return the closed form of the gradient flow from a start.

    Parameters
    ----------
    problem : Problem
        A problem whose `closed_form` knows the flow.
    theta0 : array_like, runs + (p,)
        The start.
    rates : sequence of float, optional
        One learning-rate factor >= 0 per parameter block; ones by default.

    Returns
    -------
    Exact
        With ``.at(t)``, ``.trajectory(times, record=...)``, ``.error(t)`` and
        ``.determined``. Time is learning rate times step.

    Raises
    ------
    InputError
        When theta0 or rates do not fit the problem.
    AssumptionError
        When the problem has no closed form, or the start misses a hypothesis.

    Examples
    --------
    >>> import numpy as np, toymodels as tm
    >>> problem = tm.TwoLayerLinear([[1.0]], [2.0], width=1)
    >>> solution = tm.exact(problem, [0.1, 0.1])
    >>> bool(abs(np.prod(solution.at(np.inf)) - 2) < 1e-12)
    True
    """
    start = problem.check_theta(theta0)
    problem.rate_vector(rates)
    factors = np.ones(len(problem.blocks)) if rates is None else np.asarray(rates, dtype=float)
    return Exact(problem, start, problem.closed_form(start, factors))
