"""A derivation's file as Python statements, with what is no Python cut out and reported."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toymodels.errors import InputError

MOST_SYNTAX_ERRORS = 50


@dataclass(frozen=True)
class Mistake:
    """Lines that are no Python.

    Attributes
    ----------
    line : int
        Where the parser stopped.
    message : str
    text : str
        The lines that were cut out.
    """

    line: int
    message: str
    text: str


def read(file: Path) -> str:
    """Return the text of a Python file, in the encoding that it declares.

    Raises
    ------
    InputError
        When it is missing or is no text.
    """
    if not file.exists():
        raise InputError(f"{file}: no such file")
    if file.is_dir():
        raise InputError(f"{file}: is a folder; expected a Python file")
    try:
        with tokenize.open(file) as stream:
            return stream.read()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or error})") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputError(f"{file}:{_undecodable(file)}: expected UTF-8 text") from error


def _undecodable(file: Path) -> int:
    """Return the first line that is no UTF-8."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return 1


def parse(source: str, filename: str) -> tuple[ast.Module, list[Mistake]]:
    """Return the statements that are Python, and the mistakes in the order of their lines.

    Each mistake costs the smallest block of lines without which the parser gets further.

    Raises
    ------
    InputError
        When there are too many mistakes.
    """
    lines, mistakes = source.replace("\0", "\N{REPLACEMENT CHARACTER}").split("\n"), []
    for _ in range(MOST_SYNTAX_ERRORS):
        error = _first_error(lines, filename)
        if error is None:
            return ast.parse(_joined(lines), filename), sorted(mistakes, key=lambda x: x.line)
        at = _line_of(error, lines)
        first, last, filler = _cut(lines, at, filename)
        text = "\n".join(lines[first:last])
        mistakes.append(Mistake(at + 1, f"{type(error).__name__}: {error.msg}", text))
        lines[first:last] = [filler] + [""] * (last - first - 1)
    raise InputError(f"{Path(filename).name}: more than {MOST_SYNTAX_ERRORS} syntax errors")


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _first_error(lines: list[str], filename: str) -> SyntaxError | None:
    try:
        ast.parse(_joined(lines), filename)
    except SyntaxError as error:
        return error
    except (RecursionError, MemoryError, ValueError) as error:
        raise InputError(f"{Path(filename).name}: Python cannot parse it ({type(error).__name__})") from error
    return None


def _line_of(error: SyntaxError, lines: list[str]) -> int:
    """Return the index of the line to blame: a block without lines is its header's mistake."""
    header = re.search(r"expected an indented block after .* on line (\d+)", error.msg or "")
    line = int(header[1]) if header else error.lineno or 1
    return min(max(line, 1), len(lines)) - 1


def _cut(lines: list[str], at: int, filename: str) -> tuple[int, int, str]:
    """Return the smallest block around a line without which the first error is further down, and what replaces it."""
    for first, last in _blocks(lines, at):
        for filler in (" " * _indent(lines[first]) + "pass", ""):
            tried = [*lines[:first], filler, *[""] * (last - first - 1), *lines[last:]]
            error = _first_error(tried, filename)
            if error is None or _line_of(error, tried) >= last:
                return first, last, filler
    return 0, len(lines), ""


def _blocks(lines: list[str], at: int) -> Iterator[tuple[int, int]]:
    """Yield blocks of whole lines around a line, smallest first: those that start at it and further up."""
    least = max(map(_indent, lines))
    for first in range(at, -1, -1):
        if not lines[first].strip() or _indent(lines[first]) > least:
            continue
        least = _indent(lines[first])
        last = at + 1
        while last < len(lines) and _continues(lines[last], least):
            last += 1
        yield first, last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _continues(line: str, indent: int) -> bool:
    """Whether a line belongs to a block whose first line has this indentation."""
    return not line.strip() or _indent(line) > indent or line.lstrip()[0] in ")]}"
