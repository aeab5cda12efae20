"""What linear networks of any depth share, on both of them: statistics for samples, and refusals."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_cases import EPS, seeds, sizes

from toymodels import DeepLinear, InputError, TwoLayerLinear

NETS = {"two layers": (TwoLayerLinear, dict(width=2)), "deep": (DeepLinear, dict(widths=(2, 1, 3)))}
each_net = pytest.mark.parametrize(("net", "widths"), NETS.values(), ids=NETS)


@each_net
@given(n=sizes, d=sizes, c=sizes, seed=seeds, vector=st.booleans())
@settings(max_examples=40)
def test_statistics_stand_for_the_samples(net, widths, n, d, c, seed, vector):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((n, d)), rng.standard_normal(n if vector else (n, c))
    problem = net(X, Y, **widths, weights=rng.random(n))
    compact = net.from_statistics(*problem.statistics, **widths)
    assert isinstance(compact, net)
    assert (compact.blocks, compact.sizes) == (problem.blocks, problem.sizes)
    theta, v = problem.init(runs=3, rng=rng), problem.init(runs=3, rng=rng)
    big = net(np.abs(X), -np.abs(Y), **widths, weights=problem.weights)
    allowed = 64 * EPS * (n + sum(problem.sizes))
    for name, extra in (("gradient", ()), ("hvp", (v,)), ("hessian", ())):
        bound = getattr(big, name)(np.abs(theta), *map(np.abs, extra)).max()
        apart = getattr(compact, name)(theta, *extra) - getattr(problem, name)(theta, *extra)
        assert np.abs(apart).max() <= allowed * bound
    assert (compact.loss(theta) >= 0).all()
    for one in (problem, compact):
        assert pickle.loads(pickle.dumps(one)).loss(theta).tolist() == one.loss(theta).tolist()


@each_net
def test_what_no_map_explains_is_the_least_loss(net, widths):
    # x = 1, -1 with y = 3, -1: the best slope is 2 and leaves 1 in each residual
    problem = net.from_statistics([[1.0]], [2.0], 5.0, **widths)
    assert problem.least_loss == pytest.approx(0.5, rel=8 * EPS)
    # slope 3 costs half a squared distance to the best slope more
    assert problem.loss(problem.balanced([[3.0]])) == pytest.approx(1.0, rel=64 * EPS)


@each_net
@pytest.mark.parametrize(
    "call",
    [
        lambda p, theta, y: p.outputs(theta),
        lambda p, theta, y: p.jacobian(theta),
        lambda p, theta, y: p.ntk(theta),
        lambda p, theta, y: p.jvp(theta, theta),
        lambda p, theta, y: p.vjp(theta, y),
        lambda p, theta, y: p.gradient(theta, rows=[0]),
        lambda p, theta, y: p.gradient(theta, targets=y),
        lambda p, theta, y: p.n,
    ],
)
def test_statistics_know_no_samples(net, widths, call):
    problem = net.from_statistics(np.eye(3), np.ones(3), 4.0, **widths)
    with pytest.raises(InputError, match="expected samples, got a problem made from statistics"):
        call(problem, np.ones(problem.size), np.ones(3))


@each_net
@pytest.mark.parametrize(
    "statistics, message",
    [
        ((np.eye(2), [1.0, 1.0], 1.9), "tyy: expected at least 2"),
        ((np.eye(2), np.ones(3), 9.0), "Syx: expected 2 columns"),
        ((-np.eye(2), [0.0, 0.0], 9.0), "Sxx: expected positive semidefinite"),
    ],
)
def test_statistics_of_no_data(net, widths, statistics, message):
    with pytest.raises(InputError, match=message):
        net.from_statistics(*statistics, **widths)


@each_net
def test_products_have_one_shape(net, widths):
    problem = net(np.eye(3), np.ones((3, 2)), **widths)
    with pytest.raises(InputError, match=r"W: expected shape \(..., 2, 3\), got \(3, 2\)"):
        problem.balanced(np.ones((3, 2)))
