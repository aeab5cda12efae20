"""Random two-layer linear problems, and the rounding that each answer is allowed."""

import numpy as np
from hypothesis import strategies as st

from toymodels import TwoLayerLinear

EPS = np.finfo(float).eps

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def problems(draw, runs=False):
    """A problem and a theta, every dimension from 1 to 5, vector targets and weights included."""
    n, d, m, c = (draw(sizes) for _ in range(4))
    rng = np.random.default_rng(draw(seeds))
    vector = draw(st.booleans())
    X = rng.standard_normal((n, d)) * 10.0 ** draw(st.integers(-3, 3))
    Y = rng.standard_normal(n if vector else (n, c)) * 10.0 ** draw(st.integers(-3, 3))
    weights = rng.random(n) if draw(st.booleans()) else None
    problem = TwoLayerLinear(X, Y, width=m, weights=weights)
    return problem, problem.init(scale=10.0 ** draw(st.integers(-2, 2)), runs=3 if runs else None, rng=rng)


def magnitude(problem):
    """The same problem with every term of every sum positive: its answers bound the terms that are added."""
    return TwoLayerLinear(
        np.abs(problem.inputs), -np.abs(problem.targets), width=problem.width, weights=problem.weights
    )


def rounding(problem):
    """Rounding allowed per unit of `magnitude`: a few ulps per operation on the longest path."""
    return 8 * EPS * (problem.n + sum(problem.blocks["W1"]) + sum(problem.blocks["W2"]))


def assert_close(problem, actual, desired, bound):
    """Assert equality up to the rounding of terms of size `bound`."""
    assert np.shape(actual) == np.shape(desired)
    error = np.abs(np.asarray(actual) - desired)
    assert (error <= rounding(problem) * np.max(bound, initial=0.0)).all()
