"""How long a scenario takes on this machine: small parts of the very work are done, and their times extrapolated.

Times are those of the processor, so that what else the machine does at the moment of asking has no say.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from des.estimate.choice import Choice, choose
from des.estimate.drawn_incidents import DrawnIncidents
from des.estimate.rare_availability import RARE, rare
from des.estimate.rare_availability import SAMPLES as RARE_SAMPLES
from des.estimate.timeline_availability import SAMPLES as TIMELINE_SAMPLES
from des.estimate.timeline_availability import TIMELINE, timeline
from des.scenario.plan import ClosedArrivals, Plan
from des.study.replication import Part, Replicator

FEW_REQUESTS: Final = 500.0
MORE_REQUESTS: Final = 3_000.0
TAKES: Final = 2
"""Of each part: the quicker one counts."""
SMALL: Final = 0.02
LARGE: Final = 0.08
"""Shares of an estimator's samples and years: from two of them follow what is fixed and what grows."""
LEAST_SLOPE: Final = 0.2
"""Of the whole time over the share: a smaller one is noise."""


@dataclass(frozen=True, slots=True)
class RunTime:
    """Of one replication with its traces: `fixed_s`, and `per_s` a second of its horizon."""

    fixed_s: float
    per_s: float
    requests: int
    horizon_s: float  # in which so many were made

    def of(self, plan: Plan) -> float:
        return self.fixed_s + self.per_s * plan.horizon_s


def run_time(plan: Plan, requests: float | None) -> RunTime:
    """Simulates some thousand requests; `requests` are those expected in the horizon, None where nobody knows."""
    short_s, long_s = (_horizon_s(plan, requests, count) for count in (FEW_REQUESTS, MORE_REQUESTS))
    with tempfile.TemporaryDirectory() as folder:
        _replicated(replace(plan, horizon_s=short_s), Path(folder) / "first")
        made, long_took_s = _best(replace(plan, horizon_s=long_s), Path(folder) / "long")
        if long_s >= plan.horizon_s:
            return RunTime(0.0, long_took_s / long_s, made, long_s)
        _, short_took_s = _best(replace(plan, horizon_s=short_s), Path(folder) / "short")
    per_s = max(0.5 * long_took_s / long_s, (long_took_s - short_took_s) / (long_s - short_s))
    return RunTime(max(0.0, long_took_s - per_s * long_s), per_s, made, long_s)


def _horizon_s(plan: Plan, requests: float | None, count: float) -> float:
    if requests is None:
        arrivals = plan.workload.arrivals
        assert isinstance(arrivals, ClosedArrivals)
        horizon_s = max(arrivals.think.mean, 1e-3) * max(2.0, count / arrivals.users)
    else:
        horizon_s = plan.horizon_s * count / requests if requests > 0.0 else plan.horizon_s
    return min(plan.horizon_s, horizon_s)


def _best(plan: Plan, folder: Path) -> tuple[int, float]:
    took = [_replicated(plan, folder / str(take)) for take in range(TAKES)]
    return took[0][0], min(took_s for _, took_s in took)


def _replicated(plan: Plan, folder: Path) -> tuple[int, float]:
    """(requests, seconds) of replication 0."""
    folder.mkdir(parents=True)
    started = time.process_time()
    outcome = Replicator({plan.arm: plan}, folder, "{}")(Part(plan.arm, 0), None)
    took_s = time.process_time() - started
    return round(outcome.observed.metrics["requests"]), took_s


def chosen(plan: Plan, years: float) -> tuple[Choice, float]:
    """The estimator for so many years of incidents, and the seconds that the choice took."""
    started = time.process_time()
    choice = choose(plan, years)
    return choice, time.process_time() - started


def estimator_s(plan: Plan, choice: Choice, years: float) -> float:
    """What the estimator takes beyond being chosen: a fixed part, and one in proportion to its samples and years."""
    if choice.estimator == TIMELINE:
        return _extrapolated(lambda share: timeline(plan, years * share, samples=round(TIMELINE_SAMPLES * share)))
    if choice.estimator == RARE:
        return _extrapolated(lambda share: rare(plan, round(RARE_SAMPLES * share)))
    return 0.0


def drawing_s(plan: Plan) -> float:
    """What `des compare` takes for the incidents by which an arm's endpoints are compared; alike for all arms."""
    started = time.process_time()
    DrawnIncidents.of(plan)
    return time.process_time() - started


def _extrapolated(work: Callable[[float], object]) -> float:
    small_s, large_s = _taken(work, SMALL), _taken(work, LARGE)
    slope_s = max(LEAST_SLOPE * large_s / LARGE, (large_s - small_s) / (LARGE - SMALL))
    return large_s + slope_s * (1.0 - LARGE)


def _taken(work: Callable[[float], object], share: float) -> float:
    started = time.process_time()
    work(share)
    return time.process_time() - started
