"""The calls of each leg per request in a state of the chain: some endpoints down, limits refusing what exceeds them.

A limiter that does not count the calls it refuses lets through what it grants. A token bucket that counts them gives
every call a token if it has one, admitted or not. The tokens that a call leaves behind then follow Lindley's recursion,
X' = max(0, X + S - 1) with S the refill between two calls, like the waiting times of a D/M/1 queue. So of Poisson calls
at a rates the refill the share admitted is that of the customers who wait there: the root below 1 of y = exp(-a (1 -
y)) (Kleinrock, Queueing Systems I, 1975, section 6.4); all are admitted while a < 1.

What is refused is retried, and comes again: the state is a fixed point. From "everything is admitted" the iteration
leads to how a chain does by itself, from "everything is refused" to how it does after an outage. Where the two differ,
refusals keep themselves alive.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from des.estimate.call import kind_of
from des.estimate.flow import NOTHING, Flow
from des.estimate.foresight.outlook import Outlook, fails
from des.estimate.linear import weighted_sum
from des.estimate.offered_load import through_chain
from des.scenario.plan import Leg, Limit, Timeout
from des.scenario.schema.statuses import broken_stream_kind
from des.vocabulary import INVALID_OUTPUT, RATE_LIMITED, TIMEOUT

_MOST_ROUNDS: Final = 400
_CLOSE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Settled:
    """A state that feeds itself. `calls` a request makes are by leg, `offered` a second (calls or tokens) by limit.

    `admitted` is the share of calls that each limit lets through, `lost` the share of requests.
    """

    calls: Mapping[int, float]
    offered: Mapping[int, float]
    admitted: Mapping[int, float]
    lost: float


@dataclass(frozen=True, slots=True)
class _Chances:
    """By leg: the chance of each way to fail, by outcome kind."""

    by_leg: Mapping[int, Mapping[int, float]]

    @property
    def cut_off(self) -> Flow:
        return NOTHING

    def of(self, leg: int, cut_s: float | None) -> Mapping[int, Flow]:
        return {kind: Flow(chance, chance) for kind, chance in self.by_leg[leg].items() if chance > 0.0}


def calls_while(
    outlook: Outlook, down: frozenset[int] = frozenset(), admitted: Mapping[int, float] | None = None
) -> tuple[dict[int, float], float]:
    """(calls of each leg that a request makes on average, share of requests lost).

    `down` are endpoints at which the worst of their incidents is open. `admitted` is the share of calls by leg that no
    limit refuses, 1 by default. The layers of the application are included.
    """
    chances = {
        leg.index: _refusing(failure_chances(outlook, leg, down), 1.0 if admitted is None else admitted[leg.index])
        for leg in outlook.legs
    }
    flows, lost = through_chain(outlook.plan, _Chances(chances))
    walks = _walks(outlook, lost.keeps)
    return {leg: walks * flow.keeps for leg, flow in flows.items()}, _lost_in_the_end(outlook, lost.keeps)


def calls_if(outlook: Outlook, chances: Mapping[int, float]) -> dict[int, float]:
    """The calls of each leg that a request makes if calls of every leg fail so, by outcome kind."""
    flows, lost = through_chain(outlook.plan, _Chances({leg.index: chances for leg in outlook.legs}))
    walks = _walks(outlook, lost.keeps)
    return {leg: walks * flow.keeps for leg, flow in flows.items()}


def failure_chances(outlook: Outlook, leg: Leg, down: frozenset[int] = frozenset()) -> dict[int, float]:
    """The chance of each way to fail, by outcome kind, of calls that no limit refuses."""
    plan, found = outlook.plan, dict[int, float]()
    endpoint = plan.endpoints[leg.endpoint]
    effect = outlook.worst_effect(leg.endpoint) if leg.endpoint in down else None
    if effect is not None:
        _add(found, TIMEOUT, effect.hang)
        _add(found, kind_of(plan, effect), (1.0 - effect.hang) * effect.error_rate)
    left = 1.0 - (fails(effect) if effect is not None else 0.0)
    for error in endpoint.errors:
        if error.outcome == "hang":
            _add(found, TIMEOUT, left * error.rate)
        elif error.outcome != "invalid_output":
            _add(found, kind_of(plan, error), left * error.rate)
    slower = effect.latency_factor if effect is not None else 1.0
    _add(found, TIMEOUT, left * outlook.late_share(leg, slower=slower))
    _add(found, INVALID_OUTPUT, left * leg.invalid_output)
    if endpoint.broken_streams is not None:
        _add(found, broken_stream_kind(plan.statuses), left * endpoint.broken_streams.rate)
    whole = math.fsum(found.values())
    return found if whole <= 1.0 else {kind: chance / whole for kind, chance in found.items()}


def _add(found: dict[int, float], kind: int, chance: float) -> None:
    found[kind] = found.get(kind, 0.0) + chance


def _refusing(failures: Mapping[int, float], admitted: float) -> dict[int, float]:
    found = {kind: admitted * chance for kind, chance in failures.items()}
    _add(found, RATE_LIMITED, 1.0 - admitted)
    return found


def _walks(outlook: Outlook, lost: float) -> float:
    """How often the application walks the chain for a request, on average."""
    application = outlook.plan.client.application
    if application is None or "failed" not in application.retry_on:
        return 1.0
    return math.fsum(lost**walk for walk in range(1 + application.retries))


def _lost_in_the_end(outlook: Outlook, lost: float) -> float:
    application = outlook.plan.client.application
    if application is None or "failed" not in application.retry_on:
        return min(1.0, lost)
    return min(1.0, lost) ** (1 + application.retries)


def settled(
    outlook: Outlook, per_s: float, down: frozenset[int] = frozenset(), *, refused_at_first: bool = False
) -> Settled:
    """The state to which the chain comes under `per_s` requests a second while some endpoints are down."""
    plan = outlook.plan
    limits = {limit.index: limit for limit in plan.limits if is_steady(limit) and limit_legs(outlook, limit)}
    admitted = {index: 0.0 if refused_at_first and limit.counts_refused else 1.0 for index, limit in limits.items()}
    for _ in range(_MOST_ROUNDS):
        by_leg = {leg.index: _through(outlook, leg, admitted) for leg in outlook.legs}
        calls, lost = calls_while(outlook, down, by_leg)
        offered = {
            index: per_s * _offered_by_a_request(outlook, limit, calls, admitted, down)
            for index, limit in limits.items()
        }
        found = {index: share_admitted(limit, offered[index]) for index, limit in limits.items()}
        if all(abs(found[index] - admitted[index]) < _CLOSE for index in limits):
            break
        admitted = {index: 0.5 * (admitted[index] + found[index]) for index in limits}
    return Settled(calls, offered, found, lost)


def limit_legs(outlook: Outlook, limit: Limit) -> frozenset[int]:
    """The legs whose calls a limit counts."""
    endpoints = outlook.plan.endpoints
    return frozenset(
        leg.index for leg in outlook.legs if limit.index in leg.limits or limit.index in endpoints[leg.endpoint].limits
    )


def is_budget(outlook: Outlook, limit: Limit) -> bool:
    """Whether it is the client's own: what it refuses is never sent."""
    return not any(limit.index in endpoint.limits for endpoint in outlook.plan.endpoints)


