"""Phase plane of the scalar mode.

Two layers with one weight each, a and b, fit the target s = 1. Gradient flow
runs along the hyperbolas b^2 - a^2 = lam to the minima ab = s; the line
a = -b is the stable manifold of the saddle at the origin. The imbalance lam
chooses the minimum and with it the sharpness, sqrt(4 s^2 + lam^2): balanced
weights find the flattest. Grey shades are the sharpness in the plane. Lines
are closed forms, dots are gradient descent.

Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120; linear_nets 2.9, 3.1, 3.7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.linear.spectra import interpolating_sharpness, mode_sharpness
from toymodels.solutions import hyperbola, scalar_mode

Array = np.ndarray

S = 1.0
EDGE = 2.2
STARTS = np.array(
    [[2.0, -0.9], [1.5, -1.15], [0.7, -0.5], [-0.5, 0.7], [-1.15, 1.5], [-0.9, 2.0], [0.15, 0.05]]
    + [[-0.05, -0.15], [2.1, 1.6], [-1.6, -2.1]]
)
END = 8.0
POINTS = 400
STEPS = {"quick": POINTS, "normal": 5 * POINTS, "deep": 40 * POINTS}
ANGLES = np.linspace(-6, 6, 241)


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the plane, and the sharpness at the end of every path, below or beside it."""
    data = arrays(STEPS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.55 if stacked else 3.0):
        shape = {"height_ratios": (2.7, 1.6)} if stacked else {"width_ratios": (1.35, 1)}
        drawing, (plane, ends) = plot.panels(1, 2, stacked, **shape)
        explain(drawing)
        draw_plane(plane, data)
        draw_ends(ends, data)
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return the paths in closed form and under gradient descent, and the sharpness around them."""
    problem = tm.TwoLayerLinear([[1.0]], [S], width=1)
    run = tm.descend(
        problem,
        STARTS,
        lr=END / steps,
        steps=steps,
        every=steps // POINTS,
        record="sharpness",
        measure_error=False,
    )
    a0, b0 = STARTS.T
    paths = np.stack(scalar_mode.flow(a0, b0, S, run.t[:, None]), axis=-1)
    grid, target = np.linspace(-EDGE, EDGE, 121), np.array(S)
    a, b = np.meshgrid(grid, grid)
    lam = np.linspace(-4.5, 4.5, 181)
    imbalance = problem.imbalance(STARTS)[:, 0, 0]
    return {
        "t": run.t,
        "closed_form_paths": paths,
        "simulated_paths": run.theta,
        "grid": grid,
        "sharpness": mode_sharpness(a, b, target),
        "minima": minima(),
        "hyperbolas": np.stack(hyperbola.point(-imbalance[:3, None], ANGLES), axis=-1),
        "imbalance_grid": lam,
        "end_sharpness": interpolating_sharpness(target, lam),
        "imbalances": imbalance,
        "closed_form_end_sharpness": mode_sharpness(paths[-1, :, 0], paths[-1, :, 1], target),
        "simulated_end_sharpness": run["sharpness"][-1],
    }


def minima() -> Array:
    """Return the points (a, b) with a > 0 where gradient flow from a circle ends."""
    angle = np.linspace(-np.pi / 4, 3 * np.pi / 4, 203)[1:-1]
    return np.stack(scalar_mode.limit(3 * np.cos(angle), 3 * np.sin(angle), S), axis=-1)


def draw_plane(ax: Any, data: dict[str, Array]) -> None:
    """Draw paths over shades of the sharpness."""
    from matplotlib.colors import LinearSegmentedColormap

    ax.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), aspect="equal", xlabel="input weight $a$")
    ax.set_ylabel("output weight $b$")
    shades = LinearSegmentedColormap.from_list("shades", ["white", "0.62"])
    words = r"sharpness $\lambda_{\max}$"
    plot.heat_map(ax, data["grid"], data["grid"], data["sharpness"], words, cmap=shades)
    for sign in (1, -1):
        plot.closed_form(ax, *(sign * data["minima"].T), color=plot.PALETTE[1], linewidth=2.2)
    for curve in data["hyperbolas"]:
        for sign in (1, -1):
            for axes in (curve, curve[:, ::-1]):
                ax.plot(*(sign * axes.T), color="0.45", linewidth=0.5, zorder=1)
    ax.plot([-EDGE, EDGE], [EDGE, -EDGE], color=plot.PALETTE[2], linestyle=(0, (5, 1.5)), linewidth=1)
    paths, dots = data["closed_form_paths"], data["simulated_paths"]
    for k in range(paths.shape[1]):
        plot.closed_form(ax, paths[:, k, 0], paths[:, k, 1], color=plot.PALETTE[0], linewidth=1)
        plot.simulation(ax, dots[:, k, 0], dots[:, k, 1], dots=9, color=plot.PALETTE[0])
    ax.plot(0, 0, marker="x", color=plot.PALETTE[2], markersize=5)


def draw_ends(ax: Any, data: dict[str, Array]) -> None:
    """Draw the sharpness of the minimum against the imbalance."""
    lam, line = data["imbalance_grid"], data["end_sharpness"]
    ax.set(xlim=(lam[0], lam[-1]), ylim=(0, 1.05 * line.max()))
    ax.set_ylabel(r"final sharpness $\lambda_{\max}$")
    ax.set_xlabel(r"imbalance $\lambda=b^2-a^2$")
    plot.closed_form(ax, lam, line, color=plot.PALETTE[0])
    plot.simulation(ax, data["imbalances"], data["simulated_end_sharpness"], color=plot.PALETTE[0])
    ax.plot([0, 0], [0, line.min()], color="0.55", linewidth=0.5, zorder=1)
    plot.label_point(ax, 0, 0.5 * line.min(), "balanced: $2s$")


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    dark, red, blue = plot.PALETTE[:3]
    plot.key(
        drawing,
        [
            Line2D([], [], color=dark, label="closed form"),
            Line2D([], [], color=dark, marker="o", linestyle="none", label="gradient descent"),
            Line2D([], [], color=red, linewidth=2.2, label="minima $ab=s$"),
            Line2D([], [], color=blue, linestyle=(0, (5, 1.5)), label="stable manifold $a=-b$"),
            Line2D([], [], color="0.45", linewidth=0.5, label=r"hyperbolas $b^2-a^2=\lambda$"),
        ],
        columns=2 if drawing.get_size_inches()[0] < 5 else 5,
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
