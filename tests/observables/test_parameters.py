import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toymodels as tm
from toymodels.errors import InputError
from toymodels.observables import distance_from, kernel_distance_from, norm


def network(d, m, c, seed):
    rng = np.random.default_rng(seed)
    return tm.TwoLayerLinear(rng.standard_normal((4, d)), rng.standard_normal((4, c)), width=m)


sizes = st.integers(1, 3)


@given(sizes, sizes, sizes, st.integers(0, 2**32), st.integers(1, 3))
def test_kernel_distance_is_one_minus_the_cosine(d, m, c, seed, runs):
    problem = network(d, m, c, seed)
    start, theta = problem.init(runs=runs, rng=seed), problem.init(runs=runs, rng=seed + 1)
    K0, K = problem.ntk(start), problem.ntk(theta)
    cosine = (K0 * K).sum((-2, -1)) / np.linalg.norm(K0, axis=(-2, -1)) / np.linalg.norm(K, axis=(-2, -1))
    np.testing.assert_allclose(kernel_distance_from(start)(problem, theta), 1 - cosine, atol=1e-14)
    np.testing.assert_array_equal(kernel_distance_from(start)(problem, start), np.zeros(runs))


def test_small_kernel_distances_keep_their_digits():
    """The distance is quadratic in a small move, here down to 1e-14 of the kernel."""
    problem = network(2, 2, 2, 0)
    start, direction = problem.init(rng=1), problem.init(rng=2)
    values = [kernel_distance_from(start)(problem, start + h * direction) for h in (1e-5, 1e-7)]
    assert values[0] / values[1] == pytest.approx(1e4, rel=1e-3)


def test_the_zero_kernel_has_no_direction():
    problem = network(1, 1, 1, 0)
    assert np.isnan(kernel_distance_from([1.0, 1.0])(problem, np.zeros(2)))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=4))
def test_norm_and_distance(entries):
    theta = np.array(entries)
    assert norm(None, theta) == distance_from(np.zeros(len(theta)))(None, theta)
    assert norm(None, theta) == pytest.approx(np.sqrt(sum(x * x for x in entries)), rel=1e-14)
    assert distance_from(theta)(None, theta) == 0


def test_they_are_recorded_under_their_names():
    problem = network(2, 1, 1, 0)
    start = problem.init(runs=3, rng=0)
    record = (norm, distance_from(start), kernel_distance_from(start))
    run = tm.descend(problem, start, lr=0.1, steps=2, record=record)
    assert set(run.records) == {"norm", "distance", "kernel_distance"}
    assert (run["distance"][0] == 0).all() and (run["distance"][2] > 0).all()


@pytest.mark.parametrize("make", [distance_from, kernel_distance_from])
def test_bad_starts_are_named(make):
    for bad in ([np.nan], "start", []):
        with pytest.raises(InputError, match=r"^theta0: "):
            make(bad)
