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


def _remove(temporary: Path) -> None:
    """Delete a temporary file if it is there; a folder that is no folder holds none."""
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return
