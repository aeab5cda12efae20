"""Non-negative by form: never said of what takes a negative value, and said of the forms that proofs use."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import event, given, settings
from hypothesis import strategies as st

from toymodels.arithmetic import systems
from toymodels.derive import (
    Derivation,
    det,
    diag,
    dot,
    hadamard,
    identity,
    mean_over,
    norm,
    quad,
    relu,
    sum_over,
    trace,
)
from toymodels.derive.calculus import expectation
from toymodels.derive.positivity import invertible, nonnegative, nonpositive, nonzero, positive
from toymodels.evidence.algebra import NOT_HERE
from toymodels.evidence.statement import evaluate
from toymodels.spaces.source import RandomFloats, Rejected

D = Derivation("forms")
n, k = D.sizes("n k", most=3)
P, Q = D.matrix("P", n, n, "positive definite"), D.matrix("Q", n, n, "semidefinite")
H, T, X = D.matrix("H", n, n, "symmetric"), D.matrix("T", n, n, "invertible"), D.matrix("X", k, n)
C, R = D.matrix("C", n, n), D.matrix("R", n, n, "projector")
u, v = D.vector("u", n), D.vector("v", n)
F, r, on = D.matrix("F", n, n, "positive"), D.vector("r", n, "positive"), D.vector("on", n, "binary")
x, y = D.scalars("x y")
a, z = D.scalar("a", positive=True), D.scalar("z", nonnegative=True)
b, e = D.scalar("b", negative=True), D.scalar("e", nonzero=True)
p = D.scalar("p", between=(0, 1))
D.assume((x, "<=", y))

NUMBERS = st.sampled_from([sp.Integer(1), sp.Integer(-1), sp.Integer(2), sp.Rational(-1, 2)])
SCALARS = st.sampled_from([x, y, a, z, b, e, p, 1 - p, y - x, x - y, sp.Integer(0), p - 1])
SQUARE = st.sampled_from(
    [P, Q, H, T, C, R, identity(n), X.T * X, u * u.T, P.I, C.T, C * C.T, F, on * r.T, hadamard(C, C), diag(r)]
)


@st.composite
def matrices(draw, depth=2):
    """A square matrix that may be semidefinite."""
    if depth == 0:
        return draw(SQUARE)
    left, right = draw(matrices(depth - 1)), draw(matrices(depth - 1))
    turned = [left * left.T, left.T * right * left, left * right * left, left * right, left + right]
    return draw(st.sampled_from([left, *turned, draw(SCALARS) * left, -left]))


@st.composite
def expressions(draw, depth=2):
    """A scalar that may well be non-negative."""
    if depth == 0:
        return draw(st.one_of(SCALARS, NUMBERS))
    f, g = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    M = draw(matrices(draw(st.integers(0, 2))))
    i = D.index("i", n)
    made = [
        f + g, f * g, f**2, -f, f**3, f**2 * g, trace(M), quad(M, v), dot(M * u, M * v),
        dot(M, draw(matrices(1))), dot(2 * v, M * v), norm(v) * f, det(M), sp.Abs(f), relu(f),
        sum_over(i, v[i, 0] ** 2 * f), mean_over(i, (v[i, 0] - f) ** 2),
        dot(M * r, on), sum_over(i, M[i, 0] * f),
    ]  # fmt: skip
    return draw(st.sampled_from(made))


SMALL = [Fraction(k, q) for k in range(-3, 4) for q in (1, 2, 4)]


class SmallNumbers(RandomFloats):
    """Draws zeros, ones and other small rationals, at which forms vanish."""

    def numbers(self, domain, count):
        inside = [number for number in SMALL if domain.low < number < domain.high]
        return [inside[int(self.rng.integers(len(inside)))] for _ in range(count)]


def smallest(expression, cases=25):
    """The least value among random draws, general and special ones, or None where none could be judged."""
    statement = D.setting.statement((expression, sp.S.Zero))
    rng, values = np.random.default_rng(0), []
    for drawer in (RandomFloats(rng), SmallNumbers(rng)):
        for system in (systems.FRACTIONS, systems.FLOATS):
            try:
                values += list(drawn(statement, drawer, system, cases))
                break
            except NOT_HERE:
                continue
    return min(values, default=None)


def drawn(statement, drawer, system, cases):
    for _ in range(cases):
        try:
            yield float(evaluate(statement, drawer, system, largest=3).result[0])
        except Rejected:
            continue


@settings(max_examples=40)
@given(expressions(depth=3))
def test_nothing_negative_is_called_non_negative(expression):
    for claim, sign in ((nonnegative, 1), (nonpositive, -1)):
        if claim(expression, D.setting):
            event(claim.__name__)
            least = smallest(sign * expression)
            assert least is None or least >= -1e-9, expression


@settings(max_examples=40)
@given(expressions(depth=3))
def test_nothing_that_vanishes_is_called_positive(expression):
    if positive(expression, D.setting):
        event("positive")
        least = smallest(expression)
        assert least is None or least > 0
        assert nonnegative(expression, D.setting) and nonzero(expression, D.setting)


i = D.index("i", n)
YES = [
    x**2, (x - y) ** 4, x**2 * a, a + z, z * a**3, b**2, b * (x - y), -b, sp.sqrt(a) * z, sp.exp(x),
    sp.cosh(x), y - x, 2 * y - 2 * x, (y - x) ** 3 * a, 1 - p, p * (1 - p), 2 - p, sp.Abs(x), relu(x),
    norm(v), norm(v) ** 2, norm(v) ** 3, quad(P, v), quad(Q, v), quad(R, v), quad(X.T * X, v),
    quad(C.T * P * C, v), quad(P.I, v), quad(H**2, v), trace(P), trace(X * X.T), trace(X * Q * X.T),
    trace(P * Q), trace(P * X.T * X), trace(C.T * P * C * Q), trace(P**3), dot(P, Q), dot(X * v, X * v),
    det(P), det(Q), det(P * P), quad(P + a * identity(n), v), quad(P + u * u.T, v),
    sum_over(i, v[i, 0] ** 2), mean_over(i, (v[i, 0] - x) ** 2), expectation(x**2 * y**2, x),
    dot(v, 2 * P * v), trace(sum_over(i, C.row(i) * C.row(i).T)),
    dot(r, on), dot(F * r, F.T * on), trace(F), F[0, 0] * r[0, 0], dot(hadamard(v, v), r),
    sum_over(i, a * (F * F + diag(r))[i, 0]), quad(F, hadamard(on, r)),
]  # fmt: skip
POSITIVE = [
    a, a * a, 1 + x**2, sp.exp(x), sp.exp(x) + z, 1 - p, p * (1 - p), 1 / a, sp.sqrt(a), e**2,
    1 + quad(P, v), det(P), trace(P), trace(P.I), dot(P, P), det(P) + det(Q), det(P + Q), 1 + norm(v), n,
    n * a, det(T) ** 2,
]  # fmt: skip
NO = [
    x, x * y, x**3, x - y, a - z, a - 1, p - sp.Rational(1, 2), dot(u, v), quad(H, v), quad(C, v),
    quad(T, v), trace(C), trace(C * C), trace(H), trace(P * Q * R), trace(P * H), det(C), det(H),
    v[0, 0], dot(r, v), quad(F, v), quad(F, r - on), trace(x * F), dot(hadamard(v, r), on), (F.I)[0, 0],
    sp.sinh(x), sp.log(a), quad(P - Q, v), quad(-P, v), dot(u, P * v), sum_over(i, v[i, 0]),
    expectation(x**3, x), x**2 - 1, norm(v) - 1,
]  # fmt: skip
NOT_POSITIVE = [
    x**2,
    z,
    norm(v),
    quad(P, v),
    quad(Q, v),
    trace(Q),
    det(Q),
    y - x,
    trace(X.T * X),
    sp.Abs(e * x),
]


@pytest.mark.parametrize("form", YES, ids=str)
def test_forms_that_are_seen(form):
    assert nonnegative(form, D.setting)


@pytest.mark.parametrize("form", POSITIVE, ids=str)
def test_forms_that_are_seen_to_be_positive(form):
    assert positive(form, D.setting) and nonnegative(form, D.setting)


@pytest.mark.parametrize("form", NO, ids=str)
def test_forms_that_may_be_negative(form):
    assert not nonnegative(form, D.setting) and not positive(form, D.setting)


@pytest.mark.parametrize("form", NOT_POSITIVE, ids=str)
def test_forms_that_may_vanish(form):
    assert nonnegative(form, D.setting) and not positive(form, D.setting)


def test_invertible_matrices():
    for matrix in (T, P, T.T, T.I, T * P, identity(n), P + Q, P + u * u.T, X.T * X + a * identity(n)):
        assert invertible(matrix, D.setting)
    for matrix in (C, Q, R, H, C + T, X.T * X, P - Q, identity(n) + C):
        assert not invertible(matrix, D.setting)


def test_hypotheses_count_only_in_their_direction():
    setting = Derivation("bare").setting
    assert not nonnegative(y - x, setting) and nonnegative(y - x, D.setting)
    assert not positive(y - x, D.setting), "the hypothesis is not strict"
    assert nonpositive(x - y, D.setting) and not nonpositive(y - x, D.setting)
