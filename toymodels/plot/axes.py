"""Axes for trajectories and for logarithmic scales."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.plot.curves import draw
from toymodels.plot.labels import label_ends
from toymodels.plot.theme import PALETTE, series
from toymodels.validation import one_of, time_array

Array = np.ndarray

_MOST_SERIES = 200
_MOST_LABELLED = 6
_WORDS = {
    "loss": "loss $L$",
    "sharpness": r"sharpness $\lambda_{\max}$",
    "gradient": r"gradient $\nabla L$",
    "theta": r"parameters $\theta$",
    "outputs": "outputs $f(x_i)$",
    "ntk": r"tangent kernel $JJ^{\mathsf{T}}$",
    "hessian": r"Hessian $\nabla^2 L$",
    "jacobian": "Jacobian $J$",
}


def trajectory_axes(t: Any, values: Any, name: str, ax: Any = None, log: str = "", **look: Any) -> Any:
    """Draw an observable over time, one line for each of its entries.

    Parameters
    ----------
    t : array_like () or (T,) or (T,) + runs
        Times; infinite ones are left out.
    values : array_like
        (T,) + runs + anything; runs + anything for a single time.
    name : str
        Name of the observable, for the axis.
    ax : matplotlib Axes, optional
        Where to draw; a new pyplot figure by default.
    log : {"", "x", "y", "xy"}
        Axes to make logarithmic.
    **look
        Properties of matplotlib lines, for all of them.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        When shapes do not match, values are not real, there are more than 200
        lines, or a keyword is not known.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = trajectory_axes([0, 1, 2], [[1, 2], [0.5, 1], [0.2, 0.5]], "loss", ax=Figure().subplots())
    >>> ax.get_ylabel(), len(ax.lines)
    ('loss $L$', 2)
    """
    one_of("log", log, ("", "x", "y", "xy"))
    times, columns, indices = _columns(t, values, name)
    if len(indices) > _MOST_SERIES:
        raise InputError(
            f"{name}: {len(indices)} lines are too many to draw (at most {_MOST_SERIES}); "
            "record a smaller observable or draw part of its entries"
        )
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots()[1]
    few = len(indices) <= _MOST_LABELLED
    looks = series(len(indices)) if few else [_faint(len(indices))] * len(indices)
    dots = {} if len(columns) == 1 else {"marker": "none"}
    lines = [
        draw(ax, time, column, own | dots | look)
        for time, column, own in zip(times.T, columns.T, looks, strict=True)
    ]
    ax.set_xlabel("time $t$")
    ax.set_ylabel(_WORDS.get(name, name.replace("_", " ")))
    log_axes(ax, log)
    if len(lines) > 1 and few and "label" not in look:
        label_ends(ax, lines, [f"[{', '.join(map(str, index))}]" for index in indices])
    return ax


def log_axes(ax: Any, which: str = "xy") -> Any:
    """Make axes logarithmic, with labels at powers of ten only.

    Parameters
    ----------
    ax : matplotlib Axes
        With its data drawn.
    which : {"", "x", "y", "xy"}

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        When nothing drawn is positive on such an axis.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> _ = ax.plot([1, 10, 100], [3, 2, 1])
    >>> log_axes(ax, "x").get_xscale()
    'log'
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    for letter in one_of("which", which, ("", "x", "y", "xy")):
        drawn = [line.get_xdata() if letter == "x" else line.get_ydata() for line in ax.lines]
        if drawn and not any((np.asarray(data, dtype=float) > 0).any() for data in drawn):
            raise InputError(f"which: a logarithmic {letter} axis needs positive values, none is drawn")
        axis = ax.xaxis if letter == "x" else ax.yaxis
        (ax.set_xscale if letter == "x" else ax.set_yscale)("log")
        axis.set_major_locator(LogLocator(numticks=7))
        axis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=7))
        axis.set_minor_formatter(NullFormatter())
    return ax


def _faint(count: int) -> dict[str, Any]:
    """Return the look of each of many lines."""
    return {"color": PALETTE[0], "marker": "o", "linewidth": 0.6, "alpha": max(0.15, count**-0.5)}


def _columns(t: Any, values: Any, name: str) -> tuple[Array, Array, list[tuple[int, ...]]]:
    """Return times and values as two (T, K) arrays, and the K indices."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: expected real numbers to draw, got {array.dtype}")
    times = np.asarray(t)
    if times.ndim == 0:
        times, array = time_array("t", times)[None], array[None]
    if times.dtype.kind not in "biuf" or array.shape[: times.ndim] != times.shape or array.size == 0:
        raise InputError(
            f"{name}: expected values that begin with the shape {times.shape} of t, got {array.shape}"
        )
    indices = list(np.ndindex(array.shape[1:]))
    spread = np.broadcast_to(times.reshape(times.shape + (1,) * (array.ndim - times.ndim)), array.shape)
    T = len(array)
    times, columns = spread.reshape(T, -1).astype(float), array.reshape(T, -1).astype(float)
    finite = np.isfinite(times).all(axis=1)
    return times[finite], columns[finite], indices
