"""From the figures of replications to a summary: means and quantiles, and their intervals."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from des.estimate.histogram import RELATIVE_ERROR, LogHistogram
from des.estimate.intervals import CONFIDENCE as CONFIDENCE
from des.estimate.intervals import (
    FEW_EPISODES,
    FEW_EVENTS,
    NO_SPREAD,
    Interval,
    compound_bounds,
    poisson_bounds,
    sectioned,
    students_t,
)
from des.estimate.losses import Losses
from des.estimate.totals import Metrics

REQUEST_LEVEL: Final = "request level"
QUANTILES: Final = {"method": "log histogram", "relative_error": RELATIVE_ERROR}
LATENCY_QUANTILES: Final = {"latency_s_p50": 0.5, "latency_s_p95": 0.95, "latency_s_p99": 0.99}
MOSTLY: Final = 0.9
"""Share of the lost requests that must have been lost in outages for these to be what the interval is over."""

RECORDED: Final = "none: the same incidents each time, on record"
"""Instead of an interval where nothing is left to chance."""
KEPT: Final = ("ok", "in_flight")
"""Outcomes of requests that were not lost."""

Entry = dict[str, Any]
"""{"mean", "low", "high", "n", "estimator"} of one metric, and "interval" where it is not Student's t, or why none."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One replication: its figures, and what their joint intervals need besides."""

    metrics: Metrics
    losses: Losses
    latency: LogHistogram


class Pool:
    """What the replications of one arm observed, one after the other."""

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


def summary(arms: Mapping[str, Pool], uneven: Container[str] = ()) -> dict[str, Any]:
    """The content of summary.json, from what each arm's replications observed; of the arms `uneven` by these alone."""
    return {
        "quantiles": dict(QUANTILES),
        "confidence": CONFIDENCE,
        "arms": {arm: summarise(found, by_replication=arm in uneven) for arm, found in arms.items()},
    }


def summarise(pool: Pool, *, by_replication: bool = False) -> dict[str, Any]:
    """One arm's entries; a metric that is a dict by name becomes a dict of entries by name.

    Replications are the unit of inference. Quantiles of latency are of all replications together, with an interval by
    sectioning; availability has one over outages where these are few, and so have counts of lost requests, unless it
    is to be `by_replication`.
    """
    of = pool.metrics
    lost_at_once = _lost_at_once(pool.losses)
    entries = {metric: _entries([metrics[metric] for metrics in of], _is_share(metric)) for metric in of[0]}
    if not by_replication:
        entries["availability"] = availability_entry([metrics["availability"] for metrics in of], pool.losses)
    for metric in () if by_replication else ("request_outcomes", "lost_by_cause"):
        for name, found in entries[metric].items() if metric in entries else ():
            if name not in KEPT:
                counts = [metrics[metric][name] for metrics in of]
                entries[metric][name] = found | _rare_count(found, counts, lost_at_once)
    for metric, share in LATENCY_QUANTILES.items():
        entries[metric] = quantile_entry(pool.latency.quantile(share), [metrics[metric] for metrics in of])
    return entries


def entry(values: Sequence[float | None], *, share: bool = False, estimator: str = REQUEST_LEVEL) -> Entry:
    """Mean and 95 % interval over the replications that have a value, `n` of them; without one unless two differ.

    The interval is cut off at zero, and at one for a share: no metric lies beyond.
    """
    known = [value for value in values if value is not None]
    if not known:
        return {"mean": None, "low": None, "high": None, "n": 0, "estimator": estimator}
    return _written(students_t(known), len(known), share=share, estimator=estimator)


def quantile_entry(whole: float | None, values: Sequence[float | None]) -> Entry:
    """A quantile of all replications together, `whole`, from their own; known no better than the histogram tells it."""
    known = [value for value in values if value is not None]
    if whole is None or len(known) < 2:
        return entry(values)
    found = sectioned(whole, known)
    if found.low is not None and found.high is not None:
        error = RELATIVE_ERROR * whole
        found = Interval(whole, min(found.low, whole - error), max(found.high, whole + error))
    return {"interval": "sectioning"} | _written(found, len(known))


def availability_entry(values: Sequence[float | None], losses: Sequence[Losses]) -> Entry:
    """Availability by requests; over the outages that lost most of what was lost, where there are few of them.

    Those are outages at random: what incidents on record lost is lost apart.
    """
    found = entry(values, share=True)
    sizes = [float(size) for each in losses for size in each.in_outages]
    apart = sum(each.apart for each in losses)
    if not _worth_bounds(values, len(sizes)) or sum(sizes) < MOSTLY * (sum(sizes) + apart):
        few = len(sizes) + apart < FEW_EVENTS and _worth_bounds(values, len(sizes) + apart)
        return found | _over_episodes(found["mean"], sizes, apart) if few else found
    return found | _over_episodes(found["mean"], sizes, apart)


