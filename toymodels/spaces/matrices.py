"""Matrices and vectors, with equality hypotheses parametrised rationally.

Orthogonal matrices are products of reflections I - 2vvᵀ/|v|², unit vectors are
stereographic images, balanced factors lie on rational hyperbolas; so exact
draws satisfy their hypothesis exactly, with no luck.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic.arrays import Array, concatenate
from toymodels.arithmetic.words import Words, letter
from toymodels.spaces.source import POSITIVE, REAL, Domain, Source
from toymodels.spaces.space import Space, size_of, tokens


def _shape(sizes: str, source: Source) -> tuple[int, ...]:
    return tuple(source.size(token) for token in tokens(sizes))


def matrix(sizes: str) -> Space:
    """Real matrices of the named shape, such as ``matrix("m d")``; numerals are literal sizes."""
    rows, cols = map(size_of, tokens(sizes))
    return Space(
        lambda source, name: source.array(_shape(sizes, source)),
        f"matrix ({rows}, {cols})",
        lambda name: letter(name, rows, cols),
    )


def vector(sizes: str, domain: Domain = REAL) -> Space:
    """Real vectors of the named length."""
    text = "vector" if domain == REAL else "positive vector" if domain == POSITIVE else "bounded vector"
    return Space(lambda source, name: source.array(_shape(sizes, source), domain), f"{text} ({sizes},)")


def symmetric(size: str) -> Space:
    """Symmetric matrices."""

    def draw(source: Source, name: str) -> Array:
        half = source.array((source.size(size),) * 2)
        return half + half.mT

    dimension = size_of(size)
    return Space(
        draw, f"symmetric ({size}, {size})", lambda name: letter(name, dimension, dimension, "symmetric")
    )


def positive_definite(size: str) -> Space:
    """Positive definite matrices: B Bᵀ plus a positive multiple of the identity."""

    def draw(source: Source, name: str) -> Array:
        n = source.size(size)
        root = source.array((n, n))
        return root @ root.mT + source.number(POSITIVE) * np.eye(n, dtype=int)

    dimension = size_of(size)
    return Space(
        draw, f"positive definite ({size}, {size})", lambda name: letter(name, dimension, dimension, "symmetric")
    )


def reflections(source: Source, size: int, count: int) -> Array:
    """Return the product of `count` reflections I - 2 v vᵀ / |v|²."""
    result: Any = np.eye(size, dtype=int)
    for _ in range(count):
        v = source.array((size, 1))
        result = result - (result @ v) @ v.mT * 2 / _nonzero(source, (v * v).sum())
    return result


def _nonzero(source: Source, square: Any) -> Any:
    """Reject a vector that a search shrank to zero."""
    source.require(source.plain(square) > 0, "zero vector")
    return square


def orthogonal(size: str) -> Space:
    """Orthogonal matrices of either determinant: products of size or size - 1 reflections."""

    def draw(source: Source, name: str) -> Array:
        n = source.size(size)
        # reflections of a line are all alike, so one is enough there
        return reflections(source, n, 1 if n == 1 else n - source.integer(0, 1))

    dimension = size_of(size)
    return Space(
        draw, f"orthogonal ({size}, {size})", lambda name: letter(name, dimension, dimension, "orthogonal")
    )


def frame(sizes: str) -> Space:
    """Matrices with orthonormal columns, (n, d) with d <= n."""
    rows, cols = tokens(sizes)

    def draw(source: Source, name: str) -> Array:
        n, d = source.size(rows), source.size(cols)
        source.require(d <= n, f"{cols} <= {rows}")
        return reflections(source, n, n)[:, :d]

    return Space(
        draw, f"orthonormal columns ({rows}, {cols})", lambda name: letter(name, size_of(rows), size_of(cols), "frame")
    )


def unit_vector(size: str) -> Space:
    """Unit vectors: stereographic images (2t, |t|² - 1)/(|t|² + 1)."""

    def draw(source: Source, name: str) -> Array:
        t = source.array((source.size(size) - 1,))
        square = (t * t).sum()
        one = source.make(np.array([1]))
        return concatenate([t * 2, one * (square - 1)], -1) / (square + 1)

    return Space(draw, f"unit vector ({size},)")


class Invertible(NamedTuple):
    """An invertible matrix with its inverse."""

    matrix: Array
    inverse: Array


def invertible(size: str, factors: int = 3) -> Space:
    """Invertible matrices with their inverse: products of I + u vᵀ (Sherman-Morrison)."""

    def draw(source: Source, name: str) -> Invertible:
        n = source.size(size)
        product: Any = np.eye(n, dtype=int)
        inverse: Any = np.eye(n, dtype=int)
        for _ in range(factors):
            u, v = source.array((n, 1)), source.array((n, 1))
            slope = _away_from_zero(source, (u * v).sum() + 1)
            product = product + (product @ u) @ v.mT
            inverse = inverse - u @ (v.mT @ inverse) / slope
        return Invertible(product, inverse)

    def words(name: str) -> Invertible:
        T: Words = letter(name, size_of(size), size_of(size), "invertible")
        return Invertible(T, T.inverse)

    return Space(draw, f"invertible ({size}, {size})", words)


def _away_from_zero(source: Source, x: Any) -> Any:
    least = 0 if source.system.exact else 1e-2
    source.require(abs(source.plain(x)) > least, "nearly singular")
    return x


def rectangular_diagonal(entries: Array, rows: int, cols: int) -> Array:
    """Return the (rows, cols) matrix with `entries` on its diagonal, zeros elsewhere."""
    picks = np.zeros((rows, cols, entries.shape[-1]), dtype=int)
    for k in range(entries.shape[-1]):
        picks[k, k, k] = 1
    return (picks * entries).sum(-1)
