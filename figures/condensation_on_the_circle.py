r"""Where small neurons condense.

While a network is small its residuals stand still, and the direction phi of a
neuron in the plane climbs the potential P(phi) = sum_i c_i relu(w(phi) . x_i)
when its output weight is positive, and descends it when it is negative; c_i is
weight times residual. The boundaries w . x_i = 0 cut the circle into arcs of
one activation pattern each (1 living, 0 dead; darker where more are living),
whose lengths are the probabilities p_s of the patterns. Directions end inside a
cell, at a kink, or on the dead arc, and the share of neurons that ends there is
the length of its basin over 2 pi. Distance of the curve from the circle is the
potential. Lines are the basins; dots and bars are balanced neurons after
gradient descent on both layers from a small start.

Source: after Maennel, Bousquet, Gelly 2018, arXiv 1803.08367 (quantising directions);
neuron_partition B3, D2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import balanced_output, class_probabilities, condensation, spherical_weights
from toymodels.relu.arcs import arcs

Array = np.ndarray

ANGLES = np.radians([0.0, 70.0, 130.0])
X = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
Y = np.array([1.0, -1.5, 1.0])
SCALE, END = 1e-8, 40.0
SIZES = {"quick": (1000, 800), "normal": (10000, 1600), "deep": (100000, 8000)}
"""Neurons and steps."""
NEAR = 0.1
"""Angle within which a neuron counts as arrived."""
BINS = 40
SIGNS = (1, -1)
WORDS = ("$a_k>0$", "$a_k<0$")
MARKERS = {1: "^", -1: "v"}
INNER, OUTER = 1.75, 1.95
PHI = np.linspace(-np.pi, np.pi, 721)


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the circle, and the shares that condense, below or beside it."""
    data = arrays(*SIZES[effort])
    stacked = width == "column"
    with plot.style(width, height=4.9 if stacked else 3.0):
        shape = {"height_ratios": (1.9, 1)} if stacked else {"width_ratios": (1, 1.25)}
        drawing, (circle, shares) = plot.panels(1, 2, stacked, **shape)
        explain(drawing)
        draw_circle(circle, data)
        draw_shares(shares, data)
    return drawing, data


def arrays(m: int, steps: int) -> dict[str, Array]:
    """Return the potential, the attractors of both signs, and where m trained neurons have gone."""
    cut = arcs(X)
    found = [(sign, a) for sign in SIGNS for a in condensation(X, Y / len(Y), sign)]
    sign = np.array([s for s, _ in found])
    places = np.array([a.angle for _, a in found])
    angle, living = trained(m, steps)
    shares = np.array([share(s, a, angle, living) for s, a in found])
    edges = np.linspace(-np.pi, np.pi, BINS + 1)
    return {
        "phi": PHI,
        "potential": potential(PHI),
        "arc_start": cut.start,
        "arc_length": cut.length,
        "patterns": cut.patterns.astype(int),
        "probabilities": class_probabilities(X, cut.patterns.astype(int)),
        "attractor_sign": sign,
        "attractor_angle": places,
        "attractor_is_dead": np.array([a.kind == "dead" for _, a in found]),
        "closed_form_shares": np.array([a.fraction for _, a in found]),
        "simulated_shares": shares,
        "bin_edges": edges,
        "histogram": np.array([np.histogram(angles, edges)[0] / len(angles) for angles in angle]),
    }


def potential(phi: Array) -> Array:
    """Return P(phi) at the start, where the residuals are the targets."""
    w = np.stack([np.cos(phi), np.sin(phi)], axis=-1)
    return np.maximum(w @ X.T, 0) @ Y / len(Y)


