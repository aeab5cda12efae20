r"""Train and test landscape, and late decay of the learning rate.

The two-parameter model f(x) = x_1 a b + x_2 (a^2 - b^2)/2 is trained on x = (1, 0)
alone. Its training loss (ab - 1)^2/2 vanishes on a hyperbola, its test loss only
near one point, which is close to the point of least norm a = b = 1. Gradient flow
(line) falls onto the nearest point of the hyperbola. Descent with a large step
and noise on the label (small dots) travels along it, towards the least norm;
once the learning rate is decayed to a tenth, after T steps, it all but stays where
it is. Rings are the closed form for the points on the hyperbola that are reached
after 300 of the small steps; the marks in them are the ends of several runs.

Source: after Ren, Ma, Ying 2024, arXiv 2401.11600 (phenomenon); minima_manifold A.1, A.7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.solutions import resummed_drift

from . import _two_parameters as model

Array = np.ndarray

TEACHER = 0.15
LARGE, SMALL = 0.1, 0.01
DECAYS, TAIL = (100, 400, 1600), 300
PATHS = {"quick": 20, "normal": 20, "deep": 200}
A, B = np.linspace(0, 3, 241), np.linspace(-0.4, 2.1, 201)
LEVELS = np.arange(-3, 2)
LATEST = 30.0
PALE = 7.0
"""Where the scale of greys would be black, so that the largest loss is still light."""


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw both landscapes; stacked in a column, side by side on the full width."""
    data = arrays(PATHS[effort])
    stacked = width == "column"
    with plot.style(width, height=5.2 if stacked else 3.2):
        drawing, (train, test) = plot.panels(1, 2, stacked, sharex=True, sharey=True)
        explain(drawing)
        draw_landscape(train, data, "train_loss")
        mesh = draw_landscape(test, data, "test_loss")
        scale = drawing.colorbar(mesh, ax=[train, test], pad=0.02, aspect=40 if stacked else 20)
        scale.set_label("loss")
        scale.set_ticks(LEVELS, labels=[rf"$10^{{{level}}}$" for level in LEVELS])
        for ax, words in ((train, "training loss"), (test, "test loss")):
            ax.set_title(words)
        for ax in [test] if stacked else [train, test]:
            ax.set_xlabel("$a$")
        for ax in [train, test] if stacked else [train]:
            ax.set_ylabel("$b$")
    return drawing, data


def arrays(paths: int) -> dict[str, Array]:
    """Return both losses on a grid, the flow, one path, and the ends of all branches (decay, path, 2)."""
    problem = model.problem_of(TEACHER)
    grid = np.stack(np.meshgrid(A, B), axis=-1)
    times = np.concatenate([[0], np.geomspace(1e-3, LATEST, 200)])
    run = model.train(model.START, LARGE, DECAYS[-1], 1, paths)
    ends = np.stack([branch(run.theta[T]) for T in DECAYS])
    shrunk = unseen_after(problem.unseen(model.START)[1], np.array(DECAYS))
    return {
        "a": A,
        "b": B,
        "train_loss": problem.loss(grid),
        "test_loss": problem.test_loss(grid),
        "flow": tm.exact(problem, model.START).at(times),
        "path": run.theta[:, 0],
        "least_norm": problem.minimum_norm_point(near=[1.0, 1.0]),
        "test_minimum": problem.point([model.Y, TEACHER], near=[1.0, 1.0]),
        "ends": ends,
        "predicted_ends": model.on_manifold(shrunk),
        "closed_form_unseen": np.repeat(shrunk[:, None], paths, axis=1),
        "simulated_unseen": problem.unseen(ends)[..., 1],
    }


def branch(theta: Array) -> Array:
    """Return the ends of the runs after the decay."""
    return model.train(theta, SMALL, TAIL, TAIL, rng=1).theta[-1]


def unseen_after(q: float, steps: Array) -> Array:
    """Return (a^2 - b^2)/2 after large steps and the tail of small ones."""
    power = model.SIGMA**2
    middle = resummed_drift.imbalance(q, model.Y, LARGE, power * LARGE**2 * steps)
    return resummed_drift.imbalance(middle, model.Y, SMALL, power * SMALL**2 * TAIL)


def draw_landscape(ax: Any, data: dict[str, Array], name: str) -> Any:
    """Draw one loss with everything that moves on it; return its shades."""
    ax.set(xlim=(A[0], A[-1]), ylim=(B[0], B[-1]), aspect="equal")
    height = np.clip(np.log10(np.maximum(data[name], 1e-300)), LEVELS[0], LEVELS[-1])
    steps = np.arange(LEVELS[0], LEVELS[-1] + 0.1, 0.5)
    shades = ax.contourf(A, B, height, steps, cmap="Greys", vmin=LEVELS[0], vmax=PALE, zorder=0)
    shades.set_rasterized(True)
    valley = A[A > 0.3]
    ax.plot(valley, model.Y / valley, **VALLEY)
    plot.closed_form(ax, *data["flow"].T, **FLOW)
    plot.simulation(ax, data["path"][:, 0], data["path"][:, 1], dots=160, **PATH)
    for end, predicted, look in zip(data["ends"], data["predicted_ends"], LOOKS, strict=True):
        plot.simulation(ax, end[:, 0], end[:, 1], dots=len(end), **look)
        ax.plot(*predicted[:, None], **RING)
    ax.plot(*data["least_norm"][:, None], **LEAST)
    if name == "test_loss":
        ax.plot(*data["test_minimum"][:, None], **BEST)
    ax.plot(*data["flow"][0][:, None], **BEGIN)
    return shades


VALLEY: dict[str, Any] = {"color": "0.25", "linewidth": 0.6, "linestyle": (0, (4, 2)), "zorder": 1}
FLOW: dict[str, Any] = {"color": plot.PALETTE[0], "linewidth": 1.6, "zorder": 4}
PATH: dict[str, Any] = {"color": plot.PALETTE[2], "markersize": 1.8, "markeredgewidth": 0, "zorder": 2}
LOOKS: list[dict[str, Any]] = [
    {"color": plot.PALETTE[k], "marker": marker, "markersize": 3.2}
    for k, marker in ((1, "s"), (3, "^"), (5, "v"))
]
POINT: dict[str, Any] = {"color": "black", "linestyle": "none", "zorder": 6}
RING: dict[str, Any] = POINT | {"marker": "o", "markersize": 8, "markerfacecolor": "none", "zorder": 5}
LEAST: dict[str, Any] = POINT | {"marker": "+", "markersize": 6}
BEST: dict[str, Any] = POINT | {"marker": "x", "markersize": 5}
BEGIN: dict[str, Any] = POINT | {"marker": ".", "markersize": 6}


def explain(drawing: Any) -> None:
    """Say what lines, dots and crosses are."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], label="gradient flow", **FLOW),
        Line2D([], [], label="minima $ab=1$", **VALLEY),
        Line2D([], [], label=rf"descent, $\eta={LARGE:g}$", **PATH | {"linestyle": "none", "marker": "o"}),
        *(
            Line2D([], [], label=f"$T={T}$", linestyle="none", **look)
            for T, look in zip(DECAYS, LOOKS, strict=True)
        ),
        Line2D([], [], label="closed form", **RING),
        Line2D([], [], label="least norm", **LEAST),
        Line2D([], [], label="test minimum", **BEST),
    ]
    plot.key(drawing, handles, columns=3 if drawing.get_size_inches()[0] < 5 else 5)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
