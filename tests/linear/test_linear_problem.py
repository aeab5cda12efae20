"""TwoLayerLinear against the generic oracles, its symmetries, and bad input."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_cases import EPS, assert_close, magnitude, problems, rounding, seeds, sizes

from toymodels import InputError, TwoLayerLinear
from toymodels.problem import Problem

ANSWERS = ("outputs", "loss", "gradient", "hessian", "jacobian", "ntk", "product", "imbalance", "gram")


def haar(rng, k):
    return np.linalg.qr(rng.standard_normal((k, k)))[0]


@pytest.mark.parametrize("name", ["loss", "gradient", "hessian", "jacobian", "ntk", "sharpness"])
@given(case=problems(runs=True))
@settings(max_examples=40)
def test_fast_answers_equal_the_oracles(name, case):
    problem, theta = case
    bound = getattr(magnitude(problem), "hessian" if name == "sharpness" else name)(np.abs(theta))
    scale = problem.size if name == "sharpness" else 1
    assert_close(
        problem, getattr(problem, name)(theta), getattr(Problem, name)(problem, theta), bound * scale
    )


@pytest.mark.parametrize("name", ["hvp", "jvp"])
@given(case=problems(runs=True), seed=seeds)
@settings(max_examples=40)
def test_directional_answers_equal_the_oracles(name, case, seed):
    problem, theta = case
    v = problem.init(runs=3, rng=seed)
    bound = getattr(magnitude(problem), name)(np.abs(theta), np.abs(v))
    assert_close(problem, getattr(problem, name)(theta, v), getattr(Problem, name)(problem, theta, v), bound)
    if name == "hvp":
        assert_close(problem, problem.hvp(theta, v), (problem.hessian(theta) @ v[..., None])[..., 0], bound)


@given(case=problems(), seed=seeds)
@settings(max_examples=40)
def test_gradient_is_the_complex_step_of_the_loss(case, seed):
    problem, theta = case
    v = problem.init(rng=seed)
    slope = problem.loss(theta + 1e-30j * v).imag / 1e-30
    assert_close(
        problem, problem.gradient(theta) @ v, slope, magnitude(problem).gradient(np.abs(theta)) @ np.abs(v)
    )


@given(case=problems(runs=True), seed=seeds, per_run=st.booleans(), given_targets=st.booleans())
@settings(max_examples=40)
def test_minibatches_equal_the_oracle(case, seed, per_run, given_targets):
    problem, theta = case
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, problem.n, size=(3, 4) if per_run else 4)
    targets = rng.standard_normal((3, 4, *problem.targets.shape[1:])) if given_targets else None
    oracle = Problem.gradient(problem, theta, rows=rows, targets=targets)
    largest = max(1.0, np.abs(problem.targets).max())
    ceiling = TwoLayerLinear(
        np.abs(problem.inputs),
        -np.full(problem.targets.shape, 8 * largest),
        width=problem.width,
        weights=np.ones(problem.n),
    )
    bound = problem.n * ceiling.gradient(np.abs(theta))
    assert_close(problem, problem.gradient(theta, rows=rows, targets=targets), oracle, bound)


@given(case=problems())
@settings(max_examples=40)
def test_single_samples_average_to_the_gradient(case):
    problem, theta = case
    mean = np.mean([problem.gradient(theta, rows=[i]) for i in range(problem.n)], axis=0)
    assert_close(problem, mean, problem.gradient(theta), magnitude(problem).gradient(np.abs(theta)))
    explicit = problem.gradient(theta, targets=problem.targets)
    assert_close(problem, explicit, problem.gradient(theta), magnitude(problem).gradient(np.abs(theta)))


@pytest.mark.parametrize("name", ANSWERS)
@given(case=problems(runs=True))
@settings(max_examples=15)
def test_a_batch_equals_its_members(name, case):
    problem, theta = case
    together = getattr(problem, name)(theta)
    alone = np.stack([getattr(problem, name)(member) for member in theta])
    bound = (
        getattr(magnitude(problem), name)(np.abs(theta))
        if name != "imbalance"
        else problem.gram(np.abs(theta))
    )
    assert_close(problem, together, alone, bound)
    grid = getattr(problem, name)(theta.reshape(3, 1, -1))
    assert grid.shape == (3, 1, *together.shape[1:])


@given(case=problems(), seed=seeds)
@settings(max_examples=40)
def test_permuting_neurons_permutes_the_gradient(case, seed):
    problem, theta = case
    order = np.random.default_rng(seed).permutation(problem.width)

    def permute(theta):
        W1, W2 = problem.unpack(theta)
        return problem.pack(W1[order], W2[:, order])

    big = magnitude(problem)
    assert_close(problem, problem.loss(permute(theta)), problem.loss(theta), big.loss(np.abs(theta)))
    expected = permute(problem.gradient(theta))
    assert_close(problem, problem.gradient(permute(theta)), expected, big.gradient(np.abs(theta)))


@given(case=problems(), seed=seeds)
@settings(max_examples=40)
def test_turning_inputs_and_hidden_layer_turns_the_answers(case, seed):
    problem, theta = case
    rng = np.random.default_rng(seed)
    W1, W2 = problem.unpack(theta)
    O, T = haar(rng, W1.shape[1]), haar(rng, problem.width)
    turned = TwoLayerLinear(problem.inputs @ O, problem.targets, width=problem.width, weights=problem.weights)
    moved = problem.pack(T @ W1 @ O, W2 @ T.T)
    largest = np.sum(magnitude(problem).hessian(np.abs(theta)))
    assert_close(
        problem,
        turned.outputs(moved),
        problem.outputs(theta),
        np.sum(magnitude(problem).outputs(np.abs(theta))),
    )
    assert_close(problem, turned.sharpness(moved), problem.sharpness(theta), largest)
    assert_close(problem, T.T @ turned.imbalance(moved) @ T, problem.imbalance(theta), theta @ theta)


@given(case=problems(), power=st.integers(-8, 8))
@settings(max_examples=40)
def test_units_of_the_targets(case, power):
    problem, theta = case
    scale = 2.0**power
    W1, W2 = problem.unpack(theta)
    scaled = TwoLayerLinear(
        problem.inputs, scale * problem.targets, width=problem.width, weights=problem.weights
    )
    bound = scale**2 * magnitude(problem).loss(np.abs(theta))
    assert_close(problem, scaled.loss(problem.pack(W1, scale * W2)), scale**2 * problem.loss(theta), bound)


@given(n=sizes, d=sizes, m=sizes, c=sizes, seed=seeds)
@settings(max_examples=40)
def test_integer_weights_repeat_samples(n, d, m, c, seed):
    rng = np.random.default_rng(seed)
    X, Y, counts = rng.standard_normal((n, d)), rng.standard_normal((n, c)), rng.integers(0, 4, n)
    counts[0] += 1
    weighted = TwoLayerLinear(X, Y, width=m, weights=counts)
    rows = np.repeat(np.arange(n), counts)
    repeated = TwoLayerLinear(X[rows], Y[rows], width=m, weights=np.ones(len(rows)))
    theta = weighted.init(rng=rng)
    bound = magnitude(repeated)
    assert_close(repeated, weighted.loss(theta), repeated.loss(theta), bound.loss(np.abs(theta)))
    assert_close(repeated, weighted.hessian(theta), repeated.hessian(theta), bound.hessian(np.abs(theta)))


@given(case=problems(runs=True), seed=seeds)
@settings(max_examples=60)
def test_statistics_stand_for_the_samples(case, seed):
    problem, theta = case
    compact = TwoLayerLinear.from_statistics(*problem.statistics, width=problem.width)
    v, big = problem.init(runs=3, rng=seed), magnitude(problem)
    size, direction = np.abs(theta), np.abs(v)
    assert_close(problem, compact.gradient(theta), problem.gradient(theta), big.gradient(size))
    assert_close(problem, compact.hvp(theta, v), problem.hvp(theta, v), big.hvp(size, direction))
    assert (compact.loss(theta) >= 0).all()


@given(case=problems(runs=True))
@settings(max_examples=60)
def test_the_loss_of_an_interpolating_theta_is_zero_to_the_square_of_rounding(case):
    problem, theta = case
    targets = problem.outputs(theta[0])
    fitted = TwoLayerLinear(problem.inputs, targets, width=problem.width, weights=problem.weights)
    bound = rounding(problem) ** 2 * magnitude(fitted).loss(np.abs(theta[0]))
    assert 0 <= fitted.loss(theta[0]) <= bound
    assert (fitted.loss(theta) >= 0).all()


def test_the_cost_of_an_answer_does_not_grow_with_the_samples():
    rng = np.random.default_rng(0)
    problem = TwoLayerLinear(rng.standard_normal((500, 3)), rng.standard_normal((500, 2)), width=4)
    assert problem.compressed.X.shape == (3, 3)
    assert problem.compressed.Y.shape == (3, 2)


def test_a_hand_computed_problem():
    # f(x) = b a x on x = 1, y = 3 and x = 2, y = 2, at a = 1, b = 2: residuals -1 and 2
    problem = TwoLayerLinear([[1.0], [2.0]], [3.0, 2.0], width=1, weights=[1.0, 1.0])
    theta = np.array([1.0, 2.0])
    assert problem.outputs(theta).tolist() == [2.0, 4.0]
    assert problem.loss(theta) == pytest.approx(2.5, rel=8 * EPS)
    assert problem.gradient(theta) == pytest.approx([6.0, 3.0], rel=8 * EPS)
    assert problem.hessian(theta) == pytest.approx(np.array([[20.0, 13.0], [13.0, 5.0]]), rel=8 * EPS)
    assert problem.ntk(theta).tolist() == [[5.0, 10.0], [10.0, 20.0]]
    assert problem.imbalance(theta).tolist() == [[3.0]]
    assert problem.least_loss == pytest.approx(((3 - 7 / 5) ** 2 + (2 - 14 / 5) ** 2) / 2, rel=16 * EPS)


def test_targets_give_the_outputs_their_shape():
    X = np.eye(3, 2)
    assert TwoLayerLinear(X, np.zeros(3), width=2).outputs(np.ones((5, 6))).shape == (5, 3)
    assert TwoLayerLinear(X, np.zeros((3, 1)), width=2).outputs(np.ones((5, 6))).shape == (5, 3, 1)
    assert TwoLayerLinear(X, np.zeros((3, 4)), width=2).jacobian(np.ones(12)).shape == (12, 12)


def test_exact_parameters_pass_through():
    problem = TwoLayerLinear([[1.0, 2.0]], [4.0], width=1)
    theta = np.array([Fraction(1), Fraction(1, 2), Fraction(2)], dtype=object)
    assert problem.outputs(theta)[0] == 4
    assert problem.loss(theta) == 0
    assert problem.gradient(theta).tolist() == [0, 0, 0]


def test_diverged_runs_have_no_sharpness():
    problem = TwoLayerLinear([[1.0]], [1.0], width=1)
    theta = np.array([[np.inf, 1.0], [1.0, 1.0], [np.nan, 0.0]])
    with np.errstate(invalid="ignore"):
        sharpness, values = problem.sharpness(theta), problem.singular_values(theta)
    assert np.isnan(sharpness).tolist() == np.isnan(values[:, 0]).tolist() == [True, False, True]
    assert sharpness[1] == pytest.approx(2.0, rel=8 * EPS)


def test_observables():
    problem = TwoLayerLinear(np.eye(2), np.diag([3.0, 1.0]), width=2)
    theta = problem.pack(np.diag([2.0, 1.0]), np.diag([1.0, 4.0]))
    assert problem.observable("imbalance")(problem, theta).tolist() == [[-3.0, 0.0], [0.0, 15.0]]
    assert problem.observable("product")(problem, theta).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert problem.observable("singular_values")(problem, theta) == pytest.approx([4.0, 2.0], rel=8 * EPS)
    assert problem.observable("gram")(problem, theta).shape == (4, 4)
    with pytest.raises(InputError, match=r"did you mean.*singular_values"):
        problem.observable("singular_value")


X, Y, y = np.arange(6.0).reshape(3, 2), np.ones((3, 2)), np.ones(3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"width": 0}, "width: expected an integer >= 1, got 0"),
        ({"width": 2.0}, "width: expected an integer"),
        ({"width": True}, "width: expected an integer"),
        ({"X": y, "width": 1}, "X: expected 2 dimension"),
        ({"X": X[:2], "width": 1}, "Y: expected 2 rows as in X"),
        ({"X": X[:, :0], "width": 1}, "X: expected at least one entry"),
        ({"X": X[:0], "width": 1}, "X: expected at least one entry"),
        ({"X": X + 1j, "width": 1}, "X: expected real numbers"),
        ({"X": [[1, 2], [3]], "width": 1}, "X: expected a rectangular array"),
        ({"Y": np.ones((3, 2, 1)), "width": 1}, "Y: expected 1 or 2 dimension"),
        ({"Y": [1.0, np.nan, 0.0], "width": 1}, "Y: expected finite numbers"),
        ({"Y": ["a", "b", "c"], "width": 1}, "Y: expected real numbers"),
        ({"width": 1, "weights": [1, 2]}, "weights: expected 3 numbers >= 0"),
        ({"width": 1, "weights": [1, -1, 1]}, "weights: expected 3 numbers >= 0"),
    ],
)
def test_bad_data(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        TwoLayerLinear(**({"X": X, "Y": y} | arguments))
    assert "\n" not in str(caught.value)


THETA = np.ones(4)
RUNS = np.ones((5, 4))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda p: p.loss(np.ones(5)), r"theta: expected shape \(..., 4\), got \(5,\)"),
        (lambda p: p.loss(1.0), "theta: expected shape"),
        (lambda p: p.hvp(THETA, np.ones(3)), r"v: expected shape \(..., 4\), got \(3,\)"),
        (lambda p: p.jvp(THETA, 1.0), "v: expected shape"),
        (lambda p: p.gradient(THETA, rows=[3]), "rows: expected indices from 0 to 2"),
        (lambda p: p.gradient(THETA, rows=[-1]), "rows: expected indices from 0 to 2"),
        (lambda p: p.gradient(THETA, rows=np.zeros(0, int)), "rows: expected a non-empty array"),
        (lambda p: p.gradient(THETA, rows=1), "rows: expected a non-empty array"),
        (lambda p: p.gradient(THETA, rows=[0.0]), "rows: expected integer sample indices"),
        (lambda p: p.gradient(THETA, rows=[True, False, True]), "rows: expected integer sample indices"),
        (lambda p: p.gradient(THETA, rows=np.zeros((5, 2), int)), r"rows: expected shape \(B,\), got"),
        (lambda p: p.gradient(RUNS, rows=np.zeros((4, 2), int)), r"rows: expected shape \(B,\) or \(5, B\)"),
        (lambda p: p.gradient(THETA, targets=Y[:, :1]), r"targets: expected shape \(3,.*got \(3, 1\)"),
        (lambda p: p.gradient(RUNS, targets=y[:, None]), r"targets: expected shape \(5, 3,.*got \(3, 1\)"),
        (lambda p: p.gradient(THETA, targets=Y), "targets: expected shape"),
        (lambda p: p.gradient(THETA, targets=np.ones((2, 3))), "targets: expected shape"),
        (lambda p: p.gradient(RUNS, targets=np.ones((2, 3))), "targets: expected shape"),
        (lambda p: p.gradient(THETA, rows=[0, 1], targets=y), "targets: expected shape"),
        (lambda p: p.gradient(THETA, targets=[1.0, np.inf, 0.0]), "targets: expected finite"),
        (lambda p: p.gradient(THETA, targets=["a", "b", "c"]), "targets: expected numbers"),
        (lambda p: p.gradient(THETA, targets=1.0), "targets: expected shape"),
        (lambda p: p.vjp(THETA, y[:, None]), "cotangent: expected shape"),
        (lambda p: p.vjp(THETA, np.ones(2)), "cotangent: expected shape"),
        (lambda p: p.pack(np.ones((1, 2))), "pack: expected 2 blocks"),
        (lambda p: p.observable("los"), "unknown 'los'; did you mean"),
        (lambda p: p.aligned([1.0, 1.0], [1.0, 1.0]), "a, b: expected up to 1 modes"),
        (lambda p: p.gauge(np.ones(8), np.eye(2)), "theta: expected shape"),
        (lambda p: p.global_minimum(lam=np.nan), "lam: expected finite"),
        (lambda p: p.balanced(np.ones((3, 1))), r"W: expected shape \(..., 1, 3\), got \(3, 1\)"),
    ],
)
def test_bad_questions(call, message):
    problem = TwoLayerLinear(np.ones((3, 3)), y, width=1)
    with pytest.raises(InputError, match=message) as caught:
        call(problem)
    assert "\n" not in str(caught.value)
