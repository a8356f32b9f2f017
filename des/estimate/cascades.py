"""Figures that show a cascade: calls per request, refusals, recovery after incidents, blackouts, guards' time open."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from des.estimate.call import kind_names, kinds_of
from des.estimate.conservation import is_lost
from des.estimate.estimate import Estimate
from des.estimate.interaction import client_interactions
from des.estimate.intervals import NO_SPREAD, binomial_bounds, mean_of
from des.estimate.minutes import MINUTE_S, Bins, Minutes, Recovery, recoveries
from des.faults import Intervals, Timeline
from des.faults.episodes import merged
from des.scenario.plan import Plan, RetryAfter, RetryRule
from des.vocabulary import BY_CAPACITY, BY_LIMIT, CANCELLED, OK, PROBE

_SHARES: Final = (
    "refused_by_budget_share",
    "refused_by_limit_share",
    "refused_by_capacity_share",
    "refused_by_client_share",
)
_CIRCUIT_OPEN: Final = "circuit_open"
_NOISE: Final = 2.0
"""Standard deviations by which losses to guards must exceed failed calls before chance is ruled out."""
_OUT: Final = ("open", "half_open", "cooling", "ejected", "unhealthy", "refusing")
"""States in which an entity lets few calls through or none. `refusing` only says that the last call was refused."""
_KINDS: Final = ("breaker", "cooldown", "ejection", "health", "limit", "capacity")
_STEPS_PER_S: Final = 1_000_000_000

_Block = Mapping[str, NDArray[Any]]
TimesOut = Mapping[str, tuple[int, float]]
"""`<entity> <state>` -> how often the state began, and its share of the horizon."""


def may_cascade(plans: Iterable[Plan]) -> bool:
    """Whether in any plan requests affect each other, or a client does more than plain retries."""
    return any(_may_cascade(plan) for plan in plans)


def _may_cascade(plan: Plan) -> bool:
    endpoints = [plan.endpoints[leg.endpoint] for leg in plan.chain]
    return (
        bool(plan.surges)
        or any(leg.limits for leg in plan.chain)
        or any(endpoint.limits or endpoint.capacity is not None for endpoint in endpoints)
        or bool(client_interactions(plan))
        or not _retries_plainly(plan)
    )


def _retries_plainly(plan: Plan) -> bool:
    """Whether every leg is its own group, in order, and all legs are retried by outcome with one common back-off."""
    client = plan.client
    depth, rules = client.fallback_depth, [group.retry for group in client.groups]
    return (
        all(len(group.legs) == 1 and group.name == plan.chain[group.legs[0]].name for group in client.groups)
        and not any(leg.inner for leg in client.legs)
        and all(leg.tier == 1 for leg in client.legs)
        and (depth is None or depth + 1 >= len(client.groups))
        and all(
            (rule.backoff, rule.retry_after.honours) == (rules[0].backoff, rules[0].retry_after.honours)
            for rule in rules
        )
        and all(_is_plain(plan, rule) for rule in rules)
        and all(_by_outcome(plan, group.fallback_on) for group in client.groups)
        and plan.policy.round_backoff.is_plain
    )


def _is_plain(plan: Plan, rule: RetryRule) -> bool:
    return (
        rule.backoff.is_plain
        and rule.throttled_backoff is None
        and not rule.waits_after_last
        and rule.attempt_timeout_s is None
        and (not rule.retry_after.honours or _honours_all(plan, rule.retry_after))
        and _by_outcome(plan, rule.retry_on)
    )


def _honours_all(plan: Plan, of: RetryAfter) -> bool:
    """Whether every wait is the longer of the back-off and the Retry-After."""
    every = {kind for kind, name in enumerate(kind_names(plan)) if name not in ("ok", "cancelled")}
    return (
        kinds_of(plan, of.on) == every
        and of.combine == "max"
        and of.spread_s == 0.0
        and math.isinf(min(of.cap_s, of.total_s))
    )


def _by_outcome(plan: Plan, handled: Collection[str]) -> bool:
    """Whether the outcome alone decides what is handled, without the status."""
    kinds, names = kinds_of(plan, handled), kind_names(plan)
    meant = {names[kind] for kind in kinds}
    return kinds == {kind for kind, name in enumerate(names) if name in meant}


def budgets(plan: Plan) -> frozenset[int]:
    """Indices of the limits that only legs name. They are the client's own: a call they refuse is never sent."""
    return frozenset(limit for leg in plan.chain for limit in leg.limits) - frozenset(
        limit for endpoint in plan.endpoints for limit in endpoint.limits
    )


