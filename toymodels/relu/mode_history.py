"""What each neuron is on each sample along a flow: active, inactive or sliding, and its gate."""

from __future__ import annotations

import numpy as np

from toymodels.errors import InputError
from toymodels.relu.flow import KINDS, ReLUFlow
from toymodels.relu.problem import TwoLayerReLU
from toymodels.trajectory import Trajectory

Array = np.ndarray

MODES = {kind: mode for mode, kind in KINDS.items()}


def modes_along(problem: TwoLayerReLU, run: Trajectory) -> Array:
    """Return the modes at the times of a flow, replayed from its events.

    Parameters
    ----------
    problem : TwoLayerReLU
    run : Trajectory
        What `toymodels.flow` returned for the problem.

    Returns
    -------
    int array, run.t.shape + runs + (m, n)
        1 active, 0 sliding, -1 inactive; at the time of an event the mode after
        it. The last mode is kept after a run has ended.

    Raises
    ------
    InputError
        When the trajectory is not such a flow.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.TwoLayerReLU([[1.0]], [1.0], output=[-1.0])
    >>> run = tm.flow(problem, [0.5], [0.0, 1.0])
    >>> modes_along(problem, run).tolist()
    [[[1]], [[-1]]]
    """
    start = starting_modes(problem, run)
    t = np.atleast_1d(run.t)
    modes = np.repeat(start[None], len(t), axis=0)
    for event in run.events:
        if "sample" in event:
            where = (t >= event["time"], *event["runs"][0], event["neuron"], event["sample"])
            modes[where] = MODES[event["kind"]]
    return modes.reshape(run.t.shape + start.shape)


def gates_along(problem: TwoLayerReLU, run: Trajectory) -> Array:
    """Return the gates at the times of a flow, those of sliding neurons included.

    Parameters
    ----------
    problem : TwoLayerReLU
    run : Trajectory
        What `toymodels.flow` returned for the problem.

    Returns
    -------
    array, run.t.shape + runs + (m, n)
        0, 1, or between where a neuron slides: the velocity is the gradient's
        with these gates. Nan after a run has ended.

    Raises
    ------
    InputError
        When the trajectory is not such a flow.

    Notes
    -----
    Source: neuron_partition D5. With parallel samples that are on at opposite
    sides, the gates of the two sides add up to one.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.TwoLayerReLU([[1.0, 0.0], [1.0, 2.0]], [-1.0, 1.0], output=[1.0], loss="exponential")
    >>> run = tm.flow(problem, [0.1, 0.5], [0.0, 2.0])
    >>> gates_along(problem, run).round(3).tolist()
    [[[1.0, 1.0]], [[0.149, 1.0]]]
    """
    modes = modes_along(problem, run)
    rules = ReLUFlow(problem, np.ones(len(problem.blocks)))
    theta = run.theta.reshape(-1, problem.size)
    gates = [
        rules.gates(point, mode)
        for point, mode in zip(theta, modes.reshape(-1, *modes.shape[-2:]), strict=True)
    ]
    return np.array(gates).reshape(modes.shape)


def starting_modes(problem: TwoLayerReLU, run: Trajectory) -> Array:
    """Return the modes at the start of a flow, runs + (m, n), before any event.

    Raises
    ------
    InputError
        When the trajectory is not a flow of the problem.
    """
    if run.start is None or run.step is not None or run.start.shape[-1] != problem.size:
        raise InputError("run: expected a trajectory of toymodels.flow for this problem")
    return np.where(problem.preactivations(run.start) > 0, 1, -1)
