"""Gradient flow by numerical integration, with a measured error."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.dynamics.event_flow import integrate_events
from toymodels.dynamics.integration import RTOL, integrate
from toymodels.dynamics.recording import Recorder
from toymodels.errors import InputError
from toymodels.problem import Problem
from toymodels.trajectory import Trajectory
from toymodels.validation import time_array

Array = np.ndarray

ENDS = ("diverged", "not unique", "unresolved")
"""Kinds of events after which a run is not known; the status of several runs is the first of them."""


def flow(problem: Problem, theta0: Any, times: Any, rates: Any = None, record: Any = ("loss",)) -> Trajectory:
    """Integrate the gradient flow ``theta' = -rate * gradient`` from time 0.

    The integrator is DOP853 at relative tolerance 3e-13. It is explicit: a run
    costs about as many steps as the final time times the sharpness. Where the
    gradient jumps (a ReLU network), the flow is Filippov's: each run is followed
    alone, from event to event, each located and none stepped over.

    Parameters
    ----------
    problem : Problem
    theta0 : array_like, runs + (p,)
        The start, at time 0; leading axes are runs.
    times : float or array_like (T,)
        Finite times >= 0 that do not decrease; they may repeat and need not
        start at 0. Time is learning rate times step.
    rates : sequence of float, optional
        One learning-rate factor >= 0 per parameter block; ones by default.
    record : names or callables (problem, theta)
        Observables to record; a callable gets theta runs + (p,) at one time,
        returns an array whose leading axes are the runs, and is recorded under
        its name.

    Returns
    -------
    Trajectory
        ``error`` is twice the largest distance so far between this run and one
        at a hundred times its tolerance, plus rounding; the true error is
        usually a hundredth of it. A run that leaves the finite numbers in
        finite time has diverged: its later entries are nan and its error is
        inf, ``message`` names the first time, ``events`` lists time and run.
        The same holds of a run whose flow is "not unique" after some time (or
        "unresolved", where kinks of linearly dependent samples meet). The other
        events of a ReLU network have a time, a neuron and a sample, and their
        kind is what the neuron becomes on it: "active", "inactive" or
        "sliding".

    Raises
    ------
    InputError
        When an argument is out of range or does not fit the problem.

    References
    ----------
    Hairer, Norsett, Wanner 1993, "Solving Ordinary Differential Equations I",
    section II.5 (the method DOP853). Filippov 1988, "Differential Equations
    with Discontinuous Righthand Sides".

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.TwoLayerLinear([[1.0]], [1.0], width=1)
    >>> run = tm.flow(problem, [0.5, 0.5], times=[0.0, 1.0, 20.0])
    >>> bool(run["loss"][-1] < 1e-15), bool(run.error.max() < 1e-10)
    (True, True)
    >>> network = tm.TwoLayerReLU([[1.0]], [1.0], width=1)
    >>> run = tm.flow(network, [0.5, -0.6], times=2.0)
    >>> [(event["neuron"], event["sample"], event["kind"]) for event in run.events]
    [(0, 0, 'inactive')]
    """
    start = problem.check_theta(theta0)
    t = time_array("times", times)
    if np.isinf(t).any():
        raise InputError("times: expected finite times; the limit t = inf is asked of toymodels.exact")
    rate = problem.rate_vector(rates)
    factors = np.ones(len(problem.blocks)) if rates is None else np.asarray(rates, dtype=float)
    recorder = Recorder(problem, record, t.shape, start)

    def field(theta: Array) -> Array:
        return -rate * problem.gradient(theta)

    rows = start.reshape(-1, problem.size)
    kinks = problem.events(factors)
    if kinks is None:
        theta, error, ends = integrate(field, rows, np.atleast_1d(t))
        logs: list[list[dict[str, Any]]] = [
            [{"kind": "diverged", "time": float(end)}] if np.isfinite(end) else [] for end in ends
        ]
    else:
        theta, error, logs = integrate_events(kinks, rows, np.atleast_1d(t))
    theta = theta.reshape(t.shape + start.shape)
    for index in np.ndindex(t.shape):
        recorder.write(index, theta[index])
    events = [
        {**entry, "runs": [list(run)]}
        for run, log in zip(np.ndindex(start.shape[:-1]), logs, strict=True)
        for entry in log
    ]
    ended = [event for event in events if event["kind"] in ENDS]
    kinds = {event["kind"] for event in ended}
    return Trajectory(
        t=t,
        theta=recorder.theta,
        error=error.reshape(t.shape + start.shape[:-1]),
        status=next((kind for kind in ENDS if kind in kinds), "finished"),
        message=_message(ended, len(rows), start.ndim == 1),
        events=events,
        start=start,
        records=recorder.records,
    )


def _message(ended: list[dict[str, Any]], runs: int, single: bool) -> str:
    if not ended:
        return f"gradient flow by DOP853, relative tolerance {RTOL:g}"
    first = min(ended, key=lambda event: event["time"])
    when = f"at time {first['time']:.6g}"
    if first["kind"] == "diverged":
        return (
            f"the run diverged {when}"
            if single
            else f"{len(ended)} of {runs} runs diverged, the first {when}"
        )
    where = f"{first['kind']} {when}: neuron {first['neuron']} on samples {first['samples']}: {first['why']}"
    return (
        f"the flow is {where}" if single else f"{len(ended)} of {runs} runs have ended; the first is {where}"
    )
