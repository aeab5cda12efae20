"""Rich and lazy ReLU networks.

A two-layer ReLU net learns a teacher of three neurons, from neurons of overall
scale tau and imbalance delta = a_i^2 - |w_i|^2, paired so that the net starts
at zero. At large scale the tangent kernel stays where it is and the test loss
is high: lazy. At small scale the kernel moves and the test loss is low: rich.
There the imbalance decides: upstream, delta > 0, small input weights turn fast
and features are learned early; downstream, delta < 0, large input weights turn
late, the kernel moves far a little below balance, and the test loss rises with
-delta. Every cell is one net, trained by gradient descent to about a hundredth
of the training loss of the zero map, or less.

Source: after Kunin et al. 2024, arXiv 2406.06158, figure 1 (there 100 inputs, 1000 samples, 50
neurons, as here at deep effort; at normal 20, 200 and 20); linear_nets 6.12.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.arithmetic import frobenius
from toymodels.linear import balanced_factors

Array = np.ndarray

TEACHERS = 3
SIZES = {"quick": (8, 60, 8, 4, 150), "normal": (20, 200, 20, 11, 2500), "deep": (100, 1000, 50, 11, 10000)}
"""Inputs d, samples n, neurons m, cells per side and steps; deep has the published sizes."""
FRESH = 1000
STEP = 0.4
SCALES, IMBALANCES = (-1.0, 0.3), (-1.0, 1.0)


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw two heat maps; stacked in a column, side by side on the full width."""
    data = arrays(*SIZES[effort])
    stacked = width == "column"
    with plot.style(width, height=4.6 if stacked else 2.6):
        drawing, maps = plot.panels(1, 2, stacked, sharex=True, sharey=True)
        for ax, name, words in zip(maps, ("kernel_distance", "test_loss"), WORDS, strict=True):
            draw_map(ax, data, name, words)
        for ax in maps if stacked else maps[:1]:
            ax.set_ylabel(r"imbalance $\delta=a_i^2-\|w_i\|^2$")
        for ax in maps[-1:] if stacked else maps:
            ax.set_xlabel(r"scale $\tau=\sqrt{|a_i|\,\|w_i\|}$")
    return drawing, data


WORDS = ("kernel distance", "test loss / loss of zero")


def arrays(d: int, n: int, m: int, cells: int, steps: int) -> dict[str, Array]:
    """Train one net for every scale and imbalance; return what became of them, (imbalance, scale)."""
    samples, fresh, teaching, hidden = np.random.default_rng(0).spawn(4)
    X, new = unit_rows(samples, n, d), unit_rows(fresh, FRESH, d)
    teacher = unit_rows(teaching, TEACHERS, d)
    signs = (-1.0) ** np.arange(TEACHERS)
    y, answers = (np.maximum(rows @ teacher.T, 0) @ signs for rows in (X, new))
    directions = unit_rows(hidden, m // 2, d)

    problem, exam = tm.TwoLayerReLU(X, y, width=m), tm.TwoLayerReLU(new, answers, width=m)
    scales, imbalances = np.logspace(*SCALES, cells), np.linspace(*IMBALANCES, cells)
    # One imbalance after another: all nets together would need memory for as many kernels.
    rows, names = [], ("kernel_distance", "test_loss", "train_loss")
    for delta in imbalances:
        sizes = np.array([layer_sizes(scale, delta) for scale in scales])
        rows.append(train(problem, exam, paired(directions, sizes), learning_rates(d, m, sizes), steps))
    measured = dict(zip(names, np.stack(rows, axis=1), strict=True))
    return {"scales": scales, "imbalances": imbalances} | measured


def learning_rates(d: int, m: int, sizes: Array) -> Array:
    """Return a stable learning rate for each start, from |w| and |a| (R, 2)."""
    return STEP * d / (m * (sizes**2).sum(-1) / 2 + 2)


def train(
    problem: tm.TwoLayerReLU, exam: tm.TwoLayerReLU, layers: tuple[Array, Array], lr: Array, steps: int
) -> Array:
    """Return kernel distance, test and training loss, (3, R), after gradient descent from R starts."""
    start = problem.pack(*layers)
    end = tm.descend(problem, start, lr=lr, steps=steps, every=steps, measure_error=False).theta[-1]
    distance = [kernel_distance(problem.ntk(a), problem.ntk(b)) for a, b in zip(start, end, strict=True)]
    return np.stack([np.array(distance), *(net.loss(end) / net.loss(0 * end) for net in (exam, problem))])


def unit_rows(generator: np.random.Generator, rows: int, columns: int) -> Array:
    """Draw uniform unit vectors."""
    draw = generator.standard_normal((rows, columns))
    return draw / np.linalg.norm(draw, axis=1, keepdims=True)


def layer_sizes(scale: float, delta: float) -> tuple[float, float]:
    """Return |w| and |a| with |a| |w| = scale^2 and a^2 - |w|^2 = delta."""
    w, a = balanced_factors([[scale**2]], delta, width=1)
    return abs(float(w[0, 0])), abs(float(a[0, 0]))


def paired(directions: Array, sizes: Array) -> tuple[Array, Array]:
    """Return W (R, m, d) and a (R, m): each direction once with either sign of a, so that outputs cancel."""
    both = np.concatenate([directions, directions])
    signs = np.repeat([1.0, -1.0], len(directions))
    return sizes[:, :1, None] * both, sizes[:, 1:] * signs


def kernel_distance(K: Array, other: Array) -> Array:
    """Return 1 - <K, K'>/(|K| |K'|)."""
    return 1 - frobenius(K, other) / np.sqrt(frobenius(K, K) * frobenius(other, other))


def draw_map(ax: Any, data: dict[str, Array], name: str, words: str) -> None:
    """Draw one heat map on a logarithmic scale of tau."""
    ax.set_xscale("log")
    plot.heat_map(ax, data["scales"], data["imbalances"], data[name], words)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
