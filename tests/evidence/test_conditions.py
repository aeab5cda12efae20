"""The condition that separates: right on fresh cases, simplest first, and none where there is none."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.arithmetic import identity_like, mT, trace
from toymodels.arithmetic.elementary import log, sqrt
from toymodels.arithmetic.systems import FLOATS, FRACTIONS, MEASURED
from toymodels.errors import LeftArithmetic
from toymodels.evidence import sides
from toymodels.evidence.candidates import Candidate, Kind
from toymodels.evidence.conditions import FEWEST, MADE, Condition, _condition, separating_condition
from toymodels.evidence.restricted import Dyadic, draw, entries, moved
from toymodels.evidence.statement import Statement
from toymodels.spaces import (
    POSITIVE,
    REAL,
    Domain,
    Rejected,
    Space,
    between,
    integer,
    invertible,
    matrix,
    orthogonal,
    positive,
    positive_definite,
    real,
    symmetric,
    vector,
)

A, B = matrix("n n"), matrix("n n")


def S(function, sizes=None, **spaces):
    return Statement(function, spaces, sizes or {}, "conditions")


def exactly(case):
    return -1.0 if sides.exactly_equal(*case.result) else 1.0


def nearly(case):
    a, b = (np.asarray(side, dtype=float) for side in case.result)
    return float(np.max(abs(a - b) - 1e-9 * (1 + abs(a) + abs(b))))


def beyond_budget(case):
    gap, budget = sides.gaps(*case.result)
    return float(np.max(gap - budget))


def at_most(case):
    left, right = case.result
    return float(left - right)


SEPARATED = {
    "x > 0": (S(lambda x: (sqrt(x * x), x), x=real), nearly, FLOATS),
    "x < 0": (S(lambda x, y: (sqrt(x * x) * y, -x * y), x=real, y=real), nearly, FLOATS),
    "x != 0": (S(lambda x: (1.0 if x else 0.0, 1.0), x=real), nearly, FLOATS),
    "x = 0": (S(lambda x, y: (x * y, 2 * x * y), x=real, y=positive), exactly, FRACTIONS),
    "|x| < 1": (S(lambda x: (x * x, abs(x)), x=real), at_most, FLOATS),
    "x < y": (S(lambda x, y: (abs(x - y), y - x), x=real, y=real), nearly, FLOATS),
    "x > y": (S(lambda x, y: (y, x), x=real, y=real), at_most, FLOATS),
    "x = y": (S(lambda x, y: ((x + y) ** 2, 4 * x * y), x=real, y=real), exactly, FRACTIONS),
    "x > 0 and y > 0": (S(lambda x, y: (abs(x) + abs(y), x + y), x=real, y=real), nearly, FLOATS),
    "n = 1": (S(lambda A: ((A * A).sum(), A.sum() ** 2), A=A), exactly, FRACTIONS),
    "m = d": (S(lambda A: (A.shape[0], A.shape[1]), A=matrix("m d")), nearly, FLOATS),
    "A is symmetric": (S(lambda A: (mT(A), A + 0), A=A), exactly, FRACTIONS),
    "A and B commute": (S(lambda A, B: (A @ B, B @ A), A=A, B=B), exactly, FRACTIONS),
    "A is invertible": (S(lambda A: (float(np.linalg.matrix_rank(A)), float(len(A))), A=A), nearly, FLOATS),
    "A has full rank": (
        S(lambda A: (float(np.linalg.matrix_rank(A)), float(min(A.shape))), A=matrix("m d")),
        nearly,
        FLOATS,
    ),
    "A = 0": (S(lambda A: (A @ mT(A), 2 * (A @ mT(A))), A=matrix("m d")), exactly, FRACTIONS),
}


@pytest.mark.parametrize("text", SEPARATED)
def test_the_missing_condition_is_found(text):
    statement, objective, system = SEPARATED[text]
    found = separating_condition(statement, objective, 0, system)
    assert found.text == f"holds when {text}"
    assert found.supported >= FEWEST and found.broken >= 1


@pytest.mark.parametrize("system", [FLOATS, MEASURED, FRACTIONS])
def test_commuting_matrices_in_every_arithmetic(system):
    objective = {FLOATS: nearly, MEASURED: beyond_budget, FRACTIONS: exactly}[system]
    statement = S(lambda A, B: ((A + B) @ (A - B), A @ A - B @ B), A=A, B=B)
    assert separating_condition(statement, objective, 1, system).text == "holds when A and B commute"


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("A and B commute", lambda A, B: (A @ B, B @ A)),
        ("A is symmetric", lambda A, B: (A + B, mT(A) + B)),
        ("A = 0", lambda A, B: (A @ B, 2 * (A @ B) + A)),
    ],
)
def test_matrices_that_luck_never_draws(text, function):
    statement = S(function, {"n": (2, 3)}, A=A, B=B)
    found = separating_condition(statement, exactly, 0, FRACTIONS)
    assert found.text == f"holds when {text}" and found.supported >= 2 * MADE


def test_one_case_is_enough_to_reject_a_condition():
    candidate = Candidate("it is true", Kind.open, lambda drawn: drawn)
    held, broken = [(True, False)] * FEWEST, [(False, True)]
    assert _condition(held + broken, candidate) == Condition("holds when it is true", FEWEST, 1)
    assert _condition([*held, (True, True), *broken], candidate) is None
    assert _condition(held[1:] + broken, candidate) is None
    assert _condition(held, candidate) is None


NEVER = {
    "false everywhere": (S(lambda x: (x, x + 1), x=real), nearly, FLOATS),
    "true everywhere": (S(lambda x: (x, x + 0), x=real), nearly, FLOATS),
    "the sign is given": (S(lambda x: (sqrt(x * x), -x), x=positive), nearly, FLOATS),
    "never judged": (S(lambda x: (x, x), x=real), lambda case: math.nan, FLOATS),
    "no variables": (S(lambda: (1, 2)), nearly, FLOATS),
    "a finer condition": (S(lambda x: (float(x > 0.3), 0.0), x=real), lambda c: c.result[0] - 0.5, FLOATS),
}


@pytest.mark.parametrize("name", sorted(set(NEVER) - {"a finer condition"}))
def test_nothing_separates(name):
    assert separating_condition(*NEVER[name][:2], 0, NEVER[name][2]) is None


def test_a_sufficient_condition_is_offered_where_the_sharp_one_is_not_simple():
    statement, objective, system = NEVER["a finer condition"]
    assert separating_condition(statement, objective, 0, system).text == "holds when x < 0"


def test_weaker_conditions_come_first():
    # holds for commuting matrices, so for n = 1 and for A = 0 as well
    statement = S(lambda A, B: (trace(A @ A @ B @ B), trace(A @ B @ A @ B)), A=A, B=B)
    assert separating_condition(statement, exactly, 0, FRACTIONS).text == "holds when A and B commute"
    # holds on both half lines of both variables
    statement = S(lambda x, y: (float(x * y == 0), 0.0), x=real, y=positive)
    assert separating_condition(statement, nearly, 0).text == "holds when x != 0"


def test_moved_variables_stay_in_their_spaces():
    nonzero = Space(lambda source, name: _nonzero(source), "nonzero")
    statement = S(lambda x, y: (x * y, 2 * x * y), x=nonzero, y=positive)
    assert separating_condition(statement, exactly, 0, FRACTIONS) is None
    statement = S(lambda A: (mT(A) @ A, 2 * identity_like(A)), A=orthogonal("n"))
    assert separating_condition(statement, exactly, 0, FRACTIONS) is None


def _nonzero(source):
    value = source.number(REAL)
    source.require(value != 0, "zero")
    return value


def test_hypotheses_of_the_statement_reject_cases():
    def cancelled(x, y):
        if y <= 0:
            raise Rejected("y > 0")
        return x * y / y, abs(x)

    assert separating_condition(S(cancelled, x=real, y=real), nearly, 0).text == "holds when x > 0"


def test_what_the_statement_raises_in_an_arithmetic_is_raised():
    with pytest.raises(LeftArithmetic):
        separating_condition(S(lambda x: (log(x * x), 2 * log(x)), x=real), exactly, 0, FRACTIONS)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.sampled_from(sorted(SEPARATED)))
def test_every_seed_finds_the_same(seed, text):
    statement, objective, system = SEPARATED[text]
    found = separating_condition(statement, objective, seed, system)
    assert found == separating_condition(statement, objective, seed, system)
    assert found.text == f"holds when {text}"


def test_a_cheap_statement_takes_half_a_second_at_most():
    statement = S(lambda x, y, z: (sqrt(x * x) * z, x * z + 0 * y), x=real, y=real, z=real)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        assert separating_condition(statement, nearly, 0).text == "holds when x > 0"
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5


@given(
    st.integers(0, 10**6), st.sampled_from([REAL, POSITIVE, Domain(high=2.0), Domain(-1.0, 3.0), Domain(2.0)])
)
def test_dyadic_numbers_lie_in_their_domain(seed, domain):
    drawn = Dyadic(np.random.default_rng(seed)).numbers(domain, 20)
    assert all(domain.low < x < domain.high for x in drawn)


def test_free_variables_are_the_plain_ones():
    spaces = dict(
        x=real, p=positive, A=A, v=vector("n"), G=symmetric("n"), P=positive_definite("n"), T=invertible("n"),
        k=integer(1, 3), b=between(0, 1),
    )  # fmt: skip
    drawn = draw(S(lambda *values: values, **spaces), Dyadic(np.random.default_rng(0)), FRACTIONS, {"n": 3})
    assert set(drawn.free()) == {"x", "p", "A", "v", "b"} and drawn.sizes == {"n": 3}
    assert drawn.free()["A"].shape == (3, 3) and drawn.free()["x"].shape == ()
    assert entries(drawn.values["T"]) is None


def test_moves_draw_again_through_the_space():
    statement = S(lambda x, A: (x, A), x=positive, A=matrix("m d"))
    drawn = draw(statement, Dyadic(np.random.default_rng(0)), FLOATS, {"m": 2})
    again = moved(statement, drawn, lambda free: {"A": 2 * free["A"]}, FLOATS)
    assert (again.values["A"] == 2 * drawn.values["A"]).all() and again.values["x"] == drawn.values["x"]
    with pytest.raises(Rejected):
        moved(statement, drawn, lambda free: {"x": -free["x"]}, FLOATS)
