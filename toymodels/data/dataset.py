"""What every generator returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Data:
    """Inputs and targets, and what they were made from; the arrays are read-only.

    Attributes
    ----------
    X : (n, d) array
        Data rows.
    Y : (n, c) or (n,) array
        Targets, ``X @ teacher.T`` plus the noise.
    teacher : (c, d) or (d,) array, optional
        The linear map behind the targets.
    covariance : (d, d) array, optional
        Covariance that the rows of X were drawn from; the mean is zero.
    noise : float
        Standard deviation of the noise on each target.

    Examples
    --------
    >>> from toymodels.data import whitened
    >>> X, Y = whitened(6, 3, 2)
    >>> X.shape, Y.shape
    ((6, 3), (6, 2))
    """

    X: Array
    Y: Array
    teacher: Array | None = None
    covariance: Array | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        for array in (self.X, self.Y, self.teacher, self.covariance):
            if array is not None:
                array.flags.writeable = False

    def __iter__(self) -> Iterator[Array]:
        return iter((self.X, self.Y))

    @property
    def statistics(self) -> tuple[Array, Array, float]:
        """Sxx = XᵀX/n (d, d), Syx = YᵀX/n (c, d), tyy = tr(YᵀY)/n, with c = 1 for targets (n,)."""
        n = len(self.X)
        Y = self.Y.reshape(n, -1)
        return self.X.T @ self.X / n, Y.T @ self.X / n, float((Y * Y).sum() / n)
