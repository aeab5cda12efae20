"""Every draw satisfies its hypothesis, exactly where the arithmetic is exact."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels import spaces
from toymodels.arithmetic import systems
from toymodels.arithmetic.degrees import Degree
from toymodels.arithmetic.rationals import to_fraction
from toymodels.errors import InputError
from toymodels.spaces.source import (
    RandomFloats,
    Recording,
    Refused,
    Rejected,
    Replay,
    Source,
    UniformRationals,
)

RANGES = {"n": (1, 4), "m": (1, 4), "d": (1, 3)}
SPACES = {
    "real": spaces.real, "positive": spaces.positive, "between": spaces.between(-1, 2),
    "log_uniform": spaces.log_uniform(1e-3, 1e3), "integer": spaces.integer(-2, 5),
    "choice": spaces.choice("ab"),
    "constant": spaces.constant(Fraction(1, 3)), "matrix": spaces.matrix("n m"), "vector": spaces.vector("n"),
    "symmetric": spaces.symmetric("n"), "positive_definite": spaces.positive_definite("n"),
    "orthogonal": spaces.orthogonal("n"), "frame": spaces.frame("n d"),
    "unit_vector": spaces.unit_vector("n"),
    "invertible": spaces.invertible("n"), "interpolating": spaces.interpolating("n d m"),
}  # fmt: skip
INTEGERS = (np.dtype(int),)
seeds = st.integers(0, 2**32)


def draw(space, seed, system=systems.FRACTIONS, drawer=UniformRationals, ranges=RANGES):
    """Return the first draw that lies in the space, with its source."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        source = Source(drawer(rng), system, ranges)
        try:
            return space.draw(source, "x"), source
        except Rejected:
            continue
    raise AssertionError("no draw lies in the space")


def eye(n):
    return np.eye(n, dtype=int)


def small(drawer):
    """Draw small rationals, singular ones among them, instead of 61-bit ones."""

    class Small(drawer):
        def numbers(self, domain, count):
            return [Fraction(int(k), 2) for k in self.rng.integers(-2 if domain.low < 0 else 1, 3, count)]

    return Small


drawers = pytest.mark.parametrize(
    "drawer", [UniformRationals, small(UniformRationals)], ids=["uniform", "small"]
)


@drawers
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_orthogonal_matrices(drawer, seed):
    O, source = draw(SPACES["orthogonal"], seed, drawer=drawer)
    n = source.sizes["n"]
    assert O.shape == (n, n) and np.all(eye(n) == O @ O.T) and np.all(eye(n) == O.T @ O)


@drawers
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_frames(drawer, seed):
    F, source = draw(SPACES["frame"], seed, drawer=drawer)
    n, d = source.sizes["n"], source.sizes["d"]
    assert d <= n and F.shape == (n, d) and np.all(eye(d) == F.T @ F)


@drawers
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_unit_vectors(drawer, seed):
    x, source = draw(SPACES["unit_vector"], seed, drawer=drawer)
    assert x.shape == (source.sizes["n"],) and (x * x).sum() == 1
    systems.require_own(systems.FRACTIONS, x)


@drawers
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_invertible_matrices(drawer, seed):
    (T, inverse), source = draw(SPACES["invertible"], seed, drawer=drawer)
    n = source.sizes["n"]
    assert np.all(T @ inverse == eye(n)) and np.all(inverse @ T == eye(n))


@drawers
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_interpolated_data(drawer, seed):
    (X, Y, W), source = draw(spaces.interpolating("n d m"), seed, drawer=drawer)
    assert X.shape == (source.sizes["n"], source.sizes["d"]) and W.shape == (source.sizes["m"], X.shape[1])
    assert (X @ W.mT == Y).all()


@drawers
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_symmetric_and_positive_definite_matrices(drawer, seed):
    S, _ = draw(SPACES["symmetric"], seed, drawer=drawer)
    P, _ = draw(SPACES["positive_definite"], seed, drawer=drawer)
    assert np.all(S == S.T) and np.all(P == P.T)
    # Sylvester: every pivot of the elimination is positive
    rows = P.copy()
    for k in range(len(rows)):
        assert rows[k, k] > 0
        for i in range(k + 1, len(rows)):
            rows[i] = rows[i] - rows[k] * (rows[i, k] / rows[k, k])


