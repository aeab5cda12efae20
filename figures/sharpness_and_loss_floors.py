r"""Floors of the training loss, and the sharpness under them.

In the two-parameter model noise on the label keeps the training loss at a floor,
eta sigma^2 h/4 to leading order and V/2 with V = eta h sigma^2/(2 - eta h) at any
stable step, where h is the sharpness. Along the minima the sharpness falls, and
the floor with it. A decay of the learning rate by ten drops the floor by about
ten, within a few multiples of 1/(eta_2 h) steps, and all but stops the fall of
the sharpness: the later the decay, the flatter the minimum. Lines are the closed
form, broken to leading order in the learning rate; dots are means over runs of
descent, of the sharpness at the minimum with the same conserved quantity.

Source: minima_manifold S-A8, S-A9, S-A16.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.manifold import resummed_imbalance, train_plateau, two_stage_loss

from . import _two_parameters as model

Array = np.ndarray

LARGE, SMALL = 0.1, 0.01
DECAYS = np.array([100, 300, 600, 1000])
"""The last is the end of all runs: they do not decay."""
EVERY = 10
RUNS = {"quick": 100, "normal": 2000, "deep": 50000}
WORDS = ("$T=100$", "$T=300$", "$T=600$", "no decay")
LOOKS = plot.series(len(DECAYS))[::-1]
LEADING: dict[str, Any] = {"color": "0.45", "linewidth": 0.8, "linestyle": (0, (4, 2)), "zorder": 1}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw loss and sharpness, one above the other."""
    data = arrays(RUNS[effort])
    with plot.style(width, height=4.2 if width == "column" else 3.8):
        drawing, (loss, sharpness) = plot.panels(2, 1, sharex=True)
        explain(drawing)
        draw_loss(loss, data)
        draw_sharpness(sharpness, data)
        drawing.align_ylabels()
    return drawing, data


def arrays(runs: int) -> dict[str, Array]:
    """Return training loss and sharpness (time, decay) in closed form and as means over runs."""
    problem, start = model.problem_of(), model.landed()
    om = float(problem.total_imbalance(start))
    large = np.repeat(DECAYS, runs)
    run = model.train(start, lambda s: np.where(s < large, LARGE, SMALL), int(DECAYS[-1]), EVERY, len(large))
    steps = run.step
    means = {
        name: values.reshape(len(steps), len(DECAYS), runs).mean(-1)
        for name, values in {
            "loss": problem.loss(run.theta),
            "sharpness": problem.sharpness_on_manifold(problem.total_imbalance(run.theta)),
        }.items()
    }
    loss, sharpness = closed_forms(problem, om, steps)
    along = resummed_imbalance(problem, om, LARGE**2 * steps, model.SIGMA, LARGE)
    return {
        "step": steps,
        "decays": DECAYS[:-1],
        "closed_form_loss": loss,
        "simulated_loss": means["loss"],
        "closed_form_sharpness": sharpness,
        "simulated_sharpness": means["sharpness"],
        "leading_floors": np.stack(
            [train_plateau(problem, along, model.SIGMA, lr, batch=1) for lr in (LARGE, SMALL)]
        ),
    }


def closed_forms(problem: tm.MinimaManifold, om: float, steps: Array) -> tuple[Array, Array]:
    """Return training loss and sharpness (time, decay)."""
    first = np.minimum(steps[:, None], DECAYS)
    last = steps[:, None] - first
    middle = resummed_imbalance(problem, om, LARGE**2 * first, model.SIGMA, LARGE)
    q = resummed_imbalance(problem, middle, SMALL**2 * last, model.SIGMA, SMALL)
    test = two_stage_loss(model.Y, om, (LARGE, SMALL), first, last, model.SIGMA)
    return test - q**2 / 2, problem.sharpness_on_manifold(q)


def draw_loss(ax: Any, data: dict[str, Array]) -> None:
    """Draw the training loss over its floors."""
    ax.set(xlim=(0, DECAYS[-1]), yscale="log", ylim=(8e-4, 0.1), ylabel="training loss $L$")
    for floor in data["leading_floors"]:
        ax.plot(data["step"], floor, **LEADING)
    draw_branches(ax, data, "loss")
    plot.log_axes(ax, "y")


def draw_sharpness(ax: Any, data: dict[str, Array]) -> None:
    """Draw the sharpness of the minima."""
    ax.set(xlim=(0, DECAYS[-1]), ylim=(1.8, 6.4), xlabel="step", ylabel="sharpness $h$")
    ax.plot(data["step"][[0, -1]], [2 * model.Y] * 2, color="0.55", linewidth=0.5, zorder=1)
    draw_branches(ax, data, "sharpness")


def draw_branches(ax: Any, data: dict[str, Array], name: str) -> None:
    """Draw one quantity for every decay, from the decay on, and before it once."""
    steps = data["step"]
    for k in reversed(range(len(DECAYS))):
        own = steps >= (DECAYS[k] if k < len(DECAYS) - 1 else EVERY)
        plot.closed_form(ax, steps[own], data[f"closed_form_{name}"][own, k], **LOOKS[k])
        dots = data[f"simulated_{name}"][own, k]
        plot.simulation(
            ax, steps[own], dots, dots=20 if k == len(DECAYS) - 1 else 12, clip_on=False, **LOOKS[k]
        )


def explain(drawing: Any) -> None:
    """Say which look is which decay."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=word, **look) for word, look in zip(WORDS, LOOKS, strict=True)]
    leading = Line2D([], [], label=r"$\eta\sigma^2h/4$", **LEADING)
    title = rf"decay from $\eta={LARGE:g}$ to {SMALL:g} after $T$ steps"
    plot.key(drawing, [*handles[::-1], leading], title, columns=3 if drawing.get_size_inches()[0] < 5 else 5)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
