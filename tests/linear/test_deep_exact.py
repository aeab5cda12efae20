"""The closed form of balanced aligned deep nets: the flow, its error bound, its limits and hypotheses."""

import itertools

import numpy as np
import pytest
from deep_cases import EPS, aligned_problem, haar
from scipy.integrate import solve_ivp

from toymodels import AssumptionError, DeepLinear, exact, flow
from toymodels.linear.deep_exact import closed_form
from toymodels.problem import ClosedForm
from toymodels.solutions import deep_mode

TIMES = np.array([0.0, 0.3, 1.0, 2.5])
SHAPES = [(2, 3, 2), (3, 4, 3, 2), (1, 2, 3, 1), (2, 1, 2, 3), (3, 3, 3, 3, 3), (2, 4, 2, 3, 2, 2)]


def integrate(problem, theta0, rates, times=TIMES):
    """Gradient flow by DOP853."""
    factors = problem.rate_vector(rates)
    path = solve_ivp(
        lambda t, theta: -factors * problem.gradient(theta),
        (0, times[-1]), theta0, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times,
    )  # fmt: skip
    return path.y.T


@pytest.mark.parametrize("sizes", SHAPES)
def test_aligned_starts_against_an_integrator(sizes):
    problem, theta0, *_ = aligned_problem(sizes, np.random.default_rng(sum(sizes)))
    form = closed_form(problem, theta0, np.ones(problem.depth))
    assert isinstance(form, ClosedForm) and form.determined == "parameters"
    np.testing.assert_allclose(form.at(TIMES), integrate(problem, theta0, np.ones(problem.depth)), atol=2e-10)
    run = flow(problem, theta0, TIMES, record=())
    assert (np.linalg.norm(form.at(TIMES) - run.theta, axis=-1) <= form.error(TIMES) + run.error).all()
    assert (form.error(TIMES) < 1e-10).all()


@pytest.mark.parametrize("sizes", SHAPES[:4])
def test_layerwise_rates_against_an_integrator(sizes):
    rng = np.random.default_rng(5)
    problem, theta0, *_ = aligned_problem(sizes, rng)
    rates = rng.uniform(0.5, 2, problem.depth)
    balanced = [W * np.sqrt(rate) for W, rate in zip(problem.unpack(theta0), rates, strict=True)]
    start = problem.pack(*balanced)
    form = closed_form(problem, start, rates)
    np.testing.assert_allclose(form.at(TIMES), integrate(problem, start, rates), atol=2e-10)
    doubled = closed_form(problem, theta0, np.full(problem.depth, 2.0))
    plain = closed_form(problem, theta0, np.ones(problem.depth))
    np.testing.assert_allclose(doubled.at(TIMES), plain.at(2 * TIMES), atol=1e-13)
    still = closed_form(problem, theta0, np.zeros(problem.depth))
    np.testing.assert_allclose(still.at(TIMES), np.broadcast_to(theta0, (4, problem.size)), atol=1e-14)


@pytest.mark.parametrize("sizes", SHAPES)
def test_the_bound_holds_against_a_shifted_start(sizes):
    """Restarting from the middle makes the rounding of `at` visible; the bounds of both must cover it."""
    problem, theta0, *_ = aligned_problem(sizes, np.random.default_rng(sum(sizes) + 1))
    ones = np.ones(problem.depth)
    form = closed_form(problem, theta0, ones)
    middle = closed_form(problem, form.at(0.7), ones)
    gap = np.linalg.norm(middle.at(0.5) - form.at(1.2), axis=-1)
    assert gap <= form.error(1.2) + middle.error(0.5) + form.error(0.7) * np.exp(
        middle.escape.exponent(np.array(0.5))
    )


@pytest.mark.parametrize("sizes", SHAPES)
def test_modes_are_scalar_modes_and_the_limit_is_the_best_map(sizes):
    problem, theta0, u0, s, variance = aligned_problem(sizes, np.random.default_rng(3))
    solution = exact(problem, theta0)
    for t in (0.4, 3.0):
        W = solution.product(t)
        factor = variance ** (2 / problem.depth - 1)
        u = deep_mode.product(variance * u0, s, factor * t, depth=problem.depth) / variance
        np.testing.assert_allclose(np.linalg.svd(W)[1][: len(u)], np.sort(u)[::-1], rtol=1e-12)
    np.testing.assert_allclose(problem.gradient(solution.at(np.inf)), 0, atol=1e-12)


