"""Matrices made of blocks, such as stacked weights [W1ᵀ; W2]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from toymodels.derive.expressions import Matrix, ShapeError, Size, show_shape
from toymodels.errors import InputError


class Blocks(Matrix):
    """Matrices side by side (`HStack`) or one above the other (`VStack`)."""

    def _rows(self) -> list[Sequence[Matrix]]:
        rows = self.args if isinstance(self, VStack) else (self,)
        return [row.args if isinstance(row, HStack) else (row,) for row in rows]

    def _sympystr(self, printer: Any) -> str:
        return "[" + "; ".join(", ".join(map(printer._print, row)) for row in self._rows()) + "]"

    def _latex(self, printer: Any) -> str:
        body = r" \\ ".join(" & ".join(map(printer._print, row)) for row in self._rows())
        return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"


class HStack(Blocks):
    """Matrices side by side."""

    @property
    def shape(self) -> tuple[Size, Size]:
        return self.args[0].shape[0], sp.Add(*(matrix.shape[1] for matrix in self.args))


class VStack(Blocks):
    """Matrices one above the other."""

    @property
    def shape(self) -> tuple[Size, Size]:
        return sp.Add(*(matrix.shape[0] for matrix in self.args)), self.args[0].shape[1]


def block(rows: Sequence[Sequence[Matrix]]) -> Matrix:
    """Return the matrix of blocks, as ``block([[A, B], [B.T, C]])`` or ``block([[W1.T], [W2]])``.

    Examples
    --------
    >>> from toymodels.derive import Derivation
    >>> D = Derivation("stacked weights")
    >>> m, d, c = D.sizes("m d c")
    >>> block([[D.matrix("W1", m, d).T], [D.matrix("W2", c, m)]]).shape
    (c + d, m)
    """
    listed = [list(row) for row in rows]
    if not listed or not all(listed) or not all(isinstance(x, Matrix) for row in listed for x in row):
        raise InputError("block: expected rows of matrices, as block([[A, B], [C, D]])")
    for row in listed:
        if len({matrix.shape[0] for matrix in row}) > 1:
            raise ShapeError(f"block: shapes {_shapes(row)} do not stand side by side")
    beside = [row[0] if len(row) == 1 else HStack(*row) for row in listed]
    if len({matrix.shape[1] for matrix in beside}) > 1:
        raise ShapeError(f"block: rows of shapes {_shapes(beside)} do not stand one above the other")
    return beside[0] if len(beside) == 1 else VStack(*beside)


def _shapes(matrices: Sequence[Matrix]) -> str:
    return ", ".join(show_shape(matrix.shape) for matrix in matrices)
