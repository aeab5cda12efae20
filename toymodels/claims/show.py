"""A claim as a reader wants to see it: statement, variables, and the formula run on symbols, as LaTeX."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.arithmetic import systems
from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.compound import Compound
from toymodels.arithmetic.words import Words
from toymodels.claims.claim import Claim
from toymodels.evidence import sides
from toymodels.evidence.algebra import NOT_HERE
from toymodels.evidence.statement import Statement
from toymodels.spaces.source import REAL, Domain, RandomFloats, Rejected, Source

_RELATIONS = {"identity": "=", "bound": r"\le", "counterexample": r"\not\le"}
LONGEST = 4000
"""LaTeX longer than this is not shown."""


class _Symbols(Source):
    """A source whose numbers are symbols named after their variable."""

    symbolic = True

    def __init__(self, statement: Statement):
        super().__init__(RandomFloats(np.random.default_rng(0)), systems.symbols(), statement.ranges, (2, 2))
        self.variable, self.count = "x", 0

    def _symbol(self, suffix: str, domain: Domain) -> Any:
        import sympy

        tick = "" if self.count == 0 else "'" * self.count
        return sympy.Symbol(f"{self.variable}{tick}{suffix}", real=True, positive=domain.low >= 0 or None)

    def number(self, domain: Domain = REAL) -> Any:
        symbol = self._symbol("", domain)
        self.count += 1
        return symbol

    def array(self, shape: tuple[int, ...], domain: Domain = REAL) -> Any:
        out = np.empty(shape, dtype=object)
        for index in np.ndindex(shape):
            out[index] = self._symbol("_" + "".join(str(k + 1) for k in index), domain)
        self.count += 1
        return out


def _symbolic_values(statement: Statement) -> dict[str, Any]:
    source = _Symbols(statement)
    values = {}
    for name, space in statement.spaces.items():
        source.variable, source.count = name, 0
        values[name] = space.draw(source, name)
    return values


def latex(claim: Claim) -> str | None:
    """Return both sides of a claim as LaTeX, or None where it does not run on symbols.

    Words give the formula of matrices at every size; otherwise it is printed at size 2.
    """
    statement = claim.variant()
    runs = [_word_values, _symbolic_values]
    if all(
        space.words is None or isinstance(space.words("x"), Scalar) for space in statement.spaces.values()
    ):
        runs.reverse()
    for values in runs:
        try:
            result = statement.run(values(statement))
            if claim.kind not in _RELATIONS:
                return None
            relation = _RELATIONS[claim.kind]
            lines = [f"{_side(a)} {relation} {_side(b)}" for a, b in sides.pairs(*result)]
        except (*NOT_HERE, Rejected, ZeroDivisionError, ValueError, sides.Vacuous):
            continue
        text = r" \\ ".join(lines)
        return text if len(text) <= LONGEST else None
    return None


def _word_values(statement: Statement) -> dict[str, Any]:
    return {name: space.as_words(name) for name, space in statement.spaces.items()}


def _side(x: Any) -> str:
    import sympy

    if isinstance(x, (Words, Scalar)):
        return x.latex()
    if isinstance(x, Compound):
        raise TypeError("a compound number has no single formula")
    if isinstance(x, np.ndarray):
        if x.ndim > 2:
            raise TypeError("only matrices are printed")
        return sympy.latex(sympy.Matrix(x.tolist()) if x.ndim else x[()])
    return sympy.latex(x)


def show(claim: Claim) -> str:
    """Return statement, kind, label, source, variables, broken variants and formula of a claim."""
    lines = [
        f"{claim.name}  [{claim.kind}]  {claim.label}",
        "",
        claim.statement,
        "",
        f"source:    {claim.source}",
    ]
    lines += [f"{name + ':':<10} {space}" for name, space in claim.spaces.items()]
    lines += [f"broken:    {name}" for name in claim.broken]
    formula = latex(claim)
    if formula is not None:
        lines += ["", f"LaTeX:     {formula}"]
    return "\n".join(lines)
