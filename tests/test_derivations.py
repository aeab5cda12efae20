"""Every line of every installed derivation is an item: it holds, and it says something."""

from functools import cache

import pytest

from toymodels import derivations
from toymodels.derive import check_derivation
from toymodels.derive.document import CHECKED
from toymodels.derive.record import record


@cache
def checked(name):
    """Return the checked derivations of a document."""
    return [record(D, check_derivation(D, "quick"), name) for D in derivations.load(name)]


def lines():
    """Yield each line of each document by its place among those that are checked."""
    for name in derivations.names():
        for part, derivation in enumerate(derivations.load(name)):
            judged = [entry for entry in record(derivation).entries if entry.kind in CHECKED]
            for k, entry in enumerate(judged):
                yield pytest.param(name, part, k, id=f"{name}-{part}-({entry.number})-line-{entry.line}")


@pytest.mark.parametrize(("name", "part", "k"), list(lines()))
def test_line(name, part, k):
    entry = checked(name)[part].judged[k]
    told = [f"{entry.place}: {entry.mark}", entry.finding, *entry.notes, *entry.example]
    assert entry.mark == "ok", "\n".join(told)


@pytest.mark.parametrize("name", derivations.names())
def test_every_document_ends_in_what_it_ships(name):
    for document in checked(name):
        assert [entry.kind for entry in document.judged].count("ships") >= 1
        assert document.source.startswith(("after ", "own"))


@pytest.mark.parametrize("name", derivations.names())
def test_nothing_is_called_proved_or_exact_on_float_evidence(name):
    for document in checked(name):
        for entry in document.judged:
            if entry.evidence in ("proved", "exact"):
                assert "adversarial cases" not in entry.why.partition("; alone: ")[0]
