"""Random numbers for every run and step, drawn ahead in chunks of steps from one stream per run."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

Array = np.ndarray
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

CHUNK = 2**21
"""Most numbers, or words of signs, drawn ahead of their use."""

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
    """

    def __init__(self, draw: Draw, shape: tuple[int, ...], runs: tuple[int, ...], streams: list, steps: int):
        self._draw, self._shape, self._runs, self._streams = draw, shape, runs, streams
        self._length, self._left = max(1, CHUNK // (len(streams) * prod(shape))), steps
        self._block, self._used = np.empty((0,)), 0

    def next(self) -> Array:
        """Return the draw of the next step, runs + shape."""
        return self.take(1)[0]

    def take(self, most: int) -> Array:
        """Return the draws of the next steps, (count,) + runs + shape with 1 <= count <= most."""
        if self._used == len(self._block):
            length = min(self._length, self._left)
            draws = [self._draw(stream, (length, *self._shape)) for stream in self._streams]
            self._block, self._used, self._left = np.stack(draws, axis=1), 0, self._left - length
        found = self._block[self._used : self._used + most]
        self._used += len(found)
        return found.reshape(len(found), *self._runs, *self._shape)


class Signs:
    """Numbers +scale or -scale with equal probability, one bit each; see `Chunked`."""

    def __init__(
        self, scale: float, shape: tuple[int, ...], runs: tuple[int, ...], streams: list, steps: int
    ):
        self._scale, self._shape = scale, runs + shape
        words = -(-CHUNK // (len(streams) * prod(shape)))
        self._words = Chunked(_words, shape, runs, streams, -(-steps // WORD))
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
