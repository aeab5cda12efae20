"""Opposite basins of one neuron.

Two starts on either side of the separatrix, 10^-3 from it, run along it to a
saddle and part to the two minima (w, a) and (-w, -a), which are the same map.
Balanced, the saddle is the origin; downstream it is the circle a = 0, w.b = 0,
|w|^2 = -delta, and for delta = -10 it is left slowly. The plane shows the
output weight against the part of w along the target b. Lines are the closed
form, dots are numerical integration of the flow.

Source: after Kunin et al. 2024, arXiv 2406.06158, figure 7; linear_nets 6.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.solutions import one_neuron
from toymodels.solutions.one_neuron_limits import limit, separatrix_weights

from ._one_neuron import draw_path, problem_of

Array = np.ndarray

TARGET = np.array([1.0, 0.25])
DELTAS = np.array([0.0, -2.0, -10.0])
A0, OFFSETS = -4.0, np.array([1e-3, -1e-3])
FIRST, END = 1e-3, 150.0
POINTS = {"quick": 120, "normal": 1200, "deep": 5000}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw one plane for each imbalance; stacked in a column, side by side on the full width."""
    data = arrays(POINTS[effort])
    stacked = width == "column"
    with plot.style(width, height=5.4 if stacked else 2.7):
        drawing, planes = plot.panels(1, 3, stacked, sharex=stacked, sharey=not stacked)
        explain(drawing)
        for k, ax in enumerate(planes):
            draw_plane(ax, data, k)
        for ax in planes if stacked else planes[:1]:
            ax.set_ylabel("output weight $a$")
        for ax in planes[-1:] if stacked else planes:
            ax.set_xlabel(r"input weights along the target, $w\cdot b/\|b\|$")
    return drawing, data


def arrays(points: int) -> dict[str, Array]:
    """Return paths (T, imbalance, side, 2) in the plane of w.b/|b| and a."""
    on_it = np.stack([separatrix_weights(A0, TARGET, delta) for delta in DELTAS])
    w0 = np.repeat(on_it, 2, axis=0)
    a0 = np.tile(A0 + OFFSETS, len(DELTAS))
    problem = problem_of(np.eye(2), TARGET)
    t = np.append(0, np.geomspace(FIRST, END, points))
    run = tm.flow(problem, problem.pack(w0[:, None, :], a0[:, None, None]), t)
    w, a = problem.unpack(run.theta)
    shape = (len(DELTAS), 2, 2)
    return {
        "t": t,
        "imbalances": DELTAS,
        "separatrix": np.stack([on_it @ unit(), np.full(len(DELTAS), A0)], axis=-1),
        "minima": plane(*limit(w0, a0, TARGET)).reshape(shape),
        "closed_form_paths": plane(*one_neuron.flow(w0, a0, TARGET, t[:, None])).reshape((len(t), *shape)),
        "simulated_paths": plane(w[..., 0, :], a[..., 0, 0]).reshape((len(t), *shape)),
        "error_of_paths": run.error.reshape((len(t), *shape[:2])),
    }


def unit() -> Array:
    """Return the direction of the target."""
    return TARGET / np.linalg.norm(TARGET)


def plane(w: Array, a: Array) -> Array:
    """Return the coordinates (w.b/|b|, a)."""
    return np.stack([w @ unit(), a], axis=-1)


def draw_plane(ax: Any, data: dict[str, Array], k: int) -> None:
    """Draw the two paths of one imbalance."""
    ax.set(xlim=(-4.3, 4.3), ylim=(-4.3, 2.2), title=rf"$\delta={data['imbalances'][k]:g}$")
    edge = data["separatrix"][k]
    ax.plot(*np.stack([edge, -0.55 * edge]).T, color="0.55", linewidth=0.6, linestyle=(0, (5, 1.5)), zorder=1)
    for side, look in enumerate(plot.series(2)):
        line, dots = data["closed_form_paths"][:, k, side], data["simulated_paths"][:, k, side]
        draw_path(ax, line, dots, 14 - 3 * side, look | {"linewidth": 1.8 - side})
        ax.plot(*data["minima"][k, side], marker="*", color=look["color"], markersize=8, zorder=4)
    ax.plot(0, 0, marker="x", color="black", markersize=4, zorder=4)


def explain(drawing: Any) -> None:
    """Say what is what."""
    from matplotlib.lines import Line2D

    first, second = plot.series(2)
    handles = [
        Line2D([], [], label="start above", **first),
        Line2D([], [], label="start below", **second),
        Line2D([], [], color="0.55", linewidth=0.6, linestyle=(0, (5, 1.5)), label="separatrix"),
        Line2D([], [], color="black", marker="x", markersize=4, linestyle="none", label="saddle"),
        Line2D([], [], color="black", marker="*", markersize=8, linestyle="none", label="minimum"),
    ]
    words = "lines: closed form, dots: numerical integration of the flow"
    plot.key(drawing, handles, words, columns=3 if drawing.get_size_inches()[0] < 5 else None)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
