"""Where a product that obeys an equation of its own ends, whatever the inputs.

The flow W' = -(C2 G + G C1) of `closure` descends the loss at the rate
<G, C2 G + G C1>. Unbalanced and isotropic weights keep C2 or C1 above a multiple
of the identity: they stop only where G = 0, at the least-squares map W as far as
the inputs span. Across that span W1 is frozen; that determines W there if it
starts at zero, or if there is one output. Balanced weights with lam = 0 keep
their rank instead, and end at a critical point of that rank or a smaller one:
the best of these, once the loss is below all others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from toymodels.errors import AssumptionError
from toymodels.linear import map_formulas
from toymodels.linear.statistics import EPS, Compressed
from toymodels.linear.whitening import TargetModes

Array = np.ndarray
Later = Callable[[float], tuple[Array, float]]

_DOUBLINGS = 10
"""Times up to 2^10 in units of the fastest motion are tried to leave all saddles."""
_UNSURE = 1e-3
"""A relative error up to which first-order bounds are believed."""


class Start(NamedTuple):
    """One start of a class, in units in which both layers move at rate one.

    Attributes
    ----------
    W1, W2 : (m, d), (c, m)
    shift, square : float
        C2 = shift + sqrt(square + WWᵀ), C1 = -shift + sqrt(square + WᵀW).
    """

    W1: Array
    W2: Array
    shift: float
    square: float

    @property
    def product(self) -> Array:
        """W2 W1, (c, d)."""
        return self.W2 @ self.W1

    @property
    def driven(self) -> bool:
        """Whether C2 or C1 stays above a positive multiple of the identity."""
        return self.shift != 0 or self.square > 0

    @property
    def size(self) -> float:
        """|W1| |W2|, on which the rounding of the product depends."""
        return float(np.linalg.norm(self.W1) * np.linalg.norm(self.W2))


def limit_product(
    start: Start, modes: TargetModes, data: Compressed, level: float, later: Later
) -> tuple[Array, float]:
    """Return the limit of the product, and a first-order bound on its error.

    Parameters
    ----------
    start : Start
    modes : TargetModes
        Modes of the whitened target.
    data : Compressed
        Rows that carry the loss.
    level : float
        Relative size up to which a part of the start counts as zero.
    later : callable
        The product and a bound on its error at a time in units of the fastest
        motion.

    Raises
    ------
    AssumptionError
        When the way there decides, and not the start's class: inputs that do
        not span the rows of the product, with two outputs or more; modes of
        equal strength at the rank of the start; a start that stays near a
        saddle.

    Notes
    -----
    Source: own derivation.
    """
    span = np.linalg.qr(modes.right.T)[0]
    across = start.product - start.product @ span @ span.T
    share = float(np.linalg.norm(across)) / (start.size or 1.0)
    rounding = 8 * sum(across.shape) * EPS * start.size
    if share > level:
        if len(across) > 1:
            raise AssumptionError(
                "t: expected finite times, or inputs that span the rows of W2 W1, or one output; elsewhere "
                "the limit depends on the way there",
                share,
            )
        fitted, error = _best(modes, modes.positive)
        grown = _growth_across(start, across, fitted)
        return fitted + grown * across, 2 * error + grown * rounding
    rank = modes.positive if start.driven else _reached(start, modes, data, later)
    product, error = _best(modes, rank)
    if rank < min(len(start.W1), modes.positive):
        return product, np.inf
    return product, error + (float(np.linalg.norm(across)) + rounding) * _stretch(start, product)


def _stretch(start: Start, product: Array) -> float:
    """By how much W2 outgrows its smallest nonzero singular value, and with it what lies across the span."""
    sizes = np.linalg.svd(start.W2, compute_uv=False)
    smallest = sizes[sizes > EPS * len(start.W1) * sizes[0]].min(initial=sizes[0])
    largest = start.shift + np.hypot(np.linalg.norm(product), np.sqrt(start.square))
    return max(1.0, float(np.sqrt(max(largest, 0.0)) / (smallest or 1.0)))


def _best(modes: TargetModes, rank: int) -> tuple[Array, float]:
    """The best map of this rank, and its error: truncation amplifies that of the modes."""
    product = modes.product(tuple(range(rank)))
    left_out = modes.s[rank] if rank < len(modes.s) else 0.0
    spread = modes.s[rank - 1] / (modes.s[rank - 1] - left_out) if rank else 1.0
    unit = np.linalg.norm(modes.right, 2)
    rounding = 4 * sum(product.shape) * EPS * np.linalg.norm(product)
    return product, float(modes.rounding * unit * spread + rounding)


def _growth_across(start: Start, across: Array, fitted: Array) -> float:
    """By what factor the part of a row W across the span of the inputs grows, one output.

    The block of C1 there is frozen, so z zᵀ/(sqrt(square + |W|²) + sqrt(square)) is, for z = factor * across.
    """
    floor = np.sqrt(start.square)
    first = np.hypot(np.linalg.norm(start.product), floor) + floor
    size = np.linalg.norm(across)
    half = floor / first + (size / first) ** 2 / 2
    return float(np.sqrt(half + np.hypot(half, np.linalg.norm(fitted) / first)))


def _reached(start: Start, modes: TargetModes, data: Compressed, later: Later) -> int:
    """The rank of the critical point that balanced weights of zero imbalance reach."""
    rank = _largest_rank(start, modes)
    if rank == 0:
        return 0
    kept, left_out = modes.s[rank - 1], modes.s[rank] if rank < len(modes.s) else 0.0
    if kept - left_out <= 2 * modes.rounding:
        raise AssumptionError(
            f"t: expected finite times, or a target whose modes {rank} and {rank + 1} differ in strength",
            float(kept - left_out),
        )
    # the second lowest critical value has the mode left out in the place of the weakest mode kept
    ceiling = modes.loss(tuple(range(rank))) + (kept - left_out) * (kept + left_out) / 2
    ceiling -= 4 * modes.rounding * float(modes.s.sum())
    above = np.inf
    for time in (0, *(2**k for k in range(_DOUBLINGS + 1))):
        W, error = later(time)
        unsure = error / float(np.linalg.norm(W) or 1.0)
        if unsure > _UNSURE:
            raise AssumptionError(
                "t: expected finite times, or a start that rounding does not take to another basin", unsure
            )
        above = _largest_loss(data, W, error) - ceiling
        if above < 0:
            return rank
    raise AssumptionError(
        f"t: expected finite times, or a start that leaves the saddles; after {2**_DOUBLINGS} units of the "
        "fastest motion its loss exceeds the second lowest critical value",
        above,
    )


def _largest_rank(start: Start, modes: TargetModes) -> int:
    """The rank of the best critical point in the closure of what the start can reach.

    It keeps its rank and, where its product is a square matrix on the span of the inputs,
    the sign of its determinant.
    """
    _, sizes, frame = np.linalg.svd(np.concatenate([start.W1.T, start.W2]), full_matrices=False)
    rank = int(np.count_nonzero(sizes > sum(start.product.shape) * EPS * sizes[0]))
    if not rank == len(modes.left) == len(modes.right) == modes.positive:
        return min(rank, modes.positive)
    frame = frame[:rank]
    signs = [np.linalg.slogdet(x)[0] for x in (start.W2 @ frame.T, frame @ start.W1 @ modes.right.T)]
    return rank if signs[0] * signs[1] == np.linalg.slogdet(modes.left)[0] else rank - 1


def _largest_loss(data: Compressed, W: Array, error: float) -> float:
    """The loss of a product, and what its error can add to it."""
    slope = np.linalg.norm(map_formulas.sum_residual(W, data.X, data.Y))
    loss = map_formulas.sum_loss(W, data.X, data.Y) + data.least
    rounding = 64 * EPS * (loss + np.sum(data.Y * data.Y))
    return float(loss + slope * error + np.sum(data.X * data.X) * error**2 / 2 + rounding)
