"""No true step of the gallery is rejected, and each rests on evidence as strong as it should."""

import importlib

import pytest
from gallery import TRUE_STEPS

from toymodels.derive import Derivation
from toymodels.evidence import Evidence

for topic in (
    "gradients", "dynamics", "matrices", "scalars", "bounds", "relu", "limits", "expectations", "logic"
):  # fmt: skip
    importlib.import_module(f"true_{topic}")

MOST_UNDECIDED = 3


def test_the_gallery_is_large_and_little_of_it_is_undecided():
    assert len(TRUE_STEPS) >= 65
    assert len({step.name for step in TRUE_STEPS}) == len(TRUE_STEPS)
    assert sum(bool(step.undecided) for step in TRUE_STEPS) <= MOST_UNDECIDED


def case(step):
    """Enclosures need balls."""
    rigor = [pytest.mark.rigor] if step.evidence == "enclosed" else []
    return pytest.param(step, id=step.name.replace(" ", "-"), marks=rigor)


@pytest.mark.parametrize("step", [case(step) for step in TRUE_STEPS])
def test_the_step_holds(step):
    D = Derivation(step.name)
    step.write(D)
    for finding in D.check("quick").findings:
        if step.undecided and finding.mark == "UNDECIDED":
            continue
        assert finding.mark == "ok", f"{finding.line}: {finding.vacuous or finding.verdict.why}"
        assert finding.verdict.evidence >= Evidence[step.evidence], f"{finding.line}: {finding.verdict.why}"
        alone = not finding.verdict.why.startswith("as strong as the lines it follows from")
        if finding.verdict.evidence >= Evidence.exact and alone:
            assert "adversarial" not in finding.verdict.why, "searching floats proves nothing"
