"""What shows a cascade: calls per request, refusals, minutes, recovery after incidents, time out of service."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.blackout import Blackout, BlackoutTotals
from des.estimate.intervals import binomial_bounds
from des.estimate.minutes import MINUTE_S, Bins, Minutes
from des.estimate.recovery import Recovery, recoveries
from des.estimate.summary import REQUEST_LEVEL, Entry, entry
from des.estimate.time_out import TimeOut, TimesOut
from des.faults import Intervals, Timeline
from des.faults.episodes import merged
from des.scenario.plan import Plan

SHARES: Final = (
    "refused_by_budget_share",
    "refused_by_limit_share",
    "refused_by_capacity_share",
    "refused_by_client_share",
)

Block = Mapping[str, NDArray[Any]]


def may_cascade(plans: Iterable[Plan]) -> bool:
    """Whether requests get in each other's way in any of the plans, or a client's policy decides over them."""
    return any(_may_cascade(plan) for plan in plans)


def _may_cascade(plan: Plan) -> bool:
    endpoints = [plan.endpoints[leg.endpoint] for leg in plan.chain]
    return (
        not plan.client.plain
        or bool(plan.surges)
        or any(leg.limits for leg in plan.chain)
        or any(endpoint.limits or endpoint.capacity is not None for endpoint in endpoints)
    )


def budgets(plan: Plan) -> frozenset[int]:
    """The limits that only legs name, by index: the client's own, which no call that they refuse leaves."""
    return frozenset(limit for leg in plan.chain for limit in leg.limits) - frozenset(
        limit for endpoint in plan.endpoints for limit in endpoint.limits
    )


def triggers(plan: Plan, timeline: Timeline) -> Intervals:
    """When an incident is open, whatever its effect, at some endpoint of the chain or one that a surge flees from."""
    concerned = {leg.endpoint for leg in plan.chain} | {endpoint for surge in plan.surges for endpoint in surge.when}
    hit = timeline.hits[:, sorted(concerned)].any(axis=1)
    return merged(Intervals(timeline.start_s[hit], timeline.end_s[hit])).starting_before(plan.horizon_s)


@dataclass(frozen=True, slots=True)
class Cascade:
    """Of one replication."""

    metrics: Mapping[str, float | None]
    recoveries: tuple[Recovery, ...]
    times_out: TimesOut
    bin_s: float
    blackout: Blackout | None


class CascadeTotals:
    """Takes blocks of the engine's rows; its memory grows with the minutes of the horizon, up to 31 days of them."""

    def __init__(self, plan: Plan, names: Mapping[str, Mapping[str, Sequence[str]]], triggers: Intervals) -> None:
        self._horizon_s = plan.horizon_s
        self._triggers = triggers
        self._minutes = Minutes(plan.horizon_s, budgets(plan))
        self._time_out = TimeOut(names["transitions"], plan.horizon_s)
        self._blackout = BlackoutTotals(plan, names, is_calm=not len(triggers.start_s))
        self._called = 0

    def requests(self, block: Block) -> None:
        self._minutes.requests(block)
        self._called += int(np.count_nonzero(block["attempts"]))
        self._blackout.requests(block)

    def attempts(self, block: Block) -> None:
        self._minutes.attempts(block)
        self._blackout.attempts(block)

    def transitions(self, block: Block) -> None:
        self._time_out.transitions(block)

    def refusals(self, block: Block) -> None:
        self._minutes.refusals(block)

    def close(self) -> tuple[Cascade, Bins]:
        """The replication's figures, and its minutes."""
        bins = self._minutes.bins()
        found = recoveries(bins, self._triggers, self._horizon_s)
        times_out, blackout = self._time_out.times_out(), self._blackout.blackout()
        return Cascade(self._metrics(bins), found, times_out, bins.bin_s, blackout), bins

    def _metrics(self, bins: Bins) -> dict[str, float | None]:
        of, bin_minutes = bins.of, bins.bin_s / MINUTE_S
        calls = bins.total("calls") + bins.total("hedges")
        by_budget, by_client = bins.total("refused_by_budget"), bins.total("refused_by_client")
        left = of["calls"] + of["hedges"] - of["refused_by_budget"]
        return {
            "retry_amplification": _ratio(calls, self._called),
            "goodput_per_minute": bins.total("goodput") * MINUTE_S / self._horizon_s,
            "peak_calls_per_minute": float(left.max()) / bin_minutes,
            "refused_by_budget_share": _ratio(by_budget, calls),
            "refused_by_limit_share": _ratio(bins.total("refused_by_limit"), calls - by_budget),
            "refused_by_capacity_share": _ratio(bins.total("refused_by_capacity"), calls - by_budget),
            "refused_by_client_share": _ratio(by_client, calls + by_client),
        }


