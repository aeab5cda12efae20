"""Where directions in the plane condense (card D2 c to e), against directions that are moved step by step."""

import numpy as np
import pytest
from flow_cases import seeds
from hypothesis import given, settings
from hypothesis import strategies as st

import toymodels as tm
from toymodels.errors import InputError
from toymodels.relu import condensation, modes_along

few = settings(max_examples=25, deadline=None)
signs = st.sampled_from([1, -1])
CARD = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([-2.0, -1.5, 1.0])


def draw(seed, n):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 2)), rng.standard_normal(n)


def units(phi):
    return np.stack([np.cos(phi), np.sin(phi)], axis=-1)


def potential(X, c, phi):
    return np.maximum(units(phi) @ X.T, 0) @ c


def apart(a, b):
    """Distance on the circle."""
    return np.abs(np.remainder(a - b + np.pi, 2 * np.pi) - np.pi)


def climbed(values):
    """Where each place on a circle of values gets by steps to a higher neighbour."""
    places = np.arange(len(values))
    left, right = np.roll(values, 1), np.roll(values, -1)
    following = places + np.where(np.maximum(left, right) > values, np.where(right > left, 1, -1), 0)
    following %= len(values)
    for _ in range(int(np.log2(len(values))) + 1):
        following = following[following]
    return following


@few
@given(seeds, st.integers(1, 5), signs)
def test_basins_fill_the_circle(seed, n, sign):
    X, c = draw(seed, n)
    found = condensation(X, c, sign)
    assert abs(sum(a.fraction for a in found) - 1) < 1e-12
    ends = np.array([a.start + a.length for a in found])
    starts = np.array([a.start for a in found])
    assert (apart(ends, np.roll(starts, -1)) < 1e-12).all()
    inside = [(a.angle - a.start) % (2 * np.pi) <= a.length for a in found]
    assert all(inside) and (np.diff([a.angle for a in found]) > 0).all()


@few
@given(seeds, st.integers(1, 5), signs)
def test_attractors_are_the_peaks_of_the_potential(seed, n, sign):
    X, c = draw(seed, n)
    h = 1e-6
    for a in condensation(X, c, sign):
        here, beside = (sign * potential(X, c, a.angle + shift) for shift in (0.0, np.array([-h, h])))
        assert abs(a.growth - here) < 1e-12 * (1 + np.abs(c).sum() * np.abs(X).max())
        if a.kind == "dead":
            assert here == 0 or np.abs(beside).max() < 1e-12
        else:
            assert (beside < here + 1e-15).all()
        if a.kind == "interior":
            assert a.growth > 0 and np.abs(beside - here).max() < 1e-9 * np.abs(c @ np.abs(X)).max()


@few
@given(seeds, st.integers(1, 5), signs)
def test_directions_that_go_uphill_end_at_the_attractor_of_their_basin(seed, n, sign):
    X, c = draw(seed, n)
    phi = np.linspace(-np.pi, np.pi, 20_000, endpoint=False)
    step = phi[1] - phi[0]
    ends = phi[climbed(sign * potential(X, c, phi))]
    found, counted = condensation(X, c, sign), 0
    for a in found:
        depth = (phi - a.start) % (2 * np.pi)
        mine = (depth > 2 * step) & (depth < a.length - 2 * step)
        counted += np.count_nonzero(mine)
        arrived = (
            (units(ends) @ X.T <= step * 10).all(-1) if a.kind == "dead" else apart(ends, a.angle) < 2 * step
        )
        assert arrived[mine].all()
    assert counted >= len(phi) - 6 * len(found)


