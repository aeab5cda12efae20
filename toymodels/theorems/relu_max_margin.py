r"""The direction in which two-layer ReLU nets grow, both layers trained, and the largest margin there is.

$u_c$ is the shortest vector with $u_c \cdot x_i \ge 1$ on class c, $\mu_i \ge 0$ are its multipliers, $\rho =
|\theta|$, $q_i$ margins, $\gamma_1$ the largest margin of signed measures of mass 1 on the sphere of neurons.
"""

from typing import NamedTuple

import numpy as np

import toymodels.relu as relu
from toymodels.arithmetic import Array, concatenate, dot, frobenius, mT, outer
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import bound, counterexample, identity, limit
from toymodels.relu import formulas
from toymodels.relu.cases import labelled_data, separable_data
from toymodels.relu.margin_cases import LEVELS, acute_pair, grown, polar_net, supported_class
from toymodels.spaces import POSITIVE, choice, matrix, positive, real, unit_vector, vector

FAMILY = "relu"

EPS = np.finfo(float).eps
PHUONG = "after Phuong, Lampert 2021"


class PureNet(NamedTuple):
    """Neurons along the max-margin vectors, living on their own class alone."""

    W: Array
    a: Array
    X: Array
    y: np.ndarray
    gates: np.ndarray

    @property
    def q(self):
        """Margins."""
        return self.y * formulas.outputs(self.W, self.a, self.X, self.gates)

    @property
    def square_norm(self):
        """|W|² + |a|²."""
        return frobenius(self.W, self.W) + dot(self.a, self.a)


def pure_net(classes, shape, weighted=1):
    """Balanced neurons of both classes with a_k = ± root_c shape_k, of class masses |u_c| |shape|²."""
    y, live = (
        np.concatenate([np.full((size, 1), label) for label, size in zip((1, -1), found, strict=True)])
        for found in ([len(c.X) for c in classes], [len(shape)] * 2)
    )
    sizes = [(weighted * c.root + 1 - weighted) * shape for c in classes]
    W = concatenate([size[:, None] * c.direction for size, c in zip(sizes, classes, strict=True)], 0)
    a = concatenate([sizes[0], -sizes[1]], 0)
    return PureNet(W, a, concatenate([c.X for c in classes], 0), y[:, 0], (live == y.T).astype(int))


CLASSES = dict(plus=supported_class(), minus=supported_class())


@identity(
    "neuron_partition F3a",
    **CLASSES,
    shape=vector("m", POSITIVE),
    source=PHUONG,
    broken={"u_c without the multipliers' scale": dict(scaled=0), "|w_k| = 2|a_k|": dict(stretch=2)},
    sizes=dict(n=(1, 3), m=(1, 3), d=(2, 3)),
)
def limit_is_stationary(plus, minus, shape, *, scaled=1, stretch=1):
    r"""Balanced neurons along $u_c$, living on their class alone, solve $\theta = \sum_i \lambda_i y_i\nabla
    f_i$ with $\lambda_i = \mu_i/|u_c| \ge 0$, $u_c = \sum_i \mu_i x_i$, which is zero off the margin; the
    features of the two classes are orthogonal.
    """
    there = pure_net((plus, minus), shape)
    W = stretch * there.W
    multipliers = concatenate([c.multipliers / (c.norm if scaled else 1) for c in (plus, minus)], 0)
    gradient = formulas.vjp(W, there.a, there.X, there.gates, there.y * multipliers)
    across = formulas.output_ntk(W, there.X, there.gates) * (1 - there.y[:, None] * there.y)
    return (*gradient, across), (W, there.a, 0 * across)


@identity(
    "neuron_partition F3b",
    **CLASSES,
    shape=vector("m", POSITIVE),
    source="own, after Min, Zhu, Vidal 2025 (arXiv 2510.21078)",
    broken={"equal masses of the classes": dict(weighted=0)},
    sizes=dict(n=(1, 3), m=(1, 3), d=(2, 3)),
)
def margin_of_the_limit(plus, minus, shape, *, weighted=1):
    r"""With class masses $\sum_k a_k^2$ in the ratio of $|u_+|$ and $|u_-|$ they have $q_i/\rho^2 = (u_c
    \cdot x_i)/(2(|u_+| + |u_-|))$: least, $1/(2(|u_+| + |u_-|))$, on both classes' margins alike.
    """
    there = pure_net((plus, minus), shape, weighted)
    reach = concatenate([1 + c.gaps for c in (plus, minus)], 0)
    return there.q * 2 * (plus.norm + minus.norm), reach * there.square_norm


