"""The report of a check: plain data, a page of text, Markdown and JSON say the same."""

import json
import pickle
import re

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from proof_files import write_proof

import toymodels as tm
from toymodels.derive import Derivation
from toymodels.derive.page import WIDTH, document_lines
from toymodels.derive.page import _fold as fold
from toymodels.derive.record import record

MARKS = {"ok": "holds", "VACUOUS": "holds", "FALSE": "refuted", "UNDECIDED": "undecided", "ERROR": "error"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_proof(tmp_path_factory.mktemp("proofs"))


@pytest.fixture(scope="module")
def report(path):
    return tm.check(path, effort="quick")


@pytest.fixture(scope="module")
def entries(report):
    return report.documents[0].entries


@pytest.fixture(scope="module")
def content(report):
    return json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def numbered(entries, number):
    return next(entry for entry in entries if entry.number == number)


def test_each_kind_of_line_has_its_mark(entries):
    marks = [entry.mark for entry in entries if entry.kind not in ("flow", "steps", "remark")]
    assert marks == [
        "ok",
        "ok",
        "ok",
        "FALSE",
        "ok",
        "VACUOUS",
        "ok",
        "UNDECIDED",
        *["ok"] * 5,
        "ERROR",
        "ERROR",
        "ok",
    ]
    assert [entry.kind for entry in entries].count("conclusion") == 2
    assert {entry.kind for entry in entries} == {
        "flow",
        "steps",
        "remark",
        "step",
        "conclusion",
        "ships",
        "mistake",
    }


def test_places_are_the_lines_of_the_file(path, entries):
    source = path.read_text(encoding="utf-8").splitlines()
    for entry in entries:
        assert entry.file == str(path.resolve())
        call = {"conclusion": "D.conclude(", "ships": "D.ships(", "remark": "D.remark(", "flow": "D.flow(",
                "steps": "D.steps("}.get(entry.kind, "D.step(")  # fmt: skip
        assert call in source[entry.line - 1]


def test_a_false_step_shows_small_numbers_and_what_would_save_it(entries):
    entry = numbered(entries, 4)
    assert entry.counterexample["values"]["G"] == "[[1]]"
    assert any("G = 0" in note for note in entry.notes)
    assert entry.example[0] == "c = 1, d = 1, m = 1" and entry.example[-1].startswith("right side = ")


def test_prose_lemmas_and_laws_are_told_apart(entries):
    reasons = {entry.reason for entry in entries}
    assert "because product rule (prose, not checked)" in reasons
    assert "by the lemma: Squares are not negative (passed its own check)" in reasons
    assert "descent (declared)" in reasons


def test_a_lemma_that_fails_is_not_said_to_have_passed():
    lemma = Derivation("False")
    x = lemma.scalar("x")
    lemma.step(x, "=", 2 * x)
    D = Derivation("Cites it")
    y = D.scalar("y")
    D.step((y + 1) ** 2, "=", y**2 + 2 * y + 1, D.lemma(lemma))
    (entry,) = record(D, D.check("quick")).entries
    assert entry.mark == "UNDECIDED" and entry.reason == "by the lemma: False"
    assert "did not pass" in entry.finding


def test_what_a_conclusion_rests_on(entries):
    assert numbered(entries, 2).follows == "follows from (1)"
    assert not numbered(entries, 1).follows


def test_cases_and_hypotheses(entries):
    cases = {n: x.text if (x := numbered(entries, n).case) else None for n in (8, 9, 10, 11)}
    assert cases == {8: None, 9: "x > 0", 10: "x > 0, y > 0", 11: None}
    assert numbered(entries, 11).given.text == "x >= 0"
    assert numbered(entries, 12).limit.text == "p -> 0+" and numbered(entries, 13).order.text == "O(p**2)"


def test_letters_are_declared_once_with_what_they_are(report):
    (document,) = report.documents
    words = {tuple(name.text for name in group.names): group.words for group in document.letters}
    assert words == {
        ("m", "d", "c", "n"): "sizes",
        ("W1",): "matrix (m, d)",
        ("W2",): "matrix (c, m)",
        ("G",): "matrix (c, d), constant",
        ("Y",): "low rank matrix (c, d), constant",
        ("x", "y", "lr"): "real",
        ("p",): "positive",
        ("phi",): "smooth function",
    }
    assert [x.text for x in document.assumptions] == ["lr > 0"]


def test_the_report_travels_between_processes(report):
    assert pickle.loads(pickle.dumps(report)).documents == report.documents


def test_the_page_reads_like_the_proof(report):
    page = str(report).splitlines()
    assert max(map(len, page)) <= WIDTH
    assert all(line == line.rstrip() and "\x1b" not in line for line in page)
    assert "          flow  dt(W1) = -W2.T*G" in page
    assert "FALSE     (4)   dt(W1) = W2.T*G" in page
    assert "          case x > 0, y > 0" in page
    assert "ok            (10)  Abs(x*y) = x*y" in page
    assert "ERROR     proof.py:31: W1 * W2: shapes (m, d) and (c, m) do not multiply" in page
    assert [line.strip() for line in page if "follows from" in line] == ["follows from (1)"]
    assert "                  identity by itself, needs none of (1)" in page
    closing = " ".join(page[-2:])
    assert "11 of 16 lines hold" in closing and "1 false, 1 undecided, 1 vacuous, 2 in error" in closing


def test_the_verbose_page_says_more_and_nothing_less(report):
    short, long = report.to_text().splitlines(), report.to_text(verbose=True).splitlines()
    assert set(short) <= set(long) and len(long) > len(short)
    assert any("written at proof.py:20" in line for line in long)
    assert max(map(len, long)) <= WIDTH


def test_json_says_what_the_page_says(content, entries):
    (document,) = content["derivations"]
    assert document["title"].startswith("Every kind") and document["source"] == "after Müller_2020 #3"
    assert not content["ok"] and not document["ok"]
    assert {"python", "sympy", "effort", "seed", "jobs"} <= set(content["environment"])
    assert len(document["lines"]) == len(entries)
    for line, entry in zip(document["lines"], entries, strict=True):
        assert (line["number"], line["kind"], line["mark"] or "") == (entry.number, entry.kind, entry.mark)
        assert line["place"] == {"file": entry.file, "line": entry.line}
        if entry.mark:
            assert line["verdict"] == MARKS[entry.mark]


def test_json_has_formulas_as_text_and_as_latex(content):
    line = next(x for x in content["derivations"][0]["lines"] if x["number"] == 5)
    assert (line["left"], line["relation"], line["right"]) == ("2*x*y", "<=", "x**2 + y**2")
    assert (line["left_latex"], line["right_latex"]) == ("2 x y", "x^{2} + y^{2}")
    assert line["slack"] == "(x - y)**2" and line["evidence"] == "proved" and line["seconds"] >= 0


def test_markdown_keeps_formulas_and_escapes_prose(report, entries):
    page = report.to_markdown()
    assert r"# Every kind of line, 50% & more\_of it: λ ≤ $W_1^\top W_2$" in page
    assert r"a\_1 \* b\_2 \< 3 \{really\}" in page
    for entry in entries:
        if entry.number:
            assert f"**({entry.number})** " in page
    # a backslash before punctuation would be taken away
    for formula in re.findall(r"\$([^$]+)\$", page):
        assert not re.search(r"\\[^a-zA-Z]", formula)


def test_a_derivation_without_steps_is_not_ok(tmp_path):
    (tmp_path / "nothing.py").write_text("from toymodels.derive import Derivation\nD = Derivation('No')\n")
    report = tm.check(tmp_path / "nothing.py")
    assert not report.ok and "no step to check" in str(report)


def test_an_unchecked_page_has_no_marks():
    D = Derivation("A square")
    x = D.scalar("x")
    D.step((x + 1) ** 2, "=", x**2 + 2 * x + 1, because="expand")
    lines = document_lines(record(D))
    assert "          (1)   (x + 1)**2 = x**2 + 2*x + 1" in lines
    assert not any("ok" in line for line in lines)


LETTERS = sp.symbols("alpha b c W_1 residual", real=True)
SUMS = st.recursive(
    st.sampled_from(LETTERS),
    lambda x: (
        st.lists(x, min_size=2, max_size=5).map(lambda xs: sp.Add(*xs))
        | st.lists(x, min_size=2, max_size=4).map(lambda xs: sp.Mul(*xs))
        | x.map(lambda y: sp.sin(y) ** 3)
    ),
    max_leaves=60,
)


@given(SUMS, st.integers(24, 100))
def test_folding_changes_only_the_white_space(expression, width):
    text = str(expression)
    lines = fold(text, width, "    ")
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert all(len(line) <= width for line in lines)


@given(SUMS)
def test_folding_never_breaks_a_word(expression):
    words = re.findall(r"\w+", str(expression))
    assert [word for line in fold(str(expression), 30, "    ") for word in re.findall(r"\w+", line)] == words
