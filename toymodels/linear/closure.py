r"""Flows whose product obeys an equation of its own, ``W' = -(C2 G + G C1)``, whatever the inputs.

G = W Sxx - S is the gradient in the product, C2 = W2W2ᵀ and C1 = W1ᵀW1. They
are functions of W alone, C2 = shift + sqrt(square + WWᵀ) and
C1 = -shift + sqrt(square + WᵀW), in two classes that the flow keeps: balanced
weights that fill the larger layer (shift = lam/2, square = lam²/4), and
isotropic ones, M J M = gamma² J with M = QQᵀ and J = diag(I_d, -I_c)
(shift = 0, square = gamma²).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from toymodels.arithmetic import Array, mT, polynomial
from toymodels.errors import ConvergenceError, InputError
from toymodels.linear import formulas
from toymodels.linear.balanced import Balance
from toymodels.linear.forms import Flow, Units
from toymodels.linear.statistics import EPS
from toymodels.solutions.scaling import times

if TYPE_CHECKING:
    from toymodels.linear.problem import TwoLayerLinear

_RTOL = 1e-13
_LOOSENED = 100.0
"""How much larger the tolerances of the second run are, by which the error is measured."""


@polynomial("(c,d),(c,c),(d,d)->(c,d)", words=True)
def product_velocity(G: Array, C2: Array, C1: Array) -> Array:
    """Velocity -(C2 G + G C1) of the product. Source: linear_nets 5.8."""
    return -(C2 @ G + G @ C1)


@polynomial("(c,d),(c,c),(d,d)->(c,c),(d,d),(c,d)", words=True)
def isotropy(W: Array, C2: Array, C1: Array) -> tuple[Array, Array, Array]:
    """The blocks C2² - WWᵀ, C1² - WᵀW, C2 W - W C1 of M J M up to sign. Source: linear_nets 5.9, D7."""
    return C2 @ C2 - W @ mT(W), C1 @ C1 - mT(W) @ W, C2 @ W - W @ C1


class Closure(NamedTuple):
    """The class of a start: shift and square, (runs) each, and how far it is from the class."""

    shift: Array
    square: Array
    residual: float


def closure_of(units: Units, balance: Balance, W1: Array, W2: Array, level: float) -> Closure:
    """Return the class of a start: balanced and filling the larger layer (to `level`), or isotropic."""
    Q, c, d, m = units.stacked(W1, W2), W2.shape[-2], W1.shape[-1], W1.shape[-2]
    lam = balance.lam
    fills = (lam == 0) | ((lam > 0) & (m == c)) | ((lam < 0) & (m == d))
    unbalanced = float(np.max(balance.residual)) if fills.all() else np.inf
    M = Q @ Q.mT
    signs = np.concatenate([np.ones(d), -np.ones(c)])
    turned = M @ (signs[:, None] * M)
    square = np.sum(np.diagonal(turned, axis1=-2, axis2=-1) * signs, axis=-1) / (c + d)
    defect = np.linalg.norm(turned - square[..., None, None] * np.diag(signs), axis=(-2, -1))
    size = np.sum(M * M, axis=(-2, -1))
    anisotropy = float(np.max(np.divide(defect, size, out=np.zeros(size.shape), where=size > 0)))
    # rounding gives balanced weights a gamma² of its own size, whose root would be large
    if unbalanced <= max(level, anisotropy):
        return Closure(lam / 2, lam**2 / 4, unbalanced)
    return Closure(0 * lam, np.maximum(square, 0.0), anisotropy)


def layer_grams(W: Array, shift: float, square: float) -> tuple[Array, Array]:
    """Return C2 (c, c) and C1 (d, d) of a product W, through its singular vectors.

    Examples
    --------
    >>> C2, C1 = layer_grams(np.array([[2.0]]), 1.5, 2.25)
    >>> print(C2[0, 0], C1[0, 0])
    4.0 1.0
    """
    c, d = W.shape
    U, u, Vt = np.linalg.svd(W)
    u = np.concatenate([u, np.zeros(max(c, d) - len(u))])
    root = np.hypot(u, np.sqrt(square))
    larger = root + abs(shift)
    # root - |shift| without cancellation where square = shift²
    moving = larger > 0
    smaller = u * np.divide(u, larger, out=np.zeros(u.shape), where=moving)
    smaller += np.divide(square - shift * shift, larger, out=np.zeros(u.shape), where=moving)
    second, first = (larger, smaller) if shift >= 0 else (smaller, larger)
    return (U * second[:c]) @ U.T, (Vt.T * first[:d]) @ Vt


class Matched(Flow):
    """A flow known by its Gram matrix M; `at` returns the root of M nearest to theta0.

    ``Q = root(M) O`` with O the orthogonal matrix that minimises |Q - Q0|.
    """

    determined = "up to a rotation of the hidden layer"

    def __init__(self, problem: TwoLayerLinear, W1: Array, W2: Array, units: Units, closure: Closure):
        super().__init__(problem, W1, W2)
        self.units, self.closure = units, closure
        self._Q0 = units.stacked(W1, W2)
        self._runs = self._Q0.shape[:-2]
        self._rank = int(np.max(np.linalg.matrix_rank(self._Q0)))

    def layers(self, t: Array) -> tuple[Array, Array]:
        """Return W1 and W2 at the times t, t.shape + runs + matrix, in the gauge of the class."""
        return self.units.layers(_nearest_root(self._gram(t)[0], self._Q0, self._rank))

    def product(self, t: Any) -> Array:
        """Return W2 W1 at the times t, t.shape + runs + (c, d)."""
        d = len(self.units.Sxx)
        return self._gram(t)[0][..., d:, :d]

    def gram(self, t: Any) -> Array:
        """Return QQᵀ of Q = [W1ᵀ; W2] at the times t, t.shape + runs + (d + c, d + c)."""
        return self.units.scale * self._gram(t)[0]

    def gram_error(self, t: Any) -> Array:
        """Return a bound on the error of `gram` (Frobenius norm), and so of `product`, t.shape + runs."""
        return self.units.stretch**2 * self._gram(t)[1]

    def error(self, t: Any) -> Array:
        """Return a bound on the error of `at` up to rotation, t.shape + runs.

        Roots of matrices at the distance e in the trace norm are at most sqrt(e) apart
        (Powers, Stormer 1970); of one rank r, at the distance e in the Frobenius norm,
        at most e / sqrt(2 (sqrt(2) - 1) value_r) (Tu, Boczar, Simchowitz,
        Soltanolkotabi, Recht 2016).
        """
        M, moved = self._gram(t)
        smallest = np.linalg.eigvalsh(M)[..., -self._rank] - moved if self._rank else 0 * moved
        sharp = np.sqrt(2 * (np.sqrt(2) - 1) * np.maximum(smallest, 0.0))
        linear = np.divide(moved, sharp, out=np.full(moved.shape, np.inf), where=sharp > 0)
        return self.units.stretch * np.minimum(np.sqrt(np.sqrt(self._Q0.shape[-2]) * moved), linear)

    def _gram(self, t: Any) -> tuple[Array, Array]:
        """M in the units of the flow and a bound on its error, at times of any shape."""
        t = times("t", t)
        clock = self.units.clock * t.ravel()
        parts = [self._run_gram(run, clock) for run in np.ndindex(self._runs)]
        grams, errors = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
        lead = t.shape + self._runs
        return grams.reshape(lead + grams.shape[2:]), errors.reshape(lead)

    def _run_gram(self, run: tuple[int, ...], clock: Array) -> tuple[Array, Array]:
        """M (T, N, N) and its error (T,) of one run, in the units of the flow."""
        raise NotImplementedError


class Closed(Matched):
    """The flow of a product that obeys an equation of its own, integrated to rounding; finite times only.

    Notes
    -----
    Source: linear_nets 5.8 and 5.9, own derivation (balanced, lam = 0: Arora,
    Cohen, Hazan 2018). `error` is measured against a run at a hundred times the
    tolerance.
    """

    def _run_gram(self, run: tuple[int, ...], clock: Array) -> tuple[Array, Array]:
        if np.isinf(clock).any():
            raise InputError("t: expected finite times; the limit is known for whitened inputs only")
        order = np.unique(clock)
        tight, steps = self._integrate(run, order, _RTOL)
        loose, _ = self._integrate(run, order, _LOOSENED * _RTOL)
        grams = np.stack([self._assemble(W, run) for W in tight])
        apart = np.linalg.norm(grams - np.stack([self._assemble(W, run) for W in loose]), axis=(1, 2))
        start = float(np.sum(self._Q0[run] ** 2))
        defect = (self.closure.residual + 8 * self._Q0.shape[-2] * EPS) * start
        # what is wrong at the start, or unclosed, moves like the difference of the runs or faster
        moved = np.maximum.accumulate(apart) * (2 + defect / (_RTOL * (start or 1.0)))
        error = moved + defect + (64 * EPS + 4 * steps * _RTOL) * np.linalg.norm(grams, axis=(1, 2))
        where = np.searchsorted(order, clock)
        return grams[where], error[where]

    def _integrate(self, run: tuple[int, ...], moments: Array, rtol: float) -> tuple[Array, int]:
        """The product (T, c, d) at increasing times, and the number of steps."""
        from scipy.integrate import solve_ivp

        W0 = formulas.product(self.units.lift * self.W1[run], self.W2[run] / self.units.lift)
        Sxx, S = self.units.Sxx, self.units.target
        shift, square = float(self.closure.shift[run]), float(self.closure.square[run])
        # without imbalance the flow keeps the rank, and rounding must not raise it
        rank = self._rank if shift == square == 0 else min(W0.shape)

        def velocity(t: float, flat: Array) -> Array:
            W = _of_rank(flat.reshape(W0.shape), rank)
            return product_velocity(W @ Sxx - S, *layer_grams(W, shift, square)).ravel()

        if moments[-1] == 0:
            return np.broadcast_to(W0, (len(moments), *W0.shape)), 0
        size = np.linalg.norm(W0) + 1e-3 * np.sqrt(square)
        atol = 0.1 * rtol * float(size or 1.0)
        path = solve_ivp(
            velocity, (0.0, moments[-1]), W0.ravel(), method="DOP853", t_eval=moments, rtol=rtol, atol=atol
        )
        if not path.success:
            raise ConvergenceError(f"the equation of the product could not be integrated: {path.message}")
        return np.stack([_of_rank(flat.reshape(W0.shape), rank) for flat in path.y.T]), path.nfev // 11

    def _assemble(self, W: Array, run: tuple[int, ...]) -> Array:
        C2, C1 = layer_grams(W, float(self.closure.shift[run]), float(self.closure.square[run]))
        return np.block([[C1, W.T], [W, C2]])


def _nearest_root(M: Array, Q0: Array, rank: int) -> Array:
    """The matrices Q (..., N, m) of this rank with QQᵀ = M that are nearest to Q0."""
    values, vectors = np.linalg.eigh(M)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :])[..., M.shape[-1] - rank :]
    left, _, right = np.linalg.svd(root.mT @ Q0, full_matrices=False)
    return root @ left @ right


def _of_rank(W: Array, rank: int) -> Array:
    """The nearest matrix of this rank."""
    if rank >= min(W.shape):
        return W
    U, u, Vt = np.linalg.svd(W, full_matrices=False)
    return (U[:, :rank] * u[:rank]) @ Vt[:rank]
