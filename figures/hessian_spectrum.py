"""Hessian spectrum along a balanced path.

Two whitened linear layers with three modes start small and balanced. On such a
path all eigenvalues of the Hessian are known in closed form: one pair for each
mode, two pairs for each two modes. The path passes saddles of falling Morse
index, one for each mode that is learned, to the minimum, where no eigenvalue
is negative; between two saddles some turn negative for a while. Those that
vanish at a saddle wander a little on the way, so negative means below -0.02
of the largest singular value. Lines are the closed form along gradient flow,
dots are dense eigenvalues along descent.

Source: own derivation, linear_nets 2.8, 2.9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.data import orthonormal_columns
from toymodels.linear import morse_index
from toymodels.linear.spectra import balanced_spectrum
from toymodels.solutions import logistic

Array = np.ndarray

S = np.array([3.0, 1.5, 0.75])
U0 = 1e-12
END = 22.0
POINTS = 550
WANDERING = 0.02
STEPS = {"quick": 4 * POINTS, "normal": 10 * POINTS, "deep": 60 * POINTS}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the eigenvalues and the number of negative ones, which share the time."""
    data = arrays(STEPS[effort])
    with plot.style(width, height=4.2 if width == "column" else 4.0):
        drawing, (spectrum, index) = plot.panels(2, 1, sharex=True, height_ratios=(2.4, 1))
        explain(drawing)
        draw_spectrum(spectrum, data)
        draw_index(index, data)
        drawing.align_ylabels()
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return the eigenvalues in closed form and by dense diagonalisation, ascending at every time."""
    K = len(S)
    problem = tm.TwoLayerLinear.from_statistics(np.eye(K), np.diag(S), float(S @ S), width=K)
    small = np.full(K, np.sqrt(U0))
    start = problem.aligned(small, small, rotation=orthonormal_columns(K, K))
    run = tm.descend(
        problem,
        start,
        lr=END / steps,
        steps=steps,
        every=steps // POINTS,
        record="hessian",
        measure_error=False,
    )
    branches = balanced_spectrum(logistic.logistic(U0, S, run.t[:, None]), S)
    dense = np.linalg.eigvalsh(run["hessian"])
    return {
        "t": run.t,
        "branches": branches,
        "closed_form_eigenvalues": np.sort(branches, axis=-1),
        "simulated_eigenvalues": dense,
        "closed_form_index": negative(branches),
        "simulated_index": negative(dense),
        "half_times": logistic.half_time(U0, S),
        "saddle_index": np.array([morse_index(S, tuple(range(k)), K) for k in range(K + 1)]),
    }


def negative(eigenvalues: Array) -> Array:
    """Return how many eigenvalues lie below zero by more than they wander where they are zero at a saddle."""
    return (eigenvalues < -WANDERING * S[0]).sum(-1)


def draw_spectrum(ax: Any, data: dict[str, Array]) -> None:
    """Draw the branches of the modes and of the pairs, with dense eigenvalues on them."""
    t, branches, dense = data["t"], data["branches"], data["simulated_eigenvalues"]
    ax.set(xlim=(0, END), ylim=(-1.15 * S[0], 2.15 * S[0]), ylabel="Hessian eigenvalues")
    ax.axhline(0, color="0.55", linewidth=0.5, zorder=1)
    modes, pairs = kinds()
    for k in range(branches.shape[1]):
        look = modes if k < 2 * len(S) else pairs
        plot.closed_form(ax, t, branches[:, k], **look)
    every = np.linspace(0, len(t) - 1, 26).round().astype(int)
    for k in range(dense.shape[1]):
        plot.simulation(ax, t[every], dense[every, k], dots=26, color="0.3", markersize=2.2, clip_on=False)


def draw_index(ax: Any, data: dict[str, Array]) -> None:
    """Draw the number of negative eigenvalues over the Morse indices of the saddles passed."""
    t, index = data["t"], data["closed_form_index"]
    saddles = data["saddle_index"]
    ax.set(xlim=(0, END), ylim=(-0.8, 1.15 * saddles[0]), xlabel=r"time $t$ = learning rate $\times$ step")
    ax.set_ylabel("number negative")
    levels = [ax.plot([0, END], [y, y], color="0.55", linewidth=0.5, zorder=1)[0] for y in saddles]
    plot.closed_form(ax, t, index, drawstyle="steps-post", color=plot.PALETTE[0])
    plot.simulation(ax, t, data["simulated_index"], dots=30, color="0.3", markersize=2.6, clip_on=False)
    words = ["at the origin", "first mode learned", "two learned", "minimum"]
    plot.label_ends(ax, levels, words)


def kinds() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the looks of the modes' own eigenvalues and of those of pairs."""
    return {"color": plot.PALETTE[3], "linewidth": 1.4}, {"color": plot.PALETTE[2], "linewidth": 0.8}


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    modes, pairs = kinds()
    own = Line2D([], [], label="of one mode", **modes)
    two = Line2D([], [], label="of two modes", **pairs)
    plot.key(drawing, [own, two], "lines: closed form, dots: gradient descent; eigenvalues")


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
