"""Words: relations, traces, and soundness at random rational matrices that satisfy the relations."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from word_values import value

from toymodels.arithmetic import concatenate, frobenius, identity_like, mT, trace
from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.elimination import inverse
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.words import gradient_from_slope, identity, letter
from toymodels.errors import LeftArithmetic

A, B = letter("A", "m", "d"), letter("B", "d", "m")
C, E = letter("C", "m", "m"), letter("E", "m", "m")
S, P = letter("S", "m", "m", "symmetric"), letter("P", "m", "m", "projector")
O, T = letter("O", "m", "m", "orthogonal"), letter("T", "m", "m", "invertible")
F = letter("F", "m", "d", "frame")
u, v = letter("u", "m", 1), letter("v", "m", 1)


def equal(x, y):
    return (x - y).is_zero()


def test_transposes():
    assert equal((A @ B).mT, B.mT @ A.mT)
    assert equal(S.mT, S) and equal(P.mT, P) and not equal(C.mT, C)
    assert equal((S @ C @ S).mT, S @ C.mT @ S)
    assert equal(T.inverse.mT, (T.mT).inverse)


def test_traces_rotate_and_reverse():
    assert trace(A @ B) == trace(B @ A) == trace(mT(A) @ mT(B))
    assert trace(C @ E @ S) == trace(S @ mT(E) @ mT(C)) == trace(E @ S @ C)
    assert trace(C @ E @ S) != trace(E @ C @ S)
    assert trace(C @ C @ E @ E) != trace(C @ E @ C @ E)
    assert frobenius(C, E) == trace(mT(C) @ E)


def test_relations():
    one = identity("m")
    assert equal(O @ mT(O), one) and equal(mT(O) @ O, one) and equal(O.inverse, mT(O))
    assert equal(T @ T.inverse, one) and equal(T.inverse @ T, one) and equal((T @ O).inverse @ T, mT(O))
    assert equal(P @ P, P) and equal((one - P) @ P, 0 * P)
    assert equal(mT(F) @ F, identity("d")) and not equal(F @ mT(F), one)
    assert equal(C @ T @ O @ mT(O) @ T.inverse @ E, C @ E)


def test_definite_letters_are_symmetric_and_invertible():
    H = letter("H", "m", "m", "definite")
    one = identity("m")
    assert equal(mT(H), H) and equal(H @ H.inverse, one) and equal(mT(H.inverse), H.inverse)
    assert equal((H @ T).inverse, T.inverse @ H.inverse) and trace(H.inverse @ C @ H) == trace(C)
    assert equal(mT(u) @ H @ v, mT(v) @ H @ u) and not equal(H @ H, one) and not equal(H @ C, C @ H)
    with pytest.raises(LeftArithmetic):
        letter("H", "m", "d", "definite")


def test_traces_of_cancelled_words_have_the_size_that_is_left():
    m, d = Scalar.size("m"), Scalar.size("d")
    assert trace(identity("m")) == trace(O @ mT(O)) == m
    assert trace(mT(F) @ F) == trace(F @ mT(F)) == d
    assert trace(C @ F @ mT(F) @ T @ T.inverse) == trace(mT(F) @ C @ F)
    assert trace(T @ F @ mT(F) @ T.inverse) == d
    assert trace(O @ P @ mT(O)) == trace(P) and trace(P @ C @ P) == trace(C @ P)


def test_pieces_of_size_one_are_scalars():
    inner = trace(mT(u) @ v)
    assert equal(u @ (mT(u) @ v) @ mT(v), inner * (u @ mT(v)))
    assert equal(mT(u) @ v, mT(v) @ u)
    assert trace(u @ mT(v) @ C @ u @ mT(v)) == inner * trace(mT(v) @ C @ u)
    x, y = letter("x", 1, 1), letter("y", 1, 1)
    assert equal(x @ y, y @ x) and equal(mT(x), x)
    assert identity(1).trace() == 1


def test_shapes_are_checked():
    for wrong in (lambda: A @ C, lambda: A + C, lambda: A.trace(), lambda: A * C, lambda: A * A + C * C):
        with pytest.raises(LeftArithmetic):
            wrong()
    for kind in ("symmetric", "orthogonal", "invertible", "projector"):
        with pytest.raises(LeftArithmetic):
            letter("Z", "m", "d", kind)
    with pytest.raises(LeftArithmetic):
        letter("Z", "m", "m", "unitary")


@pytest.mark.parametrize(
    "out",
    [
        lambda: A * 0.5, lambda: 0.5 * A, lambda: A / 2.0, lambda: A + 1, lambda: 1 - A,
        lambda: A * np.ones((2, 2)), lambda: A @ np.ones((1, 1)), lambda: np.ones((1, 1), dtype=int) @ A,
        lambda: A @ np.eye(3, dtype=int), lambda: A[0], lambda: A.sum(), lambda: (A * A).sum(-1),
        lambda: C.inverse, lambda: (T + O).inverse, lambda: Scalar.variable("a") * 0.5,
        lambda: Scalar.variable("a") ** 0.5, lambda: bool(Scalar.variable("a")),
        lambda: Scalar.variable("a") > 0, lambda: np.maximum(np.array([Scalar.variable("a")]), 0),
        lambda: np.where(np.array([Scalar.variable("a")]) > 0, 1, 0),
    ],
)  # fmt: skip
def test_ways_out_of_words(out):
    with pytest.raises(LeftArithmetic):
        out()


@pytest.mark.parametrize(
    "out", [lambda: concatenate([A, A], 0), lambda: np.exp(A), lambda: A**2, lambda: abs(A)]
)
def test_numpy_does_not_take_words(out):
    with pytest.raises((LeftArithmetic, TypeError)):
        out()


def test_jets_of_words_differentiate():
    loss = lambda X: frobenius(X @ X, X @ X)
    slope = loss(Jet(C, E)).first
    gradient = 2 * (mT(C) @ (C @ C) + (C @ C) @ mT(C))
    assert slope == frobenius(gradient, E)


def slope_of(function, X, V):
    return function(Jet(X, V)).first


V, W = letter("V", "m", "d"), letter("W", "m", "m")


@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (lambda X: trace(mT(A) @ X), A),
        (lambda X: trace(B @ X), mT(B)),
        (lambda X: frobenius(X, X), 2 * A),
        (lambda X: trace(mT(X) @ S @ X) / 2, S @ A),
        (lambda X: trace(mT(X) @ C @ X), (C + mT(C)) @ A),
        (lambda X: frobenius(X, X) ** 2, 4 * trace(mT(A) @ A) * A),
        (lambda X: trace(mT(X) @ X @ mT(X) @ X), 4 * (A @ mT(A) @ A)),
        (lambda X: 1 / frobenius(X, X), -2 * A * (1 / trace(mT(A) @ A)) ** 2),
        (lambda X: trace(X @ B @ X @ B), 2 * mT(B @ A @ B)),
        (lambda X: trace(S @ X @ mT(X)) * trace(B @ X),
         trace(S @ A @ mT(A)) * mT(B) + trace(B @ A) * 2 * S @ A),
    ],
)  # fmt: skip
def test_the_gradient_is_taken_out_of_the_slope(function, gradient):
    """For every X the slope along V is <gradient, V>, at every size."""
    slope = slope_of(function, A, V)
    found = gradient_from_slope(slope, V)
    assert equal(found, gradient) and frobenius(found, V) == slope


def test_the_gradient_by_an_inverse_a_square_and_a_column():
    assert equal(
        gradient_from_slope(slope_of(lambda X: trace(E @ inverse(X)), T, W), W),
        -mT(T.inverse @ E @ T.inverse),
    )
    w = letter("w", "m", 1)
    assert equal(gradient_from_slope(slope_of(lambda x: (mT(x) @ C @ x).trace(), u, w), w), (C + mT(C)) @ u)
    zero = gradient_from_slope(slope_of(lambda x: trace(C) + 0 * frobenius(x, x), u, w), w)
    assert zero.is_zero() and (zero.rows, zero.cols) == ("m", 1)


def test_a_slope_that_is_not_linear_in_its_direction_is_refused():
    for slope in (trace(mT(V) @ V), trace(mT(A) @ V) ** 2, 1 / trace(mT(A) @ V), trace(C)):
        with pytest.raises(LeftArithmetic, match="not linear"):
            gradient_from_slope(slope, V)


# --- soundness: random expressions at random rational matrices -------------------------------


def reflection(rng, n):
    v = np.array([[Fraction(int(k))] for k in rng.integers(-3, 4, n)], dtype=object)
    v[0, 0] += 7
    eye = np.eye(n, dtype=int) * Fraction(1)
    return eye - (v @ v.T) * (2 / (v * v).sum())


def rational_matrix(rng, n, m):
    return np.frompyfunc(lambda p, q: Fraction(int(p), int(q)), 2, 1)(
        rng.integers(-4, 5, (n, m)), rng.integers(1, 4, (n, m))
    )


def matrices_of(rng, m, d):
    """Return one matrix per letter, each satisfying the relations of its kind."""
    half = rational_matrix(rng, m, m)
    turned = reflection(rng, m) @ reflection(rng, m)
    rank = int(rng.integers(0, m + 1))
    picked = np.diag([1] * rank + [0] * (m - rank)) * Fraction(1)
    lower = np.tril(rational_matrix(rng, m, m), -1) + np.eye(m, dtype=int)
    return {
        "A": rational_matrix(rng, m, d), "B": rational_matrix(rng, d, m), "C": half,
        "E": rational_matrix(rng, m, m), "S": half + half.T, "O": reflection(rng, m),
        "P": turned @ picked @ turned.T, "T": lower @ lower.T, "F": reflection(rng, m)[:, :d],
        "u": rational_matrix(rng, m, 1), "v": rational_matrix(rng, m, 1), "H": lower.T @ lower,
    }  # fmt: skip


H = letter("H", "m", "m", "definite")
SQUARE = [C, E, S, O, T, P, T.inverse, A @ B, F @ mT(F), A @ mT(F), u @ mT(v), u @ mT(u), H, H.inverse]


def numeric_leaves(matrices):
    """The same leaves, computed from the matrices alone."""
    M = matrices
    inverse = np.array(_inverse_of(M["T"]), dtype=object)
    return [
        M["C"], M["E"], M["S"], M["O"], M["T"], M["P"], inverse, M["A"] @ M["B"], M["F"] @ M["F"].T,
        M["A"] @ M["F"].T, M["u"] @ M["v"].T, M["u"] @ M["u"].T, M["H"],
        np.array(_inverse_of(M["H"]), dtype=object),
    ]  # fmt: skip


def _inverse_of(matrix):
    import sympy

    inverse = sympy.Matrix(
        matrix.shape[0], matrix.shape[1], lambda i, j: sympy.Rational(*_ratio(matrix[i, j]))
    ).inv()
    return [
        [Fraction(int(inverse[i, j].p), int(inverse[i, j].q)) for j in range(matrix.shape[1])]
        for i in range(len(matrix))
    ]


def _ratio(x):
    return Fraction(x).as_integer_ratio()


@st.composite
def recipes(draw, depth=3):
    """A recipe of square products and sums, run on words and on matrices alike."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.integers(0, len(SQUARE) - 1))
    kind = draw(st.sampled_from(["@", "@", "@", "+", "-", "mT", "tr"]))
    return (kind, draw(recipes(depth - 1)), draw(recipes(depth - 1)))


