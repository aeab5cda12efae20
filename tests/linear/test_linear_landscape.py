"""Critical points against dense eigenvalues, gauge moves, and numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_cases import EPS, seeds, sizes

from toymodels import AssumptionError, InputError, TwoLayerLinear
from toymodels.linear import critical_spectrum, gauge, interpolating_spectrum, morse_index

SHAPES = [(3, 3, 2), (4, 2, 3), (2, 4, 3), (5, 3, 2), (3, 3, 5), (1, 1, 1), (1, 3, 2), (3, 1, 4)]


def haar(rng, k):
    return np.linalg.qr(rng.standard_normal((k, k)))[0]


def whitened(S, m, extra=0.0):
    return TwoLayerLinear.from_statistics(np.eye(S.shape[1]), S, float(np.sum(S * S)) + extra, width=m)


def spaced_target(rng, c, d):
    """A target with singular values 1 apart, so that no eigenvalue is near zero by accident."""
    s = np.arange(min(c, d), 0.0, -1.0) + rng.uniform(0, 0.3)
    return (haar(rng, c)[:, : len(s)] * s) @ haar(rng, d)[:, : len(s)].T


@pytest.mark.parametrize("d, c, m", SHAPES)
@given(seed=seeds)
@settings(max_examples=5)
def test_spectrum_of_every_critical_point(d, c, m, seed):
    rng = np.random.default_rng(seed)
    problem = whitened(spaced_target(rng, c, d), m, extra=rng.random())
    bound = 64 * EPS * problem.size * problem.modes.s[0]
    for point in problem.critical_points():
        theta = point.theta(gauge=haar(rng, m))
        assert np.abs(problem.gradient(theta)).max() <= bound * problem.modes.s[0]
        assert np.abs(np.linalg.eigvalsh(problem.hessian(theta)) - point.spectrum()).max() <= bound
        assert abs(problem.loss(theta) - point.loss) <= bound * problem.modes.s[0]
        assert point.morse_index == np.count_nonzero(point.spectrum() < 0)


@pytest.mark.parametrize("d, c, m", SHAPES)
@given(seed=seeds)
@settings(max_examples=5)
def test_index_along_the_gauge_orbit_with_filled_units_and_any_inputs(d, c, m, seed):
    rng = np.random.default_rng(seed)
    mix = haar(rng, d) * rng.uniform(0.5, 2, d)
    X = np.linalg.qr(rng.standard_normal((12, d)))[0] @ mix
    Y = X @ np.linalg.solve(mix, spaced_target(rng, c, d).T) + 0.1 * rng.standard_normal((12, c))
    problem = TwoLayerLinear(X, Y, width=m)
    for point in problem.critical_points():
        T = haar(rng, m) * rng.uniform(0.5, 2, m)
        theta = point.theta(gauge=T, fill=rng)
        scale = np.abs(problem.hessian(theta)).max()
        assert np.abs(problem.gradient(theta)).max() <= 1e-12 * max(scale, 1)
        assert abs(problem.loss(theta) - point.loss) <= 1e-12 * max(scale, 1)
        eigenvalues = np.linalg.eigvalsh(problem.hessian(theta))
        assert point.morse_index == np.count_nonzero(eigenvalues < -1e-9 * np.abs(eigenvalues).max())
        assert point.is_global_minimum == (point.morse_index == 0)


def test_indices_and_losses_by_hand():
    # s = 3, 2, 1 and two units: an empty unit falls along every mode left, a full one along stronger modes
    problem = whitened(np.diag([3.0, 2.0, 1.0]), 2)
    table = {p.subset: (p.morse_index, p.loss) for p in problem.critical_points()}
    assert {subset: index for subset, (index, _) in table.items()} == {
        (): 6, (0,): 2, (1,): 3, (2,): 4, (0, 1): 0, (0, 2): 1, (1, 2): 2,
    }  # fmt: skip
    losses = {(): 7.0, (0,): 2.5, (1,): 5.0, (2,): 6.5, (0, 1): 0.5, (0, 2): 2.0, (1, 2): 4.5}
    assert {subset: pytest.approx(loss, rel=32 * EPS) for subset, (_, loss) in table.items()} == losses


def test_spectra_by_hand():
    # the origin: ±s_k for each unit; a bottleneck minimum keeps s_1 ± s_2
    assert critical_spectrum([3.0, 1.0], (), width=2, c=2, d=2).tolist() == [-3, -3, -1, -1, 1, 1, 3, 3]
    assert critical_spectrum([3.0, 1.0], (0,), width=1, c=2, d=2).tolist() == [0, 2, 4, 6]
    assert critical_spectrum([3.0], (0,), width=1, c=1, d=3).tolist() == [0, 3, 3, 6]


@given(c=sizes, d=sizes, seed=seeds)
@settings(max_examples=30)
def test_critical_values_are_those_of_baldi_and_hornik(c, d, seed):
    rng = np.random.default_rng(seed)
    X, Y = haar(rng, d + 8)[:, :d] * rng.uniform(1, 3, d), rng.standard_normal((d + 8, c))
    problem = TwoLayerLinear(X, Y, width=1)
    Sxx, Syx, tyy = problem.statistics
    values = np.linalg.eigvalsh(Syx @ np.linalg.solve(Sxx, Syx.T))[::-1][: min(c, d)]
    assert problem.modes.s**2 == pytest.approx(values, rel=1e-9, abs=1e-12 * tyy)
    for point in problem.critical_points():
        learned = sum(values[k] for k in point.subset)
        assert point.loss == pytest.approx((tyy - learned) / 2, abs=1e-12 * tyy)


def test_ill_conditioned_inputs_keep_their_modes():
    # Sxx has condition number 1e14, X only 1e7
    X = np.diag([1.0, 1e-7, 0.0, 0.0])[:, :2]
    problem = TwoLayerLinear(
        X, np.array([[3.0, 0.0], [0.0, 2.0], [0, 0], [0, 0]]), width=2, weights=np.ones(4)
    )
    assert problem.modes.s == pytest.approx([3.0, 2.0], rel=1e-8)
    # the minimum itself is 2e7 large, and rounds at that size
    assert problem.loss(problem.global_minimum()) <= (1e-8) ** 2


@pytest.mark.parametrize("d, m, c", [(4, 5, 3), (3, 2, 5), (4, 4, 4), (3, 1, 2), (1, 1, 1), (2, 3, 1)])
@given(seed=seeds)
@settings(max_examples=10)
def test_spectrum_where_the_data_are_fitted(d, m, c, seed):
    rng = np.random.default_rng(seed)
    W1, W2 = rng.standard_normal((m, d)), rng.standard_normal((c, m))
    bound = 128 * EPS * (m + c + d) ** 2 * (np.linalg.norm(W1) + np.linalg.norm(W2)) ** 2
    problem = whitened(W2 @ W1, m)
    dense = np.linalg.eigvalsh(problem.hessian(problem.pack(W1, W2)))
    assert np.abs(interpolating_spectrum(W1, W2) - dense).max() <= bound
    X = rng.standard_normal((d + 3, d))
    general = TwoLayerLinear(X, X @ (W2 @ W1).T, width=m, weights=np.ones(d + 3))
    dense = np.linalg.eigvalsh(general.hessian(general.pack(W1, W2)))
    error = np.abs(interpolating_spectrum(W1, W2, rows=X) - dense).max()
    assert error <= bound * np.linalg.norm(X) ** 2
    if d > 1:
        assert np.abs(interpolating_spectrum(W1, W2) - dense).max() > 1e-6


@given(c=sizes, d=sizes, seed=seeds)
@settings(max_examples=40)
def test_the_flattest_minima_are_the_balanced_ones(c, d, seed):
    rng = np.random.default_rng(seed)
    m = min(c, d)
    problem = whitened(spaced_target(rng, c, d), m)
    s = problem.modes.s[0]
    bound = 64 * EPS * problem.size * s
    flattest = problem.global_minimum(rotation=haar(rng, m))
    assert abs(problem.sharpness(flattest) - 2 * s) <= bound
    assert np.abs(problem.imbalance(flattest)).max() <= bound
    T = haar(rng, m) * rng.uniform(0.3, 3, m)
    assert problem.sharpness(problem.gauge(flattest, T)) >= 2 * s - 16 * bound
    for lam in (0.7, -3.0):
        sharpness = problem.sharpness(problem.global_minimum(lam))
        assert abs(sharpness - np.hypot(2 * s, lam)) <= 4 * bound
        assert sharpness > 2 * s + 1e-3


def test_the_global_minimum_of_a_bottleneck_learns_the_strongest_modes():
    rng = np.random.default_rng(4)
    problem = TwoLayerLinear(rng.standard_normal((20, 4)), rng.standard_normal((20, 3)), width=2)
    theta = problem.global_minimum()
    assert np.abs(problem.gradient(theta)).max() <= 1e-13
    best = min(point.loss for point in problem.critical_points())
    assert problem.loss(theta) == pytest.approx(best, rel=1e-13)


def test_equal_modes_come_in_families():
    with pytest.raises(AssumptionError, match="distinct"):
        whitened(np.diag([2.0, 2.0]), 1).critical_points()


def test_spectra_need_whitened_inputs():
    problem = TwoLayerLinear.from_statistics(2 * np.eye(2), np.eye(2) * [2, 1], 9.0, width=2)
    with pytest.raises(AssumptionError, match="whitened"):
        problem.critical_points()[0].spectrum()
    with pytest.raises(AssumptionError, match="not all zero"):
        TwoLayerLinear(np.zeros((2, 2)), np.ones(2), width=1).critical_points()


@given(c=sizes, d=sizes, rank=st.integers(0, 5), decades=st.integers(0, 5), seed=seeds)
@settings(max_examples=60)
def test_modes_below_rounding_are_zero(c, d, rank, decades, seed):
    rng = np.random.default_rng(seed)
    rank = min(rank, c, d)
    spectrum = 10.0 ** -np.linspace(0, decades, d)
    X = np.linalg.qr(rng.standard_normal((d + 3, d)))[0] * spectrum @ haar(rng, d)
    fitted = np.linalg.svd(X, full_matrices=False)[0] @ haar(rng, d)[:, :rank]
    Y = fitted * np.arange(1, rank + 1) @ haar(rng, c)[:, :rank].T
    samples = TwoLayerLinear(X, Y, width=2, weights=np.ones(len(X)))
    for problem in (samples, TwoLayerLinear.from_statistics(*samples.statistics, width=2)):
        modes = problem.modes
        assert modes.positive == rank
        assert np.abs(modes.s[:rank] - np.arange(rank, 0, -1)).max(initial=0) <= modes.rounding


def test_rank_deficient_inputs_are_not_whitened():
    problem = TwoLayerLinear.from_statistics(np.diag([1.0, 0.0]), [[1.0, 0.0]], 1.0, width=1)
    assert [point.morse_index for point in problem.critical_points()] == [1, 0]
    with pytest.raises(AssumptionError, match="whitened"):
        problem.critical_points()[0].spectrum()


def test_empty_units_are_filled_on_both_sides():
    problem = whitened(np.diag([3.0, 2.0, 1.0]), 5)
    point = problem.critical_points()[-1]
    W1, W2 = problem.unpack(point.theta(fill=0))
    assert np.linalg.norm(W2[:, 3]) > 0.1 and not W1[3].any()
    assert np.linalg.norm(W1[4]) > 0.1 and not W2[:, 4].any()
    bare = problem.unpack(point.theta())
    assert not bare[0][3:].any() and not bare[1][:, 3:].any()


def test_a_missing_mode_is_no_critical_point():
    problem = whitened(np.diag([2.0, 0.0]), 2)
    assert [p.subset for p in problem.critical_points()] == [(), (0,)]
    assert [p.morse_index for p in problem.critical_points()] == [2, 0]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: morse_index([1.0, 2.0], (2,), 1), "subset: expected up to 1 different modes below 2"),
        (lambda: morse_index([1.0, 2.0], (0, 1), 1), "subset: expected up to 1"),
        (lambda: morse_index([1.0, 2.0], (0, 0), 2), "subset: expected up to 2 different"),
        (lambda: morse_index([1.0, 2.0], (-1,), 2), "subset: expected an integer >= 0"),
        (lambda: morse_index([1.0, 2.0], 1, 2), "subset: expected a tuple"),
        (lambda: morse_index([1.0, -2.0], (), 2), "s: expected singular values >= 0"),
        (lambda: morse_index([1.0], (), 0), "width: expected an integer"),
        (lambda: critical_spectrum([1.0], (), width=1, c=2, d=2), "s: expected 2 singular values"),
        (lambda: critical_spectrum([1.0], (), width=1, c=0, d=2), "c: expected an integer"),
        (lambda: interpolating_spectrum(np.eye(2), np.eye(3)), "W2: expected 2 columns"),
        (lambda: interpolating_spectrum(np.eye(2), np.eye(2), rows=np.eye(3)), "rows: expected 2 columns"),
        (lambda: interpolating_spectrum(np.ones(2), np.eye(2)), "W1: expected 2 dimension"),
    ],
)
def test_bad_questions_about_the_landscape(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_gauge_is_the_one_of_the_factors():
    problem = whitened(np.diag([2.0, 1.0]), 2)
    point, T = problem.critical_points()[-1], np.array([[2.0, 1.0], [0.0, 1.0]])
    moved = problem.pack(*gauge(*problem.unpack(point.theta()), T))
    assert point.theta(gauge=T) == pytest.approx(moved, rel=8 * EPS)
    assert np.array_equal(problem.gauge(point.theta(), T), moved)
