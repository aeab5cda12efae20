import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

from toymodels.errors import AssumptionError, InputError
from toymodels.linear import one_neuron as on_data
from toymodels.solutions import one_neuron, one_neuron_bias
from toymodels.solutions.one_neuron_start import imbalance


def integrate(X, y, w0, a0, times, rates=(1.0, 1.0)):
    """Weights (T, d), (T,) by DOP853."""

    def velocity(t, q):
        pull = X.T @ (y - X @ (q[-1] * q[:-1]))
        return np.append(rates[0] * q[-1] * pull, rates[1] * q[:-1] @ pull)

    path = solve_ivp(
        velocity, (0, times[-1]), np.append(w0, a0), method="DOP853", rtol=1e-11, atol=1e-12, t_eval=times
    )
    return path.y[:-1].T, path.y[-1]


def data(n, d, seed, strengths=None):
    rng = np.random.default_rng(seed)
    U, _, Vt = np.linalg.svd(rng.standard_normal((n, d)), full_matrices=False)
    strengths = np.full(min(n, d), 1.3) if strengths is None else np.asarray(strengths)
    return (U * strengths) @ Vt, rng.standard_normal(n), rng.standard_normal(d), rng.standard_normal()


@pytest.mark.parametrize("n, d", [(1, 1), (1, 3), (2, 4), (3, 3), (5, 2)])
@pytest.mark.parametrize("rates", [(1.0, 1.0), (0.5, 3.0), (0.0, 1.0)])
def test_white_data_against_an_integrator(n, d, rates):
    X, y, w0, a0 = data(n, d, n + 10 * d)
    times = np.array([0.3, 1.5])
    w, a = on_data.whitened_flow(X, y, w0, a0, times, rates)
    expected = integrate(X, y, w0, a0, times, rates)
    np.testing.assert_allclose(w, expected[0], atol=1e-8)
    np.testing.assert_allclose(a, expected[1], atol=1e-8)


def test_orthonormal_columns_are_the_plain_solution():
    X = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 3)))[0]
    y, w0 = np.arange(6.0), np.array([0.4, -0.2, 1.0])
    w, a = on_data.whitened_flow(X, y, w0, 0.3, [0.5, np.inf])
    expected = one_neuron.flow(w0, 0.3, X.T @ y, [0.5, np.inf])
    np.testing.assert_allclose(w, expected[0], atol=1e-14)
    np.testing.assert_allclose(a, expected[1], atol=1e-14)


def test_unequal_strengths_have_no_closed_form():
    X, y, w0, a0 = data(2, 3, 0, [1.0, 1.1])
    with pytest.raises(AssumptionError, match="singular values") as caught:
        on_data.whitened_flow(X, y, w0, a0, 1.0)
    assert caught.value.residual == pytest.approx(0.1 / 1.05)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 2), st.integers(0, 10**6), st.sampled_from(((1.0, 1.0), (2.0, 0.5))))
def test_the_limit_on_any_data(n, seed, rates):
    X, y, w0, a0 = data(n, 4, seed, np.linspace(0.8, 1.4, n) if n > 1 else [1.1])
    guess = on_data.interpolating_limit(X, y, w0, a0, rates, sign=1.0)
    assume(rates[0] * guess.a**2 > 0.3 and np.abs(guess.beta).max() < 5)
    w, a = integrate(X, y, w0, a0, np.array([60.0 / guess.a**2]), rates)
    assume(np.abs(X @ (a[0] * w[0]) - y).max() < 1e-9)
    end = on_data.interpolating_limit(X, y, w0, a0, rates, sign=np.sign(a[0]))
    np.testing.assert_allclose(end.beta, a[0] * w[0], atol=1e-7)
    assert end.a == pytest.approx(a[0], abs=1e-7)
    data_rows = on_data.rows_of(X, y)
    k = imbalance(w0 @ data_rows.V, a0, rates)
    if k > 0:
        assert np.sign(a[0]) == np.sign(a0)
        np.testing.assert_array_equal(on_data.interpolating_limit(X, y, w0, a0, rates).beta, end.beta)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_on_equal_strengths_the_limit_is_the_flow_at_infinity(seed, n):
    X, y, w0, a0 = data(n, 3, seed)
    w, a = on_data.whitened_flow(X, y, w0, a0, np.inf)
    end = on_data.interpolating_limit(X, y, w0, a0)
    np.testing.assert_allclose(end.beta, a * w, atol=1e-12 * (1 + np.abs(end.beta).max()))
    assert end.a == pytest.approx(a, rel=1e-12)


