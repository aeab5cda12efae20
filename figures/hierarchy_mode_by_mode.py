"""Learning a hierarchy mode by mode.

Four items at the leaves of a binary tree have the properties of all nodes
above them. A two-layer linear network that starts small learns the tree from
the root down: first what all items share, then what tells the two branches
apart, last what tells siblings apart. The strength u of each singular mode of
the data follows a logistic curve, half of it learned at
t = ln(s/u0 - 1)/(2s), so the loss falls in a staircase whose plateaus are
half the squares of the singular values s not yet learned. Lines are the closed
form of the gradient flow, dots are gradient descent.

Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120; linear_nets 3.6, 3.11.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.data import hierarchical, hierarchy_multiplicities, orthonormal_columns
from toymodels.solutions import scalar_mode

Array = np.ndarray

BRANCHING, DEPTH = 2, 2
WIDTH = 6
U0 = 1e-6
END = 10.0
POINTS = 600
STEPS = {"quick": POINTS, "normal": 4 * POINTS, "deep": 20 * POINTS}

LEVELS = {"all items": r"$s_1=\sqrt{7}$", "branches": r"$s_2=\sqrt{3}$", "siblings": "$s_3=s_4=1$"}
DOTTED: dict[str, Any] = {"linestyle": (0, (1, 1)), "linewidth": 0.8, "zorder": 1.5}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the modes and the loss; stacked in a column, side by side on the full width."""
    data = arrays(STEPS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.0 if stacked else 2.4):
        drawing, (modes, loss) = plot.panels(1, 2, stacked, sharex=True)
        explain(drawing)
        draw_modes(modes, data)
        draw_loss(loss, data)
        for ax in [loss] if stacked else [modes, loss]:
            ax.set_xlabel(r"time $t$ = learning rate $\times$ step")
        drawing.align_ylabels()
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return modes and loss in closed form and under gradient descent, at the same times."""
    X, Y = hierarchical(BRANCHING, DEPTH, normalise=True)
    problem = tm.TwoLayerLinear(X, Y, width=WIDTH)
    modes, a0 = problem.modes, np.sqrt(U0)
    small = np.full(modes.s.shape, a0)
    start = problem.aligned(small, small, rotation=orthonormal_columns(WIDTH, WIDTH))

    record = ("product", "loss")
    run = tm.descend(
        problem, start, lr=END / steps, steps=steps, every=steps // POINTS, record=record, measure_error=False
    )
    flow = tm.exact(problem, start).trajectory(run.t, record=record)

    learned = np.cumsum([0, *hierarchy_multiplicities(BRANCHING, DEPTH)])
    return {
        "t": run.t,
        "singular_values": modes.s,
        "closed_form_modes": strengths(flow["product"], modes),
        "closed_form_loss": flow["loss"],
        "simulated_modes": strengths(run["product"], modes),
        "simulated_loss": run["loss"],
        "half_times": scalar_mode.time_to_residual(a0, a0, modes.s, modes.s / 2 / (modes.s - U0)),
        "modes_learned": learned,
        "plateaus": np.array([modes.loss(tuple(range(count))) for count in learned]),
    }


def strengths(W: Array, modes: Any) -> Array:
    """Return u_k = left_k . W right_k, (T, p), of products W (T, c, d)."""
    return np.einsum("ck,tcd,kd->tk", modes.left[:, : len(modes.s)], W, modes.right)


def draw_modes(ax: Any, data: dict[str, Array]) -> None:
    """Draw the first mode of each level, with its half time."""
    t, s, first = data["t"], data["singular_values"], data["modes_learned"][:-1]
    ax.set(xlim=(0, END), ylim=(-0.15, 1.15 * s[0]), ylabel="mode strength $u_k$")
    lines = []
    for k, look in zip(first, plot.series(len(first)), strict=True):
        solid = look | {"linestyle": "-"}
        lines.append(plot.closed_form(ax, t, data["closed_form_modes"][:, k], **solid))
        plot.simulation(ax, t, data["simulated_modes"][:, k], dots=15, clip_on=False, **look)
        half = data["half_times"][k]
        ax.plot([half, half], [ax.get_ylim()[0], s[k] / 2], color=plot.ink(look["color"]), **DOTTED)
    plot.label_ends(ax, lines, ["\n".join(label) for label in LEVELS.items()])


def draw_loss(ax: Any, data: dict[str, Array]) -> None:
    """Draw the loss over the plateaus between the levels."""
    look, plateaus = plot.series(1)[0], data["plateaus"]
    ax.set(xlim=(0, END), ylim=(-0.3, 1.08 * plateaus[0]), ylabel="loss $L$")
    levels = [ax.plot([0, END], [y, y], color="0.55", linewidth=0.5, zorder=1)[0] for y in plateaus]
    plot.closed_form(ax, data["t"], data["closed_form_loss"], **look)
    plot.simulation(ax, data["t"], data["simulated_loss"], dots=24, clip_on=False, **look)
    plot.label_ends(ax, levels, ["nothing learned", *(f"+ {level}" for level in LEVELS)])


def explain(drawing: Any) -> None:
    """Say what lines, dots and dotted lines are."""
    from matplotlib.lines import Line2D

    colour = plot.PALETTE[0]
    line = Line2D([], [], color=colour, label="closed form")
    dots = Line2D([], [], color=colour, marker="o", linestyle="none", label="gradient descent")
    half = Line2D([], [], color=colour, label="half time", **DOTTED)
    plot.key(drawing, [line, dots, half])


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
