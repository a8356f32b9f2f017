"""How long and how often components, endpoints and the whole chain were down; request-level means adjusted by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.estimate import Estimate
from des.estimate.exact import exact_or_none
from des.estimate.heterogeneous import Heterogeneous, without_intervals
from des.estimate.intervals import count_of, mean_of, share_up, with_controls
from des.estimate.summary import Pool
from des.faults import Intervals, Timeline, sharing
from des.faults.episodes import all_down, component_down, down_share, endpoint_down, episodes_started, merged
from des.faults.marginals import chain_endpoints
from des.scenario.plan import Plan
from des.vocabulary import INCIDENT_KINDS

_ON_RECORD: Final = ("schedule", "replay")
_TIMELINE: Final = "incident timeline"
"""The estimator's name for figures of the very incidents that the requests met."""
_ADJUSTED: Final = ("availability", "cost_usd_per_request", "latency_s_mean")
_LEAST_GAIN: Final = 1.05
"""Reduction of the variance below which the plain mean is kept."""


@dataclass(frozen=True, slots=True)
class Spell:
    """Up and down times of one thing over the horizon of one replication.

    `up` is a share of the horizon, `started` counts episodes that began in it. `episodes_s` are the parts of episodes
    inside it, those open at its ends included. `begun_s` is the sum of the episodes' starts: equal in two replications
    if the episodes are recorded, hardly ever by chance.
    """

    up: float
    started: int
    episodes_s: tuple[float, ...]
    begun_s: float = 0.0


Spells = Mapping[str, Mapping[str, Spell]]
"""Group (components, endpoints, chain) -> name -> its times."""


def downtime(plan: Plan, timeline: Timeline) -> Spells:
    """For one replication: components by their own incidents, the chain's endpoints by all that hit them.

    `chain` is down while all of its legs are. Components whose incidents an arm has set apart are left out: their
    timeline holds a copy for each member, so no downtime belongs to the component.
    """
    horizon_s = plan.horizon_s
    apart = {one.component for one in sharing(plan).classes} if plan.shared < 1.0 else set()
    endpoints = chain_endpoints(plan)
    of = plan.endpoints
    return {
        "components": {
            component.name: _spell(component_down(timeline, component.index), horizon_s)
            for component in plan.components
            if component.incidents and component.name not in apart
        },
        "endpoints": {
            f"{of[e].provider}/{of[e].model}": _spell(endpoint_down(timeline, e), horizon_s) for e in endpoints
        },
        "chain": {"every leg": _spell(all_down(timeline, endpoints), horizon_s)},
    }


def losing_intervals(
    timeline: Timeline, chosen: NDArray[np.bool_], *, shifted: bool = False
) -> tuple[Intervals, Intervals]:
    """When one of the `chosen` incidents, bool[n], that makes calls fail is open: (random ones, recorded ones).

    Each disjoint and sorted. Recorded incidents are the same in each replication, so their number is not random. Where
    each replication has the record `shifted` by other weeks, its outages count as random. Its brownouts do not, since
    they may last as long as the run.
    """
    fails = np.array([effect.error_rate > 0.0 or effect.hang > 0.0 for effect in timeline.effects], np.bool_)
    at_random = ~np.isin(timeline.kind, [INCIDENT_KINDS.index(kind) for kind in _ON_RECORD])
    chance = at_random | timeline.outage if shifted else at_random
    losing = chosen & (timeline.outage | fails[timeline.effect])
    by_chance, on_record = (
        merged(Intervals(timeline.start_s[some], timeline.end_s[some])) for some in (losing & chance, losing & ~chance)
    )
    return by_chance, on_record


def combined(
    replications: Sequence[Spells], heterogeneous: Heterogeneous | None = None
) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Means and intervals over the replications, by group and name.

    Where replications are heterogeneous, the chain's intervals are over replications, not over its episodes.
    """
    found = {
        group: {name: _entries([spells[group][name] for spells in replications]) for name in replications[0][group]}
        for group in replications[0]
    }
    if heterogeneous is not None:
        why = heterogeneous.why_no_interval(len(replications))
        chain = {name: _by_replication([each["chain"][name] for each in replications]) for name in found["chain"]}
        found["chain"] = without_intervals(chain, why) if why else chain
    return found


def controlled(plan: Plan, pool: Pool, spells: Sequence[Spells]) -> Mapping[str, Estimate]:
    """Control-variate adjusted figures by metric, each with its variance reduction.

    Controls are the shares of time that each endpoint of the chain, and all of them at once, were down. Only metrics
    whose variance this reduces are returned. There are none where the controls have no closed form, or replications are
    too few.
    """
    heterogeneous = Heterogeneous.of(plan)
    if len(pool) < 2 or (heterogeneous is not None and heterogeneous.why_no_interval(len(pool))):
        return {}
    answer = exact_or_none(plan)
    if answer is None:
        return {}
    controls = [[1.0 - each["endpoints"][endpoint.name].up for each in spells] for endpoint in answer.endpoints]
    known = [endpoint.unavailability for endpoint in answer.endpoints]
    if len(answer.endpoints) > 1:
        controls.append([1.0 - each["chain"]["every leg"].up for each in spells])
        known.append(answer.all_down)
    found = {}
    for metric in _ADJUSTED:
        values = [metrics[metric] for metrics in pool.metrics]
        if None in values:
            continue
        better = with_controls(values, controls, known, share=metric == "availability")
        if better.variance_reduction is not None and better.variance_reduction >= _LEAST_GAIN:
            found[metric] = replace(better, variance_reduction=min(better.variance_reduction, 1e6))
    return found


def _entries(spells: Sequence[Spell]) -> dict[str, Estimate]:
    first = spells[0]
    recorded = len(spells) > 1 and bool(first.episodes_s) and all(spell == first for spell in spells)
    return {
        "availability": share_up(
            [spell.up for spell in spells],
            [spell.episodes_s for spell in spells],
            estimator=_TIMELINE,
            recorded=recorded,
        ),
        "episodes": count_of([float(spell.started) for spell in spells], estimator=_TIMELINE, recorded=recorded),
    }


def _by_replication(spells: Sequence[Spell]) -> dict[str, Estimate]:
    return {
        "availability": mean_of([spell.up for spell in spells], share=True, estimator=_TIMELINE),
        "episodes": mean_of([float(spell.started) for spell in spells], estimator=_TIMELINE),
    }


def _spell(down: Intervals, horizon_s: float) -> Spell:
    within = np.minimum(down.end_s, horizon_s) - np.maximum(down.start_s, 0.0)
    return Spell(
        1.0 - down_share(down, horizon_s),
        episodes_started(down, horizon_s),
        tuple(within[within > 0.0].tolist()),
        float(down.start_s[within > 0.0].sum()),
    )
