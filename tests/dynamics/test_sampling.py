import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_problems import Product, regression

import toymodels as tm
from toymodels.dynamics import draws
from toymodels.dynamics.sampling import Minibatches, Sampler
from toymodels.randomness import streams


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3), st.integers(0, 2**32))
def test_every_epoch_without_replacement_covers_the_samples(n, batch, runs, seed):
    batch = min(batch, n)
    per_epoch = -(-n // batch)
    minibatches = Minibatches(n, batch, False, (runs,), streams(seed, runs), 3 * per_epoch)
    for _ in range(3):
        epoch = [minibatches.next() for _ in range(per_epoch)]
        assert [rows.shape for rows in epoch[:-1]] == [(runs, batch)] * (per_epoch - 1)
        rows = np.sort(np.concatenate(epoch, axis=-1), axis=-1)
        np.testing.assert_array_equal(rows, np.tile(np.arange(n), (runs, 1)))


def test_epochs_are_shuffled_anew_and_runs_differ():
    minibatches = Minibatches(20, 20, False, (2,), streams(0, 2), 2)
    first, second = minibatches.next(), minibatches.next()
    assert (first != second).any() and (first[0] != first[1]).any()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_rows_with_replacement_are_rows(n, batch, seed):
    minibatches = Minibatches(n, batch, True, (), streams(seed, 1), 5)
    rows = minibatches.next()
    assert rows.shape == (batch,) and ((rows >= 0) & (rows < n)).all()


@pytest.mark.parametrize("noise", [0.3, ("rademacher", 0.3), lambda rng, shape: rng.standard_normal(shape)])
@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_results_do_not_depend_on_the_chunk(monkeypatch, noise, replace, chunk):
    problem, theta0 = regression(5, 2, 0, (3,))
    options = {"lr": 0.1, "steps": 11, "batch": 2, "replace": replace, "noise": noise, "rng": 4}
    plain = tm.descend(problem, theta0, **options)
    monkeypatch.setattr(draws, "CHUNK", chunk)
    np.testing.assert_array_equal(plain.theta, tm.descend(problem, theta0, **options).theta)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10), st.integers(0, 10), st.booleans())
def test_a_longer_run_begins_as_a_shorter_one(steps, more, replace):
    problem, theta0 = regression(5, 2, 0, (2,))
    options = {"lr": 0.1, "batch": 2, "replace": replace, "noise": 0.1, "measure_error": False}
    short = tm.descend(problem, theta0, steps=steps, **options)
    long = tm.descend(problem, theta0, steps=steps + more, **options)
    np.testing.assert_array_equal(short.theta, long.theta[: steps + 1])


def test_noise_does_not_shift_the_rows():
    problem, _ = regression(5, 2, 0)
    quiet = Sampler(problem, np.zeros((2, 2)), 4, 3, True, None, 0)
    noisy = Sampler(problem, np.zeros((2, 2)), 4, 3, True, 0.1, 0)
    for _ in range(4):
        rows, targets, _ = noisy.next()
        np.testing.assert_array_equal(rows, quiet.next()[0])
        assert targets.shape == (2, 3) and (targets != problem.targets[rows]).all()


def test_seeds_give_different_draws_and_the_same_seed_the_same():
    problem = Product(1.0)
    options = {"lr": 0.1, "steps": 3, "noise": 0.1}
    runs = [tm.descend(problem, [0.5, 0.5], rng=rng, **options).theta for rng in (None, 0, 1)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[1][-1] != runs[2][-1]).all()


def test_matrix_targets_get_noise_of_their_shape():
    problem = tm.TwoLayerLinear(np.eye(3, 2), np.ones((3, 2)), width=2)
    sampler = Sampler(problem, np.zeros((4, problem.size)), 2, 2, False, 0.5, 0)
    shapes = [(rows.shape, targets.shape) for rows, targets, _ in (sampler.next(), sampler.next())]
    assert shapes == [((4, 2), (4, 2, 2)), ((4, 1), (4, 1, 2))]
