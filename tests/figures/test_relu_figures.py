"""Dots and lines of the figures of ReLU networks agree, and the marks are where the page says."""

import numpy as np
import pytest
from toymodels.figures import (
    class_sizes,
    condensation_on_the_circle,
    deaths_of_neurons,
    early_stage,
    margin_limits,
    neurons_through_cells,
    partition_census,
    pattern_counts,
    saddle_to_saddle,
    timeline_regimes,
    two_direction_timeline,
)

SIGMAS = 5


def within_sampling(found, expected, runs):
    """Frequencies of a probability, within five standard deviations and one count."""
    return np.abs(found - expected) <= SIGMAS * np.sqrt(expected * (1 - expected) / runs) + 1 / runs


def test_frequencies_are_those_of_the_laws():
    data = class_sizes.arrays(400)
    assert within_sampling(data["simulated_law"], data["closed_form_law"], 400).all()
    assert within_sampling(data["simulated_empty"], data["closed_form_empty"], 400).all()
    assert (data["bound"] >= data["empty_probability"][:, 0]).all()
    np.testing.assert_allclose(data["simulated_law"].sum(1), 1)


def test_neurons_condense_where_the_basins_say():
    m, steps = condensation_on_the_circle.SIZES["quick"]
    data = condensation_on_the_circle.arrays(m, steps)
    assert within_sampling(data["simulated_shares"], data["closed_form_shares"], m // 2).all()
    np.testing.assert_allclose(data["arc_length"] / (2 * np.pi), data["probabilities"], rtol=1e-12)
    for sign in (1, -1):
        own = data["attractor_sign"] == sign
        assert data["closed_form_shares"][own].sum() == pytest.approx(1)
        for angle in data["attractor_angle"][own & ~data["attractor_is_dead"]]:
            P = sign * condensation_on_the_circle.potential(angle + np.array([-0.01, 0.0, 0.01]))
            assert P[1] > max(P[0], P[2])


def test_descent_dies_early_or_late_by_the_learning_rate():
    data = deaths_of_neurons.arrays((0.1, 0.05))
    coarse, fine = data["simulated_times"] - data["exact_times"]
    assert len(coarse) >= 5
    np.testing.assert_allclose(2 * fine - coarse, 0, atol=0.05 * np.abs(coarse).max())
    assert (np.abs(coarse) > 1.5 * np.abs(fine)).all()
    first = data["preactivations"][0] > 0
    last = data["preactivations"][-1] > 1e-9
    assert first.all()
    assert (~last).sum() == len(data["deaths_on_sample"])
    assert last.any()


def test_the_early_decrease_exceeds_its_bound_for_any_number_of_samples():
    data = early_stage.arrays((1, 30))
    assert (data["decreases"] >= data["bounds"]).all()
    assert (data["bounds"][-1] > 0).all()
    assert data["losses"][0] == pytest.approx(np.log(2), abs=1e-3)
    assert (data["losses"][-1] < 0.1).all()


def test_margins_tend_to_their_limits_along_the_timeline():
    data = margin_limits.arrays(*margin_limits.SIZES["quick"])
    on_curve = np.interp(data["hidden_log_loss"][0], data["curve_log_loss"][0], data["curve_margin"][0])
    # the descent takes steps of 0.25, and starts at a scale of 0.01
    np.testing.assert_allclose(data["hidden_margin"][0], on_curve, rtol=0.02)
    for way in ("hidden", "both"):
        limit = np.ravel(data[f"{way}_limit" if way == "both" else "hidden_limits"])[0]
        short = limit - data[f"{way}_margin"][0]
        assert (np.diff(short) < 0).all()
        assert 0 < short[-1] < 0.006
    assert (data["hidden_limits"] < data["all_alive_limit"]).all()


def test_living_neurons_stand_on_the_rays_and_the_dead_stand_still():
    data = neurons_through_cells.arrays(20)
    W, sign = data["neurons"], np.sign(data["output"])
    moved = np.linalg.norm(W[-1] - W[2], axis=-1) > 1e-9
    for own, ray in ((sign > 0, "perp_minus"), (sign < 0, "perp_plus")):
        group = W[-1][own & moved]
        cosines = group @ data[ray] / np.linalg.norm(group, axis=-1)
        assert len(group) > 0
        assert cosines.min() > 0.98
    assert (data["gates"][-1][~moved] == 0).all()
    assert 0 < (~moved).sum() < len(W[0])


def test_the_census_is_monotone_on_separable_data_alone():
    data = partition_census.arrays(partition_census.STEPS["quick"])
    np.testing.assert_allclose(data["numbers"].sum(-1), partition_census.M)
    separable, mixed = (np.diff(data["numbers"][:, k], axis=0) for k in (0, 1))
    grows = np.array([1, -1, -1, 1])
    assert (separable * grows >= 0).all()
    assert (mixed * grows < 0).any(0).all()
    margins = data["smallest_margins"]
    assert (margins[1:, 0] >= data["bound"][1:]).all()
    assert (np.diff(margins[:, 0]) >= 0).all()
    assert (margins[1:, 1] < data["bound"][1:]).any()
    assert margins[:, 1].min() < margins[0, 1] - 0.1


def test_cells_are_counted_and_patterns_found():
    data = pattern_counts.arrays(4, 7)
    np.testing.assert_array_equal(data["simulated_cells"], data["closed_form_cells"])
    # the variance of the number of occupied patterns is at most its mean
    expected = data["closed_form_occupied"]
    assert (np.abs(data["simulated_occupied"] - expected) <= SIGMAS * np.sqrt(expected / 4)).all()
    np.testing.assert_array_equal(data["patterns"], [16, 58, 256])


def test_the_staircase_falls_at_its_exits():
    data = saddle_to_saddle.arrays(saddle_to_saddle.STEPS["quick"])
    sharpest = data["curves"][:, -1]
    for c, rate in enumerate(np.sqrt(saddle_to_saddle.COUNTS) / 8):
        half = np.interp(0.5, sharpest[:, c], data["tau"])
        assert half == pytest.approx(1 / rate, rel=0.03)
        assert data["limit_exits"][c] == pytest.approx(1 / rate)
    np.testing.assert_allclose(data["limit_loss"], [1 / 2, 1 / 2, 1 / 8, 1 / 8, 0, 0], atol=1e-15)


def test_flows_end_in_the_regimes_of_the_timeline():
    data = timeline_regimes.arrays(*timeline_regimes.GRIDS["quick"])
    np.testing.assert_array_equal(data["simulated_regime"], data["closed_form_regime"])
    np.testing.assert_array_equal(np.unique(data["simulated_regime"]), [0, 1, 2])
    c, (steep, _) = data["c"], data["path"]
    np.testing.assert_allclose(steep[c * timeline_regimes.RATIOS[0] <= 1], 1)


def test_the_flow_follows_the_timeline():
    data = two_direction_timeline.arrays(*two_direction_timeline.STARTS["quick"])
    # the timeline is the limit of small starts, here of size 0.001
    np.testing.assert_allclose(data["simulated_loss"], data["closed_form_loss"], rtol=2e-3)
    away = np.abs(np.log(data["dotted"] / data["events"][1, 0])) > 0.01
    np.testing.assert_allclose(data["simulated_accuracy"][away], data["closed_form_accuracy"][away])
    np.testing.assert_allclose(data["events"][0], [286.9, 3424.4, 3686.7], atol=0.05)
    assert data["plateau"] == pytest.approx(0.8)
