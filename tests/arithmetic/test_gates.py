from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.arithmetic import Undecided, gates, systems
from toymodels.arithmetic.degrees import Degree
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured
from toymodels.arithmetic.words import letter
from toymodels.errors import LeftArithmetic

NUMBERS = st.lists(st.fractions(-3, 3, max_denominator=8), min_size=1, max_size=6)


def ordered_systems():
    found = [systems.FLOATS, systems.FRACTIONS, systems.MEASURED, systems.digits()]
    return [
        *found,
        *(pytest.param(s, marks=pytest.mark.rigor) for s in (systems.fmpq(), systems.balls()) if s),
    ]


@pytest.mark.parametrize("system", ordered_systems(), ids=lambda s: s.name)
@given(numbers=NUMBERS)
def test_gates_are_the_signs_wherever_numbers_are_ordered(system, numbers):
    expected = [int(x > 0) for x in numbers]
    z = system.make(np.array(numbers, dtype=object))
    np.testing.assert_array_equal(gates(z), expected)
    np.testing.assert_array_equal(gates(Jet(z, z)), expected)


def test_a_straddling_measurement_is_undecided():
    with pytest.raises(Undecided):
        gates(Measured([1.0, 0.5], [0.1, 0.6]))
    np.testing.assert_array_equal(gates(Measured([1.0, -0.5], [0.1, 0.4])), [1, 0])


@pytest.mark.rigor
def test_a_straddling_ball_is_undecided():
    flint = pytest.importorskip("flint")
    with pytest.raises(Undecided):
        gates(np.array([flint.arb(0, 1)], dtype=object))


def test_unordered_arithmetics_refuse():
    import sympy

    for z in (
        np.array([1j]),
        np.array([sympy.Symbol("z")]),
        np.array([Degree(1)], dtype=object),
        letter("W", "m", "d"),
    ):
        with pytest.raises(LeftArithmetic):
            gates(z)


def test_exact_zero_is_closed():
    assert gates(np.array([Fraction(0)], dtype=object))[0] == 0
