"""A short piece of a replication, simulated to learn what the whole takes: processor time, and bytes of its traces."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from des.scenario.plan import Plan
from des.scratch import scratch_directory
from des.study.replication import Part, Replicator
from des.traces.levels import NONE, TraceLevel

_MANY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What the first `horizon_s` of a replication took. `size` is in bytes."""

    horizon_s: float
    requests: int
    seconds: float
    size: int


def trial(plan: Plan, horizon_s: float, level: TraceLevel) -> Trial:
    """By the engine that is loaded, with the traces of this level.

    The independent twin is not simulated. It takes as long as its original, and the twin of recorded incidents would
    need more weeks than these horizons have.
    """
    short = replace(plan, horizon_s=horizon_s, shared=1.0)
    with scratch_directory() as folder:
        replicator = Replicator({plan.arm: short}, None if level == NONE else folder, "{}", level=level)
        started_s = time.process_time()
        outcome = replicator(Part(plan.arm, 0), None)
        took_s = time.process_time() - started_s
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return Trial(horizon_s, round(outcome.observed.metrics["requests"]), took_s, size)


def size_of(trials: Sequence[Trial], plan: Plan) -> float:
    """About how many bytes the traces of a replication have: linear in its length, as between the longest trials."""
    done = sorted({each.horizon_s: each for each in trials}.values(), key=lambda each: each.horizon_s)[-2:]
    if not done:
        return 0.0
    longest = done[-1]
    if longest.horizon_s >= plan.horizon_s:
        return float(longest.size)
    slope = longest.size / longest.horizon_s
    if len(done) > 1:
        slope = min(slope, max(0.0, (longest.size - done[0].size) / (longest.horizon_s - done[0].horizon_s)))
    return (longest.size + slope * (plan.horizon_s - longest.horizon_s)) * busier(trials, plan)


def busier(trials: Sequence[Trial], plan: Plan) -> float:
    """How many times as many requests a second the whole replication has as the longest trial.

    A trial may have fallen into the nights of a profile. With few requests, chance would say more than the profile.
    """
    longest = max(trials, key=lambda each: each.horizon_s, default=None)
    expected = plan.workload.arrivals.expected_requests(plan.horizon_s)
    if longest is None or longest.requests < _MANY or longest.horizon_s >= plan.horizon_s or not expected:
        return 1.0
    return (expected / plan.horizon_s) / (longest.requests / longest.horizon_s)
