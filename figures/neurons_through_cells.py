r"""Neurons move through the cells of the plane.

Two samples at a small angle carry opposite labels, and the positive one four
times the weight. Small neurons with fixed output weights first turn: positive
ones (a_k > 0) to the direction mu = u x_+ - v x_-, with u and v the loss on
either sample, negative ones to the boundary x_+^perp of the positive sample's
cell, along which they slide; the others die and stay small. Then the positive
ones grow along mu, swing towards x_-^perp as the loss on x_+ falls, and slide
there. Grey lines bound the cells,
where the gate of x_+ or x_- opens. Dots are neurons under the event-driven
flow, in units of the largest norm; lines are the directions in closed form.

Source: after Wang, Ma 2023, arXiv 2305.12467; neuron_partition D5, E0, E6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import output_weights, spherical_weights

Array = np.ndarray

DELTA, RATIO = 0.5, 4.0
SCALE = 0.1
TIMES = np.array([0.0, 0.05, 0.3, 3.0, 30.0, 3000.0])
SIZES = {"quick": 20, "normal": 60, "deep": 400}
"""Neurons."""
X = np.array([[1.0, 0.0], [np.cos(DELTA), np.sin(DELTA)]])
WEIGHTS = np.array([RATIO, 1.0]) / (RATIO + 1)
REACH = 1.25


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the plane at six times, in three rows of two or two rows of three."""
    data = arrays(SIZES[effort])
    stacked = width == "column"
    with plot.style(width, height=5.3 if stacked else 4.4):
        drawing, axes = plot.panels(2, 3, stacked, sharex=True, sharey=True)
        explain(drawing)
        for k, ax in enumerate(axes):
            draw_plane(ax, data, k)
    return drawing, data


def arrays(m: int) -> dict[str, Array]:
    """Return the neurons at the times of the panels, and the rays that they follow."""
    problem = tm.TwoLayerReLU(X, [1.0, -1.0], output=output_weights(m), loss="exponential", weights=WEIGHTS)
    run = tm.flow(problem, problem.pack(spherical_weights(m, 2, SCALE, rng=2)), TIMES)
    W, a = problem.layers(run.theta)
    gates = problem.gates(run.theta)
    return {"t": run.t, "neurons": W, "output": a, "gates": gates, "loss": run["loss"]} | rays()


def rays() -> dict[str, Array]:
    """Return unit vectors along x_+, x_-, mu and the two boundaries."""
    plus, minus = X
    c = plus @ minus
    found = {
        "x_plus": plus,
        "x_minus": minus,
        "mu": WEIGHTS[0] * plus - WEIGHTS[1] * minus,
        "perp_plus": minus - c * plus,
        "perp_minus": plus - c * minus,
    }
    return {name: ray / np.linalg.norm(ray) for name, ray in found.items()}


def draw_plane(ax: Any, data: dict[str, Array], k: int) -> None:
    """Draw the neurons at one time over rays and cells."""
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xticks=[], yticks=[])
    ax.set_title(f"$t={data['t'][k]:g}$")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    for x in X:
        ax.plot(*line(-x[1], x[0], both=True), color="0.6", linewidth=0.6, zorder=1)
        ax.plot(*line(*x), color="0.6", linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
    for name, colour in zip(("mu", "perp_plus", "perp_minus"), RAYS, strict=True):
        plot.closed_form(ax, *line(*data[name]), color=colour, linewidth=1.2)
    W = data["neurons"][k] / np.linalg.norm(data["neurons"][k], axis=-1).max()
    for look, own in zip(plot.series(2), (data["output"] > 0, data["output"] < 0), strict=True):
        plot.simulation(
            ax, W[own, 0], W[own, 1], dots=len(W), color=look["color"], marker=look["marker"], markersize=3
        )
    if k == 0:
        for name, word in WORDS.items():
            ax.text(*(1.12 * REACH * data[name]), word, ha="center", va="center", clip_on=False)


RAYS = (plot.PALETTE[0], plot.PALETTE[4], plot.PALETTE[5])
WORDS = {
    "x_plus": "$x_+$",
    "x_minus": "$x_-$",
    "mu": r"$\mu$",
    "perp_plus": r"$x_+^\perp$",
    "perp_minus": r"$x_-^\perp$",
}


def line(x: float, y: float, both: bool = False) -> Array:
    """Return the ends of a ray through the plane, or of the whole line, as columns."""
    far = REACH * np.array([[x], [y]])
    return far * np.array([-1.0 if both else 0.0, 1.0])


def explain(drawing: Any) -> None:
    """Say which dots are which neurons."""
    from matplotlib.lines import Line2D

    dark, light = plot.series(2)
    plot.key(
        drawing,
        [
            Line2D([], [], **dark | {"linestyle": "none"}, label="$a_k>0$"),
            Line2D([], [], **light | {"linestyle": "none"}, label="$a_k<0$"),
            Line2D([], [], color="0.6", linewidth=0.6, label="cell boundaries"),
            Line2D([], [], color="0.6", linewidth=0.6, linestyle=(0, (4, 2)), label="samples"),
        ],
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
