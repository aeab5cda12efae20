"""How many activation patterns there are, and how many are occupied.

The hyperplanes of n samples in general position cut the weight space R^d into
C(n, d) = 2 sum_{k<d} binom(n-1, k) cells, one activation pattern each: all 2^n
while n <= d, and a polynomial number of degree d - 1 in n beyond. Of m random
neurons few share a pattern at first; the expected number of occupied patterns
is sum_s (1 - (1 - p_s)^m), with p_s the probability of a pattern, and the small
cells are found last. Lines are closed forms. Dots are the cells of Gaussian
samples, enumerated, and the mean number of patterns in random nets.

Source: Schlaefli 1852; Cover 1965; neuron_partition B1, B2, B4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import (
    activation_patterns,
    class_probabilities,
    cover_count,
    expected_occupied,
    spherical_weights,
)

from . import _ends

Array = np.ndarray

DIMENSIONS = (2, 3, 4, 5, 6)
MOST = 20
SAMPLES = 8
PLANE, SPACE, ORTHOGONAL = "$d=2$", "$d=3$", "orthogonal"
WIDTHS = np.unique(np.round(np.logspace(0, 4, 60)).astype(int))
DOTTED = WIDTHS[::5]
SIZES = {"quick": (2, 7), "normal": (20, 13), "deep": (200, 15)}
"""Nets for every width, and samples up to which cells are enumerated."""


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw both counts; stacked in a column, side by side on the full width."""
    data = arrays(*SIZES[effort])
    stacked = width == "column"
    with plot.style(width, height=4.4 if stacked else 2.6):
        drawing, (cells, occupied) = plot.panels(1, 2, stacked)
        explain(drawing)
        draw_cells(cells, data)
        draw_occupied(occupied, data)
        drawing.align_ylabels()
    return drawing, data


def arrays(runs: int, largest: int) -> dict[str, Array]:
    """Return the cells by number of samples, and the occupied patterns by number of neurons."""
    n = np.arange(1, MOST + 1)
    counts = np.array([[cover_count(int(k), d) for d in DIMENSIONS] for k in n])
    kept = np.array([(k, d, enumerated(k, d)) for k in range(1, largest + 1, 2) for d in DIMENSIONS])
    data = {"n": n, "dimensions": np.array(DIMENSIONS), "curves": counts, "widths": WIDTHS, "dotted": DOTTED}
    data["enumerated"] = kept
    data["closed_form_cells"] = np.array([cover_count(int(k), int(d)) for k, d, _ in kept])
    data["simulated_cells"] = kept[:, 2]
    patterns = [activation_patterns(X) for X in samples()]
    laws = [class_probabilities(X, s) for X, s in zip(samples(), patterns, strict=True)]
    data["patterns"] = np.array([len(law) for law in laws])
    data["expected"] = np.array([[expected_occupied(p, int(m)) for p in laws] for m in WIDTHS])
    data["closed_form_occupied"] = np.array([[expected_occupied(p, int(m)) for p in laws] for m in DOTTED])
    data["simulated_occupied"] = np.array([[occupied(X, int(m), runs) for X in samples()] for m in DOTTED])
    return data


def samples() -> list[Array]:
    """Return samples in the plane, in space, and orthogonal ones."""
    rng = np.random.default_rng(3)
    return [rng.standard_normal((SAMPLES, 2)), rng.standard_normal((SAMPLES, 3)), np.eye(SAMPLES)]


def enumerated(n: int, d: int) -> int:
    """Return the number of cells of n Gaussian samples, listed one by one."""
    return len(activation_patterns(np.random.default_rng([n, d]).standard_normal((n, d))))


def occupied(X: Array, m: int, runs: int) -> float:
    """Return the number of distinct patterns among m random neurons, mean over runs."""
    problem = tm.TwoLayerReLU(X, np.ones(len(X)), output=np.ones(m))
    W = spherical_weights(m, X.shape[1], runs=runs, rng=m)
    return float(problem.occupied(problem.pack(W)).mean())


def draw_cells(ax: Any, data: dict[str, Array]) -> None:
    """Draw the number of cells against the number of samples, for every dimension."""
    from matplotlib.ticker import MaxNLocator

    n = data["n"]
    ax.set(xlim=(0, MOST), xlabel="samples $n$", ylabel="activation patterns $C(n,d)$")
    ax.set(yscale="log", ylim=(1, 2 * data["curves"].max()))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.plot(n, 2.0**n, color="0.45", linewidth=2.4, alpha=0.5, zorder=1)
    lines = []
    for k, look in enumerate(plot.gradation(len(DIMENSIONS))):
        lines.append(plot.closed_form(ax, n, data["curves"][:, k], **look))
        size, dimension, found = data["enumerated"].T
        own = dimension == DIMENSIONS[k]
        plot.simulation(ax, size[own], found[own], **look)
    plot.log_axes(ax, "y")
    _ends.label(ax, lines, [f"$d={d}$" for d in DIMENSIONS])


def draw_occupied(ax: Any, data: dict[str, Array]) -> None:
    """Draw the expected number of occupied patterns against the width."""
    ax.set(xscale="log", yscale="log", xlim=(1, WIDTHS[-1]), ylim=(0.9, 1.6 * data["patterns"].max()))
    ax.set(xlabel="neurons $m$", ylabel=f"occupied patterns, $n={SAMPLES}$")
    lines = []
    for k, look in enumerate(plot.series(3)):
        lines.append(plot.closed_form(ax, WIDTHS, data["expected"][:, k], **look | {"linestyle": "-"}))
        plot.simulation(ax, DOTTED, data["simulated_occupied"][:, k], **look)
    plot.log_axes(ax)
    words = (PLANE, SPACE, ORTHOGONAL)
    _ends.label(
        ax, lines, [f"{word}, of {count}" for word, count in zip(words, data["patterns"], strict=True)]
    )


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    colour = plot.PALETTE[0]
    plot.key(
        drawing,
        [
            Line2D([], [], color=colour, label="closed form"),
            Line2D([], [], color=colour, marker="o", linestyle="none", label="enumerated; random nets"),
            Line2D([], [], color="0.45", linewidth=2.4, alpha=0.5, label="$2^n$"),
        ],
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