DATA = choice(
    [
        (((2.0, 1.0), (1.0, 3.0), (3.0, 3.0), (-2.0, -4.0), (-6.0, -2.0)), (1.0, 1.0, 1.0, -1.0, -1.0)),
        (((1.0, 0.0), (2.0, 1.0), (-2.0, 0.5), (-1.0, -2.0)), (1.0, 1.0, -1.0, -1.0)),
    ]
)
ORTHOGONAL = (((1.0, 0.0), (2.0, 1.0), (-1.0, 0.0), (0.0, -2.0)), (1.0, 1.0, -1.0, -1.0))
"""Samples of one class at right angles: a neuron that lives on one of them never comes to the other."""

LOSS = choice(["exponential", "logistic"])


def relative(value, expected):
    """The value over its limit, with the rounding of a training of up to 1e4 steps."""
    ratio = value / expected
    return Measured(ratio, 1e4 * EPS * abs(ratio))


@limit(
    "neuron_partition F3c",
    data=DATA,
    loss=LOSS,
    order=1,
    source="own, after Min, Zhu, Vidal 2025 (arXiv 2510.21078)",
    broken={"classes of equal masses": dict(equal=1)},
)
def margin_is_reached(data, loss, *, equal=0):
    r"""Both layers from a small balanced start, products within a class positive: $\log(1/(nL))/\rho^2 \to
    1/(2(|u_+| + |u_-|))$ with an error of order $1/q_{\min}$, and so does $q_{\min}/\rho^2$, which exceeds it
    by $\log n/\rho^2$ at most.
    """
    net, theta = grown(*data, loss)
    found = relu.max_margin_limit(*data)
    limit = 1 / (4 * found.norms.max()) if equal else found.margin
    return 1 / LEVELS, relative(relu.smoothed_margin(net, theta), limit), 1.0


@limit(
    "neuron_partition F3d",
    data=DATA,
    loss=LOSS,
    order=1,
    source=PHUONG,
    broken={"the max-margin vector of all data": dict(own=0)},
)
def neurons_align_with_their_class(data, loss, *, own=1):
    r"""Every neuron that lives on a sample turns to the max-margin vector $u_c$ of its class: the least
    cosine goes to 1.
    """
    net, theta = grown(*data, loss)
    W, a = net.layers(theta)
    X, y = (np.array(part) for part in data)
    every = relu.class_max_margin(y[:, None] * X).vector
    vectors = relu.max_margin_limit(X, y).vectors if own else np.array([every, -every])
    ends = np.where(a[..., None] > 0, *vectors)
    cosines = (W * ends).sum(-1) / (np.linalg.norm(W, axis=-1) * np.linalg.norm(ends, axis=-1))
    living = net.living(theta[-1]) > 0
    return 1 / LEVELS, relative(cosines[:, living].min(-1), 1.0), 1.0


@limit(
    "neuron_partition F3e",
    data=DATA,
    loss=LOSS,
    order=1,
    source="own, after Min, Zhu, Vidal 2025 (arXiv 2510.21078)",
    broken={"masses in the ratio of the numbers of samples": dict(counted=1)},
)
def masses_balance(data, loss, *, counted=0):
    r"""$M_+/M_- \to |u_+|/|u_-|$ with $M_c = \sum_k a_k^2$ over the output weights of sign c."""
    net, theta = grown(*data, loss)
    _, a = net.layers(theta)
    mass = [(a * a * (a * sign > 0)).sum(-1) for sign in (1, -1)]
    shares = relu.max_margin_limit(*data).masses
    counts = np.array([(net.targets == label).sum() for label in (1, -1)])
    ratio = counts[0] / counts[1] if counted else shares[0] / shares[1]
    return 1 / LEVELS, relative(mass[0] / mass[1], ratio), 1.0


