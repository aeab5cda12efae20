"""The kernel of infinite width against integrals, its formulas and wide nets."""

import numpy as np
import pytest
from arrangements import lattice_rows, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from toymodels import InputError, TwoLayerReLU
from toymodels.relu import infinite_width_ntk, probability_formulas
from toymodels.relu.infinite_width import sine_minus_angle_cosine

EPS = np.finfo(float).eps


@given(st.floats(0, np.pi), st.floats(0.1, 3), st.floats(0.1, 3))
@settings(max_examples=40)
def test_expectations_are_integrals_over_the_circle(theta, hidden, output):
    """In polar coordinates E|w|² = 2, and the angle of w is uniform."""
    X = np.array([[2.0, 0.0], [3 * np.cos(theta), 3 * np.sin(theta)]])
    low, high = theta - np.pi / 2, np.pi / 2
    both, _ = quad(lambda phi: 1.0, low, high)
    product, error = quad(lambda phi: 2 * 2 * np.cos(phi) * 3 * np.cos(phi - theta), low, high)
    expected = (output * (X[0] @ X[1]) * both + hidden * product) / (2 * np.pi)
    kernel = infinite_width_ntk(X, hidden_variance=hidden, output_variance=output)
    assert kernel[0, 1] == pytest.approx(expected, abs=1e-12 + error)
    frozen = infinite_width_ntk(X, output_variance=output, trains_output=False)
    assert frozen[0, 1] == pytest.approx(output * (X[0] @ X[1]) * both / (2 * np.pi), abs=1e-12)


@given(st.floats(0, np.pi))
def test_the_formulas_are_what_the_kernel_computes(theta):
    X = np.array([[1.0, 0.0], [np.cos(theta), np.sin(theta)]])
    zero, one = probability_formulas.arc_cosine_zero(theta), probability_formulas.arc_cosine_one(theta)
    expected = np.cos(theta) * zero + one
    assert infinite_width_ntk(X)[0, 1] == pytest.approx(expected, abs=16 * EPS)


@given(lattice_rows())
@settings(max_examples=40)
def test_it_is_a_kernel(X):
    K = infinite_width_ntk(X)
    assert (K == K.T).all()
    assert np.linalg.eigvalsh(K).min() >= -64 * len(X) * EPS * np.abs(K).max()
    np.testing.assert_allclose(np.diag(K), (X * X).sum(1), rtol=8 * EPS)


@given(st.floats(1e-12, np.pi))
def test_the_second_kernel_keeps_its_digits(x):
    import mpmath

    with mpmath.workdps(60):
        exact = float(mpmath.sin(x) - mpmath.mpf(x) * mpmath.cos(x))
    assert sine_minus_angle_cosine(np.float64(x)) == pytest.approx(exact, rel=16 * EPS)


@given(seeds, st.booleans())
@settings(max_examples=5)
def test_wide_nets_come_close(seed, trained):
    """The spread of K/m is a few norms over sqrt(m); six of them are allowed."""
    rng = np.random.default_rng(seed)
    X, m = rng.standard_normal((4, 3)), 40000
    layer = {"width": m} if trained else {"output": rng.choice([-1.5, 1.5], m)}
    problem = TwoLayerReLU(X, np.zeros(4), **layer)
    W = 0.5 * rng.standard_normal((m, 3))
    theta = problem.pack(W, rng.choice([-1.5, 1.5], m)) if trained else problem.pack(W)
    limit = infinite_width_ntk(X, hidden_variance=0.25, output_variance=2.25, trains_output=trained)
    spread = 3 * 2.25 * (X * X).sum(1).max() / np.sqrt(m)
    assert np.abs(problem.ntk(theta) / m - limit).max() < 6 * spread


def test_zero_rows_have_a_zero_kernel():
    assert infinite_width_ntk([[0.0, 0.0], [1.0, 0.0]]).tolist() == [[0.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: infinite_width_ntk([1.0]), "X: expected 2 dimension"),
        (
            lambda: infinite_width_ntk([[1.0]], hidden_variance=-1),
            "hidden_variance: expected a finite number >= 0",
        ),
        (lambda: infinite_width_ntk([[1.0]], output_variance="a"), "output_variance: expected a number"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
