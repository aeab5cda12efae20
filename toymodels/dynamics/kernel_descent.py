"""Descent by a problem's own kernel: many steps of many runs without a Python call per array operation."""

from __future__ import annotations

import numpy as np

from toymodels.dynamics.divergence import Divergence
from toymodels.dynamics.learning_rate import Clock
from toymodels.dynamics.recording import Recorder
from toymodels.dynamics.sampling import Sampler
from toymodels.problem import DescentKernel

Array = np.ndarray

BLOCK = 2**17
"""Most targets of one call, unless that makes fewer than `LEAST` steps."""

LEAST = 32


def follow(
    kernel: DescentKernel,
    clock: Clock,
    sampler: Sampler,
    recorder: Recorder,
    log: Divergence,
    recorded: Array,
) -> None:
    """Take all steps with a kernel, and write down the recorded ones."""
    step = 0
    recorder.write(0, kernel.theta())
    most = max(LEAST, BLOCK // max(1, log.dead.size))
    for row, stop in enumerate(recorded[1:], start=1):
        while step < stop:
            targets = sampler.labels(min(most, stop - step))
            lr = np.stack([clock.tick(step + i) for i in range(len(targets))])
            before = kernel.state.copy()
            kernel.advance(lr[..., 0] if lr.ndim > 1 else lr, targets)
            if not np.isfinite(kernel.state.sum()):
                kernel.state[...] = before
                _one_by_one(kernel, log, step, lr, targets)
            step += len(targets)
        recorder.write(row, log.shown(kernel.theta()))


def _one_by_one(kernel: DescentKernel, log: Divergence, step: int, lr: Array, targets: Array) -> None:
    """Take steps singly, to find the first at which a run is not finite; it rests from then on."""
    for i in range(len(targets)):
        kernel.advance(lr[i : i + 1, ..., 0] if lr.ndim > 1 else lr[i : i + 1], targets[i : i + 1])
        theta = kernel.theta()
        log.guard(step + i + 1, theta, theta)
        kernel.rest(log.dead)
