"""Implicit bias of one neuron.

One linear neuron a w.x fits one sample in the plane: every map on a line
interpolates. Gradient flow from one map ends at a point of that line that the
imbalance delta = a^2 - |w|^2 of the start chooses. Upstream it is the
Euclidean projection of the start, downstream the multiple of the start, and
balance lies between; only without a part of w across the data is it the
least-norm solution. The second panel shows where on the line the flow ends.
Lines are closed forms, dots are gradient descent.

Source: after Kunin et al. 2024, arXiv 2406.06158, figure 4b; linear_nets 6.6, 6.8.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels import plot
from toymodels.linear.one_neuron import interpolating_limit, whitened_flow

from ._one_neuron import DELTAS, descend, draw_path, explain, looks, starts

Array = np.ndarray

X, Y = np.array([[0.5, 1.0]]), np.array([1.1])
BETA0 = 0.5 * (0.6 * np.array([1.0, -0.5]) + 0.4 * np.array([0.5, 1.0]))
FAR = 1e6
END = 40.0
POINTS = 500
STEPS = {"quick": 4 * POINTS, "normal": 20 * POINTS, "deep": 100 * POINTS}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the paths to the line of solutions, and the ends; stacked in a column, else side by side."""
    data = arrays(STEPS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.1 if stacked else 2.8):
        shape = {"height_ratios": (1.2, 1)} if stacked else {"width_ratios": (1.5, 1)}
        drawing, (plane, ends) = plot.panels(1, 2, stacked, **shape)
        explain(drawing, DELTAS)
        draw_plane(plane, data)
        draw_ends(ends, data)
        name_points(plane, data)
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return paths and ends in closed form and under gradient descent."""
    w0, a0 = starts(BETA0, DELTAS)
    t, w, a = descend(X, Y, w0, a0, END, steps, POINTS)
    flow_w, flow_a = whitened_flow(X, Y, w0, a0, t[:, None])
    grid = np.linspace(-6, 6, 121)
    return {
        "t": t,
        "imbalances": DELTAS,
        "start": BETA0,
        "closed_form_map": flow_a[..., None] * flow_w,
        "simulated_map": a[..., None] * w,
        "closed_form_ends": along(interpolating_limit(X, Y, w0, a0).beta),
        "simulated_ends": along(a[-1][:, None] * w[-1]),
        "imbalance_grid": grid,
        "end_curve": along(interpolating_limit(X, Y, *starts(BETA0, grid)).beta),
        "extreme_ends": interpolating_limit(X, Y, *starts(BETA0, np.array([-FAR, FAR]))).beta,
        "solutions": line(np.array([-0.5, 2.2])),
    }


def line(position: Array) -> Array:
    """Return points of the line of interpolating maps, at distances from the one of least norm."""
    least = np.linalg.pinv(X) @ Y
    return least + position[:, None] * across()


def along(beta: Array) -> Array:
    """Return the distance of maps from the least-norm interpolator along the line, signed."""
    return beta @ across()


def across() -> Array:
    """Return the unit vector that the sample does not see."""
    vector = np.linalg.svd(X)[2][-1]
    return vector * np.sign(vector[0])


def draw_plane(ax: Any, data: dict[str, Array]) -> None:
    """Draw the paths, with the ends of infinite imbalance on the line of solutions."""
    ax.set(xlim=(0.0, 2.4), ylim=(-0.05, 1.15), aspect="equal", xlabel=r"$\beta_1=a w_1$")
    ax.set_ylabel(r"$\beta_2=a w_2$")
    ax.plot(*data["solutions"].T, color="0.45", linewidth=1.6, zorder=1)
    for k, look in enumerate(looks(DELTAS)):
        draw_path(ax, data["closed_form_map"][:, k], data["simulated_map"][:, k], 9, look)
    ax.plot(*BETA0, marker="o", color="black", markersize=4.5, zorder=4)
    ax.plot(*data["extreme_ends"].T, marker="*", linestyle="none", color="black", markersize=8, zorder=4)


def name_points(ax: Any, data: dict[str, Array]) -> None:
    """Name the start, the line and the ends of infinite imbalance; last, when nothing moves any more."""
    low, high = data["extreme_ends"]
    points = {"start": BETA0, r"$\delta\to-\infty$": low, r"$\delta\to\infty$": high}
    for words, (x, y) in (points | {"solutions": line(np.array([0.9]))[0]}).items():
        plot.label_point(ax, x, y, words, distance=9)


def draw_ends(ax: Any, data: dict[str, Array]) -> None:
    """Draw where the flow ends on the line, against the imbalance."""
    grid, curve = data["imbalance_grid"], data["end_curve"]
    low, high = along(data["extreme_ends"])
    ax.set(xlim=(grid[0], grid[-1]), xlabel=r"imbalance $\delta=a^2-\|w\|^2$")
    ax.set_ylabel("distance from least norm")
    ax.set_ylim(min(0, high) - 0.05, max(low, curve.max()) + 0.05)
    thin = {"color": "0.55", "linewidth": 0.5, "zorder": 1}
    limits = [ax.plot(grid[[0, -1]], [y, y], **thin)[0] for y in (low, high, 0)]
    plot.closed_form(ax, grid, curve, color=plot.PALETTE[0])
    for k, look in enumerate(looks(DELTAS)):
        point = look | {"markersize": 4.0}
        plot.simulation(ax, DELTAS[[k]], data["simulated_ends"][[k]], **point)
    plot.label_ends(ax, limits, ["multiple\nof start", "projection", "least norm"])


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