@identity(
    "neuron_partition F3f",
    data=DATA,
    loss=LOSS,
    cost="trajectory",
    source=PHUONG,
    broken={"orthogonal samples in one class": dict(data=choice([ORTHOGONAL]))},
)
def partition_is_pure(data, loss):
    """In the end every living neuron lives on all samples of its class and on none of the other, where the
    products within a class are positive.
    """
    net, theta = grown(*data, loss)
    _, a = net.layers(theta[-1])
    gates = net.gates(theta[-1])
    living = gates.any(-1)
    own = np.sign(a)[:, None] == net.targets
    return Measured(gates[living]), Measured(own[living])


@identity(
    "neuron_partition F4a",
    **CLASSES,
    source="own, after Chizat, Bach 2020 (arXiv 2002.04486)",
    broken={"masses and theta_c without |u_c|": dict(power=0)},
    sizes=dict(n=(1, 3), d=(2, 3)),
)
def measure_and_weights(plus, minus, *, power=1):
    r"""The signed measure of masses $|u_c|/(|u_+| + |u_-|)$ at the $u_c/|u_c|$ has margins $(u_c \cdot
    x_i)/(|u_+| + |u_-|)$, so $\gamma_1 \ge 1/(|u_+| + |u_-|)$. The weights $\lambda_i = \theta_c\mu_i$,
    $\theta_c = 1/(|u_c|(|u_+| + |u_-|))$, add up to 1, and $|\sum_{i \in c} \lambda_i x_i| = 1/(|u_+| +
    |u_-|)$ in each class.
    """
    total, measured, expected, weight = plus.norm + minus.norm, [], [], 0
    for c in (plus, minus):
        mass, weights = c.norm**power / total, c.multipliers / (c.norm**power * total)
        measured += [mass * (c.X @ c.direction), weights @ c.X]
        expected += [(1 + c.gaps) / total, c.direction / total]
        weight = weight + weights.sum(-1)
    return (*measured, weight), (*expected, total / total)


@identity(
    "neuron_partition F4b",
    X=matrix("n d"),
    weights=vector("n", POSITIVE),
    w=unit_vector("d"),
    gates=vector("n"),
    source="own",
    broken={"products within the class left out": dict(kept=0)},
    sizes=dict(n=(2, 4), d=(2, 3)),
)
def no_direction_is_pushed_harder(X, weights, w, gates, *, kept=1):
    r"""With $v = \sum_i \lambda_i x_i$ over a class, $v_A$ over the samples that w lives on, $v_B$ over the
    others, $|v|^2 - (w \cdot v_A)^2 = |w \wedge v_A|^2 + |v_B|^2 + 2 v_A \cdot v_B$: terms $\ge 0$ where $x_i
    \cdot x_j \ge 0$. The two classes push against each other, so $|\sum_i \lambda_i y_i \mathrm{relu}(w \cdot
    x_i)| \le 1/(|u_+| + |u_-|)$ for the weights above, and that is $\gamma_1$.
    """
    v, living = weights @ X, (gates * weights) @ X
    rest, reach = v - living, dot(w, living)
    crossed = outer(w, living) - outer(living, w)
    parts = frobenius(crossed, crossed) / 2 + dot(rest, rest) + kept * 2 * dot(living, rest)
    return dot(v, v) - reach * reach, parts


@identity(
    "neuron_partition F4c",
    across=unit_vector("2"),
    w=vector("2"),
    gate=real,
    source="own",
    broken={"OS formula, 1/2": dict(formula=1)},
)
def acute_pair_has_a_smaller_margin(across, w, gate, *, formula=0):
    r"""Two unit samples of opposite label, $\cos\Delta = c \ge 0$, $\sin\Delta = s$: halves at $e_\pm =
    (x_\pm - c x_\mp)/s$ have margins s/2, and for weights 1/2 what is missing to $s \ge z_+ - G z_-$ is $s(1
    - w \cdot e_+) + (G - c) z_-$, both $\ge 0$ for unit w with its gate $G = [z_- > 0]$; the same
    holds with the samples exchanged. So $\gamma_1 = \sin(\Delta)/2$.
    """
    c, s = across
    plus = 0 * across + np.array([1, 0])
    ends = (plus - c * across) / s, (across - c * plus) / s
    margin = s if not formula else s / s
    z = dot(w, plus), dot(w, across)
    missing = s - (z[0] - gate * z[1])
    reached = tuple(dot(e, x) / 2 for e, x in zip(ends, (plus, across), strict=True))
    kinks = tuple(dot(e, x) for e, x in zip(ends, (across, plus), strict=True))
    sizes = tuple(dot(e, e) for e in ends)
    slack = s * (1 - dot(w, ends[0])) + (gate - c) * z[1]
    return (missing, *reached, *kinks, *sizes), (slack, margin / 2, margin / 2, 0 * s, 0 * s, s / s, s / s)


