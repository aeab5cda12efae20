import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toymodels.errors import InputError
from toymodels.solutions import one_neuron_bias as bias

deltas = st.one_of(
    st.floats(-3, 3),
    st.sampled_from((0.0, 1e-12, -1e-12)),
    st.floats(-8, 8).map(lambda e: 10.0**e),
    st.floats(-8, 8).map(lambda e: -(10.0**e)),
)
maps = st.lists(st.floats(0.05, 2) | st.floats(-2, -0.05), min_size=1, max_size=4).map(np.array)


def digits_potential(beta, delta):
    """The published potential in 60 digits."""
    square = sum(x * x for x in beta)
    spread = mpmath.sqrt(delta**2 + 4 * square)
    return (spread - 2 * delta) * mpmath.sqrt(spread + delta) / 3


@settings(max_examples=100, deadline=None)
@given(maps, deltas)
def test_value_gradient_and_hessian_to_all_digits(beta, delta):
    with mpmath.workdps(60):
        x, D = [mpmath.mpf(float(v)) for v in beta], mpmath.mpf(float(delta))
        h = mpmath.mpf(10) ** -15
        value = digits_potential(x, D)
        size = abs(value) + abs(D) ** mpmath.mpf(1.5) / 10**3
        assert abs(bias.potential(beta, delta) - value) <= 1e-14 * size

        def nudged(*moves):
            return digits_potential([v + sum(h * m[i] for m in moves) for i, v in enumerate(x)], D)

        units = np.eye(len(beta)).tolist()
        slopes = [(nudged(e) - nudged([-z for z in e])) / (2 * h) for e in units]
        gradient = bias.potential_gradient(beta, delta)
        length = mpmath.sqrt(sum(s * s for s in slopes))
        # the central difference errs by h^2 over the squared size of the map, and its sums by 1e-60/h
        assert all(abs(g - s) <= 1e-13 * length + 1e-20 for g, s in zip(gradient, slopes, strict=True))
        hessian = bias.potential_hessian(beta, delta)
        for i, e in enumerate(units):
            for j, f in enumerate(units):
                back = [[-z for z in u] for u in (e, f)]
                mixed = (nudged(e, f) - nudged(e, back[1]) - nudged(back[0], f) + nudged(*back)) / (4 * h * h)
                assert abs(hessian[i, j] - mixed) <= 1e-13 * np.abs(hessian).max() + 1e-16


@settings(max_examples=100, deadline=None)
@given(maps, deltas)
def test_mirror_and_its_inverse(beta, delta):
    g = bias.potential_gradient(beta, delta)
    # near the tip of the cone |g|^2 - 2|delta| = root^2 keeps what the rounding of g leaves
    loss = 1 + (max(-delta, 0.0) / np.linalg.norm(beta)) ** 2
    if 1e-14 * loss < 0.1:
        np.testing.assert_allclose(bias.mirror_inverse(g, delta), beta, rtol=1e-14 * loss)
    M = bias.preconditioner(beta, delta)
    spread = np.hypot(delta, 2 * np.linalg.norm(beta))
    eigenvalues = np.linalg.eigvalsh(M)
    assert eigenvalues[-1] == pytest.approx(spread, rel=1e-13)
    size = np.linalg.norm(beta)
    root = 2 * size / np.sqrt(spread - delta) if delta < 0 else np.sqrt(spread + delta)
    H = bias.potential_hessian(beta, delta)
    slack = 1e-14 * np.linalg.norm(M) * np.linalg.norm(H)
    np.testing.assert_allclose(M @ H, root * np.eye(len(beta)), atol=slack)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4), st.floats(0.05, 3))
def test_the_weights_behind_the_map(w, a):
    w = np.array(w)
    delta = a * a - w @ w
    if np.linalg.norm(w) > 1e-3:
        np.testing.assert_allclose(
            bias.potential_gradient(a * w, delta), np.sqrt(2) * w, rtol=1e-11, atol=1e-12
        )
        M = a * a * np.eye(len(w)) + np.outer(w, w)
        np.testing.assert_allclose(bias.preconditioner(a * w, delta), M, rtol=1e-11, atol=1e-12)


def test_the_tip_of_the_cone_and_the_smooth_bottom():
    assert (bias.potential_gradient([0.0, 0.0], 2.0) == 0).all()
    assert (bias.potential_gradient([0.0, 0.0], 0.0) == 0).all()
    assert (bias.preconditioner([0.0, 0.0], 0.0) == 0).all()
    np.testing.assert_array_equal(bias.preconditioner([0.0, 0.0], 2.0), 2 * np.eye(2))
    for function in (bias.potential_gradient, bias.potential_hessian, bias.preconditioner):
        with pytest.raises(InputError, match="beta"):
            function([0.0, 0.0], -1.0)
    with pytest.raises(InputError, match="Hessian"):
        bias.potential_hessian([0.0], 0.0)


def test_batches_equal_their_members():
    rng = np.random.default_rng(1)
    beta, delta = rng.standard_normal((4, 1, 3)), np.array([-2.0, 0.0, 1.0])
    for function in (bias.potential, bias.potential_gradient, bias.potential_hessian, bias.preconditioner):
        together = function(beta, delta)
        for i, j in np.ndindex(4, 3):
            np.testing.assert_allclose(together[i, j], function(beta[i, 0], delta[j]), rtol=1e-15)


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e8, 1e8), st.floats(1e-8, 1e8), st.sampled_from((1, -1)))
def test_the_output_weight_at_the_end(k, size, sign):
    a = bias.limit_output(k, size, sign)
    assert np.sign(a) == sign
    with mpmath.workdps(60):
        K, S = mpmath.mpf(k), mpmath.mpf(size)
        exact = mpmath.sqrt((K + mpmath.sqrt(K * K + 4 * S * S)) / 2)
        assert abs(abs(a) - exact) < 1e-15 * exact * 4


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: bias.potential(1.0, 1.0), "beta"),
        (lambda: bias.potential([[1.0, 2.0]] * 2, [1.0, 2.0, 3.0]), "broadcast"),
        (lambda: bias.mirror_inverse([0.1, 0.0], -2.0), "gradient"),
        (lambda: bias.limit_output(1.0, -1.0), "size"),
        (lambda: bias.potential([np.nan], 1.0), "beta"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(InputError, match=word):
        call()
