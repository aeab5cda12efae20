"""Derivatives of two-layer ReLU nets inside a cell: gradient, Hessian and tangent kernel over classes.

Gates are drawn apart from the signs of the preactivations, so each identity holds for all gates, also for
those that a net has at a kink.
"""

import numpy as np

from toymodels import dynamics
from toymodels.arithmetic import concatenate, dot, frobenius, mT, outer, trace
from toymodels.arithmetic.elementary import cos
from toymodels.arithmetic.jets import derivative
from toymodels.arithmetic.measured import Measured
from toymodels.claims import counterexample, identity, mean
from toymodels.relu import TwoLayerReLU, formulas, infinite_width_ntk, probability_formulas
from toymodels.relu.cases import classed_net, gated_net, separable_data, training
from toymodels.spaces import between, choice, integer, matrix, positive, vector

FAMILY = "relu"

WELL_KNOWN = "own (well known)"
DIRECTIONS = dict(D=matrix("m d"), b=vector("m"))
PER_SAMPLE = dict(y=vector("n"), weights=vector("n"))
SMALL = dict(m=(1, 3), d=(1, 3), n=(1, 3))


def inner(blocks, others):
    """Inner product of two pairs of blocks (m, d) and (m,)."""
    return frobenius(blocks[0], others[0]) + dot(blocks[1], others[1])


@identity(
    "neuron_partition A1a",
    net=gated_net(),
    **DIRECTIONS,
    **PER_SAMPLE,
    source=WELL_KNOWN,
    broken={"all gates open in the sums": dict(opened=1)},
)
def gradient_is_derivative(net, D, b, y, weights, *, opened=0):
    r"""Square loss: $\partial L/\partial a_k = -w_k \cdot U_k$ and $\partial L/\partial w_k = -a_k U_k$ with
    $U_k = \sum_i \pi_i (y_i - f_i) G_{ki} x_i$.
    """
    W, a, X, gates = net
    loss = lambda W, a: formulas.square_loss(W, a, X, y, weights, gates)
    U = formulas.gated_sums(X, gates + opened * (1 - gates), weights * (y - net.outputs))
    return derivative(loss, (W, a), (D, b)), inner((-a[:, None] * U, -dot(W, U)), (D, b))


@identity(
    "neuron_partition A1b",
    net=gated_net(),
    **DIRECTIONS,
    cotangent=vector("n"),
    source=WELL_KNOWN,
    broken={"the output block with the other sign": dict(sign=-1)},
)
def gradient_of_any_loss(net, D, b, cotangent, *, sign=1):
    r"""Any loss: with the cotangent $\pi_i l'_i$ of the outputs the gradient is $(a_k S_k, w_k \cdot S_k)$,
    $S_k = -U_k = \sum_i \pi_i l'_i G_{ki} x_i$.
    """
    W, a, X, gates = net
    slope = derivative(lambda W, a: dot(cotangent, formulas.outputs(W, a, X, gates)), (W, a), (D, b))
    first, second = formulas.vjp(W, a, X, gates, cotangent)
    return slope, inner((first, sign * second), (D, b))


@identity(
    "neuron_partition A1c",
    net=classed_net(),
    cotangent=vector("n"),
    source="own",
    broken={"one sum for all classes": dict(merged=1)},
)
def classes_share_their_sum(net, cotangent, *, merged=0):
    r"""$U_k$ depends on the neuron through its pattern alone: the sums of the classes, handed to their
    members, give the gradient.
    """
    W, a, X, members, patterns = net
    sums = formulas.gated_sums(X, patterns, cotangent)
    sums = (1 - merged) * sums + merged * (0 * sums + sums[:1])
    return formulas.vjp(W, a, X, net.gates, cotangent), formulas.chain(W, a, members.mT @ sums)


