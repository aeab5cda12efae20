"""The effective scale of diagonal networks: descent ends where gradient flow would end from a smaller alpha.

A step of size eta with slope g = dL/dbeta, sampled and noisy or not, multiplies
w_plus by 1 - x and w_minus by 1 + x, x = eta g (twice that in the difference
form). So alpha² shrinks by |1 - x²|, rho moves by -2 atanh x, and a run that
converges ends at the interpolator of the hyperbolic entropy with the scale that
is left and a start moved by the sum of -2 (atanh x - x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from toymodels.arithmetic import analytic
from toymodels.arithmetic.elementary import atanh, log, log1p
from toymodels.errors import AssumptionError, InputError
from toymodels.solutions.hyperbolic_interpolator import Interpolator, interpolator
from toymodels.trajectory import Trajectory
from toymodels.validation import positive_int, positive_real, real_array

if TYPE_CHECKING:
    from toymodels.manifold.diagonal import DiagonalLinear

Array = Any


class EffectiveScale(NamedTuple):
    """A scale and a start of the hyperbolic entropy.

    Attributes
    ----------
    log_alpha : (..., d)
        Natural logarithm of the scale.
    rho : (..., d)
        The start, beta_0 = alpha² sinh rho.
    """

    log_alpha: np.ndarray
    rho: np.ndarray

    @property
    def alpha(self) -> np.ndarray:
        """The scale, (..., d); zero where no float can hold it."""
        with np.errstate(under="ignore"):
            return np.exp(self.log_alpha)

    def interpolator(self, problem: DiagonalLinear) -> Interpolator:
        """Return where gradient flow of the problem ends from this scale and start, of a single run.

        Raises
        ------
        AssumptionError
            When no beta interpolates the data.
        """
        return interpolator(problem.inputs, problem.targets, log_alpha=self.log_alpha, rho=self.rho)


@analytic("(),()->()")
def log_shrinkage(up: Array, down: Array) -> Array:
    """Logarithm of the factor 1 - x² on alpha² of one step, up = 1 - x and down = 1 + x.

    Source: Even et al. 2023; minima_manifold S-C1.
    """
    return log(up * up * (down * down)) / 2


@analytic("()->()")
def start_shift(x: Array) -> Array:
    """Shift -2 (atanh x - x) of the start by a step, |x| < 1. Source: Even et al. 2023; minima_manifold S-C4."""
    return -2 * (atanh(x) - x)


def scale_of(problem: DiagonalLinear, theta: Any) -> EffectiveScale:
    """Return the scale and start at theta, (..., d) each.

    Parameters
    ----------
    problem : DiagonalLinear
        Of depth 2.
    theta : array_like (..., p)

    Raises
    ------
    AssumptionError
        At another depth.

    Examples
    --------
    >>> from toymodels.manifold import DiagonalLinear
    >>> problem = DiagonalLinear([[1.0]], [1.0])
    >>> scale_of(problem, problem.start(0.1, rho=2.0)).alpha
    array([0.1])
    """
    theta = real_array("theta", theta)
    with np.errstate(divide="ignore"):
        return EffectiveScale(np.log(problem.alpha_squared(theta)) / 2, problem.rho(theta))


def after_steps(scale: EffectiveScale, steps: Any) -> EffectiveScale:
    """Return the effective scale and start after given steps.

    Parameters
    ----------
    scale : EffectiveScale
        At the start.
    steps : array_like (S, ..., d)
        Moves x = eta_s g_s, each below 1 in size.

    Returns
    -------
    EffectiveScale
        ``alpha² prod_s (1 - x_s²)`` and ``rho - 2 sum_s (atanh x_s - x_s)``.

    Raises
    ------
    InputError
        When a step is not below 1 in size, where a weight changes its sign.

    Notes
    -----
    Source: Even, Pesme, Gunasekar, Flammarion 2023, arXiv 2302.08982, theorem 1
    (recalled, derived again in minima_manifold S-C4).

    Examples
    --------
    >>> left = after_steps(EffectiveScale(np.zeros(1), np.zeros(1)), [[0.6], [-0.6]])
    >>> round(float(left.alpha[0] ** 2), 12), float(left.rho[0])
    (0.4096, 0.0)
    """
    x = _moves(steps)
    lost = (np.log1p(-x) + np.log1p(x)).sum(0)
    return EffectiveScale(scale.log_alpha + lost / 2, scale.rho + start_shift(x).sum(0))


def two_scales(log_alpha: Any, steps: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return log alpha_± after given steps from rho = 0, the other form of `after_steps`.

    Parameters
    ----------
    log_alpha : array_like (..., d) or number
    steps : array_like (S, ..., d)
        Moves x = eta_s g_s, each below 1 in size.

    Returns
    -------
    log_plus, log_minus : arrays (..., d)
        ``alpha_±² = alpha² exp(-sum_s q_±(x_s))`` with ``q_±(x) = ∓2x - log((1 ∓
        x)²)``; the effective scale is sqrt(alpha_+ alpha_-) and the start
        ``(alpha_+² - alpha_-²) / 2``.

    Raises
    ------
    InputError
        When a step is not below 1 in size.

    Notes
    -----
    Source: Even, Pesme, Gunasekar, Flammarion 2023, arXiv 2302.08982
    (recalled; minima_manifold S-C4).

    Examples
    --------
    >>> plus, minus = two_scales(0.0, [[0.6]])
    >>> float(np.exp(plus + minus)[0].round(12))
    0.64
    """
    x = _moves(steps)
    logs = real_array("log_alpha", log_alpha)
    plus, minus = ((sign * 2 * x + 2 * log1p(-sign * x)).sum(0) for sign in (1, -1))
    return logs + plus / 2, logs + minus / 2


