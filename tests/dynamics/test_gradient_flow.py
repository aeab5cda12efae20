import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_problems import Escape, Linear, Product, distance, product_flow, regression, regression_flow

import toymodels as tm
from toymodels.errors import InputError

few = settings(max_examples=15, deadline=None)
entry = st.builds(lambda x, k: x * 10.0**k, st.floats(-10, 10), st.integers(-7, 0))
target = st.sampled_from([-2.0, 0.0, 0.5, 1.0, 3.0])
time = st.floats(1e-9, 15)


@few
@given(target, entry, entry, st.lists(time, min_size=1, max_size=5).map(sorted))
def test_error_bounds_the_distance_from_the_scalar_solution(s, a, b, times):
    run = tm.flow(Product(s), [a, b], times)
    for t, theta, error in zip(times, run.theta, run.error, strict=True):
        assert distance(theta, product_flow(s, a, b, t)) <= error


@few
@given(st.integers(1, 4), st.integers(0, 20), st.integers(0, 2**32), time)
def test_error_bounds_the_distance_from_the_regression_solution(p, extra, seed, t):
    problem, theta0 = regression(p + extra, p, seed)
    run = tm.flow(problem, theta0, t)
    assert run.theta.shape == (p,)
    assert distance(run.theta, regression_flow(problem, theta0, t)) <= run.error
    assert run.error <= 1e-8 * (1 + np.linalg.norm(theta0) + np.linalg.norm(problem.minimum))


@few
@given(target, st.floats(-2, 2), st.floats(-2, 2), time, time)
def test_semigroup(s, a, b, first, second):
    problem = Product(s)
    through = tm.flow(problem, [a, b], [first, first + second])
    again = tm.flow(problem, through.theta[0], second)
    # The Hessian is at least -|residual|, which only shrinks: the second leg amplifies by no more.
    residual = abs(np.prod(through.theta[0]) - s)
    gap = np.linalg.norm(through.theta[1] - again.theta)
    assert gap <= through.error[1] + again.error + 2 * np.exp(residual * second) * through.error[0]


@few
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32), st.floats(0.1, 5))
def test_batch_equals_its_members(p, runs, seed, t):
    problem, theta0 = regression(p + 2, p, seed, (runs,))
    batch = tm.flow(problem, theta0, [0.5 * t, t])
    assert batch.theta.shape == (2, runs, p)
    for k in range(runs):
        alone = tm.flow(problem, theta0[k], [0.5 * t, t])
        gap = np.linalg.norm(batch.theta[:, k] - alone.theta, axis=-1)
        assert (gap <= batch.error[:, k] + alone.error).all()


@few
@given(st.sampled_from([0.25, 0.5, 2.0, 4.0]), target, st.floats(-2, 2), st.floats(-2, 2))
def test_units(c, s, a, b):
    """Layers in units of c, products in units of c², time in units of c^-2."""
    plain = tm.flow(Product(s), [a, b], [1.0, 3.0])
    scaled = tm.flow(Product(c * c * s), [c * a, c * b], np.array([1.0, 3.0]) / c**2)
    gap = np.linalg.norm(scaled.theta - c * plain.theta, axis=-1)
    assert (gap <= scaled.error + c * plain.error).all()


@few
@given(st.floats(0.1, 4), st.floats(0.1, 2), st.floats(0.1, 2))
def test_rates_rescale_time_and_blocks(rate, a, b):
    problem = Product(1.0)
    both = tm.flow(problem, [a, b], 1.0, rates=[rate, rate])
    later = tm.flow(problem, [a, b], rate)
    assert np.linalg.norm(both.theta - later.theta) <= both.error + later.error
    frozen = tm.flow(problem, [a, b], 1.0, rates=(0.0, rate))
    assert frozen.theta[0] == a
    expected = 1 / a + (b - 1 / a) * np.exp(-a * a * rate)
    assert abs(frozen.theta[1] - expected) <= frozen.error + 4e-16 * (abs(b) + 1 / a)


def test_rates_of_two_blocks_equal_the_flow_in_rescaled_layers():
    """a' = r1 b e, b' = r2 a e is the plain flow of a/sqrt r1, b/sqrt r2, with target s/sqrt(r1 r2)."""
    r1, r2, s, t = 4.0, 0.25, 1.5, 0.8
    run = tm.flow(Product(s), [0.3, -0.7], t, rates=(r1, r2))
    # In the new layers time runs r1 r2 times, since e = sqrt(r1 r2) (s' - a' b').
    plain = product_flow(s / np.sqrt(r1 * r2), 0.3 / np.sqrt(r1), -0.7 / np.sqrt(r2), r1 * r2 * t)
    expected = [plain[0] * 2, plain[1] / 2]
    assert distance(run.theta, expected) <= run.error


