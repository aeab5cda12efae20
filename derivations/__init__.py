"""Derivations: one executable document per result.

A document is a module of this package that writes one derivation or several
with `toymodels.derive`, each ending in what it ships. `check` runs it and
checks every line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from toymodels.errors import InputError
from toymodels.validation import nearest, one_of

__all__ = ["check", "load", "names", "path", "show"]

Name = str | os.PathLike[str]


def names() -> list[str]:
    """Return the names of all installed documents, in alphabetical order.

    Distributions can ship documents of their own: packages of modules under
    the entry point group `toymodels.derivations`.

    Examples
    --------
    >>> "conservation" in names()
    True
    """
    return sorted(_documents())


def _documents() -> dict[str, Path]:
    """Return the file of each document; of two with one name, ours."""
    from toymodels.derive.lemma import installed_folders

    folders = [*map(Path, __path__), *installed_folders()]
    files = [file for folder in folders for file in folder.glob("*.py") if not file.stem.startswith("_")]
    return {file.stem: file for file in reversed(files)}


def path(name: str) -> Path:
    """Return the file of a document.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    InputError
        When there is no such document; the message offers the nearest.
    """
    documents = _documents()
    return documents[one_of("derivation", name, documents)]


def load(name: str) -> list[Any]:
    """Return the derivations of a document, not yet checked.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    list of toymodels.derive.Derivation

    Raises
    ------
    InputError
        When there is no such document; the message offers the nearest.
    """
    from toymodels.derive.loader import load_file

    return load_file(path(name)).derivations


def show(name: str) -> str:
    """Return a document as a page, unchecked, with its formulas that ship as LaTeX.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    InputError
        When there is no such document; the message offers the nearest.
    """
    from toymodels.derive.page import document_lines
    from toymodels.derive.record import record

    documents = [record(derivation, name=name) for derivation in load(name)]
    lines = [line for document in documents for line in [*document_lines(document), ""]]
    for document in documents:
        for entry in document.entries:
            if entry.kind == "ships" and entry.left is not None and entry.right is not None:
                lines.append(f"LaTeX:    {entry.left.latex} = {entry.right.latex}")
    return "\n".join(lines).rstrip()


def check(
    what: Name | Sequence[Name] | None = None,
    *,
    effort: str = "normal",
    seed: int = 0,
    jobs: int = 1,
    progress: Any = None,
) -> Any:
    """Check derivations step by step.

    Parameters
    ----------
    what : str or path, or a sequence of them, optional
        FILE.py or the name of an installed document; every installed document
        by default. A file named twice is checked once.
    effort : {"quick", "normal", "deep"}
    seed : int
        The same seed gives the same report, whatever the number of jobs.
    jobs : int
        Processes; a file is a task.
    progress : callable (done, total, name), optional

    Returns
    -------
    toymodels.derive.run.Report
        ``.ok``, ``.documents``, ``.to_text()``, ``.to_json()``, ``.to_markdown()``, ``.to_latex()``.
        A mistake in a file is a line of the report.

    Raises
    ------
    InputError
        When a name is unknown, or a file is missing or holds no derivation.

    Examples
    --------
    >>> import tempfile, toymodels as tm
    >>> from pathlib import Path
    >>> proof = '''from toymodels.derive import Derivation
    ... D = Derivation("A square expands")
    ... x, y = D.scalars("x y")
    ... D.step((x + y)**2, "=", x**2 + 2*x*y + y**2)
    ... D.step((x + y)**2, "=", x**2 + y**2)
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "square.py"
    ...     _ = file.write_text(proof)
    ...     report = tm.check(file, effort="quick")
    >>> report.ok, [entry.mark for entry in report.documents[0].entries]
    (False, ['ok', 'FALSE'])
    """
    from toymodels.derive.run import check_files

    return check_files(list(_files(what)), effort, seed, jobs, progress)


def _files(what: Any) -> Iterator[tuple[Path, str]]:
    """Yield each file that is meant, once, with the name to print."""
    if what is None:
        what = names()
    elif isinstance(what, (str, os.PathLike)):
        what = [what]
    elif not isinstance(what, Sequence):
        raise InputError(f"what: expected a name or a file, got {what!r}")
    seen: set[Path] = set()
    for name in what:
        if not isinstance(name, (str, os.PathLike)):
            raise InputError(f"what: expected a name or a file, got {name!r}")
        text = os.fspath(name)
        file = _file(text)
        if file.resolve() not in seen:
            seen.add(file.resolve())
            yield file, text


def _file(text: str) -> Path:
    """Return the file that a name or a path means."""
    documents = _documents()
    if text in documents:
        return documents[text]
    file = Path(text)
    if file.suffix == ".py" or len(file.parts) > 1 or file.exists():
        if not file.is_file():
            raise InputError(f"{file}: {'is a folder' if file.is_dir() else 'no such file'}")
        return file
    beside = f"; there is a file {text}.py" if Path(f"{text}.py").is_file() else nearest(text, documents)
    raise InputError(f"unknown derivation {text!r}{beside}")
