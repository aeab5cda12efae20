"""Slips: each changes one place, keeps kind and shape, and is another function."""

from itertools import islice

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trees import A, C, D, S, d, drawn_values, m, matrices, scalars, u, v, x, y

from toymodels.arithmetic import systems
from toymodels.derive import Derivation, dot, norm, relu, sum_over, trace
from toymodels.derive.evaluate import Evaluator
from toymodels.derive.expressions import Matrix, MatrixLetter
from toymodels.derive.mutants import mutants

TREES = st.one_of(matrices(depth=3), scalars(depth=3))
MOST = 30


@settings(max_examples=60)
@given(TREES)
def test_mutants_differ_from_the_original_and_from_each_other(tree):
    found = list(islice(mutants(tree.expression), MOST))
    assert tree.expression not in found and len(set(found)) == len(found)


@settings(max_examples=60)
@given(TREES)
def test_mutants_have_the_kind_and_shape_of_the_original(tree):
    for mutant in islice(mutants(tree.expression), MOST):
        assert isinstance(mutant, Matrix) == isinstance(tree.expression, Matrix)
        if isinstance(mutant, Matrix):
            assert mutant.shape == tree.expression.shape


@settings(max_examples=60)
@given(TREES, st.integers(0, 10**6))
def test_mutants_run_and_one_has_another_value(tree, seed):
    """Unless the whole vanishes, as where a product holds a zero."""
    assume(tree.expression.atoms(sp.Symbol, MatrixLetter) - {m, d})
    tables = [drawn_values(seed + k) for k in range(3)]
    values = [[Evaluator({**t, **s}, systems.FRACTIONS).run(e) for t, s in tables] for e in everything(tree)]
    assert not np.any([np.any(value) for value in values[0]]) or any(
        not same(v, values[0]) for v in values[1:]
    )


def everything(tree):
    return [tree.expression, *islice(mutants(tree.expression), MOST)]


def same(first, second):
    return all(np.all(a == b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("expression", "slip"),
    [
        (x + y, x - y),
        (A.T * u, (2 * A).T * u),
        (C.T * u, C * u),
        (C * u, C.T * u),
        (A + 2 * A * S, A - 2 * A * S),
        (x**2, x**4),
        (sp.exp(x), 2 * sp.exp(x)),
        (norm(u), norm(2 * u)),
        (trace(C * C), trace(C.T * C)),
        (3 * x, 6 * x),
        (D.dt(x * y), D.dt(x**2 * y)),
        (dot(u, A * v), dot(2 * u, A * v)),
    ],
    ids=str,
)
def test_the_usual_slips_are_there(expression, slip):
    assert slip in set(mutants(expression))


def test_places_that_are_no_values_are_left_alone():
    """The letter of a gradient, the index of a sum, the size of an identity."""
    i = D.index("i", m)
    for expression in (D.gradient(x**2, x), sum_over(i, u[i, 0]), D.along(x * y, {x: y}), u.row(0), relu(A)):
        assert all(mutant.func == expression.func or mutant.args for mutant in mutants(expression))
    assert list(mutants(D.identity(d))) == [] and list(mutants(sp.Integer(0))) == [1]
    assert all(mutant.args[1:] == (x,) for mutant in mutants(D.gradient(x**2 * y, x)))


def test_a_step_that_no_slip_breaks_says_nothing():
    E = Derivation("nothing")
    a, b = E.scalars("a b")
    E.step(a + b, "=", b + a)
    E.step(a**2, ">=", -1, given=[a > b, b > a])
    assert [finding.mark for finding in E.check("quick").findings] == ["VACUOUS"] * 2
