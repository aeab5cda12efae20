import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.solutions.ei_law import exponential_output, logistic_output

LAWS = [(exponential_output, 0), (logistic_output, 1)]
starts = st.builds(lambda x, k: x * 10.0**k, st.floats(1, 10), st.integers(-30, 1))
growths = st.builds(lambda x, k: x * 10.0**k, st.floats(1, 10), st.integers(-10, 250))


@pytest.mark.parametrize("law, linear", LAWS)
@given(h0=starts, growth=growths, label=st.sampled_from([1, -1]))
def test_exponential_integral_grows_linearly(law, linear, h0, growth, label):
    h = float(law(h0, 1.0, growth, label))
    if h < 1e-290:
        return
    with mp.workdps(60):

        def integral(x):
            return (mp.ei(x) if label > 0 else mp.e1(x)) + label * linear * mp.log(x)

        z = mp.mpf(h)
        slope = (mp.exp(label * z) + linear) / z
        off = (integral(z) - integral(mp.mpf(h0)) - mp.mpf(growth)) / slope
        # the logarithm of the output has its own rounding
        assert abs(off) <= 1e-15 * z * (1 + abs(mp.log(mp.mpf(h0))) + abs(mp.log(z)))


@pytest.mark.parametrize("law, linear", LAWS)
@given(h0=st.floats(1e-3, 30), c=st.floats(0.1, 10), s=st.floats(0, 10), t=st.floats(0, 10), label=st.sampled_from([1, -1]))
def test_semigroup(law, linear, h0, c, s, t, label):
    np.testing.assert_allclose(law(law(h0, c, s, label), c, t, label), law(h0, c, s + t, label), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("law, linear", LAWS)
def test_limits_and_fixed_points(law, linear):
    np.testing.assert_array_equal(law([0.5, 0.0, 0.5], [1.0, 1.0, 0.0], np.inf), [np.inf, 0.0, 0.5])
    np.testing.assert_array_equal(law([0.5, 0.0], 1.0, np.inf, -1), [0.0, 0.0])
    np.testing.assert_array_equal(law([0.5, 900.0], 2.0, 0.0), [0.5, 900.0])
    assert law(900.0, 1.0, 1e300) == 900.0
    # h' = -h e^h falls at once, h' = -h / (1 + e^-h) at the rate 1
    late = law(900.0, 1.0, 1.0, -1)
    assert 0.1 < late < 1 if linear == 0 else abs(late - 900 / np.e) < 1e-9


@pytest.mark.parametrize("law, linear", LAWS)
def test_input(law, linear):
    with pytest.raises(InputError, match="h0, c: expected numbers >= 0"):
        law(-1.0, 1.0, 1.0)
    with pytest.raises(InputError, match="label: expected 1 or -1"):
        law(1.0, 1.0, 1.0, 0)
    assert law([0.1, 1.0], 1.0, [[1.0], [2.0]]).shape == (2, 2)
