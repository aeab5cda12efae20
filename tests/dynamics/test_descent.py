import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_problems import Linear, Product, distance, heavy_ball_power, regression, stable_lr

import toymodels as tm
from toymodels import schedules
from toymodels.errors import InputError

few = settings(max_examples=20, deadline=None)
seed = st.integers(0, 2**32)
small = st.integers(1, 4)
inertia = st.sampled_from([0.0, 0.3, 0.9])
any_noise = st.sampled_from([None, 0.3, ("rademacher", 0.2)])


@few
@given(small, st.integers(0, 8), seed, st.floats(0.05, 2.2), inertia, st.sampled_from([0, 0.1]))
def test_regression_is_the_power_of_its_companion_matrix(p, extra, seed, factor, momentum, weight_decay):
    problem, theta0 = regression(p + extra, p, seed)
    lr = factor * stable_lr(problem)
    run = tm.descend(problem, theta0, lr=lr, steps=24, momentum=momentum, weight_decay=weight_decay, every=4)
    for step, theta, error in zip(run.step, run.theta, run.error, strict=True):
        exact = heavy_ball_power(problem, theta0, lr, int(step), momentum, weight_decay)
        assert distance(theta, exact) <= error
        largest = np.abs(run.theta).max() + np.abs(problem.minimum).max()
        # Stable steps accumulate at most linearly what one step makes of the conditioning.
        assert factor > 1 or momentum or error <= 1e-13 * largest * (1 + step) * np.sqrt(problem.n)


@few
@given(st.floats(0.01, 1.2), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.sampled_from([0.0, 0.5, 0.9]))
def test_error_bounds_the_rounding_of_the_product_map(lr, a, b, momentum):
    run = tm.descend(Product(1.0), [a, b], lr=lr, steps=100, momentum=momentum)
    with mpmath.workdps(60):
        rate, mu = mpmath.mpf(lr), mpmath.mpf(momentum)
        x, y, vx, vy = mpmath.mpf(a), mpmath.mpf(b), mpmath.mpf(0), mpmath.mpf(0)
        for theta, error in zip(run.theta, run.error, strict=True):
            assert not np.isfinite(error) or distance(theta, (x, y)) <= error
            if abs(x) + abs(y) > 1e10:
                break
            residual = x * y - 1
            vx, vy = mu * vx - rate * y * residual, mu * vy - rate * x * residual
            x, y = x + vx, y + vy


def test_chaos_is_followed_while_the_error_is_finite():
    """At lr s = 2 the balanced map is x -> x(3 - x²), solved by x = 2 sin(3^k angle) (linear_nets 8.5)."""
    angle = 0.3
    with mpmath.workdps(60):
        exact = [2 * mpmath.sin(3**k * mpmath.mpf(angle)) for k in range(60)]
    start = float(exact[0])
    with mpmath.workdps(60):
        exact = [2 * mpmath.sin(3**k * mpmath.asin(mpmath.mpf(start) / 2)) for k in range(60)]
    run = tm.descend(Product(2.0), [start, start], lr=1.0, steps=59)
    known = np.isfinite(run.error)
    assert known[:15].all() and not known[45:].any()
    assert all(distance(t, (x, x)) <= e for t, x, e in zip(run.theta[known], exact, run.error, strict=False))


def test_unmeasured_error_is_infinite():
    run = tm.descend(Product(1.0), [0.5, 0.5], lr=0.1, steps=3, measure_error=False)
    assert (run.error == np.inf).all()


