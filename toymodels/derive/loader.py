"""Run a derivation's file statement by statement, so that one mistake does not hide the rest."""

from __future__ import annotations

import ast
import builtins
import linecache
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toymodels.derive.derivation import Derivation, collecting
from toymodels.derive.lines import Broken, Place
from toymodels.derive.source import Mistake, parse, read
from toymodels.errors import InputError

USER_PREFIX = "toymodels_derivation_"

_BEING_LOADED: list[Path] = []


@dataclass
class Loaded:
    """A file and the derivations that it writes.

    Attributes
    ----------
    path : Path
    derivations : list of Derivation
        In the order in which they are begun; mistakes stand among their lines, where they were made.
    """

    path: Path
    derivations: list[Derivation] = field(default_factory=list)


def load_file(path: str | Path) -> Loaded:
    """Run a file and return its derivations.

    Raises
    ------
    InputError
        When the file is missing, is no text, cites itself, or holds neither a
        derivation nor a mistake that could have been one.
    """
    file = Path(path)
    source, resolved = read(file), file.resolve()
    if resolved in _BEING_LOADED:
        raise InputError(f"{file}: cites itself, directly or through another file")
    _BEING_LOADED.append(resolved)
    try:
        return _Run(file, source).everything()
    finally:
        _BEING_LOADED.remove(resolved)


class _Run:
    """One run of a file."""

    def __init__(self, file: Path, source: str):
        self.file, self.source = file, source
        self.filename = str(file.resolve())
        self.module = types.ModuleType(f"{USER_PREFIX}{file.stem}")
        self.module.__file__ = self.filename
        self.names: dict[str, Any] = vars(self.module)
        self.lost: dict[str, int] = {}
        self.unread: list[Mistake] = []
        self.begun: list[Derivation] = []
        self.imported: list[Derivation] = []
        self.early: list[Broken] = []

    def everything(self) -> Loaded:
        linecache.checkcache(self.filename)
        tree, self.unread = parse(self.source, self.filename)
        self.module.__doc__ = ast.get_docstring(tree)
        with _as_module(self.module, self.file.resolve().parent), collecting() as self.begun:
            for statement in tree.body:
                self._statement(statement)
        self._report_unread(before=sys.maxsize)
        return Loaded(self.file, self._derivations())

    def _derivations(self) -> list[Derivation]:
        """Return the file's own derivations, those of its neighbours that it adds lines to included."""
        continued = [x for x in self.imported if any(line.place.file == self.filename for line in x.lines)]
        found = [*continued, *self.begun]
        if not found and self.early:
            found = [Derivation(f"Lines of {self.file.name} outside a derivation", source="")]
        if not found:
            raise InputError(f"{self.file}: holds no derivation, as D = Derivation(...)")
        found[0].lines[:0] = self.early
        return found

    def _statement(self, statement: ast.stmt) -> None:
        self._report_unread(before=statement.lineno)
        if isinstance(statement, ast.With) and all(map(_is_case, statement.items)):
            self._cases(statement)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            with collecting() as begun:
                self._guarded(lambda: self._execute(statement), statement)
            self.imported += begun
        else:
            self._guarded(lambda: self._execute(statement), statement)

    def _execute(self, statement: ast.stmt) -> None:
        exec(compile(ast.Module([statement], []), self.filename, "exec"), self.names)

    def _cases(self, block: ast.With) -> None:
        """Enter the cases of a with-block, and run what stands in it statement by statement."""
        entered: list[Any] = []

        def enter() -> None:
            for item in block.items:
                code = compile(ast.Expression(item.context_expr), self.filename, "eval")
                case = eval(code, self.names)
                case.__enter__()
                entered.append(case)

        if self._guarded(enter, block):
            for statement in block.body:
                self._statement(statement)
        for case in reversed(entered):
            case.__exit__(None, None, None)

    def _guarded(self, action: Callable[[], None], statement: ast.stmt) -> bool:
        """Run an action; where it raises, report it, and forget the names that it should have set."""
        try:
            action()
        except (Exception, SystemExit) as error:
            for name in _names_set_by(statement):
                self.names.pop(name, None)
                self.lost[name] = statement.lineno
            message = self._message(error) + _what_did_not_run(statement)
            self._report(self._line_of(error, statement.lineno), message, statement)
            return False
        for name in _names_set_by(statement):
            self.lost.pop(name, None)
        return True

    def _message(self, error: BaseException) -> str:
        mine = isinstance(error, SyntaxError) and error.filename == self.filename
        text = str(error.msg if mine else error).partition("\n")[0]  # type: ignore[attr-defined]
        if isinstance(error, NameError) and error.name in self.lost:
            return f"{error.name} is not defined: line {self.lost[error.name]}, which sets it, failed"
        if isinstance(error, InputError):
            return text
        return f"{type(error).__name__}: {text}" if text else type(error).__name__

    def _line_of(self, error: BaseException, default: int) -> int:
        if isinstance(error, SyntaxError) and error.filename == self.filename and error.lineno:
            return error.lineno
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame.lineno for frame in frames if frame.filename == self.filename and frame.lineno]
        return own[-1] if own else default

    def _report_unread(self, before: int) -> None:
        """Report the lines above a statement that are no Python."""
        while self.unread and self.unread[0].line < before:
            mistake = self.unread.pop(0)
            if setting := re.match(r"\s*(?:def\s+|class\s+)?(\w+)\s*[=(:]", mistake.text):
                self.names.pop(setting[1], None)
                self.lost[setting[1]] = mistake.line
            self._report(mistake.line, mistake.message, mistake.text)

    def _report(self, line: int, message: str, within: ast.stmt | str) -> None:
        """Put a mistake among the lines of the derivation that it belongs to."""
        broken = Broken(Place(self.filename, line), "", message)
        owner = self._owner(within)
        (self.early if owner is None else owner.lines).append(broken)

    def _owner(self, within: ast.stmt | str) -> Derivation | None:
        """Return the derivation that the lines name, else the last one begun."""
        if isinstance(within, str):
            named = re.findall(r"\w+", within)
        else:
            named = [node.id for node in ast.walk(within) if isinstance(node, ast.Name)]
        values = [self.names[name] for name in named if isinstance(self.names.get(name), Derivation)]
        own = [x for x in values if any(x is mine for mine in (*self.begun, *self.imported))]
        return own[0] if own else next(reversed(self.begun), None)


