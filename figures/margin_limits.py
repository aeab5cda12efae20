r"""What the margin tends to when the output layer is trained, and when it is not.

Two samples on unit vectors at an angle Delta carry opposite labels, one four
times the weight. With fixed output weights the neurons that survive the small
start keep their masses, and the smallest margin over |W| tends to the limit of
the timeline, below that of a net with all neurons alive. With both layers
trained the masses adjust: whatever the start, the smallest margin over
|theta|^2 tends to sin(Delta)/4, half the largest margin of an infinitely wide
net. Margins grow like log t, so limits are approached like 1/log t. Lines are
the limits, and the margin over the norm that the timeline gives; dots are
descent on log L from the end of the event-driven flow.

Source: after Lyu, Li 2020, arXiv 1906.05890 (normalised margins); neuron_partition E6, F4 to F6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import balanced_output, output_weights, spherical_weights
from toymodels.relu.margins import normalised_margin
from toymodels.relu.normalised_descent import normalised_descent
from toymodels.relu.timeline import Timeline
from toymodels.relu.two_directions import counted_fractions, two_directions

from . import _ends

Array = np.ndarray

ANGLE, P = 0.9, 4.0
SCALE = 1e-2
BEGIN = {"hidden": 10.0, "both": 30.0}
"""Times at which the flow hands over to the descent."""
SIZES = {"quick": (10, 1, 0.25), "normal": (40, 2, 0.25), "deep": (400, 3, 0.02)}
"""Neurons, starts, and step of the descent on log L."""
HIGHEST = 300.0
LEVELS = np.geomspace(0.5, HIGHEST, 14)
LOG_T = np.linspace(np.log(1e-6), HIGHEST + 5, 4001)


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the normalised margins of two starts, each trained in both ways."""
    data = arrays(*SIZES[effort])
    with plot.style(width, height=2.9):
        drawing, (ax,) = plot.panels()
        explain(drawing)
        draw_margins(ax, data)
    return drawing, data


def arrays(m: int, count: int, lr: float) -> dict[str, Array]:
    """Return normalised margins against log(1/L), of both ways of training, from every start."""
    starts = [(spherical_weights(m, 2, SCALE, rng=seed), output_weights(m)) for seed in range(count)]
    hidden = [train(network(output=a), W.ravel(), BEGIN["hidden"], lr) for W, a in starts]
    both = []
    for W, a in starts:
        problem = network(width=m)
        both.append(train(problem, problem.pack(W, balanced_output(W, a)), BEGIN["both"], lr))
    lines = [timeline(W, a) for W, a in starts]
    curves = [closed_form(line) for line in lines]
    return {
        "hidden_log_loss": np.array([x for x, _ in hidden]),
        "hidden_margin": np.array([margin for _, margin in hidden]),
        "both_log_loss": np.array([x for x, _ in both]),
        "both_margin": np.array([margin for _, margin in both]),
        "curve_log_loss": np.array([x for x, _ in curves]),
        "curve_margin": np.array([margin for _, margin in curves]),
        "hidden_limits": np.array([line.margin_limit for line in lines]),
        "all_alive_limit": np.array(np.sin(ANGLE) / 2),
        "both_limit": np.array(np.sin(ANGLE) / 4),
    }


def network(**layers: Any) -> tm.TwoLayerReLU:
    """Return the problem with a fixed or a trained output layer."""
    X, y = two_directions(1, 1, ANGLE)
    return tm.TwoLayerReLU(X, y, loss="exponential", weights=np.array([P, 1.0]) / (P + 1), **layers)


def train(problem: tm.TwoLayerReLU, start: Array, begin: float, lr: float) -> tuple[Array, Array]:
    """Return log(1/L) and the normalised margin, on levels of the smallest margin."""
    flow = tm.flow(problem, start, [begin], record=())
    theta = normalised_descent(problem, flow.theta[-1], LEVELS, lr=lr)
    q = problem.targets * problem.outputs(theta)
    return -np.log(problem.weights @ np.exp(q.min(-1) - q.T)) + q.min(-1), normalised_margin(problem, theta)


def timeline(W: Array, a: Array) -> Timeline:
    """Return the closed form for the neurons of a start that live."""
    X, _ = two_directions(1, 1, ANGLE)
    alpha, gamma = counted_fractions(W, a, P, ANGLE, X)
    return Timeline(P, ANGLE, alpha=alpha, gamma=gamma)


def closed_form(line: Timeline) -> tuple[Array, Array]:
    """Return log(1/L) and the smallest margin over |W|, which grows by d|W|^2/dt = 2 (u f_+ - v f_-)."""
    t = np.exp(LOG_T)
    log_u, log_v = line.log_shares(t)
    f = line.outputs(t)
    growth = 2 * (np.exp(LOG_T + log_u) * f[:, 0] - np.exp(LOG_T + log_v) * f[:, 1])
    steps = np.diff(LOG_T) * (growth[1:] + growth[:-1]) / 2
    square = np.cumsum(np.concatenate([[growth[0] / 2], steps]))
    return -line.log_loss(t), np.minimum(f[:, 0], -f[:, 1]) / np.sqrt(square)


def draw_margins(ax: Any, data: dict[str, Array]) -> None:
    """Draw margins and limits."""
    ax.set(xscale="log", xlim=(0.6, HIGHEST), ylim=(0, 0.42), xlabel=r"$\log(1/L)\sim\log t$")
    ax.set_ylabel("normalised margin")
    hidden, both = plot.series(2)
    levels = [(hidden, float(limit), None) for limit in data["hidden_limits"]]
    for k in range(len(levels)):
        plot.closed_form(ax, data["curve_log_loss"][k], data["curve_margin"][k], **hidden)
        plot.simulation(ax, data["hidden_log_loss"][k], data["hidden_margin"][k], clip_on=False, **hidden)
        size = {"markersize": 5 - 2.2 * k}
        plot.simulation(ax, data["both_log_loss"][k], data["both_margin"][k], clip_on=False, **both | size)
    lines, words = [], []
    for look, limit, word in (
        *levels,
        (both, float(data["both_limit"]), r"$\sin(\Delta)/4$"),
        ({"color": "0.35"}, float(data["all_alive_limit"]), "all alive"),
    ):
        lines += ax.plot(
            [0.6, HIGHEST], [limit] * 2, color=look["color"], linewidth=0.7, linestyle=(0, (4, 2))
        )
        words.append(word or f"limit {limit:.3f}")
    plot.log_axes(ax, "x")
    _ends.label(ax, lines, words)


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    hidden, both = plot.series(2)
    plot.key(
        drawing,
        [
            Line2D([], [], label=r"hidden layer, $q_{\min}/\|W\|$", **hidden),
            Line2D([], [], label=r"both layers, $q_{\min}/\|\theta\|^2$", **both | {"linestyle": "none"}),
            Line2D([], [], color="0.35", linewidth=0.7, linestyle=(0, (4, 2)), label="limits"),
        ],
        columns=2 if drawing.get_size_inches()[0] < 5 else 3,
    )


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