@few
@given(st.integers(1, 5), seed, st.sampled_from([None, 1]), st.sampled_from([None, 0.3]), inertia)
def test_batch_equals_its_members_bit_for_bit(runs, seed, batch, noise, momentum):
    problem = Product(1.5)
    starts = problem.init(0.7, runs=runs, rng=seed)
    options = {"lr": 0.1, "steps": 12, "batch": batch, "noise": noise, "momentum": momentum, "every": 3}
    together = tm.descend(problem, starts, rng=seed, **options)
    fewer = tm.descend(problem, starts[: (runs + 1) // 2], rng=seed, **options)
    for name in ("theta", "error"):
        both = getattr(together, name)[:, : (runs + 1) // 2], getattr(fewer, name)
        np.testing.assert_array_equal(*both)
    alone = tm.descend(problem, starts[0], rng=seed, **options)
    np.testing.assert_array_equal(together["loss"][:, 0], alone["loss"])


@few
@given(small, small, seed, st.integers(1, 5), st.booleans(), any_noise)
def test_random_batch_equals_its_members(p, runs, seed, batch, replace, noise):
    problem, starts = regression(5, p, seed, (runs,))
    options = {"lr": 0.3 * stable_lr(problem), "steps": 9, "batch": batch, "replace": replace, "noise": noise}
    together = tm.descend(problem, starts, rng=7, **options)
    alone = tm.descend(problem, starts[0], rng=7, **options)
    gap = np.linalg.norm(together.theta[:, 0] - alone.theta, axis=-1)
    assert (gap <= together.error[:, 0] + alone.error).all()


@few
@given(seed, st.lists(st.floats(0.01, 0.5), min_size=1, max_size=4))
def test_a_rate_per_run_equals_separate_runs(seed, lrs):
    problem = Product(1.0)
    theta0 = problem.init(0.5, rng=seed)
    run = tm.descend(problem, theta0, lr=lrs, steps=10, every=4)
    assert run.theta.shape == (4, len(lrs), 2) and run.t.shape == (4, len(lrs))
    for k, lr in enumerate(lrs):
        alone = tm.descend(problem, theta0, lr=lr, steps=10, every=4)
        np.testing.assert_array_equal(run.theta[:, k], alone.theta)
        np.testing.assert_array_equal(run.t[:, k], alone.t)


@few
@given(seed, st.floats(0.01, 0.5), st.integers(0, 10), st.integers(0, 10))
def test_time_shift(seed, lr, first, second):
    problem = Product(1.0)
    theta0 = problem.init(0.5, rng=seed)
    through = tm.descend(problem, theta0, lr=lr, steps=first + second)
    again = tm.descend(problem, through.theta[first], lr=lr, steps=second)
    np.testing.assert_array_equal(through.theta[first:], again.theta)


@few
@given(seed, st.integers(-3, 3), st.integers(1, 20))
def test_rates_multiply_the_learning_rate_of_their_block(seed, power, steps):
    problem, factor = Product(1.0), 2.0**power
    theta0 = problem.init(0.5, rng=seed)
    both = tm.descend(problem, theta0, lr=0.05, steps=steps, rates=[factor, factor])
    faster = tm.descend(problem, theta0, lr=0.05 * factor, steps=steps)
    np.testing.assert_array_equal(both.theta, faster.theta)
    frozen = tm.descend(problem, theta0, lr=0.05, steps=steps, rates=[0, 1], weight_decay=0.1, momentum=0.5)
    assert (frozen.theta[:, 0] == theta0[0]).all() and frozen.theta[-1, 1] != theta0[1]


@few
@given(small, st.integers(0, 5), seed)
def test_a_full_minibatch_is_no_minibatch(p, extra, seed):
    problem, theta0 = regression(p + extra, p, seed)
    options = {"lr": stable_lr(problem), "steps": 10}
    full = tm.descend(problem, theta0, **options)
    shuffled = tm.descend(problem, theta0, batch=problem.n, replace=False, rng=seed, **options)
    assert (np.linalg.norm(full.theta - shuffled.theta, axis=-1) <= full.error + shuffled.error).all()


def test_a_minibatch_of_one_draws_every_sample_alike():
    n, runs = 5, 4000
    problem, theta0 = regression(n, 2, 3)
    run = tm.descend(problem, np.tile(theta0, (runs, 1)), lr=0.1, steps=1, batch=1)
    reachable = np.stack([theta0 - 0.1 * problem.gradient(theta0, rows=np.array([i])) for i in range(n)])
    hits = np.isclose(run.theta[-1][:, None], reachable, rtol=1e-12, atol=1e-14).all(-1)
    assert (hits.sum(1) == 1).all()
    # Binomial counts within five standard deviations.
    assert (abs(hits.sum(0) - runs / n) <= 5 * np.sqrt(runs * (1 / n) * (1 - 1 / n))).all()
    np.testing.assert_allclose(reachable.mean(0), theta0 - 0.1 * problem.gradient(theta0), rtol=1e-13)


@pytest.mark.parametrize("noise", [0.3, ("gaussian", 0.3), ("rademacher", 0.3)])
def test_label_noise_has_its_mean_and_covariance(noise):
    runs, sigma, lr = 4000, 0.3, 0.1
    problem, theta0 = regression(3, 2, 5)
    run = tm.descend(problem, np.tile(theta0, (runs, 1)), lr=lr, steps=1, noise=noise)
    kicks = run.theta[-1] - (theta0 - lr * problem.gradient(theta0))
    covariance = (lr * sigma) ** 2 * problem.inputs.T @ problem.inputs / problem.n**2
    spread = np.sqrt(np.diag(covariance) / runs)
    assert (abs(kicks.mean(0)) <= 5 * spread).all()
    deviation = np.outer(spread, spread) * np.sqrt(2 * runs)
    assert (abs(np.cov(kicks.T) - covariance) <= 5 * deviation).all()


def test_rademacher_noise_takes_two_values_on_one_sample():
    problem = Linear([[1.0]], [0.0])
    run = tm.descend(problem, np.zeros((50, 1)), lr=1.0, steps=1, noise=("rademacher", 0.25))
    assert set(run.theta[-1].ravel()) == {-0.25, 0.25}


def test_noise_of_the_user_is_added_to_the_targets():
    problem, theta0 = regression(4, 2, 0)
    shift = np.array([1.0, -2.0, 0.5, 0.0])
    noisy = tm.descend(problem, theta0, lr=0.1, steps=5, noise=lambda rng, shape: shift.reshape(shape))
    moved = tm.descend(Linear(problem.inputs, problem.targets + shift), theta0, lr=0.1, steps=5)
    np.testing.assert_allclose(noisy.theta, moved.theta, rtol=1e-14, atol=1e-14)


def test_descent_approaches_flow_at_first_order():
    problem, theta0, lr = Product(1.0), [0.3, 0.8], 2.0**-10
    gaps = []
    for halvings in (0, 1, 2):
        rate = lr / 2**halvings
        steps = round(3 / rate)
        run = tm.descend(problem, theta0, lr=rate, steps=steps, every=steps)
        gaps.append(tm.compare(run, tm.flow(problem, theta0, run.t)).discretisation[-1])
    ratios = np.array(gaps[:-1]) / gaps[1:]
    assert (abs(ratios - 2) < 0.05).all()


@given(st.integers(0, 30), st.integers(1, 12))
def test_records_include_the_first_and_the_last_step(steps, every):
    run = tm.descend(Product(1.0), [0.5, 0.2], lr=0.25, steps=steps, every=every, measure_error=False)
    assert run.step.dtype.kind == "i"
    assert run.step.tolist() == sorted({*range(0, steps + 1, every), steps})
    np.testing.assert_array_equal(run.t, 0.25 * run.step)
    np.testing.assert_array_equal(run["loss"], Product(1.0).loss(run.theta))


def test_schedules_are_followed_and_their_rates_add_up():
    problem, schedule = Product(1.0), schedules.warmup(3, schedules.cosine(0.2, 6))
    run = tm.descend(problem, [0.5, 0.2], lr=schedule, steps=9, every=2)
    theta = np.array([0.5, 0.2])
    for step in range(9):
        theta = theta - schedule(step) * problem.gradient(theta)
    np.testing.assert_allclose(run.theta[-1], theta, rtol=1e-15)
    np.testing.assert_allclose(run.t, [sum(schedule(k) for k in range(s)) for s in run.step], rtol=1e-15)


def test_a_schedule_may_return_a_rate_per_run():
    rates = np.array([0.1, 0.2])
    run = tm.descend(Product(1.0), [0.5, 0.2], lr=lambda step: rates / (1 + step), steps=5)
    alone = tm.descend(Product(1.0), [0.5, 0.2], lr=lambda step: 0.2 / (1 + step), steps=5)
    np.testing.assert_array_equal(run.theta[:, 1], alone.theta)
    np.testing.assert_allclose(run.t[:, 1], alone.t, rtol=1e-15)


def test_cyclical_steps_multiply_the_error_by_the_product_of_their_factors():
    """learning_rate_order D.1: one cycle on curvature h multiplies theta by (1 - al h)(1 - be h)."""
    run = tm.descend(Linear([[1.0]], [0.0]), [1.0], lr=schedules.cyclical(0.5, 3.0), steps=20)
    np.testing.assert_array_equal(run.theta[::2, 0], (0.5 * -2.0) ** np.arange(11))


def test_diverging_runs_are_a_result_and_leave_the_others_alone():
    problem = Linear([[1.0]], [0.0])
    # theta_k = (1 - lr)^k: 10^(10 k) leaves the doubles at k = 31, 10^(100 k) at k = 4.
    lr = np.array([0.5, 1e10 + 1, 1e100])
    run = tm.descend(problem, [1.0], lr=lr, steps=40, record=("loss", "sharpness"))
    assert run.status == "diverged"
    assert run.message == "2 of 3 runs diverged, the first at step 4 of 40"
    assert run.events == [
        {"kind": "diverged", "step": 4, "runs": [[2]]},
        {"kind": "diverged", "step": 31, "runs": [[1]]},
    ]
    assert np.isfinite(run.theta[:31, 1]).all() and np.isnan(run.theta[31:, 1]).all()
    assert np.isnan(run["loss"][4:, 2]).all() and np.isnan(run["sharpness"][4:, 2]).all()
    assert (run.error[4:, 2] == np.inf).all()
    alone = tm.descend(problem, [1.0], lr=0.5, steps=40)
    np.testing.assert_array_equal(run.theta[:, 0], alone.theta)
    np.testing.assert_array_equal(run.error[:, 0], alone.error)
    assert alone.status == "finished" and alone.message == "40 steps"


def test_one_diverging_run_says_when():
    run = tm.descend(Product(1.0), [30.0, 30.0], lr=1.0, steps=20, momentum=0.9)
    assert run.status == "diverged"
    first = run.events[0]["step"]
    assert run.message == f"the run diverged at step {first} of 20"
    assert np.isfinite(run.theta[:first]).all() and np.isnan(run.theta[first:]).all()


def test_huge_but_finite_runs_do_not_stop_the_eigenvalue_solver():
    problem = Product(1.0)
    run = tm.descend(problem, [[0.5, 0.5], [1e150, 1e200]], lr=1e-300, steps=1, record="sharpness")
    np.testing.assert_array_equal(run["sharpness"][:, 0], problem.sharpness(run.theta[:, 0]))


def test_ten_thousand_runs_at_once():
    problem = Product(1.0)
    run = tm.descend(problem, problem.init(0.5, runs=10_000), lr=0.1, steps=50, batch=1, noise=0.1, every=25)
    assert run.theta.shape == (3, 10_000, 2)
    assert run["loss"][-1].mean() < 0.1 * run["loss"][0].mean()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"theta0": [1.0]}, "theta0"),
        ({"theta0": [1.0, np.inf]}, "theta0"),
        ({"theta0": np.zeros((0, 2))}, "theta0"),
        ({"theta0": [1.0, 1j]}, "theta0"),
        ({"theta0": "start"}, "theta0"),
        ({"lr": 0}, "lr"),
        ({"lr": -0.1}, "lr"),
        ({"lr": np.nan}, "lr"),
        ({"lr": True}, "lr"),
        ({"lr": "fast"}, "lr"),
        ({"lr": None}, "lr"),
        ({"lr": []}, "lr"),
        ({"lr": [0.1, 0.0]}, "lr"),
        ({"lr": [0.1, 0.2], "theta0": np.ones((3, 2))}, "lr: expected a number, or one for each of the runs"),
        ({"lr": lambda step: -1.0}, "lr"),
        ({"lr": lambda step: 1.0 if step < 2 else np.nan}, "lr: .*at step 2, got nan"),
        ({"lr": lambda step: "fast"}, "lr"),
        ({"lr": lambda step: np.ones(1 + step)}, "lr: expected shape"),
        ({"steps": -1}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"every": 0}, "every"),
        ({"rates": [1.0]}, "rates"),
        ({"rates": [1.0, np.nan]}, "rates"),
        ({"momentum": 1.0}, "momentum"),
        ({"momentum": -0.1}, "momentum"),
        ({"momentum": "nesterov"}, "momentum"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"batch": 0}, "batch"),
        ({"batch": 2}, "batch: expected at most the 1 samples, got 2"),
        ({"batch": 0.5}, "batch"),
        ({"replace": "yes", "batch": 1}, "replace"),
        ({"noise": -1.0}, "noise"),
        ({"noise": np.nan}, "noise"),
        ({"noise": ("rademacher", -1.0)}, "noise"),
        ({"noise": ("gausian", 1.0)}, "noise: unknown 'gausian'; did you mean gaussian"),
        ({"noise": "gaussian"}, "noise"),
        ({"noise": ("gaussian",)}, "noise"),
        ({"noise": lambda rng, shape: np.zeros(7)}, "noise: expected finite numbers of shape"),
        ({"noise": lambda rng, shape: np.full(shape, np.nan)}, "noise"),
        ({"rng": "seed", "batch": 1}, "rng"),
        ({"rng": -3, "batch": 1}, "rng"),
        ({"record": "los"}, "record: unknown 'los'; did you mean loss"),
    ],
)
def test_bad_input_is_named(arguments, message):
    given = {"theta0": [1.0, 2.0], "lr": 0.1, "steps": 5} | arguments
    with pytest.raises(InputError, match=f"^{message}"):
        tm.descend(Product(1.0), **given)


def test_labels_take_no_additive_noise():
    problem = Linear([[1.0], [2.0]], [1.0, -1.0], loss="logistic")
    with pytest.raises(InputError, match=r"^noise: expected the square loss"):
        tm.descend(problem, [0.0], lr=0.1, steps=1, noise=0.1)


def test_a_problem_known_by_statistics_descends_but_has_no_minibatches():
    class Statistics(Product):
        n = property(lambda self: self.outputs(None))

        def outputs(self, theta):
            raise InputError("outputs: expected samples")

        def gradient(self, theta, rows=None, targets=None):
            return Product(2.0).gradient(theta, rows, targets)

    problem = Statistics(2.0)
    run = tm.descend(problem, [0.5, 0.5], lr=0.1, steps=200, record=())
    np.testing.assert_array_equal(run.theta, tm.descend(Product(2.0), [0.5, 0.5], lr=0.1, steps=200).theta)
    assert run.error[-1] < 1e-12
    for option in ({"batch": 1}, {"noise": 0.1}):
        with pytest.raises(InputError, match="expected samples"):
            tm.descend(problem, [0.5, 0.5], lr=0.1, steps=1, **option)
