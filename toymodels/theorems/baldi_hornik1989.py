"""Critical values of two-layer linear nets, after Baldi and Hornik 1989."""

from toymodels.arithmetic import frobenius, mT
from toymodels.claims import Paper, identity
from toymodels.linear import formulas
from toymodels.linear.cases import critical_point

FAMILY = "linear"
PAPER = Paper("after Baldi, Hornik 1989")


@identity(
    "linear_nets S2.9",
    point=critical_point(whitened=False),
    sizes=dict(m=(1, 4), d=(1, 4), c=(1, 4)),
    broken={"s from Syx": dict(whiten=0)},
)
def critical_values(point, *, whiten=1):
    r"""The loss at the critical point of a subset I is $(t_{yy} - \sum_{i \in I} s_i^2)/2$, $s_i$ the
    singular values of $S_{yx} S_{xx}^{-1/2}$.
    """
    target = point.Syx @ point.R_inverse if whiten else point.Syx
    strengths = [(mT(point.U[:, [k]]) @ target @ point.V[:, [k]]).sum() for k in point.learned]
    tyy = 1 + frobenius(point.Syx, point.Syx)
    value = (tyy - sum(s * s for s in strengths)) / 2
    return formulas.loss_from_statistics(point.W1, point.W2, point.Sxx, point.Syx, tyy), value
