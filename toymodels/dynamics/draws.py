"""Random numbers for every run and step, drawn ahead in chunks of steps from one stream per run."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np

Array = np.ndarray
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

CHUNK = 2**22
"""Most numbers, or words of signs, drawn ahead of their use."""

TILE = 32
"""Steps that are turned from run by run to step by step at a time."""

SHARE = 2**18
"""Fewest numbers for which a thread is worth its start."""

WORD = 64
"""Signs in one word."""


class Chunked:
    """Draws of one shape for every run and step; those of a run depend on neither chunks nor other runs.

    Parameters
    ----------
    draw : callable (generator, shape) -> array
        Draws for shape[0] steps.
    shape : tuple of int
        Of one step's draw.
    runs : tuple of int
    streams : list of Generator
        One per run.
    steps : int
        How many steps may be asked for.
    threads : bool
        Whether `draw` may be called from several threads at once.
    """

    def __init__(
        self,
        draw: Draw,
        shape: tuple[int, ...],
        runs: tuple[int, ...],
        streams: list,
        steps: int,
        threads: bool = False,
    ):
        self._draw, self._shape, self._runs, self._streams = draw, shape, runs, streams
        self._threads = threads
        self._length, self._left = max(1, CHUNK // (len(streams) * prod(shape))), steps
        self._block, self._used = np.empty((0,)), 0

    def next(self) -> Array:
        """Return the draw of the next step, runs + shape."""
        return self.take(1)[0]

    def take(self, most: int) -> Array:
        """Return the draws of the next steps, (count,) + runs + shape with 1 <= count <= most."""
        if self._used == len(self._block):
            length = min(self._length, self._left)
            self._block, self._used, self._left = self._drawn(length), 0, self._left - length
        found = self._block[self._used : self._used + most]
        self._used += len(found)
        return found.reshape(len(found), *self._runs, *self._shape)

    def _drawn(self, length: int) -> Array:
        """Draws of the next steps, step by step: (length, R) + shape."""
        shape = (length, *self._shape)
        first_run = self._draw(self._streams[0], shape)
        by_run = np.empty((len(self._streams), *shape), first_run.dtype)
        by_run[0] = first_run

        def fill(first: int, stop: int) -> None:
            for r in range(first, stop):
                by_run[r] = self._draw(self._streams[r], shape)

        workers = min(os.cpu_count() or 1, by_run.size // SHARE) if self._threads else 1
        if workers > 1:
            ends = np.linspace(1, len(by_run), workers + 1).astype(int).tolist()
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(fill, ends[:-1], ends[1:]))
        else:
            fill(1, len(by_run))
        block = np.empty((length, len(by_run), *self._shape), by_run.dtype)
        for start in range(0, length, TILE):
            block[start : start + TILE] = by_run[:, start : start + TILE].swapaxes(0, 1)
        return block


class Signs:
    """Numbers +scale or -scale with equal probability, one bit each; see `Chunked`."""

    def __init__(
        self, scale: float, shape: tuple[int, ...], runs: tuple[int, ...], streams: list, steps: int
    ):
        self._scale, self._shape = scale, runs + shape
        words = -(-CHUNK // (len(streams) * prod(shape)))
        self._words = Chunked(_words, shape, runs, streams, -(-steps // WORD), threads=True)
        self._length, self._bytes, self._used = words, np.empty((0, 0), dtype=np.uint8), 0

    def next(self) -> Array:
        """Return the draw of the next step, runs + shape."""
        return self.take(1)[0]

    def take(self, most: int) -> Array:
        """Return the draws of the next steps, (count,) + runs + shape with 1 <= count <= most."""
        if self._used == 8 * len(self._bytes):
            # byte j of a word holds the signs of its steps 8j to 8j + 7
            words = self._words.take(self._length).reshape(-1, prod(self._shape))
            as_bytes = words.astype("<u8").view(np.uint8).reshape(*words.shape, 8)
            self._bytes, self._used = as_bytes.transpose(0, 2, 1).reshape(-1, words.shape[1]), 0
        first, inside = divmod(self._used, 8)
        rows = self._bytes[first : first + -(-(inside + most) // 8)]
        bits = np.unpackbits(rows[:, None], axis=1, bitorder="little").reshape(-1, rows.shape[1])
        bits = bits[inside : inside + most]
        self._used += len(bits)
        return (bits * (2 * self._scale) - self._scale).reshape(len(bits), *self._shape)


def _words(stream: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return stream.integers(0, 2**WORD, size=shape, dtype=np.uint64)