def triggers(plan: Plan, timeline: Timeline) -> Intervals:
    """When some incident is open, whatever its effect, at an endpoint of the chain or one whose load surges away."""
    concerned = {leg.endpoint for leg in plan.chain} | {endpoint for surge in plan.surges for endpoint in surge.when}
    hit = timeline.hits[:, sorted(concerned)].any(axis=1)
    return merged(Intervals(timeline.start_s[hit], timeline.end_s[hit])).starting_before(plan.horizon_s)


@dataclass(frozen=True, slots=True)
class Blackout:
    """What guards lost in a replication in which calls failed only at random.

    `kept_out` counts requests lost without a call because guards excluded every leg; `failed` counts calls.
    """

    requests: int
    kept_out: int
    calls: int
    failed: int

    @property
    def is_one(self) -> bool:
        """Whether guards lost a larger share of the requests than the share of calls that failed.

        Where calls fail at random, a request without guards is lost no more often than a call fails.
        """
        if not self.kept_out:
            return False
        share = self.failed / self.calls if self.calls else 1.0
        chance = _NOISE * math.sqrt(share * (1.0 - share) * self.requests)
        return self.kept_out > share * self.requests + chance


class _BlackoutTotals:
    """Takes blocks of the engine's rows."""

    def __init__(self, plan: Plan, names: Mapping[str, Mapping[str, Sequence[str]]], *, is_calm: bool) -> None:
        """`is_calm`: no incident is open in the replication at any endpoint of the chain."""
        rots = any(leg.silent_rot is not None for leg in plan.chain)
        self._at_random = is_calm and not rots
        self._circuit_open = names["requests"]["error_type"].index(_CIRCUIT_OPEN)
        self._requests = self._kept_out = self._calls = self._failed = 0

    def requests(self, block: _Block) -> None:
        if not self._at_random:
            return
        lost = is_lost(block["outcome"])
        self._requests += len(lost)
        self._kept_out += int(np.count_nonzero(lost & (block["error_type"] == self._circuit_open)))

    def attempts(self, block: _Block) -> None:
        if not self._at_random:
            return
        outcome, cause = block["outcome"], block["cause"]
        made = (block["kind"] != PROBE) & (outcome != CANCELLED)
        self._calls += int(np.count_nonzero(made))
        self._failed += int(np.count_nonzero(made & (outcome != OK)))
        if self._at_random and np.isin(cause, (BY_LIMIT, BY_CAPACITY)).any():
            self._at_random = False

    def blackout(self) -> Blackout | None:
        """None where there may be another cause: an incident, a leg that rots, a limit or capacity."""
        if not self._at_random:
            return None
        return Blackout(self._requests, self._kept_out, self._calls, self._failed)


