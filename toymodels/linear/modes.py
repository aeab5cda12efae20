"""Aligned starts: weights, target and inputs that share their singular vectors.

A two-layer linear net is aligned when W1 = O diag(a) Vᵀ, W2 = U diag(b) Oᵀ,
Syx = U diag(s) Vᵀ and Sxx = V diag(l) Vᵀ with orthonormal columns in O, U, V.
Gradient flow and gradient descent keep it so, each mode on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from toymodels.linear.statistics import EPS, Statistics

Array = np.ndarray

# Weights of generic combinations: modes that differ in anything differ in the sum, and if they
# nearly agree there by accident, hardly in the next one.
_GENERIC = (
    (1.0, 0.7548776662466927, 0.5698402909980532, 0.4301597090019468, 0.3247179572447460, 0.8191725133961645),
    (0.4142135623730951, 1.0, 0.7320508075688772, 0.2360679774997898, 0.6457513110645907, 0.3166247903554),
    (0.6055512754639891, 0.3588989435406740, 1.0, 0.7958315233127191, 0.3851648071345037, 0.5677643628300215),
)


@dataclass(frozen=True)
class Modes:
    """The modes of an aligned start; leading axes are runs.

    A mode that cannot move (one without a hidden direction or without an output
    direction) has a = b = 0 and zero columns; what such modes hold of W1 and W2
    rests in `rest1` and `rest2`.

    Attributes
    ----------
    a, b, s, l : (..., d)
        Input weight, output weight, target and input variance of each mode.
    O, U, V : (..., m, d), (..., c, d), (..., d, d)
        Hidden, output and input directions.
    rest1, rest2 : (..., m, d), (..., c, m)
        The parts of W1 and W2 that stay.
    idle : (..., d)
        Size of the target along the input directions of the modes that cannot move.
    residual : (...)
        How far the start is from aligned: the largest of what the equations
        leave, each relative to the norms of its factors.
    """

    a: Array
    b: Array
    s: Array
    l: Array
    O: Array
    U: Array
    V: Array
    rest1: Array
    rest2: Array
    idle: Array
    residual: Array

    def weights(self, a: Array, b: Array) -> tuple[Array, Array]:
        """Return W1 and W2 for other sizes of the modes, (..., d) each."""
        W1 = (self.O * a[..., None, :]) @ self.V.mT + self.rest1
        W2 = (self.U * b[..., None, :]) @ self.O.mT + self.rest2
        return W1, W2


def aligned_modes(W1: Array, W2: Array, statistics: Statistics) -> Modes:
    """Return the modes of a start and how far it is from aligned.

    Parameters
    ----------
    W1, W2 : arrays (..., m, d), (..., c, m)
        The layers; leading axes are runs.
    statistics : Statistics
        Sxx (d, d) and Syx (c, d) of the data.

    Returns
    -------
    Modes
        Trust them where `residual` is at rounding level.

    Notes
    -----
    The input directions are the eigenvectors of a generic combination of the
    symmetric factors |A| = (AᵀA)^{1/2} of S, W1, W2 W1, W2ᵀS and S + W2 W1 with
    Sxx: on an aligned start they commute. The factors come from singular value
    decompositions, so modes of very different sizes stay apart. Source: own
    derivation, linear_nets 3.

    Examples
    --------
    >>> modes = aligned_modes(np.diag([1.0, 0.1]), np.diag([0.5, 0.2]), Statistics(np.eye(2), np.eye(2), 2.0))
    >>> print(modes.residual, sorted(modes.a.tolist()))
    0.0 [0.1, 1.0]
    """
    Sxx, S = statistics.Sxx, statistics.Syx
    first, second, target = _relative(W1), _relative(W2), _relative(S)
    parts = first, second, target, _relative(Sxx)
    modes = _modes_along(_input_directions(*parts, _GENERIC[0]), W1, W2, S, Sxx)
    for weights in _GENERIC[1:]:
        if modes.residual.max() < 100 * EPS:
            break
        modes = _better(modes, _modes_along(_input_directions(*parts, weights), W1, W2, S, Sxx))
    return modes


def _modes_along(V: Array, W1: Array, W2: Array, S: Array, Sxx: Array) -> Modes:
    """Read the modes off the images of the input directions."""
    first, second, target = _relative(W1), _relative(W2), _relative(S)
    floor = np.where(signed_permutation(V), 0.0, 4 * max(*W1.shape[-2:], len(S)) * EPS)
    O = orthonormal(_longer(first @ V, second.mT @ target @ V), floor)
    U = orthonormal(_longer(target @ V, second @ first @ V), floor)
    moving = (np.abs(O).max(-2, keepdims=True) > 0) & (np.abs(U).max(-2, keepdims=True) > 0)
    O, U = np.where(moving, O, 0.0), np.where(moving, U, 0.0)
    a, b, s, l = (_diagonal(*x) for x in ((O, W1, V), (U, W2, O), (U, S, V), (V, Sxx, V)))
    l = np.where(l > 4 * len(Sxx) * EPS * l.max(-1, keepdims=True), l, 0.0)
    rest1 = W1 - (O * a[..., None, :]) @ V.mT
    rest2 = W2 - (U * b[..., None, :]) @ O.mT
    idle = np.where(moving[..., 0, :], 0.0, np.linalg.norm(S @ V, axis=-2))
    idle = np.where(idle > floor[..., None] * _norm(S), idle, 0.0)
    modes = Modes(a, b, s, l, O, U, V, rest1, rest2, idle, np.zeros(a.shape[:-1]))
    return replace(modes, residual=_residual(modes, W1, W2, S, Sxx))


def _better(one: Modes, other: Modes) -> Modes:
    """Run by run the modes with the smaller residual."""
    first = one.residual <= other.residual

    def choose(name: str) -> Array:
        x, y = getattr(one, name), getattr(other, name)
        return np.where(first.reshape(first.shape + (1,) * (x.ndim - first.ndim)), x, y)

    return Modes(**{field.name: choose(field.name) for field in fields(Modes)})


def _input_directions(W1: Array, W2: Array, S: Array, Sxx: Array, weights: tuple[float, ...]) -> Array:
    """Eigenvectors (..., d, d) of a generic combination of what must commute; all of norm 1."""
    W = W2 @ W1
    factors = [_symmetric_factor(A) for A in (S, W1, W, W2.mT @ S, S + weights[1] * W)]
    combination = np.zeros(Sxx.shape)
    for weight, factor in zip(weights, [*factors, Sxx], strict=True):
        combination = combination + weight * factor
    return np.linalg.eigh((combination + combination.mT) / 2)[1]


def _symmetric_factor(A: Array) -> Array:
    """(AᵀA)^{1/2}, from the singular value decomposition."""
    _, size, Vt = np.linalg.svd(A, full_matrices=False)
    return (Vt.mT * size[..., None, :]) @ Vt


def _norm(A: Array) -> Array:
    """Frobenius norm over the last two axes, without underflow."""
    largest = np.abs(A).max((-1, -2))
    scale = np.where(largest > 0, largest, 1.0)
    return scale * np.linalg.norm(A / scale[..., None, None], axis=(-2, -1))


def _relative(A: Array) -> Array:
    """A over its norm; zero stays zero."""
    norm = _norm(A)[..., None, None]
    return A / np.where(norm > 0, norm, 1.0)


def signed_permutation(V: Array) -> Array:
    """Whether all entries are -1, 0 or 1, so that products with V round nothing."""
    return np.asarray(np.isin(V, (-1.0, 0.0, 1.0)).all((-1, -2)))


def _longer(first: Array, second: Array) -> Array:
    """Column by column the longer of two candidates."""
    longer = np.linalg.norm(first, axis=-2) >= np.linalg.norm(second, axis=-2)
    return np.where(longer[..., None, :], first, second)


def orthonormal(columns: Array, floor: Array) -> Array:
    """Orthonormalise (..., k, d) columns, longest first; those at the floor, or past k, become zero.

    The error that a short column takes from the long ones lies along them, so it
    goes with the projection.
    """
    length = np.linalg.norm(columns, axis=-2)
    room = min(columns.shape[-2:])
    order = np.argsort(-length, axis=-1, kind="stable")[..., None, :room]
    chosen = np.take_along_axis(columns, np.broadcast_to(order, columns.shape[:-1] + (room,)), axis=-1)
    size = np.take_along_axis(length[..., None, :], order, axis=-1)
    kept = size > floor[..., None, None]
    Q, R = np.linalg.qr(chosen / np.where(size > 0, size, 1.0))
    turn = np.where(np.diagonal(R, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]
    out = np.zeros(columns.shape)
    np.put_along_axis(out, np.broadcast_to(order, Q.shape), np.where(kept, Q * turn, 0.0), axis=-1)
    return out


def _diagonal(left: Array, A: Array, right: Array) -> Array:
    """The numbers left_iᵀ A right_i."""
    return (left * (A @ right)).sum(-2)


def _residual(modes: Modes, W1: Array, W2: Array, S: Array, Sxx: Array) -> Array:
    """The largest relative defect in the equations under which `weights` solves the flow."""
    O, U, V, rest1, rest2 = modes.O, modes.U, modes.V, modes.rest1, modes.rest2
    a, b, s, l = (x[..., None, :] for x in (modes.a, modes.b, modes.s, modes.l))
    moving = np.where(np.abs(O).max(-2, keepdims=True) > 0, V, 0.0)
    size1, size2, sizeS, sizeX = _norm(W1), _norm(W2), _norm(S), _norm(Sxx)
    defects = [
        (S @ moving - U * s, sizeS),
        (S.mT @ U - moving * s, sizeS),
        (W1 @ moving - O * a, size1),
        (W1.mT @ O - moving * a, size1),
        (W2 @ O - U * b, size2),
        (W2.mT @ U - O * b, size2),
        (Sxx @ moving - moving * l, sizeX),
        (np.where(modes.l == 0, modes.s, 0.0)[..., None, :], sizeS),
        (rest2 @ rest1 @ Sxx, size1 * size2 * sizeX),
        (rest2.mT @ S, size2 * sizeS),
        (S @ rest1.mT, size1 * sizeS),
    ]
    relative = [_norm(defect) / np.where(size > 0, size, 1.0) for defect, size in defects]
    return np.max(np.broadcast_arrays(*relative), axis=0)
