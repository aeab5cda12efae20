"""Each kind holds for a true statement, refutes a false one, and says when it cannot tell."""

from fractions import Fraction

import numpy as np
import pytest

from toymodels.arithmetic import mT, trace
from toymodels.arithmetic.elementary import exp
from toymodels.arithmetic.measured import Measured, measured
from toymodels.claims import (
    bound,
    conserved,
    counterexample,
    equivalence,
    identity,
    limit,
    mean,
    monotone,
    probability,
    rate,
)
from toymodels.evidence.verdict import Evidence, Outcome
from toymodels.spaces import integer, matrix, orthogonal, positive, real, vector

X = 2.0 ** -np.arange(3, 13)
N = 2.0 ** np.arange(3, 13)


def claim(kind, function, broken, label="test 1", **arguments):
    function.__doc__ = "A statement."
    return kind(label, broken={"broken": broken}, **arguments)(function)


def verify(*args, effort="quick", **arguments):
    return claim(*args, **arguments).verify(effort)


def verdict(kind, function, **arguments):
    """The verdict on a statement without its variants: a knob that does nothing stands in for them."""
    return verify(kind, function, dict(knob=1), **arguments).verdict


TURNED = dict(O=orthogonal("m"), C=matrix("m m"))


def pythagoras(x, y):
    return np.sqrt(x**2 + y**2)


def hypotenuse(function, x):
    """An algorithm on floats with its own budget: two roundings at sizes below 10."""
    return measured(function(x.value, 1), 1e-14)


@pytest.mark.parametrize(
    ("function", "spaces", "evidence"),
    [
        (lambda O, C, *, k=1: (trace(O @ C @ mT(O)), k * trace(C)), TURNED, "proved"),
        (lambda O, C, *, k=1: (((O @ C) ** 2).sum(), k * (C**2).sum()), TURNED, "exact"),
        (lambda x, y, *, k=1: (exp(x) * exp(y), k * exp(x + y)), dict(x=real, y=real), "digits"),
        (lambda x, *, k=1: (hypotenuse(np.hypot, x), k * hypotenuse(pythagoras, x)), dict(x=real), "sampled"),
    ],
    ids=["words", "exact", "digits", "floats"],
)  # fmt: skip
def test_identities(function, spaces, evidence):
    result = verify(identity, function, dict(k=2), **spaces)
    assert result.ok and result.verdict.evidence is Evidence[evidence]
    (_, broken), *_ = result.broken
    assert broken.counterexample is not None and broken.counterexample.left and broken.counterexample.right


def test_identities_show_small_counterexamples():
    result = verify(
        identity, lambda x, y, *, k=1: ((x + y) ** 2, x**2 + 2 * k * x * y + y**2), dict(k=0), x=real, y=real
    )
    values = result.broken[0][1].counterexample.values
    assert {abs(int(values[name])) for name in "xy"} == {1}


def test_an_identity_in_floats_needs_a_budget():
    found = verdict(
        identity, lambda x, *, knob=0: (np.hypot(float(x), 1), np.sqrt(float(x) ** 2 + 1)), x=real
    )
    assert found.outcome is Outcome.undecided and "measured sides" in found.why


def test_an_infinite_budget_decides_nothing():
    found = verdict(
        identity, lambda x, *, knob=0: (Measured(float(x.value), np.inf), Measured(-1.0)), x=positive
    )
    assert found.outcome is Outcome.undecided


# --- bounds, conserved and monotone series ------------------------------------------------------


def test_bounds():
    result = verify(
        bound,
        lambda x, y, *, k=2: (k * (x * y).sum(), (x * x).sum() + (y * y).sum()),
        dict(k=3),
        x=vector("n"),
        y=vector("n"),
    )
    assert result.ok and 0 < result.verdict.tightness <= 1 + 1e-12 and result.verdict.margin is not None


def test_a_tight_bound_is_not_broken_by_rounding():
    result = verify(
        bound, lambda x, *, k=1: (k * x / 3 * 3, x), dict(k=1 + 1e-12), effort="normal", x=positive
    )
    assert result.ok


def test_a_bound_that_fails_in_a_corner_is_refuted():
    peak = lambda x, y, *, knob=0: (1 / (1 + (x - 2.2345) ** 2 + (y + 1.777) ** 2), 0.9999)
    assert verdict(bound, peak, effort="normal", x=real, y=real).refuted


def test_bounds_with_nan_do_not_hold():
    assert not verdict(bound, lambda x, *, knob=0: (np.log(x.value), 1e9), x=real).holds


def test_infinite_upper_bounds_are_not_refuted():
    assert verdict(
        bound, lambda x, *, knob=0: (float(x) * 0, np.where(float(x) > 1, np.inf, 1.0)), x=real
    ).holds


def test_conserved_series():
    turn = lambda x, y, *, k=1: measured(
        np.cos(np.arange(9) * x.value) ** 2 + k * np.sin(np.arange(9) * x.value) ** 2, 1e-13
    )
    assert verify(conserved, turn, dict(k=2), x=positive, y=real).ok