class TimeOut:
    """Takes blocks of transitions, whose columns are codes into `names`."""

    def __init__(self, names: Mapping[str, Sequence[str]], horizon_s: float) -> None:
        self._entities, self._states = names["entity"], names["to"]
        self._horizon_s = horizon_s
        self._is_counted = np.isin(names["kind"], _KINDS)
        size = len(self._entities) * len(self._states)  # each, in one dimension, for speed
        self._begun = np.zeros(size, np.int64)
        self._open = np.zeros(size, np.int64)  # begun less ended, whenever that was
        self._steps = np.zeros(size, np.int64)  # ends less starts, in nanoseconds, modulo 2^64

    def transitions(self, block: _Block) -> None:
        some = np.flatnonzero(self._is_counted.take(block["kind"]))
        if not len(some):
            return
        entity, time_s = block["entity"].take(some), block["time_s"].take(some)
        steps = np.rint(np.minimum(time_s, self._horizon_s) * _STEPS_PER_S).astype(np.int64)
        states, size = len(self._states), self._open.size
        first = entity.astype(np.intp) * states
        after, before = first + block["to"].take(some), first + block["from"].take(some) % states
        self._begun += np.bincount(after[time_s < self._horizon_s], minlength=size)
        self._open += np.bincount(after, minlength=size) - np.bincount(before, minlength=size)
        np.subtract.at(self._steps, after, steps)
        np.add.at(self._steps, before, steps)

    def times_out(self) -> TimesOut:
        """Of the states that some entity was in."""
        horizon = round(self._horizon_s * _STEPS_PER_S)
        found = {}
        for place in np.flatnonzero(self._begun).tolist():
            entity, state = divmod(place, len(self._states))
            if self._states[state] in _OUT:
                steps = int(self._steps[place]) + int(self._open[place]) * horizon
                name = f"{self._entities[entity]} {self._states[state]}"
                found[name] = int(self._begun[place]), min(1.0, steps / horizon)
        return found


@dataclass(frozen=True, slots=True)
class Cascade:
    """Figures of one replication."""

    metrics: Mapping[str, float | None]
    recoveries: tuple[Recovery, ...]
    times_out: TimesOut
    bin_s: float
    blackout: Blackout | None


class CascadeTotals:
    """Takes blocks of the engine's rows. Its memory grows with the minutes of the horizon, up to 31 days of them."""

    def __init__(self, plan: Plan, names: Mapping[str, Mapping[str, Sequence[str]]], triggers: Intervals) -> None:
        self._horizon_s = plan.horizon_s
        self._triggers = triggers
        self._minutes = Minutes(plan.horizon_s, budgets(plan))
        self._time_out = TimeOut(names["transitions"], plan.horizon_s)
        self._blackout = _BlackoutTotals(plan, names, is_calm=not len(triggers.start_s))
        self._called = 0

    def requests(self, block: _Block) -> None:
        self._minutes.requests(block)
        self._called += int(np.count_nonzero(block["attempts"]))
        self._blackout.requests(block)

    def attempts(self, block: _Block) -> None:
        self._minutes.attempts(block)
        self._blackout.attempts(block)

    def transitions(self, block: _Block) -> None:
        self._time_out.transitions(block)

    def refusals(self, block: _Block) -> None:
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


@dataclass(frozen=True, slots=True)
class _TimeToRecover(Estimate):
    """Seconds from a trigger's end to the recovery of service.

    `recovered_mean_s` is over the triggers after which recovery was observed. `not_within_s` is (least, most) of the
    time for which the others were observed.
    """

    triggers: int = 0
    recovered: int = 0
    recovered_mean_s: float | None = None
    not_within_s: tuple[float, float] | None = None
    resolution_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Ends with the reason for a missing interval where a heterogeneous arm has too few replications."""
        found = Estimate.as_json(self)
        if self.interval not in (None, NO_SPREAD):
            found["interval"] = found.pop("interval")
        return found


@dataclass(frozen=True, slots=True)
class _Metastable(Estimate):
    """The share of replications in which service stayed collapsed after a trigger.

    `runs` counts replications. `goodput_share` is over the requests offered during the collapse. `observed_s` is
    (least, most) of the time for which a collapse was observed.
    """

    runs: int = 0
    goodput_share: float | None = None
    observed_s: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _BlackoutShare(Estimate):
    """The share of replications in which guards turned random failures into an outage.

    `runs` counts such replications. `kept_out_share` is over their requests, `failed_share` over their calls.
    """

    runs: int = 0
    kept_out_share: float | None = None
    failed_share: float | None = None


def cascade_estimates(cascades: Sequence[Cascade]) -> dict[str, Estimate | dict[str, Estimate]]:
    """One arm's estimates for the summary, from its replications."""
    return {
        **{
            metric: mean_of([each.metrics[metric] for each in cascades], share=metric in _SHARES)
            for metric in cascades[0].metrics
        },
        "time_to_recover_s": _time_to_recover(cascades),
        "metastable": _metastable(cascades),
        "blackout": _blackout([each.blackout for each in cascades if each.blackout is not None]),
        **_times_out([each.times_out for each in cascades]),
    }


