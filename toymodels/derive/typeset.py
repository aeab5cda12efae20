"""LaTeX formulas as rows of pieces with rough widths, to see what fits a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
_RELATIONS = {"=", "<", ">", r"\le", r"\ge", r"\leq", r"\geq", r"\to", r"\ne", r"\neq"}
_OPERATORS = {"+", "-", r"\cdot", r"\odot", r"\times", r"\pm"}
_SPACES = {r"\,": 1.7, r"\;": 2.8, r"\:": 2.2, r"\quad": 10.0, r"\qquad": 20.0, r"\ ": 3.3, "~": 3.3}
_WORDS = {r"\operatorname", r"\mathrm", r"\text", r"\texttt", r"\mathtt", r"\mathbf", r"\mathbb",
          r"\mathit", r"\mathcal"}  # fmt: skip
_NAMES = {r"\log", r"\exp", r"\sin", r"\cos", r"\tan", r"\sinh", r"\cosh", r"\tanh", r"\max", r"\min",
          r"\det"}  # fmt: skip
LARGE = {r"\sum": 14.5, r"\int": 8.0, r"\prod": 13.0, r"\infty": 10.0, r"\nabla": 8.5, r"\lim": 13.0}
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
    return row_width(pieces(latex))


def row_width(row: Sequence[Piece]) -> float:
    """Return the width of a row, in points."""
    return sum(piece.width for piece in row)


def nesting(row: Row) -> int:
    """Return how deep fractions stand in fractions."""
    return max(
        ((piece.kind == "fraction") + nesting(part) for piece in row for part in piece.inside), default=0
    )


def _text_width(row: Row) -> float:
    """Return the width of a row above or below a line, where further fractions are small."""
    return sum(0.72 * piece.width if piece.kind == "fraction" else piece.width for piece in row)


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
        return fence(inside, tokens[at + 1], closing), close + 1
    if token in (r"\frac", r"\binom"):
        above, after = _argument(tokens, after)
        below, after = _argument(tokens, after)
        wide = max(map(_text_width, (above, below))) + 2.4
        return Piece(token, wide, "fraction" if token == r"\frac" else "atom", (above, below)), after
    if token == r"\sqrt" and after < len(tokens) and tokens[after] == "{":
        inside, after = _argument(tokens, after)
        return Piece(token, 8.5 + row_width(inside), "root", (inside,)), after
    if token in "^_":
        inside, after = _argument(tokens, after)
        return Piece(token, 0.7 * row_width(inside) + 0.5, "script", (inside,)), after
    if token == r"\begin":
        return _environment(tokens, at)
    if token in _WORDS:
        word, after = _verbatim(tokens, after)
        return Piece(token + word, 5.2 * len(re.sub(r"\\[a-zA-Z]+|[{}]", "", word)) + 1.7), after
    if token == "{":
        inside, after = _row(tokens, after, "}")
        return Piece("{", row_width(inside), "atom", (inside,)), after
    return single(token), after


def _argument(tokens: Sequence[str], at: int) -> tuple[Row, int]:
    """Read what stands in braces, or one token."""
    while at < len(tokens) and tokens[at].isspace():
        at += 1
    if at < len(tokens) and tokens[at] == "{":
        return _row(tokens, at + 1, "}")
    return (tuple(single(token) for token in tokens[at : at + 1])), at + 1


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


def single(token: str) -> Piece:
    """Return the piece that one token makes."""
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
    return Piece(token, LARGE.get(token, _NARROW.get(token, wide)))


def fence(inside: Row, opening: str = "(", closing: str = ")") -> Piece:
    """Return a row between delimiters."""
    return Piece(opening, row_width(inside) + 2 * delimiter(inside), "fence", (inside,), closing)


def delimiter(inside: Row) -> float:
    """Return the width of a delimiter around a row, which is as tall as the row."""
    return (
        7.5
        if any(x.kind == "fraction" or x.latex in LARGE or x.latex[:6] == r"\begin" for x in inside)
        else 4.8
    )


def plain(piece: Piece) -> str:
    """Return a piece as LaTeX."""
    parts = ["".join(map(plain, part)) for part in piece.inside]
    if piece.kind == "fence":
        return rf"\left{piece.latex} {parts[0]}\right{piece.closing} "
    if piece.latex == "{":
        return f"{{{parts[0]}}}"
    text = piece.latex + "".join(f"{{{part}}}" for part in parts)
    return f"{text} " if re.search(r"\\[a-zA-Z]+$", text) else text
