"""Iterates settle on the exact branches where these are stable, and the exponents are theirs."""

import numpy as np
import pytest
from toymodels.figures.bifurcation_diagram import SETTLE, attractor, branches, exponents


@pytest.fixture(scope="module")
def data():
    return attractor(200) | branches() | exponents(2000)


def test_iterates_lie_on_the_stable_branch(data):
    rho, orbit = data["rho"], np.abs(data["iterates"])
    # SETTLE steps leave nothing above rounding where the multiplier is below this.
    fixed = np.interp(rho, data["fixed_rho"], np.abs(data["fixed_slope"])) < 1e-16 ** (1 / SETTLE)
    assert 80 < fixed.sum() < 100
    np.testing.assert_allclose(orbit[..., fixed] / np.sqrt(rho[fixed]), 1, rtol=1e-12)
    cycled = (rho > 1.01) & (rho < 1.23)
    z = np.sort(orbit[-2:, :, cycled], axis=0)
    np.testing.assert_allclose(z[0] * z[1], 1, rtol=1e-11)
    np.testing.assert_allclose((z**2).sum(0), 1 + np.broadcast_to(rho[cycled], z[0].shape), rtol=1e-11)


def test_starts_of_both_signs_give_mirrored_orbits_and_stay_bounded(data):
    orbit, rho = data["iterates"], data["rho"]
    settled = rho < 1.23
    np.testing.assert_array_equal(orbit[:, 0, settled], -orbit[:, 1, settled])
    assert (np.abs(orbit) <= np.sqrt(2 + rho)).all()
    assert np.abs(orbit[..., rho > 1.95]).max() > 1.9


def test_measured_exponents_are_the_exact_ones_where_orbits_have_settled(data):
    exact = data["closed_form_exponents"]
    measured = data["simulated_exponents"][: len(exact)]
    np.testing.assert_array_equal(data["exponent_rho"][: len(exact)], data["known_rho"])
    settled = exact * SETTLE < -40
    assert settled.sum() >= 12
    np.testing.assert_allclose(measured[settled], exact[settled], rtol=0, atol=1e-9)
    # Elsewhere the transient of the slope, less than one, is averaged away.
    assert np.abs(measured - exact).max() < 0.01


def test_chaos_is_reached_below_its_largest_exponent(data):
    chaotic = data["simulated_exponents"][-5:]
    assert (chaotic > 0.5).all()
    assert (chaotic < np.log(3)).all()


def test_branches_are_fixed_and_exchange_stability_at_one(data):
    stable = np.abs(data["fixed_slope"]) <= 1
    assert data["fixed_rho"][stable].max() == pytest.approx(1, abs=0.006)
    stable = np.abs(data["cycle_multiplier"]) <= 1
    assert data["cycle_rho"][stable].max() == pytest.approx(np.sqrt(5) - 1, abs=0.003)
