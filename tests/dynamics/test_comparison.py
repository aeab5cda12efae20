import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_closed_form import Known
from toy_problems import Escape, Product

import toymodels as tm
from toymodels.errors import InputError


@settings(max_examples=15, deadline=None)
@given(st.floats(0.001, 0.1), st.floats(0.1, 2), st.floats(0.1, 2))
def test_descent_and_flow_differ_by_discretisation(lr, a, b):
    problem = Product(1.0)
    descent = tm.descend(problem, [a, b], lr=lr, steps=20)
    flow = tm.flow(problem, [a, b], descent.t)
    result = tm.compare(descent, flow)
    np.testing.assert_allclose(result.difference, np.linalg.norm(descent.theta - flow.theta, axis=-1))
    np.testing.assert_array_equal(result.explained, descent.error + flow.error)
    assert (result.discretisation <= result.difference).all()
    assert (result.difference <= result.discretisation + result.explained).all()
    assert "discretisation is" in str(result)
    other = tm.compare(flow, descent)
    np.testing.assert_array_equal(result.discretisation, other.discretisation)


def test_closed_form_and_flow_differ_by_their_errors():
    problem = Known(2.0)
    flow = tm.flow(problem, [[1.0], [3.0]], [0.5, 1.0])
    for pair in ((tm.exact(problem, [[1.0], [3.0]]), flow), (flow, tm.exact(problem, [[1.0], [3.0]]))):
        result = tm.compare(*pair)
        assert result.difference.shape == (2, 2) and (result.discretisation == 0).all()
        assert "within their errors" in str(result)


def test_diverged_runs_are_left_out():
    problem = Escape()
    flow = tm.flow(problem, [[1.0], [0.1]], [0.2, 0.7])
    result = tm.compare(flow, flow)
    assert np.isnan(result.difference[1, 0]) and (result.difference[:, 1] == 0).all()
    assert "within their errors" in str(result)
    gone = tm.flow(problem, [1.0], [0.7])
    assert "diverged" in str(tm.compare(gone, gone))


def test_rates_per_run_compare_on_their_own_times():
    runs = [tm.descend(Product(1.0), [0.5, 0.2], lr=[0.1, 0.2], steps=3, momentum=mu) for mu in (0, 0.5)]
    result = tm.compare(*runs)
    assert result.t.shape == result.difference.shape == (4, 2)
    assert "at t = 0.6" in str(result)


def test_mismatches_are_named():
    problem, start = Product(1.0), [0.5, 0.2]
    run = tm.descend(problem, start, lr=0.1, steps=3)
    with pytest.raises(InputError, match=r"same times, got 4 in .* and 2 in"):
        tm.compare(run, tm.flow(problem, start, [0.0, 0.1]))
    with pytest.raises(InputError, match="same times"):
        tm.compare(run, tm.flow(problem, start, run.t * 1.001))
    with pytest.raises(InputError, match="same start"):
        tm.compare(run, tm.flow(problem, [0.5, 0.3], run.t))
    with pytest.raises(InputError, match=r"^b: expected a Trajectory"):
        tm.compare(run, run.theta)
    known = tm.exact(Known(1.0), [0.5])
    with pytest.raises(InputError, match="expected times from at least one"):
        tm.compare(known, known)
    per_run = tm.descend(Known(1.0), [0.5], lr=[0.1, 0.2], steps=2)
    with pytest.raises(InputError, match="differ from run to run"):
        tm.compare(known, per_run)


def test_parameters_known_up_to_a_rotation_are_not_compared():
    solution = tm.exact(Known(1.0), [0.5])
    solution.determined = "up to a rotation of the hidden layer"
    with pytest.raises(InputError, match="up to a rotation of the hidden layer"):
        tm.compare(solution, tm.flow(Known(1.0), [0.5], [1.0]))
