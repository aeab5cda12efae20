"""What the linear family's statements range over: aligned weights, critical points, whitenable statistics."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.arithmetic import Array, mT
from toymodels.linear.factors import balanced_factors
from toymodels.linear.isotropic import isotropic_factors
from toymodels.spaces import POSITIVE, Space
from toymodels.spaces.matrices import reflections
from toymodels.spaces.source import Domain, Refused, Source


class Aligned(NamedTuple):
    """Weights W1 = O diag(a) Vᵀ, W2 = U diag(b) Oᵀ and target S = U diag(s) Vᵀ, m = c = d."""

    a: Array
    b: Array
    s: Array
    O: Array
    U: Array
    V: Array

    @property
    def W1(self) -> Array:
        """First layer."""
        return self.O * self.a @ mT(self.V)

    @property
    def W2(self) -> Array:
        """Second layer."""
        return self.U * self.b @ mT(self.O)

    @property
    def S(self) -> Array:
        """Target."""
        return self.U * self.s @ mT(self.V)


def aligned_weights(size: str, balanced: bool = False) -> Space:
    """Aligned weights of a square net; a = b where balanced."""

    def draw(source: Source, name: str) -> Aligned:
        n = source.size(size)
        a, s = source.array((n,)), source.array((n,), POSITIVE)
        b = a if balanced else source.array((n,))
        O, U, V = (reflections(source, n, min(n, 2)) for _ in range(3))
        return Aligned(a, b, s, O, U, V)

    return Space(draw, f"{'balanced ' if balanced else ''}aligned weights ({size}, {size})")


class Critical(NamedTuple):
    """A critical point of two layers: the learned modes, balanced, and the target.

    The singular values are squares, ``s = root²``, so the balanced factors are
    rational. With a symmetric root R of Sxx the target is U diag(s) Vᵀ R.
    """

    W1: Array
    W2: Array
    Sxx: Array
    Syx: Array
    U: Array
    V: Array
    root: Array
    R: Array
    R_inverse: Array
    learned: tuple[int, ...]

    @property
    def s(self) -> Array:
        """Singular values of the whitened target."""
        return self.root * self.root

    @property
    def missing(self) -> tuple[int, ...]:
        """Modes that are not learned."""
        return tuple(k for k in range(self.root.shape[-1]) if k not in self.learned)


def critical_point(whitened: bool = True, separated: bool = False) -> Space:
    """Critical points of random shapes (d, m, c), every subset of at most m modes.

    Separated ones have modes of strengths at least 1/4 apart.
    """

    def draw(source: Source, name: str) -> Critical:
        d, m, c = (source.size(size) for size in "dmc")
        p = min(c, d)
        code = source.integer(0, 2**p - 1)
        learned = tuple(k for k in range(p) if code >> k & 1)
        source.require(len(learned) <= m, "more modes than neurons")
        root = source.array((p,), Domain(0.5, 1.0) if separated else POSITIVE)
        if separated:
            root = np.tri(p, dtype=int) @ root
        U, V = reflections(source, c, min(c, 2)), reflections(source, d, min(d, 2))
        R, R_inverse = _root(source, d, whitened)
        W1, W2 = _balanced_modes(U, V, root, learned, m)
        Syx = (U[:, :p] * (root * root)) @ mT(V[:, :p]) @ R
        return Critical(W1 @ R_inverse, W2, R @ R, Syx, U, V, root, R, R_inverse, learned)

    return Space(draw, f"critical point of {'whitened' if whitened else 'general'} data (d, m, c)")


def _root(source: Source, d: int, whitened: bool) -> tuple[Any, Any]:
    """A symmetric positive definite matrix and its inverse, from rational eigenvectors."""
    if whitened:
        return np.eye(d, dtype=int), np.eye(d, dtype=int)
    O, r = reflections(source, d, min(d, 2)), source.array((d,), POSITIVE)
    return (O * r) @ mT(O), (O / r) @ mT(O)


def _balanced_modes(U: Array, V: Array, root: Array, learned: tuple[int, ...], m: int) -> tuple[Any, Any]:
    """Hidden unit h carries mode learned[h] on both sides; the other units are empty."""
    c, d = U.shape[-1], V.shape[-1]
    W1 = np.zeros((m, d), dtype=int) * root[0]
    W2 = np.zeros((c, m), dtype=int) * root[0]
    for h, k in enumerate(learned):
        unit = np.eye(m, dtype=int)[:, [h]]
        W1 = W1 + root[k] * (unit @ mT(V[:, [k]]))
        W2 = W2 + root[k] * (U[:, [k]] @ mT(unit))
    return W1, W2


def _floats_only(source: Source) -> None:
    """Refuse exact and symbolic draws: what starts here goes through algorithms."""
    if source.system.name != "floats":
        raise Refused("starts of trajectories are floats")


class ModeStart(NamedTuple):
    """A scalar mode: input weight, output weight, target."""

    a: float
    b: float
    s: float


def mode_start(scale: float = 2.0) -> Space:
    """Scalar modes of every kind: generic, balanced, on the stable manifold, with zeros, s of either sign."""

    def draw(source: Source, name: str) -> ModeStart:
        _floats_only(source)
        a, b, s = (float(source.number(Domain(-scale, scale))) for _ in range(3))
        sign = -1.0 if s < 0 else 1.0
        kind = source.integer(0, 5)
        shapes = [(a, b, s), (a, sign * a, s), (a, -sign * a, s), (0.0, b, s), (a, b, 0.0), (0.0, 0.0, s)]
        return ModeStart(*shapes[kind])

    return Space(draw, "scalar mode (a, b, s)")


class CommutingStart(NamedTuple):
    """Aligned weights on data whose covariance commutes with the target's right Gram matrix."""

    Sxx: Array
    Syx: Array
    tyy: float
    theta: Array
    width: int


