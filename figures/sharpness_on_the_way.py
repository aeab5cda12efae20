"""Sharpness on the way to a minimum.

A small balanced scalar mode starts near the saddle at sharpness s. While it
learns, the sharpness first halves and then quadruples, s to s/2 to 2s:
gradient flow does not sharpen monotonically. Imbalanced starts end sharper, at
sqrt(4 s^2 + lam^2) with lam = b^2 - a^2. Descent with a small step follows
these curves. With a large step eta the minimum that the flow would reach may
be unstable, its sharpness above 2/eta: descent leaves it for a flatter one.
Lines are the closed form of the flow, dots are gradient descent; in the second
panel thin lines join its steps.

Source: own derivation, linear_nets 2.9, 8.3; after Kreisler et al. 2023, arXiv 2305.13064.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.linear.spectra import mode_sharpness
from toymodels.solutions import scalar_mode

Array = np.ndarray

S = 1.5
SMALL = 0.02
STARTS = np.array([[SMALL, SMALL], [1.3, SMALL], [1.8, SMALL]])
END = 5.0
POINTS = 500
STEPS = {"quick": 2 * POINTS, "normal": 10 * POINTS, "deep": 100 * POINTS}

LARGE_START = np.array([2.3, 0.1])
LARGE_STEPS = np.array([0.2, 0.42, 0.5])
LARGE_COUNT = 24
DOTTED: dict[str, Any] = {"linestyle": (0, (1, 1)), "linewidth": 0.8, "zorder": 1.5}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw small steps and large steps; stacked in a column, side by side on the full width."""
    data = arrays(STEPS[effort]) | large_steps()
    stacked = width == "column"
    with plot.style(width, height=4.2 if stacked else 2.4):
        drawing, (small, large) = plot.panels(1, 2, stacked)
        explain(drawing)
        draw_small(small, data)
        draw_large(large, data)
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return the sharpness in closed form and under gradient descent, at the same times."""
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
    return {
        "t": run.t,
        "closed_form_sharpness": flow_sharpness(STARTS, run.t),
        "simulated_sharpness": run["sharpness"],
        "imbalances": problem.imbalance(STARTS)[:, 0, 0],
        "levels": np.array([S / 2, S, 2 * S]),
    }


def large_steps() -> dict[str, Array]:
    """Return the sharpness at every step of descent with large learning rates."""
    problem = tm.TwoLayerLinear([[1.0]], [S], width=1)
    run = tm.descend(
        problem, LARGE_START, lr=LARGE_STEPS, steps=LARGE_COUNT, record="sharpness", measure_error=False
    )
    return {
        "large_learning_rates": LARGE_STEPS,
        "large_step": run.step,
        "large_sharpness": run["sharpness"],
        "thresholds": 2 / LARGE_STEPS,
        "flow_limit": flow_sharpness(LARGE_START[None], np.array([np.inf]))[0],
    }


def flow_sharpness(starts: Array, t: Array) -> Array:
    """Return the sharpness along the gradient flow, (T, R), from starts (R, 2)."""
    a, b = scalar_mode.flow(starts[:, 0], starts[:, 1], S, t[:, None])
    return mode_sharpness(a, b, np.array(S))


def draw_small(ax: Any, data: dict[str, Array]) -> None:
    """Draw the sharpness of three starts over the levels s/2, s and 2s."""
    t, top = data["t"], data["closed_form_sharpness"].max()
    ax.set(xlim=(0, END), ylim=(0, 1.1 * top), xlabel=r"time $t$ = learning rate $\times$ step")
    ax.set_ylabel(r"sharpness $\lambda_{\max}$")
    levels = [ax.plot([0, END], [y, y], color="0.55", linewidth=0.5, zorder=1)[0] for y in data["levels"]]
    lines = []
    for k, look in enumerate(plot.series(len(STARTS))):
        lines.append(plot.closed_form(ax, t, data["closed_form_sharpness"][:, k], **look))
        plot.simulation(ax, t, data["simulated_sharpness"][:, k], dots=18, clip_on=False, **look)
    names = ["$s/2$", "$s$", "$2s$", "balanced", *(f"$b^2-a^2={lam:.2g}$" for lam in data["imbalances"][1:])]
    plot.label_ends(ax, levels + lines, names)


def draw_large(ax: Any, data: dict[str, Array]) -> None:
    """Draw the sharpness against the number of steps, over the threshold 2/eta of each learning rate."""
    steps, rates = data["large_step"], data["large_learning_rates"]
    ax.set(xlim=(0, LARGE_COUNT), xlabel="step", ylabel=r"sharpness $\lambda_{\max}$")
    ax.set_ylim(0, 1.1 * data["large_sharpness"].max())
    ax.axhline(data["flow_limit"][0], color="0.55", linewidth=0.5, zorder=1)
    joined: dict[str, Any] = {"linestyle": "-", "linewidth": 0.4, "markersize": 2.4, "clip_on": False}
    lines, names = [], []
    for k, look in enumerate(plot.series(len(rates))):
        values, level = data["large_sharpness"][:, k], data["thresholds"][k]
        lines.append(ax.plot(steps, values, **(look | joined))[0])
        lines.append(ax.plot([0, LARGE_COUNT], [level, level], color=plot.ink(look["color"]), **DOTTED)[0])
        names += [rf"$\eta={rates[k]:g}$", rf"$2/\eta={level:.3g}$"]
    plot.label_ends(ax, lines, names)


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    colour = plot.PALETTE[0]
    line = Line2D([], [], color=colour, label="closed form")
    dots = Line2D([], [], color=colour, marker="o", linestyle="none", label="gradient descent")
    level = Line2D([], [], color="0.55", linewidth=0.5, label="levels and limit of the flow")
    threshold = Line2D([], [], color=colour, label=r"stability threshold $2/\eta$", **DOTTED)
    plot.key(drawing, [line, dots, level, threshold], columns=2 if drawing.get_size_inches()[0] < 5 else None)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
