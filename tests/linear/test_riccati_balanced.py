"""Balanced starts through `exact`: against the integrated flow, in all units, with what is refused."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from riccati_cases import imbalances, rotation, seeds, starts, white, widths
from scipy.integrate import solve_ivp

import toymodels as tm
from toymodels.errors import AssumptionError, InputError
from toymodels.linear import balanced_factors

TIMES = np.array([0.0, 0.3, 1.0, 3.0])
CARD = [(3, 3, 3, 0), (4, 2, 3, 0), (3, 5, 2, 0), (5, 2, 3, 0.8), (3, 3, 3, -1.1), (5, 3, 2, -0.7),
        (2, 3, 4, 1.3), (3, 1, 3, 0.5), (4, 1, 2, -0.4)]  # fmt: skip


def integrate(problem, theta0, rates=(1.0, 1.0), times=TIMES):
    """Gradient flow by DOP853."""
    factors = problem.rate_vector(rates)
    path = solve_ivp(
        lambda t, theta: -factors * problem.gradient(theta),
        (0, times[-1]), theta0, method="DOP853", rtol=1e-12, atol=1e-14, t_eval=times,
    )  # fmt: skip
    return path.y.T


def problem_and_start(d, m, c, lam, rng, variance=1.0, scale=0.5):
    problem = white(rng.standard_normal((c, d)), m, variance)
    W = scale * rng.standard_normal((c, m)) @ rng.standard_normal((m, d))
    return problem, problem.balanced(W, lam, rotation(rng, m))


@pytest.mark.parametrize("d, m, c, lam", CARD)
@pytest.mark.parametrize("variance", [1.0, 0.3])
def test_against_an_integrator(d, m, c, lam, variance):
    problem, theta0 = problem_and_start(d, m, c, lam, np.random.default_rng(m), variance)
    form = tm.exact(problem, theta0)
    path = integrate(problem, theta0)
    np.testing.assert_allclose(form.gram(TIMES), problem.gram(path), atol=1e-10)
    np.testing.assert_allclose(form.product(TIMES), problem.product(path), atol=1e-10)
    np.testing.assert_allclose(problem.gram(form.at(TIMES)), form.gram(TIMES), atol=1e-13)
    np.testing.assert_allclose(form.at(0.0), theta0, atol=1e-14)
    if m == 1:
        assert form.determined == "parameters"
        np.testing.assert_allclose(form.at(TIMES), path, atol=1e-10)
    else:
        assert form.determined == "up to a rotation of the hidden layer"


@given(start=starts(), t=st.floats(0, 3))
@settings(max_examples=15)
def test_random_widths_scales_and_imbalances(start, t):
    S, _, W1, W2 = start
    problem = white(S, len(W1))
    theta0 = problem.pack(W1, W2)
    form, path = tm.exact(problem, theta0), tm.flow(problem, theta0, [t], record=())
    gap = np.linalg.norm(form.gram(t) - problem.gram(path.theta[0]))
    allowed = path.error[0] * (2 * np.linalg.norm(path.theta[0]) + path.error[0])
    assert gap <= form.gram_error(t) + allowed


def test_to_the_end_from_a_generic_start():
    problem, theta0 = problem_and_start(3, 2, 3, 0.0, np.random.default_rng(3))
    path = integrate(problem, theta0, times=np.array([0.0, 40.0]))
    np.testing.assert_allclose(tm.exact(problem, theta0).gram(40.0), problem.gram(path[-1]), atol=1e-9)


def test_samples_give_the_same_and_the_tangent_kernel():
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.standard_normal((9, 3)))[0] * 3.0
    problem = tm.TwoLayerLinear(X, rng.standard_normal((9, 2)), width=2)
    theta0 = problem.balanced(rng.standard_normal((2, 3)), 0.4)
    form, path = tm.exact(problem, theta0), integrate(problem, theta0)
    np.testing.assert_allclose(form.ntk(TIMES), problem.ntk(path), atol=1e-8)
    other = tm.TwoLayerLinear.from_statistics(*problem.statistics, width=2)
    np.testing.assert_allclose(tm.exact(other, theta0).gram(TIMES), form.gram(TIMES), atol=1e-12)
    with pytest.raises(InputError, match="ntk"):
        tm.exact(other, theta0).ntk(1.0)


def test_the_sum_loss_runs_n_times_faster():
    rng = np.random.default_rng(1)
    X, Y = np.linalg.qr(rng.standard_normal((6, 2)))[0], rng.standard_normal((6, 2))
    mean = tm.TwoLayerLinear(X, Y, width=2)
    total = tm.TwoLayerLinear(X, Y, width=2, weights=np.ones(6))
    theta0 = mean.balanced(rng.standard_normal((2, 2)), -0.3)
    np.testing.assert_allclose(
        tm.exact(mean, theta0).gram(6 * TIMES), tm.exact(total, theta0).gram(TIMES), atol=1e-12
    )


@pytest.mark.parametrize("rates", [(1.0, 3.0), (0.25, 1.0), (2.0, 2.0), (1e-3, 1.0)])
@pytest.mark.parametrize("d, m, c, lam", [(3, 2, 3, 0.0), (2, 3, 4, 0.6), (4, 1, 2, -0.4)])
def test_layerwise_rates(rates, d, m, c, lam):
    problem, theta0 = problem_and_start(d, m, c, lam, np.random.default_rng(d))
    # balanced in the units of equal rates
    lift = (rates[1] / rates[0]) ** 0.25
    W1, W2 = problem.unpack(theta0)
    theta0 = problem.pack(W1 / lift, W2 * lift)
    form, path = tm.exact(problem, theta0, rates), integrate(problem, theta0, rates)
    np.testing.assert_allclose(form.gram(TIMES), problem.gram(path), atol=1e-9)
    if m > 1:
        with pytest.raises(AssumptionError, match="theta0"):
            tm.exact(problem, theta0, (rates[0], 2 * rates[1]))


@given(d=widths, m=widths, c=widths, seed=seeds)
@settings(max_examples=15)
def test_runs_do_not_see_each_other(d, m, c, seed):
    rng = np.random.default_rng(seed)
    problem = white(rng.standard_normal((c, d)), m)
    lams = [sign * rng.uniform(0.1, 1) for sign in imbalances(m, c, d)]
    runs = [problem.balanced(rng.standard_normal((c, m)) @ rng.standard_normal((m, d)), lam) for lam in lams]
    together = tm.exact(problem, np.stack(runs))
    for ask in ("at", "product", "gram", "error"):
        stacked = getattr(together, ask)(TIMES)
        for run, theta0 in enumerate(runs):
            alone = getattr(tm.exact(problem, theta0), ask)(TIMES)
            np.testing.assert_allclose(stacked[:, run], alone, atol=1e-9)
    assert together.limit().best.shape == (len(runs),)


@given(start=starts(scales=(0,)), shift=st.floats(0.1, 1.0))
@settings(max_examples=20)
def test_time_shift(start, shift):
    S, _, W1, W2 = start
    problem = white(S, len(W1))
    theta0 = problem.pack(W1, W2)
    form = tm.exact(problem, theta0)
    later = tm.exact(problem, form.at(shift))
    np.testing.assert_allclose(later.gram(0.8), form.gram(shift + 0.8), atol=1e-10)


@pytest.mark.parametrize("sign", [1, -1])
def test_imbalance_of_rounding_size(sign):
    problem = white(np.random.default_rng(4).standard_normal((2, 2)), 2)
    W = np.array([[0.4, 0.3], [-0.2, 0.5]])
    plain = tm.exact(problem, problem.balanced(W, 0.0)).gram(TIMES)
    tilted = tm.exact(problem, problem.balanced(W, sign * 1e-12)).gram(TIMES)
    np.testing.assert_allclose(tilted, plain, atol=1e-10)


def mirrored(n, width, rng, lam=0.0):
    """A start whose determinant has the other sign than the target's."""
    U, V, turn = rotation(rng, n), rotation(rng, n), rotation(rng, n)
    turn[0] *= -np.sign(np.linalg.det(turn))
    s = np.linspace(2.0, 0.7, n)
    problem = white((U * s) @ V.T, width)
    theta0 = problem.balanced(0.5 * U @ turn @ V.T, lam, rotation(rng, width))
    return problem, theta0, (U * s)[:, :-1] @ V[:, :-1].T


