"""SymPy's verdicts: what it proves is true, what is false it never proves, and it is given its time."""

import math
import signal
import threading
import time
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import (
    Abs,
    E,
    Function,
    Max,
    Rational,
    acosh,
    asinh,
    atan,
    cos,
    cosh,
    exp,
    expand,
    factor,
    log,
    oo,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tanh,
)

from toymodels.arithmetic import elementary
from toymodels.errors import InputError
from toymodels.evidence import simplification
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.symbolic import InternalDisagreement, by_symbols, limit_by_digits, limit_by_symbols
from toymodels.evidence.timelimit import TimedOut, can_limit, time_limit
from toymodels.evidence.verdict import Evidence
from toymodels.spaces import POSITIVE, REAL, Domain

x, y, z = sympy.symbols("x y z")
n = sympy.Symbol("n", integer=True)
UNIT, NEGATIVE = Domain(0.0, 1.0), Domain(high=0.0)

TRUE = [
    ((x + y) ** 3, x**3 + 3 * x**2 * y + 3 * x * y**2 + y**3, {x: REAL, y: REAL}),
    (1 / (x * (x + 1)), 1 / x - 1 / (x + 1), {x: REAL}),
    (sqrt(x**2), x, {x: POSITIVE}),
    (sqrt(x**2), -x, {x: NEGATIVE}),
    (sqrt((1 - x) ** 2), 1 - x, {x: UNIT}),
    (sqrt((x - 1) ** 2), x - 1, {x: Domain(1.0)}),
    (sqrt((x - 1) ** 2), 1 - x, {x: Domain(high=1.0)}),
    (log(x * y), log(x) + log(y), {x: POSITIVE, y: POSITIVE}),
    (log(x**2), 2 * log(x), {x: POSITIVE}),
    (log(1 + exp(x)), x + log(1 + exp(-x)), {x: REAL}),
    (log(cosh(x)), x + log(1 + exp(-2 * x)) - log(2), {x: REAL}),
    (cosh(x) ** 2 - sinh(x) ** 2, 1, {x: REAL}),
    (sin(x) ** 2 + cos(x) ** 2 - 1, 0, {x: REAL}),
    (sin(3 * x), 3 * sin(x) - 4 * sin(x) ** 3, {x: REAL}),
    (tanh(x + y), (tanh(x) + tanh(y)) / (1 + tanh(x) * tanh(y)), {x: REAL, y: REAL}),
    (1 / (1 + exp(-x)), (1 + tanh(x / 2)) / 2, {x: REAL}),
    (asinh(x), log(x + sqrt(x**2 + 1)), {x: REAL}),
    (acosh(x), log(x + sqrt(x**2 - 1)), {x: Domain(1.0)}),
    (sqrt(3 + 2 * sqrt(2)), 1 + sqrt(2), {}),
    (sqrt(2) * sqrt(3), sqrt(6), {}),
    (Max(x, 0), x, {x: POSITIVE}),
    (sign(x) * Abs(x), x, {x: REAL}),
    (cos(pi * n), (-1) ** n, {n: REAL}),
    (exp(x) ** 2, exp(2 * x), {x: REAL}),
]

FALSE = [
    (sqrt(x**2), x, {x: REAL}),
    (sqrt((1 - x) ** 2), 1 - x, {x: POSITIVE}),
    (log(x * y), log(x) + log(y), {x: REAL, y: REAL}),
    (log(x**2), 2 * log(x), {x: REAL}),
    (exp(x), 1 + x, {x: REAL}),
    (x**2 + 1, x**2 + 1 + Rational(1, 10**40), {x: REAL}),
    (tanh(x), x, {x: REAL}),
    (sqrt(2), Rational(14142135623730951, 10**16), {}),
    (cos(pi * n), 1, {n: REAL}),
    ((x + y) ** 2, x**2 + y**2, {x: REAL, y: REAL}),
    (x, -x, {x: UNIT}),
    (Abs(x), x, {x: Domain(-5.0, 5.0)}),
]


