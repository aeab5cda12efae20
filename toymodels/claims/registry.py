"""Where claims live: theorem modules, plug-ins and users' files."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections import Counter
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from toymodels.claims.claim import USER_PREFIX, Claim
from toymodels.errors import InputError
from toymodels.validation import nearest

ENTRY_POINT = "toymodels.claims"
"""Group under which other distributions register modules of claims."""


def claims_in(module: ModuleType) -> list[Claim]:
    """Return the claims that a module defines, in order of definition."""
    own = [value for value in vars(module).values() if isinstance(value, Claim)]
    return [claim for claim in own if claim.function.__module__ == module.__name__]


@cache
def theorem_modules() -> dict[str, ModuleType]:
    """Return the theorem modules by short name.

    They are found through entry points, our own as well as other
    distributions'; an entry point names a module, or a package of modules.
    """
    modules: dict[str, ModuleType] = {}
    for point in sorted(entry_points(group=ENTRY_POINT), key=lambda point: point.name):
        loaded = _load(point)
        for info in pkgutil.iter_modules(getattr(loaded, "__path__", ())):
            modules[info.name] = importlib.import_module(f"{loaded.__name__}.{info.name}")
        if not hasattr(loaded, "__path__"):
            modules[point.name] = loaded
    return modules


def _load(point: EntryPoint) -> ModuleType:
    try:
        return point.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {_first_line(error)}"
        raise InputError(f"plug-in {point.name} ({point.value}): {reason}") from error


@cache
def all_claims() -> tuple[Claim, ...]:
    """Return every installed claim."""
    return tuple(claim for module in theorem_modules().values() for claim in claims_in(module))


def load_file(path: str | Path) -> list[Claim]:
    """Return the claims of a user's file.

    Raises
    ------
    InputError
        When the file is missing, raises while it is loaded, or holds no claim.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    name = f"{USER_PREFIX}{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file}: expected a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        where = _line_in(file, error)
        raise InputError(f"{file}{where}: {type(error).__name__}: {_first_line(error)}") from error
    finally:
        sys.dont_write_bytecode = before
    claims = claims_in(module)
    if not claims:
        raise InputError(f"{file}: holds no claim, a function decorated with a kind of toymodels.claims")
    return [_renamed(claim, file.stem) for claim in claims]


def _renamed(claim: Claim, stem: str) -> Claim:
    object.__setattr__(claim, "module", stem)
    return claim


def _line_in(file: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f":{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file.resolve()]
    return f":{lines[-1]}" if lines else ""


def _first_line(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return text.splitlines()[0] if text else ""


def find(what: str | None = None) -> list[Claim]:
    """Return the claims that a name means: a claim, a theorem module, a card, a family or a file.

    The kinds are tried in that order; a bare function name that two modules
    share is an error.
    """
    claims = all_claims()
    if what is None:
        return list(claims)
    if what.endswith(".py"):
        return load_file(what)
    for matches in _readings(what, claims):
        if matches:
            return matches
    known = {claim.name for claim in claims} | set(theorem_modules()) | cards() | families()
    raise InputError(f"unknown claim, theorem module, card or family {what!r}{nearest(what, known)}")


def _readings(what: str, claims: tuple[Claim, ...]) -> list[list[Claim]]:
    named = [claim for claim in claims if what in (claim.name, claim.function.__name__)]
    modules = Counter(claim.module for claim in named)
    if len(modules) > 1 and all(claim.name != what for claim in named):
        homes = ", ".join(sorted(claim.name for claim in named))
        raise InputError(f"{what!r} is ambiguous: {homes}")
    return [
        named,
        [claim for claim in claims if what in claim.label.split("; ")],
        [claim for claim in claims if claim.module == what],
        [claim for claim in claims if what in claim.cards],
        [claim for claim in claims if what == family_of(claim)],
    ]


def family_of(claim: Claim) -> str:
    """Return the family that a claim's module names."""
    return getattr(sys.modules[claim.function.__module__], "FAMILY", "")


def cards() -> set[str]:
    """Return the cards that installed claims are labelled with."""
    return {card for claim in all_claims() for card in claim.cards}


def families() -> set[str]:
    """Return the families that installed claims belong to."""
    return {family_of(claim) for claim in all_claims()} - {""}
