"""Balanced linear layers move their product by a closed equation, after Arora, Cohen and Hazan 2018."""

from itertools import pairwise

from toymodels.arithmetic import mT
from toymodels.arithmetic.jets import along
from toymodels.claims import Paper, identity
from toymodels.linear import deep_formulas
from toymodels.spaces import frame, matrix, symmetric

FAMILY = "linear"
PAPER = Paper("after Arora, Cohen, Hazan 2018", arxiv="1802.06509")

FRAMES = dict(O1=frame("m d"), O2=frame("p m"), O3=frame("q p"), O4=frame("c q"), R=symmetric("d"))
SIZES = dict(d=(1, 1), m=(1, 1), p=(1, 2), q=(2, 2), c=(2, 2))
"""Words decide the statements at every size; these are for the broken variants."""


def balanced_layers(frames, R):
    """Layers with W_jᵀW_j = W_{j-1}W_{j-1}ᵀ, R up to turns each, and the turn of their product."""
    layers, turn = [frames[0] @ R], frames[0]
    for O in frames[1:]:
        layers.append(O @ turn @ R @ mT(turn))
        turn = O @ turn
    return layers, turn


@identity(
    "linear_nets S4.5a", **FRAMES, sizes=SIZES, broken={"layers rescaled by 1.5, 1, 1/1.5": dict(halves=3)}
)
def layers_are_balanced(O1, O2, O3, O4, R, *, halves=2):
    r"""The layers of the next statements are balanced, $W_{j+1}^\top W_{j+1} = W_j W_j^\top$."""
    layers, _ = balanced_layers((O1, O2, O3, O4), R)
    layers = [layers[0] * halves / 2, *layers[1:-1], layers[-1] * 2 / halves]
    pairs = list(pairwise(layers))
    return tuple(mT(upper) @ upper for _, upper in pairs), tuple(lower @ mT(lower) for lower, _ in pairs)


@identity("linear_nets S4.5b", **FRAMES, sizes=SIZES, broken={"square root": dict(missing=1)})
def roots_of_the_product(O1, O2, O3, O4, R, *, missing=0):
    r"""At depth 4 their $(WW^\top)^{1/L}$ is $O R^2 O^\top$ and $(W^\top W)^{1/L}$ is $R^2$."""
    layers, turn = balanced_layers((O1, O2, O3, O4), R)
    W, left, right = deep_formulas.product(layers), turn @ R @ R @ mT(turn), R @ R
    powers = left @ left @ left, right @ right @ right
    if not missing:
        powers = powers[0] @ left, powers[1] @ right
    return powers, (W @ mT(W), mT(W) @ W)


def end_to_end(frames, R, G, halves):
    """The velocity of the product, by the layers' flow and by the closed equation."""
    layers, turn = balanced_layers(frames, R)
    depth = len(layers)
    layers = [layers[0] * halves / 2, *layers[1:-1], layers[-1] * 2 / halves]
    velocities = [-g for g in deep_formulas.chain(layers, G)]
    closed = deep_formulas.balanced_velocity(turn @ R @ R @ mT(turn), R @ R, G, depth)
    return deep_formulas.product_tangent(layers, velocities), closed


@identity(
    "linear_nets S4.5c",
    O1=FRAMES["O1"],
    O2=frame("p m"),
    O3=frame("c p"),
    R=symmetric("d"),
    G=matrix("c d"),
    sizes=SIZES,
    broken={"layers rescaled by 1.5, 1, 1/1.5": dict(halves=3)},
)
def end_to_end_flow(O1, O2, O3, R, G, *, halves=2):
    r"""Three balanced layers: $W' = -\sum_{j=1}^L (WW^\top)^{(L-j)/L} G (W^\top W)^{(j-1)/L}$ for any
    loss with gradient G in W.
    """
    return end_to_end((O1, O2, O3), R, G, halves)


@identity(
    "linear_nets S4.5d",
    **FRAMES,
    G=matrix("c d"),
    sizes=SIZES,
    broken={"layers rescaled by 1.5, 1, 1, 1/1.5": dict(halves=3)},
)
def end_to_end_flow_of_four(O1, O2, O3, O4, R, G, *, halves=2):
    """The same for four layers."""
    return end_to_end((O1, O2, O3, O4), R, G, halves)


LAYERS = dict(W1=matrix("m d"), W2=matrix("p m"), W3=matrix("c p"), G=matrix("c d"))


@identity("linear_nets S7.1a", **LAYERS, broken={"the sum of both": dict(sign=-1)})
def imbalances_are_conserved(W1, W2, W3, G, *, sign=1):
    r"""Flow of any loss of $W_3W_2W_1$ conserves $W_{j+1}^\top W_{j+1} - W_jW_j^\top$ of both pairs."""
    layers = (W1, W2, W3)
    moving = along(layers, [-g for g in deep_formulas.chain(layers, G)])
    pairs = pairwise(moving)
    rates = [((mT(upper) @ upper).first, (lower @ mT(lower)).first) for lower, upper in pairs]
    return tuple(rate for rate, _ in rates), tuple(sign * rate for _, rate in rates)