@identity(
    "neuron_partition A2a",
    net=gated_net(),
    **DIRECTIONS,
    slope=vector("n"),
    curvature=vector("n"),
    source=WELL_KNOWN,
    broken={"Gauss-Newton part alone": dict(coupled=0)},
)
def hessian_vector_product(net, D, b, slope, curvature, *, coupled=1):
    r"""In a cell, any loss: the Hessian along (D, b) is $J^\top(\pi l'' \, J(D, b))$ plus
    $(b_k S_k, D_k \cdot S_k)$.
    """
    W, a, X, gates = net
    here = net.outputs  # the loss enters through its first two derivatives at these outputs
    gradient = lambda W, a: formulas.vjp(
        W, a, X, gates, slope + curvature * (formulas.outputs(W, a, X, gates) - here)
    )
    turned = tuple(derivative(lambda W, a, k=k: gradient(W, a)[k], (W, a), (D, b)) for k in (0, 1))
    return turned, formulas.hvp(W, a, D, b, X, gates, coupled * slope, curvature)


@identity(
    "neuron_partition A2b",
    net=gated_net(),
    **DIRECTIONS,
    slope=vector("n"),
    curvature=vector("n"),
    source=WELL_KNOWN,
    sizes=SMALL,
    broken={"M with +U_k": dict(sign=-1)},
)
def hessian_matrix(net, D, b, slope, curvature, *, sign=1):
    r"""The matrix $H = J^\top \mathrm{diag}(\pi l'') J + M$, $M_{a_k, w_k} = -U_k$, is that product."""
    W, a, X, gates = net
    J = formulas.jacobian(W, a, X, gates)
    M = formulas.coupling(formulas.gated_sums(X, gates, slope))
    moved = (mT(J) @ (curvature[:, None] * J) + sign * M) @ column(D, b)
    return moved, column(*formulas.hvp(W, a, D, b, X, gates, slope, curvature))


def column(D, b):
    """A direction as a column (p, 1)."""
    flat = concatenate([D.reshape(-1), b], 0)
    return flat.reshape(len(flat), 1)


@identity(
    "neuron_partition A2c",
    S=matrix("m d"),
    D=matrix("m d"),
    x=vector("m"),
    b=vector("m"),
    source="own",
    broken={"eigenvalue |U_k| twice": dict(sign=-1)},
)
def spectrum_of_coupling(S, D, x, b, *, sign=1):
    r"""M takes $(x_k S_k + d_k, b_k)$ with $d_k \perp S_k = -U_k$ to $(b_k S_k, x_k |U_k|^2)$: eigenvalues
    $\pm|U_k|$, and 0 with multiplicity m(d-1).
    """
    square = dot(S, S)
    across = square[:, None] * D - S * dot(S, D)[:, None]
    moved = formulas.coupling(S) @ column(x[:, None] * S + across, b)
    return moved, column(b[:, None] * S, sign * x * square)


@identity(
    "neuron_partition A3a",
    net=classed_net(),
    sizes=SMALL | dict(s=(1, 3)),
    source="own",
    broken={"C_S dropped": dict(kept=0), "|w_k|² for a_k²": dict(hidden=1)},
)
def kernel_over_classes(net, *, kept=1, hidden=0):
    r"""$JJ^\top$ is $\sum_S s_i s_j (A_S x_i \cdot x_j + x_i^\top C_S x_j)$ over the classes, $A_S =
    \sum_{k \in S} a_k^2$, $C_S = \sum_{k \in S} w_k w_k^\top$.
    """
    W, a, X, members, patterns = net
    J = formulas.jacobian(W, a, X, net.gates)
    A, C = formulas.class_sums(W, a, members)
    A = (1 - hidden) * A + hidden * (members @ dot(W, W)[:, None])[:, 0]
    first = formulas.hidden_ntk_of_classes(A, X, patterns)
    return J @ mT(J), first + kept * formulas.output_ntk_of_classes(C, X, patterns)


