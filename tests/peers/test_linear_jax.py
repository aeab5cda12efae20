"""Gradient, Hessian and tangent kernel against automatic differentiation of a loss written anew in JAX."""

import numpy as np
import pytest

from toymodels import TwoLayerLinear

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy


def network(theta, x, m, c):
    """Outputs of one sample, by sums over neurons."""
    d = x.shape[0]
    hidden = [sum(theta[j * d + k] * x[k] for k in range(d)) for j in range(m)]
    return jnp.stack([sum(theta[m * d + i * m + j] * hidden[j] for j in range(m)) for i in range(c)])


@pytest.fixture(params=[(5, 3, 2, 4), (1, 1, 1, 1), (2, 4, 3, 1), (7, 2, 5, 2), (3, 1, 1, 3)])
def case(request):
    n, d, m, c = request.param
    rng = np.random.default_rng(sum(request.param))
    X, Y, weights = rng.standard_normal((n, d)), rng.standard_normal((n, c)), rng.random(n)
    problem = TwoLayerLinear(X, Y, width=m, weights=weights)

    def outputs(theta):
        return jnp.stack([network(theta, x, m, c) for x in X])

    def loss(theta):
        return sum(w * jnp.sum((f - y) ** 2) / 2 for w, f, y in zip(weights, outputs(theta), Y, strict=True))

    return problem, problem.init(rng=rng), outputs, loss


def assert_same(actual, desired):
    np.testing.assert_allclose(actual, desired, rtol=1e-12, atol=1e-12 * np.abs(desired).max())


def test_loss_and_gradient(case):
    problem, theta, outputs, loss = case
    assert_same(problem.outputs(theta), np.asarray(outputs(theta)))
    assert_same(problem.loss(theta), np.asarray(loss(theta)))
    assert_same(problem.gradient(theta), np.asarray(jax.grad(loss)(theta)))


def test_hessian_and_its_products(case):
    problem, theta, _, loss = case
    hessian = np.asarray(jax.jacfwd(jax.grad(loss))(theta))
    assert_same(problem.hessian(theta), hessian)
    assert_same(problem.hvp(theta, theta[::-1]), hessian @ theta[::-1])
    assert_same(problem.sharpness(theta), np.linalg.eigvalsh(hessian)[-1])


def test_tangent_kernel(case):
    problem, theta, outputs, _ = case
    jacobian = np.asarray(jax.jacrev(outputs)(theta)).reshape(-1, problem.size)
    assert_same(problem.jacobian(theta), jacobian)
    assert_same(problem.ntk(theta), jacobian @ jacobian.T)
