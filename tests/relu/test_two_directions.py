"""Two directions: the data, who lives after small starts condense, the two neurons that stand for them."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.relu import (
    condense,
    counted_fractions,
    living_fractions,
    representative,
    spherical_weights,
    two_directions,
)

angles = st.floats(0.05, 1.5)
ratios = st.floats(1.0, 10.0)


@given(n_plus=st.integers(1, 4), n_minus=st.integers(1, 4), angle=angles, d=st.integers(2, 5))
def test_data(n_plus, n_minus, angle, d):
    X, y = two_directions(n_plus, n_minus, angle, d)
    assert X.shape == (n_plus + n_minus, d)
    np.testing.assert_array_equal(y, [1] * n_plus + [-1] * n_minus)
    expected = np.where(np.equal.outer(y, y), 1, np.cos(angle))
    np.testing.assert_allclose(X @ X.T, expected, atol=1e-15)


def frozen_run(a, z, p, angle):
    """One neuron in the fixed field, stepped from kink to kink by hand."""
    c, (u, v) = np.cos(angle), np.array([p, 1.0]) / (1 + p)
    gates, z, t = z > 0, z.copy(), 0.0
    while True:
        velocity = a * np.array([u * gates[0] - v * c * gates[1], u * c * gates[0] - v * gates[1]])
        hits = np.divide(-z, velocity, out=np.full(2, np.inf), where=velocity != 0)
        hits[hits <= 0] = np.inf
        if not gates.any() or hits.min() == np.inf:
            return gates.astype(int) * 2 - 1, t
        i = int(np.argmin(hits))
        t, z = t + hits[i], z + velocity * hits[i]
        z[i] = 0.0
        off, on = (
            a * (s * [u, -v][i] + (1 - 2 * i) * c * gates[1 - i] * [-v, u][i] * (1 - 2 * i)) for s in (0, 1)
        )
        if off > 0 > on:
            modes = gates.astype(int) * 2 - 1
            modes[i] = 0
            return modes, t
        gates[i] = on > 0


@given(
    a=st.one_of(st.floats(0.1, 2), st.floats(-2, -0.1)),
    z=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    p=ratios,
    angle=angles,
)
def test_condensation_against_steps_from_kink_to_kink(a, z, p, angle):
    c = np.cos(angle)
    assume(min(map(abs, z)) > 1e-3 and abs(p * c - 1) > 1e-2)
    if a < 0 and min(z) > 0 and p * c > 1:  # both kinks at once: the origin
        assume(abs(z[0] * (p * c - 1) - z[1] * (p - c)) > 1e-6)
    found = condense([a], [z], p, angle)
    modes, t = frozen_run(a, np.array(z), p, angle)
    np.testing.assert_array_equal(found.modes[0], modes)
    np.testing.assert_allclose(found.times[0], t, rtol=1e-9)


@given(m=st.integers(1, 5), runs=st.integers(1, 3), p=ratios, angle=angles, seed=st.integers(0, 99))
def test_condensation_of_many(m, runs, p, angle, seed):
    rng = np.random.default_rng(seed)
    a, z = rng.standard_normal(m), rng.standard_normal((runs, m, 2))
    found = condense(a, z, p, angle)
    assert found.modes.shape == (runs, m, 2) and found.times.shape == found.living.shape == (runs, m)
    for r in range(runs):
        for k in range(m):
            one = condense(a[k : k + 1], z[r, k : k + 1], p, angle)
            np.testing.assert_array_equal(found.modes[r, k], one.modes[0])
            assert found.times[r, k] == one.times[0]


@given(p=ratios, angle=angles, d=st.integers(2, 4))
@settings(max_examples=20)
def test_fractions_are_those_of_many_neurons(p, angle, d):
    m = 4000
    X, _ = two_directions(1, 1, angle, d)
    a = np.repeat([1.0, -1.0], m // 2)
    found = counted_fractions(spherical_weights(m, d, rng=1), a, p, angle, X)
    # five standard deviations of a binomial with m/2 trials
    np.testing.assert_allclose(found, living_fractions(p, angle), atol=5 * np.sqrt(m / 8) / m)


def test_negatives_that_live_lie_in_an_arc():
    p, angle = 4.0, 0.7
    phi = (np.arange(100_000) + 0.5) / 100_000 * 2 * np.pi
    X, _ = two_directions(1, 1, angle)
    z = np.stack([np.cos(phi), np.sin(phi)], -1) @ X.T
    share = condense(np.full(len(phi), -1.0), z, p, angle).living.mean()
    np.testing.assert_allclose(share / 2, living_fractions(p, angle).gamma, atol=2e-5)


@given(p=ratios, angle=angles)
def test_representative_has_no_condensation_left(p, angle):
    problem, theta0 = representative(p, angle, alpha=0.25, gamma=0.2)
    z = problem.preactivations(theta0)
    slides_on_plus = abs(z[1, 0]) <= 1e-15 * 1e-9 * 8
    assert slides_on_plus and z[1, 1] > 0 and z[0, 0] > 0
    assert z[0, 1] > 0 if p * np.cos(angle) > 1 + 1e-9 else abs(z[0, 1]) <= 1e-9
    np.testing.assert_allclose(np.linalg.norm(theta0.reshape(2, 2), axis=1), 1e-9)
    np.testing.assert_allclose(problem.output, [0.5, -np.sqrt(0.2)])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: two_directions(0, 1, 0.5), "n_plus"),
        (lambda: two_directions(1, 1, 2.0), "angle"),
        (lambda: two_directions(1, 1, 0.5, d=1), "d: "),
        (lambda: living_fractions(0.5, 0.5), "p: "),
        (lambda: living_fractions(2.0, 0.0), "angle"),
        (lambda: condense([1.0], [[0.0, 1.0]], 2.0, 0.5), "a, z"),
        (lambda: condense([1.0, 2.0], [[1.0, 1.0]], 2.0, 0.5), "z: "),
        (lambda: counted_fractions([[1.0, 0.0]], [1.0], 2.0, 0.5, [[1.0, 0.0]]), "W, a, X"),
        (lambda: representative(2.0, 0.5, alpha=0.0, gamma=0.1), "alpha"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(tm.InputError, match=name):
        call()
