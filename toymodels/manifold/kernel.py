"""Descent of many runs of Model A on one sample, two numbers a run."""

from __future__ import annotations

import numpy as np

from toymodels.arithmetic import Array

CHUNK = 4096
"""Runs that are taken together: their numbers stay in the cache."""


class OneSampleKernel:
    """Plain descent on one sample x, whose steps scale the two eigenspaces of Q(x).

    With theta = theta_+ + theta_-, Q(x) theta_± = ±|x| theta_±, the output is
    ``|x| (|theta_+|² - |theta_-|²) / 2`` and a step of residual r multiplies
    theta_± by ``1 ∓ lr weight |x| r``. The state holds u + v and u - v, where
    ``u² - v²`` are the two terms of the output, so that it is their product.

    Parameters
    ----------
    theta0 : (..., N)
    Q : (N, N)
        Q(x), symmetric with Q² = |x|² I.
    weight : float
        Of the sample.

    Notes
    -----
    Source: minima_manifold A.4. It implements `toymodels.problem.DescentKernel`.
    """

    def __init__(self, theta0: Array, Q: Array, weight: float):
        self._runs, length = theta0.shape[:-1], np.sqrt((Q * Q).sum() / len(Q))
        flat = theta0.reshape(-1, len(Q))
        turned = flat @ (Q / length) if length > 0 else flat
        self._parts = (flat + turned) / 2, (flat - turned) / 2
        self._rate = weight * length
        self._sizes = np.stack([np.sqrt(length / 2) * np.linalg.norm(part, axis=-1) for part in self._parts])
        u, v = self._sizes
        self.state = np.stack([u + v, u - v])

    def advance(self, lr: Array, targets: Array) -> None:
        """Take steps with learning rates (S,) or (S,) + runs and targets (S,) + runs + (1,)."""
        count = self.state.shape[1]
        rates = self._rate * lr
        if rates.ndim > 1:
            rates = rates.reshape(len(rates), count)
        targets = targets.reshape(len(targets), count)
        for start in range(0, count, CHUNK):
            some = slice(start, start + CHUNK)
            a, b = self.state[0, some], self.state[1, some]
            move, other = np.empty_like(a), np.empty_like(a)
            for rate, target in zip(
                rates if rates.ndim == 1 else rates[:, some], targets[:, some], strict=True
            ):
                np.multiply(a, b, out=move)
                move -= target
                move *= rate
                np.multiply(move, a, out=other)
                move *= b
                a -= move
                b -= other

    def theta(self) -> Array:
        """Return the parameters now, runs + (N,)."""
        sums = (self.state[0] + self.state[1]) / 2, (self.state[0] - self.state[1]) / 2
        scales = [
            np.divide(s, size, out=np.ones_like(s), where=size > 0)
            for s, size in zip(sums, self._sizes, strict=True)
        ]
        plus, minus = self._parts
        return (scales[0][:, None] * plus + scales[1][:, None] * minus).reshape(*self._runs, plus.shape[-1])

    def rest(self, runs: Array) -> None:
        """Put the runs of a boolean mask at theta = 0, where no step moves them."""
        self.state[:, runs.ravel()] = 0