@few
@given(seeds, st.integers(1, 4), signs, st.floats(-3, 3), st.floats(0.1, 10))
def test_what_does_not_matter(seed, n, sign, angle, factor):
    """Rotations turn angles; scales, order and splitting a sample change nothing; signs are pushes'."""
    X, c = draw(seed, n)
    plain = condensation(X, c, sign)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    order = np.random.default_rng(seed).permutation(n)
    split = np.vstack([X, X[:1]]), np.append(c, 0.25 * c[0]) - 0.25 * c[0] * (np.arange(n + 1) == 0)
    for other in (
        condensation(X @ rotation, c, sign),
        condensation(X[order], factor * c[order], sign),
        condensation(*split, sign),
        condensation(X, -c, -sign),
    ):
        assert len(other) == len(plain)
        np.testing.assert_allclose(
            np.sort([a.fraction for a in other]), np.sort([a.fraction for a in plain]), atol=1e-12
        )
        assert sorted(a.kind for a in other) == sorted(a.kind for a in plain)
    turned = np.array([a.angle for a in condensation(X @ rotation, c, sign)])
    if len(plain) > 1:
        assert all(apart(turned, a.angle + angle).min() < 1e-9 for a in plain)


def test_a_kink_may_attract_where_the_potential_is_negative():
    kinks = {round(a.angle, 12): a.growth for a in condensation(*CARD) if a.kind == "kink"}
    assert kinks == {0.0: pytest.approx(-1.0), round(np.pi / 2, 12): pytest.approx(-0.5)}


def test_balanced_neurons_stay_at_such_a_kink_and_shrink():
    X, c = CARD
    problem = tm.TwoLayerReLU(X, np.sign(c), width=1, loss="exponential", weights=np.abs(c))
    w = 1e-5 * np.array([0.3, 1.0])
    times = np.array([0.0, 3.0, 4.0, 8.0])
    run = tm.flow(problem, problem.pack(w[None], [np.linalg.norm(w)]), times)
    (w,) = np.swapaxes(problem.layers(run.theta)[0], 0, 1)
    np.testing.assert_allclose(w[1:, 0], 0, atol=1e-18)
    np.testing.assert_allclose(np.diff(np.log(w[1:, 1])), -0.5 * np.diff(times[1:]), rtol=1e-4)


def test_neurons_with_fixed_output_weights_die_there():
    X, c = CARD
    problem = tm.TwoLayerReLU(X, np.sign(c), output=[1e-3], loss="exponential", weights=np.abs(c))
    run = tm.flow(problem, [0.3e-3, 1e-3], [0.0, 1e2, 1e4])
    assert run.status == "finished"
    np.testing.assert_array_equal(modes_along(problem, run)[2], [[-1, -1, -1]])
    np.testing.assert_allclose(run.theta[2], 0, atol=1e-15)


def test_the_fractions_are_those_of_small_networks_that_are_trained():
    X, c = np.array([[1.0, 0.3], [-0.4, 1.0]]), np.array([0.7, 0.3])
    m = 60
    problem = tm.TwoLayerReLU(X, [1.0, 1.0], width=m, loss="exponential", weights=c)
    phi = np.linspace(-np.pi, np.pi, m, endpoint=False) + 1e-3
    W = 1e-13 * units(phi)
    (W1, _) = problem.layers(tm.flow(problem, problem.pack(W, np.full(m, 1e-13)), 30.0).theta)
    ends = np.arctan2(W1[:, 1], W1[:, 0])
    for a in condensation(X, c):
        near = (
            problem.living(problem.pack(W1, np.ones(m))) == 0
            if a.kind == "dead"
            else apart(ends, a.angle) < 0.01
        )
        assert abs(near.mean() - a.fraction) <= 1 / m


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([[1.0, 0.0, 0.0]], [1.0]), "X: expected rows of 2 entries, got shape"),
        (([[1.0, 0.0]], [1.0, 2.0]), "pushes: expected 1 entries, got shape"),
        (([[1.0, 0.0]], [np.nan]), "pushes: expected finite numbers"),
        (([[1.0, 0.0]], [1.0], 0), "sign: expected 1 or -1, got 0"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        condensation(*arguments)


def test_nothing_turns_without_pushes():
    for X, c in (([[1.0, 2.0]], [0.0]), ([[0.0, 0.0]], [1.0])):
        (only,) = condensation(X, c)
        assert only.kind == "dead" and only.fraction == 1 and only.growth == 0
