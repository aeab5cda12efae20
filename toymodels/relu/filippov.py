"""Which way a neuron goes on from kinks that it touches: the unique Filippov velocity, where there is one.

Beside kinks with unit normals n_h the direction of motion of a neuron is
``u = base + sum_h push_h n_h`` where push_h is plus_h on the positive side of
kink h, -minus_h on its negative side, and any number between the two on it.
Kinks with plus_h + minus_h < 0 attract from both sides: together they make u
the shortest vector that their pushes allow, which is unique. The others are
crossed, or repel.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

Array = np.ndarray

MOST_REPELLING = 8
"""Kinks touched at once that repel; all patterns of their sides are tried."""


class Contact(NamedTuple):
    """Kinks that a neuron touches.

    Attributes
    ----------
    normals : (q, d)
        Of length 1.
    base : (d,)
        What the samples of all other kinks add to the direction of motion.
    plus, minus : (q,)
        Pushes.
    sides : (q,) of int
        Sides so far, kept where the direction of motion does not depend on them.
    """

    normals: Array
    base: Array
    plus: Array
    minus: Array
    sides: Array


class Unresolved(Exception):
    """Where the flow ends: its kind, "not unique" or "unresolved", and why."""

    def __init__(self, kind: str, why: str):
        super().__init__(why)
        self.kind = kind


def resolve(contact: Contact, noise: float) -> Array:
    """Return the side of each kink from now on, (q,): 1, -1, or 0 for sliding along it.

    Parameters
    ----------
    contact : Contact
    noise : float
        Error of the pushes and of the base.

    Raises
    ------
    Unresolved
        When two or more directions are consistent, or none was found.

    Notes
    -----
    Source: neuron_partition D5 for one kink; for several, own derivation: the
    flow of attracting kinks is that of a concave function.

    Examples
    --------
    >>> off, side = np.zeros(1), np.array([1])
    >>> wall = Contact(np.array([[1.0, 0.0]]), np.array([1.0, 2.0]), np.array([-3.0]), off, side)
    >>> resolve(wall, 0.0).tolist()
    [0]
    >>> resolve(wall._replace(plus=np.array([-0.5])), 0.0).tolist()
    [1]
    """
    jumps = contact.plus + contact.minus
    attracts, repels = jumps < -noise, jumps > noise
    off = contact.base - contact.minus @ contact.normals
    can_rest = np.linalg.norm(off) <= noise
    if can_rest and _grows(contact, noise):
        raise Unresolved("not unique", "it stays, or leaves at any time")
    found = []
    for pattern in _patterns(int(repels.sum())):
        direction, sides = _way(contact, pattern, attracts, repels, noise)
        if can_rest and np.linalg.norm(direction) <= noise:
            found.append((direction, np.full(len(jumps), -1)))
        elif (pattern * (contact.normals[repels] @ direction) >= -noise).all():
            if np.linalg.matrix_rank(contact.normals[sides == 0]) < (sides == 0).sum():
                raise Unresolved("unresolved", "it would slide along kinks of linearly dependent samples")
            found.append((direction, sides))
    return _only(found, contact, noise)


def _way(
    contact: Contact, pattern: Array, attracts: Array, repels: Array, noise: float
) -> tuple[Array, Array]:
    """The direction of motion with the kinks that repel on the sides of a pattern, and the sides of all."""
    normals, jumps = contact.normals, contact.plus + contact.minus
    pushes = -contact.minus
    pushes[repels] = np.where(pattern > 0, contact.plus[repels], -contact.minus[repels])
    start = contact.base + pushes @ normals
    gates = _gates(start, normals[attracts] * jumps[attracts, None], noise)
    direction = start + (gates * jumps[attracts]) @ normals[attracts]
    speeds = normals @ direction
    sides = np.where(np.abs(speeds) <= noise, contact.sides, np.sign(speeds)).astype(int)
    sides[repels], sides[attracts] = pattern, np.where(gates == 0, -1, np.where(gates == 1, 1, 0))
    return direction, sides


def _grows(contact: Contact, noise: float) -> bool:
    """Whether the function that the motion climbs rises from rest in one of some directions."""
    tried = np.concatenate([contact.normals, -contact.normals])
    along = tried @ contact.normals.T
    rise = tried @ contact.base + (along * np.where(along > 0, contact.plus, -contact.minus)).sum(-1)
    return bool((rise > noise * len(contact.normals)).any())


def _patterns(count: int) -> list[Array]:
    if count > MOST_REPELLING:
        raise Unresolved("unresolved", f"{count} kinks that repel meet")
    return [np.array(pattern, dtype=int) for pattern in product((-1, 1), repeat=count)]


def _gates(start: Array, columns: Array, noise: float) -> Array:
    """Gates in [0, 1] that make start + gates @ columns shortest; 0 or 1 where they are close to it."""
    size = np.linalg.norm(columns, axis=-1)
    if len(columns) == 0 or np.linalg.norm(start) <= noise:
        return np.zeros(len(columns))
    if len(columns) == 1:
        gates = np.clip(-(columns @ start) / size**2, 0, 1)
    else:
        gates = _bounded(start, columns)
    return np.where(gates * size <= noise, 0, np.where((1 - gates) * size <= noise, 1, gates))


def _bounded(start: Array, columns: Array) -> Array:
    """Bounded least squares, the gates strictly inside solved for once more."""
    from scipy.optimize import lsq_linear

    gates = np.clip(lsq_linear(columns.T, -start, (0, 1), method="bvls").x, 0, 1)
    inside = (gates > 0) & (gates < 1)
    rest = start + gates[~inside] @ columns[~inside]
    better = np.linalg.lstsq(columns[inside].T, -rest)[0]
    if ((better >= 0) & (better <= 1)).all():
        gates[inside] = better
    return gates


def _only(found: list[tuple[Array, Array]], contact: Contact, noise: float) -> Array:
    """The sides of the only direction found; where sides do not matter, those nearest to the ones so far."""
    if not found:
        raise Unresolved("not unique", "it stays where kinks repel, or leaves at any time")
    directions = np.array([direction for direction, _ in found])
    if np.abs(directions - directions[0]).max() > 4 * noise:
        raise Unresolved("not unique", "several directions are consistent")
    return min((sides for _, sides in found), key=lambda sides: int(np.abs(sides - contact.sides).sum()))