def _time_to_recover(cascades: Sequence[Cascade]) -> _TimeToRecover:
    """The mean of the replications' means; None where recovery from some trigger was not observed.

    The low end is then the mean that would result if service had recovered at the end of each observation.
    """
    of = [each.recoveries for each in cascades]
    times_s = [[one.recovered_s for one in several if one.recovered_s is not None] for several in of]
    censored_s = [one.observed_s for several in of for one in several if one.recovered_s is None]
    known = [math.fsum(several) / len(several) for several in times_s if several]
    figure = mean_of([] if censored_s else known)
    low = figure.low
    if censored_s:
        seen_s = [math.fsum(one.collapsed_s for one in several) / len(several) for several in of if several]
        least = mean_of(seen_s)
        low = least.mean if least.low is None else least.low
    return _TimeToRecover(
        mean=figure.mean,
        low=low,
        high=figure.high,
        n=sum(bool(several) for several in of),
        interval=figure.interval,
        triggers=sum(map(len, of)),
        recovered=sum(map(len, times_s)),
        recovered_mean_s=math.fsum(known) / len(known) if known else None,
        not_within_s=(min(censored_s), max(censored_s)) if censored_s else None,
        resolution_s=max(each.bin_s for each in cascades),
    )


def _metastable(cascades: Sequence[Cascade]) -> _Metastable:
    """Over the replications observed for long enough."""
    verdicts = [_verdict(each.recoveries) for each in cascades]
    judged = [verdict for verdict in verdicts if verdict is not None]
    collapsed = [one for each in cascades for one in each.recoveries if one.metastable]
    offered = sum(one.offered for one in collapsed)
    lengths_s = [one.collapsed_s for one in collapsed]
    figure = _share_of_runs(judged)
    return _Metastable(
        mean=figure.mean,
        low=figure.low,
        high=figure.high,
        n=figure.n,
        interval=figure.interval,
        runs=sum(judged),
        goodput_share=_ratio(sum(one.goodput for one in collapsed), offered),
        observed_s=(min(lengths_s), max(lengths_s)) if lengths_s else None,
    )


def _blackout(replications: Sequence[Blackout]) -> _BlackoutShare:
    """Over the replications without other causes."""
    found = [each for each in replications if each.is_one]
    figure = _share_of_runs([each.is_one for each in replications])
    return _BlackoutShare(
        mean=figure.mean,
        low=figure.low,
        high=figure.high,
        n=figure.n,
        interval=figure.interval,
        runs=len(found),
        kept_out_share=_ratio(sum(each.kept_out for each in found), sum(each.requests for each in found)),
        failed_share=_ratio(sum(each.failed for each in found), sum(each.calls for each in found)),
    )


def _share_of_runs(judged: Sequence[bool]) -> Estimate:
    """The share of replications for which `judged` is true, with an exact interval."""
    figure = mean_of([float(verdict) for verdict in judged], share=True)
    if len(judged) < 2:
        return figure
    low, high = binomial_bounds(sum(judged), len(judged))
    return replace(figure, low=low, high=high, interval="Clopper-Pearson")


def _verdict(recoveries: Sequence[Recovery]) -> bool | None:
    judged = [one.metastable for one in recoveries if one.metastable is not None]
    return any(judged) if judged else None


def _times_out(replications: Sequence[TimesOut]) -> dict[str, dict[str, Estimate]]:
    names = sorted({name for each in replications for name in each})
    found = {name: [each.get(name, (0, 0.0)) for each in replications] for name in names}
    return {
        "times_out": {name: mean_of([float(times) for times, _ in pairs]) for name, pairs in found.items()},
        "time_out_share": {name: mean_of([share for _, share in pairs], share=True) for name, pairs in found.items()},
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
