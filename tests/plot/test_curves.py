"""Lines keep all points, dots are a readable few of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure

from toymodels.errors import InputError
from toymodels.plot import closed_form, series, simulation, thin

numbers = st.floats(-1e3, 1e3)
curves = st.integers(1, 60).flatmap(lambda n: st.tuples(arrays(float, n, elements=numbers), st.just(n)))


@given(drawn=curves, count=st.integers(1, 30), seed=st.integers(0, 99))
def test_dots_are_points_of_the_simulation(drawn, count, seed):
    y, n = drawn
    x = np.sort(np.random.default_rng(seed).uniform(0, 5, n))
    keep = thin(x, y, count)
    assert 1 <= len(keep) <= max(count, 1)
    assert (np.diff(keep) > 0).all()
    if count >= 2 and n >= 2 and np.hypot(np.ptp(x), np.ptp(y)) > 0:
        assert keep[0] == 0
        assert keep[-1] == n - 1
    dots = simulation(Figure().subplots(), x, y, dots=count)
    points = set(zip(x, y, strict=True))
    assert all((a, b) in points for a, b in zip(dots.get_xdata(), dots.get_ydata(), strict=True))


@given(shift=numbers, stretch=st.floats(0.1, 100))
def test_thinning_does_not_depend_on_units(shift, stretch):
    x = np.linspace(0, 1, 301)
    y = np.tanh(20 * (x - 0.4))
    np.testing.assert_array_equal(thin(x, y, 12), thin(x * 1024, y, 12))
    moved = thin(x, shift + stretch * y, 12)
    assert np.abs(moved - thin(x, y, 12)).max() <= 1


def test_dots_are_evenly_spaced_along_a_sigmoid():
    t = np.linspace(0, 10, 4001)
    u = 1 / (1 + np.exp(-8 * (t - 5)))
    keep = thin(t, u, 20)
    gaps = np.hypot(np.diff(t[keep] / 10), np.diff(u[keep]))
    # Equal arcs, hence nearly equal chords, but where the curve turns by a right angle.
    assert gaps.max() / gaps.min() < np.sqrt(2)
    assert gaps.max() < 1.05 * (1 + 1) / 19
    # Evenly in time, fewer than two dots would fall on the rise.
    rise = (u[keep] > 0.1) & (u[keep] < 0.9)
    assert rise.sum() >= 5


def test_dots_are_even_on_logarithmic_axes():
    ax = Figure().subplots()
    t = np.geomspace(1, 1e6, 6001)
    closed_form(ax, t, 1 / t)
    ax.set(xscale="log", yscale="log")
    dots = simulation(ax, t, 1 / t, dots=7)
    np.testing.assert_allclose(np.log10(dots.get_xdata()), range(7), atol=0.01)


def test_not_finite_points_leave_gaps_or_are_left_out():
    ax = Figure().subplots()
    x, y = np.arange(4.0), np.array([0, np.nan, np.inf, 1])
    assert np.isnan(closed_form(ax, x, y).get_ydata()).sum() == 1
    np.testing.assert_array_equal(simulation(ax, x, y).get_xdata(), [0, 3])
    assert len(simulation(ax, x, np.full(4, np.nan)).get_xdata()) == 0


def test_lines_have_no_dots_and_dots_no_line():
    ax = Figure().subplots()
    look = series(3)[1]
    line, dots = closed_form(ax, [0, 1], [0, 1], **look), simulation(ax, [0, 1], [0, 1], **look)
    assert line.get_marker() == "none"
    assert dots.get_linestyle() == "None"
    assert line.get_color() == dots.get_color() == look["color"]
    assert dots.get_zorder() > line.get_zorder()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: closed_form(ax, [0, 1], [0, 1, 2]), "x, y: expected two 1-d arrays of one length"),
        (lambda ax: closed_form(ax, [[0, 1]], [[0, 1]]), "x, y: expected two 1-d arrays"),
        (lambda ax: closed_form(ax, [0, 1], [0, 1j]), "x, y: expected real numbers"),
        (lambda ax: closed_form(ax, [0, 1], [[0], [1, 2]]), "x, y: expected arrays"),
        (lambda ax: closed_form(ax, [0, 1], [0, 1], colour="red"), "colour: not a property.*color"),
        (lambda ax: simulation(ax, [0, 1], [0, 1], dots=0), "count: expected an integer"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(Figure().subplots())