def _moves(steps: Any) -> np.ndarray:
    x = real_array("steps", steps)
    if x.ndim < 2:
        raise InputError(f"steps: expected shape (S, ..., d), got {x.shape}")
    if (np.abs(x) >= 1).any():
        raise InputError("steps: expected moves below 1 in size; beyond it a weight changes its sign")
    return x


def steps_of(problem: DiagonalLinear, run: Trajectory) -> np.ndarray:
    """Return the moves x_s = eta_s g_s of a recorded run of descent, (S,) + runs + (d,).

    They are read off theta, so sampled rows and label noise are in them.

    Parameters
    ----------
    problem : DiagonalLinear
        Of depth 2.
    run : Trajectory
        Of `toymodels.descend` without momentum or weight decay, every step
        recorded (``every=1``).

    Raises
    ------
    InputError
        When steps are missing, or the run diverged.
    AssumptionError
        At another depth, or when theta does not move as descent moves it.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.DiagonalLinear([[1.0, 2.0, 0.5]], [1.0])
    >>> run = tm.descend(problem, problem.start(0.1), lr=0.2, steps=400)
    >>> left = after_steps(scale_of(problem, run.theta[0]), steps_of(problem, run))
    >>> bool(np.allclose(left.interpolator(problem).beta, problem.beta(run.theta[-1]), atol=1e-12))
    True
    """
    if run.step is None or len(run.step) < 2 or (np.diff(run.step) != 1).any():
        raise InputError("run: expected a run of descent with every step recorded")
    if not np.isfinite(run.theta).all():
        raise InputError("run: expected a run that did not diverge")
    plus, minus = problem._halves(run.theta)
    fell, rose = plus[:-1] - plus[1:], minus[1:] - minus[:-1]
    # both halves give x; the larger one rounds less
    use_plus = np.abs(plus[:-1]) >= np.abs(minus[:-1])
    size = np.where(use_plus, plus[:-1], minus[:-1])
    moved = np.where(use_plus, fell, rose)
    x = np.divide(moved, size, out=np.zeros(moved.shape), where=size != 0)
    other = np.where(use_plus, rose - x * minus[:-1], fell - x * plus[:-1])
    largest = np.maximum(np.abs(plus), np.abs(minus)).max()
    away = np.abs(other).max()
    if away > 64 * np.finfo(float).eps * largest * (1 + np.abs(x).max()):
        raise AssumptionError("run: expected plain descent, without momentum or weight decay", float(away))
    return x