def test_times_may_repeat_start_late_or_be_zero():
    problem, theta0 = Product(1.0), [0.2, 0.4]
    run = tm.flow(problem, theta0, [0.0, 0.0, 2.0, 2.0])
    np.testing.assert_array_equal(run.theta[:2], [theta0, theta0])
    assert (run.error[:2] == 0).all()
    np.testing.assert_array_equal(run.theta[2], run.theta[3])
    late = tm.flow(problem, theta0, [2.0])
    assert np.linalg.norm(late.theta[0] - run.theta[2]) <= late.error[0] + run.error[2]
    still = tm.flow(problem, theta0, 0)
    np.testing.assert_array_equal(still.theta, theta0)


@pytest.mark.parametrize("start", [(0.5, 0.5), (1e-6, 1e-6), (2.0, 0.1), (1e-3, -0.2), (0.0, 1e-3)])
def test_error_is_small(start):
    assert tm.flow(Product(1.0), start, [1.0, 10.0, 50.0]).error.max() < 1e-9


def test_stationary_start_stays():
    run = tm.flow(Product(1.0), [[0.0, 0.0], [2.0, 0.5]], [0.0, 100.0])
    np.testing.assert_array_equal(run.theta[1, 0], [0.0, 0.0])
    assert run.status == "finished"


def test_a_diverging_run_is_a_result():
    problem = Escape()
    run = tm.flow(problem, [[1.0], [0.1], [0.0]], [0.25, 0.49, 0.6], record=("loss", "theta"))
    exact = 1 / np.sqrt(1 - 2 * np.array([0.25, 0.49]))
    assert run.status == "diverged"
    assert run.message.startswith("1 of 3 runs diverged, the first at time 0.5")
    assert run.events == [{"kind": "diverged", "time": pytest.approx(0.5, rel=1e-6), "runs": [[0]]}]
    assert (abs(run.theta[:2, 0, 0] - exact) <= run.error[:2, 0] + 1e-15).all()
    assert np.isnan(run.theta[2, 0, 0]) and np.isnan(run["loss"][2, 0]) and run.error[2, 0] == np.inf
    alone = tm.flow(problem, [0.1], [0.25, 0.49, 0.6])
    gap = np.linalg.norm(run.theta[:, 1] - alone.theta, axis=-1)
    assert (gap <= run.error[:, 1] + alone.error).all()
    assert tm.flow(problem, [1.0], 0.6).message.startswith("the run diverged at time 0.5")


def test_loss_and_observables_are_those_of_theta():
    problem, theta0 = regression(5, 3, 0, (2,))
    run = tm.flow(problem, theta0, [0.0, 1.0, 4.0], record=("loss", "gradient"))
    np.testing.assert_array_equal(run["loss"], problem.loss(run.theta))
    np.testing.assert_array_equal(run["gradient"], problem.gradient(run.theta))
    assert (np.diff(run["loss"], axis=0) < 0).all()


def test_a_stiff_direction_does_not_stall_a_decayed_one():
    problem = Linear(np.diag([40.0, 1.0]), [0.0, 2.0], weights=[1.0, 1.0])
    run = tm.flow(problem, [1.0, 0.0], [0.1, 5.0])
    assert distance(run.theta[1], regression_flow(problem, [1.0, 0.0], 5.0)) <= run.error[1] < 1e-8


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"times": [0.0, np.inf]}, "times: expected finite times"),
        ({"times": [1.0, 0.5]}, "times"),
        ({"times": [-1.0]}, "times"),
        ({"times": []}, "times"),
        ({"times": np.nan}, "times"),
        ({"times": [[1.0]]}, "times"),
        ({"times": "soon"}, "times"),
        ({"theta0": [1.0]}, "theta0"),
        ({"theta0": [1.0, np.nan]}, "theta0"),
        ({"theta0": [1.0, 1j]}, "theta0"),
        ({"theta0": 1.0}, "theta0"),
        ({"theta0": np.zeros((0, 2))}, "theta0"),
        ({"rates": [1.0]}, "rates"),
        ({"rates": [1.0, -1.0]}, "rates"),
        ({"record": "los"}, "record: unknown 'los'; did you mean loss"),
    ],
)
def test_bad_input_is_named(arguments, name):
    given = {"theta0": [1.0, 2.0], "times": [0.0, 1.0]} | arguments
    with pytest.raises(InputError, match=f"^{name}"):
        tm.flow(Product(1.0), **given)