def cascade_entries(cascades: Sequence[Cascade]) -> dict[str, Any]:
    """One arm's entries of the summary, from its replications."""
    return {
        **{
            metric: entry([each.metrics[metric] for each in cascades], share=metric in SHARES)
            for metric in cascades[0].metrics
        },
        "time_to_recover_s": _time_to_recover(cascades),
        "metastable": _metastable(cascades),
        "blackout": _blackout([each.blackout for each in cascades if each.blackout is not None]),
        **_times_out([each.times_out for each in cascades]),
    }


def _time_to_recover(cascades: Sequence[Cascade]) -> Entry:
    """The mean of the replications' means; none where some trigger was not seen to be recovered from.

    Then its low end is what the mean would be if service had recovered everywhere as soon as nobody looked any more.
    """
    of = [each.recoveries for each in cascades]
    times_s = [[one.recovered_s for one in several if one.recovered_s is not None] for several in of]
    censored_s = [one.observed_s for several in of for one in several if one.recovered_s is None]
    known = [math.fsum(several) / len(several) for several in times_s if several]
    figure = entry([] if censored_s else known) | {"n": sum(bool(several) for several in of)}
    if censored_s:
        seen_s = [math.fsum(one.collapsed_s for one in several) / len(several) for several in of if several]
        least = entry(seen_s)
        figure["low"] = least["mean"] if least["low"] is None else least["low"]
    return figure | {
        "triggers": sum(map(len, of)),
        "recovered": sum(map(len, times_s)),
        "recovered_mean_s": math.fsum(known) / len(known) if known else None,
        "not_within_s": [min(censored_s), max(censored_s)] if censored_s else None,
        "resolution_s": max(each.bin_s for each in cascades),
    }


def _metastable(cascades: Sequence[Cascade]) -> Entry:
    """The share of replications in which some trigger left service collapsed, of those that were observed enough."""
    verdicts = [_verdict(each.recoveries) for each in cascades]
    judged = [verdict for verdict in verdicts if verdict is not None]
    collapsed = [one for each in cascades for one in each.recoveries if one.metastable]
    offered = sum(one.offered for one in collapsed)
    lengths_s = [one.collapsed_s for one in collapsed]
    return _share_of_runs(judged) | {
        "goodput_share": _ratio(sum(one.goodput for one in collapsed), offered),
        "observed_s": [min(lengths_s), max(lengths_s)] if lengths_s else None,
    }


def _blackout(replications: Sequence[Blackout]) -> Entry:
    """The share of replications in which guards made an outage of failures at random, of those without other causes."""
    found = [each for each in replications if each.is_one]
    return _share_of_runs([each.is_one for each in replications]) | {
        "kept_out_share": _ratio(sum(each.kept_out for each in found), sum(each.requests for each in found)),
        "failed_share": _ratio(sum(each.failed for each in found), sum(each.calls for each in found)),
    }


def _share_of_runs(judged: Sequence[bool]) -> Entry:
    """How many replications something is true of, and their share with an exact interval."""
    figure = entry([float(verdict) for verdict in judged], share=True)
    if len(judged) > 1:
        low, high = binomial_bounds(sum(judged), len(judged))
        figure |= {"low": low, "high": high, "interval": "Clopper-Pearson"}
    return figure | {"estimator": REQUEST_LEVEL, "runs": sum(judged)}


def _verdict(recoveries: Sequence[Recovery]) -> bool | None:
    judged = [one.metastable for one in recoveries if one.metastable is not None]
    return any(judged) if judged else None


def _times_out(replications: Sequence[TimesOut]) -> dict[str, dict[str, Entry]]:
    names = sorted({name for each in replications for name in each})
    found = {name: [each.get(name, (0, 0.0)) for each in replications] for name in names}
    return {
        "times_out": {name: entry([float(times) for times, _ in pairs]) for name, pairs in found.items()},
        "time_out_share": {name: entry([share for _, share in pairs], share=True) for name, pairs in found.items()},
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