def _is_case(item: ast.withitem) -> bool:
    """Whether a with-block enters a case of a derivation, as ``with D.case(x > 0)``."""
    call = item.context_expr
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "case"


def _names_set_by(statement: ast.stmt) -> set[str]:
    """Return the names that a statement sets, those inside of a case block excepted."""
    if isinstance(statement, ast.With) and all(map(_is_case, statement.items)):
        return set()
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    nodes = ast.walk(statement)
    return {x.id for x in nodes if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}


def _what_did_not_run(statement: ast.stmt) -> str:
    if isinstance(statement, ast.With) and all(map(_is_case, statement.items)):
        return " (the steps of this case were not run)"
    if isinstance(statement, (ast.With, ast.For, ast.While, ast.If, ast.Try)):
        return " (the rest of this block was not run)"
    return ""


@contextmanager
def _as_module(module: types.ModuleType, folder: Path) -> Iterator[None]:
    """Let the file import its neighbours, and forget them: the next file has neighbours of its own."""
    bytecode, path, known = sys.dont_write_bytecode, list(sys.path), set(sys.modules)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))
    sys.modules[module.__name__] = module
    module.__dict__.setdefault("__builtins__", builtins)
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.path[:] = bytecode, path
        neighbours = {file.stem for file in folder.glob("*.py")} | {
            file.parent.name for file in folder.glob("*/__init__.py")
        }
        for name in set(sys.modules) - known:
            top = name.partition(".")[0]
            if top in neighbours - known or name == module.__name__:
                del sys.modules[name]
