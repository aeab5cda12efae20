"""Run a derivation's file statement by statement, so that one mistake does not hide the rest."""

from __future__ import annotations

import ast
import builtins
import linecache
import sys
import traceback
import types
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toymodels.derive.derivation import Derivation
from toymodels.derive.lines import Broken, Place
from toymodels.errors import InputError

USER_PREFIX = "toymodels_derivation_"
MOST_SYNTAX_ERRORS = 50


@dataclass
class Loaded:
    """A file and the derivations that it writes.

    Attributes
    ----------
    path : Path
    derivations : list of Derivation
        Mistakes stand among their lines, where they were made.
    """

    path: Path
    derivations: list[Derivation] = field(default_factory=list)


def load_file(path: str | Path) -> Loaded:
    """Run a file and return its derivations.

    Raises
    ------
    InputError
        When the file is missing or cannot be read.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read ({error})") from error
    return _Run(file, source).everything()


class _Run:
    """One run of a file."""

    def __init__(self, file: Path, source: str):
        self.file, self.source = file, source
        self.filename = str(file.resolve())
        self.module = types.ModuleType(f"{USER_PREFIX}{file.stem}")
        self.module.__file__ = self.filename
        self.names: dict[str, Any] = vars(self.module)
        self.mistakes: list[tuple[int, str]] = []
        self.strays: Derivation | None = None

    def everything(self) -> Loaded:
        linecache.checkcache(self.filename)
        tree = self._parsed()
        with _quiet(self.module, self.file.resolve().parent):
            for statement in tree.body:
                self._statement(statement)
        for line, message in self.mistakes:
            self._report(line, message)
        found = self._derivations()
        if not found:
            raise InputError(f"{self.file}: holds no derivation, as D = Derivation(...)")
        return Loaded(self.file, found)

    def _parsed(self) -> ast.Module:
        """Parse the file; a statement that is no Python is left out and reported."""
        lines = self.source.splitlines()
        for _ in range(MOST_SYNTAX_ERRORS):
            try:
                return ast.parse("\n".join(lines) + "\n", self.filename)
            except SyntaxError as error:
                at = min(max(error.lineno or 1, 1), len(lines))
                self.mistakes.append((at, f"SyntaxError: {error.msg}"))
                first, last = _statement_around(lines, at - 1)
                lines[first:last] = [""] * (last - first)
        raise InputError(f"{self.file}: more than {MOST_SYNTAX_ERRORS} syntax errors")

    def _statement(self, statement: ast.stmt) -> None:
        plain = isinstance(statement, ast.With) and len(statement.items) == 1
        if plain and statement.items[0].optional_vars is None:  # type: ignore[attr-defined]
            self._block(statement)  # type: ignore[arg-type]
        else:
            self._guarded(lambda: self._execute(ast.Module([statement], [])), statement)

    def _execute(self, tree: Any) -> None:
        exec(compile(tree, self.filename, "exec"), self.names)

    def _block(self, block: ast.With) -> None:
        """Enter a with-block, and run what stands in it statement by statement."""
        manager: list[Any] = []

        def enter() -> None:
            code = compile(ast.Expression(block.items[0].context_expr), self.filename, "eval")
            value = eval(code, self.names)
            value.__enter__()
            manager.append(value)

        self._guarded(enter, block)
        if manager:
            for statement in block.body:
                self._statement(statement)
            self._guarded(lambda: manager[0].__exit__(None, None, None), block)

    def _guarded(self, action: Any, statement: ast.stmt) -> None:
        try:
            action()
        except (Exception, SystemExit) as error:
            self._report(self._line_of(error, statement.lineno), _message(error))

    def _line_of(self, error: BaseException, default: int) -> int:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame.lineno for frame in frames if frame.filename == self.filename and frame.lineno]
        return own[-1] if own else default

    def _report(self, line: int, message: str) -> None:
        """Put a mistake among the lines of the derivation that it stands in."""
        owner = self._owner(line)
        broken = Broken(Place(self.filename, line), "", message)
        after = [k for k, x in enumerate(owner.lines) if x.place.line > line]
        owner.lines.insert(after[0] if after else len(owner.lines), broken)

    def _owner(self, line: int) -> Derivation:
        before = [x for x in self._derivations() if x is not self.strays and x.place.line <= line]
        if before:
            return before[-1]
        if self.strays is None:
            self.strays = Derivation(f"Lines of {self.file.name} outside a derivation")
        return self.strays

    def _derivations(self) -> list[Derivation]:
        values = dict.fromkeys(x for x in self.names.values() if isinstance(x, Derivation))
        own = [x for x in values if x.place.file == self.filename]
        ordered = sorted(own, key=lambda x: x.place.line)
        return ([self.strays] if self.strays is not None else []) + ordered


def _statement_around(lines: list[str], at: int) -> tuple[int, int]:
    """Return the first and last line of the top-level statement around a line."""

    def starts(k: int) -> bool:
        return bool(lines[k].strip()) and not lines[k][0].isspace() and lines[k][0] not in ")]}#"

    first = at
    while first > 0 and not starts(first):
        first -= 1
    last = at + 1
    while last < len(lines) and not starts(last):
        last += 1
    return first, last


def _message(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else ""
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"


@contextmanager
def _quiet(module: types.ModuleType, folder: Path) -> Any:
    """Let the file import its neighbours, and leave nothing behind."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(folder))
    module.__dict__.setdefault("__builtins__", builtins)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = before
