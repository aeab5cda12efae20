import itertools

import mpmath
import numpy as np
import pytest
from aligned_starts import KINDS, aligned, problem_and_start
from scipy.integrate import solve_ivp

from toymodels.errors import AssumptionError
from toymodels.linear import TwoLayerLinear
from toymodels.linear.exact import closed_form
from toymodels.problem import ClosedForm

ONES = np.ones(2)
TIMES = np.array([0.0, 0.4, 1.0, 2.5])


def integrate(problem, theta0, rates, times=TIMES):
    """Gradient flow by DOP853."""
    factors = problem.rate_vector(rates)
    path = solve_ivp(
        lambda t, theta: -factors * problem.gradient(theta),
        (0, times[-1]), theta0, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times,
    )  # fmt: skip
    return path.y.T


@pytest.mark.parametrize("kind", KINDS)
def test_aligned_starts_against_an_integrator(kind):
    rng = np.random.default_rng(KINDS.index(kind))
    for m, c, d in itertools.product((1, 2, 3), repeat=3):
        problem, theta0 = problem_and_start(kind, m, c, d, rng)
        form = closed_form(problem, theta0, ONES)
        assert isinstance(form, ClosedForm) and form.determined == "parameters"
        np.testing.assert_allclose(form.at(TIMES), integrate(problem, theta0, ONES), atol=2e-10)


