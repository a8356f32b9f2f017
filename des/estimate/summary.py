"""An arm's summary: an estimate of each metric, from what its replications observed."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from des.estimate.estimate import Estimate
from des.estimate.intervals import (
    CONFIDENCE,
    FEW_EVENTS,
    are_few,
    mean_of,
    over_episodes,
    over_episodes_and_apart,
    poisson_bounds,
    quantile_of,
)
from des.estimate.sums import RELATIVE_ERROR, LogHistogram
from des.estimate.totals import Losses, Metrics

MOSTLY: Final = 0.9
"""Least share of the lost requests that outages must have lost for the interval to be over outages."""
_PARTLY: Final = 0.1
"""Least share of the lost requests for outages to have a part of the interval to themselves."""
_LEAST_EPISODES: Final = 3
"""The bootstrap over fewer outages knows next to nothing of their sizes."""
_QUANTILES: Final = {"method": "log histogram", "relative_error": RELATIVE_ERROR}
_LATENCY_QUANTILES: Final = {"latency_s_p50": 0.5, "latency_s_p95": 0.95, "latency_s_p99": 0.99}
_KEPT: Final = ("ok", "in_flight")
"""Outcomes of requests that were not lost."""

_Estimates = dict[str, Any]
"""By metric: an `Estimate`, or a dict of them by name."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Figures of one replication, and what joint intervals need besides."""

    metrics: Metrics
    losses: Losses
    latency: LogHistogram


class Pool:
    """What the replications of one arm observed, in order."""

    def __init__(self) -> None:
        self.metrics: list[Metrics] = []
        self.losses: list[Losses] = []
        self.latency = LogHistogram()  # of all replications together

    def __len__(self) -> int:
        return len(self.metrics)

    def add(self, observed: Observed) -> None:
        self.metrics.append(observed.metrics)
        self.losses.append(observed.losses)
        self.latency.merge(observed.latency)


def summary(arms: Mapping[str, Pool], heterogeneous: Container[str] = ()) -> dict[str, Any]:
    """What summary.json says of requests, by arm.

    Intervals of `heterogeneous` arms are over replications only.
    """
    return {
        "quantiles": dict(_QUANTILES),
        "confidence": CONFIDENCE,
        "arms": {arm: summarise(found, by_replication=arm in heterogeneous) for arm, found in arms.items()},
    }


def summarise(pool: Pool, *, by_replication: bool = False) -> _Estimates:
    """One arm's estimates. A metric that is a dict by name becomes a dict of estimates by name.

    Replications are the unit of inference. Quantiles of latency are over all replications together, with an interval by
    sectioning. Where outages are few, availability and counts of lost requests have intervals over outages, unless
    `by_replication` is set.
    """
    of = pool.metrics
    lost_at_once = _lost_at_once(pool.losses)
    found = {metric: _estimates([metrics[metric] for metrics in of], _is_share(metric)) for metric in of[0]}
    if not by_replication:
        found["availability"] = availability_of([metrics["availability"] for metrics in of], pool.losses)
    for metric in () if by_replication else ("request_outcomes", "lost_by_cause"):
        for name, figure in found[metric].items() if metric in found else ():
            if name not in _KEPT:
                counts = [metrics[metric][name] for metrics in of]
                found[metric][name] = _rare_count(figure, counts, lost_at_once)
    for metric, share in _LATENCY_QUANTILES.items():
        found[metric] = quantile_of(pool.latency.quantile(share), [metrics[metric] for metrics in of])
    return found


def availability_of(values: Sequence[float | None], losses: Sequence[Losses]) -> Estimate:
    """Availability by requests. Where few outages lost most of the requests, its interval is over them.

    Where they lost a part, that part of the interval is. Student's t of the whole then covers 70 to 85 %, as most
    replications lack the large outages. Only random outages count here. Requests lost in recorded incidents are
    singles.
    """
    found = mean_of(values, share=True)
    sizes = [float(size) for each in losses for size in each.in_outages]
    apart = sum(each.apart for each in losses)
    if are_few(values, len(sizes)) and sum(sizes) >= MOSTLY * (sum(sizes) + apart):
        return over_episodes(found, sizes, apart)
    if len(sizes) + apart < FEW_EVENTS and are_few(values, len(sizes) + apart):
        return over_episodes(found, sizes, apart)
    if len(sizes) >= _LEAST_EPISODES and are_few(values, len(sizes)) and sum(sizes) >= _PARTLY * (sum(sizes) + apart):
        return over_episodes_and_apart(found, sizes, [each.apart for each in losses])
    return found


def _lost_at_once(losses: Sequence[Losses]) -> float:
    """The mean number of requests lost together with a lost request, itself included; 1 unless outages lose several."""
    sizes = [size for each in losses for size in each.in_outages]
    apart = sum(each.apart for each in losses)
    whole = sum(sizes) + apart
    return (math.fsum(size * size for size in sizes) + apart) / whole if whole else 1.0


def _rare_count(found: Estimate, counts: Sequence[int], at_once: float) -> Estimate:
    """The wider of an interval of few lost requests over replications and one over what lost them.

    `at_once` is for requests lost to any cause. No more can be lost at once to one cause than a replication lost to it.
    So where each replication lost some, there are at least as many events as replications.
    """
    n, total = found.n, sum(counts)
    if n < 2 or total == 0:
        return found
    at_once = min(at_once, sum(count * count for count in counts) / total)
    if total / at_once >= FEW_EVENTS:
        return found
    low, high = (at_once * bound / n for bound in poisson_bounds(total / at_once))
    if found.low is not None and found.high is not None:
        low, high = min(low, found.low), max(high, found.high)
    return replace(found, low=low, high=high, interval="poisson, of what lost them")


def _estimates(values: Sequence[Any], share: bool) -> Any:
    if isinstance(values[0], Mapping):
        return {name: mean_of([value[name] for value in values], share=share) for name in values[0]}
    return mean_of(values, share=share)


def _is_share(metric: str) -> bool:
    return metric == "availability" or metric.endswith("_share")
