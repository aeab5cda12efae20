import neuron_oracle as oracle
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.solutions import one_neuron, one_neuron_limits
from toymodels.solutions.one_neuron_start import imbalance


@settings(max_examples=200, deadline=None)
@given(oracle.starts())
def test_the_limit_is_the_flow_at_infinity(start):
    reached, limit = one_neuron.flow(*start, np.inf), one_neuron_limits.limit(*start)
    size = np.linalg.norm(reached[0]) + abs(reached[1])
    np.testing.assert_allclose(np.append(*reached), np.append(*limit), atol=1e-14 * size + 1e-300)
    side = one_neuron_limits.basin(*start)
    assert np.sign(reached[1]) == side or reached[1] == 0


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.05, 3),
    st.floats(-5, 0),
    st.lists(st.floats(-2, 2), min_size=2, max_size=4),
    st.integers(0, 2**32),
)
def test_separatrix_starts(a0, delta, b, seed):
    b = np.array(b)
    assume(np.linalg.norm(b) > 0.05)
    way = np.random.default_rng(seed).standard_normal(len(b))
    w = one_neuron_limits.separatrix_weights(a0, b, delta, way)
    s = np.linalg.norm(b)
    upper = s * s / (np.hypot(s, delta / 2) - delta / 2)
    assert w @ b + upper * a0 == pytest.approx(0, abs=1e-13 * (1 + s) * (1 + a0))
    assert imbalance(w, a0) == pytest.approx(delta, abs=1e-13 * (1 + a0 * a0 - delta))
    if delta < -1e-3:
        # both sides: a little more or less output weight ends in opposite basins
        assert one_neuron_limits.basin(w, a0 * (1 + 1e-9), b) == 1
        assert one_neuron_limits.basin(w, a0 * (1 - 1e-9), b) == -1


def test_exact_starts_on_the_separatrix_stay_there():
    # s = 3, delta = -8, kappa = 5: the numbers of a Pythagorean triple
    w, a = one_neuron.flow([-1.0, 4.0], 3.0, [3.0, 0.0], [10.0, 1e3, np.inf])
    np.testing.assert_allclose(w, [[0, np.sqrt(8)]] * 3, atol=1e-15)
    np.testing.assert_allclose(a, 0, atol=1e-15)
    w, a = one_neuron_limits.limit([-3.0, -4.0], 5.0, [3.0, 4.0])
    np.testing.assert_array_equal(np.append(w, a), 0)


@pytest.mark.parametrize("shift, side", [(2**-51, 1), (-(2**-51), -1)])
def test_the_last_bit_decides_the_basin(shift, side):
    assert one_neuron_limits.basin([-1.0, 4.0], 3.0 * (1 + shift), [3.0, 0.0]) == side


def test_published_basin_example():
    # target (1, 1/4), delta -2 and -10, output weights about -4: opposite basins a thousandth apart
    b = np.array([1.0, 0.25])
    for delta in (0.0, -2.0, -10.0):
        w = one_neuron_limits.separatrix_weights(-4.0, b, delta)
        ends = [one_neuron_limits.limit(w, -4.0 + shift, b) for shift in (-1e-3, 1e-3)]
        assert ends[0][1] < 0
        if delta < 0:
            assert ends[1][1] > 0
        for w_end, a_end in ends[: 1 + (delta < 0)]:
            np.testing.assert_allclose(a_end * w_end, b, rtol=1e-13)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=2), st.floats(-2, 2), st.floats(0.3, 2))
def test_tail_rates_are_the_slopes_of_the_residual(w0, a0, s):
    w0, b = np.array(w0), np.array([s, 0.0])
    radial, rotational = one_neuron_limits.tail_rates(w0, a0, b)
    assume(abs(w0 @ b + rotational * a0) > 0.1)
    assert radial == pytest.approx(np.sqrt(4 * s * s + (a0 * a0 - w0 @ w0) ** 2), rel=1e-13)
    w, a = one_neuron.flow(w0, a0, b, np.inf)
    assert rotational == pytest.approx(a * a, rel=1e-9)
    assert radial == pytest.approx(a * a + w @ w, rel=1e-9)
    assume(abs(w0[1]) > 0.1)
    t = np.array([1, 2]) * 60 / rotational
    turned = one_neuron.residual(w0, a0, b, t)[:, 1]
    assume(np.abs(turned).min() > 1e-290)
    early = np.exp(-(radial - rotational) * 60 / rotational)
    assert np.log(turned[0] / turned[1]) * rotational / 60 == pytest.approx(rotational, abs=1e-9 + early)


def test_rates_scale_with_time():
    fast = one_neuron_limits.tail_rates([0.0, 1.0], 0.5, [1.0, 1.0], rates=(16.0, 1.0))
    plain = one_neuron_limits.tail_rates([0.0, 0.5], 1.0, [1.0, 1.0])
    np.testing.assert_allclose(fast, 4 * np.array(plain), rtol=1e-15)


def test_downstream_is_lazy_first_and_turns_late():
    w0, b = np.array([-10.0, 0.0]), np.array([0.0, 1.0])
    radial, rotational = one_neuron_limits.tail_rates(w0, 0.1, b)
    assert radial > 90 and rotational < 0.02
    w, _ = one_neuron.flow(w0, 0.1, b, [1.0, 3000.0])
    cosines = w[:, 1] / np.linalg.norm(w, axis=-1)
    assert cosines[0] < 0.05 and cosines[1] > 0.99


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: one_neuron_limits.separatrix_weights(1.0, [0.0, 0.0], -1.0), "target"),
        (lambda: one_neuron_limits.separatrix_weights(1.0, [1.0, 0.0], 1.0), "delta"),
        (lambda: one_neuron_limits.separatrix_weights(1.0, [1.0], -1.0), "direction"),
        (lambda: one_neuron_limits.separatrix_weights(1.0, [1.0, 0.0], -1.0, [1.0]), "direction"),
        (lambda: one_neuron_limits.limit([1.0], 1.0, [1.0], (0.0, 1.0)), "rates"),
        (lambda: one_neuron_limits.basin([1.0], 1.0, [1.0, 2.0]), "target"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(InputError, match=word):
        call()
