"""Panels, their key and heat maps; ordered looks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.plot import gradation, heat_map, key, panels, style
from toymodels.plot.theme import luminance


@given(rows=st.integers(1, 3), columns=st.integers(1, 3))
@settings(max_examples=9, deadline=None)
def test_panels_come_row_by_row_on_a_page_of_the_styles_size(rows, columns):
    with style("full", height=3):
        drawing, axes = panels(rows, columns)
    assert tuple(drawing.get_size_inches()) == (6.75, 3)
    places = [ax.get_subplotspec() for ax in axes]
    assert [(p.rowspan.start, p.colspan.start) for p in places] == list(np.ndindex(rows, columns))


def test_stacked_panels_stand_one_above_the_other():
    _, axes = panels(1, 3, stacked=True)
    assert [ax.get_subplotspec().rowspan.start for ax in axes] == [0, 1, 2]
    assert {ax.get_subplotspec().colspan.start for ax in axes} == {0}


@pytest.mark.parametrize("width", ["column", "full"])
@pytest.mark.parametrize("count", [1, 5, 12])
def test_the_key_stays_on_the_page_and_above_the_panels(width, count):
    with style(width, height=3):
        drawing, axes = panels(1, 2)
        lines = [axes[0].plot([0, 1], [0, k], label=f"some words ${k}$")[0] for k in range(count)]
        box = key(drawing, lines, "what they are")
        drawing.draw_without_rendering()
        extent = box.get_window_extent()
    assert len(drawing.legends) == 1
    assert extent.x0 >= drawing.bbox.x0 and extent.x1 <= drawing.bbox.x1
    assert extent.y1 <= drawing.bbox.y1 + 0.5
    assert all(extent.y0 >= ax.get_tightbbox().y1 - 0.5 for ax in axes)


def test_the_key_keeps_to_the_columns_asked_for():
    with style("full"):
        drawing, (ax,) = panels()
        lines = ax.plot([0, 1], np.zeros((2, 4)), label=list("abcd"))
        box = key(drawing, lines, columns=2)
        drawing.draw_without_rendering()
        tops = {round(text.get_window_extent().y0) for text in box.get_texts()}
    assert len(tops) == 2


@pytest.mark.parametrize("count", [3, 4, 7, 9])
def test_the_key_reads_row_by_row(count):
    with style("full"):
        drawing, (ax,) = panels()
        names = [f"{k}" for k in range(count)]
        lines = ax.plot([0, 1], np.zeros((2, count)), label=names)
        box = key(drawing, lines, columns=4)
        drawing.draw_without_rendering()
        places = {text.get_text(): text.get_window_extent() for text in box.get_texts()}
    read = sorted(names, key=lambda name: (-round(places[name].y0), places[name].x0))
    assert read == names


@given(shape=st.tuples(st.integers(2, 5), st.integers(2, 5)), log=st.booleans())
@settings(max_examples=10, deadline=None)
def test_heat_maps_put_every_value_in_the_cell_around_its_point(shape, log):
    rows, columns = shape
    x, y = np.geomspace(1, 8, columns), np.arange(rows, dtype=float)
    values = np.arange(rows * columns, dtype=float).reshape(shape)
    with style():
        drawing, (ax,) = panels()
        ax.set_xscale("log" if log else "linear")
        mesh = heat_map(ax, x, y, values, "size")
        corners = mesh.get_coordinates()
    np.testing.assert_array_equal(mesh.get_array(), values)
    assert len(drawing.axes) == 2
    assert (corners[0, :-1, 0] < x).all() and (x < corners[0, 1:, 0]).all()
    assert (corners[:-1, 0, 1] < y).all() and (y < corners[1:, 0, 1]).all()


def test_a_heat_map_without_words_has_no_scale():
    drawing, (ax,) = panels()
    heat_map(ax, [0, 1], [0, 1], np.eye(2))
    assert len(drawing.axes) == 1


@given(count=st.integers(2, 12))
def test_gradations_grow_lighter_and_stand_out_on_white(count):
    looks = gradation(count)
    light = [luminance(look["color"]) for look in looks]
    assert (np.diff(light) > 0).all()
    assert light[-1] < 0.55
    assert all(one["marker"] != other["marker"] for one, other in itertools.pairwise(looks))
    assert len({look["marker"] for look in looks}) == min(count, 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: panels(0), "rows: expected"),
        (lambda: panels(1, 0), "columns: expected"),
        (lambda: key(panels()[0], []), "handles: expected something with a label"),
        (
            lambda: heat_map(panels()[1][0], [0, 1], [0, 1, 2], np.ones((2, 3))),
            r"values: expected shape \(3,",
        ),
        (lambda: heat_map(panels()[1][0], [0, 1], [0, 1], [[0, 1], [np.nan, 0]]), "values: "),
        (lambda: gradation(0), "count: expected"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