@identity(
    "neuron_partition A3b",
    net=gated_net(),
    moved=matrix("m d"),
    sizes=SMALL,
    source="own",
    broken={"the output layer trained as well": dict(both=1)},
)
def hidden_kernel_is_constant(net, moved, *, both=0):
    r"""With fixed output weights the kernel is $x_i \cdot x_j \sum_k a_k^2 G_{ki} G_{kj}$, the same all over
    a cell.
    """
    W, a, X, gates = net
    width = W.shape[0] * W.shape[1] + both * W.shape[0]
    J, there = (formulas.jacobian(V, a, X, gates)[:, :width] for V in (W, W + moved))
    return (J @ mT(J), there @ mT(there)), (formulas.hidden_ntk(a, X, gates),) * 2


NEURONS = 10_000


def kernel_per_neuron(X, seed, both):
    """Independent samples of one neuron's kernel (NEURONS, n, n), w ~ N(0, 4 I), a = ±3."""
    rng = np.random.default_rng(seed)
    z = 2.0 * rng.standard_normal((NEURONS, X.shape[1])) @ X.T
    gates, hidden = (z > 0).astype(float), np.maximum(z, 0.0)
    first = 9.0 * (X @ X.T) * gates[:, :, None] * gates[:, None, :]
    return first + both * hidden[:, :, None] * hidden[:, None, :]


@mean(
    "neuron_partition A4a",
    seed=integer(0, 10**9),
    source="after Cho, Saul 2009",
    broken={"hidden part alone": dict(both=False), "the first sample reversed": dict(flip=-1)},
)
def infinite_width(seed, *, both=True, flip=1):
    r"""As the width grows, $K_{ij}/m \to \sigma_a^2 x_i \cdot x_j (\pi - \theta)/2\pi + \sigma_w^2 |x_i||x_j|
    (\sin\theta + (\pi - \theta)\cos\theta)/2\pi$.
    """
    X = np.random.default_rng(seed).uniform(-0.3, 1.7, (3, 3))
    samples = kernel_per_neuron(X, seed, True)
    X[0] *= flip
    return samples, infinite_width_ntk(X, hidden_variance=4.0, output_variance=9.0, trains_output=both)


@mean(
    "neuron_partition A4b",
    seed=integer(0, 10**9),
    source="after Cho, Saul 2009",
    broken={"both layers' kernel": dict(both=True)},
)
def infinite_width_hidden(seed, *, both=False):
    r"""With fixed output weights the limit is the first term alone."""
    X = np.random.default_rng(seed).uniform(-0.3, 1.7, (3, 3))
    samples = kernel_per_neuron(X, seed, False)
    return samples, infinite_width_ntk(X, hidden_variance=4.0, output_variance=9.0, trains_output=both)


@identity(
    "neuron_partition A4c",
    theta=between(0.1, 3.0),
    source="own",
    broken={"the derivative in theta itself": dict(in_angle=1)},
)
def kernels_are_related(theta, *, in_angle=0):
    r"""The second arc-cosine kernel has, in $\cos\theta$, the first as its derivative."""
    one = (1 + 0 * theta,)
    slope = derivative(probability_formulas.arc_cosine_one, (theta,), one)
    change = derivative(cos, (theta,), one) if not in_angle else one[0]
    return slope, change * probability_formulas.arc_cosine_zero(theta)


@identity(
    "neuron_partition A5a",
    net=gated_net(),
    cotangent=vector("n"),
    source=WELL_KNOWN,
    broken={"gates of the output layer opened": dict(opened=1)},
)
def euler_identity(net, cotangent, *, opened=0):
    r"""$a_k\, \partial L/\partial a_k = w_k \cdot \partial L/\partial w_k$ at every point, kinks
    included.
    """
    W, a, X, gates = net
    first, _ = formulas.vjp(W, a, X, gates, cotangent)
    _, second = formulas.vjp(W, a, X, gates + opened * (1 - gates), cotangent)
    return a * second, dot(W, first)


