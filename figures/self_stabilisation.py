r"""Descent above the edge of stability finds flatter minima by itself.

The two-parameter model is trained without noise, from close to a minimum whose
sharpness h_0 exceeds 2/eta. The residual r grows, and as each step shrinks what the
data do not show by 1 - eta^2 r^2, exactly, the parameters move along the minima
to where the sharpness is at most 2/eta. There they stay: without noise nothing
moves at a minimum. From a start with eta h_0 < 2 they do not move along the
minima at all; from starts with eta h_0 > 4 all runs diverged. Lines are the bound 2/eta
and the sharpness of the start; dots are gradient descent.

Source: after Damian, Nichani, Lee 2022, arXiv 2209.15594 (phenomenon); minima_manifold S-A5, S-A13.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot

from . import _two_parameters as model

Array = np.ndarray

LRS = np.array([0.4, 0.5, 0.65])
UNSEEN = 2.6
RESIDUAL = 1e-3
SHOWN = 60
STEPS = 4000
COUNTS = {"quick": 60, "normal": 240, "deep": 2000}
"""Learning rates for each start."""
PRODUCTS = (1.2, 3.95)
"""Range of learning rate times sharpness of the start."""
STARTS = np.array([3.0, 2.6, 2.2])
LOOKS = plot.series(len(LRS))
BOUND: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 0.8, "zorder": 1}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the sharpness over steps, and at the end; stacked in a column, else side by side."""
    data = arrays(COUNTS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.6 if stacked else 2.7):
        drawing, (way, end) = plot.panels(1, 2, stacked)
        explain(drawing)
        draw_way(way, data)
        draw_end(end, data)
    return drawing, data


def arrays(count: int) -> dict[str, Array]:
    """Return sharpness (step, lr) on the way and (start, lr) at the end."""
    problem = model.problem_of()
    way = descend(np.broadcast_to(near(UNSEEN), (len(LRS), 2)), LRS, SHOWN, 1)
    first = problem.sharpness_on_manifold(STARTS)
    products = np.linspace(*PRODUCTS, count)
    rates = products / first[:, None]
    starts = np.repeat(np.stack([near(unseen) for unseen in STARTS])[:, None], count, axis=1)
    ends = descend(starts, rates, STEPS, STEPS).theta[-1]
    return {
        "lrs": LRS,
        "step": way.step,
        "sharpness": problem.sharpness_on_manifold(problem.total_imbalance(way.theta)),
        "start_sharpness": first,
        "products": products,
        "rates": rates,
        "bound": np.minimum(products, 2),
        "end_products": rates * problem.sharpness_on_manifold(problem.total_imbalance(ends)),
        "end_residuals": np.abs(problem.outputs(ends)[..., 0] - model.Y),
    }


def near(unseen: float) -> Array:
    """Return a point close to Gamma, off by a residual."""
    return model.problem_of().point([model.Y + RESIDUAL, unseen], near=[1.0, 1.0])


def descend(theta0: Array, lr: Array, steps: int, every: int) -> tm.Trajectory:
    """Return gradient descent without noise."""
    return tm.descend(
        model.problem_of(), theta0, lr=lr, steps=steps, every=every, record=(), measure_error=False
    )


def draw_way(ax: Any, data: dict[str, Array]) -> None:
    """Draw the sharpness for some learning rates, each with its bound."""
    ax.set(xlim=(0, SHOWN), ylim=(1.8, 6), xlabel="step", ylabel="sharpness $h$")
    ax.plot([0, SHOWN], [2 * model.Y] * 2, color="0.55", linewidth=0.5, zorder=1)
    for k, (lr, look) in enumerate(zip(data["lrs"], LOOKS, strict=True)):
        ax.plot([0, SHOWN], [2 / lr] * 2, **BOUND | {"color": look["color"]})
        plot.simulation(ax, data["step"], data["sharpness"][:, k], dots=40, clip_on=False, **look)


def draw_end(ax: Any, data: dict[str, Array]) -> None:
    """Draw the sharpness at the end against that of the start, in units of the learning rate."""
    x = data["products"]
    ax.set(
        xlim=(1, 4),
        ylim=(0.3, 2.15),
        xlabel=r"sharpness of the start $\eta h_0$",
        ylabel=r"at the end $\eta h$",
    )
    plot.closed_form(ax, x, data["bound"], color="0.25", zorder=1)
    dots = []
    for end, first, look in zip(
        data["end_products"], data["start_sharpness"], plot.gradation(len(STARTS)), strict=True
    ):
        fine = {"markersize": 2.2, "markeredgewidth": 0, "color": look["color"], "marker": look["marker"]}
        dots.append(plot.simulation(ax, x, end, dots=len(x), label=f"$h_0={first:.1f}$", **fine))
    plot.legend(ax, dots, markerscale=2)


def explain(drawing: Any) -> None:
    """Say which look is which learning rate."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], **look | {"linestyle": "none"}, label=rf"$\eta={lr:g}$")
        for lr, look in zip(LRS, LOOKS, strict=True)
    ]
    bound = Line2D([], [], color="0.25", label=r"bound $2/\eta$", **BOUND)
    least = Line2D([], [], color="0.55", linewidth=0.5, label="flattest, $2y$")
    plot.key(drawing, [*handles, bound, least], columns=3 if drawing.get_size_inches()[0] < 5 else 5)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
