from functools import partial

import numpy as np
import pytest
from toy_problems import Product, regression

import toymodels as tm
from toymodels.errors import InputError

ROUTES = [
    lambda record: tm.descend(Product(1.0), [[0.5, 0.2], [1.0, 2.0]], lr=0.1, steps=2, record=record),
    lambda record: tm.flow(Product(1.0), [[0.5, 0.2], [1.0, 2.0]], [0.0, 0.1, 0.2], record=record),
]


def first_layer(problem, theta):
    return theta[..., 0]


def total(problem, theta):
    return theta.sum()


@pytest.mark.parametrize("route", ROUTES)
def test_records_are_named_and_time_first(route):
    run = route(("loss", "jacobian", first_layer, "theta"))
    assert set(run.records) == {"loss", "jacobian", "first_layer"}
    assert run["loss"].shape == (3, 2) and run["jacobian"].shape == (3, 2, 1, 2)
    np.testing.assert_array_equal(run["first_layer"], run.theta[..., 0])
    np.testing.assert_array_equal(run["theta"], run.theta)


@pytest.mark.parametrize("route", ROUTES)
def test_one_name_or_one_function_will_do(route):
    assert set(route("loss").records) == {"loss"}
    assert set(route(first_layer).records) == {"first_layer"}
    assert set(route(()).records) == set() and set(route("theta").records) == set()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("los", "record: unknown 'los'; did you mean loss"),
        (("loss", "loss"), "record: two observables are named 'loss'"),
        ((first_layer, first_layer), "record: two observables are named"),
        (3, "record: expected names or functions"),
        ((3,), "record: expected a name or a named function"),
        (partial(first_layer), "record: expected a name or a named function"),
        (total, "record: total: expected leading axes"),
        (lambda problem, theta: "text", "record: <lambda>: expected leading axes"),
        (lambda problem, theta: np.array([None, None]), "record: <lambda>: expected leading axes"),
    ],
)
def test_bad_records_are_named(route, record, message):
    with pytest.raises(InputError, match=f"^{message}"):
        route(record)


def test_an_observable_keeps_its_shape():
    sizes = iter((1, 2))

    def growing(problem, theta):
        return np.ones((2, next(sizes)))

    with pytest.raises(InputError, match=r"^record: growing: expected shape \(2, 1\) at every time"):
        ROUTES[0](growing)


def test_complex_and_integer_observables_are_kept():
    run = ROUTES[0]([lambda problem, theta: theta[..., 0] + 1j])
    assert run["<lambda>"].dtype == complex
    run = ROUTES[0]([lambda problem, theta: (theta > 0.4).sum(-1)])
    np.testing.assert_array_equal(run["<lambda>"][0], [1, 2])


def test_eigenvalues_are_those_of_theta():
    problem, theta0 = regression(6, 3, 1, (2, 2))
    run = tm.descend(problem, theta0, lr=0.01, steps=3, record="sharpness")
    np.testing.assert_allclose(run["sharpness"], np.linalg.eigvalsh(problem.curvature)[-1], rtol=1e-12)
