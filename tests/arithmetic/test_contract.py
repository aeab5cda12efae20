"""Every declared formula runs in every arithmetic that its declaration promises."""

import importlib
import inspect
import pkgutil
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from word_values import value

import toymodels
from toymodels.arithmetic import systems
from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.jets import Jet, complex_step
from toymodels.arithmetic.measured import Measured
from toymodels.arithmetic.words import letter

DIGITS = systems.digits()
STEP = Fraction(1, 10**12)


def declared_formulas():
    """Return every function of the package that carries a declaration."""
    found = {}
    for info in pkgutil.walk_packages(toymodels.__path__, "toymodels."):
        if info.name.rpartition(".")[2] == "__main__":
            continue
        module = importlib.import_module(info.name)
        for name, function in vars(module).items():
            if hasattr(function, "declares") and function.__module__ == module.__name__:
                found[f"{info.name.removeprefix('toymodels.')}.{name}"] = function
    return found


FORMULAS = declared_formulas()
EXACT = {name: f for name, f in FORMULAS.items() if f.declares.kind != "analytic"}
ANALYTIC = {name: f for name, f in FORMULAS.items() if f.declares.kind == "analytic"}
WORDS = {name: f for name, f in FORMULAS.items() if f.declares.words}


def each(formulas):
    return pytest.mark.parametrize("formula", list(formulas.values()), ids=list(formulas))


def few(examples=3):
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )


class Draw:
    """Sizes and small rational inputs of a formula, from one seed."""

    def __init__(self, formula, seed, largest=4):
        self.declares = formula.declares
        self.rng = np.random.default_rng(seed)
        self.sizes = {name: int(self.rng.integers(1, largest + 1)) for name in self.declares.sizes}
        names = list(inspect.signature(formula).parameters)
        self.positive = [name in self.declares.positive for name in names]

    def _entries(self, shape, positive):
        top = self.rng.integers(1 if positive else -9, 10, size=shape)
        bottom = self.rng.integers(1, 5, size=shape)
        return np.frompyfunc(lambda p, q: Fraction(int(p), int(q)), 2, 1)(top, bottom)

    def inputs(self):
        """Return one array (or number) of Fractions per argument."""
        shapes = [tuple(size(d, self.sizes) for d in shape) for shape in self.declares.inputs]
        return [self._entries(s, p) for s, p in zip(shapes, self.positive, strict=True)]

    def directions(self):
        """Return one direction per argument."""
        self.positive = [False] * len(self.positive)
        return self.inputs()


def size(dimension, sizes):
    return int(dimension) if dimension.isdigit() else sizes[dimension]


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


def run(formula, system, inputs):
    """Run a formula on a system's numbers; the results must be the system's own."""
    results = as_tuple(formula(*(system.make(x) for x in inputs)))
    for result in results:
        systems.require_own(system, result)
    return results


def defined(formula, inputs, reference):
    """Return the results, or None where the formula is not defined, finite and real."""
    try:
        results = run(formula, reference, inputs)
    except ZeroDivisionError:
        return None
    except systems.LeftArithmetic:
        if reference is systems.FRACTIONS:
            raise
        return None  # in digits: a root or logarithm of a negative number is complex
    finite = systems.digits_context().isfinite
    return results if reference is systems.FRACTIONS or all(map(finite, entries(results))) else None


def accepted(formula, seed, largest=4, reference=systems.FRACTIONS, count=1):
    """Return a draw, `count` inputs of its sizes where the formula is defined, and the last value there."""
    draw, members = Draw(formula, seed, largest), []
    for _ in range(200):
        inputs = draw.inputs()
        results = defined(formula, inputs, reference)
        if results is not None:
            members.append(inputs)
        if len(members) == count:
            return draw, inputs if count == 1 else members, results
    raise AssertionError("no draw lies in the domain of the formula")


def reference_of(formula):
    return systems.FRACTIONS if formula.declares.kind != "analytic" else DIGITS


def entries(result):
    return systems.entries(result)


