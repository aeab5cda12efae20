"""Number systems and elementary functions; this room knows nothing of networks."""

from toymodels.arithmetic.arrays import Array, concatenate, dot, frobenius, identity_like, mT, outer, trace
from toymodels.arithmetic.formula import Declaration, analytic, polynomial, rational
from toymodels.arithmetic.gates import Undecided, gates

__all__ = ["Array", "Declaration", "Undecided", "analytic", "concatenate", "dot", "frobenius", "gates",
           "identity_like", "mT", "outer", "polynomial", "rational", "trace"]  # fmt: skip
