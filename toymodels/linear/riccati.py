r"""The matrix Riccati equation ``M' = F M + M F - M²`` for a positive semidefinite M = QQᵀ, at every time.

It solves two linear layers with whitened inputs and balanced weights
(Q = [W1ᵀ; W2], Q' = F Q - Q QᵀQ/2) and its symmetric relatives. The solution

    M(t) = P [I + Q0ᵀ (int_0^t e^{2Fs} ds) Q0]^{-1} Pᵀ,   P = e^{Ft} Q0,

is a quotient of exponentials that all overflow. In the eigenbasis of F, rates f
descending, the start is put in column echelon form, A = L frame with column j
zero above its pivot row p_j, and column j is divided by e^{g_j t}, g_j the
positive part of f_{p_j}. What is left are exponentials of exponents <= 0:

    start_j = e^{-g_j t},   grown_ij = L_ij e^{(max(f_i, 0) - g_j) t},
    weight_i = int_0^t e^{-2|f_i|s} ds,   fall_i = e^{min(f_i, 0) t},
    bracket = diag(start²) + grownᵀ diag(weight) grown,
    Q = vectors diag(fall) grown R^{-1} frame,   bracket = RᵀR.

Nothing is subtracted, no inverse of F is taken, and t = inf is a time as any other.
"""

from __future__ import annotations

import numpy as np

from toymodels.arithmetic import Array, identity_like, mT, polynomial
from toymodels.arithmetic.elementary import decay_integral
from toymodels.linear.bracket import Scaled, fallen, inverse_root, over_root, rows_of, tiled_product
from toymodels.linear.echelon import Echelon, echelon, product_noise
from toymodels.linear.generator import Generator
from toymodels.linear.statistics import EPS

_LATE = 1e290
"""Past it, as a time in units of the rates, every exponential is zero or one."""
_CHUNK = 16
"""Times handled together: their matrices stay in the cache."""


@polynomial("(N,N),(N,N)->(N,N)", words=True)
def velocity(M: Array, F: Array) -> Array:
    """Velocity F M + M F - M² of the Gram matrix. Source: linear_nets 5.1; after Fukumizu 1998."""
    return F @ M + M @ F - M @ M


@polynomial("(N,m),(N,N)->(N,m)", words=True)
def stacked_velocity(Q: Array, F: Array) -> Array:
    """Velocity F Q - Q QᵀQ/2 of the stacked weights [W1ᵀ; W2]. Source: linear_nets 5.1."""
    return F @ Q - Q @ (mT(Q) @ Q) / 2


@polynomial("(N,k),(k,k)->(N,N)", words=True)
def quotient(P: Array, inverse: Array) -> Array:
    """Gram matrix P D^{-1} Pᵀ from the inverse of the bracket D. Source: linear_nets 5.1, D3."""
    return P @ inverse @ mT(P)


@polynomial("(N,m),(N,N)->(m,m)", words=True)
def growth(Q0: Array, J: Array) -> Array:
    """Bracket I + Q0ᵀ J Q0 with J the integral of e^{2Fs} over [0, t]. Source: linear_nets 5.1."""
    return identity_like(Q0) + mT(Q0) @ J @ Q0


