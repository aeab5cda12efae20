r"""Isotropic ("mixed") weights, M J M = gamma² J, on whitened inputs: the closed form.

M = QQᵀ obeys M' = F M + M F - M² + gamma² with F of imbalance zero. The shift
X = M + Omega - F, Omega = sqrt(F² + gamma²), turns this into
X' = Omega X + X Omega - X², the Riccati equation without a source, so the same
propagator serves. With W(0) = 0 the singular values of the product move like a
scalar mode from (sqrt(2 gamma), 0): those below gamma lazily, the others actively.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toymodels.errors import InputError
from toymodels.linear.factors import orthogonal
from toymodels.linear.generator import Generator, generator
from toymodels.linear.matched import Matched
from toymodels.linear.riccati import Propagator
from toymodels.linear.statistics import EPS
from toymodels.validation import positive_int, positive_real, real_array

Array = np.ndarray


class Isotropic(Matched):
    """The flow from isotropic weights on whitened inputs; it always reaches the target.

    Notes
    -----
    Source: linear_nets 5.9, own derivation; model of Tu, Aranguri, Jacot 2024.
    """

    def _run_gram(self, run: tuple[int, ...], clock: Array) -> tuple[Array, Array]:
        gamma = np.sqrt(float(self.closure.square[run]))
        F = generator(self.units.target, 0.0)
        omega = np.hypot(F.rates, gamma)
        # Omega - F without cancellation where the rate is large
        below = np.where(F.rates > 0, gamma**2 / (omega + np.abs(F.rates)), omega - F.rates)
        base = (F.vectors * below) @ F.vectors.T
        Q0 = self._Q0[run]
        start = np.concatenate([Q0, F.vectors * np.sqrt(below)], axis=1)
        order = np.argsort(-omega, kind="stable")
        shifted = Generator(omega[order], F.vectors[:, order], F.error)
        defect = self.closure.residual + self.units.colour
        flow = Propagator(shifted, start, defect)
        X, moved = flow.gram(clock), flow.error(clock)
        size = np.sqrt(np.abs(np.trace(X, axis1=-2, axis2=-1)))
        return X - base, moved * (2 * size + moved) + 16 * len(base) * EPS * size**2


def isotropic_factors(K: Any, gamma: float, *, width: int, rotation: Any = None) -> tuple[Array, Array]:
    """Return isotropic W1 and W2: ``M = gamma exp(2 [[0, Kᵀ], [K, 0]])``.

    Parameters
    ----------
    K : array_like (c, d)
        Zero gives W(0) = 0; the product has singular values gamma sinh(2 k).
    gamma : float
        Strength, > 0.
    width : int
        At least c + d.
    rotation : array_like (m, m), optional
        Orthogonal matrix that turns the hidden layer.

    Raises
    ------
    InputError
        When the width is too small, or an argument is not valid.

    Notes
    -----
    Source: linear_nets 5.9, own derivation.

    Examples
    --------
    >>> W1, W2 = isotropic_factors([[0.0]], 2.0, width=2)
    >>> bool(abs(W2 @ W1).max() < 1e-15), float((W1 @ W1.T).trace().round(12))
    (True, 2.0)
    """
    K, gamma, m = real_array("K", K, 2), positive_real("gamma", gamma), positive_int("width", width)
    c, d = K.shape
    if m < c + d:
        raise InputError(f"width: expected at least c + d = {c + d}, got {m}")
    O = orthogonal("rotation", np.eye(m) if rotation is None else rotation, m)
    F = generator(K, 0.0)
    g = (F.vectors * (np.sqrt(gamma) * np.exp(F.rates))) @ F.vectors.T
    Q = g @ O[: c + d]
    return Q[:d].T, Q[d:]
