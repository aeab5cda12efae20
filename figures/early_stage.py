r"""The loss falls at once, however small the start.

Two hundred neurons start at the scale 10^-6 with output weights of size one:
the loss of a logit on unit inputs with entries >= 0, as of images, leaves log 2
within a few steps of gradient descent, at a speed that does not depend on the
scale or the number of samples n. While no margin has passed z0 = 1, true-living
neurons bound the gradient from below, which gives a decrease of at least
t g0^2 mu A up to the time T1: g0 is the least slope of the loss there, mu the
least product of two inputs, A the output mass living on all samples. Dots are
gradient descent: first on both layers at the published learning rate, then on
the hidden layer in steps of T1/20, where lines are the bound.

Source: after Wang, Ma 2022, arXiv 2206.02139 (start, width, scale, learning rate and loss);
neuron_partition C7 (bound).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import biased_weights, output_weights

from . import _ends

Array = np.ndarray

M, D, SCALE, LR, STEPS = 200, 50, 1e-6, 0.01, 35
COUNTS = {"quick": (10,), "normal": (10, 1000), "deep": (10, 1000, 10000)}
"""Numbers of samples."""
FINE, LATER = 20, 20
"""Fine steps up to T1, and multiples of T1 up to the end."""
Z0, G0 = 1.0, 1 / (1 + np.e)
"""Margin up to which the slope of the logistic loss is at least G0."""


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the loss, and its decrease above the bound; stacked in a column, else side by side."""
    data = arrays(COUNTS[effort])
    stacked = width == "column"
    with plot.style(width, height=4.3 if stacked else 2.5):
        drawing, (loss, decrease) = plot.panels(1, 2, stacked)
        explain(drawing, data["samples"])
        draw_loss(loss, data)
        draw_decrease(decrease, data)
        drawing.align_ylabels()
    return drawing, data


def arrays(counts: tuple[int, ...]) -> dict[str, Array]:
    """Return the loss at the published steps, and the decrease in fine ones with its bound."""
    rows = [train(n) for n in counts]
    steps, losses, t, decreases, bounds = zip(*rows, strict=True)
    return {
        "samples": np.array(counts),
        "step": steps[0],
        "losses": np.stack(losses, axis=1),
        "t": t[0],
        "decreases": np.stack(decreases, axis=1),
        "bounds": np.stack(bounds, axis=1),
    }


def train(n: int) -> tuple[Array, ...]:
    """Return steps and losses, and fine times, decreases and bounds, for n samples."""
    W, a = biased_weights(M, D, SCALE), output_weights(M, np.sqrt(M), signs="random")
    data: dict[str, Any] = {"X": inputs(n), "y": np.ones(n), "loss": "logistic", "bias": True}
    both = tm.TwoLayerReLU(width=M, **data)
    coarse = tm.descend(both, both.pack(W, a), lr=LR, steps=STEPS, measure_error=False)
    hidden = tm.TwoLayerReLU(output=a, **data)
    # a margin moves at most at the slope 1, times the squared norm 2 of an input with its bias, times m
    T1 = (Z0 - hidden.outputs(W.ravel()).max()) / (2 * M)
    fine = tm.descend(hidden, W.ravel(), lr=T1 / FINE, steps=FINE * LATER, measure_error=False)
    gram = hidden.inputs @ hidden.inputs.T
    mass = float(hidden.partition(W.ravel()).class_mass(np.ones(n, dtype=bool)))
    bounds = np.minimum(fine.t, T1) * G0**2 * gram.min() * mass
    return coarse.step, coarse["loss"], fine.t, fine["loss"][0] - fine["loss"], bounds


def inputs(n: int) -> Array:
    """Return unit vectors with entries >= 0."""
    X = np.abs(np.random.default_rng(1).standard_normal((n, D)))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def draw_loss(ax: Any, data: dict[str, Array]) -> None:
    """Draw the loss at the published learning rate."""
    ax.set(xlim=(0, STEPS), ylim=(0, 0.75), xlabel="step, learning rate 0.01", ylabel="loss $L$")
    level = ax.plot([0, STEPS], [np.log(2)] * 2, color="0.55", linewidth=0.5, zorder=1)
    for k, look in enumerate(plot.series(data["samples"].size)):
        plot.simulation(ax, data["step"], data["losses"][:, k], dots=STEPS, clip_on=False, **look | size(k))
    _ends.label(ax, level, [r"$\log 2$"])


def draw_decrease(ax: Any, data: dict[str, Array]) -> None:
    """Draw the decrease of the loss, and the bound."""
    t = data["t"][1:]
    ax.set(xscale="log", yscale="log", xlim=(t[0], t[-1]), xlabel="time $t$ = learning rate $\\times$ step")
    ax.set(ylim=(data["bounds"][1:].min() / 2, 1), ylabel="decrease $L(0)-L(t)$")
    for k, look in enumerate(plot.series(data["samples"].size)):
        plot.closed_form(ax, t, data["bounds"][1:, k], **look)
        plot.simulation(ax, t, data["decreases"][1:, k], dots=12, clip_on=False, **look | size(k))
    plot.log_axes(ax)


def size(k: int) -> dict[str, float]:
    """Return ever smaller dots, so that equal ones are all seen."""
    return {"markersize": 6.5 - 2.2 * k}


def explain(drawing: Any, counts: Array) -> None:
    """Say which look is which number of samples."""
    from matplotlib.lines import Line2D

    looks = zip(counts, plot.series(len(counts)), strict=True)
    handles = [Line2D([], [], label=f"$n={n}$", **look) for n, look in looks]
    plot.key(drawing, handles, "dots: gradient descent, lines: bound")


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
