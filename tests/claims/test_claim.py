"""What a claim must be to be a claim, and how it reports."""

import json
import math

import pytest

from toymodels.claims import Claim, Paper, bound, identity, verify
from toymodels.claims.claim import Result
from toymodels.claims.verify import Report
from toymodels.errors import InputError
from toymodels.evidence.plan import CASES
from toymodels.evidence.verdict import Evidence, Outcome, Verdict
from toymodels.spaces import constant, integer, matrix, real

BROKEN = {"sign": dict(sign=-1)}


def square(x, *, sign=1):
    """The square of x."""
    return x * x, sign * x**2


def undocumented(x, *, sign=1):
    return x * x, sign * x**2


def no_default(x, *, sign):
    """The square of x."""
    return x * x, sign * x**2


def two(x, y, *, sign=1):
    """Two variables."""
    return x * y, sign * y * x


@pytest.mark.parametrize(
    ("function", "label", "arguments", "message"),
    [
        (square, "t 1", dict(broken=BROKEN), "one space per variable"),
        (square, "t 1", dict(y=real, broken=BROKEN), "one space per variable"),
        (two, "t 1", dict(y=real, x=real, broken=BROKEN), "in order"),
        (square, "t 1", dict(x=3, broken=BROKEN), "must be a space"),
        (square, "t 1", dict(x=real, n=real, broken=BROKEN), "one space per variable"),
        (undocumented, "t 1", dict(x=real, broken=BROKEN), "docstring"),
        (no_default, "t 1", dict(x=real, broken=BROKEN), "default"),
        (square, "", dict(x=real, broken=BROKEN), "label"),
        (square, "   ", dict(x=real, broken=BROKEN), "label"),
        (square, "t 1", dict(x=real), "broken variant"),
        (square, "t 1", dict(x=real, broken={}), "broken variant"),
        (square, "t 1", dict(x=real, broken=dict(sign=-1)), "override"),
        (square, "t 1", dict(x=real, broken={"a": {}}), "override"),
        (square, "t 1", dict(x=real, broken={"a": dict(sgin=-1)}), "did you mean sign"),
        (square, "t 1", dict(x=real, broken={"a": dict(x=3)}), "must be a space"),
        (square, "t 1", dict(x=real, broken=BROKEN, cost="cheap"), "cost"),
        (square, "t 1", dict(x=real, broken=BROKEN, sizes={"n": 3}), "low, high"),
        (square, "t 1", dict(x=real, broken=BROKEN, sizes={"n": (3, 2)}), "low, high"),
        (square, "t 1", dict(x=real, broken=BROKEN, sizes={"n": (0, 2)}), "integer >= 1"),
        (square, "t 1", dict(x=real, broken=BROKEN, rivals=(1,)), "one space per variable"),
    ],
)
def test_decoration_errors(function, label, arguments, message):
    with pytest.raises(InputError, match=message) as error:
        identity(label, **arguments)(function)
    assert "\n" not in str(error.value)


def test_a_decorator_without_its_call():
    with pytest.raises(InputError, match="label"):
        identity(square)
    with pytest.raises(InputError, match="label"):
        identity(x=real, broken=BROKEN)


def claim_of(function, broken=BROKEN, kind=identity, label="t 1; u 2", **spaces):
    return kind(label, broken=broken, **spaces)(function)


def test_a_claim_knows_its_name_statement_source_and_cards():
    claim = claim_of(square, x=real)
    assert isinstance(claim, Claim) and claim.name == "test_claim.square"
    assert claim.statement == "The square of x." and claim.source == "own" and claim.cards == {"t", "u"}
    assert claim(3) == (9, 9) and claim(3, sign=-1) == (9, -9)
    assert str(Paper("Author 2020", arxiv="2001.00001")) == "Author 2020 (arXiv 2001.00001)"
    assert str(Paper("Author 2020")) == "Author 2020"
    sourced = identity("t 1", x=real, broken=BROKEN, source=Paper("Author 2020"))(square)
    assert sourced.source == "Author 2020"


def test_an_idle_broken_variant_fails_the_claim():
    result = claim_of(square, broken={"sign": dict(sign=-1), "idle": dict(sign=1)}, x=real).verify("quick")
    assert result.verdict.holds and not result.ok and result.idle == ["idle"]
    report = Report([result], 0.0)
    assert not report.ok and "IDLE" in str(report) and "'idle' was not refuted" in str(report)


