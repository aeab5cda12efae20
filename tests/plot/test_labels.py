"""Labels and legends cover neither data nor each other."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from toymodels.errors import InputError
from toymodels.plot import closed_form, label_ends, label_point, legend, series, simulation, style
from toymodels.plot.labels import spread
from toymodels.plot.overlap import is_free, settle

intervals = st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 10)), min_size=1, max_size=8)


@given(intervals=intervals)
def test_spread_intervals_do_not_overlap_and_keep_their_order(intervals):
    centres, heights = map(np.array, zip(*intervals, strict=True))
    placed = spread(centres, heights)
    order = np.argsort(placed)
    assert (np.diff(centres[order]) >= 0).all()
    gaps = np.diff(placed[order]) - (heights[order][1:] + heights[order][:-1]) / 2
    assert (gaps >= -1e-12).all()


@given(intervals=intervals, seed=st.integers(0, 99))
def test_spread_is_the_nearest_such_placement(intervals, seed):
    """The problem is convex: the residual has a non-positive product with every feasible direction."""
    centres, heights = map(np.array, zip(*intervals, strict=True))
    placed = spread(centres, heights)
    order = np.argsort(placed)
    other = np.random.default_rng(seed).uniform(-60, 60, len(centres))
    tall = heights[order]
    offsets = np.cumsum(tall) - tall / 2
    feasible = np.empty_like(other)
    feasible[order] = np.sort(other) + offsets
    assert (centres - placed) @ (feasible - placed) <= 1e-9


@given(intervals=intervals)
def test_spread_stays_within_bounds_when_there_is_room(intervals):
    centres, heights = map(np.array, zip(*intervals, strict=True))
    low, high = -40.0, -40.0 + 1.001 * heights.sum()
    placed = spread(centres, heights, low, high)
    assert (placed - heights / 2 >= low - 1e-9).all()
    assert (placed + heights / 2 <= high + 1e-9).all()


def boxes(texts):
    """Extents of the labels' text, without leaders."""
    from matplotlib.text import Text

    settle(texts[0].axes)
    return [Text.get_window_extent(text) for text in texts]


@settings(max_examples=6, deadline=None)
@given(ends=st.lists(st.floats(0, 1), min_size=2, max_size=5), width=st.sampled_from(["column", "full"]))
def test_end_labels_overlap_neither_each_other_nor_the_axes_nor_leave_the_page(ends, width):
    with style(width):
        figure = Figure()
        ax = figure.subplots()
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="time $t$", ylabel="loss $L$")
        looks = series(len(ends))
        lines = [closed_form(ax, [0, 1], [0, end], **look) for end, look in zip(ends, looks, strict=True)]
        names = [rf"mode {k}, $s_{k}=\sqrt{{{k}}}$" for k in range(len(ends))]
        found = boxes(label_ends(ax, lines, names))
    assert not any(a.overlaps(b) for a, b in itertools.combinations(found, 2))
    assert all(box.x0 >= ax.bbox.x1 for box in found)
    page = figure.bbox
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in found)
    assert all(page.y0 <= box.y0 and box.y1 <= page.y1 for box in found)


def test_labels_stand_at_their_ends_when_there_is_room():
    with style():
        ax = Figure().subplots()
        ax.set(xlim=(0, 1), ylim=(0, 1))
        lines = [closed_form(ax, [0, 1], [0, end]) for end in (0.2, 0.8)]
        texts = label_ends(ax, lines, ["low", "high"])
        for text, box, end in zip(texts, boxes(texts), (0.2, 0.8), strict=True):
            assert not text.arrow_patch.get_visible()
            assert abs((box.y0 + box.y1) / 2 - ax.transData.transform((1, end))[1]) < box.height / 2


@settings(max_examples=4, deadline=None)
@given(corner=st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1)]))
def test_legend_takes_the_empty_corner(corner):
    x = np.linspace(0, 1, 50)
    with style():
        ax = Figure().subplots()
        right, up = corner
        path = np.array([(1 - right, up), (1 - right, 1 - up), (right, 1 - up)])
        curve = np.vstack([np.outer(1 - x, path[k]) + np.outer(x, path[k + 1]) for k in range(2)])
        closed_form(ax, curve[:, 0], curve[:, 1], label="closed form")
        box = legend(ax)
        settle(ax)
        extent = box.get_window_extent()
        assert is_free(ax, extent, besides=[box])
        assert (extent.x0 + extent.x1 > ax.bbox.x0 + ax.bbox.x1) == bool(right)
        assert (extent.y0 + extent.y1 > ax.bbox.y0 + ax.bbox.y1) == bool(up)