def as_fraction(x):
    """Return an exact number, float or mpmath number as a Fraction, exactly."""
    if isinstance(x, (float, np.floating)):
        return Fraction(float(x))
    if hasattr(x, "_mpf_"):
        sign, mantissa, exponent, _ = x._mpf_
        return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return Fraction(int(x.numerator), int(x.denominator))


def equal_shapes(formula, draw, results):
    known = dict(draw.sizes)
    assert len(results) == len(formula.declares.outputs)
    for result, shape in zip(results, formula.declares.outputs, strict=True):
        actual = result.shape if hasattr(result, "shape") else np.shape(result)
        assert len(actual) == len(shape)
        for length, dimension in zip(actual, shape, strict=True):
            expected = int(dimension) if dimension.isdigit() else known.setdefault(dimension, length)
            assert length == expected


def within(value, exact, bound):
    """Whether a float lies within its bound of the exact number, decided exactly."""
    return np.isfinite(bound) and abs(as_fraction(value) - as_fraction(exact)) <= Fraction(float(bound))


def test_there_are_formulas_of_every_kind():
    assert {f.declares.kind for f in FORMULAS.values()} == {"polynomial", "rational", "analytic"}
    assert len(WORDS) > 5


@each(FORMULAS)
def test_a_declaration_names_every_argument(formula):
    parameters = list(inspect.signature(formula).parameters)
    assert len(formula.declares.inputs) == len(parameters)
    assert set(formula.declares.positive) <= set(parameters)


@each(FORMULAS)
@few()
@given(seed=st.integers(0, 2**32))
def test_shapes_floats_complex_and_measured(formula, seed):
    draw, inputs, exact = accepted(formula, seed, reference=reference_of(formula))
    equal_shapes(formula, draw, exact)
    budget = run(formula, systems.MEASURED, inputs)
    floats = run(formula, systems.FLOATS, inputs)
    numbers = run(formula, systems.COMPLEX, inputs)
    for results in (budget, floats, numbers):
        equal_shapes(formula, draw, results)
    for m, f, z, e in zip(budget, floats, numbers, exact, strict=True):
        for central, error, x, w, truth in zip(
            np.ravel(m.value), np.ravel(m.error), np.ravel(f), np.ravel(z), entries(e), strict=True
        ):
            assert within(central, truth, error)
            assert within(x, truth, error)
            # a complex product rounds like four real ones
            assert within(w.real, truth, 4 * error)
            assert w.imag == 0


@each(FORMULAS)
@few(2)
@given(seed=st.integers(0, 2**32), runs=st.integers(2, 3))
def test_runs_on_leading_axes_are_members(formula, seed, runs):
    _, members, _ = accepted(formula, seed, reference=reference_of(formula), count=runs)
    stacked = [np.stack([np.asarray(member[k]) for member in members]) for k in range(len(members[0]))]
    together = run(formula, systems.FLOATS, stacked)
    for r, member in enumerate(members):
        for whole, alone in zip(together, run(formula, systems.MEASURED, member), strict=True):
            assert whole[r].shape == alone.shape
            assert (abs(whole[r] - alone.value) <= 2 * alone.error).all()


@each(EXACT)
@few(2)
@given(seed=st.integers(0, 2**32))
def test_degrees(formula, seed):
    draw, inputs, _ = accepted(formula, seed)
    results = run(formula, systems.DEGREES, inputs)
    equal_shapes(formula, draw, results)
    if formula.declares.kind == "polynomial":
        assert all(getattr(x, "denominator", 0) == 0 for x in entries(results) if hasattr(x, "factors"))


@pytest.mark.rigor
@each(EXACT)
@few()
@given(seed=st.integers(0, 2**32))
def test_flint_rationals_agree_with_fractions(formula, seed):
    fmpq = systems.fmpq()
    draw, inputs, exact = accepted(formula, seed)
    results = run(formula, fmpq, inputs)
    equal_shapes(formula, draw, results)
    assert [as_fraction(x) for x in entries(results)] == [as_fraction(x) for x in entries(exact)]


