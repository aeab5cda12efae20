"""Event-driven flow against a second implementation: event times, their order and states."""

from functools import cache

import numpy as np
import pytest
from event_oracle import Oracle
from flow_cases import logged, random_problem

import toymodels as tm

SEEDS = range(27)
TOLERANCE = 1e-9


@cache
def flow(seed):
    problem, start, end = random_problem(seed)
    return tm.flow(problem, start, np.linspace(0, end, 4)[1:])


def followed(problem, start, times):
    oracle = Oracle(
        problem.inputs, problem.targets, problem.weights, problem.output_loss.name, problem.output
    )
    return oracle.follow(start, times, times[-1] / 8)


@pytest.mark.parametrize("seed", SEEDS)
def test_event_times_and_states(seed):
    problem, start, end = random_problem(seed)
    times = np.linspace(0, end, 4)[1:]
    states, events = followed(problem, start, times)
    run = flow(seed)
    mine = logged(run)
    if len(states) < len(times):
        assert run.status == "not unique"
    else:
        assert run.status == "finished"
        assert len(mine) == len(events)
    assert [event[1:] for event in mine[: len(events)]] == [event[1:] for event in events]
    for event, expected in zip(mine, events, strict=False):
        assert abs(event[0] - expected[0]) < TOLERANCE
    for theta, error, expected in zip(run.theta, run.error, states, strict=False):
        assert np.linalg.norm(theta - expected) < TOLERANCE
        assert np.linalg.norm(theta - expected) <= error


def test_the_suite_meets_every_kind_of_event():
    kinds, slides = set(), 0
    for seed in SEEDS:
        for event in flow(seed).events:
            if "sample" in event:
                kinds.add((event["from"], event["kind"]))
                slides += event["kind"] == "sliding"
    assert len(kinds) == 6
    assert slides > 50
