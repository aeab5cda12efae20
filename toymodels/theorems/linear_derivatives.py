"""Derivatives of two-layer linear nets: statistics, Hessian, tangent kernel.

Well-known facts, stated for the loss |X W1ᵀW2ᵀ - Y|²/(2n).
"""

from toymodels.arithmetic import concatenate, frobenius, identity_like, mT, trace
from toymodels.arithmetic.jets import derivative
from toymodels.claims import identity
from toymodels.linear import formulas
from toymodels.spaces import matrix, symmetric

FAMILY = "linear"

WEIGHTS = dict(W1=matrix("m d"), W2=matrix("c m"))
DIRECTIONS = dict(D1=matrix("m d"), D2=matrix("c m"))
DATA = dict(X=matrix("n d"), Y=matrix("n c"))
STATISTICS = dict(Sxx=symmetric("d"), Syx=matrix("c d"))
WELL_KNOWN = "own (well known)"


def _scaled_statistics(X, Y, power):
    """Sxx, Syx, tyy, with Syx multiplied by n**power."""
    Sxx, Syx, tyy = formulas.statistics(X, Y)
    return Sxx, Syx * X.shape[-2] ** power, tyy


@identity(
    "linear_nets S2.1a", **WEIGHTS, **DATA, source=WELL_KNOWN, broken={"Syx without 1/n": dict(power=1)}
)
def loss_from_statistics(W1, W2, X, Y, *, power=0):
    """The mean square loss depends on the data only through Sxx, Syx and tyy."""
    return formulas.loss_from_statistics(W1, W2, *_scaled_statistics(X, Y, power)), formulas.loss(
        W1, W2, X, Y
    )


@identity(
    "linear_nets S2.1b",
    **WEIGHTS,
    **DIRECTIONS,
    **DATA,
    source=WELL_KNOWN,
    broken={"Syx without 1/n": dict(power=1)},
)
def gradient_is_derivative(W1, W2, D1, D2, X, Y, *, power=0):
    r"""The gradient of the sample loss is $(W_2^\top G, G W_1^\top)$ with $G = W S_{xx} - S_{yx}$."""
    Sxx, Syx, _ = _scaled_statistics(X, Y, power)
    g1, g2 = formulas.gradient(W1, W2, Sxx, Syx)
    slope = derivative(lambda A, B: formulas.loss(A, B, X, Y), (W1, W2), (D1, D2))
    return slope, frobenius(g1, D1) + frobenius(g2, D2)


@identity(
    "linear_nets S2.2a",
    **WEIGHTS,
    **DIRECTIONS,
    **STATISTICS,
    source=WELL_KNOWN,
    broken={"residual part with the wrong sign": dict(sign=-1)},
)
def hessian_vector_product(W1, W2, D1, D2, Sxx, Syx, *, sign=1):
    """The Hessian along (D1, D2) is its Gauss-Newton part plus (D2ᵀG, G D1ᵀ)."""
    first, second = formulas.gauss_newton_hvp(W1, W2, D1, D2, Sxx)
    third, fourth = formulas.residual_hvp(D1, D2, formulas.residual(W1, W2, Sxx, Syx))
    along = derivative(lambda A, B: formulas.gradient(A, B, Sxx, Syx)[0], (W1, W2), (D1, D2))
    across = derivative(lambda A, B: formulas.gradient(A, B, Sxx, Syx)[1], (W1, W2), (D1, D2))
    return (along, across), (first + sign * third, second + sign * fourth)


def _hessian(W1, W2, Sxx, Syx, sign):
    G = formulas.residual(W1, W2, Sxx, Syx)
    return formulas.gauss_newton(W1, W2, Sxx) + sign * formulas.residual_hessian(W1, G)


@identity(
    "linear_nets S2.2b",
    **WEIGHTS,
    **DIRECTIONS,
    **STATISTICS,
    sizes=dict(m=(1, 4), d=(1, 4), c=(1, 4)),
    source=WELL_KNOWN,
    broken={"sign of G flipped in H12": dict(sign=-1)},
)
def hessian_blocks(W1, W2, D1, D2, Sxx, Syx, *, sign=1):
    r"""The blocks $W_2^\top W_2 \otimes S_{xx}$, $I_c \otimes W_1 S_{xx} W_1^\top$ and H12 are the Hessian
    in theta.
    """
    p = W1.shape[-2] * (W1.shape[-1] + W2.shape[-2])
    first, second = formulas.hvp(W1, W2, D1, D2, Sxx, Syx)
    moved = _hessian(W1, W2, Sxx, Syx, sign) @ _column(D1, D2, p)
    return moved, _column(first, second, p)


