"""Two classes that are two directions at an acute angle: the data, and who lives after small starts condense.

While all outputs are small, the shares u = p/(1+p) and v = 1/(1+p) of the loss
on the two directions do not change, and every neuron moves in the fixed field
of u x_+ and -v x_-: it dies, or it ends in one of two groups.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from toymodels.data import Data
from toymodels.errors import InputError
from toymodels.relu.problem import TwoLayerReLU
from toymodels.validation import positive_int, positive_real, real_array

Array = np.ndarray


def two_directions(n_plus: int, n_minus: int, angle: float, d: int = 2) -> Data:
    """Return n_+ copies of a unit vector x_+ labelled +1, and n_- of x_- labelled -1.

    Parameters
    ----------
    n_plus, n_minus : int
        Numbers of copies.
    angle : float
        Between the two, in (0, pi/2), radians; they lie at half of it to both
        sides of the first coordinate's axis.
    d : int
        Dimension >= 2; the other coordinates are zero.

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Source: neuron_partition 6, the data of Wang, Ma 2023 (p = 4, angle pi/15, d = 20).

    Examples
    --------
    >>> X, y = two_directions(4, 1, 0.4)
    >>> y, float(np.arccos(X[0] @ X[4]).round(12))
    (array([ 1.,  1.,  1.,  1., -1.]), 0.4)
    """
    n_plus, n_minus = positive_int("n_plus", n_plus), positive_int("n_minus", n_minus)
    half, rows = check_angle(angle) / 2, np.zeros((2, positive_int("d", d, least=2)))
    rows[:, :2] = [[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]]
    counts = [n_plus, n_minus]
    return Data(np.repeat(rows, counts, axis=0), np.repeat([1.0, -1.0], counts))


class Living(NamedTuple):
    """Fractions, of all neurons, of living positive and living negative ones."""

    alpha: float
    gamma: float


def living_fractions(p: float, angle: float) -> Living:
    """Return the fractions of living neurons after the condensation of small isotropic starts.

    Parameters
    ----------
    p : float
        Ratio n_+/n_- of the classes, >= 1.
    angle : float
        Between the directions, in (0, pi/2).

    Returns
    -------
    Living
        Expected fractions, with half of the neurons positive; at finite width
        m times each is binomial with m/2 trials.

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Source: neuron_partition E2, own derivation; in every dimension.

    Examples
    --------
    >>> alpha, gamma = living_fractions(4.0, np.pi / 15)
    >>> alpha, round(gamma, 5)
    (0.25, 0.14713)
    """
    p, angle = check_ratio(p), check_angle(angle)
    c = np.cos(angle)
    if p * c <= 1:
        return Living(0.25, 0.25)
    return Living(0.25, float(1 / 8 + (np.arctan2(np.sin(angle), p - c) + angle) / (4 * np.pi)))


class Condensation(NamedTuple):
    """Where neurons go.

    Attributes
    ----------
    modes : (..., m, 2) of int
        What each neuron becomes on x_+ and x_-: 1 active, 0 sliding, -1 inactive.
    times : (..., m)
        When it has become that; 0 where it starts so.
    """

    modes: Array
    times: Array

    @property
    def living(self) -> Array:
        """Which neurons do not die, (..., m)."""
        return np.asarray((self.modes >= 0).any(-1))


def condense(a: Any, z: Any, p: float, angle: float) -> Condensation:
    """Return what neurons become in the fixed field of the first stage, and when.

    Parameters
    ----------
    a : array_like (m,)
        Output weights, none zero.
    z : array_like (..., m, 2)
        Preactivations w_k . x_+ and w_k . x_- at the start, none zero.
    p : float
        Ratio of the classes, >= 1.
    angle : float
        Between the directions, in (0, pi/2).

    Raises
    ------
    InputError
        When shapes do not fit, or an argument is out of range.

    Notes
    -----
    With small starts, z = O(kappa_1), times are O(kappa_1/kappa) and the shares
    of the loss move by as little. Times are inf at p cos(angle) = 1 for the
    neurons that this field moves along their boundary. Source: neuron_partition E0, own
    derivation.

    Examples
    --------
    >>> found = condense([1.0, -1.0, -1.0], [[1.0, -2.0], [3.0, 1.0], [-1.0, 1.0]], 4.0, 0.9)
    >>> found.modes.tolist(), found.living
    ([[1, 1], [-1, -1], [0, 1]], array([ True, False,  True]))
    """
    a, z = real_array("a", a, 1), real_array("z", z)
    if z.shape[-2:] != (len(a), 2):
        raise InputError(f"z: expected shape (..., {len(a)}, 2), got {z.shape}")
    if (a == 0).any() or (z == 0).any():
        raise InputError("a, z: expected numbers that are not zero")
    p, c = check_ratio(p), np.cos(check_angle(angle))
    u, v = np.array([p, 1.0]) / (1 + p)
    plus, minus = z[..., 0] / np.abs(a), z[..., 1] / np.abs(a)
    positive = _positive(plus, minus, u, v, c)
    negative = _negative(plus, minus, u, v, c)
    chosen = np.where((a > 0)[:, None], positive[0], negative[0]), np.where(a > 0, positive[1], negative[1])
    return Condensation(*chosen)


def _positive(plus: Array, minus: Array, u: float, v: float, c: float) -> tuple[Array, Array]:
    """Modes and times of positive neurons: those on at x_+ live."""
    lives, both = plus > 0, minus > 0
    rising = u * c > v
    with np.errstate(divide="ignore"):
        to_slide = np.divide(minus, v - u * c)
    enters = np.abs(minus) / (u * c)
    times = np.where(both, 0.0 if rising else to_slide, enters)
    dies = np.where(both, minus / v, 0.0)
    modes = np.where(lives[..., None], [1, 1 if rising else 0], -1)
    return modes, np.where(lives, times, dies)


def _negative(plus: Array, minus: Array, u: float, v: float, c: float) -> tuple[Array, Array]:
    """Modes and times of negative neurons: those live that lose x_+ while on at x_-."""
    falls, sinks = u - v * c, u * c - v
    to_slide = np.where(plus > 0, plus / falls, -plus / (v * c))
    with np.errstate(divide="ignore", invalid="ignore"):
        to_exit = np.where((minus > 0) & (plus > 0) & (sinks > 0), minus / sinks, np.inf)
        # after x_- is lost, x_+ falls at the speed u
        late = to_exit + (plus - falls * to_exit) / u
    lives = (minus > 0) & (to_slide < to_exit)
    alone = np.where(plus > 0, plus / u, 0.0)
    dies = np.where(minus > 0, late, alone)
    return np.where(lives[..., None], [0, 1], -1), np.where(lives, to_slide, dies)


def counted_fractions(W: Any, a: Any, p: float, angle: float, X: Any) -> Living:
    """Return the fractions of the neurons of a given start that live after its condensation.

    Parameters
    ----------
    W, a : array_like (m, d), (m,)
        The start, and the fixed output weights.
    p, angle : float
        Of the data.
    X : array_like (2, d)
        x_+ and x_-.

    Raises
    ------
    InputError
        When shapes do not fit, or an argument is out of range.

    Notes
    -----
    The timeline of a finite network takes these in place of `living_fractions`.
    Source: neuron_partition E2.

    Examples
    --------
    >>> X, _ = two_directions(1, 1, 0.9)
    >>> counted_fractions([[1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0], [0.0, -1.0]], [1, 1, -1, -1], 4.0, 0.9, X)
    Living(alpha=0.25, gamma=0.25)
    """
    W, a, X = real_array("W", W, 2), real_array("a", a, 1), real_array("X", X, 2)
    if len(W) != len(a) or X.shape != (2, W.shape[1]):
        raise InputError(
            f"W, a, X: expected shapes (m, d), (m,), (2, d), got {W.shape}, {a.shape}, {X.shape}"
        )
    living = condense(a, W @ X.T, p, angle).living
    return Living(*(float((living & (sign * a > 0)).mean()) for sign in (1, -1)))


def representative(
    p: float, angle: float, kappa: float = 1.0, *, alpha: float, gamma: float, scale: float = 1e-9
) -> tuple[TwoLayerReLU, Array]:
    """Return a net of two neurons that moves like all the living ones, and its start after the condensation.

    Parameters
    ----------
    p, angle, kappa, alpha, gamma : float
        As in `toymodels.relu.Timeline`.
    scale : float
        Size of the hidden weights.

    Returns
    -------
    problem : TwoLayerReLU
        Output weights kappa sqrt(alpha) and -kappa sqrt(gamma) fixed, one
        sample for each direction with the weight of its class.
    theta0 : (4,)
        The positive along the field, the negative along the kink of x_+.

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Neurons of one group move alike, so their sums are those of one neuron with
    the root of their squared output weights. Source: neuron_partition E2.

    Examples
    --------
    >>> problem, theta0 = representative(4.0, 0.5, alpha=0.25, gamma=0.18)
    >>> problem.output.round(3), problem.weights
    (array([ 0.5  , -0.424]), array([0.8, 0.2]))
    """
    p, angle = check_ratio(p), check_angle(angle)
    size, scale = positive_real("kappa", kappa), positive_real("scale", scale)
    masses = [positive_real("alpha", alpha), positive_real("gamma", gamma)]
    X, _ = two_directions(1, 1, angle)
    c, shares = np.cos(angle), np.array([p, 1.0]) / (1 + p)
    field = shares * [1.0, -1.0] @ X if p * c > 1 else X[0] - c * X[1]
    rows = np.stack([field, X[1] - c * X[0]])
    rows *= scale / np.linalg.norm(rows, axis=-1, keepdims=True)
    output = size * np.sqrt(masses) * [1.0, -1.0]
    problem = TwoLayerReLU(X, [1.0, -1.0], output=output, loss="exponential", weights=shares)
    return problem, problem.pack(rows)


def check_angle(angle: Any) -> float:
    """Return an angle in (0, pi/2)."""
    number = float(real_array("angle", angle, 0))
    if not 0 < number < np.pi / 2:
        raise InputError(f"angle: expected radians between 0 and pi/2, got {number!r}")
    return number


def check_ratio(p: Any) -> float:
    """Return a ratio of classes of at least 1."""
    number = float(real_array("p", p, 0))
    if not number >= 1:
        raise InputError(f"p: expected n_+/n_- >= 1 (or exchange the classes), got {number!r}")
    return number
