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
from toymodels.errors import InputError
from toymodels.spaces.source import POSITIVE, REAL, Domain, Source
from toymodels.spaces.space import Space, size_of, tokens
from toymodels.validation import positive_int


def matrix(sizes: str) -> Space:
    """Real matrices of the named shape, such as ``matrix("m d")``; numerals are literal sizes."""
    rows, cols = map(size_of, tokens(sizes, 2))
    return Space(
        lambda source, name: source.array((source.size(rows), source.size(cols))),
        f"matrix ({rows}, {cols})",
        lambda name: letter(name, rows, cols),
    )


def vector(sizes: str, domain: Domain = REAL) -> Space:
    """Real vectors of the named length."""
    (length,) = map(size_of, tokens(sizes, 1))
    text = "vector" if domain == REAL else "positive vector" if domain == POSITIVE else "bounded vector"
    return Space(lambda source, name: source.array((source.size(length),), domain), f"{text} ({length},)")


def symmetric(size: str) -> Space:
    """Symmetric matrices."""
    (dimension,) = map(size_of, tokens(size, 1))

    def draw(source: Source, name: str) -> Array:
        half = source.array((source.size(size),) * 2)
        return half + half.mT

    return Space(
        draw, f"symmetric ({size}, {size})", lambda name: letter(name, dimension, dimension, "symmetric")
    )


def positive_definite(size: str) -> Space:
    """Positive definite matrices: B Bᵀ plus a positive multiple of the identity."""
    (dimension,) = map(size_of, tokens(size, 1))

    def draw(source: Source, name: str) -> Array:
        n = source.size(size)
        root = source.array((n, n))
        return root @ root.mT + source.number(POSITIVE) * np.eye(n, dtype=int)

    return Space(
        draw,
        f"positive definite ({size}, {size})",
        lambda name: letter(name, dimension, dimension, "symmetric"),
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
    (dimension,) = map(size_of, tokens(size, 1))

    def draw(source: Source, name: str) -> Array:
        n = source.size(size)
        return reflections(source, n, n - source.integer(0, 1))

    return Space(
        draw, f"orthogonal ({size}, {size})", lambda name: letter(name, dimension, dimension, "orthogonal")
    )


def frame(sizes: str) -> Space:
    """Matrices with orthonormal columns, (n, d) with d <= n."""
    rows, cols = map(size_of, tokens(sizes, 2))

    def draw(source: Source, name: str) -> Array:
        n, d = source.size(rows), source.size(cols)
        source.require(d <= n, f"{cols} <= {rows}")
        return reflections(source, n, n - source.integer(0, 1))[:, :d]

    return Space(
        draw, f"orthonormal columns ({rows}, {cols})", lambda name: letter(name, rows, cols, "frame")
    )


def unit_vector(size: str) -> Space:
    """Unit vectors: stereographic images (2t, |t|² - 1)/(|t|² + 1), up or down."""
    tokens(size, 1)

    def draw(source: Source, name: str) -> Array:
        t = source.array((source.size(size) - 1,))
        square = (t * t).sum()
        up = source.make(np.array([1])) * (2 * source.integer(0, 1) - 1)
        return concatenate([t * 2, up * (square - 1)], -1) / (square + 1)

    return Space(draw, f"unit vector ({size},)")


class Invertible(NamedTuple):
    """An invertible matrix with its inverse."""

    matrix: Array
    inverse: Array


def invertible(size: str, factors: int = 3) -> Space:
    """Invertible matrices with their inverse: products of I + u vᵀ (Sherman-Morrison)."""
    (dimension,) = map(size_of, tokens(size, 1))
    positive_int("factors", factors)

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
        T: Words = letter(name, dimension, dimension, "invertible")
        return Invertible(T, T.inverse)

    return Space(draw, f"invertible ({size}, {size})", words)


def _away_from_zero(source: Source, x: Any) -> Any:
    least = 0 if source.system.exact else 1e-2
    source.require(abs(source.plain(x)) > least, "nearly singular")
    return x


def rectangular_diagonal(entries: Array, rows: int, cols: int) -> Array:
    """Return the (rows, cols) matrix with `entries` on its diagonal, zeros elsewhere."""
    if entries.shape[-1] > min(rows, cols):
        raise InputError(f"entries: at most {min(rows, cols)} fit on the diagonal, got {entries.shape[-1]}")
    picks = np.zeros((rows, cols, entries.shape[-1]), dtype=int)
    for k in range(entries.shape[-1]):
        picks[k, k, k] = 1
    return (picks * entries).sum(-1)


class Interpolating(NamedTuple):
    """Data that a linear map fits exactly: Y = X Wᵀ."""

    X: Array
    Y: Array
    W: Array


def interpolating(sizes: str) -> Space:
    """Data rows X (n, d) and Y (n, c) with a linear map W (c, d) that fits them exactly, as in "n d c".

    X has any rank, also below n and d.
    """
    n, d, c = map(size_of, tokens(sizes, 3))

    def draw(source: Source, name: str) -> Interpolating:
        rows, cols = source.size(n), source.size(d)
        rank = source.integer(1, min(rows, cols))
        X = source.array((rows, rank)) @ source.array((rank, cols))
        W = source.array((source.size(c), cols))
        return Interpolating(X, X @ W.mT, W)

    def words(name: str) -> Interpolating:
        X, W = letter(f"X of {name}", n, d), letter(f"W of {name}", c, d)
        return Interpolating(X, X @ W.mT, W)

    return Space(draw, f"data ({n}, {d}) that a linear map ({c}, {d}) interpolates", words)
