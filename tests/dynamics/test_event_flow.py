"""The event loop on rules whose flows are known by heart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.dynamics.event_flow import integrate_events
from toymodels.errors import ConvergenceError
from toymodels.problem import Events, Switch

few = settings(max_examples=20, deadline=None)


class Relay:
    """x'' = -sign(x): parabolas between zeros of x, which are 2 v apart when it passes them at speed v."""

    def enter(self, theta):
        return Switch(theta, 1.0 if theta[0] > 0 else -1.0, [])

    def velocity(self, theta, mode):
        return np.array([theta[1], -mode])

    def margins(self, theta, mode):
        return theta[..., :1] * mode

    def floors(self, theta, mode, resolution):
        return np.array([resolution[1]])

    def switch(self, theta, mode, margin, resolution):
        return Switch(theta, -mode, [{"kind": "crossing"}])


class Trap:
    """x' = -1 above 0 and y below it, with y' = -1: x slides along 0 until y is 0, then falls below."""

    def enter(self, theta):
        return Switch(theta, "above", [])

    def velocity(self, theta, mode):
        return np.array([{"above": -1.0, "sliding": 0.0, "below": theta[1]}[mode], -1.0])

    def margins(self, theta, mode):
        return {"above": theta[..., :1], "sliding": theta[..., 1:], "below": 1 + 0 * theta[..., :1]}[mode]

    def floors(self, theta, mode, resolution):
        return np.array([resolution[1]])

    def switch(self, theta, mode, margin, resolution):
        if mode == "above":
            return Switch(np.array([0.0, theta[1]]), "sliding", [{"kind": "sliding"}])
        return Switch(theta, "below", [{"kind": "below"}])


class Wall(Relay):
    """The relay, but the flow ends at the first zero, or never leaves it."""

    def __init__(self, ends):
        self.ends = ends

    def switch(self, theta, mode, margin, resolution):
        if self.ends:
            return Switch(theta, None, [{"kind": "not unique"}])
        return Switch(np.array([-mode * 1e-3, 0.0]), mode, [])


def relay(x, t):
    """Position and velocity at time t from rest at x > 0, and the crossings until then."""
    quarter = np.sqrt(2 * x)
    turns = np.arange(quarter, t, 2 * quarter)
    phase = (t + quarter) % (4 * quarter)
    sign, s = (1, phase) if phase < 2 * quarter else (-1, phase - 2 * quarter)
    return np.array([sign * (quarter * s - s * s / 2), sign * (quarter - s)]), turns


def test_they_are_events():
    assert isinstance(Relay(), Events)


@few
@given(st.floats(1e-3, 10), st.lists(st.floats(0.01, 8), min_size=1, max_size=4).map(sorted))
def test_many_crossings(x, times):
    theta, error, (log,) = integrate_events(Relay(), np.array([[x, 0.0]]), np.array(times))
    for t, state, bound in zip(times, theta[:, 0], error[:, 0], strict=True):
        expected, turns = relay(x, t)
        assert np.linalg.norm(state - expected) <= bound + 1e-11
        assert bound < 1e-9
    found = [event["time"] for event in log]
    assert len(found) == len(turns) or abs(turns[-1] - times[-1]) < 1e-9 or abs(found[-1] - times[-1]) < 1e-9
    np.testing.assert_allclose(found[: len(turns)], turns[: len(found)], atol=1e-11)


@few
@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0.1, 3))
def test_entering_and_leaving_a_kink(x, more, after):
    y, t = x + more, x + more + after
    theta, error, (log,) = integrate_events(Trap(), np.array([[x, y]]), np.array([x, y, t]))
    expected = [[0.0, more], [0.0, 0.0], [-(after**2) / 2, -after]]
    assert (np.linalg.norm(theta[:, 0] - expected, axis=-1) <= error[:, 0] + 1e-13).all()
    assert [event["kind"] for event in log] == ["sliding", "below"]
    np.testing.assert_allclose([event["time"] for event in log], [x, y], atol=1e-12)


def test_runs_go_alone_and_end_alone():
    starts = np.array([[0.5, 0.0], [8.0, 0.0]])
    theta, error, logs = integrate_events(Wall(ends=True), starts, np.array([0.5, 2.0]))
    np.testing.assert_allclose(theta[0, :, 0], [0.375, 7.875])
    assert np.isnan(theta[1, 0]).all() and error[1, 0] == np.inf
    np.testing.assert_allclose(theta[1, 1], [6.0, -2.0])
    assert [event["kind"] for event in logs[0]] == ["not unique"] and logs[1] == []
    assert abs(logs[0][0]["time"] - 1.0) < 1e-12


def test_events_that_accumulate_are_an_error(monkeypatch):
    monkeypatch.setattr("toymodels.dynamics.event_flow.MOST_AT_ONCE", 20)
    with pytest.raises(ConvergenceError, match="more than 20 events at time"):
        integrate_events(Wall(ends=False), np.array([[0.5, 0.0]]), np.array([2.0]))


def test_time_zero_alone():
    theta, error, logs = integrate_events(Relay(), np.array([[1.0, 0.0]]), np.array([0.0]))
    np.testing.assert_array_equal(theta, [[[1.0, 0.0]]])
    assert error[0, 0] == 0 and logs == [[]]


def test_time_has_no_unit():
    """A thousand times the position takes sqrt(1000) times as long."""
    for unit in (1e-12, 1e12):
        theta, _, (log,) = integrate_events(Relay(), np.array([[unit, 0.0]]), np.array([5 * np.sqrt(unit)]))
        expected, turns = relay(unit, 5 * np.sqrt(unit))
        np.testing.assert_allclose([event["time"] for event in log], turns, rtol=1e-11)
        np.testing.assert_allclose(theta[0, 0], expected, rtol=1e-9)
