"""What the check says of a step, against what brute force says of it."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import D, matrices, scalars, x, y

from toymodels.derive import Derivation, det, dot, gate, identity, norm, relu, sigmoid, trace
from toymodels.evidence import Evidence

RATIONALS = st.fractions(-3, 3, max_denominator=8)


def asking(examples):
    """Settings of a test that runs the check, which searches with Hypothesis itself."""
    return settings(max_examples=examples, suppress_health_check=[HealthCheck.nested_given])


STRONG = (Evidence.exact, Evidence.proved)


@pytest.fixture(scope="module", autouse=True)
def no_search_for_conditions():
    """Looking for the hypothesis that a false step lacks costs more than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toymodels.derive.decide._condition", lambda *args: [])
        yield


def checked(left, relation, right, derivation=D, **options):
    """Check one step without leaving it in the derivation."""
    step = derivation.step(left, relation, right, **options)
    finding = derivation.check("quick").findings[-1]
    derivation.lines.remove(step)
    return finding


# identities


@asking(15)
@given(st.one_of(matrices(depth=2), scalars(depth=2)), st.integers(0, 2))
def test_an_expression_written_in_a_roundabout_way_is_itself(tree, way):
    e = tree.expression
    other = [lambda: e + e - e, lambda: (2 * e - e / 3) * sp.Rational(3, 5), lambda: e + x * e - e * x][way]()
    finding = checked(e, "=", other)
    assert finding.verdict.holds and finding.verdict.evidence in (*STRONG, Evidence.none)


@asking(12)
@given(matrices(depth=1), st.booleans())
def test_an_expression_with_something_added_is_refuted_with_a_case(tree, scaled):
    e = tree.expression
    finding = checked(e, "=", e + (y if scaled else 2) * D.ones(*e.shape))
    assert finding.mark == "FALSE" and finding.verdict.evidence is Evidence.exact
    assert finding.verdict.counterexample.lines()


@asking(10)
@given(scalars(depth=1, ring=True), scalars(depth=1, ring=True))
def test_two_expressions_are_equal_where_they_expand_alike(p, q):
    finding = checked(p.expression + q.expression, "=", p.expression * q.expression)
    alike = sp.expand(p.expression + q.expression - p.expression * q.expression) == 0
    assert finding.verdict.holds or not alike
    if finding.verdict.refuted:
        assert not alike and finding.verdict.counterexample is not None


# bounds on the line, against their sign at the ends, the roots and between


@st.composite
def half_lines(draw):
    """Hypotheses on a variable: at most one from below and one from above, closed or open."""
    low, high = sorted(draw(st.lists(RATIONALS, min_size=2, max_size=2, unique=True)))
    below = draw(st.sampled_from([None, ">", ">="]))
    above = draw(st.sampled_from([None, "<", "<="]))
    return [(low, below)] * (below is not None) + [(high, above)] * (above is not None)


def allowed(t, given_):
    compare = {">": t.__gt__, ">=": t.__ge__, "<": t.__lt__, "<=": t.__le__}
    return all(compare[relation](end) for end, relation in given_)


def points(roots, given_):
    """Every root and end, and points between and beyond them, that the hypotheses allow."""
    marks = sorted({*roots, *(end for end, _ in given_)}) or [Fraction(0)]
    between = [(p + q) / 2 for p, q in pairwise(marks)]
    return [t for t in (marks[0] - 1, *marks, *between, marks[-1] + 1) if allowed(t, given_)]


def rational(t):
    return sp.Rational(t.numerator, t.denominator)


@asking(20)
@given(st.lists(RATIONALS, min_size=1, max_size=3), st.sampled_from([1, -1]), half_lines(), st.booleans())
def test_a_polynomial_bound_is_decided_as_its_roots_say(roots, sign, given_, strict):
    E = Derivation("a polynomial")
    t = E.scalar("t")
    polynomial = sign * sp.Mul(*(t - rational(root) for root in roots))
    value = lambda at: sign * np.prod([at - root for root in roots], dtype=object)
    inside = points(roots, given_)
    true = all(value(at) > 0 if strict else value(at) >= 0 for at in inside)
    finding = checked(
        sp.expand(polynomial),
        ">" if strict else ">=",
        0,
        E,
        given=[(t, r, rational(end)) for end, r in given_],
    )
    assert finding.mark == ("ok" if true else "FALSE"), finding.verdict.why
    if true:
        assert finding.verdict.evidence is Evidence.proved
    else:
        shown = finding.verdict.counterexample.values["t"]
        assert allowed(Fraction(shown.rstrip(".")), given_), "a counterexample must meet the hypotheses"


