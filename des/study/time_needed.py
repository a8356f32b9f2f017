"""How long a scenario takes on this machine: small parts of the very work are done, and their times extrapolated.

Times are those of the processor, so that what else the machine does at the moment of asking has no say.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from des.estimate import rare, timeline
from des.estimate.availability import Choice, choose
from des.estimate.estimate import RARE, TIMELINE
from des.estimate.joint_figures import DrawnIncidents, horizons_of
from des.scenario.plan import ClosedArrivals, Plan
from des.study.replication import Part, Replicator

FEW_REQUESTS: Final = 150.0
MORE_REQUESTS: Final = 700.0
FEW_HORIZONS: Final = 20
"""One of so many horizons of incidents is drawn to see how long all of them take."""


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
    """Simulates some hundred requests, twice; `requests` are those expected in the horizon, None where nobody knows.

    A twin costs what its original does, and that of a record needs more weeks than so few requests take.
    """
    plan = replace(plan, shared=1.0)
    short_s, long_s = (_horizon_s(plan, requests, count) for count in (FEW_REQUESTS, MORE_REQUESTS))
    with tempfile.TemporaryDirectory() as folder:
        _, first_took_s = _replicated(replace(plan, horizon_s=long_s), Path(folder) / "first")
        _, short_took_s = _replicated(replace(plan, horizon_s=short_s), Path(folder) / "short")
        made, again_took_s = _replicated(replace(plan, horizon_s=long_s), Path(folder) / "again")
    long_took_s = min(first_took_s, again_took_s)  # the very first one imports what it needs
    if long_s >= plan.horizon_s:
        return RunTime(0.0, long_took_s / long_s, made, long_s)
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
    """What the estimator takes beyond being chosen: one of its equal parts is done, and counts for all."""
    if choice.estimator == TIMELINE:
        work, parts = timeline.one_part(plan, years)
    elif choice.estimator == RARE:
        work, parts = rare.one_part(plan)
    else:
        return 0.0
    return parts * _taken(work)


def drawing_s(plan: Plan) -> float:
    """What `des compare` takes for the incidents by which an arm's endpoints are compared."""
    horizons, horizon_s = horizons_of(plan)
    some = -(-horizons // FEW_HORIZONS)
    return _taken(lambda: DrawnIncidents.some(plan, some, horizon_s)) * horizons / some


def _taken(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
