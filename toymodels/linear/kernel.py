"""The tangent kernel of two linear layers from their Gram matrices C1 = W1ᵀW1 and C2 = W2W2ᵀ."""

from __future__ import annotations

from toymodels.arithmetic import Array, frobenius, identity_like, mT, polynomial, trace
from toymodels.linear.formulas import kron


@polynomial("(d,d),(c,c),(n,d)->(K,K)")
def gram_ntk(C1: Array, C2: Array, X: Array) -> Array:
    """Tangent kernel XXᵀ ⊗ C2 + X C1 Xᵀ ⊗ I, sample-major. Source: linear_nets 5.7."""
    return kron(X @ mT(X), C2) + kron(X @ C1 @ mT(X), identity_like(C2))


@polynomial("(d,d),(c,c),(d,d),(c,c)->()", words=True)
def kernel_inner_product(C1: Array, C2: Array, D1: Array, D2: Array) -> Array:
    """Inner product of two kernels on whitened inputs. Source: linear_nets 5.7."""
    d, c = C1.shape[-1], C2.shape[-1]
    crossed = trace(C2) * trace(D1) + trace(C1) * trace(D2)
    return d * frobenius(C2, D2) + crossed + c * frobenius(C1, D1)


def kernel_distance(C1: Array, C2: Array, D1: Array, D2: Array) -> Array:
    """Return 1 - <K, K'>/(|K| |K'|) of two states on whitened inputs, in [0, 1].

    Parameters
    ----------
    C1, C2 : arrays (..., d, d), (..., c, c)
        W1ᵀW1 and W2W2ᵀ of one state.
    D1, D2 : the same of the other.

    Notes
    -----
    Source: linear_nets 5.7. It is |k - k'|²/2 for the kernels k, k' over their
    norms, so it keeps its digits where they nearly agree.

    Examples
    --------
    >>> import numpy as np
    >>> print(kernel_distance(np.zeros((1, 1)), np.eye(2), np.zeros((1, 1)), np.diag([1.0, 0.0])).round(12))
    0.292893218813
    """
    first, second = (kernel_inner_product(A, B, A, B) ** 0.5 for A, B in ((C1, C2), (D1, D2)))
    lead = (..., None, None)
    E1 = C1 / first[lead] - D1 / second[lead]
    E2 = C2 / first[lead] - D2 / second[lead]
    return kernel_inner_product(E1, E2, E1, E2) / 2
