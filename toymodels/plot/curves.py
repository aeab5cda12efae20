"""Where the closed form (line) meets the simulation (dots)."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.validation import nearest, positive_int

Array = np.ndarray


def closed_form(ax: Any, x: Any, y: Any, **look: Any) -> Any:
    """Draw a closed form as a line.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : array_like (T,)
        The curve; points that are not finite leave gaps.
    **look
        Properties of a matplotlib line, or an entry of `series`, whose marker
        is left to `simulation`.

    Returns
    -------
    matplotlib Line2D

    Raises
    ------
    InputError
        When x and y are not real, of one shape and of one dimension, or a
        keyword is no property of a line.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> line = closed_form(Figure().subplots(), [0, 1, 2], [0, 1, 4], label="square")
    >>> line.get_label()
    'square'
    """
    x, y = _curve(x, y)
    return draw(ax, x, y, {"zorder": 2.0} | look | {"marker": "none"})


def simulation(ax: Any, x: Any, y: Any, dots: int = 24, **look: Any) -> Any:
    """Draw a simulation as dots, thinned to a readable number.

    The dots are points of the simulation itself, never interpolated, about
    evenly spaced along the curve as the axes show it now: set scales and
    limits first.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : array_like (T,)
        The simulation; points that are not finite are left out.
    dots : int
        The most dots to draw.
    **look
        Properties of a matplotlib line, or an entry of `series`, whose dashes
        are left to `closed_form`.

    Returns
    -------
    matplotlib Line2D

    Raises
    ------
    InputError
        As for `closed_form`, or when `dots` is not a positive integer.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> points = simulation(Figure().subplots(), range(100), range(100), dots=5)
    >>> points.get_xdata()
    array([ 0., 25., 50., 74., 99.])
    """
    x, y = _curve(x, y)
    shown = np.isfinite(x) & np.isfinite(y)
    x, y = x[shown], y[shown]
    keep = thin(*_as_shown(ax, x, y), dots)
    given = {"marker": "o", "zorder": 3.0, "markeredgecolor": "white", "markeredgewidth": 0.4}
    return draw(ax, x[keep], y[keep], given | look | {"linestyle": "none"})


def thin(x: Any, y: Any, count: int) -> Array:
    """Return indices of at most `count` points evenly spaced along a curve.

    Parameters
    ----------
    x, y : array_like (T,)
        The curve; its arc length is measured with both ranges scaled to one.
    count : int
        The most points to keep; the first and the last are kept when it is
        at least two.

    Returns
    -------
    int array
        Increasing.

    Raises
    ------
    InputError
        As for `simulation`.

    Examples
    --------
    >>> thin([0, 1, 2, 3, 4], [0, 0, 0, 0, 0], 3)
    array([0, 2, 4])
    """
    count = positive_int("count", count)
    x, y = _curve(x, y)
    if len(x) <= count:
        return np.arange(len(x))
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(_to_unit(x)), np.diff(_to_unit(y))))])
    if length[-1] == 0:
        return np.zeros(1, dtype=int)
    wanted = np.linspace(0, length[-1], count)
    after = np.clip(np.searchsorted(length, wanted), 1, len(x) - 1)
    nearer = after - (wanted - length[after - 1] < length[after] - wanted)
    return np.unique(nearer)


def draw(ax: Any, x: Array, y: Array, look: dict[str, Any]) -> Any:
    """Draw one line; a property that lines do not have is an InputError."""
    from matplotlib.artist import ArtistInspector
    from matplotlib.lines import Line2D

    inspector = ArtistInspector(Line2D)
    known = {*inspector.get_setters(), *(alias for names in inspector.aliasd.values() for alias in names)}
    for name in look:
        if name not in known:
            raise InputError(f"{name}: not a property of a line{nearest(name, known)}")
    return ax.plot(x, y, **look)[0]


def _to_unit(values: Array) -> Array:
    """Scale the range of values to one; equal values go to zero."""
    span = np.ptp(values)
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)


def _as_shown(ax: Any, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the coordinates on the axes' scales (their logarithms on log axes), kept to the view."""
    if not len(x):
        return x, y
    scale = ax.transScale.transform
    # A logarithmic scale sends what is not positive to -inf, which the view then bounds.
    with np.errstate(all="ignore"):
        shown = scale(np.column_stack([x, y]))
    view = scale(np.column_stack([ax.get_xlim(), ax.get_ylim()])) if ax.has_data() else shown
    low, high = view.min(axis=0), view.max(axis=0)
    inside = np.clip(np.nan_to_num(shown, nan=0.0), low, high)
    return inside[:, 0], inside[:, 1]


def _curve(x: Any, y: Any) -> tuple[Array, Array]:
    """Return x and y as float arrays of one shape and one dimension."""
    try:
        x, y = np.asarray(x), np.asarray(y)
    except ValueError as error:
        raise InputError("x, y: expected arrays of real numbers") from error
    if x.dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
        raise InputError(f"x, y: expected real numbers, got {x.dtype} and {y.dtype}")
    if x.ndim != 1 or x.shape != y.shape:
        raise InputError(f"x, y: expected two 1-d arrays of one length, got shapes {x.shape} and {y.shape}")
    return x.astype(float), y.astype(float)