def trained(m: int, steps: int) -> tuple[Array, Array]:
    """Return the final angles and numbers of open gates of m neurons, (sign, m/2) each."""
    problem = tm.TwoLayerReLU(X, Y, width=m)
    W = spherical_weights(m, 2, SCALE, rng=0)
    start = problem.pack(W, balanced_output(W, np.repeat(SIGNS, m // 2)))
    run = tm.descend(problem, start, lr=END / steps, steps=steps, every=steps, record=(), measure_error=False)
    end, _ = problem.layers(run.theta[-1])
    angle = np.arctan2(end[:, 1], end[:, 0])
    return angle.reshape(2, -1), problem.living(run.theta[-1]).reshape(2, -1)


def share(sign: int, place: Any, angle: Array, living: Array) -> float:
    """Return the share of neurons of a sign that have ended at an attractor, to within NEAR."""
    k = SIGNS.index(sign)
    if place.kind == "dead":
        return float((living[k] == 0).mean())
    off = np.abs(np.remainder(angle[k] - place.angle + np.pi, 2 * np.pi) - np.pi)
    return float(((off < NEAR) & (living[k] > 0)).mean())


def draw_circle(ax: Any, data: dict[str, Array]) -> None:
    """Draw the potential around the circle, within a ring of arcs."""
    from matplotlib.patches import Wedge

    ax.set(xlim=(-2.6, 2.6), ylim=(-2.4, 2.4), aspect="equal")
    ax.axis("off")
    living = data["patterns"].sum(1)
    for k, (start, length) in enumerate(zip(data["arc_start"], data["arc_length"], strict=True)):
        ends = np.degrees([start, start + length])
        shade = str(1 - 0.2 * living[k])
        ax.add_patch(
            Wedge(
                (0, 0), OUTER, *ends, width=OUTER - INNER, facecolor=shade, edgecolor="black", linewidth=0.6
            )
        )
        ax.plot(*ray(start, 0, OUTER), color="0.55", linewidth=0.5, zorder=1)
        word = "".join(map(str, data["patterns"][k]))
        x, y = ray(start + length / 2, OUTER, OUTER + 0.33)[:, 1]
        ax.text(x, y, f"{word}\n{data['probabilities'][k]:.3f}", ha="center", va="center", fontsize="small")
    ax.plot(np.cos(PHI), np.sin(PHI), color="0.45", linewidth=0.6)
    radius = height(data, data["potential"])
    plot.closed_form(ax, radius * np.cos(PHI), radius * np.sin(PHI), color=plot.PALETTE[2], linewidth=1.6)
    for sign, angle, dead in zip(
        *(data[f"attractor_{name}"] for name in ("sign", "angle", "is_dead")), strict=True
    ):
        if not dead:
            look = plot.series(2)[SIGNS.index(int(sign))]
            at = ray(angle, 0, float(height(data, potential(angle))))[:, 1]
            plot.simulation(ax, at[:1], at[1:], markersize=5, color=look["color"], marker=MARKERS[int(sign)])


def height(data: dict[str, Array], P: Array) -> Array:
    """Return the distance from the centre at which the potential is drawn."""
    return 1 + 0.6 * P / np.abs(data["potential"]).max()


def ray(angle: float, start: float, end: float) -> Array:
    """Return two points on a ray, as columns."""
    return np.array([[np.cos(angle)], [np.sin(angle)]]) * np.array([start, end])


def draw_shares(ax: Any, data: dict[str, Array]) -> None:
    """Draw the share of neurons in every direction, and the basins."""
    ax.set(xlim=(-180, 180), ylim=(0, 0.62), xticks=range(-180, 181, 60))
    ax.set(xlabel="direction of $w_k$ (degrees)", ylabel="share of neurons")
    edges = np.degrees(data["bin_edges"])
    for k, look in enumerate(plot.series(2)):
        ax.stairs(
            data["histogram"][k],
            edges,
            color=look["color"],
            linewidth=0.6,
            fill=k == 0,
            alpha=0.35 if k == 0 else 1,
        )
        own = data["attractor_sign"] == SIGNS[k]
        angle = np.degrees(data["attractor_angle"][own])
        for x, exact in zip(angle, data["closed_form_shares"][own], strict=True):
            plot.closed_form(ax, [x - 12, x + 12], [exact, exact], **look)
        marker = {"marker": MARKERS[SIGNS[k]], "color": look["color"]}
        plot.simulation(ax, angle, data["simulated_shares"][own], markersize=5, **marker)
    dead = data["attractor_is_dead"]
    x = float(np.degrees(data["attractor_angle"][dead][0]))
    plot.label_point(ax, x, float(data["closed_form_shares"][dead].max()) + 0.02, "dead arc")


def explain(drawing: Any) -> None:
    """Say what lines, dots and bars are."""
    from matplotlib.lines import Line2D

    looks = plot.series(2)
    handles = [
        Line2D([], [], label=f"{word}: basin, trained", **look | {"marker": MARKERS[sign]})
        for word, sign, look in zip(WORDS, SIGNS, looks, strict=True)
    ]
    curve = Line2D([], [], color=plot.PALETTE[2], linewidth=1.6, label=r"potential $P(\varphi)$")
    plot.key(drawing, [*handles, curve])


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
