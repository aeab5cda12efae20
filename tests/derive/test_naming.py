"""Names for expressions: they are printed, and the check sees through them."""

import pytest
import sympy as sp

from toymodels.derive import Derivation, norm
from toymodels.derive.naming import write_out
from toymodels.errors import InputError


def named_square(name_sides):
    """A derivation of (x - y)² with and without names."""
    D = Derivation("a square")
    x, y = D.scalars("x y")
    r = D.let(r=x - y) if name_sides else x - y
    D.flow({x: -r, y: r})
    return D, r, x, y


@pytest.mark.parametrize("name_sides", [True, False])
def test_names_change_no_verdict(name_sides):
    D, r, x, y = named_square(name_sides)
    D.step(r**2, "=", x**2 - 2 * x * y + y**2)
    D.step(D.dt(r**2), "=", -4 * r**2)
    D.step(r**2, ">=", 0)
    D.step(r**2, "=", x**2 + y**2)
    D.step(D.gradient(r**2, x), "=", 2 * r)
    D.step(r, ">", 0, given=[(r, ">", 1)])
    outcomes = [(f.verdict.outcome, f.verdict.evidence) for f in D.check().findings]
    assert [str(outcome) for outcome, _ in outcomes] == [
        "holds",
        "holds",
        "holds",
        "refuted",
        "holds",
        "holds",
    ]


def test_the_page_shows_names_and_what_they_stand_for():
    D, r, _, _ = named_square(True)
    step = D.step(D.dt(r), "=", -2 * r)
    assert str(step) == "dt(r) = -2*r"
    assert [line.kind for line in D.lines[:2]] == ["names", "flow"]
    assert D.lines[0].rules == ((r, r.definition),)
    assert sp.latex(r**2) == "r^{2}"


def test_names_of_matrices_have_shapes_and_multiply():
    D = Derivation("a gradient")
    n, d = D.sizes("n d")
    X, w, y = D.matrix("X", n, d), D.vector("w", d), D.vector("y", n)
    residual = D.let(residual=X * w - y)
    assert residual.shape == (n, 1)
    loss = D.let(loss=norm(residual) ** 2 / 2)
    first = D.step(D.gradient(loss, w), "=", X.T * residual)
    D.conclude(2 * D.gradient(loss, w), "=", 2 * X.T * residual, by=[first])
    found = D.check().findings
    assert all(finding.ok and finding.verdict.evidence.name == "proved" for finding in found)
    assert found[1].notes == ["follows from (1)"]
    assert found[0].line is first


def test_a_side_that_simplifies_to_the_other_is_no_empty_step():
    D = Derivation("difference of squares")
    p, q = D.scalars("p q", positive=True)
    S, delta = D.let(S=(p**2 + q**2) / 2, delta=(p**2 - q**2) / 2)
    D.step((S - delta) * (S + delta), "=", p**2 * q**2)
    assert D.check().ok


def test_the_same_side_twice_stays_empty():
    D, r, _, _ = named_square(True)
    D.step(2 * r, "=", r + r)
    D.step(r, "=", r.definition)
    assert all(finding.vacuous for finding in D.check().findings)


def test_substitution_writes_names_out():
    D, r, x, y = named_square(True)
    assert D.substitute(r**2, {y: 0}) == x**2
    assert write_out(r + y) == x


def test_a_function_takes_names_for_its_parameters():
    D, _, x, y = named_square(True)

    def double(r):
        return r + r

    D.ships(double, 2 * (x - y))
    assert D.check().ok


def test_a_name_is_given_once():
    D, *_ = named_square(True)
    with pytest.raises(InputError, match="r: declared already"):
        D.let(r=sp.Integer(1))
    with pytest.raises(InputError, match="x: declared already"):
        D.let(x=sp.Integer(1))
    with pytest.raises(InputError, match="r: declared already"):
        D.scalar("r")
    with pytest.raises(InputError, match="expected name=expression"):
        D.let()
    with pytest.raises(InputError, match="z is not declared"):
        D.let(t=sp.Symbol("z", real=True))
    with pytest.raises(InputError, match="let: t must be a scalar or matrix expression"):
        D.let(t=(1, 2))
