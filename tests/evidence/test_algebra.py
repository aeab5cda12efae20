"""A gallery of identities, true and false, over words, exact draws, digits and floats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.arithmetic import concatenate, frobenius, identity_like, mT, trace
from toymodels.arithmetic.elementary import atan, cos, cosh, exp, expm1, log, log1p, sin, sinh, sqrt, tanh
from toymodels.arithmetic.extension import adjoin_root
from toymodels.arithmetic.jets import Jet, derivative, mixed_derivative
from toymodels.arithmetic.measured import Measured, measured, value_of
from toymodels.errors import InputError
from toymodels.evidence import algebra
from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.statement import Statement
from toymodels.evidence.verdict import Evidence
from toymodels.spaces import (
    choice,
    frame,
    integer,
    invertible,
    matrix,
    orthogonal,
    positive,
    real,
    symmetric,
    unit_vector,
    vector,
)

A, B, C, E = matrix("m d"), matrix("d m"), matrix("m m"), matrix("m m")


def S(function, **spaces):
    return Statement(function, spaces, {}, "gallery")


def loss(W1, W2, X):
    return frobenius(W2 @ W1 @ X, W2 @ W1 @ X) / 2


def with_root(r, sides):
    return sides(adjoin_root(r))


NET = dict(W1=matrix("m d"), W2=matrix("c m"), X=matrix("d n"), V=matrix("m d"))

WORDS_TRUE = {
    "transpose of a product": S(lambda A, B: (mT(A @ B), mT(B) @ mT(A)), A=A, B=B),
    "trace rotates": S(lambda A, B: (trace(A @ B), trace(B @ A)), A=A, B=B),
    "trace reverses": S(lambda A, B: (trace(A @ B), trace(mT(A) @ mT(B))), A=A, B=B),
    "frobenius": S(lambda C, E: (frobenius(C, E), trace(C @ mT(E))), C=C, E=E),
    "binomial": S(lambda C, E: ((C + E) @ (C + E), C @ C + C @ E + E @ C + E @ E), C=C, E=E),
    "commutator": S(lambda C, E: (trace(C @ E - E @ C), 0), C=C, E=E),
    "symmetric": S(lambda G: (mT(G), G + 0), G=symmetric("m")),
    "rotation": S(lambda O, C: (trace(O @ C @ mT(O)), trace(C)), O=orthogonal("m"), C=C),
    "frame": S(lambda F: (mT(F) @ F, identity_like(F)), F=frame("m d")),
    "projection": S(lambda F: (F @ mT(F) @ F @ mT(F), F @ mT(F)), F=frame("m d")),
    "rank": S(lambda F, O: (trace(F @ mT(F)), trace(mT(F) @ F)), F=frame("m d"), O=orthogonal("d")),
    "similarity": S(lambda T, C: (trace(T.matrix @ C @ T.inverse), trace(C)), T=invertible("m"), C=C),
    "inverse": S(lambda T: (T.inverse @ T.matrix, identity_like(T.matrix)), T=invertible("m")),
    "scalars": S(lambda a, b: ((a - b) * (a + b), a * a - b * b), a=real, b=real),
    "quotients": S(lambda a, b: (a / (a + b) + b / (a + b), 1), a=positive, b=positive),
    "gradient": S(
        lambda W1, W2, X, V: (
            derivative(lambda W: loss(W, W2, X), [W1], [V]),
            frobenius(mT(W2) @ (W2 @ W1 @ X) @ mT(X), V),
        ),
        **NET,
    ),
    "size": S(
        lambda X: (trace(identity_like(X)) * X.shape[-1], X.shape[-1] ** 2 + 0 * trace(X @ mT(X))), X=A
    ),
}

EXACT_TRUE = {
    "sum of squares": S(lambda A: ((A * A).sum((-1, -2)), (A * A).sum(-1).sum(-1)), A=A),
    "rotated entries": S(lambda O, A: (((O @ A) * (O @ A)).sum(0), (A * A).sum(0)), O=orthogonal("m"), A=A),
    "unit": S(lambda u: ((u * u).sum(), 1), u=unit_vector("n")),
    "projection": S(
        lambda u, v: (((v - u * (u * v).sum()) * u).sum(), 0), u=unit_vector("n"), v=vector("n")
    ),
    "reflection": S(
        lambda u: ((np.eye(len(u), dtype=int) - 2 * np.multiply.outer(u, u)) @ u, -u), u=unit_vector("n")
    ),
    "stacked": S(lambda A, D: (concatenate([A, D], 0).sum(0), A.sum(0) + D.sum(0)), A=A, D=matrix("c d")),
    "adjoined root": S(lambda r: with_root(r, lambda nu: ((1 + nu) ** 2, 1 + r + 2 * nu)), r=positive),
    "mixed derivative": S(
        lambda x, u, v: (
            mixed_derivative(lambda y: (y * y * y).sum(), [x], [u], [v]), 6 * (x * u * v).sum(),
        ),
        x=vector("n"), u=vector("n"), v=vector("n"),
    ),
    "geometric sum": S(
        lambda q, k: ((1 - q) * sum(q**j for j in range(k)), 1 - q**k), q=real, k=integer(1, 6)
    ),
    "choice": S(lambda s, x: ((s * x) ** 2, x * x), s=choice([1, -1]), x=vector("n")),
    "quotient rule": S(
        lambda x: (derivative(lambda y: 1 / (1 + y * y), [x], [1]), -2 * x / (1 + x * x) ** 2), x=real
    ),
}  # fmt: skip

DIGITS_TRUE = {
    "exponentials": S(lambda x, y: (exp(x + y), exp(x) * exp(y)), x=real, y=real),
    "logarithms": S(lambda x, y: (log(x * y), log(x) + log(y)), x=positive, y=positive),
    "circle": S(lambda x: (sin(x) ** 2 + cos(x) ** 2, 1), x=real),
    "circle minus one is zero": S(lambda x: (sin(x) ** 2 + cos(x) ** 2 - 1, 0), x=real),
    "hyperbola": S(lambda x: (cosh(x) ** 2 - sinh(x) ** 2, 1), x=real),
    "tanh": S(lambda x: (tanh(x) * cosh(x), sinh(x)), x=real),
    "expm1": S(lambda x: (expm1(x), exp(x) - 1), x=real),
    "log1p": S(lambda x: (log1p(x), log(1 + x)), x=positive),
    "root": S(lambda x: (sqrt(x) ** 2, x + 0), x=positive),
    "derivative of tanh": S(lambda x: (derivative(tanh, [x], [1]), 1 - tanh(x) ** 2), x=real),
    "addition of arctangents": S(lambda x: (atan(x) + atan(1 / x), 2 * atan(x / x)), x=positive),
    "entries": S(lambda x: (log(exp(x)), x + 0), x=vector("n")),
    "logistic flow": S(
        lambda x: (derivative(lambda t: 1 / (1 + exp(-t)), [x], [1]), exp(-x) / (1 + exp(-x)) ** 2), x=real
    ),
}

WORDS_FALSE = {
    "transpose without reversal": S(lambda C, E: (mT(C @ E), mT(C) @ mT(E)), C=C, E=E),
    "trace does not swap neighbours": S(
        lambda C, E, G: (trace(C @ E @ G), trace(E @ C @ G)), C=C, E=E, G=matrix("m m")
    ),
    "binomial of numbers": S(lambda C, E: ((C + E) @ (C + E), C @ C + 2 * (C @ E) + E @ E), C=C, E=E),
    "not symmetric": S(lambda C: (mT(C), C + 0), C=C),
    "not orthogonal": S(lambda O, C: (trace(O @ C @ mT(O)), trace(C)), O=matrix("m m"), C=C),
    "a frame is not square": S(
        lambda F: (trace(F @ mT(F)), F.shape[-2] + 0 * trace(mT(F) @ F)), F=frame("7 d")
    ),
    "not the inverse": S(lambda T, C: (trace(T.matrix @ C @ T.matrix), trace(C)), T=invertible("m"), C=C),
    "sign": S(lambda a, b: ((a - b) * (a + b), a * a + b * b), a=real, b=real),
    "a third": S(lambda a, b: ((a + b) ** 3, a**3 + b**3 + 3 * a * b), a=real, b=real),
    "half the gradient": S(
        lambda W1, W2, X, V: (
            derivative(lambda W: loss(W, W2, X), [W1], [V]),
            frobenius(mT(W2) @ (W2 @ W1 @ X) @ mT(X), V) / 2,
        ),
        **NET,
    ),
    "one entry in many": S(lambda A: (A.sum(), A.sum() + A[..., 0, 0] - A[..., 0, 0] * 2), A=A),
}

EXACT_FALSE = {
    "sum of entries": S(lambda A: ((A * A).sum(), A.sum() ** 2), A=A),
    "rotated rows": S(lambda O, A: (((O @ A) * (O @ A)).sum(-1), (A * A).sum(-1)), O=orthogonal("m"), A=A),
    "unit in another norm": S(lambda u: ((u * u * u * u).sum(), 1), u=unit_vector("n")),
    "only the second part": S(lambda x: ((x * 1, x * x), (x + 0, x * x + 1)), x=vector("n")),
    "only the last entry": S(lambda x: (x * 1, x + np.array([0] * (len(x) - 1) + [1])), x=vector("n")),
    "only the derivative": S(lambda x: (Jet(x, 1 + 0 * x), Jet(x + 0, 0 * x)), x=real),
    "adjoined root": S(lambda r: with_root(r, lambda nu: ((1 + nu) ** 2, 1 + r + nu)), r=positive),
    "one off in a large degree": S(lambda x: (x**30, x**30 + x), x=real),
    "small coefficient": S(lambda x: (x * 1, x + x / 10**30), x=real),
    "geometric sum": S(
        lambda q, k: ((1 - q) * sum(q**j for j in range(k)), 1 - q ** (k + 1)), q=real, k=integer(1, 6)
    ),
}

DIGITS_FALSE = {
    "a circle of another radius": S(lambda x: (sin(x) ** 2 + cos(x) ** 2, 2), x=real),
    "cosine": S(lambda x: (cos(2 * x), 1 - sin(x) ** 2), x=real),
    "a good approximation": S(lambda x: (exp(x) + exp(-50 - x * x), exp(x)), x=real),
    "a tiny number is not zero": S(lambda x: (exp(-1000 * (1 + x * x)), 0), x=real),
    "derivative of exp": S(lambda x: (derivative(exp, [x], [1]), exp(x) + x), x=real),
    "root of a square": S(lambda x: (sqrt(x * x), x + 0), x=real),
    "one entry of scale one beside a huge one": S(
        lambda x: (
            np.array([exp(200 * x * x + 200), exp(x)]),
            np.array([exp(200 * x * x + 200), exp(x) + 1]),
        ),
        x=real,
    ),
    "logarithm of a sum": S(lambda x, y: (log(x + y), log(x) + log(y)), x=positive, y=positive),
}

each = lambda gallery: pytest.mark.parametrize("statement", list(gallery.values()), ids=list(gallery))


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_galleries_are_large():
    assert len(WORDS_TRUE) + len(EXACT_TRUE) + len(DIGITS_TRUE) >= 25
    assert len(WORDS_FALSE) + len(EXACT_FALSE) + len(DIGITS_FALSE) >= 25


@each(WORDS_TRUE)
def test_words_prove(statement):
    verdict = algebra.by_words(statement)
    assert verdict.holds and verdict.evidence is Evidence.proved


@each({**WORDS_FALSE, **EXACT_FALSE})
def test_words_never_prove_what_is_false(statement):
    with pytest.raises(NotApplicable):
        algebra.by_words(statement)


@each({**WORDS_TRUE, **EXACT_TRUE})
def test_exact_draws_accept(statement):
    verdict = algebra.by_exact_draws(statement, rng(), 4)
    assert verdict.holds and verdict.evidence is Evidence.exact
    assert 0 <= verdict.error_probability < 1e-15


@each({**WORDS_FALSE, **EXACT_FALSE})
@pytest.mark.parametrize("seed", range(3))
def test_exact_draws_refute_at_the_first_size(statement, seed):
    """Sizes of at least two come first, so one size is enough."""
    verdict = algebra.by_exact_draws(statement, rng(seed), 1)
    assert verdict.refuted and verdict.evidence is Evidence.exact


@each(DIGITS_TRUE)
def test_digits_accept(statement):
    with pytest.raises(NotApplicable):
        algebra.by_exact_draws(statement, rng(), 2)
    verdict = algebra.by_digits(statement, rng(), 3)
    assert verdict.holds and verdict.evidence is Evidence.digits and verdict.margin > 0


@each(DIGITS_FALSE)
def test_digits_refute(statement):
    verdict = algebra.by_digits(statement, rng(1), 5)
    assert verdict.refuted and verdict.evidence is Evidence.digits


@pytest.mark.parametrize(
    "function", [lambda x: (1 / log(x / x), x), lambda x: (sqrt(-x * x - 1), x), lambda x: (1j * x, x)]
)
def test_digits_refuse_what_is_not_finite_or_real(function):
    with pytest.raises((NotApplicable, InputError)):
        algebra.by_digits(S(function, x=real), rng(), 2)


def test_words_take_no_floats_and_no_constants():
    mixed = S(lambda x: (np.array([x, 0.5]), np.array([x + 0, 0.5])), x=real)
    for statement in (
        mixed,
        S(lambda x: (x * 0.5, x / 2), x=real),
        S(lambda x: (2 + 2, 4), x=real),
        S(lambda x: (1.0, 1.0), x=real),
    ):
        with pytest.raises(NotApplicable):
            algebra.by_words(statement)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x * 0.5, x / 2), lambda x: (np.maximum(x, 0), x + 0), lambda x: (abs(x), x + 0),
        lambda x: (np.where(x > 0, x, -x), x + 0), lambda x: (np.where(x == 0, 1, x), x + 0),
        lambda x: (np.sort(x), x + 0), lambda x: (exp(x), x + 0), lambda x: (x**0.5, x + 0),
        lambda x: (np.sign(x), x / x),
        lambda x: ([float(y) for y in x], x), lambda x: (np.rint(x), x + 0),
    ],
)  # fmt: skip
def test_exact_draws_take_rational_functions_only(function):
    """A comparison is no rational function, so the Schwartz-Zippel lemma says nothing of it."""
    with pytest.raises(NotApplicable):
        algebra.by_exact_draws(S(function, x=vector("3")), rng(), 2)


def test_error_probabilities_are_those_of_schwartz_and_zippel():
    fifth = S(lambda x: (x**5, x * x**4), x=real)
    verdict = algebra.by_exact_draws(fifth, rng(), 8)
    assert verdict.cases == algebra.DRAWS_PER_SIZE  # no sizes: one round of draws
    assert verdict.error_probability == pytest.approx((5 / 2**61) ** verdict.cases, rel=1e-9)
    quotient = S(lambda x: (x / (x * x + 1) + 1, (x * x + x + 1) / (1 + x * x)), x=real)
    # the two sides divide by x² + 1 each, so the difference has degree 4 over 4
    assert algebra.by_exact_draws(quotient, rng(), 1).error_probability == pytest.approx(
        (8 / 2**61) ** 2, rel=1e-9
    )


@given(st.integers(1, 3))
def test_exact_draws_depend_on_the_seed_alone(seed):
    statement = EXACT_TRUE["rotated entries"]
    first, second = (algebra.by_exact_draws(statement, rng(seed), 2) for _ in range(2))
    assert (first.why, first.cases, first.error_probability) == (
        second.why,
        second.cases,
        second.error_probability,
    )


def test_float_identities_need_a_budget_and_keep_to_it():
    from toymodels.evidence.judge import identity_parts

    assert identity_parts((measured(0.1) * 3, 0.3))[0] <= 0
    assert identity_parts((measured(0.1) * 3, 0.3 + 1e-12))[0] > 0
    assert np.isnan(identity_parts((Measured(1.0, np.inf), 2.0))[0])
    assert identity_parts((Measured([1.0, 1.0], [np.inf, 0]), np.array([2.0, 2.0])))[0] > 0
    assert value_of(measured(2.0)) == 2.0
