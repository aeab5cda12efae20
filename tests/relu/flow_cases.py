"""Random training problems whose flows meet many kinks, and two-direction data."""

import numpy as np
from hypothesis import strategies as st

import toymodels as tm

LOSSES = ("square", "logistic", "exponential")


def random_problem(seed, largest=(8, 20), least_d=2):
    """A problem with n <= 8, m <= 20 (or less), its start and a time; both training modes, all losses."""
    rng = np.random.default_rng([seed, 77])
    n, m = (int(rng.integers(1, size + 1)) for size in largest)
    X = rng.standard_normal((n, int(rng.integers(least_d, 6))))
    loss = LOSSES[seed % 3]
    y = rng.standard_normal(n) if loss == "square" else rng.choice([-1.0, 1.0], n)
    layer = {"width": m} if rng.random() < 0.5 else {"output": rng.standard_normal(m) / np.sqrt(m)}
    problem = tm.TwoLayerReLU(X, y, loss=loss, **layer)
    start = problem.init(scale=float(10 ** rng.uniform(-1, 0)), rng=seed)
    return problem, start, float(rng.uniform(2, 10))


def two_directions(m, small, angle=np.pi / 15, copies=4):
    """The data of Wang and Ma 2023 in the plane: copies of one direction, and another of the other label."""
    X = np.array(
        [[np.cos(angle / 2), np.sin(angle / 2)]] * copies + [[np.cos(angle / 2), -np.sin(angle / 2)]]
    )
    y = np.array([1.0] * copies + [-1.0])
    output = np.repeat([1.0, -1.0], m // 2) / np.sqrt(m)
    problem = tm.TwoLayerReLU(X, y, output=output, loss="exponential")
    rows = np.random.default_rng(0).standard_normal((m, 2))
    rows *= small / np.sqrt(m) / np.linalg.norm(rows, axis=-1, keepdims=True)
    return problem, problem.pack(rows)


def euler(problem, theta, t, steps):
    """Explicit Euler, as plain and fast as NumPy has it."""
    velocity, h = plain_velocity(problem), t / steps
    for _ in range(steps):
        theta = theta + h * velocity(theta)
    return theta


def plain_velocity(problem):
    """Minus the gradient, without any check."""
    X, y, weights, slope = problem.inputs, problem.targets, problem.weights, problem.output_loss.slope
    (m, d), output = problem.blocks["W"], problem.output

    def velocity(theta):
        W, a = theta[: m * d].reshape(m, d), theta[m * d :] if output is None else output
        z = W @ X.T
        gates = z > 0
        U = (gates * (weights * slope(a @ (z * gates), y))) @ X
        hidden = (-a[:, None] * U).ravel()
        return hidden if output is not None else np.concatenate([hidden, -(W * U).sum(1)])

    return velocity


seeds = st.integers(0, 2**32 - 1)


def logged(run):
    """Events of a flow as (time, neuron, sample, kind)."""
    return [(e["time"], e["neuron"], e["sample"], e["kind"]) for e in run.events if "sample" in e]
