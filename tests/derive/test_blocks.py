"""Matrices of blocks: their shapes, their values, and what does not fit."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from toymodels.arithmetic.systems import FRACTIONS
from toymodels.derive import Derivation, ShapeError, block, identity, zeros
from toymodels.derive.evaluate import Evaluator
from toymodels.errors import InputError

SIZES = st.tuples(*[st.integers(1, 4)] * 4)


@given(sizes=SIZES, seed=st.integers(0, 99))
def test_values_are_those_of_numpy(sizes, seed):
    D = Derivation("blocks")
    names = D.sizes("p q r s")
    p, q, r, s = names
    letters = [D.matrix("A", p, r), D.matrix("B", p, s), D.matrix("C", q, r), D.matrix("E", q, s)]
    rng = np.random.default_rng(seed)
    known = dict(zip(names, sizes, strict=True))
    arrays = [rng.integers(-9, 9, [known[n] for n in letter.shape]) for letter in letters]
    values = {**known, **dict(zip(letters, arrays, strict=True))}
    A, B, C, E = letters
    whole = block([[A, B], [C, E]])
    assert whole.shape == (p + q, r + s)
    wanted = np.block([arrays[:2], arrays[2:]])
    assert (Evaluator(values, FRACTIONS).run(whole) == wanted).all()
    assert (Evaluator(values, FRACTIONS).run(whole.T * whole) == wanted.T @ wanted).all()


def test_a_derivative_goes_through_blocks():
    D = Derivation("stacked weights")
    m, d, c = D.sizes("m d c")
    W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    Q = block([[W1.T], [W2]])
    generator = block([[zeros(d, d), -G.T], [-G, zeros(c, c)]])
    D.step(D.dt(Q), "=", generator * Q)
    D.step(D.dt(Q), "=", generator.T * Q * 2)
    good, bad = D.check().findings
    assert good.ok and good.verdict.evidence.name == "exact"
    assert bad.verdict.refuted


def test_one_block_is_itself():
    D = Derivation("one")
    A = D.matrix("A", D.sizes("n"), 2)
    assert block([[A]]) is A


def test_it_prints_in_rows():
    D = Derivation("printed")
    n = D.sizes("n")
    A = D.matrix("A", n, n)
    whole = block([[A, identity(n)], [A.T, -A]])
    assert str(whole) == "[A, I; A.T, -A]"
    assert sp.latex(whole) == r"\begin{bmatrix} A & I \\ A^{\top} & -A \end{bmatrix}"


@pytest.mark.parametrize("rows", [[], [[]], [[1]], [["A"]]])
def test_what_holds_no_matrices_is_refused(rows):
    with pytest.raises(InputError, match="block: expected rows of matrices"):
        block(rows)


def test_blocks_that_do_not_fit_are_refused():
    D = Derivation("misfit")
    m, n = D.sizes("m n")
    A, B = D.matrix("A", m, n), D.matrix("B", n, m)
    with pytest.raises(ShapeError, match="side by side"):
        block([[A, B]])
    with pytest.raises(ShapeError, match="one above the other"):
        block([[A], [B]])
