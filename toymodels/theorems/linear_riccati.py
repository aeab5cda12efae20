"""The balanced flow on whitened inputs at all times: late and tiny starts, limits and saddles."""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import identity_like
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, svdvals
from toymodels.claims import counterexample, identity
from toymodels.linear import TwoLayerLinear, overlap_form, riccati
from toymodels.linear.cases import balanced_start
from toymodels.linear.factors import balanced_factors
from toymodels.linear.generator import generator
from toymodels.linear.riccati import Propagator
from toymodels.spaces import POSITIVE, Rejected, choice, integer, invertible, matrix, symmetric, vector

FAMILY = "linear"
EPS = np.finfo(float).eps
TIMES = np.array([0.7])


def white_net(S, width):
    """A net on whitened inputs with target S."""
    return TwoLayerLinear.from_statistics(np.eye(S.shape[1]), S, 1.0 + float((S * S).sum()), width=width)


def rotation(rng, n):
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def in_digits(S, Q0, t, digits=400):
    """The quotient of exponentials, evaluated at many digits for balanced starts."""
    import mpmath

    with mpmath.workdps(digits):
        (c, d), (N, m) = S.shape, Q0.shape
        F, Q = mpmath.zeros(N), mpmath.matrix(Q0.tolist())
        for i, j in np.ndindex(c, d):
            F[d + i, j] = F[j, d + i] = mpmath.mpf(float(S[i, j]))
        rates, vectors = mpmath.eigsy(F)
        A = vectors.T * Q
        grown = mpmath.matrix(N, m)
        weighted = mpmath.matrix(N, m)
        for i, j in np.ndindex(N, m):
            grown[i, j] = mpmath.exp(rates[i] * t) * A[i, j]
            weighted[i, j] = mpmath.expm1(2 * rates[i] * t) / (2 * rates[i]) * A[i, j]
        bracket = mpmath.eye(m) + A.T * weighted
        P = vectors * grown
        M = P * mpmath.inverse(bracket) * P.T
        return np.array([[float(M[i, j]) for j in range(N)] for i in range(N)])


def naive(F, Q0, t):
    """The quotient of exponentials as it stands, for two columns."""
    with np.errstate(over="ignore", invalid="ignore"):
        A = F.vectors.T @ Q0
        P = F.vectors @ (np.exp(F.rates * t)[:, None] * A)
        D = np.eye(2) + A.T @ ((np.expm1(2 * F.rates * t) / (2 * F.rates))[:, None] * A)
        adjugate = np.trace(D) * np.eye(2) - D
        return P @ adjugate @ P.T / (D[0, 0] * D[1, 1] - D[0, 1] * D[1, 0])


def tiny_start(seed):
    """Target of singular values 3, 1, 0.3 and a balanced start of rank 2 and size 1e-6."""
    rng = np.random.default_rng(seed)
    S = (rotation(rng, 3) * np.array([3.0, 1.0, 0.3])) @ rotation(rng, 3)
    W = 1e-12 * rng.standard_normal((3, 2)) @ rng.standard_normal((2, 3))
    W1, W2 = balanced_factors(W, 0.0, width=2, rotation=rotation(rng, 2))
    return S, np.concatenate([W1.T, W2])


@identity(
    "linear_nets S5.2a",
    seed=integer(0, 999),
    t=choice([6.0, 12.0, 60.0, 150.0]),
    cost="trajectory",
    broken={"the exponentials themselves": dict(plain=1, t=choice([300.0]))},
)
def accurate_at_late_times(seed, t, *, plain=0):
    """Starts of size 1e-6, m = 2 < d = c = 3: the propagator agrees with 400-digit arithmetic at any time."""
    S, Q0 = tiny_start(seed)
    flow, times = Propagator(generator(S, 0.0), Q0), np.array([t])
    M, moved = flow.gram(times)[0], flow.error(times)[0]
    budget = min(moved * (2 * np.sqrt(np.trace(M)) + moved), 1e-9)
    if plain:
        M = naive(generator(S, 0.0), Q0, t)
    return Measured(M, budget), Measured(in_digits(S, Q0, t))


