"""Critical points of two linear layers: their losses, Morse indices and Hessian spectra."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from toymodels.errors import AssumptionError, InputError
from toymodels.linear import formulas
from toymodels.linear.factors import gauge as move_along_gauge
from toymodels.linear.whitening import TargetModes
from toymodels.randomness import streams
from toymodels.validation import positive_int, real_array

Array = np.ndarray


def morse_index(s: Any, subset: tuple[int, ...], width: int) -> int:
    """Return the number of negative Hessian eigenvalues at the critical point of a subset of modes.

    Parameters
    ----------
    s : array_like (p,)
        Singular values of the whitened target.
    subset : tuple of int
        Modes that the critical point has learned, counted from 0.
    width : int
        Number of hidden neurons m.

    Raises
    ------
    InputError
        When the subset is not one of at most `width` modes.

    Notes
    -----
    Source: linear_nets 2.8, own derivation. The index is the same for
    every Sxx and along the gauge orbit.

    Examples
    --------
    >>> morse_index([3.0, 2.0, 1.0], (1,), width=2)
    3
    """
    s, subset, width = _checked(s, subset, width)
    inside, outside = s[list(subset)], np.delete(s, list(subset))
    stronger = np.count_nonzero(outside > inside[:, None])
    return int(stronger + (width - len(subset)) * np.count_nonzero(outside > 0))


def critical_spectrum(s: Any, subset: tuple[int, ...], *, width: int, c: int, d: int) -> Array:
    """Return the Hessian eigenvalues at the balanced critical point of a subset of modes, ascending.

    Parameters
    ----------
    s : array_like (min(c, d),)
        Singular values of the target; inputs are whitened.
    subset : tuple of int
        Modes that the critical point has learned, counted from 0.
    width, c, d : int
        Numbers of hidden neurons, outputs and inputs.

    Returns
    -------
    array (width * (c + d),)

    Raises
    ------
    InputError
        When the subset is not one of at most `width` modes.

    Notes
    -----
    Source: linear_nets 2.8, own derivation.

    Examples
    --------
    >>> critical_spectrum([3.0], (), width=1, c=1, d=1)
    array([-3.,  3.])
    """
    s, subset, width = _checked(s, subset, width)
    c, d = positive_int("c", c), positive_int("d", d)
    if len(s) != min(c, d):
        raise InputError(f"s: expected {min(c, d)} singular values, got {len(s)}")
    inside, outside = s[list(subset)], np.delete(s, list(subset))
    empty = np.tile(outside, width - len(subset))
    eigenvalues = np.concatenate(
        [
            np.add.outer(inside, inside).ravel(),
            np.add.outer(inside, outside).ravel(),
            np.subtract.outer(inside, outside).ravel(),
            np.repeat(inside, abs(d - c)),
            empty,
            -empty,
        ]
    )
    return np.sort(np.pad(eigenvalues, (0, width * (c + d) - len(eigenvalues))))


def _checked(s: Any, subset: Any, width: Any) -> tuple[Array, tuple[int, ...], int]:
    s, width = real_array("s", s, 1), positive_int("width", width)
    if (s < 0).any():
        raise InputError("s: expected singular values >= 0")
    try:
        chosen = tuple(sorted({positive_int("subset", k, 0) for k in subset}))
    except TypeError as error:
        raise InputError(f"subset: expected a tuple of mode numbers, got {subset!r}") from error
    if len(chosen) != len(subset) or len(chosen) > width or (chosen and chosen[-1] >= len(s)):
        raise InputError(f"subset: expected up to {width} different modes below {len(s)}, got {subset!r}")
    return s, chosen, width


@dataclass(frozen=True)
class CriticalPoint:
    """The critical points whose product has learned one subset of the modes.

    Attributes
    ----------
    subset : tuple of int
        Learned modes, counted from 0 (the strongest).
    width : int
        Number of hidden neurons.
    """

    subset: tuple[int, ...]
    width: int
    modes: TargetModes = field(repr=False, compare=False)

    @property
    def loss(self) -> float:
        """Loss at the point."""
        return self.modes.loss(self.subset)

    @property
    def morse_index(self) -> int:
        """Number of negative Hessian eigenvalues; see `morse_index`."""
        return morse_index(self.modes.s, self.subset, self.width)

    @property
    def is_global_minimum(self) -> bool:
        """Whether the strongest modes are learned, as many as the width allows."""
        return self.subset == tuple(range(min(self.width, self.modes.positive)))

    @property
    def product(self) -> Array:
        """End-to-end matrix, (c, d)."""
        return self.modes.product(self.subset)

    def theta(self, gauge: Any = None, fill: Any = None) -> Array:
        """Return parameters at the point, (p,).

        Parameters
        ----------
        gauge : array_like (m, m), optional
            Invertible T that moves (W1, W2) to (T W1, W2 T⁻¹).
        fill : seed or Generator, optional
            Fills the hidden units that carry no mode, alternately the output
            side and the input side, with random vectors that the gradient
            annihilates; empty by default.
        """
        modes, chosen = self.modes, list(self.subset)
        root = np.sqrt(modes.s[chosen])
        W1 = np.zeros((self.width, modes.right.shape[1]))
        W2 = np.zeros((len(modes.left), self.width))
        W1[: len(chosen)] = root[:, None] * modes.right[chosen]
        W2[:, : len(chosen)] = root * modes.left[:, chosen]
        if fill is not None:
            self._fill(W1, W2, fill)
        if gauge is not None:
            W1, W2 = move_along_gauge(W1, W2, gauge)
        return np.concatenate([W1.ravel(), W2.ravel()])

    def _fill(self, W1: Array, W2: Array, rng: Any) -> None:
        """Write null vectors of the gradient into the empty units."""
        draw = streams(rng, 1)[0]
        active = set(np.flatnonzero(self.modes.s)) - set(self.subset)
        left = np.delete(self.modes.left, list(active), axis=1)
        right = np.delete(self.modes.right, list(active), axis=0)
        for unit in range(len(self.subset), self.width):
            if (unit - len(self.subset)) % 2 == 0:
                W2[:, unit] = left @ draw.standard_normal(left.shape[1])
            else:
                W1[unit] = draw.standard_normal(len(right)) @ right

    def spectrum(self) -> Array:
        """Return the Hessian eigenvalues at `theta()`, ascending; see `critical_spectrum`.

        Raises
        ------
        AssumptionError
            When the inputs are not whitened.
        """
        if not self.modes.whitened:
            raise AssumptionError("the inputs are whitened, Sxx = I")
        c, d = len(self.modes.left), self.modes.right.shape[1]
        return critical_spectrum(self.modes.s, self.subset, width=self.width, c=c, d=d)


def critical_points(modes: TargetModes, width: int) -> list[CriticalPoint]:
    """Return one critical point per subset of at most `width` positive modes, smallest subsets first.

    Raises
    ------
    AssumptionError
        When two positive singular values coincide: the subsets then come in
        continuous families.
    """
    s = modes.s[: modes.positive]
    gap = np.min(s[:-1] - s[1:], initial=np.inf)
    if gap <= modes.rounding:
        raise AssumptionError("the positive singular values of the whitened target are distinct", float(gap))
    sizes = range(min(width, len(s)) + 1)
    return [CriticalPoint(I, width, modes) for r in sizes for I in combinations(range(len(s)), r)]


def interpolating_spectrum(W1: Any, W2: Any, rows: Any = None) -> Array:
    """Return the Hessian eigenvalues where the gradient in the product vanishes, ascending.

    Parameters
    ----------
    W1 : array_like (m, d)
    W2 : array_like (c, m)
    rows : array_like (k, d), optional
        Rows with ``rowsᵀ rows = Sxx``; whitened inputs by default, where the
        eigenvalues are the sums of one of W2W2ᵀ and one of W1ᵀW1.

    Returns
    -------
    array (m (c + d),)

    Notes
    -----
    Source: linear_nets 2.6: JᵀJ and the kernel J Jᵀ share their nonzero spectrum.

    Examples
    --------
    >>> interpolating_spectrum([[1.0]], [[2.0]])
    array([0., 5.])
    """
    W1, W2 = real_array("W1", W1, 2), real_array("W2", W2, 2)
    (m, d), c = W1.shape, len(W2)
    if W2.shape != (c, m):
        raise InputError(f"W2: expected {m} columns, got shape {W2.shape}")
    if rows is None:
        sums = np.add.outer(np.linalg.eigvalsh(W2 @ W2.T), np.linalg.eigvalsh(W1.T @ W1)).ravel()
    else:
        rows = real_array("rows", rows, 2)
        if rows.shape[1] != d:
            raise InputError(f"rows: expected {d} columns, got shape {rows.shape}")
        sums = np.linalg.eigvalsh(formulas.ntk(W1, W2, rows))
    size = m * (c + d)
    largest = np.sort(sums)[::-1][:size]
    return np.sort(np.pad(np.maximum(largest, 0.0), (0, size - len(largest))))
