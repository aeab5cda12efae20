"""Many independent checks in one command: worker processes, progress, and what the numbers depend on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

Progress = Callable[[int, int, str], None]


def environment(effort: str, seed: int, jobs: int) -> dict[str, Any]:
    """Return the versions and settings that a report's numbers depend on."""
    from importlib.metadata import PackageNotFoundError, version

    import toymodels

    versions: dict[str, str | None] = {}
    for name in ("numpy", "scipy", "sympy", "hypothesis", "python-flint"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "toymodels": toymodels.__version__,
        "python": platform.python_version(),
        **versions,
        "effort": effort,
        "seed": seed,
        "jobs": jobs,
    }


def in_workers(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[tuple[int, Any]]:
    """Call a function on each task in worker processes; yield (index, result) as they finish."""
    with _single_threaded(), ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(function, *task): index for index, task in enumerate(tasks)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            # waiting, since an executor that is left behind may be torn down while the interpreter ends
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let worker processes use one BLAS thread each."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def show_progress(done: int, total: int, name: str) -> None:
    """Show one progress line on a terminal."""
    line = f"[{done}/{total}] {name}"
    sys.stderr.write("\r" + line[:78].ljust(78))
    if done == total:
        sys.stderr.write("\r" + " " * 78 + "\r")
    sys.stderr.flush()
