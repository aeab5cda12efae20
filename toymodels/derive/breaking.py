"""Break LaTeX formulas into lines that fit a page: a tokenizer with rough widths, and a choice of breaks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

WIDTH = 290.0
"""Room for a formula beside its number, in points: an article's text is 345 wide."""
INDENT = 20.0
"""Of a line that goes on, in points."""

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
_RELATIONS = {"=", "<", ">", r"\le", r"\ge", r"\leq", r"\geq", r"\to", r"\ne", r"\neq"}
_OPERATORS = {"+", "-", r"\cdot", r"\odot", r"\times", r"\pm"}
_SPACES = {r"\,": 1.7, r"\;": 2.8, r"\:": 2.2, r"\quad": 10.0, r"\qquad": 20.0, r"\ ": 3.3, "~": 3.3}
_WORDS = {r"\operatorname", r"\mathrm", r"\text", r"\texttt", r"\mathtt", r"\mathbf", r"\mathbb",
          r"\mathit", r"\mathcal"}  # fmt: skip
_NAMES = {r"\log", r"\exp", r"\sin", r"\cos", r"\tan", r"\sinh", r"\cosh", r"\tanh", r"\max", r"\min",
          r"\det"}  # fmt: skip
_LARGE = {r"\sum": 14.5, r"\int": 8.0, r"\prod": 13.0, r"\infty": 10.0, r"\nabla": 8.5, r"\lim": 13.0}
_NARROW = dict.fromkeys(".,;:|!'ijlI[]()", 3.9)


@dataclass(frozen=True)
class Piece:
    """A part of a formula that is not broken inside, or a fence with what stands in it.

    Attributes
    ----------
    latex : str
        Of a fence, its opening delimiter.
    width : float
        In points.
    kind : {"atom", "operator", "relation", "comma", "script", "space", "fence", "fraction", "root"}
    inside : tuple of rows
        Of a fence or root one row; of a fraction two.
    closing : str
        Closing delimiter of a fence.
    """

    latex: str
    width: float
    kind: str = "atom"
    inside: tuple[tuple[Piece, ...], ...] = ()
    closing: str = ""


Row = tuple[Piece, ...]


def width(latex: str) -> float:
    """Return about how wide a formula is in print, in points.

    Examples
    --------
    >>> width("x") < width("x + y") < width(r"\\frac{x + y + z}{2}")
    True
    """
    return _width(pieces(latex))


def _width(row: Sequence[Piece]) -> float:
    return sum(piece.width for piece in row)


def shallow(latex: str) -> str:
    """Return a formula without fractions three deep, which are too small to read.

    Examples
    --------
    >>> print(shallow(r"\\frac{\\frac{1}{\\frac{a}{b}}}{c}"))
    \\frac{1}{c}\\frac{1}{\\frac{a}{b}}
    """
    row = pieces(latex)
    if _nesting(row) <= 2:
        return latex
    return "".join(map(_plain, _narrowed(row, math.inf))).strip()


def _nesting(row: Row) -> int:
    """Return how deep fractions stand in fractions."""
    return max(
        ((piece.kind == "fraction") + _nesting(part) for piece in row for part in piece.inside), default=0
    )


def _text_width(row: Row) -> float:
    """Return the width of a row above or below a line, where further fractions are small."""
    return sum(0.72 * piece.width if piece.kind == "fraction" else piece.width for piece in row)


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
    if _width(row) <= first:
        return [latex.strip()]
    flat = list(_flat(_narrowed(row, min(first, rest)), 0))
    return _printed(flat, _starts(flat, first, rest))


def pieces(latex: str) -> Row:
    """Return a formula as a row of pieces."""
    row, _ = _row(_TOKEN.findall(latex), 0, "")
    return row


def _row(tokens: Sequence[str], at: int, end: str) -> tuple[Row, int]:
    """Read pieces up to the token `end`; return them and the place after it."""
    row: list[Piece] = []
    while at < len(tokens) and tokens[at] != end:
        piece, at = _piece(tokens, at)
        row.append(piece)
    return tuple(row), at + 1


def _piece(tokens: Sequence[str], at: int) -> tuple[Piece, int]:
    token, after = tokens[at], at + 1
    if token == r"\left":
        inside, close = _row(tokens, at + 2, r"\right")
        closing = tokens[close] if close < len(tokens) else "."
        return _fence(inside, tokens[at + 1], closing), close + 1
    if token in (r"\frac", r"\binom"):
        above, after = _argument(tokens, after)
        below, after = _argument(tokens, after)
        wide = max(map(_text_width, (above, below))) + 2.4
        return Piece(token, wide, "fraction" if token == r"\frac" else "atom", (above, below)), after
    if token == r"\sqrt" and after < len(tokens) and tokens[after] == "{":
        inside, after = _argument(tokens, after)
        return Piece(token, 8.5 + _width(inside), "root", (inside,)), after
    if token in "^_":
        inside, after = _argument(tokens, after)
        return Piece(token, 0.7 * _width(inside) + 0.5, "script", (inside,)), after
    if token == r"\begin":
        return _environment(tokens, at)
    if token in _WORDS:
        word, after = _verbatim(tokens, after)
        return Piece(token + word, 5.2 * len(re.sub(r"\\[a-zA-Z]+|[{}]", "", word)) + 1.7), after
    if token == "{":
        inside, after = _row(tokens, after, "}")
        return Piece("{", _width(inside), "atom", (inside,)), after
    return _single(token), after


def _argument(tokens: Sequence[str], at: int) -> tuple[Row, int]:
    """Read what stands in braces, or one token."""
    while at < len(tokens) and tokens[at].isspace():
        at += 1
    if at < len(tokens) and tokens[at] == "{":
        return _row(tokens, at + 1, "}")
    return (tuple(_single(token) for token in tokens[at : at + 1])), at + 1


