"""Jets: ring axioms, Leibniz and chain rules, nesting, elementary functions."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toymodels.arithmetic import concatenate, dot, elementary, frobenius, identity_like, mT, outer, trace
from toymodels.arithmetic.jets import Jet, complex_step, derivative, mixed_derivative
from toymodels.arithmetic.systems import digits
from toymodels.errors import LeftArithmetic

rationals = st.builds(Fraction, st.integers(-9, 9), st.integers(1, 4))


@st.composite
def jets(draw, order):
    return Jet(*(draw(rationals) for _ in range(order + 1)))


@st.composite
def nested(draw, order):
    return Jet(*(draw(jets(order)) for _ in range(order + 1)))


def numbers(x):
    """Return every rational inside a jet, nested or not; a constant has no derivatives."""
    return [y for part in x.parts for y in numbers(part)] if isinstance(x, Jet) else [x]


def same(x, y):
    return numbers(x) == numbers(y)


kinds = pytest.mark.parametrize(
    "kind", [jets(1), jets(2), nested(1), nested(2)], ids=["1", "2", "1 of 1", "2 of 2"]
)


@kinds
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_ring_axioms(kind, data):
    x, y, z = (data.draw(kind) for _ in range(3))
    assert same(x + y, y + x)
    assert same(x * y, y * x)
    assert same((x + y) + z, x + (y + z))
    assert same((x * y) * z, x * (y * z))
    assert same(x * (y + z), x * y + x * z)
    assert same(x - y, -(y - x))
    assert same(x * 1, x) and same(x + 0, x) and set(numbers(x - x)) == {0}
    assert same(x**3, x * x * x)


@kinds
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_division_undoes_multiplication(kind, data):
    x, y = data.draw(kind), data.draw(kind)
    assume(numbers(y)[0] != 0)
    assert same(x / y * y, x)
    assert same((1 / y) * y, y / y)
    assert numbers(y / y) == [1] + [0] * (len(numbers(y)) - 1)
    assert same(y**-2 * y * y, y / y)
    assert same(x / 3 * 3, x)


@given(st.data())
def test_leibniz(data):
    """(xy)'' = x''y + 2x'y' + xy'', and the first order is the second cut short."""
    x, y = data.draw(jets(2)), data.draw(jets(2))
    product = x * y
    assert product.first == x.first * y.value + x.value * y.first
    assert product.second == x.second * y.value + 2 * x.first * y.first + x.value * y.second
    low = Jet(*x.parts[:2]) * Jet(*y.parts[:2])
    assert low.parts == product.parts[:2]
    assert (Jet(*x.parts[:2]) * y).parts == product.parts[:2]


@given(rationals, rationals, rationals, rationals)
def test_polynomials_have_the_derivatives_of_their_coefficients(a, b, c, x):
    polynomial = lambda x: a + b * x + c * x * x * x
    assert derivative(polynomial, [x], [1]) == b + 3 * c * x * x
    assert derivative(polynomial, [x], [1], order=2) == 6 * c * x
    assert derivative(lambda x: a, [x], [Fraction(1)]) == 0


@given(st.lists(rationals, min_size=4, max_size=4), st.lists(rationals, min_size=8, max_size=8))
def test_mixed_derivatives_polarise_the_second(point, directions):
    """4 D²f[u, v] = D²f[u+v, u+v] - D²f[u-v, u-v]."""
    f = lambda x, y, z, w: x * y * z + x * x * w - y * w * w * w
    u, v = directions[:4], directions[4:]
    plus, minus = ([s + sign * t for s, t in zip(u, v, strict=True)] for sign in (1, -1))
    second = lambda d: derivative(f, point, d, order=2)
    assert 4 * mixed_derivative(f, point, u, v) == second(plus) - second(minus)
    assert mixed_derivative(f, point, u, v) == mixed_derivative(f, point, v, u)


@st.composite
def matrices(draw, rows, cols):
    entries = draw(st.lists(rationals, min_size=rows * cols, max_size=rows * cols))
    return np.array([*entries, None], dtype=object)[:-1].reshape(rows, cols)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_array_operations_are_those_of_polynomials_in_the_step(data, n, k, m):
    """A jet along a line carries the first two coefficients of the operation on that line."""
    (A, dA), (B, dB), (C, dC) = (
        [data.draw(matrices(*shape)) for _ in range(2)] for shape in ((n, k), (k, m), (n, k))
    )
    operations = [
        lambda A, B, C: A @ B,
        lambda A, B, C: mT(A @ B),
        lambda A, B, C: frobenius(A, C),
        lambda A, B, C: dot(A, C),
        lambda A, B, C: trace(A @ mT(C)),
        lambda A, B, C: outer(A[0], B[:, 0])[..., 0, :],
        lambda A, B, C: concatenate([A, C], -1),
        lambda A, B, C: np.stack([A, C]),
        lambda A, B, C: np.einsum("nk,km,nk->m", A, B, C),
        lambda A, B, C: A.sum(0) + C.sum((-1, -2)),
        lambda A, B, C: A @ identity_like(A) + 2 * C.swapaxes(-1, -2).reshape(k * n).reshape(n, k),
        lambda A, B, C: np.kron(A, B),
        lambda A, B, C: np.diff(np.concatenate([A, C], -1), axis=-1),
    ]
    for f in operations:
        values = [f(A + s * dA, B + s * dB, C + s * dC) for s in range(-2, 3)]
        jet = f(*(Jet(x, v, v * 0) for x, v in ((A, dA), (B, dB), (C, dC))))
        # a polynomial of degree at most four is its own five-point difference
        b, c, _, d, e = (values[i] for i in (1, 0, 2, 3, 4))
        assert np.all(jet.value == values[2])
        assert np.all(12 * jet.first == 8 * (d - b) - (e - c))
        assert np.all(12 * jet.second == 16 * (d + b) - (e + c) - 30 * values[2])


@given(st.integers(1, 3), st.integers(1, 3))
def test_broadcasting_a_constant_widens_the_derivatives(n, m):
    x = Jet(np.ones(m), np.ones(m), np.ones(m))
    for wide in (x + np.zeros((n, m)), np.zeros((n, m)) + x, x * np.ones((n, m)), x / np.ones((n, m))):
        assert [part.shape for part in wide.parts] == [(n, m)] * 3


NAMES = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "sinh",
    "cosh",
    "tanh",
    "sin",
    "cos",
    "atan",
    "asinh",
    "atanh",
]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8, deadline=None)
@given(x=st.integers(10, 90), tangent=rationals, bend=rationals)
def test_elementary_functions_against_numerical_differentiation(name, x, tangent, bend):
    """The chain rule with mpmath's numerical derivatives of the function."""
    jet = getattr(elementary, name)(Jet(*(digits().make(y) for y in (Fraction(x, 100), tangent, bend))))
    with mpmath.workdps(60):
        point, t, b = mpmath.mpf(x) / 100, *(mpmath.mpf(y.numerator) / y.denominator for y in (tangent, bend))
        value, slope, curvature = (mpmath.diff(getattr(mpmath, name), point, order) for order in range(3))
        expected = [value, slope * t, curvature * t * t + slope * b]
        for part, number in zip(jet.parts, expected, strict=True):
            assert abs(part - number) <= mpmath.mpf(10) ** -40 * (1 + abs(number))