@identity(
    "neuron_partition F4d",
    net=polar_net(),
    data=labelled_data(),
    weights=vector("n", POSITIVE),
    level=positive,
    source="own, after Chizat, Bach 2020 (arXiv 2002.04486)",
    broken={"gamma_1 / 4": dict(parts=4)},
)
def no_net_has_a_larger_margin(net, data, weights, level, *, parts=2):
    r"""Weak duality at every width: with $r_k = |w_k|$, $b_k = |a_k|$ and unit $e_k$, $\frac{D}{2}\rho^2 -
    \sum_i \lambda_i q_i = \frac{D}{2}\sum_k (r_k - b_k)^2 + \sum_k r_k b_k (D - s_k\sum_i\lambda_i
    y_i\mathrm{relu}(e_k \cdot x_i))$. No term is negative for the dual optimum $D = \gamma_1$, so
    $q_{\min}/\rho^2 \le \gamma_1/2$.
    """
    (W, a), (X, y), r, b = net.layers, data, net.lengths, net.sizes
    q = y * formulas.outputs(W, a, X, net.gates)
    pushed = net.signs * ((net.gates * (net.directions @ mT(X))) @ (weights * y))
    unbalanced = dot(r - b, r - b)
    left = level * (frobenius(W, W) + dot(a, a)) / parts - dot(weights, q)
    return left, level * unbalanced / 2 + dot(r * b, level - pushed)


def rounding(X):
    """Of a margin: the distance of a hull from the origin moves by no more than its points."""
    return 64 * X.shape[1] * len(X) * EPS * np.linalg.norm(X, axis=-1).max()


def f1_margin(X, y):
    """The F1-margin between its certificates."""
    found = relu.f1_margin(X, y)
    return Measured(found.value + found.gap / 2, found.gap / 2 + rounding(X))


@identity(
    "neuron_partition F4e",
    data=separable_data(),
    sizes=dict(n=(1, 4), d=(2, 3)),
    cost="trajectory",
    source="own, after Chizat, Bach 2020 (arXiv 2002.04486)",
    broken={"half of it, that of q/|theta|²": dict(half=1)},
)
def closed_form_of_the_f1_margin(data, *, half=0):
    r"""On orthogonally separable data the optimum over all measures, found between two certificates, is
    $1/(|u_+| + |u_-|)$.
    """
    X, y = value_of(data.X), data.y.astype(float)
    found = relu.max_margin_limit(X, y)
    return f1_margin(X, y), Measured(found.margin if half else found.f1_margin, rounding(X))


@counterexample(
    "neuron_partition F4f", source="own", margin=0.1, broken={"a right angle": dict(angle=np.pi / 2)}
)
def closed_form_needs_separable_data(*, angle=0.9):
    r""" "$\gamma_1 = 1/(|u_+| + |u_-|)$ on all data" is false: two unit samples of opposite label at an angle
    of 0.9.
    """
    X, y = (np.array(part) for part in acute_pair(angle))
    norms = [relu.class_max_margin(X[y == label]).norm for label in (1, -1)]
    return 1 / sum(norms), f1_margin(X, y)