@asking(15)
@given(
    st.lists(st.tuples(st.integers(-2, 2), RATIONALS), min_size=1, max_size=3),
    RATIONALS,
    st.sampled_from(["=", ">=", ">"]),
)
def test_a_piecewise_linear_step_is_decided_as_its_kinks_say(terms, level, relation):
    E = Derivation("kinks")
    t = E.scalar("t")
    left = sp.Add(*(c * (relu if k % 2 else sp.Abs)(t - rational(a)) for k, (c, a) in enumerate(terms)))
    height = lambda at: sum(c * (max(at - a, 0) if k % 2 else abs(at - a)) for k, (c, a) in enumerate(terms))
    compare = {"=": lambda z: z == level, ">=": lambda z: z >= level, ">": lambda z: z > level}[relation]
    far = [Fraction(-1000), Fraction(1000)]
    true = all(compare(height(at)) for at in [*points([a for _, a in terms], []), *far])
    finding = checked(left, relation, rational(level), E)
    assert finding.verdict.refuted == (not true) and finding.verdict.holds == true
    assert not true or finding.mark == "VACUOUS" or finding.verdict.evidence is Evidence.proved


# evidence that must not be claimed


FALSE_BY_A_HAIR = [
    lambda t: (t**2, ">", 0),
    lambda t: ((t - sp.Rational(7, 13)) ** 2, ">", 0),
    lambda t: (sp.Abs(t - sp.Rational(7, 13)), ">", 0),
    lambda t: (sp.exp(t), ">", 1 + t),
    lambda t: (gate(t - sp.Rational(7, 13)) + gate(sp.Rational(7, 13) - t), "=", 1),
    lambda t: (sp.Abs(t - 10) + sp.Abs(t - 20), "=", sp.Abs(2 * t - 30)),
    lambda t: (sp.Max(t, -100), "=", t),
    lambda t: (sp.sign(t) ** 2, "=", 1),
    lambda t: (sp.sqrt(t**2), "=", t),
    lambda t: (sp.exp(t) * (1 + sp.Rational(1, 10**20)), "=", sp.exp(t)),
    lambda t: (t + sp.Rational(1, 10**30), "=", t),
    lambda t: ((t + 10**15) ** 2 - 10**30, "=", 2 * 10**15 * t + t**2 + sp.Rational(1, 10**6)),
    lambda t: (sp.cosh(t) ** 2 - sp.sinh(t) ** 2, "=", 1 + sp.Rational(1, 10**25)),
    lambda t: (t**2 + sp.Rational(1, 10**12), "<=", t**2),
]


@pytest.mark.parametrize("step", FALSE_BY_A_HAIR)
def test_what_is_false_by_a_hair_or_at_a_point_is_refuted(step):
    E = Derivation("a hair")
    left, relation, right = step(E.scalar("t"))
    assert checked(left, relation, right, E).mark == "FALSE"


TRUE_BY_A_HAIR = [
    lambda t: (sp.exp(t), ">=", 1 + t),
    lambda t: (sigmoid(t) * (1 - sigmoid(t)), "<=", sp.Rational(1, 4)),
    lambda t: (t**4 - 2 * t**2 + 1, ">=", 0),
    lambda t: ((sp.exp(t) - 1) ** 2, ">=", 0),
    lambda t: (sp.Abs(t), ">=", t),
    lambda t: ((10**9 * t + 1) ** 3 - (10**9 * t) ** 3, "=", 3 * 10**18 * t**2 + 3 * 10**9 * t + 1),
    lambda t: (sp.tanh(t) ** 2 + sp.cosh(t) ** -2, "=", 1),
    lambda t: (sp.log(1 + sp.exp(t)) - t, "=", sp.log(1 + sp.exp(-t))),
]


@pytest.mark.parametrize("step", TRUE_BY_A_HAIR)
def test_what_is_true_by_a_hair_is_not_rejected(step):
    E = Derivation("a hair")
    left, relation, right = step(E.scalar("t"))
    assert checked(left, relation, right, E).mark == "ok"


# hypotheses, notes, and what is not decided


def test_identities_under_hypotheses_stay_exact():
    """A rational identity does not depend on inequalities, however small the set where they hold."""
    E = Derivation("hypotheses")
    n = E.sizes("n", most=3)
    M, s = E.matrix("M", n, n), E.scalar("s")
    small = [(s, ">", 0), (s, "<", sp.Rational(1, 10**6))]
    finding = checked(det(s * M), "=", s**n * det(M), E, given=small)
    assert finding.mark == "ok" and finding.verdict.evidence is Evidence.exact
    assert checked(sp.sqrt(s**2) + s**3, "=", s + s**3, E, given=small).mark == "ok"


