"""The formulas at fixed gates, run exactly on random rationals and differentiated by jets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relu_cases import exact, flat, seeds, sizes

from toymodels.arithmetic import elementary, gates, systems
from toymodels.arithmetic.arrays import dot, frobenius, mT, trace
from toymodels.arithmetic.jets import derivative, mixed_derivative
from toymodels.arithmetic.rationals import require_exact
from toymodels.relu import formulas

DIGITS = systems.digits()


@st.composite
def nets(draw):
    """Weights, two directions, data, targets, sample weights, and the gates of the weights."""
    n, d, m = (draw(sizes) for _ in range(3))
    seed = draw(seeds)
    W, a, X, y, weights = exact(seed, (m, d), (m,), (n, d), (n,), (n,))
    directions = exact(seed + 1, (m, d), (m,), (m, d), (m,))
    return W, a, X, y, weights, gates(formulas.preactivations(W, X)), directions


def plain_outputs(W, a, X):
    """The network as it is defined, neuron by neuron."""
    zero = 0 * X[0, 0]
    return np.array([sum((a_k * max(dot(w, x), zero) for a_k, w in zip(a, W, strict=True)), zero) for x in X])


@given(nets())
@settings(max_examples=30)
def test_with_their_own_gates_the_outputs_are_those_of_the_network(net):
    W, a, X, _, _, G, _ = net
    assert (formulas.outputs(W, a, X, G) == plain_outputs(W, a, X)).all()


@given(nets())
@settings(max_examples=30)
def test_first_derivatives(net):
    W, a, X, y, weights, G, (D, b, _, _) = net
    slope = weights * (formulas.outputs(W, a, X, G) - y)
    first, second = formulas.vjp(W, a, X, G, slope)
    moved = derivative(lambda W, a: formulas.square_loss(W, a, X, y, weights, G), [W, a], [D, b])
    assert moved == frobenius(first, D) + dot(second, b)
    along = derivative(lambda W, a: formulas.outputs(W, a, X, G), [W, a], [D, b])
    assert (along == formulas.jvp(W, a, D, b, X, G)).all()
    assert (formulas.jacobian(W, a, X, G) @ flat(D, b) == along).all()
    assert (flat(*formulas.vjp(W, a, X, G, y)) == y @ formulas.jacobian(W, a, X, G)).all()


@given(nets())
@settings(max_examples=30)
def test_the_hessian_is_the_second_derivative_in_a_cell(net):
    W, a, X, y, weights, G, (D, b, E, c) = net
    slope = weights * (formulas.outputs(W, a, X, G) - y)
    H = formulas.hessian(W, a, X, G, slope, weights)
    bilinear = mixed_derivative(
        lambda W, a: formulas.square_loss(W, a, X, y, weights, G), [W, a], [D, b], [E, c]
    )
    assert flat(D, b) @ H @ flat(E, c) == bilinear
    assert (H == H.T).all()
    assert (H @ flat(D, b) == flat(*formulas.hvp(W, a, D, b, X, G, slope, weights))).all()


LOSSES = {
    "exponential": (
        lambda q: elementary.exp(-q),
        lambda q: -elementary.exp(-q),
        lambda q: elementary.exp(-q),
    ),
    "logistic": (
        lambda q: elementary.log1p(elementary.exp(-q)),
        lambda q: -1 / (1 + elementary.exp(q)),
        lambda q: 1 / ((1 + elementary.exp(q)) * (1 + elementary.exp(-q))),
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
@given(nets())
@settings(max_examples=8)
def test_derivatives_of_losses_of_the_margin_to_fifty_digits(loss, net):
    value, slope, curvature = LOSSES[loss]
    W, a, X, y, weights, G, directions = net
    W, a, X, weights = (DIGITS.make(x.astype(float) / 2**30) for x in (W, a, X, weights))
    directions = [DIGITS.make(x.astype(float) / 2**30) for x in directions]
    D, b, E, c = directions
    y = np.sign(y.astype(float)).astype(int)
    margins = y * formulas.outputs(W, a, X, G)
    slopes, curvatures = weights * y * slope(margins), weights * curvature(margins)

    def total(W, a):
        return dot(weights, value(y * formulas.outputs(W, a, X, G)))

    first, second = formulas.vjp(W, a, X, G, slopes)
    assert abs(derivative(total, [W, a], [D, b]) - frobenius(first, D) - dot(second, b)) < 1e-50
    H = formulas.hessian(W, a, X, G, slopes, curvatures)
    assert (
        abs(flat(D, b) @ H @ flat(E, c) - mixed_derivative(total, [W, a], directions[:2], directions[2:]))
        < 1e-50
    )


@given(nets())
@settings(max_examples=30)
def test_the_coupling_has_eigenvalues_plus_and_minus_the_norms_of_the_gated_sums(net):
    W, _, X, y, _, G, _ = net
    S, (m, d) = formulas.gated_sums(X, G, y), W.shape
    M = formulas.coupling(S)
    # M³ = M² scaled neuron by neuron, with M² = diag(S_k S_kᵀ, |S_k|²)
    squared = M @ M
    for k in range(m):
        block = squared[k * d : (k + 1) * d, k * d : (k + 1) * d]
        assert (block == np.outer(S[k], S[k])).all()
        assert squared[m * d + k, m * d + k] == S[k] @ S[k]
    assert trace(M) == 0 and trace(squared) == 2 * (S * S).sum()
    norms = np.sqrt((S.astype(float) ** 2).sum(-1))
    expected = np.sort(np.concatenate([norms, -norms, np.zeros(m * (d - 1))]))
    found = np.linalg.eigvalsh(M.astype(float))
    np.testing.assert_allclose(found, expected, rtol=0, atol=64 * m * d * 2.3e-16 * max(norms.max(), 1))


@given(nets(), seeds)
@settings(max_examples=30)
def test_the_kernel_is_a_sum_over_classes_and_over_neurons(net, seed):
    W, a, X, _, _, G, _ = net
    J = formulas.jacobian(W, a, X, G)
    hidden, output = formulas.hidden_ntk(a, X, G), formulas.output_ntk(W, X, G)
    assert (hidden + output == J @ J.T).all()
    assert (hidden == J[:, : W.size] @ J[:, : W.size].T).all()
    patterns, members = np.unique(G, axis=0, return_inverse=True)
    one_hot = (np.arange(len(patterns))[:, None] == members.reshape(-1)).astype(int)
    A, C = formulas.class_sums(W, a, one_hot)
    assert (formulas.hidden_ntk_of_classes(A, X, patterns) == hidden).all()
    assert (formulas.output_ntk_of_classes(C, X, patterns) == output).all()
    n = len(X)
    double_sum = [
        [
            sum(
                s[i] * s[j] * (A_S * dot(X[i], X[j]) + X[i] @ C_S @ X[j])
                for s, A_S, C_S in zip(patterns, A, C, strict=True)
            )
            for j in range(n)
        ]
        for i in range(n)
    ]
    assert (np.array(double_sum) == J @ J.T).all()


def test_without_the_second_class_sum_the_kernel_is_wrong():
    W, a, X = exact(0, (3, 2), (3,), (2, 2))
    G = np.ones((3, 2), dtype=int)
    J = formulas.jacobian(W, a, X, G)
    assert not (formulas.hidden_ntk(a, X, G) == J @ J.T).all()


@given(nets())
@settings(max_examples=30)
def test_euler_balance_and_norms(net):
    W, a, X, y, _, G, _ = net
    first, second = formulas.vjp(W, a, X, G, y)
    assert (a * second == dot(W, first)).all()
    assert (derivative(formulas.imbalance, [W, a], [-first, -second]) == 0).all()
    change = formulas.imbalance(W - first, a - second) - formulas.imbalance(W, a)
    assert (change == formulas.imbalance_change(first, second)).all()
    growth = formulas.norm_growth(formulas.outputs(W, a, X, G), y)
    assert derivative(lambda W: (W * W).sum((-1, -2)), [W], [-first]) == 2 * growth
    assert derivative(lambda a: dot(a, a), [a], [-second]) == 2 * growth


@given(nets())
@settings(max_examples=30)
def test_the_gradient_norm_is_a_sum_over_classes(net):
    W, a, X, y, _, G, _ = net
    first, _ = formulas.vjp(W, a, X, G, y)
    norm = frobenius(first, first)
    assert formulas.hidden_gradient_norm(a * a, formulas.gated_sums(X, G, y)) == norm
    patterns, members = np.unique(G, axis=0, return_inverse=True)
    one_hot = (np.arange(len(patterns))[:, None] == members.reshape(-1)).astype(int)
    A, _ = formulas.class_sums(W, a, one_hot)
    assert formulas.hidden_gradient_norm(A, formulas.gated_sums(X, patterns, y)) == norm


@given(nets())
@settings(max_examples=20)
def test_with_the_output_fixed_the_hessian_is_positive_in_a_cell(net):
    W, a, X, y, weights, G, (D, _, _, _) = net
    H = formulas.hessian(W, a, X, G, y, weights * weights)[: W.size, : W.size]
    J = formulas.jacobian(W, a, X, G)[:, : W.size]
    gauss_newton = mT(J) @ ((weights * weights)[:, None] * J)
    assert (gauss_newton == H).all()
    assert flat(D) @ H @ flat(D) >= 0


def test_with_both_layers_trained_the_hessian_may_be_negative():
    one = np.array([[1]], dtype=object)
    y = np.array([5], dtype=object)
    slope = formulas.outputs(one, one[0], one, one) - y
    H = formulas.hessian(one, one[0], one, one, slope, np.array([1], dtype=object))
    assert H.tolist() == [[1, -3], [-3, 1]]


@given(nets())
@settings(max_examples=20)
def test_dead_neurons_have_no_gradient(net):
    W, a, X, y, _, G, _ = net
    G = G.copy()
    G[0] = 0
    first, second = formulas.vjp(W, a, X, G, y)
    assert (first[0] == 0).all() and second[0] == 0


@pytest.mark.parametrize("name", [name for name, f in vars(formulas).items() if hasattr(f, "declares")])
@given(seed=seeds)
@settings(max_examples=5)
def test_exact_runs_stay_exact_and_batches_equal_their_members(name, seed):
    formula = getattr(formulas, name)
    rng = np.random.default_rng(seed)
    extent = {size: int(rng.integers(1, 4)) for size in formula.declares.sizes}
    shapes = [tuple(extent[size] for size in shape) for shape in formula.declares.inputs]
    batch = exact(seed, *[(2, *shape) for shape in shapes])
    together = formula(*batch)
    together = together if isinstance(together, tuple) else (together,)
    for k in range(2):
        alone = formula(*(x[k] for x in batch))
        for whole, single in zip(together, alone if isinstance(alone, tuple) else (alone,), strict=True):
            require_exact(single)
            assert np.all(whole[k] == single)
