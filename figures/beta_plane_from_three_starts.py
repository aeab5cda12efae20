"""One neuron from three starts.

Paths of the learned map beta = a w towards b = (1/2, 1/2) from three unit
maps, for seven imbalances delta = a^2 - |w|^2 each. From the start in the
direction of b all seven paths are the same segment. From the others the path
is the straighter the larger delta; far downstream it first runs towards the
origin, and through it where the output weight changes sign, and the slowest
have not arrived at the end, t = 10.

Source: after Kunin et al. 2024, arXiv 2406.06158, figure 8; linear_nets 6.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels import plot
from toymodels.solutions import one_neuron

from ._one_neuron import descend, draw_path, explain, looks, starts

Array = np.ndarray

TARGET = np.array([0.5, 0.5])
DIRECTIONS = np.array([[0.0, -1.0], [1.0, -1.0], [1.0, 1.0]])
LEFT_EDGES, BREADTH = (-0.12, -0.02, -0.02), 0.8
DELTAS = np.array([-2.0, -1.0, -0.2, 0.02, 0.2, 1.0, 2.0])
END = 10.0
POINTS = 500
STEPS = {"quick": 2 * POINTS, "normal": 10 * POINTS, "deep": 60 * POINTS}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw one plane for each start, side by side."""
    data = arrays(STEPS[effort])
    with plot.style(width, height=2.8 if width == "column" else 3.9):
        drawing, planes = plot.panels(1, len(DIRECTIONS), sharey=True)
        explain(drawing, DELTAS)
        for k, ax in enumerate(planes):
            draw_plane(ax, data, k)
            ax.set_xlabel(r"$\beta_1=a w_1$")
        planes[0].set_ylabel(r"$\beta_2=a w_2$")
        x, y = data["starts"][-1]
        plot.label_point(planes[-1], x, y, "start")
        plot.label_point(planes[-1], TARGET[0], TARGET[1], "target")
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return the paths in closed form and under gradient descent, (T, start, imbalance, 2)."""
    units = DIRECTIONS / np.linalg.norm(DIRECTIONS, axis=1, keepdims=True)
    w0, a0 = (np.concatenate(part) for part in zip(*(starts(unit, DELTAS) for unit in units), strict=True))
    t, w, a = descend(np.eye(2), TARGET, w0, a0, END, steps, POINTS)
    shape = (len(t), len(units), len(DELTAS), 2)
    return {
        "t": t,
        "imbalances": DELTAS,
        "target": TARGET,
        "starts": units,
        "closed_form_map": one_neuron.product(w0, a0, TARGET, t[:, None]).reshape(shape),
        "simulated_map": (a[..., None] * w).reshape(shape),
    }


def draw_plane(ax: Any, data: dict[str, Array], start: int) -> None:
    """Draw the paths from one start."""
    from matplotlib.ticker import MultipleLocator

    left = LEFT_EDGES[start]
    ax.set(xlim=(left, left + BREADTH), ylim=(-1.1, 0.8), aspect="equal")
    ax.xaxis.set_major_locator(MultipleLocator(0.5))
    ax.yaxis.set_major_locator(MultipleLocator(0.5))
    for k, look in enumerate(looks(DELTAS)):
        draw_path(ax, data["closed_form_map"][:, start, k], data["simulated_map"][:, start, k], 8, look)
    ax.plot(*data["starts"][start], marker="o", color="black", markersize=4, zorder=4)
    ax.plot(*TARGET, marker="*", color="black", markersize=7, zorder=4)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
