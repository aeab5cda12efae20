"""Derivatives of expressions by jets, against central differences in Fractions and against each other."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import LETTERS, MATRICES, A, C, D, S, drawn_values, m, matrices, scalars, u, v, x, y

from toymodels.arithmetic import systems
from toymodels.derive import Derivation, ShapeError, dot, norm, quad, trace
from toymodels.derive.evaluate import Evaluator
from toymodels.errors import InputError

SEEDS = st.integers(0, 10**6)
LETTER = st.sampled_from(LETTERS)
COLUMN = st.sampled_from([u, v])
STEP = Fraction(1, 10**12)


def evaluator(values, sizes, **laws):
    return Evaluator({**values, **sizes}, systems.FRACTIONS, **laws)


def compute_along(tree, values, sizes, direction, s):
    moved = {
        letter: value + s * direction[letter] if letter in direction else value
        for letter, value in values.items()
    }
    return np.asarray(tree.compute(moved, sizes))


def central(tree, values, sizes, direction, order=1):
    """First or second derivative along a direction, by central differences."""
    ahead, behind = (compute_along(tree, values, sizes, direction, s) for s in (STEP, -STEP))
    if order == 1:
        return (ahead - behind) / (2 * STEP)
    return (ahead - 2 * compute_along(tree, values, sizes, direction, 0) + behind) / STEP**2


def close(exact, numeric):
    """A central difference is off by the square of the step, times derivatives of higher order."""
    pairs = zip(*(entries.flat for entries in np.broadcast_arrays(exact, numeric)), strict=True)
    return all(abs(float(a - b)) <= 1e-12 * (1 + abs(float(a))) for a, b in pairs)


@settings(max_examples=80)
@given(
    st.one_of(matrices(depth=2), scalars(depth=3)),
    SEEDS,
    SEEDS,
    st.sets(LETTER, min_size=1),
    st.sampled_from([1, 2]),
)
def test_along_is_the_directional_derivative(tree, seed, way, moving, order):
    values, sizes = drawn_values(seed)
    drawn, _ = drawn_values(way)
    directions = {letter: resized(drawn[letter], values[letter]) for letter in moving}
    letters = {letter: named_like(letter) for letter in moving}
    run = evaluator({**values, **{letters[k]: value for k, value in directions.items()}}, sizes).run
    found = run(D.along(tree.expression, letters, order))
    assert close(found, central(tree, values, sizes, directions, order))


def named_like(letter):
    """A letter of the same kind and shape for the direction."""
    from toymodels.derive.expressions import MatrixLetter

    if isinstance(letter, sp.Symbol):
        return sp.Symbol(f"d{letter}", real=True)
    return MatrixLetter(f"d{letter}", *letter.shape)


def resized(value, like):
    """The numbers of a value, repeated in another shape."""
    if not isinstance(like, np.ndarray):
        return value
    return np.resize(value, like.shape) if value.size else like


@settings(max_examples=60)
@given(scalars(depth=3), LETTER, SEEDS)
def test_the_gradient_gives_the_slope_along_every_direction(tree, letter, seed):
    values, sizes = drawn_values(seed)
    direction = named_like(letter)
    run = evaluator({**values, direction: values[letter] * 2 + 1}, sizes).run
    slope = run(D.along(tree.expression, {letter: direction}))
    gradient = D.gradient(tree.expression, letter)
    paired = dot(gradient, direction) if letter in MATRICES else gradient * direction
    assert run(paired) == slope


@settings(max_examples=30)
@given(scalars(depth=2), COLUMN, SEEDS)
def test_the_hessian_is_the_second_derivative_along_every_direction(tree, letter, seed):
    values, sizes = drawn_values(seed)
    direction = named_like(letter)
    run = evaluator({**values, direction: values[letter] - 3}, sizes).run
    hessian = D.hessian(tree.expression, letter)
    assert run(quad(hessian, direction)) == run(D.along(tree.expression, {letter: direction}, 2))
    assert np.all(run(hessian) == run(hessian).T)


@settings(max_examples=30)
@given(st.data(), COLUMN, SEEDS)
def test_the_jacobian_is_the_derivative_along_every_direction(data, letter, seed):
    tree = data.draw(matrices(shape=data.draw(st.sampled_from([u.shape, v.shape])), depth=2))
    values, sizes = drawn_values(seed)
    direction = named_like(letter)
    run = evaluator({**values, direction: values[letter] * 2 - 1}, sizes).run
    assert np.all(
        run(D.jacobian(tree.expression, letter) * direction)
        == run(D.along(tree.expression, {letter: direction}))
    )


FLOW = {A: C * A - A * A.T * A, x: x * y, v: S * v, C: C.T, y: -x}
STEPS = {A: A - C * A, x: y - x, v: S * v + v, C: C + x * C.T, y: x * y}


@settings(max_examples=40)
@given(scalars(depth=2), SEEDS)
def test_dt_follows_the_flow_once_and_twice(tree, seed):
    values, sizes = drawn_values(seed)
    still = frozenset(LETTERS) - set(FLOW)
    run = evaluator(values, sizes, flow=FLOW, constants=still).run

    def slope(at):
        law = evaluator(at, sizes).run
        return central(tree, at, sizes, {letter: law(speed) for letter, speed in FLOW.items()})

    assert close(run(D.dt(tree.expression)), slope(values))
    way = {letter: run(speed) for letter, speed in FLOW.items()}
    moved = [{k: z + s * way[k] if k in way else z for k, z in values.items()} for s in (STEP, -STEP)]
    assert close(run(D.dt(D.dt(tree.expression))), (slope(moved[0]) - slope(moved[1])) / (2 * STEP))


@settings(max_examples=30)
@given(scalars(depth=2), SEEDS)
def test_steps_compose(tree, seed):
    values, sizes = drawn_values(seed)
    laws = dict(steps=STEPS, constants=frozenset(LETTERS) - set(STEPS))
    run = evaluator(values, sizes, **laws).run
    once = {**values, **{letter: run(law) for letter, law in STEPS.items()}}
    twice = {**once, **{letter: evaluator(once, sizes, **laws).run(law) for letter, law in STEPS.items()}}
    assert run(D.next(tree.expression)) == tree.compute(once, sizes)
    assert run(D.next(D.next(tree.expression))) == tree.compute(twice, sizes)


@settings(max_examples=30)
@given(scalars(depth=2), SEEDS)
def test_derivatives_of_derivatives_commute(tree, seed):
    values, sizes = drawn_values(seed)
    run = evaluator(values, sizes).run
    f = tree.expression
    assert run(D.gradient(D.gradient(f, x), y)) == run(D.gradient(D.gradient(f, y), x))
    assert np.all(run(D.gradient(D.gradient(f, x), A)) == run(D.along(D.gradient(f, A), {x: sp.Integer(1)})))


def test_a_gradient_sees_the_flow_through_its_letters():
    """The speed of x is y, so its derivative by y is one although y is no letter of x."""
    E = Derivation("a turning flow")
    p, q = E.scalars("p q")
    E.flow({p: q, q: -p})
    E.step(E.gradient(E.dt(p), q), "=", 1)
    E.step(E.gradient(E.dt(p * q), p), "=", -2 * p)
    assert E.check("quick").ok


def test_second_derivatives_are_proved_at_every_size():
    E = Derivation("second derivatives")
    n, k = E.sizes("n k")
    W, V, H = E.matrix("W", n, k), E.matrix("V", n, k), E.matrix("H", n, n, "symmetric")
    f = norm(W) ** 4 / 4 + trace(W.T * H * W) / 2
    E.step(E.along(E.gradient(f, W), {W: V}), "=", norm(W) ** 2 * V + 2 * dot(W, V) * W + H * V)
    E.step(E.gradient(dot(E.gradient(f, W), V), W), "=", norm(W) ** 2 * V + 2 * dot(W, V) * W + H * V)
    assert [finding.verdict.evidence.name for finding in E.check("quick").findings] == ["proved", "proved"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: D.gradient(A, A), "expected a scalar"),
        (lambda: D.gradient(x, x + y), "expected a letter"),
        (lambda: D.hessian(x, A), "column vector"),
        (lambda: D.jacobian(x, v), "column vector"),
        (lambda: D.jacobian(v, A), "column vector"),
        (lambda: D.along(x, {A: C}), r"A has shape \(m, d\), C has \(m, m\)"),
        (lambda: D.along(x, {A: x}), "A is a matrix, x is a scalar"),
        (lambda: D.along(x, {x: A}), "x is a scalar, A is a matrix"),
        (lambda: D.along(x, {A: A}, 3), "order: expected 1 or 2"),
        (lambda: D.integral(x, A, 0, 1), "expected a scalar letter"),
        (lambda: D.expectation(x), "at least one letter"),
        (lambda: D.expectation(x, x, law="cauchy"), "law: expected"),
    ],
)
def test_wrong_derivatives_are_said(wrong, said):
    with pytest.raises((InputError, ShapeError), match=said):
        wrong()


def test_shapes_of_derivatives():
    assert D.gradient(quad(S, v), A).shape == A.shape and D.hessian(dot(v, v), v).shape == S.shape
    assert D.jacobian(A * v, v).shape == A.shape and D.dt(A).shape == A.shape and D.next(u).shape == (m, 1)
