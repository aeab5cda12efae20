"""The lines are the logistic curves; the marks are where the page says."""

import numpy as np
import pytest
from toymodels.figures.hierarchy_mode_by_mode import END, POINTS, U0, arrays


@pytest.fixture(scope="module")
def runs():
    return [arrays(k * POINTS) for k in (4, 8)]


def test_all_runs_share_times_and_closed_form(runs):
    coarse, fine = runs
    np.testing.assert_allclose(coarse["t"], np.linspace(0, END, POINTS + 1), rtol=1e-12, atol=0)
    np.testing.assert_allclose(coarse["t"], fine["t"], rtol=1e-12, atol=0)
    np.testing.assert_allclose(coarse["closed_form_modes"], fine["closed_form_modes"], rtol=0, atol=1e-10)


def test_lines_are_the_logistic_curves_and_the_loss_is_theirs(runs):
    data = runs[0]
    s = np.sqrt([7, 3, 1, 1])
    t = data["t"][:, None]
    logistic = s / (1 + (s / U0 - 1) * np.exp(-2 * s * t))
    np.testing.assert_allclose(data["closed_form_modes"], logistic, rtol=0, atol=1e-10)
    np.testing.assert_allclose(data["closed_form_loss"], ((s - logistic) ** 2).sum(1) / 2, rtol=0, atol=1e-10)


def test_marks(runs):
    data = runs[0]
    s = np.sqrt([7, 3, 1, 1])
    np.testing.assert_allclose(data["singular_values"], s, rtol=1e-13)
    np.testing.assert_allclose(data["half_times"], np.log(s / U0 - 1) / (2 * s), rtol=1e-10)
    np.testing.assert_allclose(data["plateaus"], [6, 2.5, 1, 0], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(data["modes_learned"], [0, 1, 2, 4])
