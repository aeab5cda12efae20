"""What the figures of one linear neuron share: starts, descent, looks."""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.linear import balanced_factors

Array = np.ndarray

DELTAS = np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0])
_DASHES = {-1: (0, (4, 1.2)), 0: "-", 1: (0, (1.4, 1))}


def starts(beta0: Array, deltas: Array) -> tuple[Array, Array]:
    """Return w (K, d) and a > 0 (K,) with a w = beta0 and a^2 - |w|^2 = delta."""
    pairs = [balanced_factors(beta0[None, :], float(delta), width=1) for delta in deltas]
    w, a = (np.concatenate(layers) for layers in zip(*pairs, strict=True))
    sign = np.sign(a[:, 0])
    return sign[:, None] * w, sign * a[:, 0]


def problem_of(X: Array, y: Array) -> tm.TwoLayerLinear:
    """Return one neuron under the loss |X a w - y|^2 / 2."""
    return tm.TwoLayerLinear(X, y, width=1, weights=np.ones(len(y)))


def descend(
    X: Array, y: Array, w0: Array, a0: Array, end: float, steps: int, points: int
) -> tuple[Array, Array, Array]:
    """Return times (T,), w (T, K, d) and a (T, K) of gradient descent from K starts."""
    problem = problem_of(X, y)
    run = tm.descend(
        problem,
        problem.pack(w0[:, None, :], a0[:, None, None]),
        lr=end / steps,
        steps=steps,
        every=steps // points,
        measure_error=False,
    )
    w, a = problem.unpack(run.theta)
    return run.t, w[..., 0, :], a[..., 0, 0]


def looks(deltas: Array) -> list[dict[str, Any]]:
    """Return a look for each imbalance: dark to light, broken downstream, dotted upstream."""
    return [
        look | {"linestyle": _DASHES[int(np.sign(delta))], "markersize": 3.2}
        for look, delta in zip(plot.gradation(len(deltas)), deltas, strict=True)
    ]


def draw_path(ax: Any, line: Array, dots: Array, count: int, look: dict[str, Any]) -> None:
    """Draw a path (T, 2) in closed form and `count` dots of a simulated one."""
    plot.closed_form(ax, line[:, 0], line[:, 1], **look)
    plot.simulation(ax, dots[:, 0], dots[:, 1], dots=count, **look)


def explain(drawing: Any, deltas: Array) -> None:
    """Say above the panels which look is which imbalance, and what lines and dots are."""
    from matplotlib.lines import Line2D

    named = [
        Line2D([], [], label=rf"$\delta={delta:g}$", **look)
        for delta, look in zip(deltas, looks(deltas), strict=True)
    ]
    title = r"lines: closed form, dots: gradient descent; imbalance $\delta=a^2-\|w\|^2$"
    plot.key(drawing, named, title, columns=4 if drawing.get_size_inches()[0] < 5 else None)