def test_shapes_of_times_and_runs():
    problem, theta0, *_ = aligned_problem((2, 3, 2, 2), np.random.default_rng(0))
    runs = np.stack([theta0, 0 * theta0])
    form = closed_form(problem, runs, np.ones(3))
    for t, shape in ((0.5, ()), (TIMES, (4,)), (np.array([np.inf]), (1,))):
        assert form.at(t).shape == (*shape, 2, problem.size)
        assert form.error(t).shape == (*shape, 2)
        assert form.product(t).shape == (*shape, 2, 2, 2)
    alone = closed_form(problem, theta0, np.ones(3))
    np.testing.assert_allclose(form.at(TIMES)[:, 0], alone.at(TIMES), atol=1e-14)
    np.testing.assert_array_equal(form.at(np.inf)[1], 0)
    np.testing.assert_array_equal(form.error(np.inf)[1], 0)


def test_equal_modes_and_wrong_signs():
    problem = DeepLinear(np.eye(2), np.diag([3.0, 1.0]), widths=(2, 2), weights=[1.0, 1.0])
    layers = [np.eye(2) * 0.3] * 3
    turned = [np.diag([0.3, -0.3]), np.eye(2) * 0.3, np.eye(2) * 0.3]
    solution = exact(problem, np.stack([problem.pack(*layers), problem.pack(*turned)]))
    limits = solution.product(np.inf)
    np.testing.assert_allclose(limits[0], np.diag([3.0, 1.0]), atol=1e-14)
    # a mode of the wrong sign goes to the saddle at zero
    np.testing.assert_allclose(limits[1], np.diag([3.0, 0.0]), atol=1e-14)


def test_modes_of_very_different_sizes_stay_apart():
    rng = np.random.default_rng(2)
    O, P, U, V = (haar(rng, 3) for _ in range(4))
    S = (U * [3.0, 2.0, 1.0]) @ V.T
    problem = DeepLinear(V.T, (U * [3.0, 2.0, 1.0]).T, widths=(3, 3), weights=np.ones(3))
    np.testing.assert_allclose(problem.statistics.Syx, S, atol=1e-14)
    u0 = np.array([1e-3, 1e-6, 1e-9])
    solution = exact(problem, problem.balanced((U * u0) @ V.T, [O, P]))
    for t in (10.0, 100.0, 400.0):
        expected = (U * deep_mode.product(u0, [3.0, 2.0, 1.0], t, depth=3)) @ V.T
        np.testing.assert_allclose(solution.product(t), expected, atol=1e-9)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_escape_rates_are_hessian_eigenvalues(depth):
    rng = np.random.default_rng(depth)
    for sizes in itertools.islice(itertools.product((2, 3), repeat=depth + 1), 6):
        problem, theta0, *_ = aligned_problem(sizes, rng)
        form = closed_form(problem, theta0, np.ones(depth))
        for t in (0.0, 0.2, 1.0):
            smallest = np.linalg.eigvalsh(problem.hessian(form.at(t)))[0]
            rate = form.escape._rate(np.array([t]))[0]
            assert rate >= -smallest - 1e-12
            if len(set(sizes)) == 1:
                assert rate == pytest.approx(max(-smallest, 0.0), rel=1e-10)


def test_hypotheses():
    problem, theta0, *_ = aligned_problem((2, 2, 2, 2), np.random.default_rng(1))
    ones = np.ones(3)
    rng = np.random.default_rng(0)
    with pytest.raises(AssumptionError, match="expected balanced layers") as caught:
        closed_form(problem, rng.standard_normal(problem.size), ones)
    assert caught.value.residual > 0.1
    with pytest.raises(AssumptionError, match="shares its singular vectors"):
        closed_form(problem, problem.balanced(rng.standard_normal((2, 2))), ones)
    with pytest.raises(AssumptionError, match="rates: expected all positive or all zero"):
        closed_form(problem, theta0, np.array([1.0, 0.0, 1.0]))
    with pytest.raises(AssumptionError, match="expected balanced layers"):
        closed_form(problem, theta0, np.array([1.0, 2.0, 1.0]))
    slightly = theta0 + 1e-8 * rng.standard_normal(problem.size)
    with pytest.raises(AssumptionError):
        closed_form(problem, slightly, ones)
    nearly = closed_form(problem, theta0 + EPS * rng.standard_normal(problem.size), ones)
    assert nearly.error(1.0) > 0
