"""The balanced flow at all times: late and tiny starts, limits and saddles, what the product alone knows."""

from typing import Any

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import identity_like, mT
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, svdvals, value_of
from toymodels.claims import bound, counterexample, identity
from toymodels.linear import TwoLayerLinear, closure, formulas, overlap_form, riccati, symmetric
from toymodels.linear.cases import balanced_start
from toymodels.linear.factors import balanced_factors
from toymodels.linear.forms import Units
from toymodels.linear.generator import generator
from toymodels.linear.riccati import Propagator
from toymodels.spaces import POSITIVE, between, choice, frame, integer, invertible, matrix, real, vector
from toymodels.spaces import symmetric as symmetric_matrix
from toymodels.spaces.source import Rejected

FAMILY = "linear"
EPS = np.finfo(float).eps
TIMES = np.array([0.7])
SMALL = dict(d=(1, 2), m=(1, 2), c=(1, 2))
NARROW = dict(d=(1, 3), m=(1, 1), c=(2, 2))


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
    "linear_nets S5.8a",
    W1=matrix("m d"),
    W2=matrix("c m"),
    G=matrix("c d"),
    broken={"C1 alone": dict(second=0)},
)
def product_velocity(W1, W2, G, *, second=1):
    r"""$W' = -(C_2G + GC_1)$ with $C_2 = W_2W_2^\top$, $C_1 = W_1^\top W_1$, for any weights."""
    moved = formulas.product_tangent(W1, W2, *formulas.chain(W1, W2, -G))
    return moved, closure.product_velocity(G, second * (W2 @ mT(W2)), mT(W1) @ W1)


@identity("linear_nets S5.8b", W1=matrix("m d"), W2=matrix("c m"), broken={"W for Wᵀ": dict(half=2)})
def layer_grams_square(W1, W2, *, half=1):
    r"""$C_2^2 - WW^\top = W_2\Lambda W_2^\top$ and $C_1^2 - W^\top W = -W_1^\top\Lambda W_1$: with $\Lambda =
    \lambda I$, $C_2^2 - \lambda C_2 = WW^\top$ and $C_1^2 + \lambda C_1 = W^\top W$.
    """
    W, imbalance = formulas.product(W1, W2), half * formulas.imbalance(W1, W2)
    C2, C1 = W2 @ mT(W2), mT(W1) @ W1
    return (C2 @ C2 - W @ mT(W), C1 @ C1 - mT(W) @ W), (W2 @ imbalance @ mT(W2), -(mT(W1) @ imbalance @ W1))


@identity(
    "linear_nets S5.8c",
    start=balanced_start(coloured=True, closed=True),
    sizes=dict(d=(1, 4), m=(1, 4), c=(1, 4)),
    cost="trajectory",
    broken={"m = 1 < c = 2, lam > 0": dict(start=balanced_start(coloured=True), sizes=NARROW)},
)
def layer_grams_from_the_product(start):
    r"""$C_2 = \lambda/2 + (\lambda^2/4 + WW^\top)^{1/2}$ and $C_1$ alike are functions of the product for
    $\lambda = 0$, or $\lambda > 0$ and m = c, or $\lambda < 0$ and m = d.
    """
    W = start.W2 @ start.W1
    rebuilt = closure.layer_grams(W, start.lam / 2, start.lam**2 / 4)
    # a root of a singular matrix, to rounding of its square
    error = 64 * sum(W.shape) * EPS * (np.linalg.norm(W) + abs(start.lam) + np.sum(start.theta**2))
    return tuple(Measured(C, error) for C in rebuilt), (
        Measured(start.W2 @ start.W2.T, error),
        Measured(start.W1.T @ start.W1, error),
    )


