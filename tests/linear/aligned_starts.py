"""Aligned problems and starts of every kind, in random frames."""

import numpy as np

from toymodels.linear import TwoLayerLinear

KINDS = ("generic", "equal targets", "no target", "no input layer", "no output layer", "origin", "tiny",
         "all modes equal", "many sizes", "disjoint", "blind inputs", "small and ordered")  # fmt: skip


def frame(rng, n):
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def rectangle(rows, columns, diagonal):
    """The numbers on the diagonal of a matrix of zeros."""
    out = np.zeros((rows, columns))
    k = np.arange(min(rows, columns))
    out[k, k] = diagonal[: len(k)]
    return out


def sizes(kind, rng):
    """a, b, s, l of five modes."""
    a, b, s = rng.standard_normal((3, 5))
    l = rng.uniform(0.5, 2, 5)
    if kind == "equal targets":
        s[:] = 1
    elif kind == "no target":
        s[:] = 0
    elif kind == "no input layer":
        a[:] = 0
    elif kind == "no output layer":
        b[:] = 0
    elif kind == "origin":
        a[:], b[:] = 0, 0
    elif kind == "all modes equal":
        a[:], b[:], s[:], l[:] = 0.3, 0.3, 1, 1
    elif kind == "many sizes":
        s[:], l[:], a = 1, 1, 10.0 ** -np.arange(0, 15, 3)
        b = a[::-1].copy()
    elif kind == "disjoint":
        s[1:], a[:2] = 0, 0
    elif kind == "tiny":
        l[:], s[:], a, b[::2] = 1, 2, 1e-9 * a, 0
    elif kind == "blind inputs":
        l[2:], s[2:] = 0, 0
    elif kind == "small and ordered":
        a, b, s = 1e-2 * a, 1e-2 * b, np.array([2, 1.4, 1, 0.7, 0.4])
    return a, b, s, l


def aligned(kind, m, c, d, rng, plain=False):
    """Return W1, W2, Sxx, Syx; with `plain` the frames are identities."""
    O, U, V = (np.eye(n) if plain else frame(rng, n) for n in (m, c, d))
    a, b, s, l = sizes(kind, rng)
    Sxx = (V * l[:d]) @ V.T
    return (
        O @ rectangle(m, d, a) @ V.T,
        U @ rectangle(c, m, b) @ O.T,
        (Sxx + Sxx.T) / 2,
        U @ rectangle(c, d, s) @ V.T,
    )


def problem_and_start(kind, m, c, d, rng, plain=False):
    """Return a problem with these statistics and theta."""
    W1, W2, Sxx, Syx = aligned(kind, m, c, d, rng, plain)
    problem = TwoLayerLinear.from_statistics(Sxx, Syx, 1e3, width=m)
    return problem, problem.pack(W1, W2)