def dyadic(x):
    """Return an exact ball as a Fraction."""
    mantissa, exponent = map(int, x.man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent


@pytest.mark.rigor
@each(FORMULAS)
@few(2)
@given(seed=st.integers(0, 2**32))
def test_balls_contain_the_value(formula, seed):
    balls = systems.balls()
    from flint import arb

    draw, inputs, exact = accepted(formula, seed, reference=reference_of(formula))
    results = run(formula, balls, inputs)
    equal_shapes(formula, draw, results)
    # sixty digits are the truth up to their own rounding, far below a ball of 128 bits
    slack = Fraction(1, 10**50) if formula.declares.kind == "analytic" else 0
    for ball, truth in zip(entries(results), entries(exact), strict=True):
        number = as_fraction(truth)
        centre, radius = (dyadic(part) for part in (arb(ball).mid(), arb(ball).rad()))
        assert abs(centre - number) <= radius + slack * (1 + abs(number))
        assert float(arb(ball).rad()) <= 1e-25 * (1 + abs(float(number)))


@each(FORMULAS)
@few(2)
@given(seed=st.integers(0, 2**32))
def test_digits(formula, seed):
    draw, inputs, exact = accepted(formula, seed, reference=reference_of(formula))
    more = systems.digits(2 * systems.DIGITS)
    results = run(formula, more, inputs)
    equal_shapes(formula, draw, results)
    for x, truth in zip(entries(results), entries(exact), strict=True):
        assert abs(as_fraction(x) - as_fraction(truth)) <= Fraction(1, 10**50) * (1 + abs(as_fraction(truth)))


@each(FORMULAS)
@few(2)
@given(seed=st.integers(0, 2**32))
def test_symbols(formula, seed):
    import sympy

    draw, inputs, exact = accepted(formula, seed, largest=2, reference=reference_of(formula))
    values, symbolic = {}, []
    for k, (array, positive) in enumerate(zip(inputs, draw.positive, strict=True)):
        letters = np.empty(np.shape(array), dtype=object)
        for index in np.ndindex(letters.shape):
            letters[index] = sympy.Symbol(f"x{k}_{index}", real=True, positive=positive or None)
            values[letters[index]] = sympy.Rational(*np.asarray(array)[index].as_integer_ratio())
        symbolic.append(letters if letters.ndim else letters[()])
    results = as_tuple(formula(*symbolic))
    systems.require_own(systems.symbols(), results)
    equal_shapes(formula, draw, results)
    for expression, truth in zip(entries(results), entries(exact), strict=True):
        found = sympy.sympify(expression).subs(values)
        if formula.declares.kind != "analytic":
            assert Fraction(int(found.p), int(found.q)) == truth
        else:
            number = as_fraction(truth)
            distance = abs(found.evalf(60) - sympy.Rational(number.numerator, number.denominator))
            assert distance <= sympy.Rational(1, 10**45) * (
                1 + abs(sympy.Rational(number.numerator, number.denominator))
            )


def difference_quotients(formula, system, point, direction):
    """Return central difference quotients at a step and at half of it, entry by entry, as Fractions."""
    quotients = []
    for step in (STEP, STEP / 2):
        ahead, behind = (
            entries(run(formula, system, [x + s * v for x, v in zip(point, direction, strict=True)]))
            for s in (step, -step)
        )
        pairs = zip(ahead, behind, strict=True)
        quotients.append([(as_fraction(a) - as_fraction(b)) / (2 * step) for a, b in pairs])
    return quotients


def is_second_order(slope, coarse, fine):
    """Whether a central difference misses the slope by c h² + O(h⁴), its error falling to a quarter."""
    far, near = as_fraction(coarse) - as_fraction(slope), as_fraction(fine) - as_fraction(slope)
    return abs(4 * near - far) <= abs(far) / 10**6 + Fraction(1, 10**36) * (1 + abs(as_fraction(slope)))


@each(FORMULAS)
@few(2)
@given(seed=st.integers(0, 2**32))
def test_jets_are_exact_derivatives(formula, seed):
    """Over rationals, and over sixty digits where the formula is analytic."""
    system = reference_of(formula)
    draw, point, value_there = accepted(formula, seed, largest=3, reference=system)
    direction = draw.directions()
    jets = [Jet(system.make(x), system.make(v)) for x, v in zip(point, direction, strict=True)]
    results = as_tuple(formula(*jets))
    equal_shapes(formula, draw, results)
    parts = [r.parts if isinstance(r, Jet) else (r, r * 0) for r in results]
    for part in parts:
        systems.require_own(system, list(part))
    for found, truth in zip(entries([p[0] for p in parts]), entries(value_there), strict=True):
        # a quotient of jets multiplies by the reciprocal, so its last digit may differ
        slack = 0 if system is systems.FRACTIONS else Fraction(1, 10**50) * (1 + abs(as_fraction(truth)))
        assert abs(as_fraction(found) - as_fraction(truth)) <= slack
    slopes = entries([p[1] for p in parts])
    for slope, coarse, fine in zip(
        slopes, *difference_quotients(formula, system, point, direction), strict=True
    ):
        assert is_second_order(slope, coarse, fine)


@each(FORMULAS)
@few(2)
@given(seed=st.integers(0, 2**32))
def test_float_jets_and_complex_steps_agree_within_the_budget(formula, seed):
    draw, point, _ = accepted(formula, seed, largest=3, reference=reference_of(formula))
    direction = draw.directions()
    make = lambda system: [Jet(system.make(x), system.make(v)) for x, v in zip(point, direction, strict=True)]
    floats, budgets = (as_tuple(formula(*make(s))) for s in (systems.FLOATS, systems.MEASURED))
    inputs = [[systems.FLOATS.make(x) for x in xs] for xs in (point, direction)]
    steps = complex_step(lambda *xs: tuple_of_arrays(formula(*xs)), *inputs)
    for jet, budget, step in zip(floats, budgets, steps, strict=True):
        if not isinstance(budget, Jet):
            assert not isinstance(jet, Jet)
            continue
        error = budget.first.error if isinstance(budget.first, Measured) else np.zeros(np.shape(jet.first))
        assert (abs(jet.first - getattr(budget.first, "value", budget.first)) <= 2 * error).all()
        # the complex step runs the formula, not its derivative, so its rounding is of the same order only
        assert np.allclose(step, jet.first, rtol=1e-9, atol=1e-9 * (1 + np.max(np.abs(jet.first))))


def tuple_of_arrays(results):
    """Pack the results so that `np.imag` takes them all."""
    packed = np.empty(len(as_tuple(results)), dtype=object)
    for k, result in enumerate(as_tuple(results)):
        packed[k] = np.asarray(result, dtype=complex)
    return _Pack(packed)


class _Pack:
    """A tuple of complex arrays whose imaginary part and quotient are taken together."""

    def __init__(self, arrays):
        self.arrays = list(arrays)

    @property
    def imag(self):
        return _Pack([a.imag for a in self.arrays])

    def __truediv__(self, step):
        return [a / step for a in self.arrays]


@each(WORDS)
@few(2)
@given(seed=st.integers(0, 2**32))
def test_words_say_what_matrices_do(formula, seed):
    draw, inputs, exact = accepted(formula, seed, largest=3)
    matrices, scalars, symbolic = {}, {}, []
    for k, (shape, array) in enumerate(zip(formula.declares.inputs, inputs, strict=True)):
        assert len(shape) in (0, 2), "words are matrices and scalars"
        if shape:
            sizes = [int(d) if d.isdigit() else d for d in shape]
            matrices[f"A{k}"] = array
            symbolic.append(letter(f"A{k}", *sizes))
        else:
            scalars[f"x{k}"] = array
            symbolic.append(Scalar.variable(f"x{k}"))
    for result, truth in zip(as_tuple(formula(*symbolic)), exact, strict=True):
        found = value(result, matrices, draw.sizes, scalars)
        assert np.shape(found) == np.shape(truth)
        assert np.all(found == truth)
