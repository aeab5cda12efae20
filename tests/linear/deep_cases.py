"""Random deep linear problems, and balanced aligned starts of all shapes."""

import numpy as np
from hypothesis import strategies as st

from toymodels.linear import DeepLinear

EPS = np.finfo(float).eps

sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def deep_problems(draw, runs=False):
    """A problem and a theta, depth 2 to 5, all sizes from 1 to 4, vector targets and weights included."""
    n, d, c = (draw(sizes) for _ in range(3))
    widths = tuple(draw(st.lists(sizes, min_size=1, max_size=4)))
    rng = np.random.default_rng(draw(seeds))
    X = rng.standard_normal((n, d))
    Y = rng.standard_normal(n if draw(st.booleans()) else (n, c))
    weights = rng.random(n) if draw(st.booleans()) else None
    problem = DeepLinear(X, Y, widths=widths, weights=weights)
    return problem, problem.init(runs=3 if runs else None, rng=rng)


def magnitude(problem):
    """The same problem with every term of every sum positive: its answers bound the terms added."""
    widths = problem.sizes[1:-1]
    return DeepLinear(
        np.abs(problem.inputs), -np.abs(problem.targets), widths=widths, weights=problem.weights
    )


def assert_close(problem, actual, desired, bound):
    """Assert equality up to the rounding of terms of size `bound`."""
    assert np.shape(actual) == np.shape(desired)
    rounding = 16 * EPS * (problem.n + sum(problem.sizes))
    assert (np.abs(np.asarray(actual) - desired) <= rounding * np.max(bound, initial=0.0)).all()


def haar(rng, k):
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((k, k)))[0]


def aligned_problem(sizes, rng, start=(0.05, 0.5)):
    """A problem whose target and inputs share singular vectors with a balanced start, and that start.

    Returns the problem, theta, and the modes' initial products, targets and input variances.
    """
    d, *widths, c = sizes
    U, V, k = haar(rng, c), haar(rng, d), min(sizes)
    variance, s = rng.uniform(0.5, 2, d), rng.uniform(0.5, 2, min(c, d))
    X = np.sqrt(variance)[:, None] * V.T
    Y = (U[:, : len(s)] * (s / np.sqrt(variance[: len(s)])) @ np.eye(len(s), d)).T
    problem = DeepLinear(X, Y, widths=widths, weights=np.ones(d))
    u0 = rng.uniform(*start, k)
    W = (U[:, :k] * u0) @ V[:, :k].T
    theta = problem.balanced(W, [haar(rng, m) for m in widths])
    return problem, theta, u0, s[:k], variance[:k]