@pytest.mark.parametrize(("left", "right", "variables"), TRUE)
def test_true_identities_are_proved(left, right, variables):
    verdict = by_symbols(left, right, variables)
    assert verdict.holds and verdict.evidence is Evidence.proved
    assert verdict.why == "SymPy simplifies the difference to 0, agreeing at 3 random points"


@pytest.mark.parametrize(("left", "right", "variables"), FALSE)
def test_false_identities_are_refuted_at_a_point_of_their_domain(left, right, variables):
    verdict = by_symbols(left, right, variables)
    assert verdict.refuted and verdict.evidence is Evidence.digits
    shown = verdict.counterexample
    assert shown.left != shown.right
    values = {symbol: Rational(shown.values[symbol.name]) for symbol in variables}
    assert all(domain.low < values[symbol] < domain.high for symbol, domain in variables.items())
    a, b = (sympy.N(sympy.sympify(side).subs(values), 60) for side in (left, right))
    assert not (a.is_real and b.is_real) or abs(a - b) > 1e-45


@pytest.mark.parametrize("seed", range(10))
def test_points_at_which_only_one_side_is_real_are_found(seed):
    assert by_symbols(log(x * y), log(x) + log(y), {x: REAL, y: REAL}, rng=seed).refuted


def test_counterexamples_are_easy_to_read():
    assert by_symbols(sqrt(x**2), x, {x: REAL}).counterexample.values == {"x": "-1"}
    assert by_symbols(x + y, 2 * x, {x: REAL, y: REAL}).counterexample.values == {"x": "1", "y": "2"}
    shown = by_symbols(log(x * y), log(x) + log(y), {x: REAL, y: REAL}).counterexample
    assert shown.values == {"x": "-1", "y": "-2"} and shown.right == "not real"


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        (x, y, "no domain is known for y"),
        (Function("f")(x), x, "unknown function"),
        (0.5 * x, x / 2, "float"),
        (sympy.nan, x, "not defined"),
        (sympy.MatrixSymbol("A", 2, 2), x, "not a scalar"),
        ("x", x, "not a SymPy expression"),
        (sqrt(-1 - x**2), sqrt(-1 - x**2), "no real values at 3 random points"),
        (exp(x), exp(x) + Rational(1, 10**400), "does not simplify"),
        (sympy.LambertW(x * exp(x)), x, "does not simplify"),
    ],
)
def test_what_is_not_decided_says_why(left, right, reason):
    domain = POSITIVE if "Lambert" in str(left) else REAL
    with pytest.raises(NotApplicable, match=reason):
        by_symbols(left, right, {x: domain})


def test_signs_of_symbols_and_domains_must_agree():
    positive = sympy.Symbol("p", positive=True)
    with pytest.raises(InputError, match="the domain of p"):
        by_symbols(sqrt(positive**2), positive, {positive: REAL})
    assert by_symbols(sqrt(positive**2), positive, {positive: POSITIVE}).holds


leaves = st.sampled_from([x, y, sympy.Integer(2), sympy.Integer(-1), Rational(1, 3)])
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        inner.map(lambda e: e**2),
        inner.map(lambda e: sqrt(1 + e**2)),
        inner.map(lambda e: log(1 + e**2)),
        inner.map(tanh),
        inner.map(sin),
        inner.map(lambda e: exp(-(e**2))),
    ),
    max_leaves=5,
)


def in_floats(expression, a, b):
    return float(sympy.N(expression.subs({x: a, y: b})))


def decided(left, right, seconds=0.5):
    try:
        return by_symbols(left, right, {x: REAL, y: REAL}, seconds)
    except NotApplicable:
        return None


@settings(max_examples=25)
@given(trees, trees)
def test_what_is_proved_is_true_in_floats(left, right):
    verdict = decided(left, right)
    points = [(0.3, -1.1), (-0.7, 0.9), (1.3, 0.2), (-1.9, -0.4)]
    pairs = [(in_floats(left, *p), in_floats(right, *p)) for p in points]
    differ = any(abs(a - b) > 1e-9 * (1 + abs(a)) for a, b in pairs)
    assert verdict is None or verdict.refuted >= differ
    assert not (verdict is not None and verdict.holds and differ)


