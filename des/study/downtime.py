"""How long and how often components, endpoints and the whole chain were down, weighted by time, not by traffic."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from des.estimate.summary import entry
from des.faults import Intervals, draw_timeline
from des.faults.episodes import all_down, component_down, down_share, endpoint_down, episodes_started
from des.scenario.plan import Plan

TIMELINE: Final = "incident timeline"
"""The estimator's name: figures of the very incidents that the requests met."""

Spells = Mapping[str, Mapping[str, tuple[float, float]]]
"""Group (components, endpoints, chain) -> name -> (share of the horizon up, episodes that started in it)."""


def downtime(plan: Plan, replication: int) -> Spells:
    """Of one replication: components by their own incidents, the chain's endpoints by all that reach them.

    `chain` is down while every one of its legs is.
    """
    horizon_s = plan.horizon_s
    timeline = draw_timeline(plan, replication, horizon_s)

    def spell(down: Intervals) -> tuple[float, float]:
        return 1.0 - down_share(down, horizon_s), float(episodes_started(down, horizon_s))

    endpoints = list(dict.fromkeys(leg.endpoint for leg in plan.chain))
    of = plan.endpoints
    return {
        "components": {
            component.name: spell(component_down(timeline, component.index))
            for component in plan.components
            if component.incidents
        },
        "endpoints": {f"{of[e].provider}/{of[e].model}": spell(endpoint_down(timeline, e)) for e in endpoints},
        "chain": {"every leg": spell(all_down(timeline, endpoints))},
    }


def combined(replications: Sequence[Spells]) -> dict[str, dict[str, dict[str, Any]]]:
    """Means and intervals over the replications, by group and name."""
    return {
        group: {
            name: {
                "availability": entry(
                    [spells[group][name][0] for spells in replications], share=True, estimator=TIMELINE
                ),
                "episodes": entry([spells[group][name][1] for spells in replications], estimator=TIMELINE),
            }
            for name in replications[0][group]
        }
        for group in replications[0]
    }
