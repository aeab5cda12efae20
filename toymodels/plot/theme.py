"""Page widths, colours and type; set inside a context, never globally."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toymodels.validation import one_of, positive_int, positive_real

WIDTHS = {"column": 3.25, "full": 6.75}
"""Widths of a column and of a full page, in inches."""

PALETTE = ("#14213d", "#8c1c4c", "#1b6a9e", "#dc5a4c", "#4fa89a", "#e8ac30")
"""Colours from dark to light, told apart in grey and by colour-blind readers."""

_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "<", ">")
# Few series take colours that are far apart in lightness and keep clear of the palest.
_CHOICE = {1: (0,), 2: (0, 3), 3: (0, 2, 4), 4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}
_PALEST_SHADE = 0.8

_PAGE: dict[Any, Any] = {
    # Hinted words have another width at every resolution; the layout is made at one and printed at another.
    "text.hinting": "no_hinting",
    "font.family": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "text.usetex": False,
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.handletextpad": 0.5,
    "legend.borderpad": 0.2,
    "legend.labelspacing": 0.3,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.minor.size": 1.7,
    "ytick.minor.size": 1.7,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.4,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100.0,
    "savefig.bbox": None,
}


@contextmanager
def style(width: str = "column", height: float | None = None) -> Iterator[tuple[float, float]]:
    """Draw and save inside this context for figures that fit a page.

    matplotlib starts from its defaults, so that a user's own settings do not
    change a figure; they come back on leaving.

    Parameters
    ----------
    width : {"column", "full"}
        3.25 or 6.75 inches.
    height : float, optional
        In inches; by default 0.7 of a column or 0.4 of the full width.

    Yields
    ------
    (float, float)
        The figure's size in inches, which new figures take.

    Raises
    ------
    InputError
        When the width is not known or the height is not positive.

    Examples
    --------
    >>> with style("full", height=2.5) as size:
    ...     size
    (6.75, 2.5)
    """
    inches = WIDTHS[one_of("width", width, WIDTHS)]
    ratio = 0.7 if width == "column" else 0.4
    size = (inches, ratio * inches if height is None else positive_real("height", height))
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_PAGE | {"figure.figsize": size})
        yield size


def series(count: int) -> list[dict[str, Any]]:
    """Return line styles for `count` series, from dark to light.

    Colours, dashes and markers all differ, so that a figure survives a grey
    printer. After six the colours come again with other dashes and markers.

    Parameters
    ----------
    count : int
        Number of series.

    Returns
    -------
    list of dict
        ``color``, ``linestyle`` and ``marker`` of each.

    Raises
    ------
    InputError
        When `count` is not a positive integer.

    Examples
    --------
    >>> [look["color"] for look in series(2)]
    ['#14213d', '#dc5a4c']
    """
    count = positive_int("count", count)
    cycle = len(PALETTE)
    chosen = _CHOICE.get(count, tuple(k % cycle for k in range(count)))
    return [
        {
            "color": PALETTE[colour],
            "linestyle": _DASHES[(k + k // cycle) % cycle],
            "marker": _MARKERS[(k + k // cycle) % cycle],
        }
        for k, colour in enumerate(chosen)
    ]


def gradation(count: int) -> list[dict[str, Any]]:
    """Return line styles for `count` values of one parameter, in its order from dark to light.

    Parameters
    ----------
    count : int
        Number of values.

    Returns
    -------
    list of dict
        ``color`` and ``marker`` of each; all lines are solid.

    Raises
    ------
    InputError
        When `count` is not a positive integer.

    Notes
    -----
    Colours of viridis, whose lightness grows evenly, without its palest part.

    Examples
    --------
    >>> [look["color"] for look in gradation(3)]
    ['#440154', '#2a788e', '#7ad151']
    """
    count = positive_int("count", count)
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    colours = colormaps["viridis"]
    shades = [_PALEST_SHADE * k / max(count - 1, 1) for k in range(count)]
    return [
        {"color": to_hex(colours(shade)), "linestyle": "-", "marker": _MARKERS[k % len(_MARKERS)]}
        for k, shade in enumerate(shades)
    ]


def ink(color: Any) -> str:
    """Return a colour dark enough to read as text on white.

    The contrast ratio is at least 4.5 (WCAG 2.1, criterion 1.4.3); a colour
    that has it is returned as it is.

    Parameters
    ----------
    color : matplotlib colour

    Returns
    -------
    str
        Hexadecimal.

    Examples
    --------
    >>> ink("#14213d"), ink("white")
    ('#14213d', '#767676')
    """
    from matplotlib.colors import to_hex, to_rgb

    brightest = 1.05 / 4.5 - 0.05
    plain = to_hex(color)
    excess = luminance(plain) / brightest
    if excess <= 1:
        return plain
    # Rounded down to eight bits, so that rounding does not lighten it.
    red, green, blue = (int(255 * _gamma(_linear(part) / excess)) / 255 for part in to_rgb(plain))
    return to_hex((red, green, blue))


def luminance(color: Any) -> float:
    """Return the relative luminance of a colour, 0 (black) to 1 (white); sRGB, IEC 61966-2-1."""
    from matplotlib.colors import to_rgb

    red, green, blue = map(_linear, to_rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    """Undo the gamma of one sRGB channel."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    """Apply the gamma of one sRGB channel."""
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