@pytest.mark.parametrize("delta", [-1.5, 0.0, 2.0])
@pytest.mark.parametrize("turning", [False, True])
def test_the_limit_minimises_the_potential(delta, turning):
    X, y = np.array([[1.0, 0.5, -0.3, 0.2]]), np.array([1.1])
    fit = on_data.rows_of(X, y).fit
    across = np.array([0.1, 0.2, 0.5, 0.4])
    across -= X[0] * (X[0] @ across) / (X[0] @ X[0])
    if turning:
        # output weight of the wrong sign, smaller than what w has along the row
        w0 = -2 * fit / np.linalg.norm(fit) + across
        a0 = 0.15
    else:
        w0 = 0.5 * fit + across
        a0 = np.sqrt(delta + w0 @ w0) if delta + w0 @ w0 > 0 else 0.7
    delta = a0 * a0 - w0 @ w0
    end = on_data.interpolating_limit(X, y, w0, a0)
    assert (np.sign(end.a) == -np.sign(a0)) == turning
    psi = one_neuron_bias.potential_gradient(a0 * w0, delta)
    null = np.linalg.svd(X)[2][1:].T

    def lowest(sign):
        height = lambda z: one_neuron_bias.potential(fit + null @ z, delta) - sign * psi @ (fit + null @ z)
        best = minimize(height, np.full(3, 0.1), method="BFGS", options=dict(gtol=1e-10))
        return fit + null @ best.x

    np.testing.assert_allclose(lowest(np.sign(end.a) * np.sign(a0)), end.beta, atol=1e-5)
    if turning:
        # the published form has no sign; it is off by O(1) on such a start
        assert np.linalg.norm(lowest(1.0) - end.beta) > 0.3


def test_published_example_lies_on_the_solution_line():
    X, y = np.array([[0.5, 1.0]]), np.array([1.1])
    beta0 = 0.5 * (0.6 * np.array([1.0, -0.5]) + 0.4 * np.array([0.5, 1.0]))
    size = np.linalg.norm(beta0)
    ends = []
    for delta in (-1e9, -4.0, 0.0, 4.0, 1e9):
        a0 = (
            np.sqrt((np.hypot(delta, 2 * size) + delta) / 2)
            if delta >= 0
            else size / np.sqrt((np.hypot(delta, 2 * size) - delta) / 2)
        )
        ends.append(on_data.interpolating_limit(X, y, beta0 / a0, a0, sign=1.0).beta)
    np.testing.assert_allclose(np.array(ends) @ X[0], 1.1, rtol=1e-12)
    np.testing.assert_allclose(ends[0], beta0 * 1.1 / (X[0] @ beta0), rtol=1e-6)
    np.testing.assert_allclose(ends[-1], beta0 + X[0] * (1.1 - X[0] @ beta0) / 1.25, rtol=1e-8)


def test_batches():
    X, y, _, _ = data(2, 3, 4)
    rng = np.random.default_rng(2)
    w0, a0 = rng.standard_normal((5, 3)), rng.standard_normal(5)
    w, _ = on_data.whitened_flow(X, y, w0, a0, 0.7)
    end = on_data.interpolating_limit(X, y, w0, a0)
    for i in range(5):
        np.testing.assert_allclose(w[i], on_data.whitened_flow(X, y, w0[i], a0[i], 0.7)[0], rtol=1e-13)
        np.testing.assert_allclose(
            end.beta[i], on_data.interpolating_limit(X, y, w0[i], a0[i]).beta, rtol=1e-13
        )


def test_unknown_signs_and_saddles_are_named():
    X, y, w0, _ = data(2, 3, 1, [1.0, 1.4])
    with pytest.raises(AssumptionError, match="sign"):
        on_data.interpolating_limit(X, y, 5 * w0, 0.01)
    with pytest.raises(AssumptionError, match="saddle"):
        on_data.interpolating_limit([[1.0, 0.0]], [1.0], [0.0, 1.0], 0.0)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (([[1.0, 0.0]], [[1.0]], [1.0, 1.0], 1.0, 1.0), "y"),
        (([[1.0, 0.0]], [1.0, 2.0], [1.0, 1.0], 1.0, 1.0), "y"),
        (([[0.0, 0.0]], [1.0], [1.0, 1.0], 1.0, 1.0), "X"),
        (([[1.0, 0.0]], [1.0], [1.0], 1.0, 1.0), "w0"),
        (([[1.0, 0.0]], [1.0], [1.0, 1.0], 1.0, -1.0), "t"),
        (([1.0, 0.0], [1.0], [1.0, 1.0], 1.0, 1.0), "X"),
    ],
)
def test_bad_input_is_named(arguments, word):
    with pytest.raises(InputError, match=word):
        on_data.whitened_flow(*arguments)
