r"""When false neurons die.

On mutually orthogonal samples every sample has its own flow. With fixed output
weights a neuron whose output weight has the wrong sign moves towards the kink
of a sample it is living on, and dies there when the integral of the residual
reaches n z_ki(0)/(|a_k| |x_i|^2); one whose threshold is above the whole
integral never dies. Lines are the exact flow under the square loss, with a
vertical mark at every death; dots are gradient descent. Its deaths come too
early or too late by an error of the order of the learning rate.

Source: neuron_partition D7, C8.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import output_weights, spherical_weights

Array = np.ndarray

N, M = 4, 24
X = np.diag([1.0, 1.2, 0.8, 1.0])
Y = np.array([1.0, -1.0, 1.0, -0.5])
SCALE, END = 6.0, 40.0
SAMPLE = 0
RATES = {"quick": (0.2, 0.1), "normal": (0.2, 0.1, 0.05, 0.02, 0.01), "deep": (0.1, 0.03, 0.01, 0.003, 0.001)}
POINTS = 60


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the preactivations of one sample, and the error of the times of death; stacked in a column."""
    data = arrays(RATES[effort])
    stacked = width == "column"
    with plot.style(width, height=4.3 if stacked else 2.5):
        drawing, (paths, errors) = plot.panels(1, 2, stacked)
        explain(drawing)
        draw_paths(paths, data)
        draw_errors(errors, data)
        drawing.align_ylabels()
    return drawing, data


def arrays(rates: tuple[float, ...]) -> dict[str, Array]:
    """Return the preactivations of the false neurons of one sample, and all times of death."""
    problem = tm.TwoLayerReLU(X, Y, output=output_weights(M))
    start = problem.pack(spherical_weights(M, N, SCALE, rng=1))
    false = np.flatnonzero(problem.partition(start, by="residuals").false_living[:, SAMPLE])
    solution = tm.exact(problem, start)
    t = np.linspace(0, END, 10 * POINTS + 1)
    lines = problem.preactivations(solution.at(t))[:, false, SAMPLE]
    dying = sorted((e["neuron"], e["sample"], e["time"]) for e in solution.events if e["time"] < END)
    runs = [descent(problem, start, lr) for lr in rates]
    exact = np.array([time for _, _, time in dying])
    found = np.array([[death(*run, k, i) for k, i, _ in dying] for run in runs])
    coarse_t, coarse = (part[: round(END / rates[0]) + 1] for part in runs[0])
    return {
        "t": t,
        "preactivations": lines,
        "dotted": coarse_t,
        "closed_form_preactivations": problem.preactivations(solution.at(coarse_t))[:, false, SAMPLE],
        "simulated_preactivations": coarse[:, false, SAMPLE],
        "deaths_on_sample": np.array([time for _, i, time in dying if i == SAMPLE]),
        "learning_rates": np.array(rates),
        "exact_times": exact,
        "simulated_times": found,
    }


def descent(problem: tm.TwoLayerReLU, start: Array, lr: float) -> tuple[Array, Array]:
    """Return times (T,) and preactivations (T, m, n) of gradient descent, a little beyond the end."""
    steps = round(1.1 * END / lr)
    run = tm.descend(problem, start, lr=lr, steps=steps, record="preactivations", measure_error=False)
    return run.t, run["preactivations"]


def death(t: Array, z: Array, neuron: int, sample: int) -> float:
    """Return when a preactivation passes zero, interpolated between two steps."""
    path = z[:, neuron, sample]
    j = int(np.argmax(path <= 0))
    return float(t[j] - (t[j] - t[j - 1]) * path[j] / (path[j] - path[j - 1]))


def draw_paths(ax: Any, data: dict[str, Array]) -> None:
    """Draw the preactivations of false neurons on one sample."""
    ax.set(xlim=(0, END), xlabel=r"time $t$ = learning rate $\times$ step")
    high = 1.08 * data["preactivations"].max()
    ax.set(ylim=(-0.1 * high, high), ylabel=r"preactivation $w_k\cdot x_i$")
    for time in data["deaths_on_sample"]:
        ax.plot([time, time], [-0.05 * high, 0.05 * high], color=plot.PALETTE[1], linewidth=1.2, zorder=3.5)
    columns = data["preactivations"].T
    for look, line, dots in zip(
        plot.gradation(len(columns)), columns, data["simulated_preactivations"].T, strict=True
    ):
        plot.closed_form(ax, data["t"], line, **look)
        plot.simulation(ax, data["dotted"], dots, dots=12, clip_on=False, **look)


def draw_errors(ax: Any, data: dict[str, Array]) -> None:
    """Draw the error of every time of death against the learning rate."""
    rates = data["learning_rates"]
    errors = np.abs(data["simulated_times"] - data["exact_times"])
    ax.set(xscale="log", yscale="log", xlim=(0.8 * rates.min(), 1.25 * rates.max()))
    ax.set(xlabel="learning rate", ylabel="error of the times of death")
    ax.plot(rates, rates, color="0.45", linewidth=2.4, alpha=0.5, zorder=1)
    for column in errors.T:
        plot.simulation(ax, rates, column, color=plot.PALETTE[0], markersize=2.6)
    plot.log_axes(ax)


def explain(drawing: Any) -> None:
    """Say what lines, dots and marks are."""
    from matplotlib.lines import Line2D

    dark = plot.PALETTE[0]
    plot.key(
        drawing,
        [
            Line2D([], [], color=dark, label="exact"),
            Line2D([], [], color=dark, marker="o", linestyle="none", label="gradient descent"),
            Line2D([], [], color=plot.PALETTE[1], marker="|", markersize=6, linestyle="none", label="death"),
            Line2D([], [], color="0.45", linewidth=2.4, alpha=0.5, label="learning rate"),
        ],
        columns=2 if drawing.get_size_inches()[0] < 5 else 4,
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