@settings(max_examples=25)
@given(trees, st.integers(1, 30), st.sampled_from([1 + 0 * x, x, x * y, sin(x), exp(-(x**2))]))
def test_a_slip_is_never_proved(tree, digits, slip):
    verdict = decided(tree, tree + slip / 10**digits)
    assert verdict is None or verdict.refuted


@settings(max_examples=25)
@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_rewritten_polynomials_are_proved(c):
    form = (c[0] * x + c[1] * y + c[2]) * (c[3] * x - y) ** 2 + c[4] * x * y + c[5]
    assume(form.free_symbols)
    rewritten = factor(expand(form.subs(x, x + y))).subs(x, x - y)
    assert by_symbols(form, rewritten, {x: REAL, y: REAL}).holds


def test_points_are_reproducible():
    values = [by_symbols(x, x + exp(-(x**2)) / 10**9, {x: Domain(-7.0, 9.0)}, rng=3) for _ in range(2)]
    assert values[0].counterexample == values[1].counterexample


def test_a_wrong_simplification_is_an_internal_error(monkeypatch):
    monkeypatch.setattr(simplification, "_quick_forms", lambda: [lambda d: sympy.S.Zero])
    with pytest.raises(InternalDisagreement, match="to 0, which it is not"):
        by_symbols(x, 2 * x, {x: REAL})


def test_failing_forms_are_passed_over(monkeypatch):
    def fails(d):
        raise RecursionError

    monkeypatch.setattr(simplification, "_quick_forms", lambda: [fails, expand])
    assert by_symbols((x + 1) ** 2, x**2 + 2 * x + 1, {x: REAL}).holds


def for_ever(*args):
    while True:
        with suppress(Exception):  # code that swallows what it can
            sum(range(1000))


def test_simplification_ends_in_time(monkeypatch):
    monkeypatch.setattr(simplification, "_thorough_forms", lambda domains: [for_ever])
    start = time.perf_counter()
    with pytest.raises(NotApplicable, match=r"does not decide it in 0\.2 s"):
        by_symbols(sympy.LambertW(x * exp(x)), x, {x: POSITIVE}, seconds=0.2)
    assert time.perf_counter() - start < 2


def in_a_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_other_threads_are_told():
    def attempt():
        try:
            by_symbols(x, x, {x: REAL})
        except NotApplicable as error:
            return str(error)

    assert in_a_thread(can_limit) is False
    assert "main thread" in in_a_thread(attempt)


def test_time_limits_nest():
    with pytest.raises(TimedOut, match=r"0.05 s"), time_limit(0.05):
        for_ever()
    with time_limit(30):
        with pytest.raises(TimedOut), time_limit(0.05):
            for_ever()
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 25 < left < 30
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_an_outer_limit_that_passes_inside_rings_outside_as_well():
    reached, start = [], time.perf_counter()
    with pytest.raises(TimedOut, match=r"0.1 s"), time_limit(0.1):
        with pytest.raises(TimedOut), time_limit(30):
            for_ever()
        time.sleep(0.05)
        reached.append("beyond")
    assert not reached and time.perf_counter() - start < 5


def test_a_limit_puts_the_handler_back_and_lets_results_pass():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyError), time_limit(5):
        raise KeyError
    with time_limit(5):
        pass
    assert signal.getsignal(signal.SIGALRM) is before and signal.getitimer(signal.ITIMER_REAL)[0] == 0
    with pytest.raises(InputError, match="seconds"), time_limit(0):
        pass


