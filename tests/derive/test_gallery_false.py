"""Every mistake of the gallery is refuted or flagged, with small numbers and the hypothesis that it lacks."""

import importlib
import re
from fractions import Fraction

import pytest
from gallery import FALSE_STEPS

from toymodels.derive import Derivation

for topic in (
    "gradients", "dynamics", "matrices", "scalars", "bounds", "relu", "limits", "expectations", "logic"
):  # fmt: skip
    importlib.import_module(f"false_{topic}")

NUMBER = re.compile(r"-?\d+/\d+|-?\d+\.?\d*")


def numbers(counterexample):
    """The numbers of the letters, sizes included."""
    texts = [text for name, text in counterexample.values.items() if "z ->" not in text]
    return [
        Fraction(number.rstrip("."))
        for text in texts
        for number in NUMBER.findall(re.sub(r"\w+=", " ", text))
    ]


def test_the_gallery_is_large():
    assert len(FALSE_STEPS) >= 45
    assert len({step.mistake for step in FALSE_STEPS}) == len(FALSE_STEPS)


@pytest.mark.parametrize("step", FALSE_STEPS, ids=lambda step: step.mistake.replace(" ", "-"))
def test_the_mistake_is_found(step, monkeypatch):
    if not step.condition:
        # the search for one costs more than all the rest
        monkeypatch.setattr("toymodels.derive.decide._condition", lambda *args: [])
    D = Derivation(step.mistake)
    step.write(D)
    finding = D.check("quick").findings[-1]
    assert finding.mark == step.mark, finding.verdict.why
    assert not finding.ok or step.note, "a mistake that passes must at least be flagged"
    assert any(step.note in note for note in [*finding.notes, ""])
    if step.condition:
        assert any(note.startswith(f"holds when {step.condition}") for note in finding.notes), finding.notes
    if step.mark == "FALSE" and step.small:
        shown = numbers(finding.verdict.counterexample)
        assert all(max(abs(x.numerator), x.denominator) <= 9 for x in shown)