def test_legend_goes_above_when_data_are_everywhere():
    rng = np.random.default_rng(0)
    with style():
        figure = Figure()
        ax = figure.subplots()
        for look in series(2):
            simulation(ax, *rng.uniform(0, 1, (2, 2000)), dots=2000, label="draws", **look)
        box = legend(ax)
        settle(ax)
        extent = box.get_window_extent()
        assert extent.y0 >= ax.bbox.y1
        assert extent.y1 <= figure.bbox.y1


@pytest.mark.parametrize("count", [1, 6, 12])
def test_legend_above_takes_rows_enough_to_stay_on_the_page(count):
    x = np.linspace(0, 1, 100)
    with style(height=3):
        figure = Figure()
        ax = figure.subplots()
        for k, look in enumerate(series(count)):
            closed_form(ax, x, np.sin(200 * x + k), label=f"some words ${k}$", **look)
        box = legend(ax)
        settle(ax)
        extent = box.get_window_extent()
    assert extent.y0 >= ax.bbox.y1
    assert extent.x1 <= figure.bbox.x1
    assert extent.y1 <= figure.bbox.y1
    assert ax.bbox.height > figure.bbox.height / 3


def test_legend_above_clears_labels_that_stand_higher_than_the_axes():
    with style():
        ax = Figure().subplots()
        ax.set(xlim=(0, 1), ylim=(0, 1))
        x, y = np.tile([0, 1], 60), np.repeat(np.linspace(0, 1, 60), 2)
        line = closed_form(ax, x, y, label="everywhere " * 4)
        (text,) = label_ends(ax, [line], ["two\nlines"])
        box = legend(ax)
        settle(ax)
        assert not box.get_window_extent().overlaps(boxes([text])[0])


@settings(max_examples=6, deadline=None)
@given(x=st.floats(0.1, 0.9), y=st.floats(0.1, 0.9))
def test_point_labels_keep_clear_of_the_curve_and_of_each_other(x, y):
    with style():
        ax = Figure().subplots()
        t = np.linspace(0, 1, 100)
        line = closed_form(ax, t, t)
        texts = [label_point(ax, x, y, "half time"), label_point(ax, x, y, "inflection")]
        found = boxes(texts)
        assert not found[0].overlaps(found[1])
        pixels = ax.transData.transform(np.column_stack([t, t]))
        assert all(box.count_contains(pixels) == 0 for box in found)
        assert all(is_free(ax, box, besides=texts) for box in found)
        assert line.get_visible()


def test_is_free_sees_lines_dots_and_texts():
    ax = Figure().subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    settle(ax)

    def middle(size):
        return Bbox(ax.transAxes.transform([(0.5 - size, 0.5 - size), (0.5 + size, 0.5 + size)]))

    assert is_free(ax, middle(0.1))
    # The segment crosses the box though no vertex lies in it.
    line = closed_form(ax, [0, 1], [0, 1])
    assert not is_free(ax, middle(0.1))
    assert is_free(ax, middle(0.1), besides=[line])
    line.remove()
    # Dots are no segments: those at the corners leave the middle free.
    dots = simulation(ax, [0, 1], [0, 1])
    assert is_free(ax, middle(0.1))
    dots.remove()
    scattered = ax.scatter([0.5], [0.5])
    assert not is_free(ax, middle(0.1))
    scattered.remove()
    ax.text(0.5, 0.5, "here")
    assert not is_free(ax, middle(0.1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: label_ends(ax, ax.plot([0, 1], [0, 1]), ["a", "b"]), "labels: expected 1"),
        (lambda ax: label_ends(ax, ax.plot([0, 1], [np.nan, np.nan]), ["a"]), "no finite point"),
        (lambda ax: legend(ax), "handles: expected something with a label"),
        (lambda ax: label_point(ax, 0.5, 0.5, "far too long " * 20), "text: no free place"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(Figure().subplots())
