"""Bifurcation diagram of gradient descent.

Descent on the balanced scalar mode is the cubic map z -> z (1 + rho - z^2),
with z the weight times the root of the step eta and rho = eta s. Its minimum
z^2 = rho is stable for rho < 1, a 2-cycle takes over up to rho = sqrt(5) - 1,
then periods double into chaos; at rho = 2 the orbit is 2 sin(3^k theta) and
its Lyapunov exponent ln 3. Lines are the exact fixed point and cycle, broken
where they are unstable, and their exponents; dots are iterates, large ones at
some rates where these are stable, small ones at all rates.

Source: Chen, Bruna 2022, arXiv 2206.04172; linear_nets 8.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels import plot
from toymodels.solutions import cubic_map, scalar_mode

Array = np.ndarray

RATES = {"quick": 200, "normal": 700, "deep": 2800}
SETTLE, KEPT = 3000, 60
AVERAGED = {"quick": 2000, "normal": 20000, "deep": 200000}
STARTS = np.array([0.3, -0.3])
APART = 0.08
LARGE: dict[str, Any] = {"color": "0.35", "markersize": 2.6}
BROKEN: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 0.8}


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw the attractor over its exact branches, and the Lyapunov exponent below."""
    data = branches() | attractor(RATES[effort]) | exponents(AVERAGED[effort])
    with plot.style(width, height=4.2 if width == "column" else 4.0):
        drawing, (orbit, lyapunov) = plot.panels(2, 1, sharex=True, height_ratios=(2, 1))
        explain(drawing)
        draw_orbit(orbit, data)
        draw_exponents(lyapunov, data)
        drawing.align_ylabels()
    return drawing, data


def attractor(count: int) -> dict[str, Array]:
    """Return the last iterates, (steps, starts, rates), for starts of both signs."""
    rho = np.linspace(0, 2, count + 1)[1:]
    z = np.broadcast_to(STARTS[:, None], (len(STARTS), count))
    for _ in range(SETTLE):
        z = cubic_map.step(z, rho)
    orbit = np.empty((KEPT, *z.shape))
    for row in orbit:
        row[:] = z = cubic_map.step(z, rho)
    return {"rho": rho, "iterates": orbit}


def branches() -> dict[str, Array]:
    """Return fixed point and 2-cycle with the slopes that decide their stability."""
    fixed, cycle = np.linspace(0, 2, 2001), np.linspace(1, 2, 2001)
    minimum = scalar_mode.limit(1.0, 1.0, fixed)[0]
    return {
        "fixed_rho": fixed,
        "fixed_point": minimum,
        "fixed_slope": cubic_map.slope(minimum, fixed),
        "cycle_rho": cycle,
        "cycle": np.stack(cubic_map.two_cycle(cycle)),
        "cycle_multiplier": cubic_map.two_cycle_multiplier(cycle),
    }


def exponents(steps: int) -> dict[str, Array]:
    """Return the mean logarithm of the slope: measured on orbits, and exact where the attractor is known."""
    rho = np.concatenate([np.arange(0.04, 1.235, 0.08), np.linspace(1.26, 1.98, 37)])
    z = np.full(rho.shape, STARTS[0])
    for _ in range(SETTLE):
        z = cubic_map.step(z, rho)
    total = np.zeros(rho.shape)
    for _ in range(steps):
        total += np.log(np.abs(cubic_map.slope(z, rho)))
        z = cubic_map.step(z, rho)
    minimum = scalar_mode.limit(1.0, 1.0, rho)[0]
    period = np.where(rho < 1, 1, 2)
    multiplier = np.where(rho < 1, cubic_map.slope(minimum, rho), cubic_map.two_cycle_multiplier(rho))
    known = np.abs(multiplier) < 1
    return {
        "exponent_rho": rho,
        "simulated_exponents": total / steps,
        "known_rho": rho[known],
        "closed_form_exponents": (np.log(np.abs(multiplier)) / period)[known],
    }


