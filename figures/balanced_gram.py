"""Gram matrix of balanced layers, and when training is lazy.

Two linear layers of width two start from one product W(0) at the imbalances
lam = -2, 0, 2, W2'W2 - W1W1' = lam I, and learn whitened data. The Gram
matrix of both layers has a closed form for every lam: its blocks are the
correlations of the first layer, the product, and those of the second. In a
square net the larger layer hardly moves at large lam of either sign, so the
tangent kernel stays near its start: lazy, while lam = 0 is rich. Lines are the
closed form, dots are gradient descent.

Source: after Braun et al. 2022 and Domine et al. 2025, arXiv 2409.14623; linear_nets 5.1, 5.3, 5.7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.data import matrix_of_spectrum
from toymodels.linear.kernel import kernel_distance

Array = np.ndarray

D = 2
IMBALANCES = np.array([-2.0, 0.0, 2.0])
# Seeds for which no two entries end close together.
TARGET = matrix_of_spectrum(D, D, (2.0, 1.0), rng=134)
START = 0.2 * matrix_of_spectrum(D, D, (1.0, 0.5), rng=11)
END = 5.0
POINTS = 400
STEPS = {"quick": 2 * POINTS, "normal": 8 * POINTS, "deep": 40 * POINTS}
SCAN, DOTS = np.linspace(-6, 6, 241), np.linspace(-6, 6, 25)
BLOCKS = (r"$W_1^{\mathsf{T}}W_1$", r"$W_2W_1$", r"$W_2W_2^{\mathsf{T}}$")


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the entries for each imbalance, and the kernel's way; two by two."""
    data = arrays(STEPS[effort])
    with plot.style(width, height=3.6 if width == "column" else 4.4):
        drawing, panels = plot.panels(2, 2)
        explain(drawing)
        for k, ax in enumerate(panels[:3]):
            draw_entries(ax, data, k)
        draw_distance(panels[3], data)
        for ax in panels[:3:2]:
            ax.set_ylabel("entries")
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return Gram matrices and kernel distances in closed form and under gradient descent."""
    problem = tm.TwoLayerLinear.from_statistics(np.eye(D), TARGET, float((TARGET**2).sum()), width=D)
    run = descend(problem, IMBALANCES, steps, steps // POINTS)
    gram, ends = tm.exact(problem, starts(problem, IMBALANCES)).gram, np.array([0.0, END])
    return {
        "t": run.t,
        "imbalances": IMBALANCES,
        "target": TARGET,
        "start": START,
        "closed_form_gram": gram(run.t),
        "simulated_gram": run["gram"],
        "imbalance_scan": SCAN,
        "distance_scan": distances(tm.exact(problem, starts(problem, SCAN)).gram(ends)),
        "dot_imbalances": DOTS,
        "closed_form_distances": distances(tm.exact(problem, starts(problem, DOTS)).gram(ends)),
        "simulated_distances": distances(descend(problem, DOTS, steps, steps)["gram"]),
    }


def starts(problem: tm.TwoLayerLinear, imbalances: Array) -> Array:
    """Return one start for each imbalance, all with the same product."""
    return np.stack([problem.balanced(START, float(lam)) for lam in imbalances])


def descend(problem: tm.TwoLayerLinear, imbalances: Array, steps: int, every: int) -> tm.Trajectory:
    """Run gradient descent from every imbalance."""
    start = starts(problem, imbalances)
    return tm.descend(
        problem, start, lr=END / steps, steps=steps, every=every, record="gram", measure_error=False
    )


def distances(gram: Array) -> Array:
    """Return the distance of the last tangent kernel from the first, from Gram matrices (T, R, N, N)."""
    first, second = gram[..., :D, :D], gram[..., D:, D:]
    return kernel_distance(first[0], second[0], first[-1], second[-1])


def draw_entries(ax: Any, data: dict[str, Array], k: int) -> None:
    """Draw the entries of the Gram matrix at one imbalance, coloured by block."""
    from matplotlib.ticker import MultipleLocator

    t, lam = data["t"], data["imbalances"][k]
    lines, dots = data["closed_form_gram"][:, k], data["simulated_gram"][:, k]
    ax.set(xlim=(0, END), ylim=(data["closed_form_gram"].min() - 0.2, data["closed_form_gram"].max() + 0.2))
    ax.set(title=rf"imbalance $\lambda={lam:g}$", xlabel="time $t$")
    ax.yaxis.set_major_locator(MultipleLocator(1))
    for rows, columns, look in entries():
        for i, j in zip(rows, columns, strict=True):
            plot.closed_form(ax, t, lines[:, i, j], **look)
            plot.simulation(ax, t, dots[:, i, j], dots=9, clip_on=False, **look)


def entries() -> list[tuple[Array, Array, dict[str, Any]]]:
    """Return indices and look of the entries of each block."""
    upper, full = np.triu_indices(D), np.indices((D, D)).reshape(2, -1)
    places = [upper, (full[0] + D, full[1]), (upper[0] + D, upper[1] + D)]
    looks = plot.series(len(places))
    return [(*place, look | {"markersize": 2.8}) for place, look in zip(places, looks, strict=True)]


def draw_distance(ax: Any, data: dict[str, Array]) -> None:
    """Draw how far the kernel goes, against the imbalance."""
    scan, curve = data["imbalance_scan"], data["distance_scan"]
    ax.set(xlim=(scan[0], scan[-1]), ylim=(-0.03 * curve.max(), 1.15 * curve.max()))
    ax.set(xlabel=r"imbalance $\lambda$", ylabel="kernel distance")
    (look,) = plot.series(1)
    plot.closed_form(ax, scan, curve, **look)
    plot.simulation(ax, data["dot_imbalances"], data["simulated_distances"], clip_on=False, **look)


def explain(drawing: Any) -> None:
    """Say which look is which block, and what lines and dots are."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], label=name, **look) for name, (_, _, look) in zip(BLOCKS, entries(), strict=True)
    ]
    plot.key(drawing, handles, "lines: closed form, dots: gradient descent; entries of the blocks")


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