@identity(
    "neuron_partition A5b",
    net=gated_net(),
    cotangent=vector("n"),
    source="after Du, Hu, Lee 2018 (arXiv 1806.00900)",
    broken={"a_k² + |w_k|²": dict(sign=-1)},
)
def flow_conserves_the_imbalance(net, cotangent, *, sign=1):
    r"""Gradient flow of any loss conserves $a_k^2 - |w_k|^2$ of each neuron."""
    W, a, X, gates = net
    first, second = formulas.vjp(W, a, X, gates, cotangent)
    moved = derivative(formulas.imbalance, (W, a), (-first * sign, -second))
    return moved, 0 * moved


@identity(
    "neuron_partition A5c",
    net=gated_net(),
    cotangent=vector("n"),
    lr=positive,
    source="own",
    broken={"descent conserves it": dict(kept=0)},
)
def descent_moves_the_imbalance(net, cotangent, lr, *, kept=1):
    r"""One step of descent changes it by exactly $\eta^2((\partial L/\partial a_k)^2 - |\partial L/\partial
    w_k|^2)$.
    """
    W, a, X, gates = net
    first, second = formulas.vjp(W, a, X, gates, cotangent)
    change = formulas.imbalance(W - lr * first, a - lr * second) - formulas.imbalance(W, a)
    return change, kept * lr * lr * formulas.imbalance_change(first, second)


@identity(
    "neuron_partition A5d",
    net=gated_net(),
    cotangent=vector("n"),
    surplus=vector("m"),
    source="own",
    broken={"smaller output weights": dict(sign=-1)},
)
def output_weights_keep_their_sign(net, cotangent, surplus, *, sign=1):
    r"""Where $a_k^2 = |w_k|^2 + r_k^2$, which flow conserves, $a_k^2 |U_k|^2 - a_k'^2$ is the sum of squares
    $r_k^2|U_k|^2 + |w_k \wedge U_k|^2$: $|a_k|$ falls no faster than an exponential, and $a_k$ never through
    zero.
    """
    W, a, X, gates = net
    sums = formulas.gated_sums(X, gates, cotangent)
    _, velocity = formulas.chain(W, a, sums)
    square = dot(W, W) + sign * surplus * surplus  # of the output weight
    crossed = outer(W, sums) - outer(sums, W)
    wedge = (crossed * crossed).sum((-1, -2)) / 2
    return square * dot(sums, sums) - velocity * velocity, surplus * surplus * dot(sums, sums) + wedge


@counterexample(
    "neuron_partition A5e", source="own", margin=0.8, broken={"a balanced start": dict(start=1.0)}
)
def output_weight_crosses_zero(*, start=0.5):
    """ "sign(a) never changes" is false without that hypothesis: x = 1, y = -1, square loss,
    (a, w) = (0.5, 1), descent in steps of 0.01.
    """
    net = TwoLayerReLU([[1.0]], [-1.0], width=1)
    run = dynamics.descend(net, net.pack([[1.0]], [start]), lr=0.01, steps=1000, every=1000)
    return np.zeros(1), net.layers(run.theta[-1])[1]


@identity(
    "neuron_partition A6a",
    net=gated_net(),
    cotangent=vector("n"),
    source=WELL_KNOWN,
    broken={"factor 2": dict(factor=1)},
)
def norm_growth(net, cotangent, *, factor=2):
    r"""Along flow $(|a|^2 + |W|^2)' = 4 \sum_i \pi_i g_i f_i$."""
    W, a, X, gates = net
    first, second = formulas.vjp(W, a, X, gates, cotangent)
    moved = derivative(lambda W, a: frobenius(W, W) + dot(a, a), (W, a), (-first, -second))
    return moved, factor * 2 * formulas.norm_growth(net.outputs, cotangent)


@identity(
    "neuron_partition A6b",
    net=gated_net(),
    cotangent=vector("n"),
    source=WELL_KNOWN,
    broken={"factor 4, that of both layers": dict(factor=2)},
)
def norm_growth_hidden(net, cotangent, *, factor=1):
    r"""With fixed output weights $(|W|^2)' = 2 \sum_i \pi_i g_i f_i$."""
    W, a, X, gates = net
    first, _ = formulas.vjp(W, a, X, gates, cotangent)
    moved = derivative(lambda W: frobenius(W, W), (W,), (-first,))
    return moved, factor * 2 * formulas.norm_growth(net.outputs, cotangent)


