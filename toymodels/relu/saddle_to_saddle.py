"""Orthogonal classes learned one after another: the staircase from small balanced groups of ReLU neurons.

Samples are orthogonal and of one length X; a class is the n_c samples of one target. A balanced group of
neurons along the mean of each class, of mass s = sum_k a_k², gives the class the output s X/sqrt(n_c) under a
logistic law of its own, so that the loss falls in steps from saddle to saddle. The groups are on the kinks of
each other's samples: they rest there where the targets have opposite signs, and are repelled otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.relu.problem import TwoLayerReLU
from toymodels.solutions.logistic import half_time, logistic
from toymodels.validation import positive_real, real_array

Array = np.ndarray


class SaddleToSaddle:
    """Both layers trained under the square loss, from one aligned balanced group of neurons per class.

    Parameters
    ----------
    targets : array_like (c,)
        Of one class, or of two with opposite signs, which are those of the output
        weights of the groups.
    counts : array_like (c,) of int
        Samples per class.
    norm : float
        Length X of every sample.
    mass : float or array_like (c,)
        s = sum_k a_k² of each group at the start, > 0.

    Attributes
    ----------
    rates : (c,)
        D_c = X sqrt(n_c) |y_c| / n, with n samples in all. In the limit of small
        groups of mass lambda² the class leaves its plateau at the time
        log(1/lambda) / D_c.
    starts : (c,)
        Outputs at time 0, s X / sqrt(n_c) with the sign of the target.

    Raises
    ------
    InputError
        When targets, counts or masses are not as said, or do not fit.

    Notes
    -----
    Source: neuron_partition D9, own derivation; after Boursier, Pillaud-Vivien,
    Flammarion 2022, arXiv 2206.00939.

    Examples
    --------
    >>> stairs = SaddleToSaddle([1.0, -0.5], [4, 1], mass=1e-6)
    >>> stairs.exit_times.round(3)
    array([18.136, 65.612])
    >>> stairs.loss([0.0, 35.0, np.inf]).round(3), stairs.plateaus
    (array([0.425, 0.025, 0.   ]), array([0.425, 0.025, 0.   ]))
    """

    def __init__(self, targets: Any, counts: Any, norm: float = 1.0, mass: Any = 1e-6):
        self.targets = real_array("targets", targets, 1)
        if not (self.targets.all() and len(set(np.sign(self.targets))) == len(self.targets)):
            raise InputError("targets: expected one number other than 0, or two of opposite signs")
        shape = self.targets.shape
        self.counts = real_array("counts", counts, 1)
        if self.counts.shape != shape or (self.counts < 1).any() or (self.counts % 1).any():
            raise InputError(f"counts: expected {len(self.targets)} integers >= 1, got {counts!r}")
        self.norm = positive_real("norm", norm)
        mass = real_array("mass", mass, (0, 1))
        if mass.shape not in ((), shape) or (mass <= 0).any():
            raise InputError(f"mass: expected a number > 0, or {len(self.targets)} of them")
        self.masses = np.broadcast_to(mass, shape)
        sizes = np.abs(self.targets)
        self.rates = self.norm * np.sqrt(self.counts) * sizes / self.counts.sum()
        self.starts = np.sign(self.targets) * self.masses * self.norm / np.sqrt(self.counts)

    def outputs(self, t: Any) -> Array:
        """Return the outputs of the classes at times t, t.shape + (c,); inf allowed."""
        sizes, starts = np.abs(self.targets), np.abs(self.starts)
        clock = np.asarray(t, dtype=float)[..., None] * (self.rates / sizes)
        return np.sign(self.targets) * logistic(starts, sizes, clock)

    def residuals(self, t: Any) -> Array:
        """Return y_c - f_c at times t, t.shape + (c,), each to its own relative accuracy; inf allowed."""
        decay = np.exp(-2 * self.rates * np.asarray(t, dtype=float)[..., None])
        return self.outputs(t) * (self.targets / self.starts - 1) * decay

    def loss(self, t: Any) -> Array:
        """Return the loss sum_c (n_c/2n) (y_c - f_c)² at times t; inf allowed."""
        return self._loss(self.residuals(t))

    @property
    def exit_times(self) -> Array:
        """Times (c,) at which the outputs are half their targets, ln(y_c/f_c(0) - 1)/(2 D_c).

        Raises
        ------
        InputError
            When a group starts beyond half of its target: there is no plateau.
        """
        sizes, starts = np.abs(self.targets), np.abs(self.starts)
        if (starts >= sizes / 2).any():
            raise InputError("mass: expected groups that start below half of their targets")
        return half_time(starts, sizes) * sizes / self.rates

    @property
    def plateaus(self) -> Array:
        """The losses (c + 1,) of the saddles: none learned, then the classes in the order of exits."""
        place = np.argsort(np.argsort(self.exit_times))
        missing = place >= np.arange(len(place) + 1)[:, None]
        return self._loss(missing * self.targets)

    def net(self) -> tuple[TwoLayerReLU, Array]:
        """Return the problem with one neuron per class on the basis vectors, and its start theta."""
        classes = np.repeat(np.arange(len(self.counts)), self.counts.astype(int))
        X, y = self.norm * np.eye(len(classes)), self.targets[classes]
        means = (classes == np.arange(len(self.counts))[:, None]) / np.sqrt(self.counts)[:, None]
        problem = TwoLayerReLU(X, y, width=len(self.counts))
        a = np.sign(self.targets) * np.sqrt(self.masses)
        return problem, problem.pack(np.abs(a)[:, None] * means, a)

    def _loss(self, residuals: Array) -> Array:
        return (self.counts * residuals**2).sum(-1) / (2 * self.counts.sum())
