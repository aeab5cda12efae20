"""Numbers of the two-parameter model at a0 = 2.4, b0 = 0.2, y = 1, computed independently beforehand."""

import numpy as np

import toymodels as tm
from toymodels.manifold import final_loss, resummed_imbalance, two_stage_loss

DEMO = tm.MinimaManifold([[1.0, 0.0]], [1.0], teacher=[1.0, 0.15])
START = np.array([2.4, 0.2])


def test_start_and_end_of_gradient_flow():
    np.testing.assert_allclose(DEMO.beta(START), [0.48, 2.86], rtol=1e-14)
    end = DEMO.limit(START)
    np.testing.assert_allclose(end, [2.426888, 0.412050], atol=6e-7)
    np.testing.assert_allclose(DEMO.spectrum(end)[-1], 6.0596, atol=6e-5)
    np.testing.assert_allclose(DEMO.sharpness_on_manifold(2.86), 6.0596, atol=6e-5)


def test_final_losses_of_four_decays_and_of_none():
    q = resummed_imbalance(DEMO, 2.86, 0.1**2 * np.array([0, 100, 400, 1600, np.inf]), 0.5, 0.1) / 2.86
    losses = final_loss(DEMO, START).at(q)
    np.testing.assert_allclose(losses, [3.672, 1.7817, 0.22895, 0.0073234, 0.01125], rtol=5e-5)


def test_final_losses_against_decayed_runs():
    """Each run decays to gradient flow; one point of the drift is worth a per cent of its shrinkage."""
    q = resummed_imbalance(DEMO, 2.86, 0.01 * np.array([100, 400]), 0.5, 0.1) / 2.86
    for steps, predicted in zip((100, 400), final_loss(DEMO, START).at(q), strict=True):
        run = tm.descend(
            DEMO, np.tile(DEMO.limit(START), (200, 1)), lr=0.1, steps=steps, every=steps,
            noise=("rademacher", 0.5), measure_error=False,
        )  # fmt: skip
        ends = DEMO.test_loss(DEMO.limit(run.theta[-1]))
        np.testing.assert_allclose(ends.mean(), predicted, rtol=0.03)


def test_a_budget_of_large_steps_alone_keeps_their_plateau():
    alone, decayed = two_stage_loss(1.0, 2.86, (0.1, 0.01), 1600, [0, 300], 0.5)
    run = tm.descend(
        DEMO, np.tile(DEMO.limit(START), (2000, 1)), lr=0.1, steps=1600, every=1600,
        noise=("rademacher", 0.5), measure_error=False,
    )  # fmt: skip
    residual = DEMO.outputs(run.theta[-1])[:, 0] - 1
    losses = (residual**2 + DEMO.total_imbalance(run.theta[-1]) ** 2) / 2
    spread = losses.std() / np.sqrt(len(losses))
    # the residual's fluctuations count to first order in lr h = 0.2
    assert abs(losses.mean() - alone) < 4 * spread + 0.1 * alone
    assert decayed < 0.2 * alone
