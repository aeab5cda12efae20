"""The tree's singular values against those of its matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.data import hierarchical, hierarchy_multiplicities, hierarchy_singular_values
from toymodels.errors import InputError

trees = st.tuples(st.integers(1, 5), st.integers(0, 5)).filter(lambda tree: tree[0] ** tree[1] <= 128)


def spectrum(branching, depth):
    """The closed form, each value as often as it occurs."""
    return np.repeat(hierarchy_singular_values(branching, depth), hierarchy_multiplicities(branching, depth))


@given(tree=trees)
def test_closed_form_spectrum(tree):
    _, Y = hierarchical(*tree)
    assert hierarchy_multiplicities(*tree).sum() == len(Y)
    np.testing.assert_allclose(np.linalg.svd(Y, compute_uv=False), spectrum(*tree), rtol=0, atol=1e-12)


@given(tree=trees)
def test_normalised_correlation_has_the_closed_form_and_the_plain_one_a_fraction(tree):
    plain, whitened = hierarchical(*tree), hierarchical(*tree, normalise=True)
    n = len(plain.X)
    Sxx, Syx, _ = plain.statistics
    np.testing.assert_allclose(n * Sxx, np.eye(n), rtol=0, atol=1e-13)
    np.testing.assert_allclose(n * np.linalg.svd(Syx, compute_uv=False), spectrum(*tree), rtol=0, atol=1e-12)
    Sxx, Syx, _ = whitened.statistics
    np.testing.assert_allclose(Sxx, np.eye(n), rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.linalg.svd(Syx, compute_uv=False), spectrum(*tree), rtol=0, atol=1e-12)
    for data in (plain, whitened):
        np.testing.assert_allclose(data.Y, data.X @ data.teacher.T, rtol=0, atol=1e-13)


@given(tree=trees)
def test_items_share_the_properties_of_their_common_ancestors(tree):
    branching, depth = tree
    _, Y = hierarchical(*tree)
    items = np.arange(branching**depth)
    shared = sum(
        (items[:, None] // branching**height == items // branching**height).astype(int)
        for height in range(depth + 1)
    )
    np.testing.assert_array_equal(Y @ Y.T, shared)


def test_binary_tree_of_depth_two():
    _, Y = hierarchical(2, 2)
    expected = [[1, 1, 0, 1, 0, 0, 0], [1, 1, 0, 0, 1, 0, 0], [1, 0, 1, 0, 0, 1, 0], [1, 0, 1, 0, 0, 0, 1]]
    np.testing.assert_array_equal(Y, expected)
    np.testing.assert_allclose(hierarchy_singular_values(2, 2) ** 2, [7, 3, 1], rtol=1e-15)


def test_large_trees_have_spectra_though_no_matrix():
    values = hierarchy_singular_values(10, 300)
    assert values[0] == pytest.approx(np.sqrt(10 / 9) * 1e150, rel=1e-14)
    assert values[-1] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hierarchical(0, 2), "branching: expected an integer"),
        (lambda: hierarchical(2, -1), "depth: expected an integer"),
        (lambda: hierarchical(2.0, 1), "branching: expected an integer"),
        (lambda: hierarchical(2, 30), "too large to hold"),
        (lambda: hierarchical(2, 10**9), "depth: expected at most"),
        (lambda: hierarchy_singular_values(10, 700), "overflow"),
        (lambda: hierarchy_multiplicities(10, 30), "overflow"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
