"""The four kinds partition the neurons on every sample; masses, classes, and who is counted where."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relu_cases import problems, seeds, sizes

from toymodels import InputError, TwoLayerReLU
from toymodels.relu import KINDS, Partition


@given(case=problems(runs=True))
@settings(max_examples=60)
def test_kinds_are_what_the_signs_say(case):
    problem, theta = case
    found = problem.partition(theta)
    W, a = problem.layers(theta)
    a = np.broadcast_to(a, W.shape[:-1])
    for run in range(3):
        for k in range(problem.width):
            for i in range(problem.n):
                letters = ("T" if a[run, k] * problem.targets[i] > 0 else "F") + (
                    "L" if W[run, k] @ problem.inputs[i] > 0 else "D"
                )
                assert found.names[run, k, i] == letters == KINDS[found.kinds[run, k, i]]


@given(case=problems(runs=True))
@settings(max_examples=60)
def test_the_kinds_partition_the_neurons(case):
    problem, theta = case
    found = problem.partition(theta)
    masks = [found.true_living, found.true_dead, found.false_living, found.false_dead]
    assert (np.sum(masks, axis=0) == 1).all()
    assert (found.counts.sum(-1) == problem.width).all()
    assert (found.counts == problem.census(theta)).all()
    for kind, mask in enumerate(masks):
        assert ((found.kinds == kind) == mask).all()
        assert (mask.sum(-2) == found.counts[..., kind]).all()


@given(case=problems(losses=("logistic", "exponential")))
@settings(max_examples=30)
def test_targets_and_residuals_agree_on_labels(case):
    problem, theta = case
    by_targets, by_residuals = problem.partition(theta), problem.partition(theta, by="residuals")
    assert (by_targets.kinds == by_residuals.kinds).all()


def test_a_vanished_slope_still_has_the_sign_of_its_label():
    problem = TwoLayerReLU([[1.0]], [1.0], output=[1.0], loss="exponential")
    assert problem.gradient(np.array([1e4]))[0] == 0
    assert problem.partition(np.array([1e4]), by="residuals").names.tolist() == [["TL"]]


def test_residuals_of_the_square_loss_turn_when_the_output_passes_the_target():
    problem = TwoLayerReLU([[1.0]], [1.0], output=[1.0])
    names = [problem.partition([w], by="residuals").names[0, 0] for w in (0.5, 1.0, 1.5)]
    assert names == ["TL", "neutral", "FL"]
    assert [problem.partition([w]).names[0, 0] for w in (0.5, 1.0, 1.5)] == ["TL"] * 3


@given(n=sizes, m=sizes, seed=seeds)
@settings(max_examples=40)
def test_masses(n, m, seed):
    rng = np.random.default_rng(seed)
    gates, a = rng.integers(0, 2, (m, n)), rng.integers(-3, 4, m)
    y = rng.choice([-1.0, 1.0], n)
    found = Partition.of(gates, a, y)
    for i in range(n):
        assert found.living_mass[i] == sum(a[k] ** 2 for k in range(m) if gates[k, i])
        assert found.true_living_mass[i] == sum(
            a[k] ** 2 for k in range(m) if gates[k, i] and a[k] * y[i] > 0
        )
    for sign in (1, -1):
        members = y == sign
        on_all = [k for k in range(m) if a[k] * sign > 0 and gates[k, members].all()]
        if members.any():
            assert found.class_mass(members) == sum(a[k] ** 2 for k in on_all)
            assert found.class_mass(np.flatnonzero(members)) == found.class_mass(members)
    assert (found.dead == (gates == 0).all(-1)).all()


@given(n=sizes, m=st.integers(1, 30), seed=seeds)
@settings(max_examples=40)
def test_classes_group_the_neurons_of_one_pattern(n, m, seed):
    gates = np.random.default_rng(seed).integers(0, 2, (m, n))
    found = Partition.of(gates, np.ones(m), np.ones(n))
    classes = found.classes()
    assert (classes.patterns[classes.members] == gates).all()
    assert [tuple(p) for p in classes.patterns.tolist()] == sorted({tuple(row) for row in gates.tolist()})
    assert classes.sizes.sum() == m and (classes.sizes > 0).all()
    assert len(classes.sizes) == found.occupied
    assert (classes.membership.sum(0) == 1).all()
    assert (classes.membership @ gates == classes.sizes[:, None] * classes.patterns).all()


def test_zero_weights_and_zero_targets_are_neutral():
    found = Partition.of([[1, 0], [1, 1]], [0.0, -1.0], [1.0, 0.0])
    assert found.names.tolist() == [["neutral", "neutral"], ["FL", "neutral"]]
    assert found.counts.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0]]
    assert found.true_living_mass.tolist() == [0.0, 0.0] and found.living_mass.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([[2, 0]], [1.0], [1.0, 1.0]), "gates: expected zeros and ones"),
        (([1, 0], [1.0], [1.0, 1.0]), "gates: expected zeros and ones"),
        (([[1, 0]], [1.0, 2.0], [1.0, 1.0]), r"a, signs: expected shapes \(..., 1\) and \(..., 2\)"),
        (([[1, 0]], [1.0], [1.0]), "a, signs: expected shapes"),
    ],
)
def test_bad_partitions(arguments, message):
    with pytest.raises(InputError, match=message):
        Partition.of(*arguments)


def test_classes_are_asked_of_one_run():
    found = Partition.of(np.ones((2, 3, 1), int), np.ones(3), np.ones(1))
    assert found.occupied.tolist() == [1, 1]
    with pytest.raises(InputError, match="classes: expected the partition of one run"):
        found.classes()
