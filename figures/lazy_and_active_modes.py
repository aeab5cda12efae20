"""Lazy and active modes of one wide network.

Two wide linear layers with Gaussian weights of variance sigma^2 and width m
learn a matrix of rank five in noise. To leading order in 1/sqrt(m) the product
obeys an equation of its own in which only gamma = sigma^2 m enters: singular
modes s < gamma are learned at one rate, 2 gamma, lazily; those above are
active, and the sooner the larger s. Lines are the closed form of the isotropic
start without random fluctuations, dots are gradient descent on the random one.

Source: after Tu, Aranguri, Jacot 2024, arXiv 2405.17580, figure 1 (there 500 inputs; here 40);
linear_nets 5.9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import toymodels as tm
from toymodels import plot
from toymodels.data import matrix_of_spectrum
from toymodels.linear.isotropic import isotropic_factors
from toymodels.solutions import scalar_mode

Array = np.ndarray

VARIANCE, WIDTH = -1.85, 2.25
"""Exponents of the number of inputs in sigma^2 and m."""
SIGNALS = np.array([1.0, 0.85, 0.7, 0.55, 0.45])
SIZES = {"quick": (14, 0.8, 300), "normal": (40, 0.5, 900), "deep": (120, 0.35, 4000)}
"""Inputs d, final time and steps."""
POINTS = 150
SHOWN = 6


def figure(effort: str = "normal", width: str = "column") -> tuple[Any, dict[str, Array]]:
    """Draw some modes and all half times; stacked in a column, side by side on the full width."""
    data = arrays(*SIZES[effort])
    stacked = width == "column"
    with plot.style(width, height=4.5 if stacked else 2.6):
        drawing, (modes, halves) = plot.panels(1, 2, stacked)
        explain(drawing, data)
        draw_modes(modes, data)
        draw_half_times(halves, data)
    return drawing, data


def arrays(d: int, end: float, steps: int, widen: int = 1) -> dict[str, Array]:
    """Return strengths (T, d) of the modes and their half times; `widen` multiplies m at fixed gamma."""
    signal, noise, weights = np.random.default_rng(0).spawn(3)
    target = planted(d, signal) + noise.standard_normal((d, d))
    U, s, Vt = np.linalg.svd(target)
    variance, m = d**VARIANCE / widen, round(d**WIDTH) * widen
    gamma = variance * m

    tyy = float((s**2).sum())
    wide = tm.TwoLayerLinear.from_statistics(np.eye(d), target, tyy, width=m)
    start = np.sqrt(variance) * weights.standard_normal(wide.size)
    run = tm.descend(
        wide, start, lr=end / steps, steps=steps, every=steps // POINTS, record="product", measure_error=False
    )
    narrow = tm.TwoLayerLinear.from_statistics(np.eye(d), target, tyy, width=2 * d)
    flow = tm.exact(narrow, narrow.pack(*isotropic_factors(np.zeros((d, d)), gamma, width=2 * d)))
    lines, dots = (np.einsum("cd,tce,ed->td", U, W, Vt.T) for W in (flow.product(run.t), run["product"]))
    grid = np.linspace(s[-1], s[0], 200)
    return {
        "t": run.t,
        "singular_values": s,
        "gamma": np.array(gamma),
        "width": np.array(m),
        "closed_form_modes": lines,
        "simulated_modes": dots,
        "singular_value_grid": grid,
        "half_time_curve": half_times(gamma, grid),
        "closed_form_half_times": half_times(gamma, s),
        "simulated_half_times": crossings(run.t, dots, s / 2),
    }


def planted(d: int, generator: np.random.Generator) -> Array:
    """Return a matrix of rank five with Haar singular vectors."""
    return matrix_of_spectrum(d, d, d * SIGNALS, rng=generator)


def half_times(gamma: float, s: Array) -> Array:
    """Return when a mode is half learned, from an isotropic start of product zero."""
    return scalar_mode.time_to_residual(np.sqrt(2 * gamma), 0.0, s, 0.5)


def crossings(t: Array, u: Array, levels: Array) -> Array:
    """Return when each column of u (T, K) first reaches its level (K,), linear between the times."""
    after = np.maximum((u >= levels).argmax(axis=0), 1)
    columns = np.arange(u.shape[1])
    high, low = u[after, columns], u[after - 1, columns]
    return t[after] - (t[after] - t[after - 1]) * (high - levels) / (high - low)


def chosen_modes(data: dict[str, Array]) -> Array:
    """Return the modes, strongest first, that are nearest to a geometric sequence down to gamma/4."""
    s = data["singular_values"]
    wanted = np.geomspace(s[0], float(data["gamma"]) / 4, SHOWN)
    return np.unique(np.abs(np.log(wanted[:, None] / s)).argmin(1))


def draw_modes(ax: Any, data: dict[str, Array]) -> None:
    """Draw the share learned of some modes on either side of gamma."""
    t, s = data["t"], data["singular_values"]
    ax.set(xlim=(0, t[-1]), ylim=(-0.08, 1.12), xlabel=r"time $t$ = learning rate $\times$ step")
    ax.set_ylabel("share learned $u/s$")
    chosen = chosen_modes(data)
    for k, look in zip(chosen, plot.gradation(len(chosen)), strict=True):
        plot.closed_form(ax, t, data["closed_form_modes"][:, k] / s[k], **look)
        plot.simulation(ax, t, data["simulated_modes"][:, k] / s[k], dots=12, clip_on=False, **look)


def draw_half_times(ax: Any, data: dict[str, Array]) -> None:
    """Draw the half time of every mode against its singular value."""
    s, gamma = data["singular_values"], float(data["gamma"])
    curve = data["half_time_curve"]
    low, high = gamma / 8, 1.1 * s[0]
    ax.set(xscale="log", xlim=(low, high), ylim=(0, 1.3 * curve.max()), xlabel="singular value $s$")
    ax.set_ylabel("half time")
    look = plot.series(1)[0]
    plot.closed_form(ax, data["singular_value_grid"], curve, **look)
    shown = s > low
    plot.simulation(ax, s[shown], data["simulated_half_times"][shown], dots=len(s), **look)
    plot.log_axes(ax, "x")
    ax.set_xlim(low, high)
    ax.axvline(gamma, color="0.55", linewidth=0.6, zorder=1)
    for side, words in ((-6, r"lazy, $s<\gamma$"), (6, r"active, $s>\gamma$")):
        place: dict[str, Any] = {"xytext": (side, 6), "textcoords": "offset points"}
        ax.annotate(words, (gamma, 0), ha="right" if side < 0 else "left", va="bottom", **place)


def explain(drawing: Any, data: dict[str, Array]) -> None:
    """Say which look is which mode, and what lines and dots are."""
    from matplotlib.lines import Line2D

    chosen = chosen_modes(data)
    handles = [
        Line2D([], [], label=f"$s={data['singular_values'][k]:.2g}$", **look)
        for k, look in zip(chosen, plot.gradation(len(chosen)), strict=True)
    ]
    title = rf"lines: closed form, dots: gradient descent, $\gamma={float(data['gamma']):.2g}$"
    plot.key(drawing, handles, title, columns=3 if drawing.get_size_inches()[0] < 5 else None)


if __name__ == "__main__":
    from pathlib import Path

    from . import main

    raise SystemExit(main(Path(__file__).stem))