@identity("linear_nets S5.2b", seed=integer(0, 999), cost="trajectory", broken={"at t = 3": dict(t=3.0)})
def late_is_the_limit(seed, *, t=1e7):
    """At t = 1e7 the propagator gives the limit, at t = inf too: the two largest modes."""
    S, Q0 = tiny_start(seed)
    M = Propagator(generator(S, 0.0), Q0).gram(np.array([t, np.inf]))
    F = generator(S, 0.0)
    limit = (F.vectors[:, :2] * (2 * F.rates[:2])) @ F.vectors[:, :2].T
    return Measured(M, 1e3 * EPS * np.linalg.norm(S)), Measured(np.stack([limit, limit]))


@identity(
    "linear_nets S5.3a",
    start=balanced_start(),
    sizes=dict(d=(1, 4), m=(1, 4), c=(1, 4)),
    cost="trajectory",
    broken={"for m < p, W -> S": dict(whole=1, sizes=dict(d=(2, 4), m=(1, 1), c=(2, 4)))},
)
def generic_limit(start, *, whole=0):
    r"""The limit keeps the top min(m, number of positive) modes, $M \to \sum_j 2f_j v_jv_j^\top$: $W \to
    \sum s_ju_jv_j^\top$, $W_2W_2^\top \to \kappa + \lambda/2$ and $W_1^\top W_1 \to \kappa - \lambda/2$.
    """
    F = generator(start.Syx, start.lam)
    flow = Propagator(F, np.concatenate([start.W1.T, start.W2]))
    count = min(flow.rank, int(np.count_nonzero(F.rates > 1e-2)))
    gap = 1.0 if count == len(F.rates) else F.rates[count - 1] - F.rates[count]
    if count == 0 or flow.growing != count or gap < 1e-2:
        raise Rejected("not a generic start")
    kept = min(start.Syx.shape) if whole else count
    limit = (F.vectors[:, :kept] * (2 * F.rates[:kept])) @ F.vectors[:, :kept].T
    error = 64 * len(limit) * EPS * np.linalg.norm(limit) * (1 + F.rates[0] / gap)
    return Measured(flow.gram(np.array([np.inf]))[0], error), Measured(limit)


def opposed(seed, n, width, lam=0.0):
    """A square net whose product starts with the determinant of the other sign than the target's."""
    rng = np.random.default_rng(seed)
    s = np.sort(rng.uniform(0.5, 2.0, n))[::-1] + 0.3 * np.arange(n)[::-1]
    U, V = rotation(rng, n), rotation(rng, n)
    turn = rotation(rng, n)
    turn[0] *= -np.sign(np.linalg.det(turn))
    W = 0.5 * U @ turn @ V.T
    S = (U * s) @ V.T
    net = white_net(S, width)
    return net, net.balanced(W, lam, rotation(rng, width)), S, (U, s, V)


@counterexample(
    "linear_nets S5.4a; linear_nets P4",
    n=integer(2, 4),
    extra=integer(0, 2),
    seed=integer(0, 999),
    margin=1e-3,
    broken={"lam = 0.3": dict(lam=0.3, extra=integer(0, 0))},
)
def balanced_flow_can_miss_the_target(n, extra, seed, *, lam=0.0):
    """ "Balanced flow reaches the target from almost every start" is false for d = c, lam = 0: half of all
    starts, those of the other sign of the determinant, end at a saddle.
    """
    net, theta, _, _ = opposed(seed, n, n + extra, lam)
    return net.loss(dynamics.exact(net, theta).at(np.inf)) - net.least_loss, 0.0


