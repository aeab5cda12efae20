"""One pass over the data: outputs, and the chain rule back from them, by neuron or by class of neurons."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from toymodels.relu import formulas
from toymodels.relu.groups import Groups

Array = np.ndarray


class Pass(Protocol):
    """Outputs at a point, and their derivative transposed."""

    @property
    def outputs(self) -> Array:
        """Outputs, (..., n)."""

    def vjp(self, cotangent: Array) -> tuple[Array, Array]:
        """Return the blocks of Jᵀ cotangent, (..., m, d) and (..., m)."""


class NeuronPass:
    """The formulas themselves, at a cost m n d; for every arithmetic.

    Parameters
    ----------
    W : (..., m, d)
    a : (m,) or (..., m)
    X : (n, d) or (..., n, d)
    gates : (..., m, n)
    """

    def __init__(self, W: Array, a: Array, X: Array, gates: Array):
        self._W, self._a, self._X, self._gates = W, a, X, gates

    @property
    def outputs(self) -> Array:
        """Outputs, (..., n)."""
        return formulas.outputs(self._W, self._a, self._X, self._gates)

    def vjp(self, cotangent: Array) -> tuple[Array, Array]:
        """Return the blocks of Jᵀ cotangent."""
        return formulas.vjp(self._W, self._a, self._X, self._gates, cotangent)


class ClassPass:
    """The same for real floats, at a cost (m + s n) d once the neurons are grouped into s classes.

    The neurons of a class act as one linear map, and all share one gated sum.

    Parameters
    ----------
    W, a, X
        As in `NeuronPass`, with X (n, d).
    groups : Groups
        Of the rows of W.
    """

    def __init__(self, W: Array, a: Array, X: Array, groups: Groups):
        self._W, self._a, self._X = W, a, X
        self._patterns, self._members = groups.patterns.astype(float), groups.members
        self._maps = groups.sums(a[..., None] * W)

    @property
    def outputs(self) -> Array:
        """Outputs, (..., n)."""
        return (self._patterns * (self._maps @ self._X.T)).sum(-2)

    def vjp(self, cotangent: Array) -> tuple[Array, Array]:
        """Return the blocks of Jᵀ cotangent."""
        sums = formulas.gated_sums(self._X, self._patterns, cotangent)
        runs = np.broadcast_shapes(sums.shape[:-2], self._members.shape[:-1])
        members = np.broadcast_to(self._members, (*runs, self._members.shape[-1]))
        sums = np.broadcast_to(sums, (*runs, *sums.shape[-2:]))
        return formulas.chain(self._W, self._a, np.take_along_axis(sums, members[..., None], axis=-2))