def is_steady(limit: Limit) -> bool:
    """Whether it grants the same rate all the time, to calls counted at their dispatch."""
    return limit.algorithm in ("token_bucket", "fixed_window", "sliding_log") and limit.counted != "success"


def share_admitted(limit: Limit, offered_per_s: float) -> float:
    """The share of Poisson calls that a limit lets through: see above. Bursts are left out."""
    load = offered_per_s / granted_per_s(limit)
    if load <= 1.0:
        return 1.0
    if not (limit.counts_refused and limit.algorithm == "token_bucket" and limit.metric == "requests"):
        return 0.0 if limit.counts_refused and limit.algorithm == "sliding_log" else 1.0 / load
    share = 0.0
    for _ in range(200):
        share = math.exp(-load * (1.0 - share))
    return share


def granted_per_s(limit: Limit) -> float:
    return limit.rate_per_s if limit.window_s is None else limit.burst / limit.window_s


def _through(outlook: Outlook, leg: Leg, admitted: Mapping[int, float]) -> float:
    """The share of a leg's calls that no limit refuses: the budgets come first, then the tightest of the provider's."""
    of_provider = [admitted.get(index, 1.0) for index in outlook.plan.endpoints[leg.endpoint].limits]
    return _past_budgets(leg, admitted) * min(of_provider, default=1.0)


def _past_budgets(leg: Leg, admitted: Mapping[int, float]) -> float:
    return math.prod(admitted.get(index, 1.0) for index in leg.limits)


def _offered_by_a_request(
    outlook: Outlook, limit: Limit, calls: Mapping[int, float], admitted: Mapping[int, float], down: frozenset[int]
) -> float:
    """In the limit's unit, for each request."""
    own, found = is_budget(outlook, limit), []
    for index in limit_legs(outlook, limit):
        leg = outlook.legs[index]
        if leg.endpoint in down and not limit.counts_failed:
            continue
        found.append(calls.get(index, 0.0) * (1.0 if own else _past_budgets(leg, admitted)) * hedged(outlook, leg))
    return math.fsum(found) * outlook.mean_tokens(limit.metric)


def holds_back(outlook: Outlook, leg: int) -> bool:
    """Whether the client itself holds back calls of a leg that fails; how many is not worked out."""
    client = outlook.plan.client.legs[leg]
    return bool(client.guards) or client.retry_budget is not None or client.throttle is not None


def hedged(outlook: Outlook, leg: Leg) -> float:
    """Copies sent for each call of a leg, the call itself included."""
    return 1.0 + copies(outlook, leg)


def copies(outlook: Outlook, leg: Leg, slower: float = 1.0) -> float:
    """Further copies that hedging sends for each call, on average, when answers are `slower` times as slow.

    A copy is sent while all before it are unanswered. All of a request have the same output.
    """
    hedge = outlook.plan.client.legs[leg.index].hedge
    if hedge is None:
        return 0.0
    shares, _ = outlook.cells(leg)
    open_by_part = [
        outlook.late(leg, Timeout(total_s=part * hedge.after_s), slower) for part in range(1, hedge.at_most + 1)
    ]
    total = 0.0
    for sent in range(1, hedge.at_most + 1):
        unanswered = open_by_part[0]
        for part in range(1, sent):
            unanswered = unanswered * open_by_part[part]
        total += weighted_sum(shares, unanswered)
    return total
