"""Where the flow of a neuron has kinks: the hyperplanes w . x_i = 0, parallel samples sharing one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toymodels.relu.position import nonzero, rounding, unit_rows

Array = np.ndarray

EPS = np.finfo(float).eps

TOUCHING = 4 * EPS
"""Distance from a kink, relative to the norm of the neuron, up to which a start lies on it."""

BEYOND = 8 * EPS
"""Where a neuron rests that has died on a kink: its gate is off in floats too, and for a start from there."""


@dataclass(frozen=True, eq=False)
class Kinks:
    """The distinct hyperplanes of the samples, each with a positive side.

    Attributes
    ----------
    normals : (q, d)
        Unit normals, pointing to the positive sides.
    of : (n,) of int
        The hyperplane of each sample; -1 for a zero sample, which has none.
    signs : (n,) of int
        The side on which each sample's gate is on: 1, -1, or 0 for a zero sample.
    lengths : (n,)
        Norms |x_i|.
    orthogonal : (q, q) of bool
        Which normals are orthogonal, up to the rounding of their entries.

    Examples
    --------
    >>> kinks = Kinks.of_samples(np.array([[0.0, 2.0], [3.0, 0.0], [0.0, -1.0], [0.0, 0.0]]))
    >>> kinks.of.tolist(), kinks.signs.tolist()
    ([0, 1, 0, -1], [1, 1, -1, 0])
    """

    normals: Array
    of: Array
    signs: Array
    lengths: Array
    orthogonal: Array

    @classmethod
    def of_samples(cls, X: Array) -> Kinks:
        """Return the kinks of data rows (n, d)."""
        n, d = X.shape
        of, signs = np.full(n, -1), np.zeros(n, dtype=int)
        normals: list[Array] = []
        tolerance = rounding(X)
        there = np.flatnonzero(nonzero(X))
        for i, x in zip(there, unit_rows(X[there]), strict=True):
            for q, normal in enumerate(normals):
                sign = 1 if normal @ x > 0 else -1
                if np.abs(x - sign * normal).max() <= tolerance:
                    of[i], signs[i] = q, sign
                    break
            else:
                of[i], signs[i] = len(normals), 1
                normals.append(x)
        rows = np.array(normals).reshape(-1, d)
        lengths = np.linalg.norm(X, axis=-1)
        return cls(rows, of, signs, lengths, np.abs(rows @ rows.T) <= tolerance)

    def __len__(self) -> int:
        return len(self.normals)

    def sample_modes(self, sides: Array) -> Array:
        """Return 1 active, 0 sliding, -1 inactive for each sample, (..., n), from the sides (..., q)."""
        modes = sides[..., self.of] * self.signs if len(self) else np.zeros((*sides.shape[:-1], len(self.of)))
        return np.where(self.of < 0, -1, modes).astype(int)

    def first(self) -> Array:
        """Return the first sample of each kink, (q,); its gate is on at the positive side."""
        return np.array([np.argmax(self.of == q) for q in range(len(self))], dtype=int)

    def on_samples(self, mask: Array) -> Array:
        """Return which samples (n,) belong to the kinks of a mask (q,)."""
        return mask[self.of] & (self.of >= 0) if len(self) else np.zeros(len(self.of), dtype=bool)

    def still(self, sides: Array) -> Array:
        """Return the kinks (q,) that no sample moves a neuron off that has the sides (q,)."""
        negative = np.isin(np.arange(len(self)), self.of[self.signs < 0])
        moving = (sides >= 0) | negative
        return ~((~self.orthogonal) @ moving)

    def projected(self, w: Array, mask: Array) -> Array:
        """Return the point nearest to w (d,) on all kinks of a mask (q,)."""
        normals = self.normals[mask]
        return w - normals.T @ np.linalg.lstsq(normals.T, w)[0]

    def together(self, w: Array, on: Array, near: Array, within: float) -> Array:
        """Return which kinks (q,) w touches together: those it is on, and near ones through a point in reach.

        Nearly parallel kinks are near each other far from where they meet.
        """
        touched, start = on, self.projected(w, on)
        for h in np.flatnonzero(near & ~on):
            more = touched | (np.arange(len(self)) == h)
            if np.linalg.norm(self.projected(w, more) - start) <= within:
                touched = more
        return touched

    def pushes(self, cotangent: Array) -> tuple[Array, Array]:
        """Return the sums of c_i |x_i| over the samples that are on at each side of each kink, (..., q) each.

        On the positive side the samples of a kink add ``plus * normal`` to
        sum_i c_i G_i x_i, on the negative one ``-minus * normal``.
        """
        sized = cotangent * self.lengths
        member = (np.arange(len(self))[:, None] == self.of).astype(float)
        return sized @ (member * (self.signs > 0)).T, sized @ (member * (self.signs < 0)).T