def mean_square_slope(
    problem: DiagonalLinear, theta: Any, batch: int | None = None, sigma: float = 0.0
) -> np.ndarray:
    """Return E g_j² over the rows and the label noise of one step, (..., d).

    Parameters
    ----------
    problem : DiagonalLinear
    theta : array_like (..., p)
    batch : int, optional
        Rows drawn with replacement; all rows, each once, by default.
    sigma : float
        Standard deviation of the label noise.

    Returns
    -------
    array (..., d)
        With uniform weights and batch 1, ``(1/n) sum_i x_ij² (r_i² + sigma²)``; on
        the minima ``sigma² M_j / batch``.

    Raises
    ------
    InputError
        When batch or sigma is out of range.

    Notes
    -----
    To first order in eta, alpha² shrinks by exp(-eta² E g_j²) in a step. Source:
    minima_manifold S-C5, S-C6.

    Examples
    --------
    >>> from toymodels.manifold import DiagonalLinear
    >>> problem = DiagonalLinear([[1.0, 2.0]], [1.0])
    >>> mean_square_slope(problem, [1.0, 0.0, 1.0, 0.0], batch=1, sigma=0.5)
    array([0.25, 1.  ])
    """
    sigma = positive_real("sigma", sigma, allow_zero=True)
    theta = real_array("theta", theta)
    X, heavy, n = problem.inputs, problem.weights, problem.n
    residual = problem.outputs(theta) - problem.targets
    mean = problem.slope(theta)
    squares = X * X
    if batch is None:
        return mean**2 + sigma**2 * (heavy**2 @ squares)
    B = positive_int("batch", batch)
    single = (residual**2 + sigma**2) @ (n * heavy[:, None] ** 2 * squares)
    return mean**2 * (1 - 1 / B) + single / B


def small_step(problem: DiagonalLinear, run: Trajectory, lr: float, batch: int | None = None) -> np.ndarray:
    """Return the leading change of log alpha² by descent of small step without label noise, runs + (d,).

    It is ``-lr`` times the time integral of `mean_square_slope` along gradient
    flow: of order lr, and gone as lr tends to 0.

    Parameters
    ----------
    problem : DiagonalLinear
    run : Trajectory
        The gradient flow (`toymodels.flow` or `toymodels.exact`), at finite times
        close enough for Simpson's rule and long enough for the loss to vanish.
    lr : float
        Learning rate.
    batch : int, optional
        As in `mean_square_slope`.

    Raises
    ------
    InputError
        When lr is not positive, or the times are not several and finite.

    Notes
    -----
    Where all residuals are equal in size, batch 1 gives ``-2 lr M_j`` times the
    integral of L. Source: after Pesme, Pillaud-Vivien, Flammarion 2021, arXiv
    2106.09524 (there with isotropised noise); own derivation, minima_manifold S-C5.

    Examples
    --------
    >>> import toymodels as tm
    >>> problem = tm.DiagonalLinear([[1.0]], [1.0])
    >>> run = tm.flow(problem, problem.start(0.5), np.linspace(0, 30, 601))
    >>> print(small_step(problem, run, 0.01, batch=1).round(6))
    [-0.00657]
    """
    from scipy.integrate import simpson

    lr = positive_real("lr", lr)
    if run.t.ndim != 1 or len(run.t) < 3 or not np.isfinite(run.t).all():
        raise InputError("run: expected at least three finite times")
    return -lr * simpson(mean_square_slope(problem, run.theta, batch), x=run.t, axis=0)


