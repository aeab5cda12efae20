"""Random starts have the sizes and signs that they promise; a run does not depend on the others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relu_cases import seeds, sizes

from toymodels import InputError, TwoLayerReLU
from toymodels.relu import balanced_output, biased_weights, output_weights, spherical_weights

scales = st.floats(1e-6, 1e3)


@given(m=sizes, scale=scales, seed=seeds)
def test_output_weights(m, scale, seed):
    halves = output_weights(2 * m, scale)
    assert (halves[:m] > 0).all() and (halves[m:] < 0).all()
    fair = output_weights(m, scale, signs="random", rng=seed)
    for a in (halves, fair):
        np.testing.assert_allclose(np.abs(a), scale / np.sqrt(len(a)), rtol=1e-15)
    assert np.sign(output_weights(200, signs="random", rng=seed)).sum() < 200


@given(m=sizes, d=sizes, scale=scales, seed=seeds)
@settings(max_examples=30)
def test_hidden_weights(m, d, scale, seed):
    W = spherical_weights(m, d, scale, rng=seed)
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), scale / np.sqrt(m), rtol=1e-14)
    biased = biased_weights(m, d, scale, rng=seed)
    assert biased.shape == (m, d + 1) and (biased[:, -1] == scale).all()
    for start in (spherical_weights, biased_weights):
        few, many = start(m, d, scale, runs=2, rng=seed), start(m, d, scale, runs=4, rng=seed)
        assert (few == many[:2]).all() and (few[0] == start(m, d, scale, rng=seed)).all()
        assert (few[0] != few[1]).any() or d == 1


@given(m=sizes, d=sizes, seed=seeds)
@settings(max_examples=30)
def test_balanced_outputs_have_no_imbalance(m, d, seed):
    rng = np.random.default_rng(seed)
    W, signs = rng.standard_normal((3, m, d)), rng.choice([-2.0, 1.0], m)
    a = balanced_output(W, signs)
    assert (np.sign(a) == np.sign(signs)).all()
    problem = TwoLayerReLU(np.ones((1, d)), [1.0], width=m)
    assert np.abs(problem.imbalance(problem.pack(W, a))).max() <= 8 * d * 2.0**-52 * (a * a).max()


def test_a_bias_start_fits_a_problem_with_a_bias():
    problem = TwoLayerReLU(np.ones((2, 3)), [1.0, -1.0], width=4, bias=True, loss="logistic")
    theta = problem.pack(biased_weights(4, 3, 1e-6), output_weights(4, 2.0, signs="random"))
    assert theta.shape == (problem.size,)
    assert problem.loss(theta) == pytest.approx(np.log(2), rel=1e-4)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: output_weights(3), "m: expected an even number of neurons"),
        (lambda: output_weights(2, 0.0), "scale: expected a finite number > 0"),
        (lambda: output_weights(2, signs="fair"), "signs: unknown 'fair'"),
        (lambda: output_weights(2, signs="random", rng="a"), "rng: expected a seed"),
        (lambda: spherical_weights(0, 1), "m: expected an integer >= 1"),
        (lambda: spherical_weights(1, 1, runs=0), "runs: expected an integer >= 1"),
        (lambda: biased_weights(1, 0, 1.0), "d: expected an integer >= 1"),
        (lambda: balanced_output([1.0], [1.0]), "W, signs: expected shapes"),
        (lambda: balanced_output([[1.0]], [1.0, 1.0]), "W, signs: expected shapes"),
        (lambda: balanced_output([[1.0]], [0.0]), "signs: expected numbers that are not zero"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
