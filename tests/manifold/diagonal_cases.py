"""Random diagonal networks, and the rounding that each answer is allowed."""

import numpy as np
from hypothesis import strategies as st

from toymodels import DiagonalLinear

EPS = np.finfo(float).eps

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def diagonal_problems(draw, runs=False):
    """A problem of any form, depth and size, and a theta."""
    n, d = draw(sizes), draw(sizes)
    form, depth = draw(st.sampled_from(["product", "difference"])), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(seeds))
    X = rng.standard_normal((n, d)) * 10.0 ** draw(st.integers(-2, 2))
    weights = rng.random(n) if draw(st.booleans()) else None
    problem = DiagonalLinear(X, rng.standard_normal(n), form=form, depth=depth, weights=weights)
    return problem, problem.init(scale=10.0 ** draw(st.integers(-1, 1)), runs=3 if runs else None, rng=rng)


def sizes_of_terms(problem, theta):
    """Bounds on the terms that each answer adds up, from the largest entries."""
    D, d, n = problem.depth, problem.dimension, problem.n
    x, y, w = (np.max(np.abs(a)) for a in (problem.inputs, problem.targets, theta))
    beta, slope, bend = 2 * w**D, D * w ** (D - 1), D**2 * w ** (D - 2)
    total, residual = problem.weights.sum(), d * x * beta + y
    pull = x * total * residual
    return {
        "outputs": d * x * beta,
        "loss": total * residual**2,
        "gradient": slope * pull,
        "hessian": slope**2 * x**2 * total + bend * pull,
        "jacobian": slope * x,
        "ntk": d * len(problem.blocks) * slope**2 * x**2,
        "beta": beta,
        "rounding": 16 * EPS * (n + d + D),
    }


def interpolating(seed, n, d):
    """Gaussian rows, d > n, and targets that a random beta makes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ rng.standard_normal(d)