def test_a_broken_variant_may_change_a_space_or_the_sizes():
    claim = claim_of(
        lambda_documented(lambda A, *, sign=1: ((A @ A.mT - A.mT @ A).sum(), 0)),
        broken={"larger": dict(sizes={"m": (2, 3)}), "matrices": dict(A=matrix("m m"), sizes={"m": (2, 2)})},
        A=matrix("1 1"),
    )
    assert claim.variant().spaces["A"] is not claim.variant(dict(A=matrix("m m"))).spaces["A"]
    result = claim.verify("quick")
    assert result.verdict.holds and result.idle == ["larger"]  # the literal sizes stay


def lambda_documented(function):
    function.__doc__ = "A statement."
    return function


def test_a_claim_that_raises_is_undecided_at_its_own_line():
    def raises(x, *, sign=1):
        """Raises."""
        return int("one"), sign

    result = claim_of(raises, x=real).verify("quick")
    line = raises.__code__.co_firstlineno + 2
    assert result.verdict.outcome is Outcome.undecided and not result.ok
    assert (
        f"raised ValueError: invalid literal for int() with base 10: 'one' (test_claim.py:{line})"
        in result.verdict.why
    )
    assert result.idle == ["sign"]


def test_a_broken_variant_that_raises_is_idle_and_leaves_the_verdict():
    def fragile(x, *, sign=1):
        """Holds for one sign."""
        return x * x / (1 if sign == 1 else int("x")), x**2

    result = claim_of(fragile, x=real).verify("quick")
    assert result.verdict.holds and result.idle == ["sign"] and "ValueError" in result.broken[0][1].why


def test_a_claim_that_no_arithmetic_runs_says_why_for_each():
    result = claim_of(lambda_documented(lambda x, *, sign=1: (x.no_such_method(), sign)), x=real).verify(
        "quick"
    )
    assert all(
        word in result.verdict.why for word in ("words", "exact", "digits", "floats", "no_such_method")
    )


def test_a_space_that_is_never_met_is_undecided():
    from toymodels.spaces import Rejected, Space

    def never(source, name):
        raise Rejected("nothing lies here")

    found = claim_of(
        lambda_documented(lambda x, *, sign=1: (x, sign * 1)), x=Space(never, "empty"), kind=bound
    ).verify("quick")
    assert found.verdict.outcome is Outcome.undecided and "nothing lies here" in found.verdict.why


def test_effort_and_seed_are_checked():
    claim = claim_of(square, x=real)
    with pytest.raises(InputError, match="did you mean normal"):
        verify(claim, effort="normall")
    for bad in (dict(jobs=0), dict(jobs=1.5), dict(seed=-1), dict(seed="a")):
        with pytest.raises(InputError):
            verify(claim, **bad)
    with pytest.raises(InputError):
        verify(3)


@pytest.mark.parametrize("effort", ["quick", "normal"])
def test_effort_is_the_number_of_cases(effort):
    seen = []
    bounded = lambda_documented(lambda x, *, k=0: (seen.append(1) or k, 1))
    claim_of(bounded, broken={"k": dict(k=2)}, kind=bound, x=real).verify(effort)
    assert CASES[effort] <= len(seen) <= 4 * CASES[effort] + 500
    pointwise = len(seen)
    seen.clear()
    bound("t", x=real, broken={"k": dict(k=2)}, cost="trajectory")(bounded).verify(effort)
    assert len(seen) < pointwise


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1.5, None])
def test_reports_are_strict_json(number):
    claim = claim_of(square, x=real)
    verdict = Verdict(
        Outcome.holds, Evidence.exact, "why", margin=number, tightness=number, error_probability=number
    )
    content = strict(Report([Result(claim, verdict, [("sign", verdict)], 0.1)], 0.1, {"seed": 0}).to_json())
    (entry,) = content["results"]
    expected = number if number is not None and math.isfinite(number) else None
    assert entry["margin"] == entry["tightness"] == entry["error_probability"] == expected
    assert entry["broken"] == [{"name": "sign", "refuted": False, "why": "why"}]


def test_the_json_of_a_verification_has_the_promised_keys():
    claim = claim_of(
        lambda_documented(lambda n, c, *, sign=1: (n * c, sign * c * n)), n=integer(1, 9), c=constant(2)
    )
    content = strict(verify(claim, effort="quick").to_json())
    assert {
        "name",
        "label",
        "verdict",
        "evidence",
        "margin",
        "tightness",
        "cases",
        "seconds",
        "broken",
    } <= set(content["results"][0])
    assert content["environment"]["seed"] == 0 and content["results"][0]["verdict"] == "holds"