@identity(
    "linear_nets S5.4b",
    n=integer(2, 4),
    extra=integer(0, 2),
    seed=integer(0, 999),
    cost="trajectory",
    broken={"the whole target": dict(missing=0)},
)
def missed_mode_is_the_smallest(n, extra, seed, *, missing=1):
    """There the flow ends at the saddle without the smallest mode, and the overlap matrix B is singular."""
    net, theta, S, (U, s, V) = opposed(seed, n, n + extra)
    end = dynamics.exact(net, theta).limit()
    s = np.where(np.arange(n) < n - missing, s, 0.0)
    P, _, Rt = np.linalg.svd(net.product(theta))
    B = overlap_form.overlaps(P, Rt.T, U, V)[0]
    rounding = 1e3 * n * EPS * np.linalg.norm(S)
    smallest = svdvals(Measured(B, rounding))[-1]
    return (Measured(end.product, rounding), smallest), (Measured((U * s) @ V.T, rounding), Measured(0.0))


@identity(
    "linear_nets S5.4c",
    n=integer(2, 4),
    lam=choice([0.3, -0.3, 1.5]),
    seed=integer(0, 999),
    cost="trajectory",
    broken={"lam = 0": dict(lam=choice([0.0]))},
)
def imbalance_removes_the_obstruction(n, lam, seed):
    """For lam != 0 (m = d = c) the same starts reach the target."""
    net, theta, S, _ = opposed(seed, n, n, lam)
    end = dynamics.exact(net, theta).product(np.inf)
    return Measured(end, 1e3 * n * EPS * np.linalg.norm(S) / min(abs(lam) + 1e-3, 1.0)), Measured(S)


@identity(
    "linear_nets S5.5a",
    start=balanced_start(),
    sizes=dict(d=(1, 3), m=(1, 1), c=(1, 3)),
    cost="trajectory",
    broken={"two neurons": dict(sizes=dict(d=(2, 3), m=(2, 2), c=(2, 3)))},
)
def one_neuron_keeps_its_parameters(start):
    """One neuron, any start: the closed form gives the parameters, not only their Gram matrix."""
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=len(start.W1))
    form, run = dynamics.exact(net, start.theta), dynamics.flow(net, start.theta, TIMES, record=())
    theta = Measured(form.at(TIMES), form.error(TIMES)[..., None])
    return theta, Measured(run.theta, run.error[..., None])


@identity(
    "linear_nets D5",
    up=vector("2", POSITIVE),
    down=vector("2", POSITIVE),
    E=matrix("4 4"),
    broken={"twice |F|": dict(factor=2)},
)
def shifted_equation(up, down, E, *, factor=1):
    r"""$M = F + |F| + E$ turns the Riccati equation into $E' = -|F|E - E|F| - E^2$."""
    unit = identity_like(E)
    first, second = (unit * (np.arange(4) // 2 == k) for k in (0, 1))
    F = first * up.repeat(2) - second * down.repeat(2)
    size = factor * (first * up.repeat(2) + second * down.repeat(2))
    return riccati.velocity(F + size + E, F), -(size @ E) - E @ size - E @ E


@identity(
    "linear_nets D6",
    A=symmetric("N"),
    G=symmetric("N"),
    E0=symmetric("N"),
    bracket=invertible("N"),
    broken={"the integral of e^{-As}": dict(power=1)},
)
def decaying_form(A, G, E0, bracket, *, power=2):
    r"""$E = GE_0(I + JE_0)^{-1}G$ with $G = e^{-At}$, $J' = G^2$ solves $E' = -AE - EA - E^2$."""
    speed = G @ G if power == 2 else G
    inverse = Jet(bracket.inverse, -(bracket.inverse @ speed @ E0 @ bracket.inverse))
    # A and e^{-At} commute: the derivative on the left is written -A G, on the right -G A
    E = Jet(G, -(A @ G)) @ E0 @ inverse @ Jet(G, -(G @ A))
    return E.first, -(A @ E.value) - E.value @ A - E.value @ E.value
