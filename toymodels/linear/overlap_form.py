"""The balanced square solution in terms of overlaps of singular vectors, after Braun et al. 2022.

lam = 0, d = c, W(0) = U0 diag(s0) V0ᵀ with s0 > 0, target U diag(s) Vᵀ,
E = diag(e^{-s t}), B = U0ᵀU + V0ᵀV invertible, C = U0ᵀU - V0ᵀV:
M = Z K^{-1} Zᵀ. It is an oracle; `riccati.Propagator` needs no invertible B.
"""

from __future__ import annotations

from toymodels.arithmetic import Array, mT, polynomial


@polynomial("(n,n),(n,n),(n,n),(n,n)->(n,n),(n,n)", words=True)
def overlaps(U0: Array, V0: Array, U: Array, V: Array) -> tuple[Array, Array]:
    """Overlaps B = U0ᵀU + V0ᵀV and C = U0ᵀU - V0ᵀV. Source: after Braun et al. 2022; linear_nets 5.6."""
    return mT(U0) @ U + mT(V0) @ V, mT(U0) @ U - mT(V0) @ V


@polynomial("(n,n),(n,n),(n,n),(n,n),(n,n)->(n,n),(n,n)", words=True)
def columns(U: Array, V: Array, E: Array, C: Array, B_inverse: Array) -> tuple[Array, Array]:
    """Blocks V(I - A), U(I + A) of Z with A = E CᵀB⁻ᵀ E. Source: after Braun et al. 2022; linear_nets 5.6."""
    A = E @ mT(C) @ mT(B_inverse) @ E
    return V - V @ A, U + U @ A


@polynomial("(n,n),(n,n),(n,n),(n,n),(n,n)->(n,n)", words=True)
def middle(E: Array, rise: Array, C: Array, B_inverse: Array, s0_inverse: Array) -> Array:
    """K with rise = (I - E²) diag(1/s). Source: after Braun et al. 2022; linear_nets 5.6."""
    A = E @ B_inverse
    return 4 * A @ s0_inverse @ mT(A) + rise + A @ C @ rise @ mT(C) @ mT(A)