@pytest.mark.parametrize("rates", [(1.0, 3.0), (0.25, 1.0), (0.0, 2.0), (1.5, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize("m, c, d", [(1, 1, 1), (4, 1, 1), (2, 3, 2), (3, 2, 4)])
def test_layerwise_rates_against_an_integrator(rates, m, c, d):
    rng = np.random.default_rng(7)
    problem, theta0 = problem_and_start("generic", m, c, d, rng)
    rates = np.array(rates)
    form = closed_form(problem, theta0, rates)
    np.testing.assert_allclose(form.at(TIMES), integrate(problem, theta0, rates), atol=2e-10)
    assert np.isfinite(form.error(TIMES)).all()


def test_one_input_one_output_takes_any_start_and_any_data():
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((20, 1)), rng.standard_normal(20)
    for m in (1, 2, 5):
        problem = TwoLayerLinear(X, Y, width=m)
        theta0 = problem.init(runs=3, rng=m)
        form = closed_form(problem, theta0, ONES)
        path = form.at(TIMES)
        assert path.shape == (4, 3, 2 * m)
        for run in range(3):
            np.testing.assert_allclose(path[:, run], integrate(problem, theta0[run], ONES), atol=1e-10)
        at_rest = problem.gradient(form.at(np.inf))
        np.testing.assert_allclose(at_rest, 0, atol=1e-14)


def test_shapes_of_times_and_runs():
    rng = np.random.default_rng(0)
    problem, theta0 = problem_and_start("generic", 2, 2, 3, rng)
    runs = np.stack([theta0, 2 * theta0, 0 * theta0])
    form = closed_form(problem, runs, ONES)
    for t, shape in ((0.5, ()), (TIMES, (4,)), (np.array([np.inf]), (1,))):
        assert form.at(t).shape == (*shape, 3, problem.size)
        assert form.error(t).shape == (*shape, 3)
        assert form.product(t).shape == (*shape, 3, 2, 3)
        assert form.gram(t).shape == (*shape, 3, 5, 5)
    alone = closed_form(problem, runs[1], ONES)
    np.testing.assert_allclose(form.at(TIMES)[:, 1], alone.at(TIMES), atol=1e-14)
    np.testing.assert_array_equal(form.at(0.0)[2], 0)
    np.testing.assert_array_equal(form.error(np.inf)[2], 0)


def test_product_and_gram_belong_to_the_parameters():
    rng = np.random.default_rng(1)
    problem, theta0 = problem_and_start("generic", 3, 2, 3, rng)
    form = closed_form(problem, theta0, ONES)
    np.testing.assert_allclose(form.product(TIMES), problem.product(form.at(TIMES)), atol=1e-15)
    np.testing.assert_allclose(form.gram(TIMES), problem.gram(form.at(TIMES)), atol=1e-15)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_infinity_is_the_best_map_of_the_width(m):
    rng = np.random.default_rng(m)
    problem, theta0 = problem_and_start("small and ordered", m, 3, 3, rng)
    theta0 = 1e-2 * theta0
    form = closed_form(problem, theta0, ONES)
    limit = form.product(np.inf)
    modes = form.modes
    expected = (modes.U * np.divide(modes.s, modes.l)) @ modes.V.T
    np.testing.assert_allclose(limit, expected, atol=1e-13)
    assert np.linalg.matrix_rank(limit, tol=1e-8) == m
    np.testing.assert_allclose(problem.gradient(form.at(np.inf)), 0, atol=1e-13)


def test_time_shift():
    rng = np.random.default_rng(9)
    problem, theta0 = problem_and_start("generic", 3, 3, 2, rng)
    middle = closed_form(problem, theta0, ONES).at(0.7)
    later = closed_form(problem, middle, ONES).at(0.5)
    np.testing.assert_allclose(later, closed_form(problem, theta0, ONES).at(1.2), atol=1e-12)


def exact_path(problem, theta0, t):
    """Gradient flow from the float start at 30 digits, by Taylor series."""
    m, (c, d) = problem.width, problem.statistics.Syx.shape
    with mpmath.workdps(30):
        Sxx, Syx = (mpmath.matrix(x.tolist()) for x in problem.statistics[:2])

        def velocity(t, theta):
            W1, W2 = mpmath.matrix(m, d), mpmath.matrix(c, m)
            for i in range(m * d):
                W1[i // d, i % d] = theta[i]
            for i in range(c * m):
                W2[i // m, i % m] = theta[m * d + i]
            R = Syx - W2 * W1 * Sxx
            return [*(W2.T * R), *(R * W1.T)]

        path = mpmath.odefun(velocity, 0, [mpmath.mpf(x) for x in theta0.tolist()], tol=mpmath.mpf(10) ** -22)
        return np.array([float(x) for x in path(t)])


@pytest.mark.parametrize("kind, scale", [("generic", 1.0), ("small and ordered", 1e-3)])
@pytest.mark.parametrize("m, c, d", [(1, 1, 2), (2, 2, 2)])
def test_the_error_bounds_the_distance_to_the_true_flow(kind, scale, m, c, d):
    problem, theta0 = problem_and_start(kind, m, c, d, np.random.default_rng(6))
    theta0 = scale * theta0
    form = closed_form(problem, theta0, ONES)
    for t in (0.5, 4.0):
        distance = np.linalg.norm(form.at(t) - exact_path(problem, theta0, t))
        assert distance <= form.error(t)


def test_the_error_grows_as_a_saddle_amplifies():
    rng = np.random.default_rng(8)
    problem, theta0 = problem_and_start("generic", 2, 2, 2, rng)
    form = closed_form(problem, theta0, ONES)
    U, V, O = form.modes.U, form.modes.V, form.modes.O
    a = np.array([1.0, 0.5])
    b = -np.sign(form.modes.s) * a
    saddle = problem.pack((O * a) @ V.T, (U * b) @ O.T)
    form = closed_form(problem, saddle, ONES)
    slow = form.error(np.array([0.0, 5.0, 50.0, np.inf]))
    assert slow[0] < 1e-13 and (np.diff(slow[:3]) > 0).all() and slow[2] > 1 and slow[3] == np.inf


@pytest.mark.parametrize("t", [0.5, 2.0])
def test_the_error_covers_a_start_that_is_aligned_to_rounding_only(t):
    rng = np.random.default_rng(3)
    problem, theta0 = problem_and_start("small and ordered", 2, 2, 2, rng)
    theta0 = theta0 + 3e-13 * np.linalg.norm(theta0) * rng.standard_normal(problem.size)
    form = closed_form(problem, theta0, ONES)
    distance = np.linalg.norm(form.at(t) - exact_path(problem, theta0, t))
    assert 1e-15 < distance <= form.error(t) < 1e-8


def test_an_exact_saddle_stays_where_it_is():
    problem = TwoLayerLinear.from_statistics(np.eye(2), np.diag([2.0, 1.0]), 5.0, width=2)
    theta0 = problem.pack(np.diag([1.0, 0.0]), np.diag([-1.0, 0.0]))
    form = closed_form(problem, theta0, ONES)
    np.testing.assert_array_equal(form.at(np.inf), 0)
    assert form.error(np.inf) < 1e-11
    stuck = problem.pack(np.diag([0.0, 0.5]), np.diag([0.0, 0.5]))
    np.testing.assert_allclose(
        closed_form(problem, stuck, ONES).product(np.inf), np.diag([0.0, 1.0]), atol=1e-15
    )


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1.0])
@pytest.mark.parametrize("s", [2.0, -2.0])
def test_the_scalar_net_from_tiny_starts(scale, s):
    problem = TwoLayerLinear.from_statistics([[1.0]], [[s]], 5.0, width=1)
    form = closed_form(problem, np.array([scale, 0.5 * scale]), ONES)
    assert form.product(np.inf)[0, 0] == pytest.approx(s, rel=1e-13)
    assert form.error(np.inf) < 1e-10
    grown = form.at(3.0) / scale
    if scale < 1e-7:
        expected = [np.cosh(3 * s) + 0.5 * np.sinh(3 * s), 0.5 * np.cosh(3 * s) + np.sinh(3 * s)]
        np.testing.assert_allclose(grown, expected, rtol=1e-9)


def test_a_departure_from_alignment_is_refused_and_named():
    rng = np.random.default_rng(2)
    problem, theta0 = problem_and_start("generic", 3, 2, 2, rng)
    with pytest.raises(AssumptionError, match="share their singular vectors") as caught:
        closed_form(problem, theta0 + 1e-6 * rng.standard_normal(problem.size), ONES)
    assert 1e-9 < caught.value.residual < 1e-4
    with pytest.raises(AssumptionError):
        closed_form(problem, np.stack([theta0, problem.init(rng=1)]), ONES)


def test_samples_and_statistics_give_one_answer():
    rng = np.random.default_rng(4)
    W1, W2, Sxx, Syx = aligned("generic", 2, 2, 2, rng)
    n = 8
    basis = np.linalg.qr(rng.standard_normal((n, 2)))[0] * np.sqrt(n)
    root = np.linalg.cholesky(Sxx)
    X = basis @ root.T
    Y = X @ np.linalg.solve(Sxx, Syx.T)
    sampled = TwoLayerLinear(X, Y, width=2)
    theta0 = sampled.pack(W1, W2)
    other = TwoLayerLinear.from_statistics(Sxx, Syx, 1e3, width=2)
    np.testing.assert_allclose(
        closed_form(sampled, theta0, ONES).at(TIMES), closed_form(other, theta0, ONES).at(TIMES), atol=1e-12
    )
