"""Cascades that go on when their cause is over, and retries that multiply."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from des.estimate.foresight.foreseen import Foretold
from des.estimate.foresight.limits import answer_s, limit_path
from des.estimate.foresight.load import (
    calls_if,
    calls_while,
    granted_per_s,
    holds_back,
    limit_legs,
    settled,
)
from des.estimate.foresight.outlook import Outlook
from des.estimate.foresight.timeouts import waited_s
from des.estimate.foresight.words import duration, number, rate, share
from des.scenario.plan import BatchArrivals, Group, Leg, RetryRule
from des.scenario.text.places import Path
from des.scenario.text.units import MINUTE_S
from des.vocabulary import OVERLOADED, TIMEOUT

_WORSE: Final = 0.05
"""By how much more requests a chain that has collapsed must lose than by itself."""
_ROUNDS: Final = 60
"""Of an iteration that halves the distance each time."""
_SOON_S: Final = 10.0
_MANY_CALLS: Final = 10.0
"""Calls of one leg within about ten seconds, by one request and several layers of retries: an amplification."""


def refusals_keep_limit_exhausted(outlook: Outlook) -> Iterator[Foretold]:
    """Limits that count the calls they refuse: retries of refused calls keep them exhausted when the cause is over."""
    counting = [limit for limit in outlook.plan.limits if limit.counts_refused and limit_legs(outlook, limit)]
    per_s = outlook.rate_per_s
    if not counting or per_s is None or isinstance(outlook.plan.workload.arrivals, BatchArrivals):
        return
    if any(holds_back(outlook, leg) for limit in counting for leg in limit_legs(outlook, limit)):
        return
    by_itself, collapsed = settled(outlook, per_s), settled(outlook, per_s, refused_at_first=True)
    if collapsed.lost <= by_itself.lost + _WORSE:
        return
    worst = max(counting, key=lambda limit: collapsed.offered.get(limit.index, 0.0) / granted_per_s(limit))
    refusing = [limit for limit in counting if collapsed.admitted.get(limit.index, 1.0) < 0.999]
    loads = ", ".join(
        f"{limit.name} gets {rate(collapsed.offered[limit.index], 'calls')} and grants "
        f"{number(MINUTE_S * granted_per_s(limit))}"
        for limit in refusing
    )
    first = min(refusing, key=lambda limit: min(limit_legs(outlook, limit)), default=worst)
    yield Foretold(
        code="refusals_keep_limit_exhausted",
        path=(*limit_path(outlook, first)[:-1], "counts_refused"),
        sentence=f"refused calls count and are retried, so once calls are refused they stay refused when the cause is "
        f"over: {loads}; {share(collapsed.lost)} of the requests are then lost, instead of {share(by_itself.lost)}",
        remedy="a budget for each of these legs (budgets: with split), a breaker, a retry_budget or fewer retries",
        figures={
            "lost_share": collapsed.lost,
            "lost_by_itself_share": by_itself.lost,
            "calls_per_request": sum(collapsed.calls.values()),
        },
    )


def abandoned_calls_keep_queue_full(outlook: Outlook) -> Iterator[Foretold]:
    """A queue longer than the client's patience: the provider works on calls given up, whose retries refill it."""
    per_s, plan = outlook.busiest_per_s, outlook.plan
    if per_s is None:
        return
    normally = calls_while(outlook)[0]
    for capacity in plan.capacities:
        legs = [leg for leg in plan.chain if plan.endpoints[leg.endpoint].capacity == capacity.index]
        if not legs or any(holds_back(outlook, leg.index) for leg in legs):
            continue
        service_s = max(answer_s(plan, leg.index) for leg in legs)
        serves_per_s = capacity.concurrent / service_s
        patience_s = min((outlook.silence_s(leg) or math.inf) for leg in legs)
        full_s = service_s + capacity.queue / serves_per_s
        calm = sum(per_s * normally.get(leg.index, 0.0) for leg in legs)
        feeding = _calls_of_full_queue(outlook, legs, per_s, serves_per_s)
        if patience_s >= full_s or calm >= serves_per_s or feeding <= serves_per_s:
            continue
        yield Foretold(
            code="abandoned_calls_keep_queue_full",
            path=_retries_path(outlook, outlook.group_of(legs[0])),
            sentence=f"with its queue full {capacity.name} answers after {duration(full_s)}; clients give up after "
            f"{duration(patience_s)} and call again, {rate(feeding, 'calls')} of which it serves "
            f"{number(serves_per_s)}: once slowed down, it goes on working on calls that were given up",
            remedy=f"retries of at most {share(serves_per_s / per_s - 1.0)} of the requests (retry_budget), a breaker, "
            f"or a queue of less than {int(max(0.0, (patience_s - service_s) * serves_per_s))}",
            figures={"offered_per_s": feeding, "serves_per_s": serves_per_s, "calls_per_request": feeding / per_s},
        )


