"""Incremental learning in logarithmic time.

Two linear layers start at the scale alpha of the product. Against
tau = t / ln(1/alpha) the singular modes switch on one after another, mode s at
tau = 1/(2s), and the smaller alpha the sharper the steps: in the limit the rank
of the product is a staircase. Lines are the closed form from a generic
balanced start, dots are gradient descent from the two larger scales.

Source: after Gidel, Bach, Lacoste-Julien 2019, arXiv 1904.13262; linear_nets 5.3, 5.11.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.data import matrix_of_spectrum
from toymodels.linear.incremental import staircase

Array = np.ndarray

D = 3
S = np.array([3.0, 1.5, 0.75])
TARGET = np.diag(S)
SHAPE = TARGET + matrix_of_spectrum(D, D, (1.0, 0.6, 0.3), rng=5)
SCALES = np.array([1e-3, 1e-12, 1e-48])
FOLLOWED = 2
END = 1.0
POINTS = 300
STEPS = {"quick": 4 * POINTS, "normal": 20 * POINTS, "deep": 120 * POINTS}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the singular values and their number; stacked in a column, side by side on the full width."""
    data = arrays(STEPS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.3 if stacked else 2.6):
        drawing, (values, rank) = plot.panels(1, 2, stacked, sharex=True)
        explain(drawing)
        draw_values(values, data)
        draw_rank(rank, data)
        for ax in [rank] if stacked else [values, rank]:
            ax.set_xlabel(r"logarithmic time $\tau=t/\ln(1/\alpha)$")
        drawing.align_ylabels()
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return the singular values of the product, (T, scale, mode), and the limit of small scales."""
    problem = tm.TwoLayerLinear.from_statistics(np.eye(D), TARGET, float(S @ S), width=D)
    tau = np.linspace(0, END, POINTS + 1)
    flows = [
        problem.singular_values(tm.exact(problem, start(problem, k)).at(tau * unit(k)))
        for k in range(len(SCALES))
    ]
    runs = [
        tm.descend(
            problem,
            start(problem, k),
            lr=unit(k) * END / steps,
            steps=steps,
            every=steps // POINTS,
            record="singular_values",
            measure_error=False,
        )["singular_values"]
        for k in range(FOLLOWED)
    ]
    lines, dots = np.stack(flows, axis=1), np.stack(runs, axis=1)
    fine = np.linspace(0, END, 2 * POINTS + 1)[1:]
    fine = fine[np.abs(2 * fine[:, None] * S - 1).min(1) > 1e-9]
    limit = np.stack([np.linalg.svd(staircase(TARGET, t)[D:, :D], compute_uv=False) for t in fine])
    return {
        "tau": tau,
        "scales": SCALES,
        "singular_values": S,
        "curves": lines,
        "closed_form_values": lines[:, :FOLLOWED],
        "simulated_values": dots,
        "rank_curves": learned(lines),
        "closed_form_rank": learned(lines[:, :FOLLOWED]),
        "simulated_rank": learned(dots),
        "limit_tau": fine,
        "limit_rank": learned(limit),
    }


def unit(k: int) -> float:
    """Return ln(1/alpha), the unit of logarithmic time."""
    return float(-np.log(SCALES[k]))


def start(problem: tm.TwoLayerLinear, k: int) -> Array:
    """Return a balanced start whose product is alpha times a generic matrix."""
    return problem.balanced(SCALES[k] * SHAPE)


def learned(values: Array) -> Array:
    """Return the number of modes learned, each counted by the share of it that is."""
    return (values / S).sum(-1)


def draw_values(ax: Any, data: dict[str, Array]) -> None:
    """Draw the singular values for every scale."""
    ax.set(xlim=(0, END), ylim=(-0.1, 1.08 * S[0]), ylabel="singular values of $W_2W_1$")
    levels = [ax.plot([0, END], [s, s], color="0.55", linewidth=0.5, zorder=1)[0] for s in S]
    for k, look in enumerate(plot.series(len(SCALES))):
        for j in range(D):
            plot.closed_form(ax, data["tau"], data["curves"][:, k, j], **look)
            if k < FOLLOWED:
                dots = data["simulated_values"][:, k, j]
                plot.simulation(ax, data["tau"], dots, dots=12, clip_on=False, **look)
    plot.label_ends(ax, levels, [f"$s={s:g}$" for s in S])


def draw_rank(ax: Any, data: dict[str, Array]) -> None:
    """Draw the number of modes learned, over the staircase."""
    from matplotlib.ticker import MaxNLocator

    ax.set(xlim=(0, END), ylim=(-0.1, D + 0.15), ylabel="modes learned")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.plot(data["limit_tau"], data["limit_rank"], color="0.45", linewidth=2.4, alpha=0.5, zorder=1)
    for k, look in enumerate(plot.series(len(SCALES))):
        plot.closed_form(ax, data["tau"], data["rank_curves"][:, k], **look)
        if k < FOLLOWED:
            plot.simulation(ax, data["tau"], data["simulated_rank"][:, k], dots=20, clip_on=False, **look)


def explain(drawing: Any) -> None:
    """Say which look is which scale, and what the staircase is."""
    from matplotlib.lines import Line2D

    looks = [
        look | ({} if k < FOLLOWED else {"marker": ""}) for k, look in enumerate(plot.series(len(SCALES)))
    ]
    handles = [
        Line2D([], [], label=rf"$\alpha=10^{{{round(np.log10(scale))}}}$", **look)
        for scale, look in zip(SCALES, looks, strict=True)
    ]
    limit = Line2D([], [], color="0.45", linewidth=2.4, alpha=0.5, label=r"$\alpha\to0$")
    plot.key(drawing, [*handles, limit], "lines: closed form, dots: gradient descent")


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
