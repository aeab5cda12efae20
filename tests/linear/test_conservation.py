"""Conservation laws: flows keep them, their number is an exact rank, the guaranteed rate a lower bound."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import InputError, TwoLayerLinear
from toymodels.linear import conservation

EPS = np.finfo(float).eps
sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


@given(d=sizes, c=sizes, m=st.integers(1, 6), seed=seeds)
@settings(max_examples=25)
def test_the_number_of_laws_is_the_rank(d, c, m, seed):
    rng = np.random.default_rng(seed)
    W1, W2 = rng.integers(-1000, 1000, (m, d)), rng.integers(-1000, 1000, (c, m))
    count = conservation.number_of_laws(d, c, m)
    assert conservation.law_rank(W1, W2) == count
    assert (d + c) * m - conservation.orbit_dimension(W1, W2) == count


def test_special_points_have_fewer_laws():
    W1, W2 = np.array([[1, 0], [0, 0], [0, 0]]), np.array([[1, 0, 0]])
    assert conservation.law_rank(W1, W2) < conservation.number_of_laws(2, 1, 3)
    assert conservation.law_rank(0 * W1, 0 * W2) == 0
    assert conservation.orbit_dimension(0 * W1, 0 * W2) == 0


@given(rows=sizes, columns=sizes, inner=sizes, seed=seeds)
@settings(max_examples=30)
def test_exact_rank_of_a_product(rows, columns, inner, seed):
    rng = np.random.default_rng(seed)
    A, B = rng.integers(-99, 99, (rows, inner)), rng.integers(-99, 99, (inner, columns))
    # floats of moderate integers are exact, so the numerical rank is a fair witness
    assert conservation.exact_rank(A @ B) == np.linalg.matrix_rank((A @ B).astype(float))


def test_rank_sees_what_rounding_hides():
    tiny = Fraction(1, 10**40)
    assert conservation.exact_rank(np.array([[1, 1], [1, 1 + tiny]], dtype=object)) == 2


@given(d=sizes, c=sizes, m=sizes, seed=seeds)
@settings(max_examples=30)
def test_orbit_keeps_and_layer_rates_weigh_the_imbalance(d, c, m, seed):
    rng = np.random.default_rng(seed)
    W1, W2 = rng.standard_normal((m, d)), rng.standard_normal((c, m))
    rates = rng.uniform(0.2, 3, 2)
    step = 1e-30j
    D1, D2 = conservation.orbit_direction(
        W1, W2, rng.standard_normal((d, d)), rng.standard_normal((c, d)), rng.standard_normal((c, c))
    )
    problem = TwoLayerLinear(rng.standard_normal((3, d)), rng.standard_normal((3, c)), width=m)
    g1, g2 = problem.unpack(problem.gradient(problem.pack(W1, W2)))
    ones = np.ones(2)
    for E1, E2, weights in ((D1, D2, ones), (rates[0] * g1, rates[1] * g2, rates)):
        moved = conservation.weighted_imbalance(W1 + step * E1, W2 + step * E2, *weights).imag / 1e-30
        scale = (np.abs(W1).sum() + np.abs(W2).sum()) * (np.abs(E1).sum() + np.abs(E2).sum())
        assert np.abs(moved).max() <= 64 * EPS * scale * weights.max()


@given(d=sizes, c=sizes, m=st.integers(1, 6), seed=seeds)
@settings(max_examples=40)
def test_the_rate_bounds_the_smallest_eigenvalues(d, c, m, seed):
    rng = np.random.default_rng(seed)
    W1, W2 = rng.standard_normal((2, m, d)) * 0.3, rng.standard_normal((2, c, m))
    rate = conservation.imbalance_rate(W1, W2)
    assert rate.shape == (2,)
    assert (rate >= 0).all()
    lowest = np.linalg.eigvalsh(W2 @ W2.mT)[..., 0] + np.linalg.eigvalsh(W1.mT @ W1)[..., 0]
    assert (rate <= lowest + 64 * EPS * (np.sum(W1**2) + np.sum(W2**2))).all()
    swapped = conservation.imbalance_rate(W2.mT, W1.mT)
    np.testing.assert_allclose(swapped, rate, atol=64 * EPS * (np.sum(W1**2) + np.sum(W2**2)))


def test_one_neuron():
    # imbalance 9 - 1: the output layer guarantees 8, the other way round the input layer does
    assert conservation.imbalance_rate([[1.0]], [[3.0]]) == pytest.approx(8.0)
    assert conservation.imbalance_rate([[3.0]], [[1.0]]) == pytest.approx(8.0)
    assert conservation.imbalance_rate([[2.0]], [[2.0]]) == 0


@pytest.mark.parametrize("call, message", [
    (lambda: conservation.number_of_laws(0, 1, 1), "d: expected an integer >= 1"),
    (lambda: conservation.number_of_laws(1, 1, 1.5), "m: expected an integer >= 1"),
    (lambda: conservation.law_rank([[1]], [[1, 2]]), r"W1, W2: expected shapes \(m, d\) and \(c, m\)"),
    (lambda: conservation.imbalance_rate([[1.0]], [[1.0, 2.0]]), "W1, W2: expected shapes"),
    (lambda: conservation.imbalance_rate([[np.nan]], [[1.0]]), "W1: expected finite"),
])  # fmt: skip
def test_the_door(call, message):
    with pytest.raises(InputError, match=message):
        call()
