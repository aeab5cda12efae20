r"""Three phases of training with noise on the label, each on its own scale of time.

In the two-parameter model descent falls onto the minima within some 1/(eta h)
steps, h being the sharpness; noise on the label then moves it along them, over
some 1/(eta^2 K) steps, K = sigma^2 |x|^2, towards the point of least norm; after a
decay of the learning rate to eta_2 the training loss drops to a lower floor
within some 1/(eta_2 h) steps, and the motion along the minima all but stops. The
first and last phase settle the training loss, the second the test loss. Lines
are closed forms: flow over a growing floor, drift at any stable step, relaxation;
dots are means over runs of descent through all three phases.

Source: minima_manifold A.3, S-A8, S-A9, S-A16.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.manifold import residual_variances, resummed_imbalance

from . import _two_parameters as model

Array = np.ndarray

START = np.array([2.4, -1.0])
LARGE, SMALL = 0.01, 0.001
LONG = (6.0, 4.0, 4.0)
"""Length of every phase on its own scale."""
POINTS = 40
RUNS = {"quick": 100, "normal": 800, "deep": 20000}
RATE = model.SIGMA**2
WORDS = ("onto the minima", "along the minima", "after the decay")
UNITS = (r"$\eta h\times$ steps", r"$\eta^2K\times$ steps", r"$\eta_2h\times$ steps")
LOOKS = dict(zip(("train", "test"), plot.series(2), strict=True))


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw three panels side by side, training and test loss in each."""
    data = arrays(RUNS[effort])
    with plot.style(width, height=2.6):
        drawing, axes = plot.panels(1, 3, sharey=True)
        explain(drawing)
        for k, ax in enumerate(axes):
            draw_phase(ax, data, k)
        axes[0].set_ylabel("loss")
    return drawing, data


def arrays(runs: int) -> dict[str, Array]:
    """Return losses (phase, time) in closed form and as means over runs; times are in units of the phase."""
    problem = model.problem_of()
    om = float(problem.total_imbalance(START))
    h = float(problem.sharpness_on_manifold(om))
    every = [round(LONG[0] / (LARGE * h * POINTS)), round(LONG[1] / (LARGE**2 * RATE * POINTS))]
    first = model.train(START, LARGE, POINTS * every[0], every[0], runs)
    second = model.train(first.theta[-1], LARGE, POINTS * every[1], every[1], rng=1)
    end = float(drifted(problem, om, LARGE**2 * POINTS * every[1])[0])
    last_h = float(problem.sharpness_on_manifold(end))
    every.append(round(LONG[2] / (SMALL * last_h * POINTS)))
    third = model.train(second.theta[-1], SMALL, POINTS * every[2], every[2], rng=2)
    steps = [run.step for run in (first, second, third)]
    lines = [
        landing(problem, om, steps[0]),
        sliding(problem, om, steps[1]),
        settling(problem, om, steps[1][-1], steps[2]),
    ]
    thetas = [run.theta for run in (first, second, third)]
    return {
        "time": np.stack([LARGE * h * steps[0], LARGE**2 * RATE * steps[1], SMALL * last_h * steps[2]]),
        "unit_steps": 1 / np.array([LARGE * h, LARGE**2 * RATE, SMALL * last_h]),
        "closed_form_train": np.stack([train for train, _ in lines]),
        "closed_form_test": np.stack([test for _, test in lines]),
        "simulated_train": np.stack([problem.loss(theta).mean(-1) for theta in thetas]),
        "simulated_test": np.stack([problem.test_loss(theta).mean(-1) for theta in thetas]),
    }


def drifted(problem: tm.MinimaManifold, om: float, tau: Any) -> Array:
    """Return the imbalance at slow times."""
    return np.atleast_1d(resummed_imbalance(problem, om, tau, model.SIGMA, LARGE))


def variance(problem: tm.MinimaManifold, om: Any, lr: float) -> Array:
    """Return the stationary variance of the residual."""
    return residual_variances(problem, om, model.SIGMA, lr)[..., 0]


def landing(problem: tm.MinimaManifold, om: float, steps: Array) -> tuple[Array, Array]:
    """Return training and test loss of the first phase: gradient flow, and a variance that sets in."""
    flow = problem.loss(tm.exact(problem, START).at(LARGE * steps))
    left = (1 - LARGE * problem.sharpness_on_manifold(om)) ** (2 * steps)
    train = flow + variance(problem, om, LARGE) * (1 - left) / 2
    return train, train + om**2 / 2


def sliding(problem: tm.MinimaManifold, om: float, steps: Array) -> tuple[Array, Array]:
    """Return training and test loss of the second phase: floor and drift."""
    q = drifted(problem, om, LARGE**2 * steps)
    train = variance(problem, q, LARGE) / 2
    return train, train + q**2 / 2


def settling(problem: tm.MinimaManifold, om: float, before: int, steps: Array) -> tuple[Array, Array]:
    """Return training and test loss of the last phase: relaxation to the lower floor."""
    q = drifted(problem, om, LARGE**2 * before)
    high, low = (variance(problem, q, lr) for lr in (LARGE, SMALL))
    left = (1 - SMALL * problem.sharpness_on_manifold(q)) ** (2 * steps)
    train = (low + (high - low) * left) / 2
    return train, train + q**2 / 2 * np.exp(-2 * SMALL**2 * RATE * steps)


def draw_phase(ax: Any, data: dict[str, Array], k: int) -> None:
    """Draw both losses in one phase."""
    ax.set(yscale="log", xlim=(0, data["time"][k, -1]), ylim=(1e-4, 20), xlabel=UNITS[k])
    ax.set_xticks(range(0, int(LONG[k]) + 1, 2 if k == 0 else 1))
    ax.set_title(WORDS[k], fontsize="medium")
    for name, look in LOOKS.items():
        plot.closed_form(ax, data["time"][k], data[f"closed_form_{name}"][k], **look)
        plot.simulation(ax, data["time"][k], data[f"simulated_{name}"][k], dots=11, clip_on=False, **look)
    if k == 0:
        plot.log_axes(ax, "y")


def explain(drawing: Any) -> None:
    """Say which look is which loss."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=f"{name} loss", **look) for name, look in LOOKS.items()]
    plot.key(drawing, handles, "lines: closed form, dots: descent")


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
