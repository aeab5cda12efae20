"""A derivation: letters are declared, laws are stated, steps are written down to be checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import sympy as sp

from toymodels.derive import calculus, expressions, kinds, scalars
from toymodels.derive.expressions import Matrix, MatrixLetter
from toymodels.derive.kinds import Declared, FunctionLetter
from toymodels.derive.lemma import Lemma, lemma_of
from toymodels.derive.lines import (
    Law,
    Line,
    Place,
    Remark,
    Ships,
    Step,
    checked_sides,
    hypothesis_of,
    place_of_caller,
    relation_of,
)
from toymodels.derive.naming import Named, named, write_out
from toymodels.derive.scalars import Index, letters
from toymodels.derive.setting import Setting
from toymodels.errors import InputError
from toymodels.spaces import Space

_BEGUN: ContextVar[list[Any] | None] = ContextVar("_BEGUN", default=None)


@contextmanager
def collecting() -> Iterator[list[Derivation]]:
    """Collect the derivations that are begun inside the block, in order."""
    begun: list[Derivation] = []
    token = _BEGUN.set(begun)
    try:
        yield begun
    finally:
        _BEGUN.reset(token)


class Derivation:
    """A proof as a list of steps that `toymodels check` decides one by one.

    Parameters
    ----------
    title : str
        The result, as a sentence.
    source : str
        "after ..." a paper, or "own".

    Examples
    --------
    >>> D = Derivation("The imbalance of two layers is conserved", source="own")
    >>> m, d, c = D.sizes("m d c")
    >>> W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d)
    >>> D.constant(G)
    >>> _ = D.flow({W1: -W2.T * G, W2: -G * W1.T}, because="gradient flow")
    >>> _ = D.step(D.dt(W2.T * W2 - W1 * W1.T), "=", 0)
    >>> print(D.check().findings[-1].verdict.why)
    identity of words: holds for every size
    """

    dt = staticmethod(calculus.dt)
    next = staticmethod(calculus.next)
    gradient = staticmethod(calculus.gradient)
    hessian = staticmethod(calculus.hessian)
    jacobian = staticmethod(calculus.jacobian)
    along = staticmethod(calculus.along)
    integral = staticmethod(calculus.integral)
    expectation = staticmethod(calculus.expectation)
    identity = staticmethod(expressions.identity)
    zeros = staticmethod(expressions.zeros)
    ones = staticmethod(expressions.ones)
    sum_over = staticmethod(scalars.sum_over)
    mean_over = staticmethod(scalars.mean_over)

    def __init__(self, title: str, source: str = "own"):
        if not isinstance(title, str) or not title.strip():
            raise InputError(f"title: expected a sentence, got {title!r}")
        self.title, self.source = title, source
        self.place = place_of_caller()
        if (begun := _BEGUN.get()) is not None:
            begun.append(self)
        self.lines: list[Line] = []
        self.setting = Setting()
        self._case = ""
        self._named: list[Named] = []

    def sizes(self, names: str, least: int = 1, most: int = 5) -> Any:
        """Declare sizes; one name gives one symbol, several a tuple."""
        symbols = tuple(sp.Symbol(name, integer=True, positive=True) for name in _names(names))
        for symbol in symbols:
            self._require_new(symbol)
        ranges = dict.fromkeys(symbols, (least, most))
        self.setting = replace(self.setting, sizes={**self.setting.sizes, **ranges})
        return symbols if len(symbols) > 1 else symbols[0]

    def scalar(self, name: str, *, constant: bool = False, **assumptions: Any) -> sp.Symbol:
        """Declare a real scalar.

        Parameters
        ----------
        name : str
        constant : bool
            At rest under flows and steps.
        positive, negative, nonnegative, nonzero : bool, optional
        between : (low, high), optional
        integer : (low, high), optional
            At most one assumption.
        """
        (symbol,) = self._declare(kinds.scalar_declared(name, **assumptions), constant)
        return symbol

    def scalars(self, names: str, *, constant: bool = False, **assumptions: Any) -> tuple[sp.Symbol, ...]:
        """Declare several real scalars under the same assumption."""
        return tuple(self.scalar(name, constant=constant, **assumptions) for name in _names(names))

    def matrix(
        self, name: str, rows: Any, cols: Any, kind: str = "general", *, constant: bool = False
    ) -> Matrix:
        """Declare a matrix of a kind (see `toymodels.derive.kinds.KINDS`)."""
        space = kinds.matrix_space(kind, sp.sympify(rows), sp.sympify(cols))
        (letter,) = self._declare(Declared((MatrixLetter(name, rows, cols),), space, None, kind), constant)
        return letter

    def vector(self, name: str, size: Any, kind: str = "general", *, constant: bool = False) -> Matrix:
        """Declare a column vector (size, 1) of a kind (see `toymodels.derive.kinds.VECTOR_KINDS`)."""
        space = kinds.vector_space(kind, sp.sympify(size))
        (letter,) = self._declare(Declared((MatrixLetter(name, size, 1),), space, None, kind), constant)
        return letter

    def drawn(self, space: Space, *, constant: bool = False, **shapes: Any) -> tuple[Any, ...]:
        """Declare letters that one space draws together, such as a balanced pair.

        Parameters
        ----------
        space : Space
            Returns a tuple of values, in the order of the names.
        **shapes : (rows, cols) or None
            Each name with its shape; None for a scalar.
        """
        if not isinstance(space, Space):
            raise InputError(f"space: expected a toymodels space, got {space!r}")
        named = tuple(
            sp.Symbol(name, real=True) if shape is None else MatrixLetter(name, *shape)
            for name, shape in shapes.items()
        )
        return self._declare(Declared(named, space, None, "drawn"), constant)

    def function(self, name: str, degree: int = 5) -> FunctionLetter:
        """Declare an unknown smooth function; it is drawn as a polynomial of this degree."""
        (letter,) = self._declare(Declared((FunctionLetter(name),), kinds.function_space(degree)), False)
        return letter

    def index(self, name: str, length: Any) -> Index:
        """Declare a summation index that runs over `length` values."""
        return Index(name, length)

    def time(self, name: str = "t") -> sp.Symbol:
        """Declare time, t >= 0, which flows at rate one."""
        symbol = self.scalar(name, nonnegative=True)
        self.setting = replace(self.setting, flow={**self.setting.flow, symbol: sp.S.One})
        return symbol

    def constant(self, *held: Any) -> None:
        """State that letters are at rest under flows and steps."""
        for letter in held:
            if letter not in self.setting.declared:
                raise InputError(f"constant: {letter} is not declared")
        self.setting = replace(self.setting, constants=self.setting.constants | set(held))

    def flow(self, rules: Mapping[Any, Any], because: str = "") -> Law:
        """State the time derivatives of letters; `dt` uses them from here on."""
        checked = self._rules(rules, "flow")
        self.setting = replace(self.setting, flow={**self.setting.flow, **_written_out(checked)})
        return self._add(Law(place_of_caller(), because, "flow", tuple(checked.items())))

    def steps(self, rules: Mapping[Any, Any], because: str = "") -> Law:
        """State the values of letters after one step; `next` uses them from here on."""
        checked = self._rules(rules, "steps")
        self.setting = replace(self.setting, steps={**self.setting.steps, **_written_out(checked)})
        return self._add(Law(place_of_caller(), because, "steps", tuple(checked.items())))

    def _rules(self, rules: Mapping[Any, Any], where: str) -> dict[Any, Any]:
        if not isinstance(rules, Mapping) or not rules:
            raise InputError(f"{where}: expected {{letter: expression, ...}}, got {rules!r}")
        checked = {}
        for letter, value in rules.items():
            value = sp.sympify(value)
            calculus.check_same_kind(letter, value, where)
            if isinstance(letter, Matrix) and value == 0:
                value = expressions.zeros(*letter.shape)
            self._require_declared(where, letter, value)
            checked[letter] = value
        return checked

    def let(self, **expressions_: Any) -> Any:
        """Give names to expressions: they are printed by name, and written out for the check.

        One expression gives one name, several a tuple.

        Examples
        --------
        >>> D = Derivation("a square")
        >>> x, y = D.scalars("x y")
        >>> r = D.let(r=x - y)
        >>> print(D.step(r**2, "=", x**2 - 2 * x * y + y**2))
        r**2 = x**2 - 2*x*y + y**2
        """
        if not expressions_:
            raise InputError("let: expected name=expression")
        found = []
        for word, expression in expressions_.items():
            expression = sp.sympify(expression)
            if not isinstance(expression, (sp.Expr, Matrix)):
                raise InputError(f"let: {word} must be a scalar or matrix expression, got {expression!r}")
            self._require_new(word)
            self._require_declared("let", expression)
            found.append(named(word, expression))
        self._named.extend(found)
        self._add(Law(place_of_caller(), "", "names", tuple((x, x.definition) for x in found)))
        return found[0] if len(found) == 1 else tuple(found)

    def remark(self, text: str) -> Remark:
        """Write prose between the steps."""
        return self._add(Remark(place_of_caller(), "", text))

    @contextmanager
    def case(self, *given: Any) -> Iterator[None]:
        """Write steps that hold in one case, as in ``with D.case(x > 0):``."""
        before, name = self.setting, self._case
        hypotheses = [hypothesis_of(h) for h in given]
        self.setting = self.setting.with_hypotheses(*hypotheses)
        self._case = ", ".join(filter(None, [name, *map(str, hypotheses)]))
        try:
            yield
        finally:
            self.setting = replace(self.setting, hypotheses=before.hypotheses)
            self._case = name

    def assume(self, *given: Any) -> None:
        """State inequalities between scalars that hold from here on."""
        self.setting = self.setting.with_hypotheses(*map(hypothesis_of, given))

    def step(
        self,
        left: Any,
        relation: str,
        right: Any,
        because: Any = "",
        *,
        slack: Any = None,
        given: Sequence[Any] = (),
        approach: Any = None,
        order: Any = None,
    ) -> Step:
        """Write a step: ``left relation right``.

        Parameters
        ----------
        left, right : scalar or Matrix expressions
            A right side 0 fits any shape.
        relation : {"=", "<=", "<", ">=", ">", "->"}
        because : str or Lemma
            Prose is shown; a lemma must have passed its own check.
        slack : expression, optional
            For a bound: what the difference is, non-negative by form.
        given : sequence of inequalities, optional
            Hypotheses of this step alone, as (left, relation, right) or SymPy inequalities.
        approach : (symbol, point) or (symbol, point, side), optional
            For "->": what approaches what; side "+" or "-".
        order : (symbol, power), optional
            The relation holds up to terms of this order as the symbol goes to 0.
        """
        return self._step(
            left, relation, right, because, slack=slack, given=given, approach=approach, order=order
        )

    def conclude(
        self,
        left: Any,
        relation: str,
        right: Any,
        because: Any = "",
        *,
        by: Sequence[Line] = (),
        **options: Any,
    ) -> Step:
        """Write a conclusion; `by` names the lines that it follows from."""
        named = tuple(by)
        for line in named:
            if not any(line is mine for mine in self.lines):
                raise InputError(f"by: expected lines of this derivation, got {line!r}")
        return self._step(left, relation, right, because, by=named, concludes=True, **options)

    def _step(
        self,
        left: Any,
        relation: str,
        right: Any,
        because: Any,
        *,
        given: Sequence[Any] = (),
        slack: Any = None,
        approach: Any = None,
        order: Any = None,
        by: tuple[Line, ...] = (),
        concludes: bool = False,
    ) -> Step:
        place, relation = place_of_caller(), relation_of(relation)
        left, right = checked_sides(left, relation, right)
        if slack is not None and relation not in ("<=", ">="):
            raise InputError(f"slack: belongs to a bound <= or >=, got {relation!r}")
        if (relation == "->") != (approach is not None):
            raise InputError("approach: expected (symbol, point) with the relation -> and only there")
        self._require_declared("step", left, right, slack, *(approach or ()), *(order or ()))
        lemma = None if isinstance(because, str) else because
        step = Step(
            place,
            because if lemma is None else lemma.title,
            self._number(),
            left,
            relation,
            right,
            self.setting.with_hypotheses(*map(hypothesis_of, given)),
            None if slack is None else sp.sympify(slack),
            by,
            concludes,
            lemma,
            _approach(approach),
            order,
            self._case,
        )
        return self._add(step)

    def ships(self, function: Callable[..., Any], expression: Any, **arguments: Any) -> Ships:
        """State that a function of the package computes an expression.

        Parameters
        ----------
        function : callable
            A formula; its parameters are the letters of the same names.
        expression : scalar or Matrix expression, or tuple of them
        **arguments : expressions
            Parameters that are not letters of the same name.
        """
        if not callable(function):
            raise InputError(f"ships: expected a function, got {function!r}")
        place, known = place_of_caller(), {str(x): x for x in (*self.setting.declared, *self._named)}
        parameters = list(inspect.signature(function).parameters)
        for name in parameters:
            if name not in arguments and name not in known:
                raise InputError(
                    f"ships: {function.__name__} takes {name}; no letter of that name, say {name}=..."
                )
        for name in arguments:
            if name not in parameters:
                raise InputError(f"ships: {function.__name__} takes no argument {name}")
        given = tuple((name, sp.sympify(arguments.get(name, known.get(name)))) for name in parameters)
        expression = sp.Tuple(*expression) if isinstance(expression, tuple) else sp.sympify(expression)
        self._require_declared("ships", expression, *(value for _, value in given))
        return self._add(Ships(place, "", self._number(), function, expression, given, self.setting))

    def solution(
        self, formulas: Mapping[Any, Any], time: sp.Symbol, start: Mapping[Any, Any], because: str = ""
    ) -> list[Step]:
        """Write that formulas in time solve the declared flow, which is checked by substituting them back.

        Parameters
        ----------
        formulas : dict from letters with a flow to expressions in `time`
        time : symbol
        start : dict from letters to their values at time 0
        """
        checked, steps = self._rules(formulas, "solution"), []
        for letter, formula in checked.items():
            if letter not in self.setting.flow:
                raise InputError(f"solution: no flow is declared for {letter}")
            if letter not in start:
                raise InputError(f"solution: expected start={{{letter}: ...}}, its value at time 0")
            speed = self.setting.flow[letter].xreplace(checked)
            matrix = isinstance(formula, Matrix)
            slope = calculus.along(formula, {time: 1}) if matrix else calculus.gradient(formula, time)
            steps.append(self._step(slope, "=", speed, because or f"{letter} substituted back"))
            first = write_out(formula).xreplace({time: sp.S.Zero})
            wanted = sp.sympify(start[letter])
            if first != wanted:
                steps.append(self._step(first, "=", wanted, f"{letter} at time 0"))
        return steps

    def lemma(self, source: Any) -> Lemma:
        """Return another derivation, a file of one, or an installed document, to cite as `because`."""
        return lemma_of(source, place_of_caller().file)

    def substitute(self, expression: Any, rules: Mapping[Any, Any]) -> Any:
        """Return the expression with letters replaced by expressions of their shape."""
        for letter, value in rules.items():
            calculus.check_same_kind(letter, sp.sympify(value), "substitute")
        return write_out(sp.sympify(expression)).xreplace({k: sp.sympify(v) for k, v in rules.items()})

    def check(self, effort: str = "normal", seed: int = 0) -> Any:
        """Check every step; return a `toymodels.derive.check.Checked`."""
        from toymodels.derive.check import check_derivation

        return check_derivation(self, effort, seed)

    def _add(self, line: Any) -> Any:
        self.lines.append(line)
        return line

    def _number(self) -> int:
        return 1 + sum(isinstance(line, (Step, Ships)) for line in self.lines)

    def _declare(self, declared: Declared, constant: bool) -> tuple[Any, ...]:
        for letter in declared.letters:
            self._require_new(letter)
        table = {**self.setting.declared, **dict.fromkeys(declared.letters, declared)}
        self.setting = replace(self.setting, declared=table)
        if constant:
            self.constant(*declared.letters)
        return declared.letters

    def _require_new(self, letter: Any) -> None:
        names = {str(x) for x in (*self.setting.declared, *self.setting.sizes, *self._named)}
        if str(letter) in names:
            raise InputError(f"{letter}: declared already")

    def _require_declared(self, where: str, *expressions_: Any) -> None:
        for expression in expressions_:
            if not isinstance(expression, sp.Basic):
                continue
            for letter in sorted(letters(expression), key=str):
                known = letter in self.setting.declared or letter in self.setting.sizes
                if known or isinstance(letter, (Index, sp.Dummy)):
                    continue
                if str(letter) in map(str, (*self.setting.declared, *self.setting.sizes)):
                    raise InputError(f"{where}: this {letter} is not the declared one; use what D returned")
                raise InputError(
                    f"{where}: {letter} is not declared; use D.scalar, D.vector, D.matrix or D.sizes"
                )


def _written_out(rules: Mapping[Any, Any]) -> dict[Any, Any]:
    return {letter: write_out(value) for letter, value in rules.items()}


def _names(names: str) -> list[str]:
    found = names.replace(",", " ").split() if isinstance(names, str) else []
    if not found:
        raise InputError(f"names: expected names separated by spaces, got {names!r}")
    return found


def _approach(given: Any) -> tuple[Any, Any, str] | None:
    if given is None:
        return None
    symbol, point, *side = given
    if not isinstance(symbol, sp.Symbol) or len(side) > 1 or (side and side[0] not in ("+", "-", "+-")):
        raise InputError(f"approach: expected (symbol, point) or (symbol, point, '+' or '-'), got {given!r}")
    return symbol, sp.sympify(point), side[0] if side else "+"


__all__ = ["Derivation", "Place"]