@pytest.mark.parametrize("name", NAMES)
def test_elementary_functions_of_nested_jets(name):
    """The second derivative by nesting is that of a jet of order two."""
    x, one = digits().make(Fraction(3, 7)), digits().make(Fraction(1))
    inner = Jet(Jet(x, one), Jet(one, 0 * one))
    nested_once = getattr(elementary, name)(inner).first.first
    assert abs(nested_once - getattr(elementary, name)(Jet(x, one, 0 * one)).second) < 1e-50


@pytest.mark.parametrize("name", NAMES)
@given(st.floats(0.01, 0.99))
def test_complex_steps(name, x):
    """Without cancellation: the relative error is that of the function itself."""
    f = lambda x: getattr(elementary, name)(x * x)
    exact = derivative(f, [x], [1.0])
    assert complex_step(f, [x], [1.0]) == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize(
    "out",
    [
        lambda x: x > 0,
        lambda x: x >= 0,
        lambda x: x == 0,
        lambda x: x != x,
        bool,
        lambda x: x**0.5,
        lambda x: [] in [x],
    ],
)
def test_jets_do_not_compare(out):
    with pytest.raises(LeftArithmetic):
        out(Jet(Fraction(1), Fraction(1)))


@pytest.mark.parametrize("out", [lambda x: np.maximum(x, 0), np.sign, np.round, np.exp, abs, float])
def test_jets_leave_numpy_alone(out):
    with pytest.raises(TypeError):
        out(Jet(np.ones(2), np.ones(2)))
