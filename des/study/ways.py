"""How the requests of a scenario's arms are simulated: in whole replications, in windows, or not at all."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from des.estimate.availability import Choice
from des.estimate.estimate import REQUEST_LEVEL
from des.estimate.windows import why_not_windows
from des.faults.marginals import chain_endpoints
from des.faults.reach import Reach
from des.scenario.plan import Plan, RecordedIncidents
from des.study.explanation import expected_incidents

_SMALL: Final = 500_000.0
"""Requests of a replication of every arm up to which whole replications are repeated often enough."""
_LARGE: Final = 1_500_000.0
"""Requests of a replication of every arm from which it takes more than about a minute."""
_ENOUGH_MET: Final = 50.0
"""Incidents of each class to be expected in all replications, from which they need not be sought in windows."""


@dataclass(frozen=True, slots=True)
class Way:
    """Whether by whole replications; else by windows, but for the arms that these do not cover, with the reasons.

    `fits` says whether a replication of every arm takes about a minute at most, so that it may take the place of
    windows that turn out not to apply.
    """

    replications: bool
    fits: bool
    why_not_windows: Mapping[str, str] = field(default_factory=dict)


def chosen_way(plans: Mapping[str, Plan], choices: Iterable[Choice]) -> Way:
    """From the scenario alone, so that the same command takes the same way on any machine and for any time given.

    Whole replications are right where incidents are recorded, or where the availability is known without requests and
    the replications are short. Where requests interact, those that fit must meet enough incidents of each class.
    """
    requests = _requests(plans)
    fits = requests <= _LARGE
    interacting = any(choice.estimator == REQUEST_LEVEL for choice in choices)
    if fits and not any(map(_is_random, plans.values())):
        return Way(True, fits)
    if fits and (_meets_enough(plans) if interacting else requests <= _SMALL):
        return Way(True, fits)
    reasons = {arm: why for arm, plan in plans.items() if (why := why_not_windows(plan))}
    return Way(bool(reasons) and fits, fits, reasons)


def _requests(plans: Mapping[str, Plan]) -> float:
    """Of a replication of each arm; users of closed workloads are few enough."""
    return math.fsum(plan.workload.arrivals.expected_requests(plan.horizon_s) or 0.0 for plan in plans.values())


def _meets_enough(plans: Mapping[str, Plan]) -> bool:
    """Whether the whole replications of about a minute meet enough incidents of each class: none need be sought."""
    replications = _LARGE / max(_requests(plans), 1.0)
    return all(replications * _fewest_incidents(plan) >= _ENOUGH_MET for plan in plans.values())


def _is_random(plan: Plan) -> bool:
    """Whether any incidents come at random."""
    return any(not isinstance(each, RecordedIncidents) for component in plan.components for each in component.incidents)


def _fewest_incidents(plan: Plan) -> float:
    """Of the rarest random class in one replication; infinite where there is none."""
    chain, reach = set(chain_endpoints(plan)), Reach.of(plan)
    expected = [
        expected_incidents(incidents, plan.horizon_s)
        for component in plan.components
        if chain.intersection(reach.members(component.index))
        for incidents in component.incidents
        if not isinstance(incidents, RecordedIncidents)
    ]
    return min((each for each in expected if each > 0.0), default=math.inf)
