"""How many activation patterns one neuron can have, and how many regions many neurons make.

After Schlaefli 1852, Cover 1965, Whitney 1932 and Zaslavsky 1975.
"""

from itertools import combinations, product

import numpy as np

from toymodels.arithmetic.measured import Measured
from toymodels.claims import identity
from toymodels.relu import activation_patterns, cover_count, whitney_count, zaslavsky_count
from toymodels.spaces import integer

FAMILY = "relu"

COVER = "after Schlaefli 1852; Cover 1965"
CLASSICAL = "own (classical)"
SEED = integer(0, 10**9)


def generic(seed, n, d):
    """Integer rows (n, d); dependent ones have a probability below 1e-5."""
    return np.random.default_rng(seed).integers(-(2**20), 2**20, (n, d)).astype(float)


def lattice(seed, n, d):
    """Small integer rows (n, d): duplicates, parallel and coplanar ones are common, none is zero."""
    X = np.random.default_rng(seed).integers(-1, 2, (n, d)).astype(float)
    X[~X.any(1), 0] = 1.0
    return X


def count(x):
    """An integer computed without rounding."""
    return Measured(float(x))


COPLANAR = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [2.0, 0.0, 0.0]]


@identity(
    "neuron_partition B1a",
    seed=SEED,
    n=integer(1, 7),
    d=integer(1, 4),
    cost="trajectory",
    source=COVER,
    broken={"d for d - 1 in the sum": dict(more=1, n=integer(5, 7))},
)
def cells_in_general_position(seed, n, d, *, more=0):
    r"""n samples in general position give one neuron $2\sum_{k=0}^{d-1} \binom{n-1}{k}$ patterns: all cells,
    enumerated.
    """
    return count(len(activation_patterns(generic(seed, n, d)))), count(cover_count(n, d + more))


@identity(
    "neuron_partition B1b",
    seed=SEED,
    n=integer(1, 6),
    d=integer(1, 4),
    cost="trajectory",
    source="after Whitney 1932; Zaslavsky 1975",
    broken={"the count in general position": dict(generic_count=1)},
)
def cells_of_any_data(seed, n, d, *, generic_count=0):
    r"""Any samples without zero rows give $\sum_{B \subseteq [n]} (-1)^{|B| - \mathrm{rank} X_B}$ patterns;
    (1,0,0), (0,1,0), (1,1,0), (0,0,1), (2,0,0) give 12, not the 22 of general position.
    """
    found = []
    for X in (lattice(seed, n, d), np.array(COPLANAR)):
        subsets = [X[list(B)] for size in range(len(X) + 1) for B in combinations(range(len(X)), size)]
        ranks = [np.linalg.matrix_rank(rows) if len(rows) else 0 for rows in subsets]
        total = sum((-1) ** int(len(rows) - rank) for rows, rank in zip(subsets, ranks, strict=True))
        right = cover_count(*X.shape) if generic_count else total
        found.append(((len(activation_patterns(X)), whitney_count(X)), (right, right)))
    left, right = zip(*found, strict=True)
    return tuple(map(count, sum(left, ()))), tuple(map(count, sum(right, ())))


@identity(
    "neuron_partition B1c",
    seed=SEED,
    n=integer(1, 7),
    d=integer(1, 3),
    cost="trajectory",
    source=COVER,
    broken={"the bias not counted": dict(bias=0, n=integer(5, 7))},
)
def cells_with_bias(seed, n, d, *, bias=1):
    """With a bias, d + 1 takes the place of d."""
    X = np.hstack([generic(seed, n, d), np.full((n, 1), 2.0**19)])
    return count(len(activation_patterns(X))), count(cover_count(n, d + bias))


@identity(
    "neuron_partition B1d",
    seed=SEED,
    m=integer(1, 6),
    d=integer(1, 3),
    cost="trajectory",
    source="after Zaslavsky 1975",
    broken={"all regions pass through one point": dict(bias=False, m=integer(4, 6))},
)
def regions_of_the_input_space(seed, m, d, *, bias=True):
    r"""m neurons with bias in general position cut the input space into $\sum_{k \le d} \binom{m}{k}$
    regions: the cells of the rows $(w_k, b_k)$ on the side where the constant coordinate is positive.
    """
    rows = np.vstack([generic(seed, m, d + 1), np.eye(d + 1)[-1]])
    regions = activation_patterns(rows)[:, -1].sum()
    return count(regions), count(zaslavsky_count(m, d, bias=bias))


def as_set(patterns):
    """Patterns as a set of tuples."""
    return {tuple(map(int, pattern)) for pattern in patterns}


def by_rays(X, choices):
    """Patterns 1[±X v > 0], v normal to d - 1 rows, whose own entries take all `choices`."""
    n, d = X.shape
    found = set()
    for B in combinations(range(n), d - 1):
        v = np.linalg.svd(X[list(B)])[2][-1] if B else np.ones(d)
        for sign in (1, -1):
            for own in product(choices, repeat=d - 1):
                pattern = (sign * (X @ v) > 0).astype(int)
                pattern[list(B)] = own
                found.add(tuple(map(int, pattern)))
    return found


@identity(
    "neuron_partition B2a",
    seed=SEED,
    more=integer(0, 4),
    d=integer(1, 3),
    cost="trajectory",
    source=CLASSICAL,
    broken={"the samples that fix the ray stay dead": dict(choices=(0,), d=integer(2, 3))},
)
def enumeration_by_rays(seed, more, d, *, choices=(0, 1)):
    """For n >= d samples in general position the rays normal to d - 1 samples, with those samples' own gates
    free, give exactly the enumerated cells.
    """
    X = generic(seed, d + more, d)
    return count(len(by_rays(X, choices) ^ as_set(activation_patterns(X)))), count(0)


@identity(
    "neuron_partition B2b",
    seed=SEED,
    n=integer(1, 6),
    cost="trajectory",
    source=CLASSICAL,
    broken={"boundaries only where phi_i + pi/2": dict(turns=(1,), n=integer(3, 6))},
)
def enumeration_in_the_plane(seed, n, *, turns=(1, -1)):
    r"""In the plane the 2n boundary angles $\phi_i \pm \pi/2$, sorted, have one cell between any two
    neighbours.
    """
    X = generic(seed, n, 2)
    phi = np.arctan2(X[:, 1], X[:, 0])
    edges = np.sort(np.concatenate([phi + turn * np.pi / 2 for turn in turns]) % (2 * np.pi))
    middle = edges + np.diff(edges, append=edges[0] + 2 * np.pi) / 2
    between_them = np.stack([np.cos(middle), np.sin(middle)], axis=-1) @ X.T > 0
    return count(len(as_set(between_them) ^ as_set(activation_patterns(X)))), count(0)


@identity(
    "neuron_partition B2c",
    seed=SEED,
    n=integer(1, 6),
    d=integer(1, 4),
    cost="trajectory",
    source=CLASSICAL,
    broken={"one cell left out": dict(skipped=1)},
)
def no_neuron_falls_outside(seed, n, d, *, skipped=0):
    """No random neuron has a pattern that the enumeration lacks, on degenerate data either."""
    neurons = np.random.default_rng(seed).standard_normal((400, d))
    missing = 0
    for X in (generic(seed, n, d), lattice(seed, n, d)):
        missing += len(as_set(neurons @ X.T > 0) - as_set(activation_patterns(X)[skipped:]))
    return count(missing), count(0)
