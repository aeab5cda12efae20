"""Losses of one output: values, slopes and curvatures, far into both tails."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels import InputError
from toymodels.losses import LOSSES

outputs, labels = st.floats(-1e3, 1e3), st.sampled_from([-1.0, 1.0])


def exact(name, f, y):
    """Value, slope and curvature in f, to sixty digits."""
    import mpmath

    with mpmath.workdps(60):
        f, y = mpmath.mpf(f), mpmath.mpf(y)
        q = y * f
        if name == "square":
            return float((f - y) ** 2 / 2), float(f - y), 1.0
        e = mpmath.exp(-q)
        if name == "exponential":
            return tuple(_float(x) for x in (e, -y * e, e))
        return tuple(_float(x) for x in (mpmath.log1p(e), -y * e / (1 + e), e / (1 + e) ** 2))


def _float(x):
    """The nearest float; infinite where there is none as large."""
    try:
        return float(x)
    except OverflowError:
        return np.inf if x > 0 else -np.inf


@pytest.mark.parametrize("name", LOSSES)
@given(outputs, labels)
def test_they_keep_their_digits_at_any_margin(name, f, y):
    loss, tiny = LOSSES[name], np.finfo(float).tiny
    found = loss.value(np.float64(f), y), loss.slope(np.float64(f), y), loss.curvature(np.float64(f), y)
    assert found == pytest.approx(exact(name, f, y), rel=1e-13, abs=tiny)


@pytest.mark.parametrize("name", LOSSES)
@given(st.floats(-600, 600), labels)
def test_slopes_and_curvatures_are_complex_steps(name, f, y):
    loss, step = LOSSES[name], 1e-30
    slope, curvature = (np.imag(part(f + 1j * step, y)) / step for part in (loss.value, loss.slope))
    f = np.float64(f)
    expected = loss.slope(f, y), float(loss.curvature(f, y))
    assert (slope, curvature) == pytest.approx(expected, rel=1e-12, abs=1e-290)


@pytest.mark.parametrize("name", LOSSES)
def test_arrays_broadcast(name):
    f, y = np.linspace(-1, 1, 6).reshape(2, 3), np.array([1.0, -1.0, 1.0])
    for part in (LOSSES[name].value, LOSSES[name].slope, LOSSES[name].curvature):
        assert part(f, y).shape == (2, 3)


def test_labels_are_signs():
    LOSSES["square"].check_targets(np.array([0.5, 3.0]))
    for name in ("logistic", "exponential"):
        LOSSES[name].check_targets(np.array([1.0, -1.0]))
        with pytest.raises(InputError, match="y: expected labels -1 or"):
            LOSSES[name].check_targets(np.array([1.0, 0.5]))
