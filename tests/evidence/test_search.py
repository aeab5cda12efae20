"""Adversarial search: finds, shrinks, sharpens, repeats itself, and leaves nothing behind."""

import importlib
import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.arithmetic.systems import FLOATS, FRACTIONS
from toymodels.errors import AssumptionError
from toymodels.evidence.search import _from_line, _to_line, explore, sharpen
from toymodels.evidence.statement import Statement, draw_until_accepted
from toymodels.spaces import (
    POSITIVE,
    REAL,
    Domain,
    between,
    integer,
    log_uniform,
    matrix,
    positive,
    real,
    vector,
)
from toymodels.spaces.source import RandomFloats, Record


def S(function, **spaces):
    return Statement(function, spaces, {}, "search")


def gap(case):
    """Left minus right: positive breaks left <= right."""
    left, right = case.result
    return float(np.max(np.asarray(left - right, dtype=float)))


def values(case):
    return {name: float(value) if np.ndim(value) == 0 else value for name, value in case.values.items()}


def test_counterexamples_are_small_integers():
    found = explore(S(lambda x, y: (x + y, 10), x=real, y=real), gap, 500, 0, largest=3)
    assert found.broken is None or sum(values(found.broken).values()) > 10
    found = explore(S(lambda x, y: (x + y, 2), x=real, y=real), gap, 200, 0)
    x, y = values(found.broken).values()
    assert x + y > 2 and (x, y) == (round(x), round(y)) and abs(x) <= 3 and abs(y) <= 3


def test_exact_counterexamples_are_small_rationals_of_small_size():
    different = lambda case: 1.0 if np.any(case.result[0] != case.result[1]) else -1.0
    found = explore(
        S(lambda A: ((A @ A.mT).sum(0), (A * A).sum()), A=matrix("m d")), different, 100, 3, FRACTIONS
    )
    entries = list(found.broken.values["A"].flat)
    assert all(isinstance(x, Fraction) for x in entries) and max(map(abs, entries)) <= 2
    assert found.broken.sizes == {"m": 2, "d": 1}


def test_true_statements_are_not_broken_and_the_worst_case_is_kept():
    found = explore(S(lambda x, y: (2 * x * y, x * x + y * y + 1e-9), x=real, y=real), gap, 200, 0)
    assert found.broken is None and found.cases > 50
    assert found.score == gap(found.worst) == max(score for score, *_ in found.nearest)


def peak(x, y):
    """A bound that fails in a disc of radius 0.01 about (2.2345, -1.777) only."""
    square = (x - 2.2345) ** 2 + (y + 1.777) ** 2
    return 1 / (1 + square), 1 / (1 + 1e-4)


def test_sharpening_finds_what_sampling_misses():
    statement = S(peak, x=real, y=real)
    rng = np.random.default_rng(0)
    assert all(gap(draw_until_accepted(statement, RandomFloats(rng))) <= 0 for _ in range(200))
    found = explore(statement, gap, 30, 0)
    assert found.broken is None
    assert sharpen(statement, gap, found, 300).broken is not None
    assert gap(found.broken) > 0


def test_what_sharpening_breaks_is_rounded():
    statement = S(
        lambda x, y: (-((x - 2.5) ** 2) - (y - 0.25) ** 2, -1e-4), x=between(0, 40), y=log_uniform(1e-3, 10)
    )
    found = sharpen(statement, gap, explore(statement, gap, 25, 1, shrinks=0), 400)
    assert found.broken is None or values(found.broken) == pytest.approx({"x": 2.5, "y": 0.25}, abs=0.02)
    assert found.broken is not None


@settings(max_examples=60)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.floats(0.001, 0.999))
def test_the_line_covers_every_domain(x, y, z):
    box = Domain(-2.0, 5.0)
    record = Record([(REAL, [x]), (POSITIVE, [y]), (box, [-2 + 7 * z])], [])
    back = _from_line(record, _to_line(record))
    assert back == pytest.approx([x, y, -2 + 7 * z], rel=1e-9, abs=1e-9)
    far = _from_line(record, [1e9, 1e9, 1e9])
    assert all(math.isfinite(value) for value in far) and far[1] > 0 and -2 <= far[2] <= 5


def test_rejected_and_undefined_cases_do_not_count():
    def root(x):
        if x < 0:
            raise AssumptionError("x >= 0")
        return np.sqrt(x), 10

    found = explore(S(root, x=real), gap, 100, 0)
    assert found.broken is None and found.cases > 10 and found.worst.values["x"] >= 0
    never = explore(S(lambda x: (x, math.nan), x=real), gap, 50, 0)
    assert never.worst is None and never.broken is None and never.cases == 0


def test_statements_without_variables_are_looked_at_once():
    assert explore(S(lambda: (1, 2)), gap, 50, 0).cases == 1


@pytest.mark.parametrize("space", [positive, between(-3, -2), log_uniform(1e-6, 1e6), integer(2, 7)])
def test_cases_stay_in_their_spaces(space):
    seen = []
    explore(S(lambda x: (seen.append(x) or 0, 1), x=space), gap, 200, 0)
    low, high = {"in (-3, -2)": (-3, -2), "integer in [2, 7]": (2, 7)}.get(space.text, (0, math.inf))
    assert len(set(seen)) > 5 and all(low <= x <= high for x in seen)
    if space.text.startswith("log"):
        assert min(seen) < 1e-3 and max(seen) > 1e3 and all(1e-6 <= x <= 1e6 for x in seen)


@pytest.mark.parametrize("system", [FLOATS, FRACTIONS])
def test_one_seed_gives_one_search(system):
    def trace(seed):
        seen = []
        statement = S(lambda x: (seen.append(tuple(map(float, x))) or x.sum(), 5), x=vector("n"))
        found = explore(statement, gap, 60, seed, system)
        return seen, repr(found.broken), found.score

    assert trace(4) == trace(4)
    assert trace(4)[0] != trace(5)[0]


def test_a_search_does_not_depend_on_what_is_imported(monkeypatch, tmp_path):
    """Hypothesis reads constants from the source of imported modules; a search must not."""

    def seen():
        values = []
        explore(S(lambda x: (values.append(float(x)) or 0, 1), x=between(-4000, 4000)), gap, 300, 0)
        return values

    before = seen()
    (tmp_path / "constants_of_a_user.py").write_text(f"NUMBERS = {[k + 0.123 for k in range(400)]}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("constants_of_a_user")
    assert seen() == before and not {k + 0.123 for k in range(400)} & set(before)


SCRIPT = """
import numpy as np
from toymodels.evidence.search import explore, sharpen
from toymodels.evidence.statement import Statement
from toymodels.spaces import real
statement = Statement(lambda x, y: (x * y, 3), {"x": real, "y": real})
found = explore(statement, lambda case: float(case.result[0] - case.result[1]), 100, 0)
sharpen(statement, lambda case: float(case.result[0] - case.result[1]), found, 50)
assert found.broken is not None
"""


def test_a_search_leaves_no_file_where_the_user_stands(tmp_path):
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []
