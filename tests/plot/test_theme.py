"""The style stays in its context; the palette survives grey printers and colour-blind eyes."""

import itertools
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from toymodels.errors import InputError
from toymodels.plot import PALETTE, WIDTHS, ink, series, style

# Machado, Oliveira, Fernandes 2009: full protanopia, deuteranopia and tritanopia, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color):
    part = np.array(to_rgb(color))
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE Lab of linear RGB."""
    ratio = TO_XYZ @ rgb / TO_XYZ.sum(axis=1)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def lightness(color):
    return lab(linear(color))[0]


def contrast(color):
    """WCAG contrast ratio with white."""
    return 1.05 / (TO_XYZ[1] @ linear(color) + 0.05)


def test_matplotlib_is_imported_on_first_use_alone():
    code = "import sys, toymodels.plot, toymodels.data, toymodels.figures as f; f.load(f.names()[0])"
    code += "; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("width", sorted(WIDTHS))
@pytest.mark.parametrize("fails", [False, True])
def test_rc_parameters_come_back(width, fails):
    before = dict(mpl.rcParams)
    try:
        with style(width, height=2.0):
            assert mpl.rcParams["font.size"] == 8.0
            assert mpl.rcParams["text.usetex"] is False
            assert Figure().get_size_inches().tolist() == [WIDTHS[width], 2.0]
            if fails:
                raise KeyError
    except KeyError:
        assert fails
    assert dict(mpl.rcParams) == before


def test_a_users_settings_neither_enter_nor_are_lost():
    with mpl.rc_context({"axes.facecolor": "red", "lines.linewidth": 9.0}):
        with style():
            assert mpl.rcParams["axes.facecolor"] == "white"
            assert mpl.rcParams["lines.linewidth"] < 2
        assert mpl.rcParams["axes.facecolor"] == "red"


def test_palette_goes_from_dark_to_light_in_steps_seen_in_grey():
    steps = np.diff([lightness(color) for color in PALETTE])
    assert steps.min() > 8  # a step of 2 is just seen side by side
    assert lightness(PALETTE[-1]) < 80  # and the palest still stands out on white


@pytest.mark.parametrize("count", [2, 3, 4])
def test_few_series_are_far_apart_in_grey(count):
    looks = [lightness(look["color"]) for look in series(count)]
    assert np.diff(looks).min() > {2: 40, 3: 15, 4: 8}[count]


@pytest.mark.parametrize("name", sorted(BLINDNESS))
def test_palette_is_told_apart_by_every_eye(name):
    seen = [lab(np.clip(np.array(BLINDNESS[name]) @ linear(color), 0, 1)) for color in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


@given(count=st.integers(1, 40))
def test_series_differ_in_look(count):
    looks = series(count)
    assert len(looks) == count
    seen = {(look["color"], str(look["linestyle"]), look["marker"]) for look in looks}
    assert len(seen) == min(count, 36)
    if count <= 6:
        assert len({look["marker"] for look in looks}) == count
        assert len({str(look["linestyle"]) for look in looks}) == count


@given(color=st.tuples(*[st.floats(0, 1)] * 3))
def test_ink_is_readable_and_keeps_dark_colours(color):
    shown = mpl.colors.to_hex(color)
    assert contrast(ink(color)) >= 4.5
    if contrast(shown) >= 4.5:
        assert ink(color) == shown
    else:
        assert contrast(ink(color)) < 4.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: style("colunm").__enter__(), "width: unknown 'colunm'; did you mean column"),
        (lambda: style(height=0).__enter__(), "height: expected"),
        (lambda: series(0), "count: expected an integer"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