@identity(
    "neuron_partition A7a",
    net=gated_net(dead=True),
    cotangent=vector("n"),
    source=WELL_KNOWN,
    broken={"living on one sample": dict(net=gated_net())},
)
def dead_neurons_have_no_gradient(net, cotangent):
    """A neuron that is dead on every sample has zero gradient, in both layers, for any loss."""
    W, a, X, gates = net
    first, second = formulas.vjp(W, a, X, gates, cotangent)
    return (first[0], second[0]), (0 * first[0], 0 * second[0])


@identity(
    "neuron_partition A7b",
    start=training(separable_data()),
    loss=choice(["square", "logistic"]),
    batch=choice([None, 1]),
    seed=integer(0, 10**9),
    cost="trajectory",
    source=WELL_KNOWN,
    broken={"living on the first sample": dict(living=1)},
)
def dead_neurons_never_move(start, loss, batch, seed, *, living=0):
    """Descent, of full batches or of single samples, leaves a dead neuron where it is, to the last bit."""
    # a bias below what the data can lift closes all gates of the first neuron
    X = np.hstack([start.X, np.ones((len(start.X), 1))])
    lift = np.abs(start.X @ start.W[0]).max() + 1.0
    W = np.hstack([start.W, np.full((len(start.W), 1), 0.1)])
    W[0, -1] = lift if living else -lift
    net = TwoLayerReLU(X, start.y, width=len(W), loss=loss)
    run = dynamics.descend(net, net.pack(W, start.a), lr=0.1, steps=30, batch=batch, rng=seed)
    hidden, output = net.layers(run.theta[-1])
    return (Measured(hidden[0]), Measured(output[0])), (Measured(W[0]), Measured(start.a[0]))


@identity(
    "neuron_partition A8a",
    net=gated_net(),
    D=matrix("m d"),
    slope=vector("n"),
    curvature=vector("n"),
    sizes=SMALL,
    source=WELL_KNOWN,
    broken={"the output layer moved as well": dict(both=1)},
)
def hidden_hessian_is_semidefinite(net, D, slope, curvature, *, both=0):
    r"""With fixed output weights, in a cell, $\langle D, H D\rangle = \sum_i \pi_i l''_i (J D)_i^2$: the loss
    is convex there.
    """
    W, a, X, gates = net
    b = both * D[:, 0]
    pushed = formulas.jvp(W, a, D, b, X, gates)
    turned = formulas.hvp(W, a, D, b, X, gates, slope, curvature)
    return inner(turned, (D, b)), dot(curvature, pushed * pushed)


@identity(
    "neuron_partition A8b",
    net=gated_net(),
    root=vector("n"),
    slope=vector("n"),
    sizes=SMALL,
    source="own",
    broken={"pi l'' left out": dict(weighted=0)},
)
def hidden_sharpness(net, root, slope, *, weighted=1):
    r"""Its Hessian has the nonzero spectrum of $D K D$, $D = \mathrm{diag}\sqrt{\pi l''}$, with K the kernel
    of the hidden layer: all power sums agree.
    """
    W, a, X, gates = net
    size = W.shape[0] * W.shape[1]
    H = formulas.hessian(W, a, X, gates, slope, root * root)[:size, :size]
    scale = weighted * root + (1 - weighted)
    DKD = scale[:, None] * formulas.hidden_ntk(a, X, gates) * scale
    count = max(size, len(X))
    return power_sums(H, count), power_sums(DKD, count)


def power_sums(H, count):
    """tr H, tr H², …: they fix the nonzero eigenvalues of a symmetric matrix (Newton's identities)."""
    powers, sums = H, []
    for _ in range(count):
        sums.append(trace(powers))
        powers = powers @ H
    return tuple(sums)
