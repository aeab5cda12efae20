"""Where claims are found, and the same report from any number of processes."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

import toymodels as tm
from toymodels.claims import registry, verify
from toymodels.errors import InputError

FILE = '''"""Two claims and one that fails."""
import numpy as np
from toymodels.claims import bound, identity
from toymodels.spaces import matrix, real


@identity("mine 1", A=matrix("m d"), broken={"twice": dict(k=2)})
def gram(A, *, k=1):
    """The Gram matrix is symmetric."""
    return A @ A.mT, k * (A @ A.mT).mT


@bound("mine 2", x=real, y=real, broken={"tight": dict(f=2.1)})
def arithmetic_geometric(x, y, *, f=2):
    """2xy <= x² + y²."""
    return f * x * y, x * x + y * y


@bound("mine 3", x=real, broken={"worse": dict(f=1)})
def fails(x, *, f=0):
    """x <= 1."""
    return x + f, 1
'''


@pytest.fixture
def user_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_a_file_is_verified_in_order_of_definition(user_file):
    report = tm.verify(str(user_file), effort="quick")
    assert [r.claim.name for r in report.results] == ["mine.gram", "mine.arithmetic_geometric", "mine.fails"]
    assert [r.ok for r in report.results] == [True, True, False]
    assert tm.verify(user_file, effort="quick").results[0].claim.label == "mine 1"
    assert sorted(path.name for path in user_file.parent.iterdir()) == ["mine.py"]


def content(report):
    """Everything in a report but times and the number of processes."""
    import json

    data = json.loads(report.to_json())
    for result in data["results"]:
        del result["seconds"]
    del data["environment"]["jobs"]
    return data


def test_a_report_does_not_depend_on_the_number_of_processes(user_file, monkeypatch):
    monkeypatch.chdir(user_file.parent)
    alone = verify("mine.py", effort="quick", seed=3)
    assert content(verify("mine.py", effort="quick", seed=3, jobs=2)) == content(alone)
    assert content(verify("mine.py", effort="quick", seed=3)) == content(alone)
    assert content(verify("mine.py", effort="quick", seed=4)) != content(alone)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = 1 / 0\n", r"bad\.py:2: ZeroDivisionError"),
        ("def f(:\n", r"bad\.py:1: SyntaxError"),
        ("x = 1\n", "holds no claim"),
        ("import sys\nsys.exit(3)\n", r"bad\.py:2: SystemExit"),
        ("import no_such_module_here\n", r"bad\.py:1: ModuleNotFoundError"),
        (
            "from toymodels.claims import identity\n\n@identity('a 1')\ndef f(): '''S.'''\n",
            r"bad\.py:\d: InputError.*broken",
        ),
        ("\n\ndef g():\n    raise KeyError\n\ng()\n", r"bad\.py:4: KeyError"),
    ],
)
@pytest.mark.parametrize("relative", [False, True])
def test_bad_files(tmp_path, monkeypatch, text, message, relative):
    (tmp_path / "bad.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        verify("bad.py" if relative else str(tmp_path / "bad.py"))
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.py"]


def test_missing_files(tmp_path):
    for path in (tmp_path / "missing.py", tmp_path / "folder.py"):
        (tmp_path / "folder.py").mkdir(exist_ok=True)
        with pytest.raises(InputError, match="no such file"):
            verify(str(path))


def test_imported_claims_are_not_a_files_own(tmp_path, monkeypatch):
    (tmp_path / "lender.py").write_text(FILE)
    (tmp_path / "borrower.py").write_text("from lender import gram\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="holds no claim"):
        verify(str(tmp_path / "borrower.py"))
    sys.modules.pop("lender", None)


def module_of(name, text):
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return module


@pytest.fixture
def plug_ins(monkeypatch):
    """Two modules of claims that other distributions register, beside none of our own."""
    first = module_of("plug_first", FILE + "\nFAMILY = 'plugged'\n")
    second = module_of(
        "plug_second", FILE.replace("mine 1", "yours 1; mine 9").replace("def fails", "def gram_too")
    )
    points = [EntryPoint(m.__name__, m.__name__, registry.ENTRY_POINT) for m in (second, first)]
    monkeypatch.setattr(
        registry, "entry_points", lambda group: points if group == registry.ENTRY_POINT else []
    )
    caches = (registry.theorem_modules, registry.all_claims)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()
    for module in (first, second):
        del sys.modules[module.__name__]


def names(what):
    return [claim.name for claim in registry.find(what)]


def test_plug_ins_are_found(plug_ins):
    assert "plug_first.gram" in names(None) and len(names("plug_second")) == 3


def test_the_order_of_readings(plug_ins):
    assert names("plug_first.gram") == ["plug_first.gram"]
    assert names("gram_too") == ["plug_second.gram_too"]
    assert names("yours 1") == ["plug_second.gram"]
    assert names("mine 9") == ["plug_second.gram"]
    assert names("plug_first") == ["plug_first.gram", "plug_first.arithmetic_geometric", "plug_first.fails"]
    assert names("yours") == ["plug_second.gram"]
    assert names("plugged") == names("plug_first")


def test_a_bare_name_of_two_modules_is_ambiguous(plug_ins):
    with pytest.raises(InputError, match=r"ambiguous: plug_first\.gram, plug_second\.gram"):
        registry.find("gram")


def test_unknown_names_name_the_nearest(plug_ins):
    with pytest.raises(InputError, match=r"did you mean.*plug_first\.gram"):
        registry.find("plug_first.gramm")
    with pytest.raises(InputError, match="unknown"):
        registry.find("qqqqqqqqqqqq")


def test_a_plug_in_that_cannot_be_loaded_is_named(plug_ins, monkeypatch):
    point = EntryPoint("lost", "no_such_module_anywhere", registry.ENTRY_POINT)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    registry.theorem_modules.cache_clear()
    registry.all_claims.cache_clear()
    with pytest.raises(InputError, match="plug-in lost"):
        registry.find("x")