def test_monotone_series():
    decay = lambda x, *, sign=-1: np.exp(sign * float(x) * np.arange(6))
    assert verify(monotone, decay, dict(sign=1), x=positive, direction="decreasing").ok
    grow = lambda x, *, sign=1: np.exp(sign * float(x) * np.arange(6))
    assert verify(monotone, grow, dict(sign=-1), x=positive, direction="increasing").ok
    found = verdict(monotone, lambda x, *, knob=0: np.arange(3) * float(x), x=positive, direction="upwards")
    assert "increasing" in found.why and not found.holds
    found = verdict(monotone, lambda x, *, knob=0: float(x), x=positive)
    assert found.outcome is Outcome.undecided and "series" in found.why


# --- rates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "exponent"),
    [
        (X**2, 2), (X**2 * (1 + X), 2), (2 * np.sin(X / 2) ** 2, 2), (X**2 * np.log(1 / X), 2),
        (X**1.5 / np.log(1 / X), 1.5), (np.sqrt(X) * (1 - np.sqrt(X)), 0.5), (1 / X, -1),
    ],
)  # fmt: skip
def test_rates(quantity, exponent):
    result = verify(
        rate,
        lambda *, shift=0: (X, quantity, exponent + shift),
        dict(shift=1),
        rivals=(exponent - 1, exponent + 1),
    )
    assert result.ok


@pytest.mark.parametrize("wrong", [1.5, 1.75, 1.9, 2.1, 2.25, 3])
def test_wrong_rates_are_refuted(wrong):
    assert verdict(rate, lambda *, knob=0: (X, X**2 * (1 + X), wrong)).refuted


@pytest.mark.parametrize("pretended", [1.93, 1.95, 1.965])
def test_a_logarithm_does_not_pass_for_a_nearby_power(pretended):
    """x² log(1/x) looks like a power just below 2: with the rival 2 excluded or nothing is claimed."""
    x = 10.0 ** -np.arange(1, 13)
    found = verdict(
        rate, lambda *, knob=0: (x, x**2 * np.log(1 / x), pretended), rivals=(2.0, pretended - 0.05)
    )
    assert not found.holds


def test_slopes_that_have_not_settled_decide_nothing():
    for quantity in (X + 2e-3, np.exp(-0.01 / X)):
        assert verdict(rate, lambda *, knob=0, q=quantity: (X, q, 1.0)).outcome is not Outcome.holds


@pytest.mark.parametrize(
    "result",
    [
        (X, X),
        (X, X[:-1], 1),
        (-X, X, 1),
        (X[:4], X[:4], 1),
        (X, -X, 1),
        (X, 0 * X, 1),
        (np.arange(1.0, 9) ** 3, np.ones(8), 0),
    ],
)
def test_rates_of_nonsense_are_undecided(result):
    assert verdict(rate, lambda *, knob=0: result).outcome is Outcome.undecided


# --- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sequence", "target", "order"),
    [
        (3 + X, 3, 1), (3 + X**2, 3, 1), (3 - X * np.log(1 / X), 3, 1),
        (np.sin(X) / X, 1, 2), (np.exp(-1 / X), 0, 3),
        (Measured(1 + X**6, 1e-15), 1, 2), (np.ones(10), 1, 1),
    ],
)  # fmt: skip
def test_limits(sequence, target, order):
    result = verify(limit, lambda *, off=0: (X, sequence, target + off), dict(off=0.1), order=order)
    assert result.ok


@pytest.mark.parametrize("order", [1.2, 1.5, 2, 3])
def test_limits_of_a_lower_order_are_refuted(order):
    assert verdict(limit, lambda *, knob=0: (X, 3 + X, 3), order=order).refuted
    assert verdict(limit, lambda *, knob=0: (X, 3 + X * np.log(1 / X), 3), order=order).refuted


@pytest.mark.parametrize("off", [1e-4, 1e-3, 1e-2, 1, -1e-2])
def test_wrong_limits_do_not_hold(off):
    assert not verdict(limit, lambda *, knob=0: (X, 3 + X, 3 - off), order=1).holds


@pytest.mark.parametrize(
    "sequence",
    [
        np.full(10, np.nan),
        np.where(X < 0.01, np.inf, 0.0),
        3 + X**0.5 * (-1) ** np.arange(10),
        3 + np.sin(np.arange(10)),
    ],
)
def test_sequences_that_go_nowhere_do_not_hold(sequence):
    assert not verdict(limit, lambda *, knob=0: (X, sequence, 3.0), order=1).holds


def test_a_limit_needs_x_to_go_to_zero():
    assert "decreases" in verdict(limit, lambda *, knob=0: (N, 3 + 1 / N, 3), order=1).why


# --- means and probabilities -------------------------------------------------------------------


