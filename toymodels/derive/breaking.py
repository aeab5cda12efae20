"""Break LaTeX formulas into lines that fit a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from toymodels.derive.typeset import (
    LARGE,
    Piece,
    Row,
    delimiter,
    fence,
    nesting,
    pieces,
    plain,
    row_width,
    single,
)

WIDTH = 290.0
"""Room for a formula beside its number, in points: an article's text is 345 wide."""
INDENT = 20.0
"""Of a line that goes on, in points."""


def shallow(latex: str) -> str:
    """Return a formula without fractions three deep, which are too small to read.

    Examples
    --------
    >>> print(shallow(r"\\frac{\\frac{1}{\\frac{a}{b}}}{c}"))
    \\frac{1}{c}\\frac{1}{\\frac{a}{b}}
    """
    row = pieces(latex)
    if nesting(row) <= 2:
        return latex
    return "".join(map(plain, _narrowed(row, math.inf))).strip()


def broken(latex: str, first: float = WIDTH, rest: float = WIDTH - INDENT) -> list[str]:
    """Return a formula as lines, broken before its outermost operators.

    Parameters
    ----------
    latex : str
    first, rest : float
        Room on the first line, and on the others, in points.

    Examples
    --------
    >>> broken("a + b")
    ['a + b']
    >>> broken(r"\\left(a + b + c\\right) d", first=40, rest=40)
    ['\\\\bigl(a + b', '+ c\\\\bigr) d']
    """
    row = pieces(latex)
    if row_width(row) <= first:
        return [latex.strip()]
    flat = list(_flat(_narrowed(row, min(first, rest)), 0))
    return _printed(flat, _starts(flat, first, rest))


def _narrowed(row: Row, room: float) -> Row:
    """Write what is too wide in a form that can be broken: fractions, roots and exponentials as fences."""
    out: list[Piece] = []
    for k, piece in enumerate(row):
        if piece.kind == "script" and piece.width > 0.6 * room and k and out[-1].latex == "e":
            out[-1:] = [Piece(r"\exp", 20.0), fence(_narrowed(piece.inside[0], room))]
        elif piece.kind == "fence":
            out.append(fence(_narrowed(piece.inside[0], room), piece.latex, piece.closing))
        elif piece.kind == "fraction" and (piece.width > 0.8 * room or nesting((piece,)) > 2):
            above, below = (_narrowed(part, room) for part in piece.inside)
            out += _quotient(above, below, room)
        elif piece.kind == "root" and piece.width > 0.8 * room:
            half = tuple(single(token) for token in "1/2")
            out += [fence(_narrowed(piece.inside[0], room)), Piece("^", 10.0, "script", (half,))]
        else:
            out.append(piece)
    return tuple(out)


def _quotient(above: Row, below: Row, room: float) -> Row:
    """Write a fraction as a factor before what it divides, or with the power -1."""
    is_sum = any(piece.kind in ("operator", "relation") for piece in above)
    dividend = (fence(above),) if is_sum else above
    if row_width(below) <= 0.4 * room and nesting(below) == 0:
        one = (single("1"),)
        return (Piece(r"\frac", row_width(below) + 2.4, "fraction", (one, below)), *dividend)
    minus_one = tuple(single(token) for token in "-1")
    return (*dividend, fence(below), Piece("^", 10.0, "script", (minus_one,)))


@dataclass(frozen=True)
class _Flat:
    """A piece with its depth in fences; a fence is two, with the same number."""

    piece: Piece
    depth: int
    fence: int = 0


def _flat(row: Row, depth: int, counter: Iterator[int] | None = None) -> Iterator[_Flat]:
    counter = iter(range(1, 10**6)) if counter is None else counter
    for piece in row:
        if piece.kind != "fence":
            yield _Flat(piece, depth)
            continue
        number, (inside,) = next(counter), piece.inside
        half = delimiter(inside)
        yield _Flat(replace(piece, kind="open", width=half), depth, number)
        yield from _flat(inside, depth + 1, counter)
        yield _Flat(replace(piece, kind="close", width=half), depth, number)


def _starts(flat: Sequence[_Flat], first: float, rest: float) -> list[int]:
    """Return where lines start: at the outermost operators, and of those at the last that fits."""
    starts, begin, room = [0], 0, first
    ranks = [_rank(flat, k) for k in range(len(flat))]
    while sum(x.piece.width for x in flat[begin:]) > room:
        reached, fitting = 0.0, []
        for k in range(begin, len(flat)):
            if k > begin and reached > 0.3 * room and ranks[k] is not None:
                fitting.append(k)
            reached += flat[k].piece.width
            if reached > room and fitting:
                break
        if not fitting:
            break
        begin = min(fitting, key=lambda k: (ranks[k], -k))
        starts.append(begin)
        room = rest
    return starts


def _rank(flat: Sequence[_Flat], k: int) -> tuple[int, int] | None:
    """Return how bad a break before a piece is, or None where there can be none."""
    before = [x.piece for x in flat[max(0, k - 2) : k] if x.piece.kind != "space"]
    if not before:
        return None
    piece, last = flat[k].piece, before[-1]
    if last.kind == "comma":
        return flat[k].depth, 1
    if last.kind in ("operator", "relation", "open"):
        return None
    if piece.kind in ("operator", "relation"):
        return flat[k].depth, 0
    ends = last.kind == "close" or (last.kind == "script" and piece.kind == "open")
    return (flat[k].depth, 2) if ends and piece.kind in ("open", "atom", "fraction") else None


def _printed(flat: Sequence[_Flat], starts: Sequence[int]) -> list[str]:
    lines = []
    straddling = _straddling(flat, starts)
    for begin, end in zip(starts, [*starts[1:], len(flat)], strict=True):
        text = "".join(_latex(x, straddling) for x in flat[begin:end]).strip()
        rank = _rank(flat, begin)
        times = rank is not None and rank[1] == 2
        lines.append(rf"\cdot {text}" if times else text)
    return lines


def _straddling(flat: Sequence[_Flat], starts: Sequence[int]) -> dict[int, str]:
    """Return the fences that hold a break, with the size that both of their halves need."""
    sizes = {}
    for k, x in enumerate(flat):
        if x.piece.kind == "open":
            end = next(j for j in range(k, len(flat)) if flat[j].fence == x.fence and j > k)
            if any(k < start <= end for start in starts):
                tall = any(y.piece.kind == "fraction" or y.piece.latex in LARGE for y in flat[k:end])
                sizes[x.fence] = r"\Bigg" if tall else r"\big"
    return sizes


def _latex(x: _Flat, straddling: dict[int, str]) -> str:
    piece = x.piece
    if piece.kind in ("open", "close"):
        delimiter, side = (piece.latex, "l") if piece.kind == "open" else (piece.closing, "r")
        fixed = straddling.get(x.fence)
        name = {"l": r"\left", "r": r"\right"}[side] if fixed is None else fixed + side
        return name + delimiter + (" " if delimiter[-1].isalpha() else "")
    return plain(piece)
