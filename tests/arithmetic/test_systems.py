"""Number systems: they make their own numbers, and results of another kind are refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.arithmetic import elementary, systems
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.rationals import fmpq, is_rational, require_exact, ring, to_fraction, to_ring
from toymodels.errors import LeftArithmetic

SYSTEMS = {
    s.name: s
    for s in (
        systems.FLOATS, systems.COMPLEX, systems.MEASURED, systems.FRACTIONS, systems.DEGREES,
        systems.digits(), systems.symbols(), systems.fmpq(), systems.balls(),
    )
    if s is not None
}  # fmt: skip
each = pytest.mark.parametrize("system", list(SYSTEMS.values()), ids=list(SYSTEMS))


@each
@given(st.fractions(), st.integers(0, 3), st.integers(0, 3))
def test_make_keeps_shapes_and_owns_its_numbers(system, x, n, m):
    systems.require_own(system, system.make(x))
    array = system.make(np.full((n, m), x, dtype=object))
    assert array.shape == (n, m)
    systems.require_own(system, array)
    systems.require_own(system, (array, system.make(x)))


@each
def test_make_takes_integers_floats_and_fractions_exactly(system):
    for numbers in ([1, 2], np.array([1, 2]), [1.0, 2.0], [Fraction(1), Fraction(2)]):
        made = system.make(np.array(numbers))
        if system.exact:
            assert made[0] == 1 and made[1] == 2 and made[0] + made[0] == made[1]


FOREIGN = {
    "fractions": [0.5, 1j, Jet(1, 1), np.float64(1)],
    "fmpq": [0.5, 1j, "x"],
    "degrees": [0.5, 1j],
    "symbols": [0.5, Fraction(1, 2)],
    "digits": [0.5, Fraction(1, 2)],
    "balls": [0.5, Fraction(1, 2)],
    "measured": [0.5, 1j],
    "floats": [1j, Fraction(1, 2), "x"],
}


@pytest.mark.parametrize("name", [name for name in FOREIGN if name in SYSTEMS])
def test_results_of_another_kind_are_refused(name):
    for entry in FOREIGN[name]:
        with pytest.raises(LeftArithmetic):
            systems.require_own(SYSTEMS[name], entry)
        with pytest.raises(LeftArithmetic):
            systems.require_own(SYSTEMS[name], (entry,))


def test_a_sympy_float_is_not_a_symbol():
    import sympy

    with pytest.raises(LeftArithmetic):
        systems.require_own(SYSTEMS["symbols"], 0.5 * sympy.Symbol("x"))


@pytest.mark.parametrize(
    "formula",
    [lambda x: 0.5 * x, lambda x: x**0.5, lambda x: x / 2.0, lambda x: x + 1e-12, lambda x: np.sqrt(2) * x],
)
@pytest.mark.parametrize("kind", ["fraction", "fastest"])
def test_floats_do_not_enter_exact_results(formula, kind):
    x = to_ring(np.array([1, 4]), ring(kind))
    with pytest.raises((LeftArithmetic, TypeError)):
        require_exact(formula(x))


@given(st.fractions())
def test_rationals_travel_between_rings(x):
    for kind in filter(None, (Fraction, fmpq())):
        made = to_ring(x, kind)
        assert is_rational(made) and to_fraction(made) == x
        assert to_fraction(to_ring(np.array([x, x], dtype=object), kind)[1]) == x


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_taken_at_their_binary_value(x):
    assert to_fraction(to_ring(x)) == Fraction(x)


@given(st.fractions(min_value=0))
def test_square_roots_of_squares_are_rational(x):
    assert elementary.sqrt(x * x) == x
    if fmpq() is not None:
        assert elementary.sqrt(to_ring(x * x)) == to_ring(x)


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh", "log1p", "sin"])
@pytest.mark.parametrize("number", [Fraction(2), 3, to_ring(Fraction(5))])
def test_irrational_values_leave_exact_arithmetic(name, number):
    with pytest.raises(LeftArithmetic):
        getattr(elementary, name)(number)


def test_elementary_functions_take_object_arrays():
    assert list(elementary.exp(np.array([Fraction(0), Fraction(0)]))) == [1, 1]
    with pytest.raises(LeftArithmetic):
        elementary.exp(np.array(["x"], dtype=object))