def _verbatim(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """Read what stands in braces as it is."""
    _, after = _argument(tokens, at)
    return "".join(tokens[at:after]), after


def _environment(tokens: Sequence[str], at: int) -> tuple[Piece, int]:
    """Read cases or a matrix, which are not broken; a column is as wide as its widest cell."""
    after, depth = at, 0
    while after < len(tokens):
        depth += (tokens[after] == r"\begin") - (tokens[after] == r"\end")
        after += 1
        if depth == 0:
            break
    after = _verbatim(tokens, after)[1]
    text = "".join(tokens[at:after])
    body = text.partition("}")[2].rpartition(r"\end")[0]
    cells = [[width(cell) for cell in row.split("&")] for row in body.split(r"\\")]
    columns = [max(column) for column in zip_longest(*cells, fillvalue=0.0)]
    return Piece(text, 10.0 * len(columns) + sum(columns)), after


def _single(token: str) -> Piece:
    if token in _RELATIONS:
        return Piece(token, 13.5, "relation")
    if token in _OPERATORS:
        return Piece(token, 12.3, "operator")
    if token == ",":
        return Piece(token, 4.6, "comma")
    if token.isspace():
        return Piece(" ", 0.0, "space")
    if token in _SPACES:
        return Piece(token, _SPACES[token], "space")
    if token in _NAMES:
        return Piece(token, 5.2 * (len(token) - 1) + 1.7)
    wide = 7.8 if token.isupper() else 5.6
    return Piece(token, _LARGE.get(token, _NARROW.get(token, wide)))


def _narrowed(row: Row, room: float) -> Row:
    """Write what is too wide in a form that can be broken: fractions, roots and exponentials as fences."""
    out: list[Piece] = []
    for k, piece in enumerate(row):
        if piece.kind == "script" and piece.width > 0.6 * room and k and out[-1].latex == "e":
            out[-1:] = [Piece(r"\exp", 20.0), _fence(_narrowed(piece.inside[0], room))]
        elif piece.kind == "fence":
            out.append(_fence(_narrowed(piece.inside[0], room), piece.latex, piece.closing))
        elif piece.kind == "fraction" and (piece.width > 0.8 * room or _nesting((piece,)) > 2):
            above, below = (_narrowed(part, room) for part in piece.inside)
            out += _quotient(above, below, room)
        elif piece.kind == "root" and piece.width > 0.8 * room:
            half = tuple(_single(token) for token in "1/2")
            out += [_fence(_narrowed(piece.inside[0], room)), Piece("^", 10.0, "script", (half,))]
        else:
            out.append(piece)
    return tuple(out)


def _quotient(above: Row, below: Row, room: float) -> Row:
    """Write a fraction as a factor before what it divides, or with a slash."""
    is_sum = any(piece.kind in ("operator", "relation") for piece in above)
    dividend = (_fence(above),) if is_sum else above
    if _width(below) <= 0.4 * room and _nesting(below) == 0:
        one = (_single("1"),)
        return (Piece(r"\frac", _width(below) + 2.4, "fraction", (one, below)), *dividend)
    return (*dividend, _single("/"), _fence(below))


def _fence(inside: Row, opening: str = "(", closing: str = ")") -> Piece:
    return Piece(opening, _width(inside) + 2 * _delimiter(inside), "fence", (inside,), closing)


def _delimiter(inside: Row) -> float:
    """Return the width of a delimiter around a row, which is as tall as the row."""
    return (
        7.5
        if any(x.kind == "fraction" or x.latex in _LARGE or x.latex[:6] == r"\begin" for x in inside)
        else 4.8
    )


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
        half = _delimiter(inside)
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
    if last.kind in ("operator", "relation", "open") or last.latex == "/":
        return None
    if piece.latex == "/":
        return flat[k].depth, 2
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
        times = rank is not None and rank[1] == 2 and text[0] != "/"
        lines.append(rf"\cdot {text}" if times else text)
    return lines


def _straddling(flat: Sequence[_Flat], starts: Sequence[int]) -> dict[int, str]:
    """Return the fences that hold a break, with the size that both of their halves need."""
    sizes = {}
    for k, x in enumerate(flat):
        if x.piece.kind == "open":
            end = next(j for j in range(k, len(flat)) if flat[j].fence == x.fence and j > k)
            if any(k < start <= end for start in starts):
                tall = any(y.piece.kind == "fraction" or y.piece.latex in _LARGE for y in flat[k:end])
                sizes[x.fence] = r"\Bigg" if tall else r"\big"
    return sizes


def _latex(x: _Flat, straddling: dict[int, str]) -> str:
    piece = x.piece
    if piece.kind in ("open", "close"):
        delimiter, side = (piece.latex, "l") if piece.kind == "open" else (piece.closing, "r")
        fixed = straddling.get(x.fence)
        name = {"l": r"\left", "r": r"\right"}[side] if fixed is None else fixed + side
        return name + delimiter + (" " if delimiter[-1].isalpha() else "")
    return _plain(piece)


def _plain(piece: Piece) -> str:
    """Return a piece as LaTeX."""
    parts = ["".join(map(_plain, part)) for part in piece.inside]
    if piece.kind == "fence":
        return rf"\left{piece.latex} {parts[0]}\right{piece.closing} "
    if piece.latex == "{":
        return f"{{{parts[0]}}}"
    text = piece.latex + "".join(f"{{{part}}}" for part in parts)
    return f"{text} " if re.search(r"\\[a-zA-Z]+$", text) else text
