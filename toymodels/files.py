"""Files written whole or not at all: under a temporary name, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from toymodels.errors import InputError

Writer = Callable[[IO[bytes]], object]


def write_whole(writers: Mapping[Path, Writer], argument: str = "path") -> None:
    """Write several files, all or none of them.

    Parameters
    ----------
    writers : mapping of Path to callable (open binary file)
    argument : str
        What the message names when a folder cannot be written.

    Raises
    ------
    InputError
        When a file cannot be written; nothing half-written is left.
    """
    waiting: dict[Path, Path] = {}
    target = Path()
    try:
        for target, write in writers.items():
            # Opened here rather than by tempfile, so that permissions follow the umask.
            waiting[target] = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
            with open(waiting[target], "xb") as file:
                write(file)
        for target, temporary in waiting.items():
            os.replace(temporary, target)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{argument}: cannot write {os.fspath(target)}: {reason}") from error
    finally:
        for temporary in waiting.values():
            _remove(temporary)


def write_starter(name: str, folder: str | os.PathLike[str], template: str, **words: object) -> Path:
    """Write NAME.py from a template; return its path.

    Parameters
    ----------
    name : str
        An identifier.
    folder : path
    template : str
        With ``{name}``, ``{title}``, ``{file}`` and the words given.

    Raises
    ------
    InputError
        When the name is no identifier, the file exists, or the folder cannot
        be written.
    """
    if not name.isidentifier():
        raise InputError(f"NAME: expected a Python identifier, got {name!r}")
    path = Path(folder) / f"{name}.py"
    if path.exists():
        raise InputError(f"{path}: exists already")
    title = name.replace("_", " ").capitalize()
    content = template.format(name=name, title=title, file=path.name, **words)
    write_whole({path: lambda file: file.write(content.encode())})
    return path


def _remove(temporary: Path) -> None:
    """Delete a temporary file if it is there; a folder that is no folder holds none."""
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return