@identity(
    "linear_nets S5.8d",
    start=balanced_start(coloured=True, closed=True),
    sizes=SMALL,
    cost="trajectory",
    broken={"m = 1 < c = 2, lam > 0": dict(forced=1, start=balanced_start(coloured=True), sizes=NARROW)},
)
def product_closes_on_any_inputs(start, *, forced=0):
    """Any inputs: the product's own equation gives the Gram matrix of the flow."""
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=len(start.W1))
    form: Any = net.closed_form(start.theta, np.ones(2)) if not forced else None
    if forced:
        lam = np.asarray(start.lam)
        assumed = closure.Closure(lam / 2, lam**2 / 4, 0.0)
        form = closure.Closed(net, start.W1, start.W2, Units.of(net, (1.0, 1.0)), assumed)
    run = dynamics.flow(net, start.theta, TIMES, record=())
    moved = run.error * (2 * np.linalg.norm(run.theta, axis=-1) + run.error)
    left = Measured(form.gram(TIMES), form.gram_error(TIMES)[..., None, None])
    return left, Measured(net.gram(run.theta), moved[..., None, None])


@identity(
    "linear_nets S5.12a",
    U=frame("c r"),
    V=frame("d r"),
    H=symmetric_matrix("r"),
    K=symmetric_matrix("r"),
    G=matrix("c d"),
    L=matrix("c c"),
    sizes=dict(c=(1, 2), d=(1, 2), r=(1, 1)),
    broken={"a second layer of another range": dict(beyond=1)},
)
def balanced_flow_keeps_the_range(U, V, H, K, G, L, *, beyond=0):
    r"""Balanced layers have $C_2 = UHU^\top$, $C_1 = VKV^\top$ for $W = UAV^\top$: W' is tangent to the
    matrices of rank r, $(I - UU^\top)W'(I - VV^\top) = 0$ on any data.
    """
    C2, C1 = U @ H @ mT(U) + beyond * (L @ mT(L)), V @ K @ mT(V)
    moved = closure.product_velocity(G, C2, C1)
    inside = moved - U @ (mT(U) @ moved)
    return inside - (inside @ V) @ mT(V), 0 * moved


@identity(
    "linear_nets S5.12b",
    start=balanced_start(coloured=True),
    sizes=dict(d=(2, 3), m=(2, 2), c=(2, 3)),
    cost="trajectory",
    broken={"unbalanced start of rank one": dict(tilt=0.7)},
)
def rank_is_constant(start, *, tilt=0.0):
    """Balanced weights, any data: the rank of the product is that of its start (here one: the second
    singular value stays zero).
    """
    U, u, Vt = np.linalg.svd(start.W2 @ start.W1)
    W1, W2 = balanced_factors(u[0] * np.outer(U[:, 0], Vt[0]), 0.0, width=2)
    W1[1] += tilt * Vt[1]
    net = TwoLayerLinear.from_statistics(start.Sxx, start.Syx, start.tyy, width=2)
    run = dynamics.flow(net, net.pack(W1, W2), TIMES, record=())
    size = np.linalg.norm(run.theta, axis=-1)
    values = svdvals(Measured(net.product(run.theta), (size * run.error)[:, None, None]))
    return values[:, 1:], Measured(np.zeros(values.value[:, 1:].shape))


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
    A=symmetric_matrix("N"),
    G=symmetric_matrix("N"),
    E0=symmetric_matrix("N"),
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


@identity("linear_nets S5.10a", U=matrix("n m"), T=symmetric_matrix("n"), broken={"Q = U": dict(factor=1)})
def symmetric_is_balanced(U, T, *, factor=2):
    r"""$U' = (M_s - UU^\top)U$: twice $UU^\top$ solves the Riccati equation with $F = M_s$."""
    moving = Jet(U, symmetric.symmetric_velocity(U, T))
    gram = factor * (moving @ mT(moving))
    return gram.first, riccati.velocity(gram.value, T)


