"""Nets with one output that move like one linear neuron: square balanced nets, and deep balanced ones."""

import numpy as np

from toymodels.arithmetic import dot, identity_like, mT, outer
from toymodels.arithmetic.extension import adjoin_root
from toymodels.arithmetic.jets import Jet
from toymodels.arithmetic.measured import Measured, value_of
from toymodels.claims import identity
from toymodels.solutions import one_neuron_bias, one_neuron_relatives
from toymodels.spaces import between, choice, matrix, orthogonal, positive, real, unit_vector, vector

FAMILY = "linear"
EPS = np.finfo(float).eps
SMALL = dict(d=(1, 3))


@identity(
    "linear_nets S6.11a",
    k=positive,
    tau=real,
    u=unit_vector("d"),
    O=orthogonal("d"),
    sizes=SMALL,
    source="own",
    broken={"delta not flipped": dict(flip=0)},
)
def square_nets_flip_the_imbalance(k, tau, u, O, *, flip=1):
    r"""m = d neurons with $aa^\top - WW^\top = \delta I$, $\delta < 0$: M is one neuron's with $-\delta$."""
    # |a|² + |delta| = h²: a Pythagorean triple
    size, depth, h = 2 * k * tau, k * (1 - tau * tau), k * (1 + tau * tau)
    a = (size * u)[None, :]
    W = (depth * identity_like(O) + (h - depth) * outer(u, u)) @ O
    beta = (a @ W)[0]
    root = adjoin_root(k * 0 + 2) * (flip * h + (1 - flip) * size)
    balance = mT(a) @ a - W @ mT(W)
    M = one_neuron_bias.mobility(beta, np.array([[root]], dtype=object))
    return (one_neuron_relatives.layer_mobility(W, a), balance), (M, -depth * depth * identity_like(O))


@identity(
    "linear_nets S6.11b",
    a=vector("d"),
    depth=between(0.5, 4),
    sizes=SMALL,
    source="own",
    broken={"half the imbalance": dict(factor=0.5)},
)
def shipped_square_net(a, depth, *, factor=1.0):
    """The shipped square net has its imbalance, and the shipped M of -delta is its own."""
    a, depth = np.asarray(value_of(a), dtype=float), float(value_of(depth))
    W = one_neuron_relatives.wide_weights(a, -depth)
    budget = 64 * len(a) ** 2 * EPS * (depth + a @ a)
    M = one_neuron_bias.preconditioner(W.T @ a, factor * depth)
    balance = np.outer(a, a) - W @ W.T
    own = one_neuron_relatives.layer_mobility(W, a[None, :])
    return (Measured(balance, budget), Measured(own, budget)), (-depth * np.eye(len(a)), M)


@identity(
    "linear_nets S6.12a",
    size=positive,
    u=unit_vector("d"),
    hidden=unit_vector("2"),
    G=matrix("1 d"),
    depth=choice([1, 2, 3, 4]),
    sizes=SMALL,
    source="own",
    broken={"factor L for L - 1": dict(extra=1)},
)
def deep_balanced_nets(size, u, hidden, G, depth, *, extra=0):
    r"""L balanced layers, one output: $\beta' = -|\beta|^{2-2/L}(I + (L-1)uu^\top)G$, $G=\nabla_\beta L$."""
    # every layer has norm `size` = |beta|^{1/L}; the hidden directions cancel in pairs
    ends = [u[:, None], *[hidden[:, None]] * (depth - 1), np.array([[1]])]
    layers = [size * (ends[j + 1] @ mT(ends[j])) for j in range(depth)]
    velocity = 0 * G
    for j in range(depth):
        before = chain(layers[:j], identity_like(u))
        after = chain(layers[j + 1 :], identity_like(ends[j + 1][:, 0]))
        velocity = velocity - after @ mT(after) @ G @ mT(before) @ before
    scalars = (as_matrix(size ** (depth - 1)), as_matrix(0 * size + depth + extra))
    return velocity, -G @ one_neuron_relatives.deep_mobility(u, *scalars)


def chain(layers, start):
    """The product of layers, the last one on the left."""
    for layer in layers:
        start = layer @ start
    return start


def as_matrix(x):
    """A number as a matrix (1, 1)."""
    out = np.empty((1, 1), dtype=object)
    out[0, 0] = x
    return out


@identity(
    "linear_nets S6.12b",
    size=positive,
    u=unit_vector("d"),
    v=vector("d"),
    depth=choice([1, 2, 3, 4]),
    sizes=SMALL,
    source="own",
    broken={"exponent of one layer more": dict(extra=1)},
)
def deep_potential(size, u, v, depth, *, extra=0):
    r"""It is a mirror flow of $\Phi = \frac{L}{L+1}|\beta|^{1+1/L}$: $M\nabla^2\Phi = |\beta|^{1-1/L}I$."""
    length, L = size**depth, size * 0 + depth + extra
    slope = dot(u, v)
    moving = Jet(length, slope), Jet(size, size * slope / (depth * length))
    value = one_neuron_relatives.deep_potential_value(*moving, L)
    # the gradient |beta|^{1/L} u, u' = (v - u u.v)/|beta|
    gradient = moving[1] * Jet(u, (v - u * slope) / length)
    scalars = (as_matrix(length / size), as_matrix(L))
    hessian = one_neuron_relatives.deep_curvature(u, *scalars)
    M = one_neuron_relatives.deep_mobility(u, *scalars)
    moved = (dot(gradient.value, v), gradient.first, length / size * v)
    return (value.first, hessian @ v, M @ (hessian @ v)), moved
