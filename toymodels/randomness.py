"""Streams of random numbers: one per run, so results depend on neither batch size nor chunking."""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError


def streams(rng: Any, count: int) -> list[np.random.Generator]:
    """Return independent generators, of which the first k do not depend on `count`.

    Parameters
    ----------
    rng : seed, Generator, BitGenerator, SeedSequence or None
        Whatever `numpy.random.default_rng` takes; None is seed 0. A Generator
        spawns children, so asking it twice gives different streams.
    count : int

    Raises
    ------
    InputError
        When `rng` is none of these.

    Examples
    --------
    >>> first, second = streams(7, 2)
    >>> bool(first.random() == streams(7, 5)[0].random())
    True
    """
    try:
        return list(np.random.default_rng(0 if rng is None else rng).spawn(count))
    except (TypeError, ValueError) as error:
        raise InputError(f"rng: expected a seed or a Generator, got {rng!r}") from error
