"""Every figure draws, at both widths, with readable words, and gives the same bytes."""

import functools
import importlib
import itertools
import subprocess
import sys
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from toymodels import figures
from toymodels.errors import InputError
from toymodels.plot import WIDTHS, save, style

every = pytest.mark.parametrize("name", figures.names())
widths = pytest.mark.parametrize("width", sorted(WIDTHS))


@every
def test_it_has_a_title_words_and_a_source(name):
    document = figures.load(name)
    assert document.name == name
    assert document.title.endswith(".")
    assert "Source: " in document.about


COMPUTING = ("arrays", "attractor", "branches", "exponents", "large_steps")
"""Functions of the documents that compute."""
remembering = functools.cache(functools.cache)


def remember_data(name, patch):
    """Let a document compute once for all widths."""
    module = importlib.import_module(f"toymodels.figures.{name}")
    for part in COMPUTING:
        if hasattr(module, part):
            patch.setattr(module, part, remembering(getattr(module, part)))


@functools.cache
def written_once(name):
    """The drawing of one column with its data, and the bytes of its files."""
    with pytest.MonkeyPatch.context() as patch, style("column"), TemporaryDirectory() as folder:
        remember_data(name, patch)
        drawing, data = figures.load(name).figure(effort="quick", width="column")
        paths = save(drawing, f"{folder}/{name}", ["svg"], data)
        return drawing, data, {path.name: path.read_bytes() for path in paths}


@every
@widths
def test_words_stay_on_the_page_and_overlap_no_others(name, width, monkeypatch):
    from matplotlib.text import Text

    remember_data(name, monkeypatch)
    with style(width):
        if width == "column":
            drawing, data, _ = written_once(name)
        else:
            drawing, data = figures.load(name).figure(effort="quick", width=width)
        drawing.draw_without_rendering()
        hidden = labels_outside_the_limits(drawing)
        texts = [text for text in drawing.findobj(Text) if text.get_visible() and text.get_text()]
        shown = [text for text in texts if id(text) not in hidden]
        boxes = [Text.get_window_extent(text) for text in shown]
    assert drawing.get_size_inches()[0] == WIDTHS[width]
    assert len(boxes) > 5
    for box, text in zip(boxes, shown, strict=True):
        assert drawing.bbox.x0 <= box.x0 and box.x1 <= drawing.bbox.x1, text
        assert drawing.bbox.y0 <= box.y0 and box.y1 <= drawing.bbox.y1, text
    for (a, first), (b, second) in itertools.combinations(zip(boxes, shown, strict=True), 2):
        assert not a.overlaps(b), (first, second)
    for label, array in data.items():
        assert np.isfinite(np.asarray(array, dtype=float)).all(), label


def labels_outside_the_limits(drawing):
    """Tick labels that are made but not drawn."""
    ticks = [
        (tick, axis.get_view_interval())
        for ax in drawing.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks()
    ]
    outside = [tick for tick, (low, high) in ticks if not low <= tick.get_loc() <= high]
    return {id(label) for tick in outside for label in (tick.label1, tick.label2)}


@every
def test_drawn_twice_the_bytes_are_the_same(name, tmp_path):
    # SVG shows every coordinate; the other formats are tested where figures are saved
    first = written_once(name)[-1]
    second = figures.draw(name, tmp_path / "a/new", ["svg"], width="column", effort="quick")
    assert [path.name for path in second] == [f"{name}.{end}" for end in ("svg", "npz")] == list(first)
    for path in second:
        assert path.stat().st_size > 500
        assert path.read_bytes() == first[path.name], path.name


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(InputError, match="figure: unknown 'hierarchy'; did you mean hierarchy_mode_by_mode"):
        figures.load("hierarchy")


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"formats": ["jpg"]}, "formats: unknown 'jpg'"),
        ({"width": "wide"}, "width: unknown 'wide'"),
        ({"effort": "much"}, "effort: unknown 'much'"),
        ({"folder": "/proc/none"}, "folder: cannot make /proc/none"),
    ],
)
def test_bad_input_is_named_before_anything_is_computed(kwargs, message, tmp_path):
    with pytest.raises(InputError, match=message):
        figures.draw(figures.names()[0], **({"folder": tmp_path} | kwargs))
    assert not list(tmp_path.iterdir())


def test_from_a_shell(tmp_path, capsys):
    name = figures.names()[0]
    given = ["--out", str(tmp_path), "--format", "png", "--effort", "quick"]
    command = [sys.executable, "-W", "error", "-m", f"toymodels.figures.{name}", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(tmp_path / f"{name}.{end}") for end in ("png", "npz")]
    assert not done.stderr

    assert figures.main(name, ["--format", "jpg"]) == 2
    assert "unknown 'jpg'" in capsys.readouterr().err
