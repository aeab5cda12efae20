"""The flow from balanced weights on whitened inputs, for any widths, at every time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from toymodels.linear import formulas
from toymodels.linear.bracket import tiled_product
from toymodels.linear.forms import Flow, Units
from toymodels.linear.generator import generator
from toymodels.linear.riccati import Propagator
from toymodels.linear.statistics import EPS
from toymodels.solutions.scaling import times

if TYPE_CHECKING:
    from toymodels.linear.problem import TwoLayerLinear

Array = np.ndarray


class Balance(NamedTuple):
    """How balanced a start is: W2ᵀW2 - W1W1ᵀ = lam I up to `residual` times |W1|² + |W2|².

    Attributes
    ----------
    lam : runs
        Zero where rounding cannot tell it from zero.
    residual : runs
    """

    lam: Array
    residual: Array


def balance_of(units: Units, W1: Array, W2: Array) -> Balance:
    """Measure the balance of a start, in the units in which both layers move at one rate."""
    Q = units.stacked(W1, W2)
    imbalance = formulas.imbalance(units.lift * W1, W2 / units.lift)
    m = imbalance.shape[-1]
    lam = np.trace(imbalance, axis1=-2, axis2=-1) / m
    defect = np.linalg.norm(imbalance - lam[..., None, None] * np.eye(m), axis=(-2, -1))
    square = np.sum(Q * Q, axis=(-2, -1))
    residual = np.divide(defect, square, out=np.zeros(square.shape), where=square > 0)
    return Balance(np.where(np.abs(lam) <= (2 * residual + 4 * EPS) * square, 0.0, lam), residual)


class Balanced(Flow):
    """The flow from lambda-balanced weights on whitened inputs; see `toymodels.linear.exact.closed_form`.

    The Gram matrix of Q = [W1ᵀ; W2], and so the product, is exact. With one
    neuron the parameters are too. With more, `at` returns
    ``Q = e^{Ft} Q0 R(t)^{-1}``, R(t) an upper triangular root of the bracket in
    a fixed frame of the hidden layer: it starts at theta0 and is continuous, and
    differs from the parameters by a rotation of the hidden units.

    Attributes
    ----------
    lam : runs
        The imbalance, in units in which both layers move at rate one.

    Notes
    -----
    Source: linear_nets 5.1 and 5.3; after Fukumizu 1998 and Braun, Domine,
    Fitzgerald, Saxe 2022 (there for d = c, lam = 0). `error` bounds the distance
    of `at` from the parameters up to that rotation.
    """

    def __init__(self, problem: TwoLayerLinear, W1: Array, W2: Array, units: Units, balance: Balance):
        super().__init__(problem, W1, W2)
        self.units, self.lam = units, balance.lam
        self.determined = "parameters" if problem.width == 1 else "up to a rotation of the hidden layer"
        Q0 = units.stacked(W1, W2)
        self._runs = Q0.shape[:-2]
        self._flows = [self._propagator(Q0[run], balance, run) for run in np.ndindex(self._runs)]

    def _propagator(self, Q0: Array, balance: Balance, run: tuple[int, ...]) -> Propagator:
        """The solution for one run; what the hypotheses miss counts as an error of F and of the start."""
        square = float(np.sum(Q0 * Q0))
        defect = float(balance.residual[run]) + (4 * EPS if self.units.lift != 1.0 else 0.0)
        coloured = self.units.colour * (np.linalg.norm(self.units.target) + square)
        slack = defect * square + float(coloured)
        return Propagator(generator(self.units.target, float(balance.lam[run]), slack), Q0, defect)

    def layers(self, t: Array) -> tuple[Array, Array]:
        """Return W1 and W2 at the times t, t.shape + runs + matrix, in the gauge of the class."""
        return self.units.layers(self._ask("stacked", t))

    def product(self, t: Any) -> Array:
        """Return W2 W1 at the times t, t.shape + runs + (c, d)."""
        root = self._ask("roots", t, max(flow.rank for flow in self._flows))
        d = len(self.units.Sxx)
        return tiled_product(root[..., d:, :], root[..., :d, :].mT)

    def gram(self, t: Any) -> Array:
        """Return QQᵀ of Q = [W1ᵀ; W2] at the times t, t.shape + runs + (d + c, d + c)."""
        grams = self._ask("gram", t)
        return grams if self.units.lift == 1.0 else self.units.scale * grams

    def error(self, t: Any) -> Array:
        """Return a first-order bound on the error of `at` up to rotation (Euclidean norm), t.shape + runs."""
        return self.units.stretch * self._ask("error", t)

    def _ask(self, question: str, t: Any, width: int | None = None) -> Array:
        """Ask the propagators of all runs, t.shape + runs + answer, padded to one width."""
        t = times("t", t)
        clock = self.units.clock * t.ravel()
        answers = [getattr(flow, question)(clock) for flow in self._flows]
        if width is not None:
            answers = [np.pad(x, [(0, 0), (0, 0), (0, width - x.shape[-1])]) for x in answers]
        stacked = np.stack(answers, axis=1)
        return stacked.reshape(t.shape + self._runs + stacked.shape[2:])