def label_noise_rate(
    problem: DiagonalLinear, sigma: float, batch: int | None = 1, *, theta: Any = None, lr: float = 0.0
) -> np.ndarray:
    """Return the rate at which label noise shrinks log alpha² in slow time, (..., d).

    Parameters
    ----------
    problem : DiagonalLinear
    sigma : float
        Standard deviation of the label noise.
    batch : int, optional
        Rows drawn with replacement; None takes all rows, each once.
    theta : array_like (..., p), optional
        A minimum; needed for lr > 0.
    lr : float
        Learning rate, for the first correction: batch 1 and uniform weights only.

    Returns
    -------
    array (..., d)
        ``sigma² M_j / batch`` with uniform weights (``sigma² M_j / n`` for the
        full batch), to which lr adds ``sigma² (lr/2) (1/n) sum_i x_ij² |grad
        f_i|²``.

    Raises
    ------
    InputError
        When an argument is out of range.
    AssumptionError
        When the correction is asked for with another batch or other weights.

    Notes
    -----
    Source: own derivation, minima_manifold S-C6.

    Examples
    --------
    >>> from toymodels.manifold import DiagonalLinear
    >>> problem = DiagonalLinear([[1.0, 2.0]], [1.0])
    >>> label_noise_rate(problem, 0.5)
    array([0.25, 1.  ])
    >>> label_noise_rate(problem, 0.5, theta=[1.0, 0.0, 1.0, 0.0], lr=0.1)
    array([0.275, 1.1  ])
    """
    sigma, lr = positive_real("sigma", sigma, allow_zero=True), positive_real("lr", lr, allow_zero=True)
    X, heavy, n = problem.inputs, problem.weights, problem.n
    if batch is None:
        plain = sigma**2 * (heavy**2 @ (X * X))
    else:
        plain = sigma**2 * n * (heavy**2 @ (X * X)) / positive_int("batch", batch)
    if lr == 0:
        return plain
    if batch != 1 or np.ptp(heavy) > 4 * np.finfo(float).eps / n:
        raise AssumptionError("lr: expected batch 1 and uniform weights for the first correction")
    if theta is None:
        raise InputError("theta: expected a minimum with lr > 0")
    sizes = np.einsum("...ii->...i", problem.ntk(real_array("theta", theta)))
    return plain + sigma**2 * (lr / 2) * (sizes @ (heavy[:, None] * X * X))


def at_slow_time(
    problem: DiagonalLinear, theta0: Any, tau: Any, sigma: float, batch: int | None = 1
) -> EffectiveScale:
    """Return the scale after a slow time of label noise, whose interpolator is where theta is then.

    ``alpha_j²`` decays as ``exp(-sigma² M_j tau / batch)`` and the start rho is
    kept: a decay of the learning rate at slow time tau lands where gradient flow
    would land from the initial scale ``alpha_j exp(-sigma² M_j tau / (2 batch))``.

    Parameters
    ----------
    problem : DiagonalLinear
        Of depth 2.
    theta0 : array_like (p,)
        The start.
    tau : float or array_like (T,)
        Slow time, the sum of lr² over the steps (of (2 lr)² in the difference
        form); >= 0.
    sigma, batch
        As in `label_noise_rate`.

    Returns
    -------
    EffectiveScale
        Of shape tau.shape + (d,).

    Raises
    ------
    InputError
        When an argument is out of range.

    Notes
    -----
    Source: own derivation, minima_manifold S-C6.

    Examples
    --------
    >>> from toymodels.manifold import DiagonalLinear
    >>> problem = DiagonalLinear([[1.0, 2.0, 0.5]], [1.0])
    >>> for tau in (0.0, 10.0, 100.0, 1000.0):
    ...     print(at_slow_time(problem, problem.start(1.0), tau, 1.0).interpolator(problem).beta.round(6))
    [0.188006 0.382599 0.093594]
    [0.048815 0.       1.90237 ]
    [0. 0. 2.]
    [0. 0. 2.]
    """
    t = real_array("tau", tau, (0, 1))
    if (t < 0).any():
        raise InputError("tau: expected slow times >= 0")
    start = scale_of(problem, theta0)
    rate = label_noise_rate(problem, sigma, batch)
    lost = t[..., None] * rate / 2
    return EffectiveScale(start.log_alpha - lost, np.broadcast_to(start.rho, lost.shape))