def up_entry(
    values: Sequence[float], episodes_s: Sequence[Sequence[float]], *, estimator: str, recorded: bool = False
) -> Entry:
    """Share of the time up, replication by replication, with the length of each episode of being down in them.

    Without an episode there is no interval: nothing is known of how long one would be. Nor is there where the episodes
    are `recorded`, the same each time: the figure is exact then.
    """
    found = entry(values, share=True, estimator=estimator)
    sizes = [size for several in episodes_s for size in several]
    if recorded:
        return found | {"low": None, "high": None, "interval": RECORDED}
    if not sizes:
        return found | {"low": None, "high": None}
    return found | _over_episodes(found["mean"], sizes, 0) if _worth_bounds(values, len(sizes)) else found


def count_entry(values: Sequence[float], *, estimator: str, recorded: bool = False) -> Entry:
    """The mean of counts of rare events, with exact Poisson bounds where there are few and they are left to chance."""
    found = entry(values, estimator=estimator)
    if recorded:
        return found | {"low": None, "high": None, "interval": RECORDED}
    total, n = round(math.fsum(values)), len(values)
    if n < 2 or (total >= FEW_EVENTS and found["low"] is not None):
        return found
    low, high = poisson_bounds(total)
    return found | {"low": low / n, "high": high / n, "interval": "poisson"}


def complement(figure: Entry) -> Entry:
    """The same of 1 - x."""
    low, high = figure["low"], figure["high"]
    return {
        **figure,
        "mean": 1.0 - figure["mean"],
        "low": None if high is None else 1.0 - high,
        "high": None if low is None else 1.0 - low,
    }


def _worth_bounds(values: Sequence[float | None], events: int) -> bool:
    """Whether events are too few for Student's t, and not the same ones each time."""
    return len(values) > 1 and 0 < events < FEW_EPISODES and len(set(values)) > 1


def _over_episodes(up: float, sizes: Sequence[float], apart: int) -> dict[str, Any]:
    if sizes:
        low, high = compound_bounds(np.array(sizes), apart)
        what = f"bootstrap-t over {len(sizes)} episode{'s' if len(sizes) > 1 else ''}"
    else:
        (low, high), what = poisson_bounds(apart), "poisson"
    whole = math.fsum(sizes) + apart
    return {
        "low": max(0.0, 1.0 - (1.0 - up) * high / whole),
        "high": min(1.0, 1.0 - (1.0 - up) * low / whole),
        "interval": what,
    }


def _lost_at_once(losses: Sequence[Losses]) -> float:
    """Requests that a lost request is lost together with, itself among them: 1 unless an outage loses several."""
    sizes = [size for each in losses for size in each.in_outages]
    apart = sum(each.apart for each in losses)
    whole = sum(sizes) + apart
    return (math.fsum(size * size for size in sizes) + apart) / whole if whole else 1.0


def _rare_count(found: Entry, counts: Sequence[int], at_once: float) -> dict[str, Any]:
    """The wider of an interval of few lost requests over replications and one over what lost them.

    `at_once` is of requests lost to anything. No more can be lost at once to one cause than a replication lost to it,
    so where each lost some there are at least as many events as replications.
    """
    n, total = found["n"], sum(counts)
    if n < 2 or total == 0:
        return {}
    at_once = min(at_once, sum(count * count for count in counts) / total)
    if total / at_once >= FEW_EVENTS:
        return {}
    low, high = (at_once * bound / n for bound in poisson_bounds(total / at_once))
    if found["low"] is not None:
        low, high = min(low, found["low"]), max(high, found["high"])
    return {"low": low, "high": high, "interval": "poisson, of what lost them"}


def _written(found: Interval, n: int, *, share: bool = False, estimator: str = REQUEST_LEVEL) -> Entry:
    low, high = found.low, found.high
    if low is not None and high is not None:
        low, high = max(0.0, low), min(1.0, high) if share else high
    entry = {"mean": found.value, "low": low, "high": high, "n": n, "estimator": estimator}
    return entry | {"interval": NO_SPREAD} if low is None and n > 1 else entry


def _entries(values: Sequence[Any], share: bool) -> dict[str, Any]:
    if isinstance(values[0], Mapping):
        return {name: entry([value[name] for value in values], share=share) for name in values[0]}
    return entry(values, share=share)


def _is_share(metric: str) -> bool:
    return metric == "availability" or metric.endswith("_share")
