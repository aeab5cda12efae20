r"""Schedules of equal slow time.

Four learning-rate schedules of one length are scaled to the same sum of eta^2,
the slow time. Whatever their shape, noise on the label has moved the two-parameter
model equally far along the minima at the end: the curves of log om meet, up to
corrections of the order of the learning rate. The residual keeps a variance
v' = (1 - eta h)^2 v + (eta h sigma)^2, and the training loss v/2 ends at a floor
that is set by the last steps: high for the constant rate, lower after a step,
and lowest for rates that go to zero. Lines are the drift at the rate of each step
and that recursion, with h taken along the drift; dots are means over runs.

Source: minima_manifold S-A8, D, S-D1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels import plot
from toymodels.solutions import resummed_drift, schedule_variances

from . import _two_parameters as model

Array = np.ndarray

STEPS, EVERY = 4000, 50
SLOW = 6.0
"""The sum of the squares of the learning rates."""
NAMES = ("constant", "step", "cosine", "linear")
RUNS = {"quick": 100, "normal": 1000, "deep": 20000}
LOOKS = plot.series(len(NAMES))


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw drift and training loss; stacked in a column, side by side on the full width."""
    data = arrays(RUNS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.6 if stacked else 2.7):
        drawing, (drift, loss) = plot.panels(1, 2, stacked, sharex=True)
        explain(drawing)
        draw_drift(drift, data)
        draw_loss(loss, data)
        for ax in [loss] if stacked else [drift, loss]:
            ax.set_xlabel("step")
        drawing.align_ylabels()
    return drawing, data


def arrays(runs: int) -> dict[str, Array]:
    """Return log om and training loss (time, schedule), in closed form and as means over runs."""
    problem, start = model.problem_of(), model.landed()
    om = float(problem.total_imbalance(start))
    lrs = learning_rates()
    wide = np.repeat(lrs, runs, axis=1)
    theta = model.train(start, lambda s: wide[s], STEPS, EVERY, wide.shape[1]).theta
    shape = (len(theta), len(NAMES), runs)
    log_om = np.stack([drift(om, lrs[:, k]) for k in range(len(NAMES))], axis=1)
    shown = slice(0, None, EVERY)
    return {
        "step": np.arange(0, STEPS + 1, EVERY),
        "learning_rates": lrs,
        "slow_time": np.concatenate([np.zeros((1, len(NAMES))), np.cumsum(lrs**2, axis=0)])[shown],
        "closed_form_log": (log_om - log_om[0])[shown],
        "simulated_log": np.log(problem.total_imbalance(theta) / om).reshape(shape).mean(-1),
        "closed_form_loss": floors(log_om, lrs)[shown],
        "simulated_loss": problem.loss(theta).reshape(shape).mean(-1),
    }


def learning_rates() -> Array:
    """Return the learning rates (step, schedule), all of the same slow time."""
    s = np.arange(STEPS)
    shapes = (
        np.ones(STEPS),
        np.where(s < STEPS // 2, 1.0, 0.1),
        (1 + np.cos(np.pi * s / STEPS)) / 2,
        1 - s / STEPS,
    )
    lrs = np.stack(shapes, axis=1)
    return lrs * np.sqrt(SLOW / (lrs**2).sum(0))


def drift(om: float, lrs: Array) -> Array:
    """Return log om before each step and at the end, each step at its own rate."""
    logs = [np.log(om)]
    for lr in lrs:
        R = np.hypot(model.Y, np.exp(logs[-1]))
        logs.append(logs[-1] + float(resummed_drift.log_rate(R, lr, (lr * model.SIGMA) ** 2)))
    return np.array(logs)


def floors(log_om: Array, lrs: Array) -> Array:
    """Return half the variance of the residual before each step and at the end, (time, schedule)."""
    h = 2 * np.hypot(model.Y, np.exp(log_om))
    v = [np.zeros(len(NAMES))]
    for lr, sharpness in zip(lrs, h, strict=False):
        # noise on the label pushes the residual by eta h xi
        v.append(schedule_variances.step(v[-1], lr, sharpness, (sharpness * model.SIGMA) ** 2))
    return np.array(v) / 2


def draw_drift(ax: Any, data: dict[str, Array]) -> None:
    """Draw the logarithm of the imbalance."""
    ax.set(xlim=(0, STEPS), ylim=(-1.9, 0.1), ylabel=r"mean of $\log(\omega/\omega_0)$")
    for k, look in enumerate(LOOKS):
        plot.closed_form(ax, data["step"], data["closed_form_log"][:, k], **look)
        plot.simulation(ax, data["step"], data["simulated_log"][:, k], dots=12, clip_on=False, **look)


def draw_loss(ax: Any, data: dict[str, Array]) -> None:
    """Draw the training loss."""
    ax.set(xlim=(0, STEPS), yscale="log", ylim=(1e-4, 0.06), ylabel="training loss $L$")
    for k, look in enumerate(LOOKS):
        plot.closed_form(ax, data["step"][1:], data["closed_form_loss"][1:, k], **look)
        plot.simulation(ax, data["step"][1:], data["simulated_loss"][1:, k], dots=16, **look)
    plot.log_axes(ax, "y")


def explain(drawing: Any) -> None:
    """Say which look is which schedule."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=name, **look) for name, look in zip(NAMES, LOOKS, strict=True)]
    plot.key(drawing, handles, "lines: closed form, dots: descent")


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