@pytest.mark.parametrize("n, width", [(2, 2), (3, 3), (3, 5)])
def test_the_determinant_keeps_the_flow_from_the_target(n, width):
    problem, theta0, truncated = mirrored(n, width, np.random.default_rng(width))
    form = tm.exact(problem, theta0)
    end = form.limit()
    assert not end.best
    np.testing.assert_allclose(end.product, truncated, atol=1e-12)
    assert float(end.loss - problem.least_loss) == pytest.approx(0.7**2 / 2, abs=1e-10)
    # an integrator still follows at a time when its rounding has not grown
    path = integrate(problem, theta0, times=np.array([0.0, 12.0]))
    np.testing.assert_allclose(problem.product(path[-1]), form.product(12.0), atol=1e-6)


@pytest.mark.parametrize("lam", [0.3, -0.3, 1.5])
def test_any_imbalance_lifts_that(lam):
    problem, theta0, _ = mirrored(3, 3, np.random.default_rng(0), lam)
    end = tm.exact(problem, theta0).limit()
    assert end.best and float(end.loss - problem.least_loss) < 1e-24


def test_near_a_saddle_the_error_says_so():
    problem, theta0, _ = mirrored(3, 3, np.random.default_rng(1))
    error = tm.exact(problem, theta0).error(np.array([0.0, 1.0, 20.0, 1e3, np.inf]))
    assert error[0] < 1e-12 and error[1] < 1e-11 and 1e-9 < error[2] < 1 < error[3] and error[4] == np.inf


