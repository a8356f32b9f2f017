"""Request-level means, control-variate adjusted by the replications' time down, whose mean is known exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from des.estimate.estimate import Estimate
from des.estimate.exact import exact_or_none
from des.estimate.heterogeneous import Heterogeneous
from des.estimate.intervals import with_controls
from des.estimate.summary import Pool
from des.scenario.plan import Plan
from des.study.downtime import Spells

METRICS: Final = ("availability", "cost_usd_per_request", "latency_s_mean")
LEAST_GAIN: Final = 1.05
"""Below it the plain mean is as good."""


def controlled(plan: Plan, pool: Pool, spells: Sequence[Spells]) -> Mapping[str, Estimate]:
    """By metric, with its variance reduction, for those that this makes more precise.

    Controls are the shares of time that each endpoint of the chain, and all of them at once, were down. Empty where
    these have no closed form, or there are too few replications.
    """
    uneven = Heterogeneous.of(plan)
    if len(pool) < 2 or (uneven is not None and uneven.why_no_interval(len(pool))):
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
    for metric in METRICS:
        values = [metrics[metric] for metrics in pool.metrics]
        if None in values:
            continue
        better = with_controls(values, controls, known, share=metric == "availability")
        if better.variance_reduction is not None and better.variance_reduction >= LEAST_GAIN:
            found[metric] = replace(better, variance_reduction=min(better.variance_reduction, 1e6))
    return found
