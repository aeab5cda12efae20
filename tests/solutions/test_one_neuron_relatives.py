import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from toymodels.errors import InputError
from toymodels.solutions import one_neuron_bias, one_neuron_relatives


@pytest.mark.parametrize("d", [1, 2, 4])
def test_a_square_net_moves_as_one_neuron_of_the_opposite_imbalance(d):
    rng = np.random.default_rng(d)
    a, b, delta = rng.standard_normal(d), rng.standard_normal(d), -1.7
    O = np.linalg.qr(rng.standard_normal((d, d)))[0]
    W = one_neuron_relatives.wide_weights(a, delta) @ O
    np.testing.assert_allclose(np.outer(a, a) - W @ W.T, delta * np.eye(d), atol=1e-13)

    def net(t, theta):
        W, a = theta[: d * d].reshape(d, d), theta[d * d :]
        inner = b - W.T @ a
        return np.concatenate([np.outer(a, inner).ravel(), W @ inner])

    neuron = lambda t, beta: one_neuron_bias.preconditioner(beta, -delta) @ (b - beta)
    options = dict(method="DOP853", rtol=1e-11, atol=1e-12, t_eval=[0.5, 1.5])
    theta = solve_ivp(net, (0, 1.5), np.concatenate([W.ravel(), a]), **options).y
    maps = [theta[: d * d, k].reshape(d, d).T @ theta[d * d :, k] for k in range(2)]
    alone = solve_ivp(neuron, (0, 1.5), W.T @ a, **options).y
    np.testing.assert_allclose(np.transpose(maps), alone, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_a_deep_balanced_net_by_its_layers(depth):
    rng = np.random.default_rng(depth)
    d, size = 3, 1.3
    units = [v / np.linalg.norm(v) for v in (rng.standard_normal(d), *rng.standard_normal((depth - 1, 2)))]
    ends = [*units, np.array([1.0])]
    layers = [size * np.outer(ends[j + 1], ends[j]) for j in range(depth)]
    chain = lambda matrices: np.linalg.multi_dot(matrices[::-1]) if len(matrices) > 1 else matrices[0]
    beta, G, h = chain(layers)[0], rng.standard_normal(d), 1e-6
    # the gradient of each layer by finite differences of G.beta, then the velocity of the map
    velocity = np.zeros(d)
    for j in range(depth):
        slope = np.zeros_like(layers[j])
        for index in np.ndindex(slope.shape):
            moved = [x.copy() for x in layers]
            moved[j][index] += h
            slope[index] = (chain(moved)[0] - beta) @ G / h
        nudged = [x - h * slope if i == j else x for i, x in enumerate(layers)]
        velocity += (chain(nudged)[0] - beta) / h
    np.testing.assert_allclose(
        velocity, -one_neuron_relatives.deep_preconditioner(beta, depth) @ G, atol=1e-8
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.1, 2) | st.floats(-2, -0.1), min_size=1, max_size=4), st.integers(1, 6))
def test_the_deep_potential(beta, depth):
    beta = np.array(beta)
    size = np.linalg.norm(beta)
    potential = lambda x: one_neuron_relatives.deep_potential(x, depth)
    assert potential(beta) == pytest.approx(depth / (depth + 1) * size ** (1 + 1 / depth), rel=1e-14)
    h, steps = 1e-4, np.eye(len(beta)) * 1e-4
    H = one_neuron_relatives.deep_potential_hessian(beta, depth)
    for i, j in np.ndindex(H.shape):
        e, f = steps[i], steps[j]
        mixed = (
            potential(beta + e + f)
            - potential(beta + e - f)
            - potential(beta - e + f)
            + potential(beta - e - f)
        )
        assert H[i, j] == pytest.approx(
            mixed / (4 * h * h), abs=1e-5 * size ** (1 / depth - 3) * (1 + size**2)
        )
    M = one_neuron_relatives.deep_preconditioner(beta, depth)
    np.testing.assert_allclose(M @ H, size ** (1 - 1 / depth) * np.eye(len(beta)), atol=1e-13 * (1 + size))


def test_depth_two_is_one_balanced_neuron_and_zero_stays():
    beta = np.array([[0.3, -1.0], [0.0, 0.0]])
    np.testing.assert_allclose(
        one_neuron_relatives.deep_preconditioner(beta, 2),
        one_neuron_bias.preconditioner(beta, 0.0),
        atol=1e-15,
    )
    np.testing.assert_array_equal(one_neuron_relatives.deep_potential(beta[1], 3), 0)
    np.testing.assert_array_equal(one_neuron_relatives.deep_preconditioner(beta[1], 1), np.eye(2))


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: one_neuron_relatives.wide_weights([1.0], 1.0), "delta"),
        (lambda: one_neuron_relatives.wide_weights([[1.0]], -1.0), "a"),
        (lambda: one_neuron_relatives.deep_preconditioner([1.0], 0), "depth"),
        (lambda: one_neuron_relatives.deep_potential_hessian([0.0], 2), "beta"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(InputError, match=word):
        call()