def test_what_is_not_balanced_is_refused_with_its_residual():
    rng = np.random.default_rng(2)
    problem = white(rng.standard_normal((2, 3)), 4)
    with pytest.raises(AssumptionError, match="lam I") as caught:
        tm.exact(problem, problem.init(rng=0))
    assert 1e-3 < caught.value.residual < 1
    theta0 = problem.balanced(rng.standard_normal((2, 3)), 0.0)
    with pytest.raises(AssumptionError) as caught:
        tm.exact(problem, theta0 + 1e-7 * rng.standard_normal(problem.size))
    assert 1e-10 < caught.value.residual < 1e-5
    with pytest.raises(AssumptionError, match="rates"):
        tm.exact(problem, theta0, (0.0, 1.0))


def test_imbalance_that_the_widths_exclude():
    problem = white(np.ones((2, 3)), 3)
    with pytest.raises(InputError, match="lam"):
        problem.balanced(np.ones((2, 3)), 0.5)
    with pytest.raises(InputError, match="lam"):
        balanced_factors(np.ones((3, 2)), -0.5, width=3)


@pytest.mark.parametrize("lam", [1e4, -1e4])
def test_square_nets_are_lazy_for_both_signs(lam):
    problem, theta0 = problem_and_start(3, 3, 3, lam, np.random.default_rng(6))
    form = tm.exact(problem, theta0)
    change = np.linalg.norm(form.gram(np.inf) - form.gram(0.0))
    assert change < 10 / abs(lam) * np.linalg.norm(form.gram(0.0))
    np.testing.assert_allclose(form.product(np.inf), problem.statistics.Syx, atol=1e-8)


def test_the_limit_reaches_the_best_map_of_the_width():
    rng = np.random.default_rng(8)
    for m in (1, 2, 3):
        problem = white(rng.standard_normal((3, 4)), m)
        W = 1e-6 * rng.standard_normal((3, m)) @ rng.standard_normal((m, 4))
        end = tm.exact(problem, problem.balanced(W)).limit()
        assert end.best
        np.testing.assert_allclose(end.product, problem.modes.product(tuple(range(m))), atol=1e-12)


def test_a_push_off_balance_beyond_rounding_is_refused():
    problem, theta0, _ = mirrored(2, 2, np.random.default_rng(9))
    pushed = theta0 + 1e-9 * problem.balanced(np.eye(2))
    with pytest.raises(AssumptionError):
        tm.exact(problem, pushed)


@given(seed=seeds)
@settings(max_examples=15)
def test_one_neuron_needs_no_hypothesis(seed):
    rng = np.random.default_rng(seed)
    d, c = rng.integers(1, 4, 2)
    assume(c * d > 1)
    problem = white(rng.standard_normal((c, d)), 1)
    theta0 = problem.init(rng=seed)
    form = tm.exact(problem, theta0)
    assert form.determined == "parameters"
    run = tm.flow(problem, theta0, [0.5, 2.0], record=())
    gap = np.linalg.norm(form.at([0.5, 2.0]) - run.theta, axis=-1)
    assert (gap <= form.error([0.5, 2.0]) + run.error).all()


@pytest.mark.parametrize("t", [-1.0, np.nan, 1j, "soon", [[0.0], [1.0, 2.0]], []])
@pytest.mark.parametrize("ask", ["at", "product", "gram", "error", "gram_error"])
def test_times_are_checked(ask, t):
    problem, theta0 = problem_and_start(2, 2, 3, 0.0, np.random.default_rng(0))
    coloured = tm.TwoLayerLinear.from_statistics(np.diag([1.0, 2.0]), problem.statistics.Syx, 99.0, width=2)
    for data in (problem, coloured):
        with pytest.raises(InputError, match="t"):
            getattr(tm.exact(data, theta0), ask)(t)
