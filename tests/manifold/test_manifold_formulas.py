"""Every formula of the conformal quadratic model, exactly on rationals."""

import numpy as np
import pytest
from hypothesis import given, settings
from manifold_cases import exact, exact_model, inputs, samples, seeds

from toymodels.arithmetic.jets import derivative
from toymodels.arithmetic.rationals import require_exact
from toymodels.manifold import formulas
from toymodels.manifold.clifford import generators

FORMULAS = {name: f for name, f in vars(formulas).items() if hasattr(f, "declares")}
few = settings(max_examples=20)


@given(seed=seeds, d=inputs, n=samples)
@few
def test_derivatives_are_those_of_the_loss(seed, d, n):
    theta, Q, X, y, v = exact_model(seed, d, n)
    assert (
        derivative(lambda t: formulas.loss(t, Q, X, y), [theta], [v]) == formulas.gradient(theta, Q, X, y) @ v
    )
    slope = derivative(lambda t: formulas.gradient(t, Q, X, y), [theta], [v])
    assert (slope == formulas.hvp(theta, Q, X, y, v)).all()
    assert (slope == formulas.hessian(theta, Q, X, y) @ v).all()
    moved = derivative(lambda t: formulas.outputs(t, Q, X), [theta], [v])
    assert (moved == formulas.jvp(theta, Q, X, v)).all()
    assert (moved == formulas.jacobian(theta, Q, X) @ v).all()
    assert moved @ y == formulas.vjp(theta, Q, X, y) @ v


@given(seed=seeds, d=inputs, n=samples)
@few
def test_the_model_is_a_quadratic_form_of_its_input(seed, d, n):
    theta, Q, X, _, _ = exact_model(seed, d, n)
    forms = [theta @ formulas.combination(Q, x) @ theta / 2 for x in X]
    assert formulas.outputs(theta, Q, X).tolist() == forms
    assert (formulas.turned(theta, Q, X[0]) == formulas.combination(Q, X[0]) @ theta).all()


@given(seed=seeds, d=inputs, n=samples)
@few
def test_what_anticommuting_gives(seed, d, n):
    theta, Q, X, y, _ = exact_model(seed, d, n)
    S, J = formulas.scale(theta), formulas.images(theta, Q)
    assert (S * np.eye(d, dtype=int) == J @ J.T).all()
    outer = formulas.jacobian(theta, Q, X)
    assert (formulas.ntk(theta, X) == outer @ outer.T).all()
    assert np.trace(formulas.hessian(theta, Q, X, y)) == formulas.hessian_trace(theta, X)
    square = formulas.combination(Q, X[0])
    assert (square @ square == (X[0] @ X[0]) * np.eye(len(theta), dtype=int)).all()
    beta = formulas.beta(theta, Q)
    mu = formulas.imbalance_square(S, beta)
    hidden = formulas.hidden(theta, Q)
    assert hidden @ hidden == 4 * S * mu
    assert (J @ hidden == 0).all()
    if d in (2, 3):
        assert mu == 0
    if d == 1:
        assert 4 * mu == (theta[0] ** 2 - theta[1] ** 2) ** 2


@given(seed=seeds, d=inputs)
@few
def test_one_step_in_beta_and_scale(seed, d):
    theta, Q, X, _, _ = exact_model(seed, d, 1)
    kick = X[0] / 2**20
    S, beta = formulas.scale(theta), formulas.beta(theta, Q)
    after = formulas.step(theta, Q, kick)
    b, scale = formulas.beta_step(beta, S, kick), formulas.scale_step(beta, S, kick)
    assert (formulas.beta(after, Q) == b).all()
    assert formulas.scale(after) == scale
    shrink = formulas.contraction(kick)
    assert formulas.imbalance_square(scale, b) == shrink * shrink * formulas.imbalance_square(S, beta)
    across = exact(seed + 1, (d,))[0]
    across = (kick @ kick) * across - (kick @ across) * kick
    assert across @ b == shrink * (across @ beta)


@given(seed=seeds, d=inputs, n=samples)
@few
def test_velocities_of_beta_and_scale(seed, d, n):
    theta, Q, X, y, _ = exact_model(seed, d, n)
    beta, S = formulas.beta(theta, Q), formulas.scale(theta)
    g, velocity = formulas.slope(beta, X, y), -formulas.gradient(theta, Q, X, y)
    moved = derivative(lambda t: formulas.beta(t, Q), [theta], [velocity])
    assert (moved == formulas.beta_velocity(S, g)).all()
    assert derivative(formulas.scale, [theta], [velocity]) == formulas.scale_velocity(beta, g)
    # the loss falls at S |g|²
    assert derivative(lambda t: formulas.loss(t, Q, X, y), [theta], [velocity]) == -S * (g @ g)


def test_the_identities_need_anticommuting_matrices():
    theta, Q, X, y, v = exact_model(1, 3, 2)
    crooked = Q.copy()
    crooked[0] = np.diag([1, 2, 3, 4])
    J = formulas.images(theta, crooked)
    assert (formulas.scale(theta) * np.eye(3, dtype=int) != J @ J.T).any()
    after = formulas.step(theta, crooked, X[0])
    b = formulas.beta_step(formulas.beta(theta, crooked), formulas.scale(theta), X[0])
    assert (formulas.beta(after, crooked) != b).any()
    # the loss and its derivatives do not
    slope = derivative(lambda t: formulas.gradient(t, crooked, X, y), [theta], [v])
    assert (slope == formulas.hvp(theta, crooked, X, y, v)).all()


def test_the_two_parameter_model():
    a, b, lr, e = exact(5, (4,))[0]
    Q, theta = generators(2), np.array([a, b])
    assert formulas.beta(theta, Q).tolist() == [a * b, (a * a - b * b) / 2]
    X, y = np.array([[1, 0]]), np.array([e])
    S, D, r = a * a + b * b, a * a - b * b, 2 * a * b - e
    hessian = formulas.hessian(theta, Q, X, y)
    assert hessian.tolist() == [[b * b, r], [r, a * a]]
    # the eigenvalues are S/2 ± sqrt(D²/4 + r²)
    assert np.trace(hessian) == S
    assert S * S / 4 - (a * a * b * b - r * r) == D * D / 4 + r * r
    after = formulas.step(theta, Q, np.array([lr * e, 0 * e]))
    assert after[0] ** 2 - after[1] ** 2 == D * (1 - lr**2 * e**2)


@pytest.mark.parametrize("name", FORMULAS)
@given(seed=seeds)
@settings(max_examples=5)
def test_exact_runs_stay_exact_and_batches_equal_their_members(name, seed):
    declares = FORMULAS[name].declares
    rng = np.random.default_rng(seed)
    extent = {size: int(rng.integers(1, 4)) for size in declares.sizes}
    batch = exact(seed, *((2, *(extent[size] for size in shape)) for shape in declares.inputs))
    together = FORMULAS[name](*batch)
    for k in range(2):
        single = FORMULAS[name](*(x[k] for x in batch))
        require_exact(single)
        assert np.array_equal(np.asarray(together)[k], single)
