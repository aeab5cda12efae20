import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.solutions import one_neuron, one_neuron_kernel, one_neuron_limits

entries = st.floats(-2, 2).map(lambda x: round(x, 5))


def digits_distance(w, a, v, b):
    """1 minus the cosine between the two matrices, entry by entry in 60 digits."""
    with mpmath.workdps(60):
        M, N = (
            [[(mpmath.mpf(float(c)) ** 2 if i == j else 0) + mpmath.mpf(float(x)) * mpmath.mpf(float(y))
              for j, y in enumerate(u)] for i, x in enumerate(u)]
            for c, u in ((a, w), (b, v))
        )  # fmt: skip
        inner = lambda P, Q: sum(p * q for rows in zip(P, Q, strict=True) for p, q in zip(*rows, strict=True))
        return 1 - inner(M, N) / mpmath.sqrt(inner(M, M) * inner(N, N))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda d: st.tuples(*[st.lists(entries, min_size=d, max_size=d)] * 2)),
    entries, entries, st.sampled_from((0.0, 1e-3, 1e-8, 1.0)), st.integers(-100, 100),
)  # fmt: skip
def test_small_distances_keep_their_digits(vectors, a, b, near, e):
    w, v = (np.array(x) for x in vectors)
    v, b = w + near * v, a + near * b
    assume(np.linalg.norm(w) + abs(a) > 1e-3 and np.linalg.norm(v) + abs(b) > 1e-3)
    c = 2.0**e
    exact = abs(float(digits_distance(w, a, v, b)))
    found = one_neuron_kernel.kernel_distance(c * w, c * a, v, b)
    # A B' - A' B and the angle are differences of the two states' own numbers
    assert abs(found - exact) <= 1e-14 * (exact + np.sqrt(exact)) + 1e-30
    assert found == pytest.approx(one_neuron_kernel.kernel_distance(v, b, c * w, c * a), rel=1e-12, abs=1e-30)


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, min_size=3, max_size=3), entries, st.floats(0, 20))
def test_along_the_flow(w0, a0, t):
    w0, b = np.array(w0), np.array([0.5, 1.0, -0.3])
    assume(np.linalg.norm(w0) + abs(a0) > 1e-2)
    w, a = one_neuron.flow(w0, a0, b, t)
    exact = float(digits_distance(w0, a0, w, a))
    assert one_neuron_kernel.distance_along(w0, a0, b, t) == pytest.approx(exact, rel=1e-10, abs=1e-13)
    rates = (2.0, 2.0)
    assert one_neuron_kernel.distance_along(w0, a0, b, t / 2, rates) == pytest.approx(
        exact, rel=1e-9, abs=1e-12
    )


def test_the_second_norm_is_that_of_the_moved_state():
    # with a(0) in the second norm the curve differs at intermediate times
    w0, a0, b = np.array([-1.0, 0.0]), 1.0, np.array([0.0, 1.0])
    w, _ = one_neuron.flow(w0, a0, b, 0.7)
    stale = digits_distance(w0, a0, w, a0)
    assert abs(one_neuron_kernel.distance_along(w0, a0, b, 0.7) - float(stale)) > 1e-3


@pytest.mark.parametrize("delta, low, high", [(1e4, 0.0, 1e-7), (0.0, 0.2, 0.2), (-1e4, 1 - 1e-6, 1.0)])
def test_lazy_balanced_and_rich(delta, low, high):
    # target across the start: lazy upstream, (1 - 0)/(d + 3) balanced, 1 downstream
    a = (
        np.sqrt((np.hypot(delta, 2.0) + delta) / 2)
        if delta >= 0
        else np.sqrt(2 / (np.hypot(delta, 2.0) - delta))
    )
    w0 = np.array([-1.0, 0.0]) / a
    end = one_neuron_kernel.distance_at_end(w0, a, [0.0, 1.0])
    assert low - 1e-12 <= end <= high + 1e-12
    assert end == pytest.approx(one_neuron_kernel.distance_along(w0, a, [0.0, 1.0], np.inf), abs=1e-13)


def test_downstream_looks_lazy_on_short_runs():
    w0, a0, b = np.array([-10.0, 0.0]), 0.1, np.array([0.0, 1.0])
    radial, rotational = one_neuron_limits.tail_rates(w0, a0, b)
    early, late = one_neuron_kernel.distance_along(w0, a0, b, [10 / radial, 20 / rotational])
    assert early < 1e-3 and late > 0.9


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: one_neuron_kernel.kernel_distance([0.0], 0.0, [1.0], 1.0), "zero"),
        (lambda: one_neuron_kernel.kernel_distance([1.0], 1.0, [1.0, 2.0], 1.0), "w: expected 1"),
        (lambda: one_neuron_kernel.kernel_distance([1.0], 1.0, [1.0], 1.0, (0.0, 1.0)), "rates"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(InputError, match=word):
        call()
