"""DeepLinear against the generic oracles, the two-layer net, its symmetries, and bad input."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from deep_cases import EPS, assert_close, deep_problems, haar, magnitude, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import DeepLinear, InputError, TwoLayerLinear
from toymodels.problem import Problem

ANSWERS = ("outputs", "loss", "gradient", "hessian", "jacobian", "ntk", "product", "imbalance")


@pytest.mark.parametrize("name", ["loss", "gradient"])
@given(case=deep_problems(runs=True))
@settings(max_examples=30)
def test_fast_answers_equal_the_oracles(name, case):
    problem, theta = case
    bound = getattr(magnitude(problem), name)(np.abs(theta))
    assert_close(problem, getattr(problem, name)(theta), getattr(Problem, name)(problem, theta), bound)


@pytest.mark.parametrize("name", ["hvp", "jvp"])
@given(case=deep_problems(runs=True), seed=seeds)
@settings(max_examples=30)
def test_directional_answers_equal_the_oracles(name, case, seed):
    problem, theta = case
    v = problem.init(runs=3, rng=seed)
    bound = getattr(magnitude(problem), name)(np.abs(theta), np.abs(v))
    assert_close(problem, getattr(problem, name)(theta, v), getattr(Problem, name)(problem, theta, v), bound)


@given(case=deep_problems(), seed=seeds)
@settings(max_examples=30)
def test_gradient_is_the_complex_step_of_the_loss(case, seed):
    problem, theta = case
    v = problem.init(rng=seed)
    slope = problem.loss(theta + 1e-30j * v).imag / 1e-30
    bound = magnitude(problem).gradient(np.abs(theta)) @ np.abs(v)
    assert_close(problem, problem.gradient(theta) @ v, slope, bound)


@given(case=deep_problems(), seed=seeds)
@settings(max_examples=30)
def test_jacobian_is_the_complex_step_of_the_outputs(case, seed):
    problem, theta = case
    v = problem.init(rng=seed)
    slope = problem.outputs(theta + 1e-30j * v).imag.ravel() / 1e-30
    bound = magnitude(problem).jacobian(np.abs(theta)) @ np.abs(v)
    assert_close(problem, problem.jacobian(theta) @ v, slope, bound)


@given(case=deep_problems(runs=True), seed=seeds, per_run=st.booleans())
@settings(max_examples=30)
def test_single_samples_and_minibatches(case, seed, per_run):
    problem, theta = case
    bound = problem.n * magnitude(problem).gradient(np.abs(theta))
    mean = np.mean([problem.gradient(theta, rows=[i]) for i in range(problem.n)], axis=0)
    assert_close(problem, mean, problem.gradient(theta), bound)
    rows = np.random.default_rng(seed).integers(0, problem.n, size=(3, 2) if per_run else 2)
    batch = problem.gradient(theta, rows=rows)
    for run in range(3):
        own = rows[run] if per_run else rows
        assert_close(problem, batch[run], problem.gradient(theta[run], rows=own), bound)


@pytest.mark.parametrize("name", ANSWERS)
@given(case=deep_problems(runs=True))
@settings(max_examples=10)
def test_a_batch_equals_its_members(name, case):
    problem, theta = case
    together = getattr(problem, name)(theta)
    alone = np.stack([getattr(problem, name)(member) for member in theta])
    scale = np.abs(theta).max() ** 2 * max(problem.sizes) if name == "imbalance" else None
    bound = getattr(magnitude(problem), name)(np.abs(theta)) if scale is None else scale
    assert_close(problem, together, alone, bound)
    assert getattr(problem, name)(theta.reshape(3, 1, -1)).shape == (3, 1, *together.shape[1:])


@given(seed=seeds, n=st.integers(1, 4), d=st.integers(1, 4), m=st.integers(1, 4), c=st.integers(1, 4))
@settings(max_examples=30)
def test_depth_two_is_the_two_layer_net(seed, n, d, m, c):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, c))
    deep, two = DeepLinear(X, Y, widths=(m,)), TwoLayerLinear(X, Y, width=m)
    theta, v = rng.standard_normal((2, deep.size))
    big, size = magnitude(deep), np.abs(theta)
    for name in ("loss", "gradient", "hessian", "ntk", "outputs"):
        assert_close(deep, getattr(deep, name)(theta), getattr(two, name)(theta), getattr(big, name)(size))
    assert_close(deep, deep.hvp(theta, v), two.hvp(theta, v), big.hvp(size, np.abs(v)))
    assert_close(deep, deep.imbalances(theta)[0], two.imbalance(theta), size @ size)


@given(case=deep_problems(), seed=seeds)
@settings(max_examples=30)
def test_turning_a_hidden_layer_turns_its_gradient(case, seed):
    problem, theta = case
    rng = np.random.default_rng(seed)
    turns = [haar(rng, m) for m in problem.sizes[1:-1]]

    def turned(theta):
        layers = list(problem.unpack(theta))
        for j, T in enumerate(turns):
            layers[j], layers[j + 1] = T @ layers[j], layers[j + 1] @ T.T
        return problem.pack(*layers)

    norm = np.sum(magnitude(problem).gradient(np.abs(theta))) * sum(problem.sizes)
    assert_close(problem, problem.gradient(turned(theta)), turned(problem.gradient(theta)), norm)


@given(case=deep_problems())
@settings(max_examples=40)
def test_velocity_keeps_the_imbalances_to_first_order(case):
    problem, theta = case
    moved = problem.imbalance(theta - 1e-30j * problem.gradient(theta)).imag / 1e-30
    big = magnitude(problem)
    bound = np.sum(np.abs(theta)) * np.sum(big.gradient(np.abs(theta)))
    assert_close(problem, moved, np.zeros_like(moved), bound)


@given(seed=seeds, sizes=st.lists(st.integers(1, 5), min_size=3, max_size=6))
@settings(max_examples=40)
def test_balanced_parameters(seed, sizes):
    rng = np.random.default_rng(seed)
    d, *widths, c = sizes
    problem = DeepLinear(np.eye(1, d), np.ones((1, c)), widths=widths)
    rank = min(sizes)
    W = rng.standard_normal((3, c, rank)) @ rng.standard_normal((3, rank, d))
    theta = problem.balanced(W, [haar(rng, m) for m in widths])
    assert theta.shape == (3, problem.size)
    scale = np.linalg.norm(W, axis=(-2, -1)).max()
    np.testing.assert_allclose(problem.product(theta), W, atol=64 * sum(sizes) * EPS * scale)
    size = scale ** (2 / problem.depth)
    np.testing.assert_allclose(problem.imbalance(theta), 0, atol=64 * sum(sizes) * EPS * size)


def test_a_hand_computed_problem():
    # f(x) = 2 * 3 * 1 * x on x = 1, y = 5: residual 1, each slope the product of the other layers
    problem = DeepLinear([[1.0]], [5.0], widths=(1, 1))
    theta = np.array([1.0, 3.0, 2.0])
    assert problem.outputs(theta).tolist() == [6.0]
    assert problem.loss(theta) == pytest.approx(0.5, rel=8 * EPS)
    assert problem.gradient(theta) == pytest.approx([6.0, 2.0, 3.0], rel=8 * EPS)
    # products of slopes, plus the residual 1 times the layer that is left off the diagonal
    expected = [[36.0, 14.0, 21.0], [14.0, 4.0, 7.0], [21.0, 7.0, 9.0]]
    np.testing.assert_allclose(problem.hessian(theta), expected, rtol=8 * EPS)
    assert problem.imbalance(theta).tolist() == [8.0, -5.0]
    assert problem.sizes == (1, 1, 1, 1)


def test_exact_parameters_pass_through():
    problem = DeepLinear([[1.0]], [1.0], widths=(1, 1))
    theta = np.array([Fraction(1, 3), Fraction(3), Fraction(1)], dtype=object)
    assert problem.outputs(theta)[0] == 1
    assert problem.gradient(theta).tolist() == [0, 0, 0]


def test_targets_give_the_outputs_their_shape_and_problems_pickle():
    X = np.eye(3, 2)
    assert DeepLinear(X, np.zeros(3), widths=[2, 2]).outputs(np.ones((5, 10))).shape == (5, 3)
    problem = DeepLinear(X, np.zeros((3, 1)), widths=[2, 2])
    assert problem.outputs(np.ones((5, 10))).shape == (5, 3, 1)
    theta = problem.init(rng=0)
    assert pickle.loads(pickle.dumps(problem)).loss(theta) == problem.loss(theta)
    assert problem.observable("singular_values")(problem, theta).shape == (1,)
    assert np.isnan(problem.singular_values(np.full(10, np.nan))).all()


X, Y = np.arange(6.0).reshape(3, 2), np.ones(3)
NET = DeepLinear(X, Y, widths=(2, 1))


@pytest.mark.parametrize("call, message", [
    (lambda: DeepLinear(X, Y, widths=3), "widths: expected a sequence of hidden widths, got 3"),
    (lambda: DeepLinear(X, Y, widths="32"), "widths: expected a sequence of hidden widths"),
    (lambda: DeepLinear(X, Y, widths=()), "widths: expected at least one hidden layer"),
    (lambda: DeepLinear(X, Y, widths=(2, 0)), "widths: expected an integer >= 1, got 0"),
    (lambda: DeepLinear(X, Y, widths=(2.0,)), "widths: expected an integer >= 1"),
    (lambda: DeepLinear(X, Y[:2], widths=(2,)), "Y: expected 3 rows as in X"),
    (lambda: DeepLinear(X * np.nan, Y, widths=(2,)), "X: expected finite"),
    (lambda: NET.loss(np.ones(6)), r"theta: expected shape \(..., 7\), got \(6,\)"),
    (lambda: NET.hvp(np.ones(7), np.ones(6)), r"v: expected shape \(..., 7\)"),
    (lambda: NET.gradient(np.ones(7), targets=Y[:, None]), "targets: expected shape"),
    (lambda: NET.gradient(np.ones(7), rows=[3]), "rows: expected indices from 0 to 2"),
    (lambda: NET.vjp(np.ones(7), Y[:, None]), "cotangent: expected shape"),
    (lambda: NET.balanced(np.ones((2, 1))), r"W: expected shape \(..., 1, 2\), got \(2, 1\)"),
    (lambda: NET.balanced(np.ones((1, 2)), [np.eye(2)]), "rotations: expected 2 orthogonal matrices, got 1"),
    (lambda: NET.balanced(np.ones((1, 2)), [np.ones((2, 2)), np.eye(1)]), "rotations: expected an orth"),
    (lambda: DeepLinear(X, np.ones((3, 2)), widths=(1,)).balanced(np.eye(2)), "widths: expected at least"),
    (lambda: NET.observable("singular_value"), "did you mean.*singular_values"),
    (lambda: DeepLinear.from_statistics(np.eye(2), Y[:2], 9.0, widths=(0,)), "widths: expected an integer"),
    (lambda: DeepLinear.from_statistics(np.eye(2), Y[:2], 9.0, widths=2), "widths: expected a sequence"),
])  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
