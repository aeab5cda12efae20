import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from toymodels.errors import InputError
from toymodels.solutions import one_neuron, one_neuron_phase
from toymodels.solutions.one_neuron_start import imbalance

sizes = st.floats(-1.5, 1.5).map(lambda x: round(x, 4))


@settings(max_examples=30, deadline=None)
@given(st.lists(sizes, min_size=3, max_size=3), sizes, st.sampled_from(((1.0, 1.0), (0.5, 2.0), (3.0, 1.0))))
def test_the_phase_equations_reproduce_the_flow(w0, a0, rates):
    w0, b = np.array(w0), np.array([0.3, -1.0, 0.5])
    s, delta = np.linalg.norm(b), imbalance(w0, a0, rates)
    start = one_neuron_phase.phase(w0, a0, b)
    times = np.linspace(0, 1.5, 4)
    w, a = one_neuron.flow(w0, a0, b, times, rates)
    mu, phi = one_neuron_phase.phase(w, a, b)
    # w has a direction all the way, and the output weight, which phi' divides by, no zero
    assume(np.abs(mu).min() > 0.05 and np.linalg.norm(w0) > 0.1 and (np.sign(mu) == np.sign(mu[0])).all())
    velocity = lambda t, q: one_neuron_phase.phase_velocities(q[0], q[1], s, delta, rates)
    path = solve_ivp(velocity, (0, 1.5), start, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times)
    np.testing.assert_allclose((mu, phi), path.y, atol=1e-8)


@settings(max_examples=100, deadline=None)
@given(st.lists(sizes, min_size=2, max_size=2), sizes, st.floats(0, 6))
def test_the_ratio_is_that_of_the_flow(w0, a0, t):
    w0, b = np.array(w0), np.array([0.6, 0.8])
    assume(abs(a0) > 1e-2)
    w, a = one_neuron.flow(w0, a0, b, t)
    assume(abs(a) > 1e-3)
    nu = one_neuron_phase.ratio(w0 @ b / a0, 1.0, imbalance(w0, a0), t)
    # an error of nu0 is handed on by (a0/a)^2 times the decay of the linear flow
    slack = 1e-14 * (1 + abs(w0 @ b / a0)) * (1 + nu * nu) / a**2
    assume(slack < 1e-3)
    assert nu == pytest.approx(w @ b / a, abs=slack + 1e-13)


def test_the_ratio_at_its_ends():
    assert one_neuron_phase.ratio(-5.0, 1.0, 0.0, np.inf) == 1.0
    # on the separatrix nu = -(kappa + delta/2) stays; s = 3, delta = -8: kappa + delta/2 = 1
    np.testing.assert_array_equal(one_neuron_phase.ratio(-1.0, 3.0, -8.0, [0.0, np.inf]), -1.0)
    assert one_neuron_phase.ratio(0.0, 0.0, 0.0, np.inf) == 0.0
    assert one_neuron_phase.ratio(2.0, 0.0, 0.0, 1.5) == 0.5
    assert np.isinf(one_neuron_phase.ratio(-2.0, 0.0, 0.0, 0.5))
    np.testing.assert_allclose(
        one_neuron_phase.ratio(0.5, 1e-160, 1e-150, [1.0, 4.0]), [1 / 3, 1 / 6], rtol=1e-14
    )


def test_angles_without_direction_are_zero_and_sizes_do_not_matter():
    mu, phi = one_neuron_phase.phase(np.array([[0.0, 0.0], [3e-200, 4e-200]]), 2.0, [0.0, 1e200])
    np.testing.assert_allclose(mu, [0.0, 1e-199])
    np.testing.assert_allclose(phi, [0.0, 0.8])


def test_upstream_turns_by_a_over_w():
    # a/|w| = 1e8: 2 mu / (spread - delta) would be 0/0
    a, r = 1e4, 1e-4
    moved = one_neuron_phase.phase_velocities(a * r, 0.5, 1.0, a * a - r * r)
    assert moved[1] == pytest.approx(a / r * 0.75, rel=1e-12)


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: one_neuron_phase.phase_velocities(0.0, 0.5, 1.0, 1.0), "mu"),
        (lambda: one_neuron_phase.ratio(1.0, -1.0, 0.0, 1.0), "s"),
        (lambda: one_neuron_phase.phase([1.0], 1.0, 1.0), "target"),
        (lambda: one_neuron_phase.ratio(1.0, 1.0, 0.0, -1.0), "t"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(InputError, match=word):
        call()