def test_means():
    samples = np.random.default_rng(0).standard_normal(20_000) + 2
    result = verify(mean, lambda *, shift=0: (samples, 2.0 + shift), dict(shift=0.1), rivals=(2.1,))
    assert result.ok
    assert verdict(mean, lambda *, knob=0: (samples, 2.0), rivals=(2.001,)).outcome is Outcome.undecided


def test_a_few_samples_do_not_make_a_mean():
    few = np.random.default_rng(1).standard_normal(9) * 100
    assert verdict(mean, lambda *, knob=0: (few, 1.0)).outcome is Outcome.undecided
    for samples in (np.ones(1), np.float64(1), np.array([1, np.nan] * 5), np.ones((9, 2))):
        value = np.ones(3) if np.ndim(samples) == 2 else 1.0
        assert verdict(mean, lambda *, knob=0, s=samples, v=value: (s, v)).outcome is Outcome.undecided


def test_means_of_arrays_must_agree_in_every_entry():
    samples = np.random.default_rng(2).standard_normal((5000, 2)) + [1, 2]
    assert verify(mean, lambda *, at=2: (samples, np.array([1.0, at])), dict(at=3)).ok


def test_probabilities():
    events = np.random.default_rng(3).random(5000) < 0.9
    assert verify(probability, lambda *, p=0.85: (events, p), dict(p=0.95)).ok
    assert verdict(probability, lambda *, knob=0: (events, 0.9)).outcome is Outcome.undecided
    assert verdict(probability, lambda *, knob=0: (np.ones(20, dtype=bool), 0.9)).outcome is Outcome.undecided


@pytest.mark.parametrize(
    "result",
    [
        (np.ones(500), 0.5),
        (np.ones(0, dtype=bool), 0.5),
        (np.ones(500, dtype=bool), 0.0),
        (np.ones(500, dtype=bool), -1),
    ],
)
def test_probabilities_of_nonsense_are_undecided(result):
    assert verdict(probability, lambda *, knob=0: result).outcome is Outcome.undecided


# --- predicates and witnesses ------------------------------------------------------------------


def test_equivalences():
    result = verify(
        equivalence,
        lambda x, *, at=1: (x * x < 1, abs(x) < at, abs(abs(x) - 1)),
        dict(at=2),
        x=real,
        margin=1e-9,
    )
    assert result.ok
    strict = lambda x, *, knob=0: (x > 1, x >= 1, abs(x - 1))
    assert verdict(equivalence, strict, x=integer(-2, 3), margin=0.5).holds
    assert verdict(
        equivalence, lambda x, *, knob=0: (x > 1, x >= 1, abs(x - 1) + 1), x=integer(-2, 3)
    ).refuted


@pytest.mark.parametrize(
    "function",
    [
        lambda x, *, knob=0: (x * x >= 0, x * x + 1 >= 0, 1.0),
        lambda x, *, knob=0: (x > 0, x > 0, 0.0),
        lambda x, *, knob=0: (x, x + 0.0, 1.0),
        lambda x, *, knob=0: (np.array([x > 0]), x > 0, 1.0),
        lambda x, *, knob=0: (x > 0, x > 0, np.nan),
        lambda x, *, knob=0: (x > 0, x > 0),
    ],
    ids=["one value", "all at the boundary", "no predicates", "shapes", "no distance", "no margin"],
)
def test_equivalences_that_compare_nothing_are_undecided(function):
    assert verdict(equivalence, function, x=real, margin=0).outcome is Outcome.undecided


def test_counterexamples():
    result = verify(counterexample, lambda *, k=1: (Fraction(3) * k, Fraction(2)), dict(k=0))
    assert result.ok and result.verdict.evidence is Evidence.exact and result.verdict.margin == 1
    result = verify(
        counterexample, lambda *, k=1: (np.array([0.0, 3.0]) * k, np.array([1.0, 2.0])), dict(k=0)
    )
    assert result.ok and result.verdict.evidence is Evidence.sampled
    assert not verdict(counterexample, lambda *, knob=0: (0.1 + 0.2, 0.3)).holds  # rounding is no witness
    assert not verdict(counterexample, lambda *, knob=0: (Measured(1.0, 0.5), 0.7)).holds
    assert not verdict(counterexample, lambda *, knob=0: (np.nan, 0.3)).holds
    assert not verdict(counterexample, lambda *, knob=0: (3.0, 2.0), margin=2).holds
    assert not verdict(counterexample, lambda *, knob=0: (np.ones((2, 1)), np.zeros(2))).holds


# --- vacuous statements ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        (identity, lambda x, *, knob=0: (x, x)),
        (identity, lambda x, *, knob=0: (x[:0], x[:0] + 1)),
        (identity, lambda x, *, knob=0: ((), ())),
        (bound, lambda x, *, knob=0: (x, x)),
    ],
)
def test_vacuous_statements_are_undecided(kind, function):
    found = verdict(kind, function, x=vector("3"))
    assert found.outcome is Outcome.undecided and found.why.startswith("vacuous")
