"""Closed forms for the Hessian of two whitened linear layers whose modes are aligned.

On an aligned path ``W1 = O diag(a) Vᵀ``, ``W2 = U diag(b) Oᵀ`` the target
S = U diag(s) Vᵀ shares its singular vectors with the weights, m = c = d, and
the Hessian splits into blocks of size 2 (one per mode) and 4 (one per pair).
"""

from __future__ import annotations

import numpy as np

from toymodels.arithmetic import Array, analytic, concatenate, polynomial
from toymodels.arithmetic.elementary import hypot, sqrt


def _matrix(entries: list[list[Array]], zero: Array) -> Array:
    """Stack entries into matrices; `zero` stretches them to one shape."""
    rows = [concatenate([(entry + zero)[..., None] for entry in row], -1) for row in entries]
    return concatenate([row[..., None, :] for row in rows], -2)


@polynomial("(m),(m),(m)->(m,2,2)")
def mode_blocks(a: Array, b: Array, s: Array) -> Array:
    """Blocks of the modes, in the directions of a_i and b_i. Source: linear_nets 2.9."""
    coupling = 2 * a * b - s
    return _matrix([[b * b, coupling], [coupling, a * a]], 0 * coupling)


@polynomial("(m),(m),(m)->(m,m,4,4)")
def pair_blocks(a: Array, b: Array, s: Array) -> Array:
    """Blocks of the pairs i, j in the basis (x_ij, y_ij, x_ji, y_ji).

    x_ij is the coefficient of o_i v_jᵀ in W1, y_ij that of u_i o_jᵀ in W2. Source: linear_nets 2.9.
    """
    gap = a * b - s
    ai, bi, gi = a[..., :, None], b[..., :, None], gap[..., :, None]
    aj, bj, gj = a[..., None, :], b[..., None, :], gap[..., None, :]
    zero = 0 * (gi * gj)
    return _matrix(
        [
            [bi * bi, bi * aj, zero, gj],
            [bi * aj, aj * aj, gi, zero],
            [zero, gi, bj * bj, bj * ai],
            [gj, zero, bj * ai, ai * ai],
        ],
        zero,
    )


@analytic("(m),(m)->(q)", positive="u")
def balanced_spectrum(u: Array, s: Array) -> Array:
    """All 2m² eigenvalues where a = b = sqrt(u): the modes, then the pairs. Source: linear_nets 2.9."""
    i, j = np.triu_indices(u.shape[-1], 1)
    ui, uj = u[..., i], u[..., j]
    parts = [3 * u - s, s - u]
    for sign in (1, -1):
        A, B = ui + sign * (uj - s[..., j]), uj + sign * (ui - s[..., i])
        spread = sqrt((A - B) * (A - B) / 4 + ui * uj)
        parts += [(A + B) / 2 + spread, (A + B) / 2 - spread]
    return concatenate(parts, -1)


@analytic("(),(),()->()")
def mode_sharpness(a: Array, b: Array, s: Array) -> Array:
    """Largest Hessian eigenvalue of the scalar mode (s - a b)²/2. Source: linear_nets 2.9."""
    half, coupling = (a * a - b * b) / 2, 2 * a * b - s
    return (a * a + b * b) / 2 + hypot(half, coupling)


@analytic("(),()->()")
def interpolating_sharpness(s: Array, lam: Array) -> Array:
    """Sharpness of every lam-balanced minimum, s the largest singular value; lam = 0 is flattest.

    Source: linear_nets 2.7.
    """
    return hypot(2 * s, lam)