LIMITS_TRUE = [
    ((exp(x) - 1) / x, 0, "+-", 1, {}),
    ((1 - cos(x)) / x**2, 0, "+-", Rational(1, 2), {}),
    (x * log(x), 0, "+", 0, {}),
    (1 / log(x), 0, "+", 0, {}),
    (x * sin(1 / x), 0, "+", 0, {}),
    (Abs(x) / x, 0, "-", -1, {}),
    (tanh(x), oo, "+", 1, {}),
    (tanh(x), -oo, "+", -1, {}),
    ((1 + 1 / x) ** x, oo, "+", E, {}),
    (atan(x), oo, "+", pi / 2, {}),
    (exp(-y * x), oo, "+", 0, {y: POSITIVE}),
    ((1 - exp(-y * x)) / y, oo, "+", 1 / y, {y: POSITIVE}),
    ((1 + y / x) ** x, oo, "+", exp(y), {y: REAL}),
    ((x**2 - y**2) / (x - y), y, "+-", 2 * y, {y: POSITIVE}),
    (-log(x), 0, "+", oo, {}),
    (x - x**2, oo, "+", -oo, {}),
]

LIMITS_FALSE = [
    ((exp(x) - 1) / x, 0, "+-", 2, {}),
    (x * log(x), 0, "+", Rational(1, 10**9), {}),
    (exp(x), oo, "+", -oo, {}),
    (exp(x), oo, "+", 7, {}),
    (exp(-y * x), oo, "+", y, {y: POSITIVE}),
]


@pytest.mark.parametrize(("formula", "point", "side", "expected", "others"), LIMITS_TRUE)
def test_limits_are_proved(formula, point, side, expected, others):
    verdict = limit_by_symbols(formula, x, point, side, expected, others)
    assert verdict.holds and verdict.evidence is Evidence.proved


@pytest.mark.parametrize(("formula", "point", "side", "expected", "others"), LIMITS_FALSE)
def test_false_limits_are_refuted(formula, point, side, expected, others):
    verdict = limit_by_symbols(formula, x, point, side, expected, others)
    assert verdict.refuted and verdict.counterexample.left != verdict.counterexample.right


@pytest.mark.parametrize(
    ("formula", "point", "expected"),
    [(sin(1 / x), 0, 0), (exp(-y * x), oo, 0), (Function("f")(x), 0, 0), (1 / x, 0, oo)],
)
def test_limits_that_are_not_there_are_not_decided(formula, point, expected):
    with pytest.raises(NotApplicable):
        limit_by_symbols(formula, x, point, "+-", expected, {y: REAL})


def test_a_wrong_limit_is_an_internal_error(monkeypatch):
    monkeypatch.setattr(sympy, "limit", lambda *args: sympy.S.One)
    with pytest.raises(InternalDisagreement, match="limit is 1"):
        limit_by_symbols(x + 2, x, 0, "+", 1)


def test_sides_have_names():
    with pytest.raises(InputError, match="side"):
        limit_by_symbols(x, x, 0, "above", 0)
    with pytest.raises(InputError, match="side"):
        limit_by_digits(lambda x: x, 0, "above", 0)


DIGITS_TRUE = {
    "sinc": (lambda x: elementary.sin(x) / x, 0, "+-", 1),
    "cancellation": (lambda x: (1 - elementary.cos(x)) / x**2, 0, "+-", Fraction(1, 2)),
    "x log x": (lambda x: x * elementary.log(x), 0, "+", 0),
    "small power": (lambda x: elementary.exp(elementary.log(x) / 20), 0, "+", 0),
    "e": (lambda x: elementary.exp(x * elementary.log1p(1 / x)), math.inf, "+", lambda c: c.e),
    "conjugate": (lambda x: elementary.sqrt(x * x + 1) - x, math.inf, "+", 0),
    "at sqrt 2": (lambda x: x * x, lambda c: c.sqrt(2), "+-", 2),
    "oscillating": (lambda x: x * elementary.sin(1 / x), 0, "+", 0),
    "constant": (lambda x: 0 * x + 3, 0, "+-", 3),
    "1 / log": (lambda x: 1 / elementary.log(x), 0, "+", 0),
    "1 / sqrt log": (lambda x: 1 + 1 / elementary.sqrt(elementary.log(x)), math.inf, "+", 1),
    "log 2x / log x": (lambda x: elementary.log(2 * x) / elementary.log(x), math.inf, "+", 1),
    "exp": (lambda x: elementary.exp(x), math.inf, "+", math.inf),
    "-log": (lambda x: elementary.log(x), 0, "+", -math.inf),
    "left": (lambda x: elementary.tanh(x), -math.inf, "+", -1),
}

