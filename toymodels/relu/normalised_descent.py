"""Descent on the logarithm of the loss: margins grow steadily where the loss itself has long underflowed."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import ConvergenceError, InputError
from toymodels.relu import formulas
from toymodels.relu.problem import TwoLayerReLU
from toymodels.validation import positive_int, positive_real, real_array

Array = np.ndarray

_FAR = 40.0
"""Beyond this margin log(1 + e^-q) is e^-q to the last bit."""


def normalised_descent(
    problem: TwoLayerReLU,
    theta0: Any,
    levels: Any,
    *,
    lr: float = 0.02,
    relative: float = 0.25,
    steps: int = 10**6,
) -> Array:
    """Descend on log L until the least margin has reached each level.

    One step is ``theta - eta grad L / L`` with ``eta = min(lr, relative / (R²
    sum_k a_k²))``, R = max |x_i|: the curve of gradient flow in a clock in
    which margins grow at a rate of order 1. Residuals are taken relative to
    the loss, so nothing underflows.

    Parameters
    ----------
    problem : TwoLayerReLU
        With the logistic or the exponential loss.
    theta0 : (p,)
        The start.
    levels : array_like (T,)
        Least margins to reach, ascending.
    lr, relative : float
        Largest step, and its bound relative to the curvature of log L.
    steps : int
        Steps at most.

    Returns
    -------
    (T, p)
        The first theta with ``min_i y_i f(x_i)`` at each level or above.

    Raises
    ------
    InputError
        When the loss is another, or an argument is out of range.
    ConvergenceError
        When the last level is not reached.

    Notes
    -----
    Source: neuron_partition F3, F6.

    Examples
    --------
    >>> problem = TwoLayerReLU([[1.0]], [1.0], width=1, loss="exponential")
    >>> far = normalised_descent(problem, [0.1, 0.1], [10.0, 1000.0])
    >>> problem.loss(far)[1], bool(1000 <= problem.outputs(far)[1, 0] < 1002)
    (np.float64(0.0), True)
    """
    if problem.output_loss.name not in ("logistic", "exponential"):
        raise InputError(
            f"problem: expected the logistic or exponential loss, got {problem.output_loss.name}"
        )
    theta, levels = real_array("theta0", theta0, 1), real_array("levels", levels, 1)
    if (np.diff(levels) < 0).any():
        raise InputError("levels: expected margins that do not decrease")
    lr, relative = positive_real("lr", lr), positive_real("relative", relative)
    X, y = problem.inputs, problem.targets
    radius = (X * X).sum(-1).max()
    W, a = (block.copy() for block in problem.layers(problem.check_theta(theta)))
    reached: list[Array] = []
    for _ in range(positive_int("steps", steps)):
        z = formulas.preactivations(W, X)
        gates = z > 0
        q = y * (a @ (gates * z))
        while q.min() >= levels[len(reached)]:
            reached.append(problem.pack(*(W, a)[: len(problem.blocks)]))
            if len(reached) == len(levels):
                return np.array(reached)
        first, second = formulas.vjp(W, a, X, gates, y * _relative_residuals(problem, q))
        eta = relative / max(relative / lr, radius * (a @ a))
        W = W + eta * first
        if problem.trains_output:
            a = a + eta * second
    raise ConvergenceError(
        f"levels: expected to reach {levels[-1]:g} within {steps} steps, got to {q.min():g}"
    )


def _relative_residuals(problem: TwoLayerReLU, q: Array) -> Array:
    """pi_i |l'(q_i)| / L."""
    slope = value = -q
    if problem.output_loss.name == "logistic":
        slope = -np.logaddexp(0, q)
        value = np.where(q > _FAR, -q, np.log(np.logaddexp(0, -np.minimum(q, _FAR))))
    shift = value.max()
    return problem.weights * np.exp(slope - shift) / (problem.weights @ np.exp(value - shift))
