r"""Which phase of training on two directions lasts for ever.

After small starts a fraction alpha of the neurons lives with positive and a
fraction gamma with negative output weights; c is the cosine of the angle of the
two directions. If alpha <= c gamma the positive neurons stay active on both
directions and the negative ones slide along a boundary for ever: regime A. If
c alpha > gamma the negative ones end active on both and the positive ones
slide: regime C. In between both slide at last: regime B. Lines are these
thresholds, and the path of the expected fractions as the angle goes from 0 to
pi/2, for two ratios p of the classes. Dots are nets of one neuron of either
sign, followed by the event-driven flow.

Source: after Wang, Ma 2023, arXiv 2305.12467 (model); neuron_partition E2, E4 to E6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.relu import modes_along
from toymodels.relu.timeline import Timeline
from toymodels.relu.two_directions import living_fractions, representative

Array = np.ndarray

RATIOS = (4.0, 1.5)
P = 4.0
MASS = 0.5
C = np.linspace(0, 1, 201)[1:-1]
LARGEST = 4.0
WIDEST, HEIGHTS = 3.5, (0.35, 0.95)
GRIDS = {"quick": (3, 1), "normal": (8, 4), "deep": (32, 20)}
"""Dots along alpha/gamma and along c."""
LATE = 1e6
PATHS: list[dict[str, Any]] = [{"color": plot.PALETTE[3], "linestyle": dash} for dash in ("-", (0, (4, 1.5)))]
REGIMES = ("A", "B", "C")


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the regimes in the plane of alpha/gamma and c."""
    data = arrays(*GRIDS[effort])
    with plot.style(width, height=3.0 if width == "column" else 3.2):
        drawing, (ax,) = plot.panels()
        explain(drawing)
        draw_regimes(ax, data)
    return drawing, data


def arrays(columns: int, rows: int) -> dict[str, Array]:
    """Return the paths of the expected fractions, and the regimes of flows on a grid."""
    grid = [(x, y) for y in np.linspace(*HEIGHTS, rows) for x in np.geomspace(1 / WIDEST, WIDEST, columns)]
    lines = [(x, y, timeline(x, y)) for x, y in grid]
    # close to a threshold the last phase begins after an exponentially long time
    shown = [(x, y, line.regime) for x, y, line in lines if line.phases[-1].start < LATE / 10]
    fractions = np.array([[living_fractions(p, np.arccos(c)) for c in C] for p in RATIOS])
    return {
        "c": C,
        "path": fractions[..., 0] / fractions[..., 1],
        "ratios": np.array(RATIOS),
        "dots": np.array([(x, y) for x, y, _ in shown]),
        "closed_form_regime": np.array([REGIMES.index(regime) for _, _, regime in shown]),
        "simulated_regime": np.array([last_phase(x, y) for x, y, _ in shown]),
    }


def masses(ratio: float) -> dict[str, float]:
    """Return alpha and gamma of a given ratio."""
    return {"alpha": MASS * ratio / (1 + ratio), "gamma": MASS / (1 + ratio)}


def timeline(ratio: float, c: float) -> Timeline:
    """Return the closed form."""
    return Timeline(P, float(np.arccos(c)), **masses(ratio))


def last_phase(ratio: float, c: float) -> int:
    """Return 0, 1 or 2 for the phase A, B or C in which a net of two neurons is at a late time."""
    problem, start = representative(P, np.arccos(c), **masses(ratio))
    positive, negative = modes_along(problem, tm.flow(problem, start, [LATE], record=()))[-1]
    return int(positive[1] == 0) + int(negative[0] == 1)


def draw_regimes(ax: Any, data: dict[str, Array]) -> None:
    """Draw thresholds, paths and dots over shades of the regimes."""
    from matplotlib.ticker import FixedLocator, NullLocator

    c = np.concatenate([[0], data["c"], [1]])
    ax.set(xscale="log", xlim=(1 / LARGEST, LARGEST), ylim=(0, 1))
    ax.set(xlabel=r"living positive over living negative neurons $\alpha/\gamma$")
    ax.set_ylabel(r"cosine $c$ of the angle")
    with np.errstate(divide="ignore"):
        low, high = np.maximum(c, 1 / LARGEST), np.minimum(1 / c, LARGEST)
    for left, right, shade in ((1 / LARGEST + 0 * c, low, "0.82"), (high, LARGEST + 0 * c, "0.9")):
        ax.fill_betweenx(c, left, right, color=shade, linewidth=0, zorder=0)
    for threshold in (data["c"], 1 / data["c"]):
        plot.closed_form(ax, threshold, data["c"], color=plot.PALETTE[0])
    for path, look in zip(data["path"], PATHS, strict=True):
        plot.closed_form(ax, path, data["c"], **look)
    x, y = data["dots"].T
    for k, look in enumerate(plot.series(3)):
        own = data["simulated_regime"] == k
        plot.simulation(ax, x[own], y[own], dots=len(x), **look)
    ax.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter("{x:g}")
    for x, name in zip((0.36, 0.7, 2.8), REGIMES, strict=True):
        ax.text(x, 0.1 if name == "B" else 0.9, name, ha="center", va="center", fontsize="large")


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    looks = plot.series(3)
    dots = [
        Line2D([], [], **look | {"linestyle": "none"}, label=name)
        for name, look in zip(REGIMES, looks, strict=True)
    ]
    paths = [
        Line2D([], [], label=f"expected, $p={p:g}$", **look) for p, look in zip(RATIOS, PATHS, strict=True)
    ]
    thresholds = Line2D([], [], color=plot.PALETTE[0], label=r"$\alpha=c\gamma$, $c\alpha=\gamma$")
    columns = 3 if drawing.get_size_inches()[0] < 5 else 6
    plot.key(drawing, [*dots, thresholds, *paths], "dots: last phase of a flow", columns=columns)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
