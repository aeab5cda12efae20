"""The README's programs run, and say what it says they say."""

import re
from pathlib import Path

import pytest

import toymodels as tm
from toymodels.cli import main

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.S)
TRAINING = [program for program in PROGRAMS if "tm.flow" in program or "tm.descend" in program]
SHOWN = re.search(r"`toymodels check` says of it:\n\n```\n(.*?)```", TEXT, re.S)[1]
TIMES = re.compile(r"\[\d+\.\d+ s\]|\d+\.\d+ s$")


def only(mark):
    found = [program for program in PROGRAMS if mark in program]
    assert len(found) == 1
    return found[0]


def test_the_programs_that_train_run_in_turn():
    names = {}
    for program in TRAINING:
        exec(program, names)
    assert len(TRAINING) == 3
    assert names["drift"]["test_loss"][-1] < names["noisy"]["test_loss"].mean(1)[-1] < 0.01


def test_the_theorem_holds(tmp_path, capsys):
    (tmp_path / "my_theorem.py").write_text(only("imbalance_after_a_step"), encoding="utf-8")
    assert main(["verify", str(tmp_path / "my_theorem.py")]) == 0
    assert "1 of 1 claims hold" in capsys.readouterr().out


def test_the_derivation_is_refuted_as_shown(tmp_path):
    (tmp_path / "my_proof.py").write_text(only("Derivation("), encoding="utf-8")
    report = str(tm.check(tmp_path / "my_proof.py"))
    for line in SHOWN.splitlines():
        assert TIMES.sub("", line).strip() in report


@pytest.mark.parametrize("words", re.findall(r"^toymodels (show \S+|list)", TEXT, re.M))
def test_quick_commands_of_the_readme(words, capsys):
    assert main(words.split()) == 0
    assert capsys.readouterr().out
