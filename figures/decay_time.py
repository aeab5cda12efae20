r"""Final test loss against the time of the decay.

In the two-parameter model, descent with learning rate eta and noise on the label
runs for T steps along the minima, then the learning rate is decayed to zero. What
the data never show, q = (a^2 - b^2)/2, shrinks the later the more, and the final
test loss is (q - q*)^2/2, where q* belongs to the teacher. For q* < 0 a later
decay is never worse; for q* between 0 and the start there is a best time, and
waiting for ever is near-optimal at best. Against slow time, eta^2 T, the curves of
all learning rates meet, up to corrections in eta. Lines are the closed form at
any stable step, in grey its limit of small steps; dots are means over runs, each
followed by exact gradient flow.

Source: after Ren, Ma, Ying 2024, arXiv 2401.11600 (phenomenon); minima_manifold S-A8, S-A14.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels import plot
from toymodels.manifold import final_loss, resummed_imbalance

from . import _two_parameters as model

Array = np.ndarray

LRS = np.array([0.025, 0.05, 0.1])
TEACHERS = np.array([-0.5, 1.0])
END = 20.0
"""Last slow time."""
RECORDS = 40
RUNS = {"quick": 40, "normal": 400, "deep": 10000}
LOOKS = plot.gradation(len(LRS))
LIMIT: dict[str, Any] = {"color": "0.45", "linewidth": 2.4, "alpha": 0.5}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the loss against steps and against slow time; stacked in a column, else side by side."""
    data = arrays(RUNS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.6 if stacked else 2.7):
        drawing, (steps, slow) = plot.panels(1, 2, stacked, sharey=True)
        explain(drawing)
        draw_steps(steps, data)
        draw_slow_time(slow, data)
        for ax in (steps, slow) if stacked else (steps,):
            ax.set_ylabel("final test loss")
    return drawing, data


def arrays(runs: int) -> dict[str, Array]:
    """Return final losses (teacher, lr, time), at slow times that all learning rates share."""
    problems = [model.problem_of(teacher) for teacher in TEACHERS]
    start = model.landed()
    om = problems[0].total_imbalance(start)
    finals = [final_loss(problem, start) for problem in problems]
    # a second grid for the lines, which no run limits to whole steps
    dotted, fine = END * np.arange(RECORDS + 1) / RECORDS, np.geomspace(END / 4e4, END, 400)
    limits = [problems[0].limit(path(start, lr, runs)) for lr in LRS]
    shrunk, curves = (
        np.stack([resummed_imbalance(problems[0], om, tau, model.SIGMA, lr) / om for lr in LRS])
        for tau in (dotted, fine)
    )
    return {
        "lrs": LRS,
        "teachers": TEACHERS,
        "tau": fine,
        "curves": np.stack([final.at(curves) for final in finals]),
        "limit": np.stack([final.at(np.exp(-(model.SIGMA**2) * fine)) for final in finals]),
        "forever": np.array([final.at(0.0) for final in finals]),
        "best_tau": np.array(finals[1].best_steps(1.0, model.SIGMA**2)),
        "dotted": dotted,
        "closed_form_loss": np.stack([final.at(shrunk) for final in finals]),
        "simulated_loss": np.array([[p.test_loss(end).mean(-1) for end in limits] for p in problems]),
        "closed_form_unseen": om * shrunk,
        "simulated_unseen": np.stack([problems[0].unseen(end)[..., 1].mean(-1) for end in limits]),
    }


def path(start: Array, lr: float, runs: int) -> Array:
    """Return theta (time, run, 2) of descent on evenly spaced slow times."""
    steps = round(END / lr**2)
    return model.train(start, lr, steps, steps // RECORDS, runs).theta


def draw_steps(ax: Any, data: dict[str, Array]) -> None:
    """Draw the loss against the number of large steps."""
    ax.set(xscale="log", xlim=(10, END / LRS[0] ** 2), xlabel="steps before the decay $T$")
    ax.set_ylim(-0.2, 1.05 * data["curves"].max())
    draw_losses(ax, data, 1 / LRS**2)
    plot.log_axes(ax, "x")
    ax.text(0.98, 0.95, "$q^*=-0.5$: later is better", transform=ax.transAxes, ha="right", va="center")
    ax.text(0.03, 0.41, "$q^*=1$", transform=ax.transAxes, va="center")


def draw_slow_time(ax: Any, data: dict[str, Array]) -> None:
    """Draw the loss against slow time, with its limit of small steps."""
    ax.set(xlim=(0, END), xlabel=r"slow time $\eta^2T$")
    for limit in data["limit"]:
        ax.plot(data["tau"], limit, zorder=1, **LIMIT)
    ax.axvline(float(data["best_tau"]), color="0.35", linewidth=0.6, linestyle=(0, (1, 1)), zorder=1)
    lines = draw_losses(ax, data, np.ones(len(LRS)))
    plot.label_ends(ax, lines, [f"$q^*={teacher:g}$" for teacher in data["teachers"]])


def draw_losses(ax: Any, data: dict[str, Array], units: Array) -> list[Any]:
    """Draw all curves over slow time in units of each learning rate; return the lines of the smallest."""
    for own, found in zip(data["curves"], data["simulated_loss"], strict=True):
        for j, look in enumerate(LOOKS):
            plot.closed_form(ax, data["tau"] * units[j], own[j], **look)
            plot.simulation(ax, data["dotted"][1:] * units[j], found[j, 1:], dots=14, clip_on=False, **look)
    return ax.lines[-2 * len(TEACHERS) * len(LRS) :: 2 * len(LRS)]


def explain(drawing: Any) -> None:
    """Say which look is which learning rate."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=rf"$\eta={lr:g}$", **look) for lr, look in zip(LRS, LOOKS, strict=True)]
    plot.key(drawing, [*handles, Line2D([], [], label=r"$\eta\to0$", **LIMIT)],
             "lines: closed form, dots: descent, then flow")  # fmt: skip


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
