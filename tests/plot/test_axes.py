"""Trajectories of any shape become lines, each over its own times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from toymodels import Trajectory
from toymodels.errors import InputError
from toymodels.plot import log_axes, trajectory_axes


def axes():
    return Figure().subplots()


@settings(max_examples=25, deadline=None)
@given(T=st.integers(2, 4), rest=st.lists(st.integers(1, 3), max_size=3), own=st.integers(0, 2))
def test_every_entry_is_a_line_over_its_own_times(T, rest, own):
    """Times have the first `own` axes of the runs."""
    values = np.random.default_rng(0).uniform(size=(T, *rest))
    shape = (T, *rest[:own])
    t = np.arange(np.prod(shape), dtype=float).reshape(shape)
    ax = trajectory_axes(t, values, "least_margins", ax=axes())
    lines = ax.lines
    assert len(lines) == np.prod(rest, dtype=int)
    for line, index in zip(lines, np.ndindex(*rest), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), values[(slice(None), *index)])
        np.testing.assert_array_equal(line.get_xdata(), t[(slice(None), *index[:own])])
    assert ax.get_ylabel() == "least margins"


def test_infinite_times_are_left_out_and_one_time_is_a_point():
    ax = trajectory_axes([0, 1, np.inf], [3, 2, 1], "loss", ax=axes())
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [0, 1])
    ax = trajectory_axes(1.0, [3, 2], "loss", ax=axes())
    assert [line.get_marker() for line in ax.lines] == ["o", "s"]


def test_the_plot_method_of_a_trajectory():
    times = np.linspace(0, 1, 5)
    run = Trajectory(t=times, theta=np.zeros((5, 2)), error=np.zeros(5), records={"loss": np.exp(-times)})
    ax = run.plot("loss", ax=axes(), color="red", log="y")
    assert ax.get_yscale() == "log"
    assert ax.lines[0].get_color() == "red"
    assert ax.get_xlabel() == "time $t$"


def test_without_axes_a_pyplot_figure_is_made():
    import matplotlib

    with matplotlib.rc_context({"backend": "agg"}):
        from matplotlib import pyplot

        ax = trajectory_axes([0, 1], [1, 2], "loss")
        assert pyplot.fignum_exists(ax.get_figure().number)
        pyplot.close(ax.get_figure())


@pytest.mark.parametrize("span", [1, 3, 12, 40])
def test_log_axes_have_few_labels_at_powers_of_ten(span):
    figure = Figure(figsize=(3, 2))
    ax = figure.subplots()
    x = np.geomspace(1, 10.0**span, 50)
    ax.plot(x, 1 / x)
    log_axes(ax)
    figure.draw_without_rendering()
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        ticks = axis.get_majorticklocs()
        shown = ticks[(ticks >= limits[0] * 0.999) & (ticks <= limits[1] * 1.001)]
        np.testing.assert_allclose(np.log10(shown), np.round(np.log10(shown)), atol=1e-9)
        assert 2 <= len(shown) <= 9
        assert not any(label.get_text() for label in axis.get_minorticklabels())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: trajectory_axes([0, 1], [1, 2, 3], "loss", ax=ax), "loss: expected values that begin"),
        (lambda ax: trajectory_axes([0, 1], [1, 2j], "loss", ax=ax), "loss: expected real numbers"),
        (lambda ax: trajectory_axes([0, 1], np.ones((2, 201)), "theta", ax=ax), "theta: 201 lines are too"),
        (lambda ax: trajectory_axes([0, 1], [1, 2], "loss", ax=ax, colr="r"), "colr: not a property.*color"),
        (lambda ax: trajectory_axes([0, 1], [1, 2], "loss", ax=ax, log="z"), "log: unknown 'z'"),
        (lambda ax: trajectory_axes([0, 1], [-1, 0], "loss", ax=ax, log="y"), "y axis needs positive"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(axes())
