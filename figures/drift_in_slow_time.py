r"""Drift along the minima in slow time.

Under noise on the label what the data do not show shrinks at a rate that is
constant in slow time tau, the sum of eta^2: to leading order as e^{-sigma^2 tau}
on one sample with |x| = 1, for every learning rate (grey). A larger rate is
faster than that while the minimum is sharp, d log om / d tau = -sigma^2/(1 - eta
h/2), h = 2 sqrt(y^2 + om^2), which integrates to a closed form (lines). Runs
scatter by eta sigma^2 sqrt((kurt - 1) tau), kurt being E xi^4/sigma^4 of the
noise xi. Dots are mean and standard deviation of log om over runs of descent.

Source: minima_manifold S-A6, S-A8, S-A10.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels import plot
from toymodels.manifold import log_imbalance_spread, resummed_imbalance

from . import _two_parameters as model

Array = np.ndarray

LRS = np.array([0.05, 0.1, 0.2])
SIGMA = 0.15
END = 4.0
"""Last sigma^2 tau."""
SPREAD_LR, SPREAD_SIGMA = 0.015, 0.5
RECORDS = 20
RUNS = {"quick": 100, "normal": 400, "deep": 20000}
LOOKS = plot.gradation(len(LRS))
NOISES = ("gaussian", "rademacher")
SPREADS = dict(zip(NOISES, plot.series(2), strict=True))
LIMIT: dict[str, Any] = {"color": "0.45", "linewidth": 2.4, "alpha": 0.5}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw mean and spread; stacked in a column, side by side on the full width."""
    data = arrays(RUNS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.6 if stacked else 2.7):
        drawing, (mean, spread) = plot.panels(1, 2, stacked, sharex=True)
        explain(drawing)
        draw_mean(mean, data)
        draw_spread(spread, data)
        for ax in [spread] if stacked else [mean, spread]:
            ax.set_xlabel(r"slow time $\sigma^2\tau=\sigma^2\eta^2\times$ steps")
        drawing.align_ylabels()
    return drawing, data


def arrays(runs: int) -> dict[str, Array]:
    """Return mean logarithms (lr, time) and spreads (noise, time) over slow times."""
    time, fine = (np.linspace(0, END, count + 1) for count in (RECORDS, 20 * RECORDS))
    problem, start = model.problem_of(), model.landed()
    om = float(problem.total_imbalance(start))
    exact, curves = (
        np.stack([np.log(resummed_imbalance(problem, om, t / SIGMA**2, SIGMA, lr) / om) for lr in LRS])
        for t in (time, fine)
    )
    found = [logarithms(lr, ("rademacher", SIGMA), SIGMA, runs) for lr in LRS]
    spreads = [logarithms(SPREAD_LR, (name, SPREAD_SIGMA), SPREAD_SIGMA, runs).std(-1) for name in NOISES]
    return {
        "time": time,
        "fine_time": fine,
        "curves": curves,
        "closed_form_log": exact,
        "simulated_log": np.stack([logs.mean(-1) for logs in found]),
        "closed_form_spread": spread(time),
        "spread_curve": spread(fine),
        "simulated_spread": spreads[0],
        "rademacher_spread": spreads[1],
    }


def spread(time: Array) -> Array:
    """Return the standard deviation of log om under Gaussian noise."""
    return log_imbalance_spread(1.0, SPREAD_SIGMA, SPREAD_LR, time / SPREAD_SIGMA**2)


def logarithms(lr: float, kicks: Any, sigma: float, runs: int) -> Array:
    """Return log om over its start, (time, run), under descent."""
    problem = model.problem_of()
    every = round(END / (lr * sigma) ** 2 / RECORDS)
    theta = model.train(model.landed(), lr, every * RECORDS, every, runs, kicks).theta
    om = problem.total_imbalance(theta)
    return np.log(om / om[0])


def draw_mean(ax: Any, data: dict[str, Array]) -> None:
    """Draw the mean logarithm for every learning rate."""
    ax.set(xlim=(0, END), ylim=(-6.2, 0.2), ylabel=r"mean of $\log(\omega/\omega_0)$")
    ax.plot([0, END], [0, -END], zorder=1, **LIMIT)
    for k, look in enumerate(LOOKS):
        plot.closed_form(ax, data["fine_time"], data["curves"][k], **look)
        plot.simulation(ax, data["time"], data["simulated_log"][k], dots=11, clip_on=False, **look)


def draw_spread(ax: Any, data: dict[str, Array]) -> None:
    """Draw the standard deviation for both distributions of the noise."""
    ax.set(xlim=(0, END), ylim=(-0.0008, 0.024), ylabel=r"deviation of $\log\omega$")
    gaussian, rademacher = SPREADS.values()
    plot.closed_form(ax, data["fine_time"], data["spread_curve"], **gaussian)
    for name, look in (("simulated", gaussian), ("rademacher", rademacher)):
        plot.simulation(ax, data["time"], data[f"{name}_spread"], dots=11, clip_on=False, **look)
    for name, look, x, y, side in (
        ("Gaussian", gaussian, 0.03, 0.92, "left"),
        ("Rademacher", rademacher, 0.98, 0.2, "right"),
    ):
        words = rf"{name} noise, $\eta={SPREAD_LR:g}$"
        ax.text(x, y, words, transform=ax.transAxes, ha=side, color=plot.ink(look["color"]))


def explain(drawing: Any) -> None:
    """Say which look is which learning rate."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=rf"$\eta={lr:g}$", **look) for lr, look in zip(LRS, LOOKS, strict=True)]
    plot.key(drawing, [*handles, Line2D([], [], label=r"$\eta\to0$", **LIMIT)],
             "lines: closed form, dots: descent")  # fmt: skip


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