def _column(first, second, p):
    return concatenate([first.reshape(-1), second.reshape(-1)], 0).reshape(p, 1)


@identity(
    "linear_nets 2.3",
    **WEIGHTS,
    **STATISTICS,
    sizes=dict(m=(1, 4), d=(1, 4), c=(1, 4)),
    source=WELL_KNOWN,
    broken={"factor c lost": dict(lose_outputs=1)},
)
def hessian_trace(W1, W2, Sxx, Syx, *, lose_outputs=0):
    r"""$\mathrm{tr} H = |W_2|_F^2 \mathrm{tr} S_{xx} + c\, \mathrm{tr}(W_1 S_{xx} W_1^\top)$ at every
    point.
    """
    extra = lose_outputs * frobenius(W1 @ Sxx, W1)
    return trace(formulas.hessian(W1, W2, Sxx, Syx)), formulas.hessian_trace(W1, W2, Sxx) + extra


@identity(
    "linear_nets S2.3a",
    **DIRECTIONS,
    G=matrix("c d"),
    source="own",
    broken={"the residual part is semidefinite: it commutes with the sign": dict(sign=1)},
)
def residual_part_is_odd(D1, D2, G, *, sign=-1):
    """Flipping the sign of one layer's direction flips the residual part: its eigenvalues come in pairs ±."""
    first, second = formulas.residual_hvp(D1, D2, G)
    flipped, kept = formulas.residual_hvp(D1, -D2, G)
    return (flipped, -kept), (sign * first, sign * second)


@identity(
    "linear_nets S2.3b",
    **DIRECTIONS,
    G=matrix("c d"),
    source="own",
    broken={"eigenvalues sigma²/2": dict(double=2)},
)
def residual_part_squared(D1, D2, G, *, double=1):
    r"""The residual part squared is $(D_1, D_2) \mapsto (D_1 G^\top G, G G^\top D_2)$: eigenvalues
    $\sigma_k(G)^2$, each 2m times.
    """
    twice = formulas.residual_hvp(*formulas.residual_hvp(D1, D2, G), G)
    return tuple(double * part for part in twice), (D1 @ mT(G) @ G, G @ mT(G) @ D2)


@identity(
    "linear_nets S2.3c",
    **WEIGHTS,
    X=matrix("n d"),
    Y=matrix("n c"),
    source=WELL_KNOWN,
    sizes=dict(n=(1, 3), m=(1, 3), d=(1, 3), c=(1, 3)),
    broken={"H = JᵀJ/n at any point": dict(keep=0)},
)
def hessian_minus_gauss_newton(W1, W2, X, Y, *, keep=1):
    """H is JᵀJ/n plus the residual part, so H = JᵀJ/n iff G = 0."""
    Sxx, Syx, _ = formulas.statistics(X, Y)
    G = formulas.residual(W1, W2, Sxx, Syx)
    J = formulas.jacobian(W1, W2, X)
    return formulas.hessian(W1, W2, Sxx, Syx), mT(J) @ J / X.shape[-2] + keep * formulas.residual_hessian(
        W1, G
    )


@identity(
    "linear_nets S2.4",
    **WEIGHTS,
    X=matrix("n d"),
    sizes=dict(n=(1, 4), m=(1, 4), d=(1, 4), c=(1, 3)),
    source=WELL_KNOWN,
    broken={"the W1 term dropped": dict(hidden=0)},
)
def tangent_kernel(W1, W2, X, *, hidden=1):
    r"""$J J^\top = X X^\top \otimes W_2 W_2^\top + X W_1^\top W_1 X^\top \otimes I_c$."""
    J = formulas.jacobian(W1, W2, X)
    Z = X @ mT(W1)
    output_layer = formulas.kron(X @ mT(X), W2 @ mT(W2))
    return J @ mT(J), output_layer + hidden * formulas.kron(Z @ mT(Z), identity_like(mT(W2)))


@identity(
    "linear_nets 2.5",
    **WEIGHTS,
    **DIRECTIONS,
    X=matrix("n d"),
    V=matrix("n c"),
    source=WELL_KNOWN,
    broken={"second layer's part doubled": dict(twice=2)},
)
def jacobian_transposed(W1, W2, D1, D2, X, V, *, twice=1):
    """The hand-derived vector-Jacobian product is the adjoint of the outputs' derivative."""
    moved = derivative(lambda A, B: formulas.outputs(A, B, X), (W1, W2), (D1, D2))
    g1, g2 = formulas.vjp(W1, W2, X, V)
    return frobenius(moved, V), frobenius(g1, D1) + twice * frobenius(g2, D2)
