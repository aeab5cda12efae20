r"""Three phases of training on two directions.

Four samples on a unit vector x_+ and one of the other label on x_-, at an angle
of pi/15, teach a small network with fixed output weights. The loss leaves 1 for
the plateau 2 sqrt(p)/(1+p), at which the two directions are taken for one, p
being the ratio of the classes. In phase A positive neurons are active on both
directions and negative ones slide along the boundary of x_+; the sample on x_-
is classified rightly at t_acc, far before the positive neurons leave it at t_A;
in phase B both kinds slide, and from t_B on, in phase C, the negative ones are
active on both. At last L t is constant. Lines are closed forms in the limit of
small starts, for the expected fractions of living neurons and for those of one
start; dots are the event-driven flow from that start.

Source: after Wang, Ma 2023, arXiv 2305.12467 (model, data, plateau); neuron_partition E1 to E7 (timeline).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import output_weights, spherical_weights
from toymodels.relu.timeline import Timeline
from toymodels.relu.two_directions import counted_fractions, two_directions

from . import _ends

Array = np.ndarray

P, ANGLE, D = 4, np.pi / 15, 20
SCALE = 1e-3
T = np.logspace(-1, 5, 601)
DOTTED = slice(10, None, 10)
STARTS = {"quick": (20, 3), "normal": (100, 16), "deep": (1000, 0)}
"""Neurons and seed, of starts that go through all three phases."""
LOOKS: dict[str, dict[str, Any]] = {
    "loss": {"color": plot.PALETTE[0], "marker": "o"},
    "accuracy": {"color": plot.PALETTE[2], "marker": "s"},
}
USUAL: dict[str, Any] = {"color": plot.PALETTE[3], "linestyle": (0, (5, 1.5))}
DOTS: dict[str, Any] = {"color": "0.35", "linewidth": 0.6, "linestyle": (0, (1, 1))}
TAIL: dict[str, Any] = {"color": "0.45", "linewidth": 2.4, "alpha": 0.5}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw loss and accuracy, one above the other."""
    data = arrays(*STARTS[effort])
    with plot.style(width, height=4.0 if width == "column" else 3.6):
        drawing, (loss, linear) = plot.panels(2, 1, sharex=True, height_ratios=(1.3, 1))
        explain(drawing)
        draw_loss(loss, data)
        draw_linear(linear, data)
        drawing.align_ylabels()
    return drawing, data


def arrays(m: int, seed: int) -> dict[str, Array]:
    """Return loss and accuracy on the timeline and under the flow of m neurons."""
    X, y = two_directions(1, 1, ANGLE, D)
    a, W = output_weights(m), spherical_weights(m, D, SCALE, rng=seed)
    problem = tm.TwoLayerReLU(X, y, output=a, loss="exponential", weights=np.array([P, 1.0]) / (P + 1))
    run = tm.flow(problem, problem.pack(W), T[DOTTED], record=("loss", "outputs"))
    alpha, gamma = counted_fractions(W, a, P, ANGLE, X)
    usual, own = Timeline(P, ANGLE), Timeline(P, ANGLE, alpha=alpha, gamma=gamma)
    return {
        "t": T,
        "expected_loss": usual.loss(T),
        "expected_accuracy": usual.accuracy(T),
        "loss": own.loss(T),
        "accuracy": own.accuracy(T),
        "fractions": np.array([[usual.alpha, usual.gamma], [alpha, gamma]]),
        "events": np.array([[line.t_accuracy, line.t_A, line.t_B] for line in (usual, own)]),
        "plateau": np.array(own.plateau),
        "limit_of_L_t": np.array(own.rate_limit),
        "dotted": run.t,
        "closed_form_loss": own.loss(run.t),
        "simulated_loss": run["loss"],
        "closed_form_accuracy": own.accuracy(run.t),
        "simulated_accuracy": (run["outputs"] * y > 0) @ problem.weights,
    }


def draw_loss(ax: Any, data: dict[str, Array]) -> None:
    """Draw the loss on logarithmic axes, with its tail and the names of the phases."""
    t, tail = data["t"], data["limit_of_L_t"] / data["t"]
    ax.set(xscale="log", yscale="log", xlim=(t[0], t[-1]), ylim=(0.6 * data["loss"][-1], 2))
    ax.set_ylabel("loss $L$")
    ax.plot(t[tail < 1], tail[tail < 1], zorder=1, **TAIL)
    draw_both(ax, data, "loss")
    plot.log_axes(ax)
    draw_events(ax, data)
    first, second, third = data["events"][1]
    above = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "bottom"}
    ax.text(first, 1.02, r"$t_{\mathrm{acc}}$", **above)
    ax.text(np.sqrt(second * third), 1.02, "$t_A$, $t_B$", **above)
    for left, right, word in ((1, second, "phase A"), (third, t[-1], "phase C")):
        ax.text(np.sqrt(left * right), 0.03, word, **above)


def draw_linear(ax: Any, data: dict[str, Array]) -> None:
    """Draw accuracy and loss, with the plateau."""
    ax.set(xlabel="time $t$", ylabel="loss, accuracy", ylim=(0, 1.06))
    t = data["t"]
    level = ax.plot([t[0], t[-1]], [data["plateau"]] * 2, color="0.55", linewidth=0.5, zorder=1)
    lines = [draw_both(ax, data, name) for name in ("accuracy", "loss")]
    draw_events(ax, data)
    _ends.label(ax, [*lines, *level], ["accuracy", "loss", r"$\frac{2\sqrt{p}}{1+p}$"])


def draw_both(ax: Any, data: dict[str, Array], name: str) -> Any:
    """Draw an observable for the expected fractions of living neurons and for those of the start."""
    own = LOOKS[name]
    plot.closed_form(ax, data["t"], data[f"expected_{name}"], **USUAL)
    plot.simulation(ax, data["dotted"], data[f"simulated_{name}"], dots=30, clip_on=False, **own)
    return plot.closed_form(ax, data["t"], data[name], **own)


def draw_events(ax: Any, data: dict[str, Array]) -> None:
    """Draw the predicted times."""
    for t in data["events"][1]:
        ax.axvline(t, zorder=1, **DOTS)


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    plot.key(
        drawing,
        [
            Line2D([], [], label="closed form, flow", **LOOKS["loss"]),
            Line2D([], [], label="expected fractions", **USUAL),
            Line2D([], [], label="tail $L\\propto 1/t$", **TAIL),
            Line2D([], [], label="predicted times", **DOTS),
        ],
        columns=2 if drawing.get_size_inches()[0] < 5 else 4,
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
