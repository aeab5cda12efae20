import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.relu.filippov import MOST_REPELLING, Contact, Unresolved, resolve

seeds = st.integers(0, 2**32 - 1)
NOISE = 1e-13


def draw(seed, d, q, jumps):
    """A contact of q kinks with the given signs of their jumps."""
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((q, d))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    minus = rng.standard_normal(q)
    plus = jumps * (0.1 + rng.random(q)) - minus
    return Contact(normals, rng.standard_normal(d), plus, minus, -np.ones(q, dtype=int))


def motion(contact, sides):
    """The direction of motion on given sides, pushes of sliding kinks solved for, and these pushes."""
    pushes = np.where(sides > 0, contact.plus, -contact.minus)
    on = sides == 0
    rest = contact.base + pushes[~on] @ contact.normals[~on]
    pushes[on] = np.linalg.lstsq(contact.normals[on].T, -rest)[0]
    return contact.base + pushes @ contact.normals, pushes


def is_consistent(contact, sides):
    direction, pushes = motion(contact, sides)
    low, high = np.minimum(contact.plus, -contact.minus), np.maximum(contact.plus, -contact.minus)
    speeds = contact.normals @ direction
    held = (low < pushes) & (pushes < high)
    return np.where(sides == 0, held & (np.abs(speeds) < 1e-9), sides * speeds > 0).all()


@given(seeds, st.integers(1, 5), st.integers(1, 4))
def test_attracting_kinks_are_left_or_slid_along_as_the_motion_says(seed, d, q):
    contact = draw(seed, d, min(d, q), -1.0)
    sides = resolve(contact, NOISE)
    assert is_consistent(contact, sides)


@given(seeds, st.integers(1, 5), st.integers(1, 4))
def test_attracting_kinks_let_the_shortest_motion_through(seed, d, q):
    contact = draw(seed, d, min(d, q), -1.0)
    shortest, _ = motion(contact, resolve(contact, NOISE))
    rng = np.random.default_rng(seed)
    for gates in rng.random((20, len(contact.plus))):
        pushes = gates * contact.plus - (1 - gates) * contact.minus
        other = contact.base + pushes @ contact.normals
        # the shortest vector of a convex set makes an obtuse angle with what leads to the others
        assert shortest @ (other - shortest) >= -1e-12


@given(seeds, st.integers(2, 4))
def test_what_is_found_among_mixed_kinks_is_the_only_way(seed, d):
    rng = np.random.default_rng(seed)
    q = int(rng.integers(1, d + 1))
    contact = draw(seed, d, q, rng.choice([-1.0, 1.0], q))
    attracts = contact.plus + contact.minus < 0
    ways = [
        sides
        for sides in np.stack(np.meshgrid(*[[-1, 0, 1]] * q), -1).reshape(-1, q)
        if is_consistent(contact, sides) and attracts[sides == 0].all()
    ]
    try:
        sides = resolve(contact, NOISE)
    except Unresolved as why:
        assert why.kind == "not unique" and len(ways) != 1
    else:
        assert len(ways) == 1
        np.testing.assert_array_equal(sides, ways[0])


@given(seeds, st.integers(1, 4), st.permutations(range(4)))
def test_order_and_orientation_of_kinks_do_not_matter(seed, q, order):
    contact = draw(seed, 4, q, -1.0)
    sides = resolve(contact, NOISE)
    order = [i for i in order if i < q]
    turned = Contact(
        -contact.normals[order], contact.base, contact.minus[order], contact.plus[order], sides[order]
    )
    np.testing.assert_array_equal(resolve(turned, NOISE), -sides[order])


@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0, 1))
def test_one_kink(off, jump, angle):
    """Speeds v_off and v_off - jump beside it: slide if both point to it."""
    normal = np.array([[np.cos(angle), np.sin(angle)]])
    contact = Contact(normal, off * normal[0], np.array([-jump]), np.zeros(1), np.array([1]))
    assert resolve(contact, NOISE)[0] == (0 if jump > off + 1e-9 else 1) or abs(jump - off) <= 1e-9


def test_a_kink_that_repels_has_two_ways_on():
    contact = Contact(np.eye(1), np.array([-0.5]), np.array([1.0]), np.zeros(1), np.array([1]))
    with pytest.raises(Unresolved) as why:
        resolve(contact, NOISE)
    assert why.value.kind == "not unique"


def test_a_kink_that_repels_is_crossed():
    contact = Contact(np.eye(1), np.array([0.5]), np.array([1.0]), np.zeros(1), np.array([-1]))
    assert resolve(contact, NOISE).tolist() == [1]


def test_neutral_kinks_are_rested_on():
    """No motion without the sample, and one back to the kink with it."""
    contact = Contact(np.eye(2), np.zeros(2), np.array([-1.0, -2.0]), np.zeros(2), np.array([1, 1]))
    assert resolve(contact, NOISE).tolist() == [-1, -1]


def test_sides_are_kept_where_nothing_moves():
    contact = Contact(np.eye(2), np.zeros(2), np.zeros(2), np.zeros(2), np.array([-1, -1]))
    assert resolve(contact, NOISE).tolist() == [-1, -1]


def test_kinks_of_dependent_samples_are_not_slid_along():
    angles = np.array([0.0, 1.0, 2.0])
    normals = np.stack([np.cos(angles), np.sin(angles), 0 * angles], -1)
    contact = Contact(
        normals, np.array([0.2, 0.4, 1.0]), -np.ones(3), np.full(3, -0.1), -np.ones(3, dtype=int)
    )
    with pytest.raises(Unresolved) as why:
        resolve(contact, NOISE)
    assert why.value.kind == "unresolved"


def test_too_many_kinks_that_repel():
    q = MOST_REPELLING + 1
    contact = Contact(np.eye(q), np.full(q, -0.5), np.ones(q), np.zeros(q), -np.ones(q, dtype=int))
    with pytest.raises(Unresolved, match=f"{q} kinks that repel meet"):
        resolve(contact, NOISE)
