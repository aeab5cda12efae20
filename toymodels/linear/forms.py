"""What the closed forms of two linear layers share: the questions they answer, and the units they work in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from toymodels.linear import formulas

if TYPE_CHECKING:
    from toymodels.linear.problem import TwoLayerLinear

Array = np.ndarray


@dataclass(frozen=True)
class Limit:
    """Where a flow ends; leading axes are runs.

    Attributes
    ----------
    product : (..., c, d)
        The limit of W2 W1.
    gram : (..., d + c, d + c)
        The limit of QQᵀ, Q = [W1ᵀ; W2].
    loss : (...)
        The loss there.
    best : (...) of bool
        Whether no product of this rank has a smaller loss; False at a saddle.
    """

    product: Array
    gram: Array
    loss: Array
    best: Array


class Flow:
    """The gradient flow of two linear layers from one start, at any time.

    Parameters
    ----------
    problem : TwoLayerLinear
    W1, W2 : runs + (m, d), runs + (c, m)
        The start.
    """

    determined = "parameters"

    def __init__(self, problem: TwoLayerLinear, W1: Array, W2: Array):
        self.problem, self.W1, self.W2 = problem, W1, W2

    def layers(self, t: Array) -> tuple[Array, Array]:
        """Return W1 and W2 at the times t, t.shape + runs + matrix."""
        raise NotImplementedError

    def at(self, t: Any) -> Array:
        """Return theta at the times t, shape t.shape + runs + (p,)."""
        return self.problem.pack(*self.layers(np.asarray(t, dtype=float)))

    def product(self, t: Any) -> Array:
        """Return W2 W1 at the times t, t.shape + runs + (c, d)."""
        return formulas.product(*self.layers(np.asarray(t, dtype=float)))

    def gram(self, t: Any) -> Array:
        """Return QQᵀ of Q = [W1ᵀ; W2] at the times t, t.shape + runs + (d + c, d + c)."""
        return formulas.gram(*self.layers(np.asarray(t, dtype=float)))

    def ntk(self, t: Any) -> Array:
        """Return the tangent kernel on the problem's inputs at the times t, t.shape + runs + (nc, nc).

        Raises
        ------
        InputError
            When the problem was made from statistics.
        """
        return self.problem.ntk(self.at(t))

    def gram_error(self, t: Any) -> Array:
        """Return a bound on the error of `gram` (Frobenius norm), and so of `product`, t.shape + runs."""
        moved = self.error(t)
        with np.errstate(over="ignore"):
            return moved * (2 * np.linalg.norm(self.at(t), axis=-1) + moved)

    def error(self, t: Any) -> Array:
        """Return a bound on the error of theta (Euclidean norm), t.shape + runs."""
        raise NotImplementedError

    def limit(self) -> Limit:
        """Return where the flow ends.

        Examples
        --------
        >>> import toymodels as tm
        >>> problem = tm.TwoLayerLinear.from_statistics(np.eye(2), np.diag([2.0, 1.0]), 5.0, width=2)
        >>> end = tm.exact(problem, problem.balanced(np.diag([0.1, -0.1]))).limit()
        >>> end.product.round(12) + 0.0, bool(end.best), float(end.loss.round(12))
        (array([[2., 0.],
               [0., 0.]]), False, 0.5)
        """
        product, gram = self.product(np.inf), self.gram(np.inf)
        loss = self.problem.loss(self.at(np.inf))
        modes = self.problem.modes
        top = min(self.problem.width, modes.positive)
        least = modes.loss(tuple(range(top)))
        # a critical point's loss is the least, or above it by at least a difference of squares of modes
        smallest = modes.s[top - 1] ** 2 - (modes.s[top] ** 2 if top < len(modes.s) else 0.0) if top else 0.0
        noise = 1e-12 * float(modes.s @ modes.s)
        return Limit(product, gram, loss, np.asarray(loss - least <= max(noise, smallest / 4)))


class Units(NamedTuple):
    """Units in which both layers move at rate one and the mean input variance is one.

    W1 is multiplied by `lift`, W2 divided by it, time multiplied by `clock`.

    Attributes
    ----------
    Sxx, target : (d, d), (c, d)
        Data in these units; Sxx has the trace d.
    lift, clock : float
    colour : float
        Relative distance of Sxx from the identity.
    stretch : float
        The larger of lift and its inverse.
    """

    Sxx: Array
    target: Array
    lift: float
    clock: float
    colour: float

    @property
    def stretch(self) -> float:
        """By how much the units of the parameters differ."""
        return max(self.lift, 1 / self.lift)

    @property
    def scale(self) -> Array:
        """Factors (d + c, d + c) that take a Gram matrix QQᵀ back to the user's units."""
        d, c = len(self.Sxx), len(self.target)
        factors = np.concatenate([np.full(d, 1 / self.lift), np.full(c, self.lift)])
        return factors[:, None] * factors

    @classmethod
    def of(cls, problem: TwoLayerLinear, rates: tuple[float, float]) -> Units:
        """Return the units of a problem with positive rates."""
        Sxx, Syx, _ = problem.statistics
        d = len(Sxx)
        variance = float(np.trace(Sxx)) / d
        if variance == 0:
            return cls(Sxx, Syx, 1.0, 0.0, np.inf)
        Sxx = Sxx / variance
        lift = (rates[1] / rates[0]) ** 0.25
        clock = float(np.sqrt(rates[0]) * np.sqrt(rates[1]) * variance)
        return cls(Sxx, Syx / variance, lift, clock, float(np.abs(Sxx - np.eye(d)).max()))

    def stacked(self, W1: Array, W2: Array) -> Array:
        """Return Q = [W1ᵀ; W2], (..., d + c, m)."""
        return np.concatenate([(self.lift * W1).mT, W2 / self.lift], axis=-2)

    def layers(self, Q: Array) -> tuple[Array, Array]:
        """Return W1 and W2 from Q."""
        d = len(self.Sxx)
        return Q[..., :d, :].mT / self.lift, Q[..., d:, :] * self.lift


def rounding_level(problem: TwoLayerLinear) -> float:
    """Relative residual up to which a hypothesis counts as fulfilled."""
    return 1e-12 * sum(problem.blocks["W1"] + problem.blocks["W2"][:1])