def commuting_start() -> Space:
    """Aligned starts W1 = O diag(a) Vᵀ, W2 = U diag(b) Oᵀ with Sxx = V diag(l) Vᵀ, any widths."""

    def draw(source: Source, name: str) -> CommutingStart:
        _floats_only(source)
        d, m, c = (source.size(size) for size in "dmc")
        O, U, V = (reflections(source, n, min(n, 3)) for n in (m, c, d))
        k = min(d, m, c)
        a, b, s = (source.array((k,), Domain(-1.5, 1.5)) for _ in range(3))
        variances = source.array((d,), Domain(0.3, 2.0))
        W1, W2 = (O[:, :k] * a) @ V[:, :k].T, (U[:, :k] * b) @ O[:, :k].T
        Syx = (U[:, :k] * s) @ V[:, :k].T
        Sxx = (V * variances) @ V.T
        tyy = 1.0 + float((s * s / variances[:k]).sum())
        theta = np.concatenate([W1.ravel(), W2.ravel()])
        return CommutingStart((Sxx + Sxx.T) / 2, Syx, tyy, theta, m)

    return Space(draw, "aligned start with commuting covariance (d, m, c)")


class BalancedStart(NamedTuple):
    """Weights with W2ᵀW2 - W1W1ᵀ = lam I, and the statistics of the data."""

    Sxx: Array
    Syx: Array
    tyy: float
    W1: Array
    W2: Array
    lam: float

    @property
    def theta(self) -> Array:
        """Parameters, W1 then W2."""
        return np.concatenate([self.W1.ravel(), self.W2.ravel()])


def balanced_start(coloured: bool = False, closed: bool = False, tilt: float = 0.0) -> Space:
    """Balanced starts of random widths (d, m, c), lam of either sign where the widths allow it, or zero.

    Inputs are whitened up to their variance, or `coloured`. Where `closed`, a
    nonzero lam comes only with a hidden layer as wide as the larger layer needs
    for the product to obey an equation of its own. `tilt` leaves balance.
    """

    def draw(source: Source, name: str) -> BalancedStart:
        _floats_only(source)
        d, m, c = (source.size(size) for size in "dmc")
        positive, negative = (m == c, m == d) if closed else (m <= c, m <= d)
        signs = [0.0] + [1.0] * positive + [-1.0] * negative
        lam = signs[source.integer(0, len(signs) - 1)] * float(source.number(Domain(0.1, 1.5)))
        r = min(d, m, c)
        W = source.array((c, r), Domain(-1.2, 1.2)) @ source.array((r, d), Domain(-1.2, 1.2))
        O = reflections(source, m, min(m, 3))
        W1, W2 = balanced_factors(W, lam, width=m, rotation=O)
        W1 = W1 + tilt * source.array((m, d), Domain(-1.0, 1.0))
        Syx = source.array((c, d), Domain(-1.5, 1.5))
        V, variances = reflections(source, d, min(d, 3)), source.array((d,), Domain(0.4, 2.0))
        Sxx = (V * variances) @ V.T if coloured else variances[0] * np.eye(d)
        tyy = 1.0 + float((np.linalg.solve(Sxx, Syx.T) * Syx.T).sum())
        return BalancedStart((Sxx + Sxx.T) / 2, Syx, tyy, W1, W2, lam)

    kind, inputs = "tilted " if tilt else "", "any" if coloured else "white"
    return Space(draw, f"{kind}balanced start, {inputs} inputs (d, m, c)")


class IsotropicStart(NamedTuple):
    """Weights with M J M = gamma² J, and the statistics of the data."""

    Sxx: Array
    Syx: Array
    tyy: float
    W1: Array
    W2: Array
    gamma: float

    @property
    def theta(self) -> Array:
        """Parameters, W1 then W2."""
        return np.concatenate([self.W1.ravel(), self.W2.ravel()])


def isotropic_start(coloured: bool = False, gaussian: bool = False, empty: bool = False) -> Space:
    """Isotropic starts of width c + d or more; W(0) = 0 where `empty`, plainly random where `gaussian`."""

    def draw(source: Source, name: str) -> IsotropicStart:
        _floats_only(source)
        d, c = (source.size(size) for size in "dc")
        m = d + c + source.integer(0, 1)
        gamma = float(source.number(Domain(0.2, 1.5)))
        K = source.array((c, d), Domain(-0.4, 0.4)) * (0.0 if empty else 1.0)
        O = reflections(source, m, min(m, 3))
        W1, W2 = isotropic_factors(K, gamma, width=m, rotation=O)
        if gaussian:
            W1, W2 = source.array((m, d), Domain(-1.0, 1.0)), source.array((c, m), Domain(-1.0, 1.0))
        Syx = source.array((c, d), Domain(-1.5, 1.5))
        V, variances = reflections(source, d, min(d, 3)), source.array((d,), Domain(0.4, 2.0))
        Sxx = (V * variances) @ V.T if coloured else np.eye(d)
        tyy = 1.0 + float((np.linalg.solve(Sxx, Syx.T) * Syx.T).sum())
        return IsotropicStart((Sxx + Sxx.T) / 2, Syx, tyy, W1, W2, gamma)

    return Space(draw, f"isotropic start, {'any' if coloured else 'white'} inputs (d, c)")
