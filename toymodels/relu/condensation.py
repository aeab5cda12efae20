"""Where the directions of small neurons in the plane condense, and which part of the circle flows there."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from toymodels.errors import InputError
from toymodels.relu.arcs import EPS, MARGIN, arcs
from toymodels.validation import real_array

Array = np.ndarray


class Attractor(NamedTuple):
    """A direction, or the dead arc, to which neurons of one sign turn.

    Attributes
    ----------
    kind : str
        "interior" of a cell, "kink", or "dead".
    angle : float
        Its angle in [-pi, pi); the middle of a dead arc.
    growth : float
        Sign times potential there: the rate of |w| for balanced neurons.
    start, length : float
        The arc of the circle that flows to it, counterclockwise from `start`.
    """

    kind: str
    angle: float
    growth: float
    start: float
    length: float

    @property
    def fraction(self) -> float:
        """The part of isotropic neurons that condense there."""
        return self.length / (2 * np.pi)


class _Piece(NamedTuple):
    """An arc on which directions turn in one sense: 1 counterclockwise, -1, or 0 not at all."""

    start: float
    length: float
    sense: int
    kink: bool  # whether it ends at a kink


def condensation(X: Any, pushes: Any, sign: int = 1) -> list[Attractor]:
    """Return the attractors of the directions of small neurons, counterclockwise.

    While residuals hardly move, the direction of a neuron climbs
    ``sign * P``, with the potential ``P(phi) = sum_i c_i relu(w(phi) . x_i)``
    on the circle, in an order of places that does not depend on whether the
    output layer is trained, as long as output weights keep their sign.

    Parameters
    ----------
    X : array_like (n, 2)
        Data rows.
    pushes : array_like (n,)
        c_i = pi_i g_i, weight times residual -dl/df.
    sign : {1, -1}
        Sign of the output weights.

    Returns
    -------
    list of Attractor
        With basins that fill the circle; one dead arc of full length when no
        direction turns.

    Raises
    ------
    InputError
        When X is not in the plane, pushes do not fit, or the sign is neither.

    Notes
    -----
    Source: neuron_partition D2c, D2e.

    Examples
    --------
    >>> found = condensation([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])
    >>> [(a.kind, round(a.angle, 6), a.fraction) for a in found]
    [('dead', -2.356194, 0.25), ('interior', 0.785398, 0.75)]
    """
    X, c = real_array("X", X, 2), real_array("pushes", pushes, 1)
    if X.shape[1] != 2:
        raise InputError(f"X: expected rows of 2 entries, got shape {X.shape}")
    if c.shape != (len(X),):
        raise InputError(f"pushes: expected {len(X)} entries, got shape {c.shape}")
    if sign not in (1, -1):
        raise InputError(f"sign: expected 1 or -1, got {sign!r}")
    pieces = _merged(_pieces(X, sign * c))
    if len(pieces) == 1:
        return [Attractor("dead", 0.0, 0.0, -np.pi, 2 * np.pi)]
    found = []
    for before, piece, after in zip(pieces[-1:] + pieces, pieces, pieces[1:] + pieces[:1], strict=False):
        if piece.sense == 0:
            basin = [before] * (before.sense > 0) + [piece] + [after] * (after.sense < 0)
            found.append(_attractor("dead", piece.start + piece.length / 2, basin, X, sign * c))
        elif piece.sense > 0 > after.sense:
            kind = "kink" if piece.kink else "interior"
            found.append(_attractor(kind, after.start, [piece, after], X, sign * c))
    return sorted(found, key=lambda attractor: attractor.angle)


def _pieces(X: Array, c: Array) -> list[_Piece]:
    """The arcs between kinks, split where the potential is stationary."""
    pieces = []
    noise = 4 * EPS * (np.abs(c) @ np.linalg.norm(X, axis=-1))
    for start, length, pattern in zip(*arcs(X), strict=True):
        if length <= MARGIN:
            continue
        g = (c * pattern) @ X
        if np.linalg.norm(g) <= noise:
            pieces.append(_Piece(start, length, 0, True))
            continue
        heading = np.arctan2(g[1], g[0])
        inner = np.mod(heading - start, np.pi) + np.array([0.0, np.pi])
        ends = np.array([0.0, *inner[(inner > MARGIN) & (inner < length - MARGIN)], length])
        for left, right in pairwise(ends):
            sense = int(np.sign(np.sin(heading - start - (left + right) / 2)))
            pieces.append(_Piece(start + left, right - left, sense, bool(right == length)))
    return pieces


def _merged(pieces: list[_Piece]) -> list[_Piece]:
    """Neighbours of one sense joined, around the circle."""
    joined: list[_Piece] = []
    for piece in pieces:
        if joined and joined[-1].sense == piece.sense:
            joined[-1] = joined[-1]._replace(length=joined[-1].length + piece.length, kink=piece.kink)
        else:
            joined.append(piece)
    if len(joined) > 1 and joined[0].sense == joined[-1].sense:
        last = joined.pop()
        joined[0] = joined[0]._replace(start=last.start, length=last.length + joined[0].length)
    return joined


def _attractor(kind: str, angle: float, basin: list[_Piece], X: Array, c: Array) -> Attractor:
    direction = np.array([np.cos(angle), np.sin(angle)])
    growth = 0.0 if kind == "dead" else float(c @ np.maximum(X @ direction, 0))
    turned = float(np.remainder(angle + np.pi, 2 * np.pi) - np.pi)
    length = sum(piece.length for piece in basin)
    return Attractor(kind, turned, growth, float(basin[0].start), float(length))