def test_what_a_step_takes_for_granted_is_noted():
    E = Derivation("granted")
    n = E.sizes("n", most=3)
    M, P, w = E.matrix("M", n, n), E.matrix("P", n, n, "positive definite"), E.vector("w", n)
    s, t, a = *E.scalars("s t"), E.scalar("a", positive=True)

    def notes(*step, **options):
        return checked(*step, E, **options).notes

    assert notes(M.I * M * w, "=", w) == ["assumes that M is invertible"]
    assert notes(P.I * P * w, "=", w) == []
    assert notes((s**2 - t**2) / (s - t), "=", s + t) == ["assumes that s - t is not zero"]
    assert notes((s**2 - t**2) / (s - t), "=", s + t, given=[(s, "!=", t)]) == []
    assert notes((s**2 - t**2) / (s - t), "=", s + t, given=[s > t]) == []
    assert notes(1 / (1 + s**2) - 1, "=", -(s**2) / (1 + s**2)) == []
    assert notes(E.gradient(norm(w), w), "=", w / norm(w)) == ["assumes that |w| is not zero"]
    assert notes(norm(w) * E.gradient(norm(w), w), "=", w) == ["assumes that |w| is not zero"]
    assert notes(sp.log(a * s**2 / a), "=", 2 * sp.log(sp.Abs(s)))[:1] == ["assumes that s**2 is positive"]
    assert notes(sp.sqrt(a) ** 3 * sp.sqrt(1 / a), "=", a + 0 * s) == []


def test_a_letter_at_unknown_motion_is_undecided():
    E = Derivation("motion")
    s, t = E.scalars("s t")
    E.flow({s: t})
    for step in ((E.dt(t), "=", 0), (E.dt(E.dt(s)), "=", 0), (E.next(s), "=", s)):
        finding = checked(*step, E)
        assert finding.mark == "UNDECIDED" and "is declared for" in finding.verdict.why
    assert checked(E.dt(s), "=", t, E).mark == "ok"


def test_a_float_in_a_step_is_said():
    E = Derivation("floats")
    s = E.scalar("s")
    finding = checked(s * 0.1, "=", s / 10, E)
    assert finding.mark != "ok" or finding.verdict.evidence < Evidence.exact
    assert checked(s * 0.3, "=", s / 10, E).mark != "ok"


def test_singular_draws_do_not_refute_what_holds_for_invertible_matrices():
    E = Derivation("invertible")
    n = E.sizes("n", most=3)
    T = E.matrix("T", n, n, "invertible")
    assert checked(det(T) ** 2, ">", 0, E).mark == "ok"
    assert checked(det(T * T.T), ">", 0, E).mark == "ok"
    assert checked(det(T.I), "=", 1 / det(T), E).mark == "ok"


def test_counterexamples_satisfy_the_hypotheses_and_the_kinds():
    E = Derivation("kinds")
    n = E.sizes("n", most=3)
    P, a = E.matrix("P", n, n, "positive definite"), E.scalar("a", positive=True)
    finding = checked(trace(P), "<=", n, E, given=[a < 1])
    assert finding.mark == "FALSE"
    b = E.scalar("b")
    finding = checked(b**2, "<=", b, E, given=[b > 3])
    assert Fraction(finding.verdict.counterexample.values["b"].rstrip(".")) > 3


def test_the_same_check_twice_says_the_same():
    E = Derivation("twice")
    s, t = E.scalars("s t")
    E.step((s + t) ** 2, "=", s**2 + t**2)
    E.step(2 * s * t, "<=", s**2 + t**2)
    E.step(dot(E.vector("w", 2), E.vector("z", 2)), "=", 0)
    first, second = (
        [(f.mark, f.verdict.why, f.notes, str(f.verdict.counterexample)) for f in E.check("quick").findings]
        for _ in range(2)
    )
    assert first == second


def test_a_frame_is_not_orthogonal_on_its_other_side():
    E = Derivation("frames")
    n, k = E.sizes("n k", most=3)
    W = E.matrix("W", n, k, "frame")
    assert checked(W.T * W, "=", identity(k), E).verdict.evidence is Evidence.proved
    assert checked(W * W.T, "=", identity(n), E).mark == "FALSE"
