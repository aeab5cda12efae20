"""How many neurons of a random net are true-living, and how wide a net must be for every sample to have one.

Output signs are fair and independent of the hidden weights, so on every sample
each neuron is true-living with probability 1/4, whatever the data: the number
of true-living neurons is binomial, and less spread where exactly half of the
signs are positive. The probability that some sample has no true-living neuron
depends on the data, and falls like (3/4)^m; its union bound n (3/4)^m tells
which width suffices. Lines are closed forms, dots are frequencies in random
nets.

Source: neuron_partition B4, B5; the width also in Dana, Pillaud-Vivien, Bach 2025, arXiv 2502.16977.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import output_weights, some_empty_bound, some_empty_probability, true_living_pmf

from . import _ends

Array = np.ndarray

M = 40
ANGLE = np.pi / 12
SAMPLES = 6
WIDTHS = np.arange(1, 33)
DOTTED = np.array([1, 2, 4, 6, 9, 12, 16, 20, 24])
RUNS = {"quick": 500, "normal": 5000, "deep": 50000}
SIGNS = ("random", "halves")


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the law of the number and the probability of none; stacked in a column, else side by side."""
    data = arrays(RUNS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.4 if stacked else 2.5):
        drawing, (sizes, empty) = plot.panels(1, 2, stacked)
        explain(drawing)
        draw_sizes(sizes, data)
        draw_empty(empty, data)
        drawing.align_ylabels()
    return drawing, data


def arrays(runs: int) -> dict[str, Array]:
    """Return both laws in closed form and as frequencies in random nets."""
    law = [np.pad(true_living_pmf(M, signs), (0, M))[: M + 1] for signs in SIGNS]
    counted = [frequencies(signs, runs) for signs in SIGNS]
    sets = data_sets()
    exact = np.array([[some_empty_probability(X, y, int(m)) for X, y in sets] for m in WIDTHS])
    sampled = np.array([[some_empty(X, y, int(m), runs) for X, y in sets] for m in DOTTED])
    return {
        "counts": np.arange(M + 1),
        "closed_form_law": np.array(law),
        "simulated_law": np.array(counted),
        "widths": WIDTHS,
        "empty_probability": exact,
        "bound": np.array([some_empty_bound(SAMPLES, int(m)) for m in WIDTHS]),
        "dotted": DOTTED,
        "closed_form_empty": exact[DOTTED - WIDTHS[0]],
        "simulated_empty": sampled,
        "runs": np.array(runs),
    }


def data_sets() -> list[tuple[Array, Array]]:
    """Return six orthogonal samples under both labels, and two close ones under one label."""
    labels = np.where(np.arange(SAMPLES) % 2, -1.0, 1.0)
    close = np.array([[1.0, 0.0], [np.cos(ANGLE), np.sin(ANGLE)]])
    return [(np.eye(SAMPLES), labels), (close, np.ones(2))]


def some_empty(X: Array, y: Array, m: int, runs: int) -> float:
    """Return the fraction of random nets that leave some sample without a true-living neuron."""
    return float((true_living(X, y, m, runs, "random") == 0).any(-1).mean())


def frequencies(signs: str, runs: int) -> Array:
    """Return how often random nets have 0, ..., M true-living neurons on one sample, (M + 1,)."""
    found = true_living(np.eye(1, 3), np.ones(1), M, runs, signs)
    return np.bincount(found[:, 0], minlength=M + 1) / runs


def true_living(X: Array, y: Array, m: int, runs: int, signs: str) -> Array:
    """Return the number of true-living neurons of random nets, (runs, n)."""
    rng = np.random.default_rng([m, len(X)])
    W = rng.standard_normal((runs, m, X.shape[1]))
    a = rng.integers(2, size=(runs, m)) * 2.0 - 1.0 if signs == "random" else output_weights(m)
    problem = tm.TwoLayerReLU(X, y, width=m)
    return problem.census(problem.pack(W, np.broadcast_to(a, (runs, m))))[..., 0]


def draw_sizes(ax: Any, data: dict[str, Array]) -> None:
    """Draw the laws of the number of true-living neurons."""
    ax.set(xlim=(0, M // 2), ylim=(0, 1.12 * data["closed_form_law"].max()))
    ax.set(xlabel=r"true-living neurons $|\mathrm{TL}_i|$", ylabel=f"probability, $m={M}$")
    counts = data["counts"][: M // 2 + 1]
    words = ("fair signs:\n$\\mathrm{Bin}(m,1/4)$", "half positive:\n$\\mathrm{Bin}(m/2,1/2)$")
    places = ((14.6, 0.06), (12.4, 0.13))
    for k, look in enumerate(plot.series(2)):
        law = data["closed_form_law"][k, : len(counts)]
        plot.closed_form(ax, counts, law, **look)
        ax.text(*places[k], words[k], color=plot.ink(look["color"]))
        plot.simulation(ax, counts, data["simulated_law"][k, : len(counts)], dots=len(counts), **look)


def draw_empty(ax: Any, data: dict[str, Array]) -> None:
    """Draw the probability that a sample has no true-living neuron, with the union bound."""
    ax.set(yscale="log", xlim=(0, WIDTHS[-1]), ylim=(5e-5, 2))
    ax.set(xlabel="neurons $m$", ylabel=r"P(some $\mathrm{TL}_i$ is empty)")
    ax.plot(WIDTHS, data["bound"], color="0.45", linewidth=2.4, alpha=0.5, zorder=1)
    lines = []
    for k, look in enumerate(plot.series(2)):
        lines.append(plot.closed_form(ax, WIDTHS, data["empty_probability"][:, k], **look))
        plot.simulation(ax, DOTTED, data["simulated_empty"][:, k], **look)
    plot.log_axes(ax, "y")
    words = (f"{SAMPLES} orthogonal", "2 at $15\N{DEGREE SIGN}$")
    _ends.label(ax, lines, words)


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    colour = plot.PALETTE[0]
    plot.key(
        drawing,
        [
            Line2D([], [], color=colour, label="closed form"),
            Line2D([], [], color=colour, marker="o", linestyle="none", label="random nets"),
            Line2D([], [], color="0.45", linewidth=2.4, alpha=0.5, label=f"union bound ${SAMPLES}(3/4)^m$"),
        ],
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
