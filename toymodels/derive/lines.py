"""The lines of a derivation: what was written, where, and what it stands on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sympy as sp

from toymodels.derive.expressions import Matrix, ShapeError, Zeros, show_shape
from toymodels.derive.naming import write_out
from toymodels.derive.setting import Hypothesis, Setting
from toymodels.errors import InputError

RELATIONS = {relation: relation for relation in ("=", "<=", "<", ">=", ">", "->")} | {
    "==": "=",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
}


@dataclass(frozen=True)
class Place:
    """A line of the user's file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}"


def place_of_caller() -> Place:
    """Return the innermost line outside this package's derive room."""
    frame: Any = sys._getframe(1)
    home = str(Path(__file__).parent)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(home):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


@dataclass(frozen=True, eq=False)
class Line:
    """Any line of a derivation.

    Attributes
    ----------
    place : Place
    because : str
        Prose, shown and not checked.
    """

    place: Place
    because: str = ""


@dataclass(frozen=True, eq=False)
class Law(Line):
    """A declared flow or step map, or names for expressions; nothing to check.

    Attributes
    ----------
    kind : {"flow", "steps", "names"}
    rules : tuple of (letter, expression)
        Of names: the names and what they stand for.
    """

    kind: str = "flow"
    rules: tuple[tuple[Any, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class Remark(Line):
    """Prose between the steps."""

    text: str = ""


@dataclass(frozen=True, eq=False)
class Step(Line):
    """A relation to check.

    Attributes
    ----------
    number : int
        As it is cited, (1), (2) ...
    left, relation, right
        The relation; a right side 0 of a matrix relation is the zero matrix.
    setting : Setting
        Declarations, laws and hypotheses at this line.
    slack : expression or None
        What is non-negative by form and makes the difference of a bound.
    by : tuple of Line
        The lines that a conclusion follows from.
    lemma : Lemma or None
        What `because` cites, if it is no prose.
    approach : (symbol, point, side) or None
        Of a limit.
    order : (symbol, power) or None
        The relation holds up to this order at 0.
    """

    number: int = 0
    left: Any = None
    relation: str = "="
    right: Any = None
    setting: Setting = field(default_factory=Setting)
    slack: Any = None
    by: tuple[Line, ...] = ()
    concludes: bool = False
    lemma: Any = None
    approach: tuple[Any, Any, str] | None = None
    order: tuple[Any, int] | None = None
    case: str = ""

    def __str__(self) -> str:
        return f"{self.left} {self.relation} {self.right}"


@dataclass(frozen=True, eq=False)
class Ships(Line):
    """The promise that a function of the package computes an expression."""

    number: int = 0
    function: Callable[..., Any] = field(default=len, repr=False)
    expression: Any = None
    arguments: tuple[tuple[str, Any], ...] = ()
    setting: Setting = field(default_factory=Setting)

    @property
    def name(self) -> str:
        """Module and name of the function."""
        module = getattr(self.function, "__module__", "")
        return f"{module}.{getattr(self.function, '__name__', self.function)}"

    def __str__(self) -> str:
        return f"{self.name} computes {self.expression}"


@dataclass(frozen=True, eq=False)
class Broken(Line):
    """A line of the user's file that could not be read or run."""

    message: str = ""


def relation_of(relation: Any) -> str:
    """Return a relation in its standard spelling."""
    if relation not in RELATIONS:
        raise InputError(f"relation: expected one of = <= < >= > ->, got {relation!r}")
    return RELATIONS[relation]


def checked_sides(left: Any, relation: str, right: Any) -> tuple[Any, Any]:
    """Return both sides as expressions of one kind and shape."""
    left, right = _expression("left side", left), _expression("right side", right)
    matrices = [isinstance(side, Matrix) for side in (left, right)]
    if not any(matrices):
        return left, right
    if relation not in ("=", "->"):
        raise InputError(
            f"{left} {relation} {right}: an inequality compares scalars, as quad(A, x) or norm(A)"
        )
    if matrices[0] and right == 0:
        return left, Zeros(*left.shape)
    if matrices[1] and left == 0:
        return Zeros(*right.shape), right
    if not all(matrices):
        raise ShapeError(f"{left} {relation} {right}: a matrix is compared with a scalar")
    if left.shape != right.shape:
        shapes = f"{show_shape(left.shape)} and right side {show_shape(right.shape)}"
        raise ShapeError(f"{left} {relation} {right}: the left side has shape {shapes}")
    return left, right


def _expression(name: str, x: Any) -> Any:
    try:
        value = sp.sympify(x)
    except sp.SympifyError:
        value = None
    if not isinstance(value, (sp.Expr, Matrix)):
        raise InputError(f"{name}: expected a scalar or matrix expression, got {x!r}")
    return value


def hypothesis_of(given: Any) -> Hypothesis:
    """Return an inequality given as (left, relation, right) or as a SymPy relation."""
    if isinstance(given, sp.core.relational.Relational):
        given = (given.lhs, given.rel_op, given.rhs)
    if not isinstance(given, tuple) or len(given) != 3:
        raise InputError(f"given: expected (left, relation, right) or a SymPy inequality, got {given!r}")
    left, relation, right = given
    relation = {"≤": "<=", "≥": ">="}.get(relation, relation)
    if relation in ("=", "=="):
        raise InputError(
            f"given: {left} = {right} is an equation; use it to eliminate a letter, or a kind or space"
        )
    if relation not in ("<", "<=", ">", ">=", "!="):
        raise InputError(f"given: expected one of < <= > >= !=, got {relation!r}")
    left, right = (write_out(_expression("given", side)) for side in (left, right))
    return Hypothesis(left, relation, right)


def written_out(line: Any) -> Any:
    """Return a step, or a line that ships, with every name written out; itself where it holds none."""
    if isinstance(line, Ships):
        arguments = tuple((parameter, write_out(x)) for parameter, x in line.arguments)
        return replace(line, expression=write_out(line.expression), arguments=arguments)
    sides = {side: write_out(getattr(line, side)) for side in ("left", "right", "slack")}
    if all(getattr(line, side) is x for side, x in sides.items()):
        return line
    return replace(line, **sides)
