import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.dynamics import draws
from toymodels.dynamics.draws import Chunked, Signs
from toymodels.randomness import streams

sizes = st.tuples(st.integers(1, 3), st.integers(1, 2))
few = settings(max_examples=40, deadline=None)


def normal(stream, shape):
    return stream.standard_normal(shape)


def make(which, shape, runs, seed, steps):
    own = streams(seed, int(np.prod(runs)))
    return (
        Signs(0.3, shape, runs, own, steps) if which == "signs" else Chunked(normal, shape, runs, own, steps)
    )


def all_of(source, steps, most):
    """The draws of all steps, taken in the given pieces in turn."""
    found, k = [], 0
    while sum(map(len, found)) < steps:
        left = steps - sum(map(len, found))
        found.append(source.take(min(most[k % len(most)], left)))
        k += 1
    return np.concatenate(found)


@few
@given(
    st.sampled_from(["signs", "normal"]),
    sizes,
    st.integers(1, 200),
    st.lists(st.integers(1, 90), min_size=1, max_size=4),
    st.sampled_from([1, 5, 300]),
    st.integers(0, 2**32),
)
def test_draws_depend_on_neither_pieces_nor_chunks(which, shape, steps, most, chunk, seed):
    runs = (2,)
    plain = make(which, shape, runs, seed, steps)
    singly = np.stack([plain.next() for _ in range(steps)])
    before, draws.CHUNK = draws.CHUNK, chunk
    try:
        pieces = all_of(make(which, shape, runs, seed, steps), steps, most)
    finally:
        draws.CHUNK = before
    assert pieces.shape == (steps, *runs, *shape)
    np.testing.assert_array_equal(pieces, singly)
    alone = make(which, shape, (1,), seed, steps)
    np.testing.assert_array_equal(singly[:, :1], np.stack([alone.next() for _ in range(steps)]))


def test_signs_are_fair_and_independent():
    signs = all_of(make("signs", (2,), (50,), 0, 1000), 1000, [1000])
    assert set(np.unique(signs)) == {-0.3, 0.3}
    flat = (signs / 0.3).reshape(len(signs), -1)
    count = flat.size
    assert abs(flat.mean()) < 5 / np.sqrt(count)
    for lag in (1, 8, 63, 64):
        assert abs((flat[lag:] * flat[:-lag]).mean()) < 5 / np.sqrt(count)
    correlations = flat.T @ flat / len(flat) - np.eye(100)
    assert np.abs(correlations).max() < 6 / np.sqrt(len(flat))