DIGITS_FALSE = {
    "half, not a third": (lambda x: (1 - elementary.cos(x)) / x**2, 0, "+-", Fraction(1, 3)),
    "offset by 1e-20": (lambda x: 1 + x + x.context.mpf(10) ** -20, 0, "+", 1),
    "tiny, not zero": (lambda x: x.context.mpf(10) ** -20 * (1 + x), 0, "+", 0),
    "one side": (lambda x: x / elementary.sqrt(x * x), 0, "+-", 1),
    "wrong sign of infinity": (lambda x: 1 / x, 0, "-", math.inf),
    "unbounded": (lambda x: 1 / x, 0, "+", 5),
    "bounded": (lambda x: elementary.tanh(x), math.inf, "+", math.inf),
    "log, offset": (lambda x: 1 / elementary.log(x), 0, "+", Fraction(1, 100)),
    "zero, not 1e-30": (lambda x: elementary.exp(-x), math.inf, "+", Fraction(1, 10**30)),
}

DIGITS_UNDECIDED = {
    "log log": (lambda x: 1 / elementary.log(elementary.log(x)), math.inf, "+", 0),
    "log log, wrong": (lambda x: 1 / elementary.log(elementary.log(x)), math.inf, "+", Fraction(1, 9)),
    "both signs": (lambda x: elementary.sin(1 / x) / x, 0, "+", math.inf),
    "sine": (lambda x: elementary.sin(1 / x), 0, "+", 0),
    "sine of the logarithm": (lambda x: elementary.sin(elementary.log(x)) / elementary.log(x), 0, "+", 0),
    "no values": (lambda x: elementary.sqrt(-1 - x), 0, "+", 0),
    "floats": (lambda x: float(x), 0, "+", 0),
}


@pytest.mark.parametrize("name", DIGITS_TRUE)
def test_limits_hold_in_digits(name):
    verdict = limit_by_digits(*DIGITS_TRUE[name])
    assert verdict.holds and verdict.evidence is Evidence.digits


@pytest.mark.parametrize("name", DIGITS_FALSE)
def test_false_limits_are_refuted_in_digits(name):
    verdict = limit_by_digits(*DIGITS_FALSE[name])
    assert verdict.refuted and verdict.counterexample.left != verdict.counterexample.right


@pytest.mark.parametrize("name", DIGITS_UNDECIDED)
def test_irregular_ways_are_not_decided(name):
    with pytest.raises(NotApplicable):
        limit_by_digits(*DIGITS_UNDECIDED[name])


@settings(max_examples=10)
@given(
    st.floats(0.1, 3),
    st.floats(0.5, 2),
    st.floats(-3, 3),
    st.integers(1, 25),
    st.sampled_from(["power", "log"]),
)
def test_a_limit_that_is_off_is_never_held(power, factor, limit, digits, kind):
    def function(x):
        h = elementary.exp(elementary.log(x) * power) if kind == "power" else 1 / elementary.log(x)
        return limit + factor * h

    assert limit_by_digits(function, 0, "+", Fraction(limit)).holds
    digits = min(digits, 6) if kind == "log" else digits  # what an extrapolation can tell
    off = Fraction(limit) + Fraction(1, 10**digits)
    with suppress(NotApplicable):
        assert limit_by_digits(function, 0, "+", off).refuted


def test_random_points_differ_between_seeds():
    domain = Domain(-7.0, 9.0)
    from toymodels.evidence import points

    first, second = (next(points.draws({x: domain}, np.random.default_rng(k))) for k in (1, 2))
    assert first != second and domain.low < first[x] < domain.high