@pytest.mark.parametrize("name", ["orthogonal", "frame"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_both_determinants_occur(name, n):
    space = SPACES["orthogonal"] if name == "orthogonal" else spaces.frame("n n")
    signs = Counter()
    for seed in range(20):
        Q, _ = draw(space, seed, systems.FLOATS, RandomFloats, {"n": (n, n)})
        signs[round(float(np.linalg.det(Q)))] += 1
    assert set(signs) == {1, -1}


def test_unit_vectors_of_a_line_have_both_signs():
    assert {draw(SPACES["unit_vector"], seed, ranges={"n": (1, 1)})[0][0] for seed in range(20)} == {1, -1}


@pytest.mark.parametrize("name", list(SPACES))
@pytest.mark.parametrize(
    "system", [systems.FLOATS, systems.MEASURED, systems.digits(), systems.fmpq(), systems.DEGREES]
)
def test_every_space_draws_in_every_arithmetic(name, system):
    if system is None:
        pytest.skip("python-flint is not installed")
    drawer = RandomFloats if system.name in ("floats", "measured", "digits") else UniformRationals
    for seed in range(5):
        value, _ = draw(SPACES[name], seed, system, drawer)
        # plain integers belong to every arithmetic: counts, choices, an identity matrix
        parts = value if isinstance(value, tuple) else (value,)
        if name not in ("integer", "choice"):
            own = [part for part in parts if getattr(part, "dtype", None) not in INTEGERS]
            systems.require_own(system, own)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from(["orthogonal", "frame", "unit_vector", "invertible"]))
def test_measured_draws_satisfy_their_hypothesis_within_their_error(seed, name):
    value, source = draw(SPACES[name], seed, systems.MEASURED, RandomFloats)
    if name == "invertible":
        residual = value.matrix @ value.inverse - eye(source.sizes["n"])
    elif name == "unit_vector":
        residual = (value * value).sum() - 1
    elif not hasattr(value, "error"):
        return  # no reflection at all: the integer identity
    else:
        residual = value.mT @ value - eye(value.shape[-1])
    assert (abs(residual.value) <= residual.error).all()


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_domains_are_respected(seed):
    low, high = Fraction(-1), Fraction(2)
    assert low < draw(SPACES["between"], seed)[0] < high
    assert draw(SPACES["positive"], seed)[0] > 0
    assert -2 <= draw(SPACES["integer"], seed)[0] <= 5
    assert draw(SPACES["choice"], seed)[0] in "ab"
    for system, drawer in ((systems.FLOATS, RandomFloats), (systems.FRACTIONS, UniformRationals)):
        assert 1e-3 <= draw(SPACES["log_uniform"], seed, system, drawer)[0] <= 1e3
    assert draw(SPACES["positive"], seed, systems.FLOATS, RandomFloats)[0] > 0


@given(seeds)
def test_exact_draws_are_uniform_over_distinct_rationals(seed):
    """Schwartz-Zippel counts 2^61 values: the steps of a domain are one apart, and none is outside."""
    rng = np.random.default_rng(seed)
    values = [draw(spaces.between(0, 1), int(s))[0] for s in rng.integers(0, 2**32, 5)]
    assert all((v * 2**62 - 1) / 2 == int((v * 2**62 - 1) / 2) for v in values)
    assert all(draw(spaces.real, seed)[0].denominator == 1 for _ in range(2))


@given(seeds)
def test_sizes_are_shared_by_name_and_numerals_are_literal(seed):
    source = Source(UniformRationals(np.random.default_rng(seed)), systems.FRACTIONS, {"m": (2, 7)}, (1, 3))
    A, x, B = (
        space.draw(source, "x") for space in (spaces.matrix("m d"), spaces.vector("d"), spaces.matrix("3 m"))
    )
    m, d = A.shape
    assert 2 <= m <= 7 and 1 <= d <= 3 and x.shape == (d,) and B.shape == (3, m)
    assert source.sizes == {"m": m, "d": d}


@pytest.mark.parametrize("name", list(SPACES))
def test_one_seed_gives_one_draw_and_a_replay_gives_it_again(name):
    space = SPACES[name]
    recording = Recording(UniformRationals(np.random.default_rng(5)))
    while True:
        try:
            first = space.draw(Source(recording, systems.FRACTIONS, RANGES), "x")
            break
        except Rejected:
            recording = Recording(recording.drawer)
    again = space.draw(Source(Replay(recording.record), systems.FRACTIONS, RANGES), "x")
    assert repr(first) == repr(again)
    assert repr(draw(space, 11)[0]) == repr(draw(space, 11)[0])
    floats = space.draw(Source(Replay(recording.record), systems.FLOATS, RANGES), "x")
    if isinstance(first, np.ndarray):
        exact = np.array([float(to_fraction(x)) for x in first.flat]).reshape(first.shape)
        assert np.allclose(floats, exact, rtol=1e-9, atol=1e-9 * np.abs(exact).max(initial=1))


def test_a_replay_of_another_shape_is_rejected():
    recording = Recording(UniformRationals(np.random.default_rng(0)))
    spaces.vector("3").draw(Source(recording, systems.FRACTIONS), "x")
    with pytest.raises(Rejected):
        spaces.vector("4").draw(Source(Replay(recording.record), systems.FRACTIONS), "x")


def test_degrees_of_parametrised_draws_grow_with_the_parametrisation():
    x, _ = draw(spaces.real, 0, systems.DEGREES)
    assert isinstance(x, Degree) and (x.numerator, x.denominator) == (1, 0)
    u, _ = draw(SPACES["unit_vector"], 0, systems.DEGREES, ranges={"n": (3, 3)})
    assert {entry.denominator for entry in u} == {2} and {entry.numerator for entry in u} <= {1, 2, 3}


@pytest.mark.parametrize("name", list(SPACES))
def test_words_or_a_refusal(name):
    space = SPACES[name]
    if space.words is None:
        with pytest.raises(Refused, match="words"):
            space.as_words("x")
    else:
        space.as_words("x")
    assert repr(space) == space.text and space.text


@pytest.mark.parametrize(
    "bad",
    [
        lambda: spaces.matrix("m"), lambda: spaces.matrix("m d c"), lambda: spaces.matrix(""),
        lambda: spaces.matrix(3),
        lambda: spaces.matrix("m 0"), lambda: spaces.matrix("m d!"), lambda: spaces.vector("m n"),
        lambda: spaces.vector("0"), lambda: spaces.symmetric("m d"), lambda: spaces.orthogonal(""),
        lambda: spaces.frame("n"), lambda: spaces.unit_vector("a b"),
        lambda: spaces.invertible("m", factors=0),
        lambda: spaces.positive_definite(2), lambda: spaces.between(2, 1), lambda: spaces.between(1, 1),
        lambda: spaces.between(float("nan"), 1), lambda: spaces.between("a", 1),
        lambda: spaces.log_uniform(0, 1),
        lambda: spaces.log_uniform(1, float("inf")), lambda: spaces.log_uniform(None, 1),
        lambda: spaces.integer(3, 2),
        lambda: spaces.integer(0.5, 2), lambda: spaces.choice([]), lambda: spaces.constant("x"),
        lambda: spaces.constant(float("nan")), lambda: spaces.constant(1j),
        lambda: spaces.rectangular_diagonal(np.ones(3), 2, 4),
    ],
)  # fmt: skip
def test_bad_arguments(bad):
    with pytest.raises(InputError) as error:
        bad()
    assert "\n" not in str(error.value)


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_rectangular_diagonals(rows, cols, data):
    count = data.draw(st.integers(1, min(rows, cols)))
    entries = np.arange(1, count + 1)
    D = spaces.rectangular_diagonal(entries, rows, cols)
    expected = np.zeros((rows, cols))
    np.fill_diagonal(expected[:count, :count], entries)
    assert np.array_equal(D, expected)
