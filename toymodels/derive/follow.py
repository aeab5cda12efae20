"""Whether a conclusion follows from the lines it names, everything else being opaque.

Derivatives, inverses and functions become letters of their own, so that only
linear combinations of the named lines and substitution remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy as sp

from toymodels.arithmetic import words
from toymodels.arithmetic.commutative import Scalar
from toymodels.arithmetic.words import Words
from toymodels.derive import calculus, expressions, scalars
from toymodels.derive.cases import extra_hypotheses, left_out
from toymodels.derive.evaluate import IN_WORDS, Evaluator
from toymodels.derive.expressions import Matrix, MatrixLetter, MatrixSum, Scaled
from toymodels.derive.functions import PIECEWISE
from toymodels.derive.lines import Step
from toymodels.derive.positivity import nonnegative, positive
from toymodels.errors import LeftArithmetic

_LINEAR = (calculus.Dt, calculus.Next)
_OPAQUE = (calculus.Dt, calculus.Next, calculus.Along, calculus.Gradient, calculus.Partial, calculus.Jacobian,
           expressions.Inverse, expressions.Elementwise, expressions.Row, expressions.Diagonal,
           expressions.DiagonalOf, scalars.Norm, scalars.Determinant, scalars.Entry, scalars.SumOver,
           scalars.Applied, sp.Function)  # fmt: skip


def why_follows(conclusion: Step, lines: Sequence[Step]) -> str:
    """Say how the conclusion follows from the lines, or return "" when no way is found.

    A line with hypotheses of its own is a case: then each case must give the
    conclusion alone, together with the lines that hold in general, and the
    cases must leave nothing out.
    """
    cited = ", ".join(f"({line.number})" for line in lines)
    general = [line for line in lines if not extra_hypotheses(line, conclusion)]
    split = [line for line in lines if extra_hypotheses(line, conclusion)]
    if not split:
        return f"follows from {cited}" if follows(conclusion, general) else ""
    cases = list(dict.fromkeys(extra_hypotheses(line, conclusion) for line in split))
    for case in cases:
        inside = [line for line in split if extra_hypotheses(line, conclusion) == case]
        if not follows(replace(conclusion, setting=inside[0].setting), [*general, *inside]):
            return ""
    missing = left_out(conclusion.setting, cases)
    return f"follows from {cited}, whose cases cover everything" if missing is None else ""


def follows(conclusion: Step, lines: Sequence[Step]) -> bool:
    """Return whether the conclusion is a combination of the named lines.

    Equations enter with any rational factor, inequalities with a factor that is
    not negative; named equations may also be substituted into the conclusion.
    """
    relations = [line for line in lines if line.relation in ("=", "<=", "<", ">=", ">")]
    if conclusion.relation == "->" or not relations:
        return False
    for target in (_difference(conclusion), _substituted(conclusion, relations)):
        if _combines(target, conclusion, relations):
            return True
    return False


def _difference(step: Step) -> Any:
    """Right minus left of a bound or equation, left minus right where the relation is > or >=."""
    if step.relation in (">", ">="):
        return step.left - step.right
    return step.right - step.left


def _substituted(conclusion: Step, lines: Sequence[Step]) -> Any:
    rules = {line.left: line.right for line in lines if line.relation == "=" and not line.left.is_number}
    difference = _difference(conclusion)
    for _ in lines:
        difference = difference.xreplace(rules)
    return difference


def _combines(target: Any, conclusion: Step, lines: Sequence[Step]) -> bool:
    try:
        wanted = _coordinates(target)
        columns = [_coordinates(_difference(line)) for line in lines]
    except (LeftArithmetic, ZeroDivisionError):
        return False
    keys = list(dict.fromkeys(key for column in (wanted, *columns) for key in column))
    if not keys:
        return True
    A = sp.Matrix([[column.get(key, Fraction(0)) for column in columns] for key in keys])
    b = sp.Matrix([wanted.get(key, Fraction(0)) for key in keys])
    unknowns = sp.symbols(f"c:{len(columns)}")
    solutions = sp.linsolve((A, b), *unknowns)
    if solutions:
        (solution,) = solutions
        factors = [sp.sympify(c).subs(dict.fromkeys(unknowns, 0)) for c in solution]
        return _admissible(factors, conclusion, lines)
    return conclusion.relation != "=" and _remainder_nonnegative(target, conclusion, lines)


def _admissible(factors: Sequence[Any], conclusion: Step, lines: Sequence[Step]) -> bool:
    """Whether the factors of inequalities have their sign, and a strict conclusion a strict line."""
    bounds = [(c, line) for c, line in zip(factors, lines, strict=True) if line.relation != "="]
    if conclusion.relation == "=":
        return all(c == 0 for c, _ in bounds)
    if any(c < 0 for c, _ in bounds):
        return False
    strict = any(c > 0 and line.relation in ("<", ">") for c, line in bounds)
    return strict or conclusion.relation in ("<=", ">=")


def _remainder_nonnegative(target: Any, conclusion: Step, lines: Sequence[Step]) -> bool:
    """Whether the difference less that of every named line is non-negative by form."""
    rest = sp.sympify(target - sum(_difference(line) for line in lines))
    if isinstance(rest, Matrix):
        return False
    strict = conclusion.relation in ("<", ">") and not any(line.relation in ("<", ">") for line in lines)
    test = positive if strict else nonnegative
    return test(sp.expand(rest), conclusion.setting) or test(rest, conclusion.setting)


def _coordinates(expression: Any) -> dict[Any, Fraction]:
    """Return the coefficients of an expression over words and monomials, opaque nodes as letters."""
    opaque = _opaque(_spread(expression))
    letters = scalars.letters(opaque)
    values: dict[Any, Any] = {}
    for letter in letters:
        if isinstance(letter, MatrixLetter):
            values[letter] = words.letter(letter.name, *map(_size, letter.shape))
        else:
            values[letter] = Scalar.size(str(letter)) if letter.is_integer else Scalar.variable(str(letter))
    result = Evaluator(values, IN_WORDS).run(opaque)
    if isinstance(result, Words):
        return {(w, m): c for w, s in result.terms.items() for m, c in _polynomial(s).items()}
    scalar = result if isinstance(result, Scalar) else Scalar.constant(result)
    return {((), m): c for m, c in _polynomial(scalar).items()}


def _polynomial(scalar: Scalar) -> dict[Any, Fraction]:
    if len(scalar.denominator) != 1 or () not in scalar.denominator:
        raise LeftArithmetic("a quotient of sums has no coordinates")
    return {m: Fraction(c) / Fraction(scalar.denominator[()]) for m, c in scalar.numerator.items()}


def _size(size: Any) -> Any:
    return int(size) if isinstance(size, sp.Integer) else str(size)


def _spread(node: Any) -> Any:
    """Write derivatives and steps of sums as sums of derivatives and steps."""
    if isinstance(node, _LINEAR):
        of = _spread(node.args[0])
        if isinstance(of, (MatrixSum, sp.Add)):
            terms = [_spread(node.func(term)) for term in of.args]
            return _total(terms)
        if isinstance(of, Scaled) and of.args[0].is_number:
            return of.args[0] * _spread(node.func(of.args[1]))
        if isinstance(of, sp.Mul) and of.args[0].is_number:
            return of.args[0] * _spread(node.func(sp.Mul(*of.args[1:])))
        return node.func(of)
    if isinstance(node, (MatrixSum, sp.Add)):
        return _total([_spread(term) for term in node.args])
    if isinstance(node, Scaled):
        return node.args[0] * _spread(node.args[1])
    return node


def _total(terms: Sequence[Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _opaque(node: Any) -> Any:
    """Replace every node that is not ring arithmetic by a letter named after it."""
    if isinstance(node, (*_OPAQUE, *PIECEWISE)) or (isinstance(node, sp.Pow) and not node.exp.is_Integer):
        name = f"[{node}]"
        return MatrixLetter(name, *node.shape) if isinstance(node, Matrix) else sp.Symbol(name, real=True)
    if isinstance(node, (MatrixLetter, sp.Symbol, expressions.Identity, expressions.Zeros)) or not node.args:
        return node
    return node.func(*map(_opaque, node.args))
