"""Sigmoids.

The strength u of each singular mode of the data grows along a logistic curve
from u0 to the singular value s: a plateau, then a fast rise. Half of the mode
is learned at t = ln(s/u0 - 1)/(2s), so strong modes come first, and a smaller
start delays them all by ln(1/u0)/(2s). Lines are the closed form of gradient
flow on two linear layers, dots are gradient descent on all modes together.

Source: Saxe, McClelland, Ganguli 2014, arXiv 1312.6120; linear_nets 3.6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.data import orthonormal_columns
from toymodels.solutions import logistic

Array = np.ndarray

S = np.array([3.0, 2.0, 1.0, 0.5])
U0 = 1e-3
STARTS = np.array([1e-2, 1e-3, 1e-4])
END = 12.0
POINTS = 600
STEPS = {"quick": 2 * POINTS, "normal": 8 * POINTS, "deep": 40 * POINTS}
DOTTED: dict[str, Any] = {"linestyle": (0, (1, 1)), "linewidth": 0.8, "zorder": 1.5}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the modes and their half times; stacked in a column, side by side on the full width."""
    data = arrays(STEPS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.2 if stacked else 2.4):
        drawing, (modes, halves) = plot.panels(1, 2, stacked)
        explain(drawing)
        draw_modes(modes, data)
        draw_half_times(halves, data)
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return modes and half times in closed form and under gradient descent."""
    t, simulated = descend(S, STARTS, END, steps)
    grid = np.geomspace(S[-1], S[0], 60)
    return {
        "t": t,
        "singular_values": S,
        "closed_form_modes": logistic.logistic(U0, S, t[:, None]),
        "simulated_modes": simulated[:, 1],
        "half_times": logistic.half_time(U0, S),
        "starts": STARTS,
        "singular_value_grid": grid,
        "half_time_curves": logistic.half_time(STARTS[:, None], grid),
        "closed_form_half_times": logistic.half_time(STARTS[:, None], S),
        "simulated_half_times": crossings(t, simulated, S / 2),
    }


def descend(s: Array, u0: Array, end: float, steps: int) -> tuple[Array, Array]:
    """Return times (T,) and mode strengths (T, R, K) of gradient descent, one run for each start."""
    K = len(s)
    problem = tm.TwoLayerLinear.from_statistics(np.eye(K), np.diag(s), float(s @ s), width=K)
    small = np.sqrt(u0)[:, None] * np.ones(K)
    start = problem.aligned(small, small, rotation=orthonormal_columns(K, K))
    run = tm.descend(
        problem,
        start,
        lr=end / steps,
        steps=steps,
        every=steps // POINTS,
        record="product",
        measure_error=False,
    )
    return run.t, np.diagonal(run["product"], axis1=-2, axis2=-1)


def crossings(t: Array, u: Array, levels: Array) -> Array:
    """Return when each curve of u (T, R, K) first reaches its level (K,), linear between the times."""
    after = (u >= levels).argmax(axis=0)
    high, low = (np.take_along_axis(u, k[None], axis=0)[0] for k in (after, after - 1))
    return t[after] - (t[after] - t[after - 1]) * (high - levels) / (high - low)


def draw_modes(ax: Any, data: dict[str, Array]) -> None:
    """Draw every mode with its half time."""
    t, s = data["t"], data["singular_values"]
    ax.set(xlim=(0, END), ylim=(-0.1, 1.1 * s[0]), xlabel=r"time $t$ = learning rate $\times$ step")
    ax.set_ylabel("mode strength $u$")
    lines = []
    for k, look in enumerate(plot.series(len(s))):
        solid = look | {"linestyle": "-"}
        lines.append(plot.closed_form(ax, t, data["closed_form_modes"][:, k], **solid))
        plot.simulation(ax, t, data["simulated_modes"][:, k], dots=16, clip_on=False, **look)
        half = data["half_times"][k]
        ax.plot([half, half], [ax.get_ylim()[0], s[k] / 2], color=plot.ink(look["color"]), **DOTTED)
    plot.label_ends(ax, lines, [f"$s={value:g}$" for value in s])


def draw_half_times(ax: Any, data: dict[str, Array]) -> None:
    """Draw the half time against the singular value, a line for each start."""
    s, grid = data["singular_values"], data["singular_value_grid"]
    ax.set(xlabel="singular value $s$", ylabel="half time", xlim=(0, 1.02 * s[0]))
    ax.set_ylim(0, 1.05 * data["half_time_curves"].max())
    lines = []
    for k, look in enumerate(plot.series(len(data["starts"]))):
        lines.append(plot.closed_form(ax, grid, data["half_time_curves"][k], **look))
        plot.simulation(ax, s, data["simulated_half_times"][k], clip_on=False, **look)
    names = [rf"$u_0=10^{{{round(np.log10(start))}}}$" for start in data["starts"]]
    plot.label_ends(ax, lines, names)


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
