"""The sharpness at the end of the gradient flow falls along gradient descent, after Kreisler et al. 2023
(depth two).
"""

from fractions import Fraction

from toymodels.arithmetic.elementary import sqrt
from toymodels.claims import Paper, bound, counterexample
from toymodels.linear import formulas
from toymodels.linear.spectra import interpolating_sharpness
from toymodels.spaces import between, real

FAMILY = "linear"
PAPER = Paper("after Kreisler, Nacson, Soudry, Carmon 2023; depth two is our own", arxiv="2305.13064")


@bound(
    "linear_nets S8.3a", a=real, b=real, s=real, kick=between(-1, 1), broken={"for every step": dict(reach=2)}
)
def flow_sharpness_decreases(a, b, s, kick, *, reach=1):
    r"""The GFS sharpness $\sqrt{\delta^2 + 4s^2}$ does not increase in a step with $\eta |r| \le \sqrt 2$."""
    # eta r = kick * sqrt(2); the step depends on eta and r through this product alone
    turn = reach * kick * sqrt(0 * kick + 2)
    a1, b1 = a + turn * b, b + turn * a
    return interpolating_sharpness(s, a1 * a1 - b1 * b1), interpolating_sharpness(s, a * a - b * b)


@counterexample("linear_nets S8.3b", broken={"within reach": dict(lr=Fraction(2, 5))})
def flow_sharpness_can_increase(*, lr=Fraction(3, 5)):
    r""" "The GFS sharpness never increases" is false: a = 2, b = -1, s = 1, $\eta = 0.6$ ($\eta|r| = 1.8$).
    """
    a, b, s = Fraction(2), Fraction(-1), Fraction(1)
    a1, b1 = formulas.mode_step(a, b, s, lr)
    squared = lambda x, y: (x * x - y * y) ** 2 + 4 * s * s
    return squared(a1, b1), squared(a, b)