def _calls_of_full_queue(outlook: Outlook, legs: Sequence[Leg], per_s: float, serves_per_s: float) -> float:
    """Calls a second while the queue refuses what exceeds its service, and what it takes in times out."""
    offered, taken = 0.0, 1.0
    for _ in range(_ROUNDS):
        calls = calls_if(outlook, {TIMEOUT: taken, OVERLOADED: 1.0 - taken})
        offered = sum(per_s * calls.get(leg.index, 0.0) for leg in legs)
        taken = 0.5 * (taken + min(1.0, serves_per_s / offered)) if offered else 1.0
    return offered


def retry_amplification(outlook: Outlook) -> Iterator[Foretold]:
    """Layers of retries multiply: in an outage a request makes many calls of one leg."""
    plan = outlook.plan
    down = frozenset(leg.endpoint for leg in plan.chain if outlook.worst_effect(leg.endpoint) is not None)
    calls, _ = calls_while(outlook, down)
    if not down or not calls:
        return
    leg = plan.chain[max(calls, key=lambda index: calls[index])]
    layers = _layers(outlook, outlook.group_of(leg), leg.index)
    at_once = min(calls[leg.index], math.prod(layer.at_once for layer in layers))
    if at_once < _MANY_CALLS or len(layers) < 2 or plan.client.legs[leg.index].retry_budget is not None:
        return
    path = max(layers, key=lambda layer: layer.attempts).path
    yield Foretold(
        code="retry_amplification",
        path=path,
        sentence=f"layers of retries multiply: in an outage a request calls {leg.name} "
        f"{number(calls[leg.index])} times ({' x '.join(f'{layer.attempts} {layer.name}' for layer in layers)})",
        remedy="retries in one layer alone, or a retry_budget",
        figures={"calls_per_request": calls[leg.index]},
    )


class _Layer(NamedTuple):
    """A layer that repeats what lies inside it. Of its attempts, `at_once` start soon after the first."""

    attempts: int
    at_once: int
    path: Path
    name: str


def _layers(outlook: Outlook, group: Group, leg: int) -> list[_Layer]:
    """Those around a call that repeat it, from the outside."""
    plan, found = outlook.plan, list[_Layer]()
    application = plan.client.application
    if application is not None:
        found.append(_layer(application, ("policy", "application", "retries"), "of the application"))
    rounds = RetryRule(retries=plan.policy.rounds - 1, backoff=plan.policy.round_backoff)
    found.append(_layer(rounds, ("policy", "rounds"), "rounds"))
    found.append(_layer(group.retry, _retries_path(outlook, group), f"of {group.name}"))
    clients = outlook.setting_path(plan.chain[leg], "clients")
    for depth, rule in enumerate(plan.client.legs[leg].inner):
        found.append(_layer(rule, (*clients, depth, "retries"), "of the client inside"))
    return [layer for layer in found if layer.attempts > 1]


def _layer(rule: RetryRule, path: Path, name: str) -> _Layer:
    waited, at_once = 0.0, 1
    for done in range(rule.retries):
        waited += waited_s(rule.backoff, done, longest=False)
        at_once += waited <= _SOON_S
    return _Layer(1 + rule.retries, at_once, path, name)


def _retries_path(outlook: Outlook, group: Group) -> Path:
    return outlook.retry_path(group, "retries")


CHECKS: Final = (refusals_keep_limit_exhausted, abandoned_calls_keep_queue_full, retry_amplification)
