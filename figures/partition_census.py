"""How the partition of the neurons changes under training.

A neuron is true on a sample when its output weight has the label's sign, and
living when its gate is open. At a random start a quarter of the neurons is of
each kind. On orthogonally separable data, y_i y_j x_i . x_j >= 0, gradient
descent with any learning rate moves true neurons to the living side and false
ones to the dead side of every sample: the numbers of true-living and
false-dead neurons only grow, and every margin obeys e^q >= e^q(0) + c t, with
a constant c that the true-living neurons of the start give. Where all samples
share an orthant both fail: the larger class first opens the gates of the other
one's false neurons and closes those of its true ones, and margins fall. Dots
are gradient descent with fixed output weights; numbers are means over the
smaller class, the margin is the smallest of all. The line is the bound on
separable data.

Source: after Wang, Ma 2022, arXiv 2206.02139 (the partition); neuron_partition B4, C1, C3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import KINDS, output_weights, spherical_weights
from toymodels.solutions.margin_growth import exponential_margin

from . import _ends

Array = np.ndarray

N, D, M = 12, 3, 100
END = 250.0
RECORDS = 1000
STEPS = {"quick": RECORDS, "normal": 5 * RECORDS, "deep": 50 * RECORDS}
LABELS = np.where(np.arange(N) % 4, 1.0, -1.0)
WORDS = ("separable data", "mixed data")


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the numbers for both data sets, and the margins; stacked in a column, else side by side."""
    data = arrays(STEPS[effort])
    stacked = width == "column"
    with plot.style(width, height=5.6 if stacked else 2.5):
        drawing, (separable, mixed, margins) = plot.panels(1, 3, stacked, sharex=True)
        explain(drawing)
        draw_numbers(separable, data, 0)
        draw_numbers(mixed, data, 1)
        # the looks are the same in both
        _ends.label(separable, separable.lines[1::2], [rf"$|\mathrm{{{name}}}|$" for name in KINDS[:4]])
        draw_margins(margins, data)
        for ax in [margins] if stacked else [separable, mixed, margins]:
            ax.set_xlabel(r"time $t$ = learning rate $\times$ step")
        drawing.align_ylabels()
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return numbers (T, data set, kind) and margins (T, data set) with their bound."""
    rows = [train(labels, steps) for labels in (True, False)]
    t, numbers, margins, bounds = zip(*rows, strict=True)
    return {
        "t": t[0],
        "numbers": np.stack(numbers, axis=1),
        "smallest_margins": np.stack(margins, axis=1),
        "bound": bounds[0],
    }


def train(separable: bool, steps: int) -> tuple[Array, Array, Array, Array]:
    """Return times, numbers of every kind, smallest margin and its bound along a training."""
    lr = END / steps
    X = inputs() * LABELS[:, None] if separable else inputs()
    problem = tm.TwoLayerReLU(X, LABELS, output=output_weights(M), loss="exponential")
    start = problem.pack(spherical_weights(M, D, rng=1))
    record, every = ("census", "outputs"), steps // RECORDS
    run = tm.descend(problem, start, lr=lr, steps=steps, every=every, record=record, measure_error=False)
    margins = LABELS * run["outputs"]
    rate = problem.partition(start).true_living_mass * (X * X).sum(-1) / N
    bounds = exponential_margin(margins[0], rate, run.t[:, None])
    return run.t, run["census"][:, LABELS < 0].mean(1), margins.min(1), bounds.min(1)


def inputs() -> Array:
    """Return unit vectors with entries >= 0."""
    X = np.abs(np.random.default_rng(0).standard_normal((N, D)))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def draw_numbers(ax: Any, data: dict[str, Array], k: int) -> None:
    """Draw the numbers of neurons of every kind on one data set."""
    t = data["t"]
    ax.set(xscale="log", xlim=(t[1], END), ylim=(-2, 0.54 * M), ylabel=f"neurons, {WORDS[k]}")
    ax.plot([t[1], END], [M / 4, M / 4], color="0.55", linewidth=0.5, zorder=1)
    for j, look in enumerate(plot.series(4)):
        found = data["numbers"][:, k, j]
        ax.plot(t, found, color=look["color"], linewidth=0.6)
        plot.simulation(ax, t[1:], found[1:], dots=14, clip_on=False, **look)
    plot.log_axes(ax, "x")


def draw_margins(ax: Any, data: dict[str, Array]) -> None:
    """Draw the smallest margins and their bounds."""
    t = data["t"]
    ax.set(xscale="log", xlim=(t[1], END), ylim=(-0.8, 1.05 * data["smallest_margins"].max()))
    ax.set_ylabel(r"smallest margin $\min_i y_if(x_i)$")
    places = (t[-1] / 12, 0.75 * data["smallest_margins"].max()), (t[-1], -0.6)
    plot.closed_form(ax, t, data["bound"], color="0.45", linewidth=2.4, alpha=0.5)
    for k, look in enumerate(plot.series(2)):
        margins = data["smallest_margins"][:, k]
        plot.simulation(ax, t[1:], margins[1:], dots=16, clip_on=False, **look)
        ax.text(*places[k], WORDS[k], color=plot.ink(look["color"]), ha="right")
    plot.log_axes(ax, "x")


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    dark = plot.PALETTE[0]
    plot.key(
        drawing,
        [
            Line2D([], [], color=dark, marker="o", linewidth=0.6, label="gradient descent"),
            Line2D([], [], color="0.45", linewidth=2.4, alpha=0.5, label="bound on separable data"),
            Line2D([], [], color="0.55", linewidth=0.5, label="expected at the start"),
        ],
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