@bound(
    "neuron_partition F4g",
    data=labelled_data(),
    w=unit_vector("d"),
    sizes=dict(n=(1, 4), d=(1, 3)),
    cost="trajectory",
    source="own, after Chizat, Bach 2020 (arXiv 2002.04486)",
    broken={"a tenth of the bound": dict(factor=0.1, data=separable_data())},
)
def gap_is_certified(data, w, *, factor=1):
    r"""On any data the margin of the measure is at most $\max_w |\sum_i \lambda_i y_i \mathrm{relu}(w \cdot
    x_i)|$ for the weights found, and no unit w exceeds that.
    """
    X, y, w = value_of(data.X), data.y.astype(float), value_of(w)
    found = relu.f1_margin(X, y)
    pushed = abs((found.weights * y) @ np.maximum(X @ w, 0.0))
    upper = Measured(factor * found.upper, rounding(X))
    return (Measured(found.value), Measured(pushed)), (upper, upper)


def acute(across):
    """x_+ and x_- = across, the directions across them, and c, s."""
    c, s = across
    plus = 0 * across + np.array([1, 0])
    return plus, across, (plus - c * across) / s, (across - c * plus) / s, c, s


@identity(
    "neuron_partition F6a",
    across=unit_vector("2"),
    size=positive,
    source="own",
    broken={"gate 1 at the kink": dict(kink=1), "neurons on the samples": dict(turned=0)},
)
def kkt_point_of_the_acute_pair(across, size, *, kink=0, turned=1):
    r"""Two acute directions, both layers: positives along $(x_+ - c x_-)/s$, negatives along $(x_- - c
    x_+)/s$, balanced and of equal masses, solve $\theta = \sum_i \lambda_i y_i \nabla f_i$ with $\lambda_i =
    1/s$ and the gate $c \in [0, 1]$ on the kink they rest on, and $q_i/\rho^2 = \sin(\Delta)/4 = \gamma_1/2$.
    """
    plus, minus, *ends, c, s = acute(across)
    directions = ends if turned else (plus, minus)
    W, X = (np.stack(rows) for rows in (directions, (plus, minus)))
    W, a, y = size * W, size * np.array([1, -1]), np.array([1, -1])
    eye = np.eye(2, dtype=int)
    gates = eye + (1 - eye) * (c if not kink else c / c)
    gradient = formulas.vjp(W, a, X, gates, y / s)
    q = y * formulas.outputs(W, a, X, gates)
    return (*gradient, 4 * q), (W, a, s * (frobenius(W, W) + dot(a, a)) * (y * y))


@identity(
    "neuron_partition F6b",
    across=unit_vector("2"),
    first=real,
    second=real,
    source="own",
    broken={"x_- for -x_-": dict(sign=-1)},
)
def no_other_kkt_point(across, first, second, *, sign=1):
    r"""It is the only one. A living group with field $h$, $w_k = a_k h$ and $a_k = w_k \cdot h$, has $|h| =
    1$. A positive group lives on $x_+$ and slides, $|h| = \lambda_+ s$, or lives on both, $h = \lambda_+ x_+
    - \lambda_- x_-$ with $c\lambda_+ > \lambda_-$; then negatives slide with $\lambda_- s = 1$, and $|h|^2 =
    (\lambda_+ - c\lambda_-)^2 + s^2\lambda_-^2 = 1$ forces $\lambda_+ = c\lambda_-$, against $\lambda_- <
    c\lambda_+$. So both slide, $\lambda_+ = \lambda_- = 1/s$, both samples are on the margin, and the masses
    are equal.
    """
    plus, minus, *_, c, s = acute(across)
    field = first * plus - sign * second * minus
    tilt = first - c * second
    return dot(field, field), tilt * tilt + s * s * second * second


@limit(
    "neuron_partition F6c",
    angle=choice([0.9, 1.2]),
    order=1,
    source="own",
    broken={"the OS value 1/4": dict(power=0)},
)
def margin_of_the_acute_pair(angle, *, power=1):
    r"""Both layers from a small balanced start on two unit samples at an angle $\Delta$:
    $\log(1/(nL))/\rho^2$, and with it $q_{\min}/\rho^2$, goes to $\sin(\Delta)/4$.
    """
    net, theta = grown(*acute_pair(angle), "exponential", width=4)
    expected = np.sin(angle) ** power / 4
    return 1 / LEVELS, relative(relu.smoothed_margin(net, theta), expected), 1.0