@identity(
    "linear_nets S5.10b",
    seed=integer(0, 999),
    n=integer(1, 3),
    m=integer(1, 3),
    cost="trajectory",
    broken={"positive part of the target": dict(cut=1)},
)
def symmetric_closed_form(seed, n, m, *, cut=0):
    """Symmetric targets of any signature: the closed form is the flow of the net W1 = Uᵀ, W2 = U."""
    rng = np.random.default_rng(seed)
    U0, half = rng.standard_normal((n, m)) / 2, rng.standard_normal((n, n)) / 2
    T = half + half.T
    net = white_net(T, U0.shape[1])
    run = dynamics.flow(net, net.pack(U0.T, U0), TIMES, record=())
    if cut:
        rates, vectors = np.linalg.eigh(T)
        T = (vectors * np.maximum(rates, 0)) @ vectors.T
    size = np.linalg.norm(run.theta, axis=-1)
    moved = (size * run.error)[:, None, None] + 1e-11 * size[:, None, None] ** 2
    return Measured(symmetric.symmetric_flow(T, U0, TIMES), moved), Measured(net.product(run.theta))


@identity(
    "linear_nets S5.10c",
    W1=matrix("m d"),
    W2=matrix("c m"),
    S=matrix("c d"),
    decay=real,
    broken={"the imbalance conserved": dict(keeps=0)},
)
def weight_decay_shifts_the_generator(W1, W2, S, decay, *, keeps=1):
    r"""With weight decay $\gamma$ the product, the Gram matrices and the imbalance lose $2\gamma$ times
    themselves: $F \to F - \gamma I$ and $\Lambda' = -2\gamma\Lambda$, so $\Lambda = 0$ stays.
    """
    unit = identity_like(mT(W1))
    V1, V2 = symmetric.decaying_velocity(W1, W2, S, decay * unit)
    P1, P2 = symmetric.decaying_velocity(W1, W2, S, 0 * unit)
    decaying, plain = (Jet(W1, V1), Jet(W2, V2)), (Jet(W1, P1), Jet(W2, P2))
    product, imbalance = (
        formulas.product(*decaying).first - formulas.product(*plain).first,
        formulas.imbalance(*decaying).first,
    )
    return (product, imbalance), (
        -2 * decay * formulas.product(W1, W2),
        -2 * keeps * decay * formulas.imbalance(W1, W2),
    )


@identity(
    "linear_nets S5.10d",
    start=balanced_start(),
    decay=choice([0.1, 0.4, 1.0]),
    sizes=dict(d=(1, 4), m=(4, 4), c=(1, 4)),
    cost="trajectory",
    broken={"no threshold": dict(soft=0)},
)
def weight_decay_limit(start, decay, *, soft=1):
    r"""Balanced flow with weight decay ends at the soft threshold $\sum\max(s_j - \gamma, 0)u_jv_j^\top$."""
    W1, W2 = balanced_factors(start.Syx * 0.1, 0.0, width=4)
    d = W1.shape[1]
    s = np.linalg.svd(start.Syx, compute_uv=False)
    if np.abs(s - decay).min() < 1e-2:
        raise Rejected("a mode at the threshold")
    limit = symmetric.weight_decay_flow(start.Syx, W1, W2, decay, np.inf)[d:, :d]
    expected = symmetric.soft_threshold(start.Syx, decay * soft)
    rounding = 1e3 * sum(limit.shape) * EPS * (decay + s[0]) / np.abs(s - decay).min()
    return Measured(limit, rounding), Measured(expected)


@bound(
    "linear_nets S5.10e",
    S=matrix("3 2"),
    D=matrix("3 2"),
    decay=between(0.2, 1),
    broken={"hard threshold": dict(hard=1)},
)
def soft_threshold_is_best(S, D, decay, *, hard=0):
    r"""The soft threshold minimises $\frac12\|S - W\|^2 + \gamma\|W\|_*$: no step D away from it is lower."""
    S, D, decay = value_of(S), value_of(D), float(value_of(decay))
    S = S + 2 * np.eye(3, 2)

    def objective(W):
        return np.sum((S - W) ** 2) / 2 + decay * np.linalg.svd(W, compute_uv=False).sum()

    soft = best = symmetric.soft_threshold(S, decay)
    if hard:
        U, s, Vt = np.linalg.svd(S, full_matrices=False)
        best = (U * np.where(s > decay, s, 0.0)) @ Vt
    rounding = 64 * EPS * (1 + np.sum(S * S) + np.sum(D * D))
    return Measured(objective(best), rounding), Measured(objective(soft + D / 8), rounding)
