"""One neuron, rich or lazy: paths of the learned map.

One linear neuron a w.x learns the map b = (0, 1) from the map (-1, 0); only
the imbalance delta = a^2 - |w|^2 of its start differs. Upstream, delta > 0,
the map goes straight to b while the tangent kernel hardly moves: lazy.
Balanced, it turns while it shrinks and grows, and the kernel moves by 1/5.
Downstream, delta < 0, it first changes its length and then turns slowly: lazy
early, rich late. Below the paths: the size mu = a |w|, the alignment phi of w
with b, and the distance of the kernel from its start.

Source: after Kunin et al. 2024, arXiv 2406.06158, figures 2 to 4a; linear_nets 6.2, 6.3, 6.9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels import plot
from toymodels.solutions import one_neuron
from toymodels.solutions.one_neuron_kernel import distance_along, kernel_distance
from toymodels.solutions.one_neuron_phase import phase

from ._one_neuron import DELTAS, descend, draw_path, explain, looks, starts

Array = np.ndarray

TARGET = np.array([0.0, 1.0])
BETA0 = np.array([-1.0, 0.0])
END = 20.0
POINTS = 1000
STEPS = {"quick": 2 * POINTS, "normal": 10 * POINTS, "deep": 60 * POINTS}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the plane and three functions of time; in one column, or two by two on the full width."""
    data = arrays(STEPS[effort])
    stacked = width == "column"
    with plot.style(width, height=7.0 if stacked else 5.0):
        shape = (4, 1) if stacked else (2, 2)
        drawing, axes = plot.panels(*shape, height_ratios=(2.1, 1, 1, 1) if stacked else (1, 1))
        plane, size, angle, kernel = axes
        explain(drawing, DELTAS)
        draw_plane(plane, data)
        draw_in_time(size, data, "size", r"size $\mu=a\|w\|$")
        draw_in_time(angle, data, "alignment", r"alignment $\varphi$ with $b$")
        draw_in_time(kernel, data, "kernel_distance", "kernel distance")
        for ax in [kernel] if stacked else [size, angle, kernel]:
            ax.set_xlabel(r"time $t$ = learning rate $\times$ step")
        if stacked:
            for ax in (size, angle):
                ax.tick_params(labelbottom=False)
            drawing.align_ylabels()
    return drawing, data


def arrays(steps: int) -> dict[str, Array]:
    """Return maps, phases and kernel distances in closed form and under gradient descent."""
    w0, a0 = starts(BETA0, DELTAS)
    t, w, a = descend(np.eye(2), TARGET, w0, a0, END, steps, POINTS)
    flow_w, flow_a = one_neuron.flow(w0, a0, TARGET, t[:, None])
    size, alignment = phase(flow_w, flow_a, TARGET)
    simulated_size, simulated_alignment = phase(w, a, TARGET)
    return {
        "t": t,
        "imbalances": DELTAS,
        "target": TARGET,
        "closed_form_map": flow_a[..., None] * flow_w,
        "simulated_map": a[..., None] * w,
        "closed_form_size": size,
        "simulated_size": simulated_size,
        "closed_form_alignment": alignment,
        "simulated_alignment": simulated_alignment,
        "closed_form_kernel_distance": distance_along(w0, a0, TARGET, t[:, None]),
        "simulated_kernel_distance": kernel_distance(w0, a0, w, a),
    }


def draw_plane(ax: Any, data: dict[str, Array]) -> None:
    """Draw the paths of the map from its start to the target."""
    ax.set(xlim=(-1.25, 0.3), ylim=(-0.15, 1.15), aspect="equal", xlabel=r"$\beta_1=a w_1$")
    ax.set_ylabel(r"$\beta_2=a w_2$")
    for k, look in enumerate(looks(DELTAS)):
        draw_path(ax, data["closed_form_map"][:, k], data["simulated_map"][:, k], 12, look)
    ax.plot(*BETA0, marker="o", color="black", markersize=4.5, zorder=4)
    ax.plot(*TARGET, marker="*", color="black", markersize=8, zorder=4)
    plot.label_point(ax, BETA0[0], BETA0[1], "start", distance=6)
    plot.label_point(ax, TARGET[0], TARGET[1], "target $b$", distance=6)


def draw_in_time(ax: Any, data: dict[str, Array], what: str, words: str) -> None:
    """Draw one quantity over logarithmic time."""
    t, lines, dots = data["t"][1:], data[f"closed_form_{what}"][1:], data[f"simulated_{what}"][1:]
    span = np.ptp(lines)
    ax.set(xscale="log", xlim=(t[0], END), ylim=(lines.min() - 0.05 * span, lines.max() + 0.05 * span))
    ax.set_ylabel(words)
    for k, look in enumerate(looks(DELTAS)):
        plot.closed_form(ax, t, lines[:, k], **look)
        plot.simulation(ax, t, dots[:, k], dots=10, clip_on=False, **look)
    plot.log_axes(ax, "x")
    ax.set_xlim(t[0], END)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
