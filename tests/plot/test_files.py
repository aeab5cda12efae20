"""The same figure gives the same bytes; a failure leaves nothing behind."""

import hashlib
import os
import re
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from matplotlib.figure import Figure

from toymodels.errors import InputError
from toymodels.plot import closed_form, label_ends, save, series, simulation, style

DATA = {"t": np.linspace(0, 1, 5), "loss": [3, 2, 1], "name": "hierarchy"}


def drawing():
    """A figure with lines, dots, words, symbols and clipping."""
    figure = Figure()
    ax = figure.subplots()
    t = np.linspace(0, 5, 100)
    look = series(2)
    lines = [closed_form(ax, t, np.tanh(k * t), **look[k - 1]) for k in (1, 2)]
    simulation(ax, t, np.tanh(t), **look[0])
    ax.set(xlim=(0, 5), xlabel="time $t$", ylabel=r"strength $u_k/\sqrt{s_k}$")
    label_ends(ax, lines, [r"slow $\lambda_{\max}$", "fast"])
    return figure


def written(folder, **kwargs):
    with style():
        paths = save(drawing(), folder / "figure", data=DATA, **kwargs)
    return {path.suffix: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def files(folder):
    """What one call writes, by suffix."""
    return written(folder)


def test_same_input_same_bytes_whatever_the_day_and_the_epoch(tmp_path, files, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert set(files) == {".pdf", ".svg", ".png", ".npz"}
    assert written(tmp_path) == files


def test_one_figure_saved_twice_and_format_by_format(tmp_path):
    with style():
        figure = drawing()
        once = {path.suffix: path.read_bytes() for path in save(figure, tmp_path / "a")}
        for name in ("png", "svg", "pdf"):
            (path,) = save(figure, tmp_path / "b", [name])
            assert path.read_bytes() == once[f".{name}"]


SCRIPT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import pathlib, test_files
for suffix, data in sorted(test_files.written(pathlib.Path(sys.argv[2])).items()):
    print(suffix, hashlib.sha256(data).hexdigest())
"""


def test_same_bytes_in_another_process_with_other_hashes(tmp_path, files):
    hashes = {suffix: hashlib.sha256(data).hexdigest() for suffix, data in files.items()}
    here = "".join(f"{suffix} {digest}\n" for suffix, digest in sorted(hashes.items()))
    # This process draws its own seed for hashes; it is the given one hardly ever.
    environment = os.environ | {"PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, os.path.dirname(__file__), str(tmp_path)]
    there = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    assert there.stdout == here


def test_files_carry_no_date_and_no_version(folder, files):
    for stamp in (rb"CreationDate", rb"ModDate", rb"<dc:date>", rb"tIME", rb"matplotlib v", rb"Matplotlib"):
        for suffix in (".pdf", ".svg", ".png"):
            assert stamp not in files[suffix], (stamp, suffix)
    with zipfile.ZipFile(folder / "figure.npz") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_fonts_are_truetype_in_pdf_and_outlines_in_svg(files):
    assert b"/Type3" not in files[".pdf"]
    assert b"/CIDFontType2" in files[".pdf"]
    assert b"<text" not in files[".svg"]


def test_size_on_the_page_is_the_columns_width(files):
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+)", files[".pdf"])
    assert float(box[1]) == pytest.approx(72 * 3.25)
    assert int.from_bytes(files[".png"][16:20]) == int(300 * 3.25)


def test_data_are_those_given_in_any_order(tmp_path, folder, files):
    with np.load(folder / "figure.npz") as archive:
        assert sorted(archive) == sorted(DATA)
        np.testing.assert_array_equal(archive["t"], DATA["t"])
    with style():
        path = save(Figure(), tmp_path / "other", ["png"], data=dict(reversed(DATA.items())))[-1]
    assert path.read_bytes() == files[".npz"]


def test_new_files_have_the_permissions_of_new_files(tmp_path, folder, files):
    plain = tmp_path / "plain"
    plain.touch()
    assert (folder / "figure.pdf").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("where", ["missing", "file", "no entry"])
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, where):
    (tmp_path / "file").touch()
    folder = {"missing": tmp_path / "missing", "file": tmp_path / "file", "no entry": "/proc"}[where]
    with pytest.raises(InputError, match="stem: cannot write") as caught:
        save(Figure(), os.path.join(folder, "figure"), data=DATA)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["file"]


def test_a_failure_half_way_leaves_the_old_files_and_no_others(tmp_path, monkeypatch):
    paths = save(Figure(), tmp_path / "figure", data=DATA)
    old = {path.suffix: path.read_bytes() for path in paths}

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(InputError, match=r"figure\.npz: No space left"):
        save(Figure(facecolor="red"), tmp_path / "figure", data=DATA)
    assert {path.suffix: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_an_error_in_drawing_leaves_nothing(tmp_path):
    figure = Figure()
    figure.text(0.5, 0.5, r"$\nosuchsymbol$")
    with pytest.raises(ValueError, match="nosuchsymbol"):
        save(figure, tmp_path / "figure")
    assert not list(tmp_path.iterdir())


def test_a_target_that_is_a_folder(tmp_path):
    (tmp_path / "figure.png").mkdir()
    with pytest.raises(InputError, match="stem: cannot write"):
        save(Figure(), tmp_path / "figure", ["png"])
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"formats": ["pgn"]}, "formats: unknown 'pgn'; did you mean png"),
        ({"formats": []}, "formats: expected one or more"),
        ({"dpi": 0}, "dpi: expected"),
        ({"data": {"bad": [[1], [1, 2]]}}, "data: 'bad' is not an array"),
        ({"data": {"bad": [object()]}}, "data: expected numbers or text for 'bad'"),
        ({"stem": "figure.pdf"}, "stem: expected a path without extension"),
        ({"stem": ""}, "stem: expected a path without extension"),
    ],
)
def test_bad_input_is_named(tmp_path, kwargs, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        save(**{"figure": Figure(), "stem": "figure"} | kwargs)
    assert not list(tmp_path.iterdir())
