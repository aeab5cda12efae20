"""The derivation that a new user starts from checks, teaches and is never written over another file."""

import ast

import pytest

import toymodels as tm
from toymodels.derive.template import write_template
from toymodels.errors import InputError


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return write_template("my_proof", tmp_path_factory.mktemp("template"))


def test_it_checks(template):
    report = tm.check(template)
    assert report.ok, str(report)
    assert {entry.evidence for entry in report.documents[0].judged} == {"proved"}


def test_it_shows_what_a_derivation_has(template):
    (document,) = tm.check(template, effort="quick").documents
    assert {entry.kind for entry in document.entries} >= {"flow", "step", "conclusion", "ships"}
    assert [entry.follows for entry in document.entries if entry.kind == "conclusion"] == [
        "follows from (2), (3)"
    ]
    assert any(entry.slack is not None for entry in document.entries)


SLIPS = [
    ("W2.T * G, because", "2 * W2.T * G, because"),
    ("by=[second, first]", "by=[second]"),
    ("slack=(a - b) ** 2", "slack=a**2 + b**2"),
    ("W2.T * W2 - W1 * W1.T)\n", "W2.T * W2 + W1 * W1.T)\n"),
]


def test_each_of_its_checks_can_fail(template, tmp_path):
    content = template.read_text(encoding="utf-8")
    right = told(template)
    for k, (old, new) in enumerate(SLIPS):
        assert content.count(old) == 1
        path = tmp_path / f"slip_{k}.py"
        path.write_text(content.replace(old, new), encoding="utf-8")
        assert sum(a != b for a, b in zip(right, told(path), strict=True)) == 1


def told(path):
    (document,) = tm.check(path, effort="quick").documents
    return [(x.mark, x.follows, x.why) for x in document.judged]


def test_it_is_short_and_every_part_is_explained(template):
    content = template.read_text(encoding="utf-8")
    assert len(content.splitlines()) <= 40 and max(map(len, content.splitlines())) <= 110
    assert content.count("\n# ") >= 6
    assert ast.get_docstring(ast.parse(content)).startswith("My proof: ")


@pytest.mark.parametrize("name", ["a b", "1st", "", "a.py", "../a"])
def test_the_name_must_be_an_identifier(tmp_path, name):
    with pytest.raises(InputError, match="identifier"):
        write_template(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(template):
    before = template.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="exists"):
        write_template("my_proof", template.parent)
    assert template.read_text(encoding="utf-8") == before


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        write_template("my_proof", tmp_path / "absent")