def cook(recipe, leaves):
    if isinstance(recipe, int):
        return leaves[recipe]
    kind, left, right = recipe
    x, y = cook(left, leaves), cook(right, leaves)
    if kind == "@":
        return x @ y
    if kind == "mT":
        return mT(x)
    if kind == "tr":
        return trace(x) * y
    return x + y if kind == "+" else x - y


@settings(max_examples=80, deadline=None)
@given(recipes(), st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 3))
def test_words_are_the_matrices_that_they_name(recipe, seed, m, d):
    """At every size, a word expression and its trace take the value of the matrices themselves."""
    assume(d <= m)
    matrices = matrices_of(np.random.default_rng(seed), m, d)
    symbolic, numeric = cook(recipe, SQUARE), cook(recipe, numeric_leaves(matrices))
    sizes = {"m": m, "d": d}
    assert np.all(value(symbolic, matrices, sizes) == numeric)
    assert value(trace(symbolic), matrices, sizes) == np.trace(numeric)
    assert value(frobenius(symbolic, C), matrices, sizes) == (numeric * matrices["C"]).sum()


@settings(max_examples=60, deadline=None)
@given(recipes(2), recipes(2), st.integers(0, 2**32))
def test_what_words_call_equal_is_equal(first, second, seed):
    """A commutator under the trace, a transpose, and whatever else two recipes happen to agree on."""
    x, y = cook(first, SQUARE), cook(second, SQUARE)
    assert trace(x @ y) == trace(y @ x) == trace(mT(y) @ mT(x))
    assert equal(mT(x @ y), mT(y) @ mT(x))
    if equal(x, y):
        leaves = numeric_leaves(matrices_of(np.random.default_rng(seed), 3, 2))
        assert np.all(cook(first, leaves) == cook(second, leaves))


def test_the_identity_keeps_its_size():
    assert equal(A @ identity_like(A), A) and equal(identity("m") @ A, A)
    with pytest.raises(LeftArithmetic):
        A @ identity("m")
