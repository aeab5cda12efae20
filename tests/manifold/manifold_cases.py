"""Random conformal quadratic models, and the rounding that their answers are allowed."""

import numpy as np
from hypothesis import strategies as st

from toymodels import MinimaManifold
from toymodels.arithmetic.rationals import draw as rationals
from toymodels.manifold import formulas
from toymodels.manifold.clifford import generators

EPS = np.finfo(float).eps

inputs = st.integers(1, 5)
samples = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def problems(draw, runs=False):
    """A problem with a teacher and a theta, of any number of inputs and samples from 1 on."""
    d, n = draw(inputs), draw(samples)
    rng = np.random.default_rng(draw(seeds))
    root = rng.standard_normal((d, d))
    problem = MinimaManifold(
        rng.standard_normal((n, d)) * 10.0 ** draw(st.integers(-1, 1)),
        rng.standard_normal(n),
        teacher=rng.standard_normal(d),
        covariance=root @ root.T,
    )
    scale = 10.0 ** draw(st.integers(-2, 1))
    return problem, problem.init(scale=scale, runs=3 if runs else None, rng=rng)


def size_of(problem, name, theta, *rest):
    """The formula on absolute values: what the answer adds up."""
    theta, Q, X, y = (np.abs(x) for x in (theta, problem.Q, problem.inputs, problem.targets))
    targets = [-y] if name in ("gradient", "hessian", "hvp", "loss") else []
    return getattr(formulas, name)(theta, Q, X, *targets, *map(np.abs, rest))


def rounding(problem):
    """Rounding allowed per unit of size: a few ulps per operation on the longest path."""
    return 16 * EPS * (problem.n + problem.size + len(problem.Q))


def exact(seed, *shapes):
    """Independent uniform integers, as object arrays of rationals."""
    rng = np.random.default_rng(seed)
    return [rationals(rng, shape, -(2**20), 2**20) for shape in shapes]


def exact_model(seed, d, n):
    """Rational theta, Q, X, y and a direction v."""
    Q = generators(d)
    N = Q.shape[-1]
    theta, X, y, v = exact(seed, (N,), (n, d), (n,), (N,))
    return theta, Q, X, y, v
