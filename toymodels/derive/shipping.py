"""The code that ships is the code that was derived: a function of the package against an expression."""

from __future__ import annotations

from typing import Any

import sympy as sp

from toymodels.arithmetic.words import Words
from toymodels.derive.evaluate import Evaluator
from toymodels.derive.expressions import Matrix
from toymodels.derive.lines import Ships
from toymodels.evidence import Statement


def ships_statement(line: Ships) -> Statement:
    """Return the statement that the function returns the expression, in every arithmetic."""
    expressions = tuple(line.expression) if isinstance(line.expression, sp.Tuple) else (line.expression,)
    arguments = tuple(value for _, value in line.arguments)

    def judge(evaluator: Evaluator) -> tuple[Any, Any]:
        shapes = _shapes(line, len(arguments))
        given = [_passed(evaluator.run(x), x, n) for x, n in zip(arguments, shapes, strict=True)]
        returned = line.function(*given)
        values = returned if isinstance(returned, tuple) else (returned,)
        if len(values) != len(expressions):
            raise TypeError(f"{line.name} returns {len(values)} values, not {len(expressions)}")
        wanted = [evaluator.run(x) for x in expressions]
        return tuple(values), tuple(_shaped(w, v) for w, v in zip(wanted, values, strict=True))

    return line.setting.statement((*arguments, *expressions), judge, name=line.name)


def _shapes(line: Ships, count: int) -> list[int | None]:
    """Return the number of axes that the function declares for each argument, where it does."""
    declared = getattr(line.function, "declares", None)
    return [None] * count if declared is None else [len(shape) for shape in declared.inputs]


def _passed(value: Any, expression: Any, axes: int | None) -> Any:
    """Hand a column vector over as the function takes it, on one axis."""
    if axes == 1 and isinstance(expression, Matrix) and not isinstance(value, Words):
        return value.reshape(-1)
    return value


def _shaped(wanted: Any, returned: Any) -> Any:
    """Compare a column vector with what the function returns on one axis."""
    if getattr(returned, "ndim", None) == 1 and getattr(wanted, "ndim", None) == 2:
        return wanted.reshape(-1)
    return wanted