class Propagator:
    """The solution of Q' = F Q - Q QᵀQ/2 from a start, up to a rotation of the columns of Q.

    Parameters
    ----------
    F : Generator
        Eigenvectors of F.
    Q0 : (N, m)
        The start.
    defect : float
        Relative distance of Q0 from the starts for which the equation holds.

    Attributes
    ----------
    echelon : Echelon
        The start in the eigenbasis.
    rates : (N,)
        Eigenvalues of F.

    Notes
    -----
    Source: linear_nets 5.3 and own derivation. Rows of the start whose remainder
    rounding cannot tell from zero get no pivot: such a start is followed on the
    stable manifold of its saddle, and `error` says how fast rounding would leave it.

    Examples
    --------
    >>> from toymodels.linear.generator import generator
    >>> flow = Propagator(generator(np.diag([2.0, 1.0]), 0.0), np.ones((4, 1)) / 10)
    >>> flow.gram(np.array([0.0, np.inf]))[1].round(12)[:2, 2:]
    array([[2., 0.],
           [0., 0.]])
    """

    def __init__(self, F: Generator, Q0: Array, defect: float = 0.0):
        vectors = F.vectors
        A = vectors.T @ Q0
        size = np.linalg.norm(Q0)
        noise = product_noise(vectors.T, Q0) + 4 * defect * size
        self._turned = _eigenvector_error(F)
        drift = self._turned @ np.linalg.norm(A, axis=1)
        self.echelon: Echelon = echelon(A, np.maximum(F.rates, 0.0), noise, drift)
        order = self.echelon.order
        self._vectors, self.rates = vectors[:, order], F.rates[order]
        self._noise = (noise + drift)[order][:, None]
        self._rate_error = F.error + 2 * EPS * np.abs(F.rates).max(initial=0.0)
        lengths = np.linalg.norm(self.echelon.L, axis=0)
        self._lengths, self._L = lengths, self.echelon.L / lengths
        self._gains = np.maximum(self.rates, 0.0)[self.echelon.pivots]

    @property
    def rank(self) -> int:
        """Rank of the start."""
        return len(self.echelon.pivots)

    @property
    def growing(self) -> int:
        """Number of modes that the flow learns: pivots in rows of positive rate."""
        return int(np.count_nonzero(self._gains))

    def roots(self, t: Array) -> Array:
        """Return matrices (T, N, k) with M = root rootᵀ at times t (T,), rotated as in `stacked`."""
        out = np.empty((len(t), len(self.rates), self.rank))
        for part in _chunks(len(t)):
            scaled = self._scaled(t[part])
            columns = fallen(scaled.fall, scaled.grown)
            out[part] = tiled_product(self._vectors, over_root(columns, scaled))
        return out

    def stacked(self, t: Array) -> Array:
        """Return Q (T, N, m) = e^{Ft} Q0 R^{-1}, R a root of the bracket, triangular in the echelon frame.

        It starts at Q0, is continuous, and is the solution itself where the
        hidden layer does not turn: for one column, or for a start whose
        columns in the echelon frame are eigenvectors of F.
        """
        return tiled_product(self.roots(t), self.echelon.frame)

    def gram(self, t: Array) -> Array:
        """Return M (T, N, N) at times t (T,)."""
        out = np.empty((len(t), len(self.rates), len(self.rates)))
        for part in _chunks(len(t)):
            root = self.roots(t[part])
            out[part] = tiled_product(root, root.mT)
        return out

    def error(self, t: Array) -> Array:
        """Return a first-order bound (T,) on the error of `stacked` in the Frobenius norm."""
        return np.concatenate([self._error(t[first : first + 1]) for first in range(len(t))])

    def _scaled(self, t: Array) -> Scaled:
        """Evaluate the functions of time, each column by the representative that floats can hold."""
        late = np.minimum(t, _LATE)[:, None]
        with np.errstate(under="ignore", over="ignore"):
            start = np.exp(-self._gains * late)
            lift = np.maximum(start, self._lengths)
            exponent = np.minimum(np.maximum(self.rates, 0.0)[:, None] - self._gains, 0.0)
            grown = np.multiply(late[:, :, None], exponent)
            np.exp(grown, out=grown)
            grown *= self._L
            grown *= (self._lengths / lift)[:, None, :]
            # at infinity what neither grows nor is driven has died out like 1/t
            grown *= ~(np.isinf(t)[:, None, None] & (self._gains == 0))
            weight = decay_integral(2 * np.abs(self.rates), late)
            fall = np.exp(np.minimum(self.rates, 0.0) * late)
        return Scaled(start / lift, weight, grown, fall)

    def _error(self, t: Array) -> Array:
        """`error` at one time, (1,): the smaller of two bounds, early and late.

        Early the columns move by the noise of the start itself; late that noise
        outgrows them above their pivots, and what counts is the move of the
        echelon form, whose zeros there are exact.
        """
        scaled, e = self._scaled(t), self.echelon
        late = np.minimum(t, _LATE)[:, None, None]
        growth = np.maximum(self.rates, 0.0)[:, None] - self._gains
        with np.errstate(under="ignore", over="ignore", invalid="ignore"):
            lift = np.maximum(np.exp(-self._gains * late), self._lengths)
            spread = self._rate_error * np.minimum(late, 1 / np.where(growth < 0, -growth, np.inf))
            timed = np.abs(scaled.grown) * (np.where(growth < 0, spread, 0.0) + 8 * EPS)
            grown = np.exp(growth * late) / lift
            moves = [np.where(error > 0, error * grown, 0.0) for error in (self._noise, e.error)]
            end = np.minimum(self._rate_error * late[:, :, 0], 1.0) * scaled.start
            inverse, loss = inverse_root(scaled)
            absolute = np.abs(inverse)
            size = np.linalg.norm(fallen(scaled.fall, scaled.grown) @ inverse, axis=(1, 2))
            moved = np.min([_moved(scaled, timed + move, end, absolute, size) for move in moves], axis=0)
            leaving = np.exp(np.maximum(self.rates, 0.0) * late[:, 0]) * e.rest
            leaving = np.linalg.norm(np.where(e.rest > 0, leaving, 0.0) * scaled.fall, axis=-1)
        rounding = loss + 4 * (len(self.rates) + self.rank) * EPS + 2 * np.linalg.norm(self._turned, 2)
        return moved + size * rounding + leaving


def _chunks(count: int) -> list[slice]:
    """Slices of the times that are handled together."""
    return [slice(first, first + _CHUNK) for first in range(0, count, _CHUNK)]


def _eigenvector_error(F: Generator) -> Array:
    """How far each eigenvector may lean to each other one, (N, N): error over gap, none within a cluster."""
    gap = np.abs(F.rates[:, None] - F.rates)
    return np.divide(np.minimum(F.error, gap), gap, out=np.zeros(gap.shape), where=gap > 0)


def _moved(scaled: Scaled, columns: Array, end: Array, inverse: Array, size: Array) -> Array:
    """How far columns R^{-1} moves when the scaled columns and the start move by these sizes.

    With Z R the QR factorisation of the rows, d(R R^{-1}) is at most twice d(rows) R^{-1}.
    """
    direct = np.linalg.norm(fallen(scaled.fall, columns) @ inverse, axis=(1, 2))
    through = np.linalg.norm(rows_of(scaled, end, columns) @ inverse, axis=(1, 2))
    bound = direct + 2 * size * through
    return np.where(np.isnan(bound), np.inf, bound)
