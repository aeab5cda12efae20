"""The formulas, proved in words at every size and run exactly on random rationals."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from linear_cases import seeds, sizes

from toymodels.arithmetic.arrays import frobenius, trace
from toymodels.arithmetic.jets import derivative, mixed_derivative
from toymodels.arithmetic.rationals import draw, require_exact
from toymodels.arithmetic.words import letter
from toymodels.linear import formulas

FORMULAS = {name: f for name, f in vars(formulas).items() if hasattr(f, "declares")}
WORDS = [name for name, f in FORMULAS.items() if f.declares.words]


def words(text):
    """Letters from a list such as "W1 m d, W2 c m"."""
    return [letter(*entry.split()) for entry in text.split(",")]


W1, W2, D1, D2, G, X, Y = words("W1 m d, W2 c m, D1 m d, D2 c m, G c d, X n d, Y n c")


def is_zero(value):
    """Whether words or a scalar of traces vanish."""
    return str(value) == "0"


def exact(seed, *shapes):
    """Independent uniform integers, as object arrays of rationals."""
    rng = np.random.default_rng(seed)
    return [draw(rng, shape, -(2**30), 2**30) for shape in shapes]


def pair(blocks, directions):
    return sum(frobenius(u, v) for u, v in zip(blocks, directions, strict=True))


def flat(*blocks):
    return np.concatenate([block.ravel() for block in blocks])


def test_samples_and_statistics_give_the_same_loss_and_gradient():
    statistics = formulas.statistics(X, Y)
    assert is_zero(formulas.loss(W1, W2, X, Y) - formulas.loss_from_statistics(W1, W2, *statistics))
    for sample, compressed in zip(
        formulas.sample_gradient(W1, W2, X, Y), formulas.gradient(W1, W2, *statistics[:2]), strict=True
    ):
        assert is_zero(sample - compressed)


def test_gradient_is_the_derivative_of_the_loss():
    slope = derivative(lambda a, b: formulas.loss(a, b, X, Y), [W1, W2], [D1, D2])
    assert is_zero(slope - pair(formulas.sample_gradient(W1, W2, X, Y), [D1, D2]))
    assert not is_zero(slope + pair(formulas.sample_gradient(W1, W2, X, Y), [D1, D2]))


def test_hvp_is_the_derivative_of_the_gradient():
    Sxx, Syx, _ = formulas.statistics(X, Y)
    blocks = formulas.hvp(W1, W2, D1, D2, Sxx, Syx)
    for k, block in enumerate(blocks):
        slope = derivative(lambda a, b, k=k: formulas.gradient(a, b, Sxx, Syx)[k], [W1, W2], [D1, D2])
        assert is_zero(slope - block)


def test_vjp_is_the_transpose_of_the_output_derivative():
    slope = derivative(lambda a, b: formulas.outputs(a, b, X), [W1, W2], [D1, D2])
    assert is_zero(frobenius(slope, Y) - pair(formulas.vjp(W1, W2, X, Y), [D1, D2]))


def test_gradient_flow_of_any_loss_of_the_product_conserves_the_imbalance():
    first, second = formulas.chain(W1, W2, G)
    assert is_zero(derivative(formulas.imbalance, [W1, W2], [-first, -second]))
    assert not is_zero(derivative(formulas.imbalance, [W1, W2], [-first, second]))


def test_descent_changes_the_imbalance_at_second_order():
    after = formulas.imbalance(*formulas.update(W1, W2, G))
    assert is_zero(after - formulas.imbalance(W1, W2) - formulas.imbalance_change(W1, W2, G))
    assert not is_zero(formulas.imbalance_change(W1, W2, G))


@pytest.mark.parametrize("name", WORDS)
def test_formulas_declared_for_words_run_on_words_in_their_declared_shapes(name):
    declares = FORMULAS[name].declares
    arguments = [
        letter(f"A{k}", *shape) if shape else frobenius(X, X) for k, shape in enumerate(declares.inputs)
    ]
    results = FORMULAS[name](*arguments)
    results = results if isinstance(results, tuple) else (results,)
    assert len(results) == len(declares.outputs)
    for result, shape in zip(results, declares.outputs, strict=True):
        # words of another shape refuse to be added
        assert not is_zero(result + (letter("Z", *shape) if shape else trace(letter("Z", "d", "d"))))


@pytest.mark.parametrize("name", FORMULAS)
@given(size=sizes, seed=seeds)
@settings(max_examples=5)
def test_exact_runs_stay_exact_and_batches_equal_their_members(name, size, seed):
    declares = FORMULAS[name].declares
    rng = np.random.default_rng(seed)
    extent = {name: int(rng.integers(1, 4)) for name in declares.sizes[1:]} | dict.fromkeys(
        declares.sizes[:1], size
    )
    shapes = [tuple(extent[name] for name in shape) for shape in declares.inputs]
    batch = [draw(rng, (2, *shape), -50, 50) for shape in shapes]
    together = FORMULAS[name](*batch)
    apart = [FORMULAS[name](*(x[k] for x in batch)) for k in range(2)]
    together = together if isinstance(together, tuple) else (together,)
    apart = [r if isinstance(r, tuple) else (r,) for r in apart]
    for k in range(2):
        for whole, single in zip(together, apart[k], strict=True):
            require_exact(single)
            assert (np.asarray(whole)[k] == single).all() if np.ndim(single) else whole[k] == single
    assert len(inspect.signature(FORMULAS[name]).parameters) == len(declares.inputs)


@given(n=sizes, d=sizes, m=sizes, c=sizes, seed=seeds)
@settings(max_examples=25)
def test_hessian_is_the_second_derivative_of_the_loss(n, d, m, c, seed):
    W1, W2, D1, D2, E1, E2, X, Y = exact(seed, (m, d), (c, m), (m, d), (c, m), (m, d), (c, m), (n, d), (n, c))
    Sxx, Syx, _ = formulas.statistics(X, Y)
    H = formulas.hessian(W1, W2, Sxx, Syx)
    bilinear = mixed_derivative(lambda a, b: formulas.loss(a, b, X, Y), [W1, W2], [D1, D2], [E1, E2])
    assert flat(D1, D2) @ H @ flat(E1, E2) == bilinear
    assert (H == H.T).all()
    assert np.trace(H) == formulas.hessian_trace(W1, W2, Sxx)
    assert (H @ flat(D1, D2) == flat(*formulas.hvp(W1, W2, D1, D2, Sxx, Syx))).all()


@given(n=sizes, d=sizes, m=sizes, c=sizes, seed=seeds)
@settings(max_examples=25)
def test_jacobian_kernel_and_gauss_newton_agree(n, d, m, c, seed):
    W1, W2, D1, D2, X = exact(seed, (m, d), (c, m), (m, d), (c, m), (n, d))
    J = formulas.jacobian(W1, W2, X)
    slope = derivative(lambda a, b: formulas.outputs(a, b, X), [W1, W2], [D1, D2])
    assert (J @ flat(D1, D2) == slope.ravel()).all()
    assert (formulas.ntk(W1, W2, X) == J @ J.T).all()
    assert (formulas.gauss_newton(W1, W2, X.T @ X) == J.T @ J).all()


@given(n=sizes, d=sizes, m=sizes, c=sizes, seed=seeds)
@settings(max_examples=25)
def test_residual_hessian_acts_as_the_gradient_in_the_product(n, d, m, c, seed):
    W1, D1, D2, G = exact(seed, (m, d), (m, d), (c, m), (c, d))
    R = formulas.residual_hessian(W1, G)
    assert (R @ flat(D1, D2) == flat(*formulas.residual_hvp(D1, D2, G))).all()
    # R² = diag(I ⊗ GᵀG, GGᵀ ⊗ I): eigenvalues ±sigma_k(G), m times each
    unit, zero = np.eye(m, dtype=int), np.zeros((m * d, c * m), dtype=int)
    blocks = [[np.kron(unit, G.T @ G), zero], [zero.T, np.kron(G @ G.T, unit)]]
    assert (np.block(blocks) == R @ R).all()


@given(n=sizes, d=sizes, m=sizes, c=sizes, seed=seeds)
@settings(max_examples=20)
def test_equal_weights_are_the_mean(n, d, m, c, seed):
    X, Y = exact(seed, (n, d), (n, c))
    weights = draw(np.random.default_rng(0), (n,), 1, 2) / n
    for weighted, plain in zip(
        formulas.weighted_statistics(X, Y, weights), formulas.statistics(X, Y), strict=True
    ):
        assert np.all(weighted == plain)


@given(d=sizes, m=sizes, c=sizes, seed=seeds)
@settings(max_examples=20)
def test_gram_holds_the_product_and_both_layers(d, m, c, seed):
    W1, W2 = exact(seed, (m, d), (c, m))
    M = formulas.gram(W1, W2)
    assert (M[d:, :d] == formulas.product(W1, W2)).all()
    assert trace(M[d:, d:]) - trace(M[:d, :d]) == trace(formulas.imbalance(W1, W2))


@given(seed=seeds)
def test_mode_maps_are_descent_on_one_mode(seed):
    a, b, s, lr = exact(seed, (), (), (), ())
    after_a, after_b = formulas.mode_step(a, b, s, lr)
    one = np.ones((1, 1), dtype=int)
    W1, W2 = formulas.descent_step(a * one, b * one, one, s * one, lr)
    assert (W1[0, 0], W2[0, 0]) == (after_a, after_b)
    u, q = formulas.mode_gram_step(a * b, a * a + b * b, s, lr)
    assert (u, q) == (after_a * after_b, after_a**2 + after_b**2)
    r = s - a * b
    assert formulas.mode_residual_step(r, a * b, a * a + b * b, lr) == s - after_a * after_b
    assert formulas.mode_imbalance_step(b * b - a * a, r, lr) == after_b**2 - after_a**2


@given(k=sizes, seed=seeds)
@settings(max_examples=20)
def test_aligned_layers_descend_as_independent_modes(k, seed):
    a, b, s = exact(seed, (k,), (k,), (k,))
    lr, unit = draw(np.random.default_rng(seed), (), 1, 100), np.eye(k, dtype=int)
    W1, W2 = formulas.descent_step(a * unit, b * unit, unit, s * unit, lr)
    after_a, after_b = formulas.mode_step(a, b, s, lr)
    assert (after_a * unit == W1).all() and (after_b * unit == W2).all()


def test_learning_rates_may_differ_between_runs():
    W1, W2, Sxx, Syx = exact(3, (2, 3, 4), (2, 2, 3), (4, 4), (2, 4))
    lr = draw(np.random.default_rng(0), (2,), 1, 9)
    together = formulas.descent_step(W1, W2, Sxx, Syx, lr)
    for run in range(2):
        alone = formulas.descent_step(W1[run], W2[run], Sxx, Syx, lr[run])
        assert all((x[run] == y).all() for x, y in zip(together, alone, strict=True))
