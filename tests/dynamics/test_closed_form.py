import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_problems import Linear, Product

import toymodels as tm
from toymodels.errors import AssumptionError, InputError


class Decay:
    """theta' = -rate (theta - minimum) on one parameter."""

    determined = "parameters"

    def __init__(self, start, minimum, rates):
        self.start, self.minimum, self.rates = start, minimum, rates

    def at(self, t):
        decay = np.exp(-self.rates[0] * t).reshape(t.shape + (1,) * self.start.ndim)
        return self.minimum + (self.start - self.minimum) * decay

    def error(self, t):
        return np.full(t.shape + self.start.shape[:-1], 1e-14)

    def half_time(self):
        return np.log(2) / self.rates[0]


class Known(Linear):
    """A one-dimensional regression that knows its flow."""

    def __init__(self, minimum):
        super().__init__([[1.0]], [minimum])

    def closed_form(self, theta0, rates):
        if (theta0 == 0).any():
            raise AssumptionError("the start is not zero", 0.0)
        return Decay(theta0, self.targets, rates)


@given(st.floats(-3, 3), st.floats(0.1, 3), st.floats(0, 4), st.integers(1, 3))
def test_closed_form_meets_the_integrated_flow(minimum, start, rate, runs):
    problem, theta0 = Known(minimum), np.full((runs, 1), start)
    times = [0.0, 0.5, 2.0]
    exact = tm.exact(problem, theta0, rates=[rate]).trajectory(times)
    flow = tm.flow(problem, theta0, times, rates=[rate])
    assert exact.theta.shape == (3, runs, 1) and exact.error.shape == (3, runs)
    assert (np.linalg.norm(exact.theta - flow.theta, axis=-1) <= exact.error + flow.error).all()
    np.testing.assert_array_equal(exact["loss"], problem.loss(exact.theta))


def test_limits_and_single_times():
    solution = tm.exact(Known(2.0), [1.0])
    np.testing.assert_array_equal(solution.at(np.inf), [2.0])
    np.testing.assert_array_equal(solution.at([0.0, np.inf]), [[1.0], [2.0]])
    run = solution.trajectory(np.inf)
    assert run.theta.shape == (1,) and run.t.shape == () and run["loss"] == 0 and run.error.shape == ()
    assert solution.determined == "parameters" and "parameters" in run.message
    assert solution.error([0.0, 1.0]).shape == (2,)


def test_what_else_the_closed_form_knows_is_asked_by_name():
    solution = tm.exact(Known(2.0), [1.0], rates=[2.0])
    assert solution.half_time() == np.log(2) / 2
    with pytest.raises(AttributeError):
        _ = solution.product
    with pytest.raises(AttributeError):
        _ = solution._private


def test_a_problem_without_closed_form_says_so():
    with pytest.raises(AssumptionError, match="Product has no closed form"):
        tm.exact(Product(1.0), [1.0, 1.0])
    with pytest.raises(AssumptionError, match="the start is not zero"):
        tm.exact(Known(1.0), [0.0])


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda p: tm.exact(p, [1.0, 2.0]), "theta0"),
        (lambda p: tm.exact(p, [np.nan]), "theta0"),
        (lambda p: tm.exact(p, [1j]), "theta0"),
        (lambda p: tm.exact(p, []), "theta0"),
        (lambda p: tm.exact(p, [1.0], rates=[1.0, 1.0]), "rates"),
        (lambda p: tm.exact(p, [1.0], rates=[-1.0]), "rates"),
        (lambda p: tm.exact(p, [1.0]).at(-1.0), "t"),
        (lambda p: tm.exact(p, [1.0]).at([2.0, 1.0]), "t"),
        (lambda p: tm.exact(p, [1.0]).error(np.nan), "t"),
        (lambda p: tm.exact(p, [1.0]).trajectory([[1.0]]), "times"),
        (lambda p: tm.exact(p, [1.0]).trajectory([1.0], record="lss"), "record"),
    ],
)
def test_bad_input_is_named(ask, name):
    with pytest.raises(InputError, match=f"^{name}: "):
        ask(Known(1.0))
