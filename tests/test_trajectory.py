import os
import stat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from toymodels.errors import InputError
from toymodels.trajectory import Trajectory

reals = st.floats(allow_nan=True, width=64)


@st.composite
def trajectories(draw):
    T, runs, p = draw(st.integers(1, 3)), draw(st.sampled_from([(), (1,), (2, 3)])), draw(st.integers(1, 3))
    field = lambda *shape: draw(arrays.arrays(float, shape, elements=reals))
    step = draw(st.one_of(st.none(), st.just(np.arange(T))))
    start = draw(st.one_of(st.none(), st.just(np.ones((*runs, p)))))
    names = draw(st.sets(st.sampled_from(["loss", "a/b", "<lambda>", "about"])))
    records = {name: field(T, *runs) for name in names}
    events = draw(st.lists(st.fixed_dictionaries({"kind": st.just("diverged"), "step": st.integers(0, 9)})))
    arrays_of_time = field(T), field(T, *runs, p), field(T, *runs)
    return Trajectory(*arrays_of_time, "finished", "é", step, start, events, records)


@settings(max_examples=25, deadline=None)
@given(trajectories())
def test_saved_is_loaded(tmp_path_factory, run):
    path = run.save(tmp_path_factory.mktemp("run") / "run.v1")
    assert path.name == "run.v1.npz"
    again = Trajectory.load(path)
    for name in ("t", "theta", "error", "step", "start"):
        np.testing.assert_array_equal(getattr(run, name), getattr(again, name))
    assert (again.status, again.message, again.events) == (run.status, run.message, run.events)
    assert again.records.keys() == run.records.keys()
    for name, values in run.records.items():
        np.testing.assert_array_equal(again[name], values)
    assert again.save(path.with_name("copy.npz")).read_bytes() == path.read_bytes()


@pytest.fixture
def run():
    return Trajectory(np.arange(2.0), np.ones((2, 3)), np.zeros(2), records={"loss": np.ones(2)})


def test_reading(run):
    assert len(run) == 2 and "loss" in run and "theta" in run and "los" not in run
    assert run["theta"] is run.theta
    with pytest.raises(InputError, match=r"'los' was not recorded; did you mean loss"):
        run["los"]
    assert len(Trajectory(np.array(1.0), np.ones(3), np.array(0.0))) == 1


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(run, tmp_path, mask):
    before = os.umask(mask)
    try:
        path = run.save(tmp_path / "run")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_failed_save_keeps_the_old_file_and_leaves_nothing_behind(run, tmp_path):
    path = run.save(tmp_path / "run")
    old = path.read_bytes()
    run.records["loss"] = np.array([None, None])
    with pytest.raises(InputError, match=r"record/loss: expected numbers to write, got object"):
        run.save(path)
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match=r"^path: cannot write"):
        Trajectory(run.t, run.theta, run.error).save(tmp_path / "missing" / "run")


def test_notes_are_strict_json(run, tmp_path):
    run.events = [{"time": np.inf, "runs": np.arange(2), "step": np.int64(3), "ratio": np.float64(0.5)}]
    again = Trajectory.load(run.save(tmp_path / "run"))
    assert again.events == [{"time": None, "runs": [0, 1], "step": 3, "ratio": 0.5}]


def test_load_names_the_file(run, tmp_path):
    with pytest.raises(InputError, match=r"^path: cannot read .*nothing"):
        Trajectory.load(tmp_path / "nothing")
    run.save(tmp_path / "run")
    assert Trajectory.load(tmp_path / "run")["loss"].tolist() == [1, 1]
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npz").write_text("not a trajectory")
    np.savez(tmp_path / "other.npz", x=np.ones(2))
    np.savez(tmp_path / "note.npz", about=np.array('{"surprise": 1}'))
    np.save(tmp_path / "array.npy", np.ones(2))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    for name in ("empty", "text", "other", "note", "array"):
        with pytest.raises(InputError, match=f"^path: expected a saved trajectory in .*{name}"):
            Trajectory.load(tmp_path / name)


def test_plot_names_what_was_not_recorded(run):
    with pytest.raises(InputError, match=r"'lss' was not recorded; did you mean loss"):
        run.plot("lss")


def test_plot_draws_what_was_recorded(run):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert run.plot("loss", ax=ax) is ax
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), run["loss"])