def draw_orbit(ax: Any, data: dict[str, Array]) -> None:
    """Draw iterates as fine dots and the exact branches on them."""
    rho, orbit = data["rho"], data["iterates"]
    ax.set(xlim=(0, 2), ylim=(-2.1, 2.1), ylabel=r"weight $z=\sqrt{\eta}\,x$")
    fine: dict[str, Any] = {"marker": ".", "markersize": 0.7, "markeredgewidth": 0, "linestyle": "none"}
    spread = np.broadcast_to(rho, orbit.shape)
    ax.plot(spread.ravel(), orbit.ravel(), color="0.4", rasterized=True, zorder=1, snap=False, **fine)
    for sign in (1, -1):
        stable = np.abs(data["fixed_slope"]) <= 1
        draw_branch(ax, data["fixed_rho"], sign * data["fixed_point"], stable, plot.PALETTE[0])
        stable = np.abs(data["cycle_multiplier"]) <= 1
        for branch in data["cycle"]:
            draw_branch(ax, data["cycle_rho"], sign * branch, stable, plot.PALETTE[3])
    draw_settled(ax, rho, orbit)
    plot.label_point(ax, 0.5, np.sqrt(0.5), "minimum", color=plot.PALETTE[0])
    top = np.interp(1.1, data["cycle_rho"], data["cycle"][0])
    plot.label_point(ax, 1.1, top, "2-cycle", color=plot.ink(plot.PALETTE[3]))


def draw_settled(ax: Any, rho: Array, orbit: Array) -> None:
    """Draw the last two iterates at some of the rates where fixed point or cycle is stable."""
    every = round(APART / rho[0])
    some = np.arange(every - 1, len(rho), every)
    some = some[rho[some] < np.sqrt(5) - 1]
    for z in orbit[-2:, :, some].reshape(-1, len(some)):
        plot.simulation(ax, rho[some], z, **LARGE)


def draw_branch(ax: Any, rho: Array, z: Array, stable: Array, color: str) -> None:
    """Draw a branch, solid where it is stable."""
    plot.closed_form(ax, rho, np.where(stable, z, np.nan), color=color)
    plot.closed_form(ax, rho, np.where(stable, np.nan, z), color=color, **BROKEN)


def draw_exponents(ax: Any, data: dict[str, Array]) -> None:
    """Draw the Lyapunov exponents, from minus infinity at superstable cycles to ln 3."""
    ax.set(xlim=(0, 2), ylim=(-2.5, 1.4), xlabel=r"learning rate $\times$ target, $\rho=\eta s$")
    ax.set_ylabel("Lyapunov exponent")
    thin = {"color": "0.55", "linewidth": 0.5, "zorder": 1}
    levels = [ax.plot([0, 2], [y, y], **thin)[0] for y in (0, np.log(3))]
    fixed, cycle = data["fixed_slope"], data["cycle_multiplier"]
    with np.errstate(divide="ignore"):
        first, second = np.log(np.abs(fixed)), np.log(np.abs(cycle)) / 2
    first, second = np.where(np.abs(fixed) <= 1, first, np.nan), np.where(np.abs(cycle) <= 1, second, np.nan)
    plot.closed_form(ax, data["fixed_rho"], first, color=plot.PALETTE[0])
    plot.closed_form(ax, data["cycle_rho"], second, color=plot.PALETTE[3])
    plot.simulation(ax, data["exponent_rho"], data["simulated_exponents"], dots=80, **LARGE)
    plot.label_point(ax, 0.05, 0, "chaos above 0")
    plot.label_ends(ax, levels[1:], [r"$\ln3$"])


def explain(drawing: Any) -> None:
    """Say what lines and dots are."""
    from matplotlib.lines import Line2D

    dark = plot.PALETTE[0]
    exact = Line2D([], [], color=dark, label="closed form")
    unstable = Line2D([], [], color=dark, label="unstable", **BROKEN)
    dots = Line2D([], [], marker="o", linestyle="none", label="gradient descent", **LARGE)
    plot.key(drawing, [exact, unstable, dots])


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
